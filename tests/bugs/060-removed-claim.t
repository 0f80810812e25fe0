#!/usr/bin/perl
# A step that removed its own claim from the spool (rm -rf of what is there)
# passed for "never ran, sealed" and was launched again, without end: hundreds
# of times a second. What ran is not run again and not called sealed.
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
my $dir = abs_path(tempdir('build/bug-060-XXXX', CLEANUP => 1));
my $fleet = "$dir/fleet";
system("tests/fleet/light up 2 $fleet >/dev/null") == 0 or BAIL_OUT('no fleet');
END { system("tests/fleet/light down $fleet >/dev/null 2>&1") if $fleet }
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die; print $o $text; close $o }
sub slurp { my ($path) = @_; open my $i, '<', $path or return ''; local $/; return <$i> }

system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
put('approvers', 'alice namespaces="approve@hoshu" ' . join(' ', (split ' ', `cat $dir/key.pub`)[0, 1]) . "\n");
put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [$modules]\n");
# its claim alone: other hosts of this machine may share the spool
put('plan.yml', <<'YML');
change: Remove the claim
reason: a test
targets: light1
waves: [{ hosts: rest }]
steps:
  - shell: 'echo ran >>"$HOME/ran"; rm -f "${0%.sh}"; [ -e "${0%.sh}" ] || echo gone >>"$HOME/gone"'
    rollback: keep
    because: a test
  - shell: 'rm -f "${0%.sh}"; exit 3'
    rollback: keep
    because: a test
YML
my ($chg) = join('', `$hoshu -C $dir submit $dir/plan.yml --as alice 2>&1`) =~ /^(CHG-\d+) submitted/m;
ok($chg, 'submitted') or BAIL_OUT('not submitted');
is(system("$hoshu -C $dir approve $chg --as alice --key $dir/key >/dev/null"), 0, 'approved');
my $said = `LC_ALL=C timeout 60 $hoshu -C $dir run $chg 2>&1`;
is($? >> 8, 7, 'the second step failed, which took it back') or diag($said);
is(slurp("$fleet/hosts/light1/gone"), "gone\n", 'the claim was removed');
is(slurp("$fleet/hosts/light1/ran"), "ran\n", 'the step ran once');
like($said, qr/ 2 shell .*FAILED: its script failed/, 'the second has its true verdict');
unlike($said, qr/sealed/, 'nothing counts as never run');
done_testing();
