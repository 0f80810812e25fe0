#!/usr/bin/perl
# A host of the real fleet falls silent in the middle of a step: its packets are
# dropped, for moments, until its session is gone, or until hoshu has given the
# connection up. It lives on, so the step ends there, once; what is said of it
# is the truth or unknown.
# covers: P4
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp put_file full);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $count = full() ? 6 : 2;
my $rounds = $ENV{ROUNDS} // (full() ? 10 : 1);
my $c = Campaign->new(name => 'packets', fleet => 'real', hosts => $count);
my $dir = $c->{dir};
my @hosts = @{ $c->{hosts} };

# how => what is done once the packets are dropped, and for how long
my %how = (
    moment  => sub { sleep 0.2 + rand 3 },
    session => sub { my ($host) = @_; $c->on($host, 'pkill -KILL -f "^sshd: ops"'); sleep rand 1 },
    long    => sub { sleep 70 + rand 20 },
);
my @modes = full() ? qw(moment session moment session moment long) : qw(moment session);

my ($cuts, $wrong, $failed, $lost, %told, %of) = (0, 0, 0, 0);
for my $round (1 .. $rounds) {
    $c->fresh_hosts;
    my $chg = $c->submit($c->plan_text(steps => [qw(mark blind asked)], sleep => '1.5', tail => '0.5', waves => "[ { hosts: rest, at_once: $count } ]",
        limits => "{ failed: $count, unreachable: $count }", more => "rollback: { host_failed: hold, limit: hold }\n"));
    put_file("$dir/said", '');
    my $pid = $c->start($chg);
    my @faults;
    for my $i (0 .. $#hosts) {
        my ($host, $mode) = ($hosts[$i], $modes[ ($i + $round) % @modes ]);
        my $at = rand 4;
        push @faults, sprintf '%s: %s at %.2f', $host, $mode, $at;
        $cuts++;
        $of{$mode}++;
        my $fault = fork // die;
        if ($fault == 0) { srand($c->{seed} + $round * 100 + $i); $c->wait_for_begin($host); sleep $at; my $ok = $c->real('cut', $host); $how{$mode}->($host); POSIX::_exit($c->real('mend', $host) && $ok ? 0 : 1) }
    }
    my $status = $c->finish($pid, 400);
    while (wait > 0) { $failed++ if $? }
    my %opened;
    $opened{ $_->{host} }++ for grep { $_->{kind} eq 'host-opened' } $c->journal($chg);
    $lost += grep { $_ > 1 } values %opened;
    my $unknown = grep { $_->{kind} eq 'step-unknown' } $c->journal($chg);
    # a host that was not touched yet counts as unreachable
    my @lies = $c->lies($chg, $status, unknown => scalar(grep { /long/ } @faults));
    push @lies, "ended with $status" unless grep { $_ == $status } 0, 8, 9;
    push @lies, 'unknown, but it does not say what to do' if $unknown && slurp("$dir/said") !~ /^next: hoshu /m;
    $told{$_} += $c->{told}{$_} for keys %{ $c->{told} };
    if (@lies) { $wrong++; diag("$_") for @faults, @lies; diag(slurp("$dir/said")) if $wrong < 3 }
}
note("$cuts times packets dropped (", join(', ', map { "$_ $of{$_}" } sort keys %of), '): ', join(', ', map { "$told{$_} $_" } sort keys %told), ", $lost connections lost, $wrong runs wrong, SEED=$c->{seed}");
is($failed, 0, 'the packets were dropped, and came again');
cmp_ok($lost, '>', 0, 'connections were lost');
is($wrong, 0, 'each verdict is right, or unknown and says what to do');
is(($c->hoshu('audit', 'verify'))[0], 0, 'the journal holds');
done_testing();
