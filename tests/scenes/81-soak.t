#!/usr/bin/perl
# A soak outlives its coordinator (kill -9): its end stays where it was, its
# checks go on, and where nobody looked until it was over they are asked before
# the wave ends. A check that cannot tell pauses and asks, and is asked again.
# covers: P4, P5
use strict;
use warnings;
use lib 'tests';
use Control;
use Test::More;
use Time::HiRes qw(sleep time);

my $p = Control->new(2);

sub put_look {
    my ($host, $text) = @_;
    open my $o, '>', $p->home($host) . '/look' or die; print $o "#!/bin/sh\n$text\n"; close $o;
    chmod 0755, $p->home($host) . '/look';
}
# Each look of a check at host 1 leaves the time in ROUND.
sub looks { my ($round) = @_; open my $i, '<', $p->home(1) . "/looks-$round" or return wantarray ? () : 0; my @l = map { $_ + 0 } <$i>; return @l }

sub planned {
    my ($round, %o) = @_;
    my $at = $o{at} // 'soak';
    put_look($_, "date +%s%3N >>\"\$HOME/looks-$round\"") for 1, 2;
    $p->put('plan.yml', <<"YML");
change: Round $round
reason: soaks
targets: all
waves: [ { hosts: 1, soak: $o{soak} }, { hosts: rest } ]
limits: { failed: 1, unreachable: 1 }
rollback: { host_failed: host, limit: change }
checks:
  - { command: [sh, -c, '"\$HOME/look"'], at: [$at], every: 1s, within: 1s }
steps:
  - file: { path: /var/lib/hoshu/soak-$round, content: "x\\n" }
YML
    return $p->approved('plan.yml');
}
sub at { my ($kind, $step, @r) = @_; my ($one) = grep { $_->{kind} eq $kind && (!$step || $_->{step} == $step) } @r; return $one ? $one->{wall_ms} : undef }
sub killed_in_soak {
    my ($chg) = @_;
    my $run = $p->background('run', $chg);
    ok(until_true(30, sub { $p->out =~ /through, soaking/ }), "$chg soaks") or diag $p->out;
    return $run;
}

# ---- killed in the middle, started again before the end ----

my $chg = planned(1, soak => '8s');
my $run = killed_in_soak($chg);
ok(until_true(20, sub { looks(1) >= 2 }), 'its checks go on by their schedule');
kill 9, $run; waitpid $run, 0;
my $killed = int(1000 * time);
sleep 1;
my ($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 0, 'goes on to the end') or diag $said;
my @r = $p->records($chg);
my ($from, $to) = (at('wave-soaking', 1, @r), at('wave-ended', 1, @r));
cmp_ok($to - $from, '>=', 8000, 'the soak is no shorter');
cmp_ok($to - $from, '<', 11500, 'and ends where it would have, not later') or diag $to - $from;
cmp_ok(scalar(grep { $_ > $killed && $_ < $to } looks(1)), '>=', 2, 'its checks went on after the kill');

# ---- nobody looked until it was over: they are asked before the wave ends ----

$chg = planned(2, soak => '3s');
$run = killed_in_soak($chg);
kill 9, $run; waitpid $run, 0;
sleep 3.5;
my $again = int(1000 * time);
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 0, 'goes on to the end') or diag $said;
@r = $p->records($chg);
$to = at('wave-ended', 1, @r);
cmp_ok(scalar(grep { $_ >= $again && $_ <= $to } looks(2)), '>=', 1, 'it was looked at before the wave ended');

# ---- and where they fail the host goes back, and with it the change ----

$chg = planned(3, soak => '3s');
$run = killed_in_soak($chg);
kill 9, $run; waitpid $run, 0;
put_look(1, 'exit 1');
sleep 3.5;
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 7, 'what failed while nobody looked is taken back') or diag $said;
unlike($said, qr/wave 2: started/, 'and no other wave began');

# ---- it cannot tell, in a soak ----

$chg = planned(4, soak => '3s');
$run = $p->background('run', $chg);
ok(until_true(30, sub { looks(4) >= 1 }), 'round 4 soaks, and is looked at');
unlink $p->home(1) . '/look';
waitpid $run, 0;
is($? >> 8, 10, 'a check that cannot tell pauses the change') or diag $p->out;
like($p->out, qr/check ".*": inconclusive.*PAUSED.*light1.*paused by hoshu: light1: .*inconclusive.*hoshu resume $chg/s, 'it says which, and asks');
unlike($p->out, qr/FAILED|going back/, 'nothing failed');
sleep 1;
($status, $said) = $p->hoshu({}, 'resume', $chg);
is($status, 10, 'resumed as it is it asks again, and pauses again') or diag $said;
put_look(1, 'date +%s%3N >>"$HOME/looks-4"');
$again = int(1000 * time);
($status, $said) = $p->hoshu({}, 'resume', $chg);
is($status, 0, 'when it can tell, it goes on') or diag $said;
@r = $p->records($chg);
cmp_ok(scalar(grep { $_ >= $again && $_ <= at('wave-ended', 1, @r) } looks(4)), '>=', 1, 'asked again before the wave ended');

# ---- it cannot tell, before and after the steps ----

$chg = planned(5, soak => '0s', at => 'before, after');
unlink $p->home(1) . '/look';
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 10, 'before: it pauses') or diag $said;
like($said, qr/PAUSED/, 'and says so');
unlike($said, qr/EXCLUDED/, 'the host is not excluded');
put_look(1, "exit 0");
($status, $said) = $p->hoshu({}, 'resume', $chg);
is($status, 0, 'and goes on') or diag $said;
($status, $said) = $p->hoshu({}, 'audit', 'verify');
is($status, 0, 'the journal holds') or diag $said;
done_testing();
