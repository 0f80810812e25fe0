#!/usr/bin/perl
# A step that removed its own claim and was still at work at its deadline: it
# could not be found to be stopped, a new connection called it sealed, and it
# was launched again beside itself, up to five times. Its second claim tells.
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
my $dir = abs_path(tempdir('build/bug-190-XXXX', CLEANUP => 1));
my $fleet = "$dir/fleet";
system("tests/fleet/light up 2 $fleet >/dev/null") == 0 or BAIL_OUT('no fleet');
END { system("tests/fleet/light down $fleet >/dev/null 2>&1") if $fleet }
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die; print $o $text; close $o }
sub slurp { my ($path) = @_; open my $i, '<', $path or return ''; local $/; return <$i> }

system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
put('approvers', 'alice namespaces="approve@hoshu" ' . join(' ', (split ' ', `cat $dir/key.pub`)[0, 1]) . "\n");
put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [$modules]\n");
put('plan.yml', <<'YML');
change: Remove the claim and stay
reason: a test
targets: light1
waves: [{ hosts: rest }]
steps:
  - shell: |
      rm -f "${0%.sh}"
      echo $$ >>"$HOME/ran"
      sleep 60
      echo late >>"$HOME/ran"
    timeout: 1s
    rollback: keep
    because: a test
YML
my ($chg) = join('', `$hoshu -C $dir submit $dir/plan.yml --as alice 2>&1`) =~ /^(CHG-\d+) submitted/m;
ok($chg, 'submitted') or BAIL_OUT('not submitted');
is(system("$hoshu -C $dir approve $chg --as alice --key $dir/key >/dev/null"), 0, 'approved');
my $said = `LC_ALL=C timeout 60 $hoshu -C $dir run $chg 2>&1`;
is($? >> 8, 7, 'the step failed, which took it back') or diag($said);
like($said, qr/ 1 shell .*FAILED: its deadline passed and it was stopped/, 'it counts as stopped');
my @ran = split ' ', slurp("$fleet/hosts/light1/ran");
is(scalar @ran, 1, 'it was begun once');
unlike(slurp("/proc/$ran[0]/stat"), qr/\) [^ZX]/, 'and is gone');
unlike($said, qr/sealed|never ran/, 'nothing counts as never run');
done_testing();
