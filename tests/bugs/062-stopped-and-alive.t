#!/usr/bin/perl
# A step past its deadline whose command does not heed TERM: the shell round it
# died of the signal, the step counted as stopped and the way back began, while
# the command was still at work. Nothing of a stopped step may be alive.
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
my $dir = abs_path(tempdir('build/bug-062-XXXX', CLEANUP => 1));
my $fleet = "$dir/fleet";
system("tests/fleet/light up 2 $fleet >/dev/null") == 0 or BAIL_OUT('no fleet');
END { system("tests/fleet/light down $fleet >/dev/null 2>&1") if $fleet }
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die; print $o $text; close $o }
sub slurp { my ($path) = @_; open my $i, '<', $path or return ''; local $/; return <$i> }

system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
put('approvers', 'alice namespaces="approve@hoshu" ' . join(' ', (split ' ', `cat $dir/key.pub`)[0, 1]) . "\n");
put('hoshu.yml', "inventory: fleet/inventory.yml\nstore: store\napprovals: solo\napprovers: approvers\nmodules: [$modules]\n");
put('plan.yml', <<'YML');
change: Does not heed TERM
reason: a test
targets: light1
waves: [{ hosts: rest }]
steps:
  - shell: |
      trap "" TERM
      echo $$ >"$HOME/pids"
      sh -c 'echo $$ >>"$HOME/pids"; while :; do sleep 1; done'
    timeout: 1s
    rollback: keep
    because: a test
  - shell: 'true'
    rollback: keep
    because: a test
YML
my ($chg) = join('', `$hoshu -C $dir submit $dir/plan.yml --as alice 2>&1`) =~ /^(CHG-\d+) submitted/m;
ok($chg, 'submitted') or BAIL_OUT('not submitted');
is(system("$hoshu -C $dir approve $chg --as alice --key $dir/key >/dev/null"), 0, 'approved');
my $said = `LC_ALL=C timeout 60 $hoshu -C $dir run $chg 2>&1`;
is($? >> 8, 7, 'the step failed, which took it back') or diag($said);
like($said, qr/ 1 shell .*FAILED: its deadline passed and it was stopped/, 'it counts as stopped');
my @pids = split ' ', slurp("$fleet/hosts/light1/pids");
is(scalar @pids, 2, 'both processes had begun');
# one that nobody has reaped yet is gone as well
is(scalar(grep { slurp("/proc/$_/stat") =~ /\) [^ZX]/ } @pids), 0, 'and both are gone');
done_testing();
