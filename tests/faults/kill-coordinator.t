#!/usr/bin/perl
# The coordinator is killed (-9) at random moments of a run; `hoshu run` goes
# on each time. Every step ran exactly once, the end is the right one, and the
# journal holds.
# covers: P3, P4
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use File::Path qw(remove_tree make_path);

my $why = `tests/fleet/light can`;
if ($? >> 8 == 77) { chomp $why; plan skip_all => $why }

my $hoshu = $ENV{HOSHU} // './hoshu';
my $rounds = $ENV{ROUNDS} // ($ENV{FULL} ? 60 : 12);
my $seed = $ENV{SEED} // time;
srand $seed;
my $dir = 'build/faults-kill';
END { if ($dir && -d $dir) { system "tests/fleet/light down $dir >/dev/null 2>&1"; remove_tree($dir) } }
remove_tree($dir);
$ENV{LIGHT_APART} = 1;
system("tests/fleet/light up 3 $dir >/dev/null") == 0 or BAIL_OUT('no fleet');
make_path("$dir/files");
sub put { my ($name, $text) = @_; open my $o, '>', "$dir/$name" or die; print $o $text; close $o }
system "ssh-keygen -q -t ed25519 -N '' -f $dir/key";
my $key = join ' ', (split ' ', `cat $dir/key.pub`)[0, 1];
put('approvers', "alice namespaces=\"approve\@hoshu\" $key\n");
put('hoshu.yml', <<"YML");
inventory: inventory.yml
store: store
approvals: solo
approvers: approvers
modules: [../../modules]
files: files
YML

# Each step appends a line: two lines would be a step run twice.
sub plan_text {
    my ($round) = @_;
    my $steps = join '', map { <<"YML" } 1 .. 3;
  - name: Step $_
    shell: 'sleep 0.05; echo $_ >>"\$HOME/round-$round"; sleep 0.05'
    rollback: keep
    because: a line in a file
YML
    return <<"YML";
change: Round $round
reason: to be killed
targets: all
waves: [ { hosts: 1 }, { hosts: rest } ]
limits: { failed: 1, unreachable: 1 }
steps:
$steps
YML
}

my ($twice, $wrong, $kills) = (0, 0, 0);
for my $round (1 .. $rounds) {
    put('plan.yml', plan_text($round));
    my $chg;
    for (`$hoshu -C $dir submit $dir/plan.yml --as alice 2>&1`) { $chg = $1 if /^(CHG-\d+) submitted/ }
    BAIL_OUT('not submitted') unless $chg;
    system("$hoshu -C $dir approve $chg --as alice --key $dir/key >/dev/null") == 0 or BAIL_OUT('not approved');
    my $status;
    for my $try (1 .. 40) {
        my $pid = fork // die;
        if ($pid == 0) {
            open STDOUT, '>>', "$dir/out"; open STDERR, '>&', \*STDOUT;
            exec $hoshu, '-C', $dir, 'run', $chg;
        }
        # the last tries run to the end
        my $until = time + ($try > 6 ? 60 : 0.03 + rand 0.7);
        my $done = 0;
        while (time < $until && !$done) { $done = waitpid($pid, 1); sleep 0.004 unless $done }
        if ($done) { $status = $? >> 8; last }
        kill 9, $pid; waitpid $pid, 0; $kills++;
    }
    for my $host (1 .. 3) {
        my $got = join '', map { s/\n//r } `cat $dir/hosts/light$host/round-$round 2>/dev/null`;
        next if $got eq '123';
        $got =~ /(\d).*\1/ ? $twice++ : $wrong++;
        diag("round $round ($chg) light$host: lines '$got', status " . ($status // 'none'));
    }
    # killed after its last word: then it says so
    $status = 0 if ($status // -1) == 5 && `tail -1 $dir/out` =~ /has ended \(done\)/;
    if (($status // -1) != 0) { $wrong++; diag("round $round: status " . ($status // 'none')); diag(`tail -5 $dir/out`) }
}
note("$kills kills in $rounds runs, SEED=$seed");
cmp_ok($kills, '>', $rounds, 'it was killed often enough to mean something');
is($twice, 0, 'no step ran twice');
is($wrong, 0, 'every run came to its right end');
system "$hoshu -C $dir audit verify >$dir/verify 2>&1";
is($? >> 8, 0, 'the journal holds') or diag(`cat $dir/verify`);
done_testing();
