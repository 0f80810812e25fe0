#!/usr/bin/perl
# A coordinator is stopped (SIGSTOP) at a random moment, past its lease; another
# takes the change over; at a random moment the first wakes up. It launches
# nothing more, it says so and ends with 5; the other ends well, and every step
# ran once. (Who is stopped inside a transaction stops every writer of the store: runner/README.md; here
# it is stopped behind it.) FULL=1: 100 rounds; ROUNDS=N and SEED=N for others.
# covers: P3, P4
use strict;
use warnings;
use lib 'tests';
use Control;
use Test::More;
use Time::HiRes qw(sleep time);


my $rounds = $ENV{ROUNDS} // ($ENV{FULL} ? 100 : 4);
my $seed = $ENV{SEED} // int time;
srand $seed;
my ($hosts, $steps) = (3, 3);
my $p = Control->new($hosts);
open my $yml, '>>', "$p->{dir}/hoshu.yml" or die;
print $yml "lease: 1s\n";
close $yml;

# Each step appends its number and when it began.
sub planned {
    my ($round) = @_;
    my $text = <<"YML";
change: Round $round
reason: to be stopped
targets: all
waves: [ { hosts: 1 }, { hosts: rest } ]
limits: { failed: 1, unreachable: 1 }
steps:
YML
    $text .= <<"YML" for 1 .. $steps;
  - name: Step $_
    shell: 'echo "$_ \$(date +%s%3N)" >>"\$HOME/round-$round"; sleep 0.05'
    rollback: keep
    because: a line in a file
YML
    $p->put('plan.yml', $text);
    return $p->approved('plan.yml');
}


# Comes back when it stands still, or has ended.
sub stop {
    my ($pid) = @_;
    kill 'STOP', $pid;
    for (1 .. 500) { open my $in, '<', "/proc/$pid/stat" or return; last if <$in> =~ /\) [TZ] /; sleep 0.002 }
}
# Does it hold the store's lock, as for each transaction?
sub writes {
    my ($pid) = @_;
    my $inode = (stat "$p->{dir}/store/lock")[1] // 0;
    open my $locks, '<', '/proc/locks' or return 0;
    return scalar grep { /FLOCK .* $pid [0-9a-f]+:[0-9a-f]+:$inode / } <$locks>;
}

my ($late, $wrong, $stopped, $open, $inside) = (0, 0, 0, 0, 0);
for my $round (1 .. $rounds) {
    my $chg = planned($round);
    my $first = $p->background('run', $chg);
    # somewhere in the middle of it: the whole takes about a second
    until ($p->out($first) =~ /run started/) { BAIL_OUT('it does not start: ' . $p->out($first)) if waitpid $first, 1; sleep 0.005 }
    sleep rand 0.7;
    stop($first);
    while (writes($first)) { $inside++; kill 'CONT', $first; sleep 0.002; stop($first) }
    if (waitpid($first, 1) == $first) { next } # it was through
    $stopped++;
    my ($fault, $begun) = ('', time);
    my ($early, $refused) = $p->hoshu({}, 'run', $chg);
    $fault .= "before the lease was over: $early $refused;" if $early != 5 && time - $begun < 0.5;
    sleep 1.3 - (time - $begun) if time - $begun < 1.3;
    my $second = $p->background('run', $chg);
    # it wakes up some time round the take-over
    sleep rand 0.4;
    kill 'CONT', $first;
    my ($one, $two) = ($p->ended($first), $p->ended($second));
    my @records = $p->records($chg);
    my ($fence) = grep { $_->{kind} eq 'run-started' && $_->{epoch} == 2 } @records;
    if (!$fence) { # it woke up first, renewed its lease and went on: as good
        $fault .= "no take-over, yet $one and $two: " . $p->out($first) . $p->out($second) . ';' if $one != 0 || $two != 5;
    } else {
        $fault .= "the first ended with $one: " . $p->out($first) . ';' if $one != 5 || $p->out($first) !~ /took the change over|is in run 2/;
        $fault .= "the second ended with $two: " . $p->out($second) . ';' if $two != 0 || $p->out($second) !~ /taken over from process $first/;
        # what the first had launched was launched a second before
        my %of = map { $_->{xid} => $_ } grep { $_->{kind} eq 'step-intent' } @records;
        my %ran = map { ("$_->{host} $_->{step}" => $of{ $_->{xid} }{epoch}) } grep { $_->{kind} eq 'step-done' } @records;
        $open += grep { $_->{kind} =~ /^step-(done|sealed)/ && $_->{epoch} == 2 && $of{ $_->{xid} }{epoch} == 1 } @records;
        for my $host (1 .. $hosts) {
            for (`cat $p->{fleet}/hosts/light$host/round-$round`) {
                my ($step, $at) = split;
                next if ($ran{"light$host $step"} // 0) != 1 || $at < $fence->{wall_ms};
                $late++;
                $fault .= "light$host: step $step of the first began at $at, taken over at $fence->{wall_ms};";
            }
        }
    }
    for my $host (1 .. $hosts) {
        my $got = join '', map { /^(\d)/ } `cat $p->{fleet}/hosts/light$host/round-$round`;
        $fault .= "light$host: steps '$got';" if $got ne join '', 1 .. $steps;
    }
    next unless $fault;
    $wrong++;
    diag("round $round ($chg): $fault");
}
diag("$stopped stops past the lease, $open launches open at the take-over and settled, $late launches after it, $inside stops moved out of a transaction, $wrong wrong rounds, SEED=$seed");
cmp_ok($stopped, '>=', $rounds / 2, 'it was stopped often enough to mean something');
is($late, 0, 'nothing was launched after the take-over');
is($wrong, 0, 'every step ran once, and both ended as they must');
my ($status, $verified) = $p->hoshu({}, 'audit', 'verify');
is($status, 0, 'the journal holds') or diag($verified);
done_testing();
