#!/usr/bin/perl
# A step that killed the shell round it (kill -9 $PPID) counted as failed, and
# the way back began, while its text was still at work. What became of such a
# step nobody knows, and nobody says so before it has ended.
# covers: P4
use strict;
use warnings;
use Test::More;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);

my $why = `tests/fleet/light can`;
if ($? >> 8 == 77) { chomp $why; plan skip_all => $why }
my $hoshu = abs_path($ENV{HOSHU} // './hoshu');
my $modules = abs_path('modules');
# not in /tmp: a preview has a /tmp of its own
mkdir 'build';
my $dir = abs_path(tempdir('build/bug-191-XXXX', CLEANUP => 1));
my $fleet = "$dir/fleet";
system("tests/fleet/light up 2 $fleet >/dev/null") == 0 or BAIL_OUT('no fleet');
END { system("tests/fleet/light down $fleet >/dev/null 2>&1") if $fleet }
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die; print $o $text; close $o }
sub slurp { my ($path) = @_; open my $i, '<', $path or return ''; local $/; return <$i> }

system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
put('approvers', 'alice namespaces="approve@hoshu" ' . join(' ', (split ' ', `cat $dir/key.pub`)[0, 1]) . "\n");
put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [$modules]\n");
put('plan.yml', <<'YML');
change: Kill the shell round it
reason: a test
targets: light1
waves: [{ hosts: rest }]
steps:
  - shell: |
      kill -9 $PPID
      exec >/dev/null 2>&1
      sleep 2
      echo ran >>"$HOME/ran"
    rollback: keep
    because: a test
YML
my ($chg) = join('', `$hoshu -C $dir submit $dir/plan.yml --as alice 2>&1`) =~ /^(CHG-\d+) submitted/m;
ok($chg, 'submitted') or BAIL_OUT('not submitted');
is(system("$hoshu -C $dir approve $chg --as alice --key $dir/key >/dev/null"), 0, 'approved');
my $said = `LC_ALL=C timeout 60 $hoshu -C $dir run $chg 2>&1`;
is($? >> 8, 8, 'the end is unknown') or diag($said);
is(slurp("$fleet/hosts/light1/ran"), "ran\n", 'it had ended, having run once, before anything was said');
like($said, qr/ 1 shell .*unknown: its outcome was lost/i, 'its outcome is not known');
unlike($said, qr/FAILED: its script|sealed/, 'neither failed nor never run');
done_testing();
