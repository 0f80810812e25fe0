#!/usr/bin/perl
# The coordinator is killed (-9) at random moments, again and again, of a change
# that ends well and of one that fails and goes back; `hoshu run` goes on each
# time. Every step ran at most once, none is lost, no verdict is wrong, the end
# is the right one, and the journal holds. FULL: 500 moments on the real fleet.
# covers: P3, P4, P5
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp put_file full);
use Test::More;
use Time::HiRes qw(sleep time);

my $kind = $ENV{FLEET} // (full() ? 'real' : 'light');
my $want_kills = $ENV{KILLS} // (full() ? 500 : 14);
my $c = Campaign->new(name => 'kill-coordinator', fleet => $kind, hosts => 3);
my $dir = $c->{dir};
$c->{kept} = { s2 => 1 };

# Killed until `most` times, at a moment later than the last start by up to `span`.
sub killed_run {
    my ($chg, $most, $span) = @_;
    my $kills = 0;
    while ($kills < $most) {
        my $pid = $c->start($chg);
        my ($until, $done) = (time + 0.02 + rand $span, 0);
        while (time < $until && !$done) { $done = waitpid $pid, 1; sleep 0.004 unless $done }
        if ($done) { my $status = $? & 127 ? -($? & 127) : $? >> 8; return ($kills, $status == 5 ? $c->ended($chg) : $status) }
        kill 9, $pid;
        waitpid $pid, 0;
        $kills++;
    }
    return ($kills, $c->run_to_end($chg));
}

my ($wrong, $kills, $runs) = (0, 0, 0);
my %ends;
while ($kills < $want_kills) {
    my $back = $runs++ % 2;
    $c->fresh_hosts;
    $c->let_fail("${kind}3", 's3') if $back;
    my $chg = $c->submit($c->plan_text(sleep => '0.1'));
    my ($n, $status) = killed_run($chg, 6, $back ? 1.0 : 0.7);
    $kills += $n;
    $ends{$status}++;
    my @lies = $c->lies($chg, $status);
    push @lies, "ended with $status" if $status != ($back ? 7 : 0);
    if (@lies) { $wrong++; diag("$chg: $_") for @lies; diag(slurp("$dir/said") =~ s/.*?(.{1,3000})\z/$1/sr) if $wrong < 3 }
    put_file("$dir/said", '');
}
note("$kills kills in $runs runs on the $kind fleet (", join(', ', map { "$ends{$_} ended with $_" } sort keys %ends), "), $wrong wrong, SEED=$c->{seed}");
cmp_ok($kills, '>', $runs, 'it was killed often enough to mean something');
is($wrong, 0, 'no step ran twice, none is lost, no verdict is wrong, every run came to its right end');
is(($c->hoshu('audit', 'verify'))[0], 0, 'the journal holds');
done_testing();
