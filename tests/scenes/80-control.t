#!/usr/bin/perl
# A person holds a running change: pause, resume, abort, from another terminal
# and with no process left. Nothing starts that was held, nothing is lost.
# covers: P4, P7
use strict;
use warnings;
use lib 'tests';
use Control;
use Test::More;

my $p = Control->new(4);

# A step waits on its host for a file, so that "while it runs" can be met.
sub planned {
    my ($round, %more) = @_;
    my $waves = $more{waves} // '[ { hosts: 1 }, { hosts: rest } ]';
    my $top = $more{top} // '';
    my $step = $more{step} // "echo 1 >>\"\$HOME/round-$round\"; for i in \$(seq 300); do [ -e \"\$HOME/go-$round\" ] && break; sleep 0.1; done";
    $p->put('plan.yml', <<"YML");
change: Round $round
reason: to be held
targets: all
waves: $waves
limits: { failed: 2, unreachable: 2 }
$top
steps:
  - name: Step
    shell: '$step'
    rollback: keep
    because: a line in a file
YML
    return $p->approved('plan.yml');
}
sub touch { for my $host (@{ $_[1] }) { open my $o, '>', $p->home($host) . "/go-$_[0]" or die; close $o } }
sub started { my ($round, $host) = @_; until_true(20, sub { -s $p->home($host) . "/round-$round" }) }

# ---- pause and resume while it runs ----

my $chg = planned(1);
my ($status, $said) = $p->hoshu({}, 'pause', $chg);
is($status, 5, 'a change that does not run is not paused');
like($said, qr/is submitted: there is nothing to pause/, 'and says why');
my $run = $p->background('run', $chg);
ok(started(1, 1), 'the first host is at it');
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 5, 'a second coordinator is refused');
like($said, qr/is being run by process \d+/, 'and names the first');
($status, $said) = $p->hoshu({}, 'pause', $chg, '--because', 'odd graphs', '--as', 'bob');
is($status, 0, 'paused while it runs') or diag $said;
like($said, qr/Process \d+ ends what is in flight.*next: hoshu resume $chg/s, 'says what happens now, and the next command');
ok(until_true(5, sub { $p->out($run) =~ /PAUSED/ }), 'the run heard it');
($status, $said) = $p->hoshu({}, 'pause', $chg);
is($status, 5, 'not twice');
($status, $said) = $p->hoshu({}, 'status');
like($said, qr/paused by bob: odd graphs; process \d+ ends what is in flight: hoshu watch $chg/, 'status: what happens until then');
my $watch = $p->background('watch', $chg);
ok(until_true(10, sub { $p->out($watch) =~ /PAUSED/ }), 'watch shows what was before');
touch(1, [1 .. 4]);
is($p->ended($run), 10, 'the run ends, and waits for a person');
is($p->ended($watch), 10, 'watch, too');
like($p->out($watch), qr/run started.*PAUSED \(by bob\): odd graphs.*light1 +done.*paused by bob: odd graphs; hoshu resume $chg/s, 'and has shown all of it');
unlike($p->out($watch), qr/\e|\r/, 'as plain lines');
like($p->out($run), qr/light1 +done/, 'the host in flight ended its part');
like($p->out($run), qr/paused by bob: odd graphs.*hoshu resume $chg/s, 'it says who, why, and what next');
is($p->there('round-1'), '1 - - -', 'no other host was touched');

($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 10, 'run again waits for that person, too');
like($said, qr/paused by bob: odd graphs/, 'and says for what');
($status, $said) = $p->hoshu({}, 'status');
like($said, qr/$chg.*paused by bob: odd graphs.*hoshu resume $chg/s, 'status says who holds it, and the next command');
($status, $said) = $p->hoshu({}, 'show', $chg);
like($said, qr/paused by bob: odd graphs/, 'show, too');
($status, $said) = $p->hoshu({}, 'resume', $chg, '--as', 'carol');
is($status, 0, 'resume goes on in the foreground, to the end') or diag $said;
is($p->there('round-1'), '1 1 1 1', 'every host once');
is(scalar(grep { $_->{kind} eq 'run-started' } $p->records($chg)), 2, 'two runs in all');
($status, $said) = $p->hoshu({}, 'resume', $chg);
is($status, 5, 'what has ended is not resumed');

# ---- lifted before the run has ended ----

$chg = planned(2);
$run = $p->background('run', $chg);
ok(started(2, 1), 'round 2 is at it');
$p->hoshu({}, 'pause', $chg);
ok(until_true(5, sub { $p->out($run) =~ /PAUSED/ }), 'and paused');
($status, $said) = $p->hoshu({}, 'resume', $chg);
is($status, 0, 'resumed while the process is still there');
like($said, qr/goes on in process \d+/, 'and that one goes on');
touch(2, [1 .. 4]);
is($p->ended($run), 0, 'to the end');
is($p->there('round-2'), '1 1 1 1', 'every host once');

# ---- abort while it runs ----

$chg = planned(3);
($status, $said) = $p->hoshu({}, 'abort', $chg, '--because', 'x');
is($status, 5, 'what never ran is rejected, not aborted');
$run = $p->background('run', $chg);
ok(started(3, 1), 'round 3 is at it');
($status, $said) = $p->hoshu({}, 'abort', $chg);
is($status, 2, 'an abort says why');
($status, $said) = $p->hoshu({}, 'abort', $chg, '--because', 'wrong night', '--as', 'bob');
is($status, 0, 'aborted') or diag $said;
touch(3, [1 .. 4]);
is($p->ended($run), 9, 'what was in flight is done, the others are left over');
like($p->out($run), qr/ABORTED.*\(by bob\): wrong night.*light1 +done.*run ended: aborted.*1 done.*3 left over/s, 'the run says so');
is($p->there('round-3'), '1 - - -', 'and so it is');
($status, $said) = $p->hoshu({}, 'show', $chg);
like($said, qr/ended, aborted \(exit status 9\).*aborted by bob: wrong night/s, 'show says who and why');
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 5, 'it does not run again');
($status, $said) = $p->hoshu({}, 'watch', $chg, '--json');
is($status, 9, 'watch of what has ended shows its last run, and ends as it did');
like($said, qr/^\{.*"kind":"run-started".*"kind":"aborted".*"kind":"run-ended"[^\n]*\}\s*$/s, 'as JSON, too');

# ---- abort with a killed coordinator: the open step is settled first ----

$chg = planned(4);
$run = $p->background('run', $chg);
ok(started(4, 1), 'round 4 is at it');
my $lock = `cat $p->{dir}/store/run/$chg.lock`;
my ($pid) = $lock =~ /^(\d+)/;
kill 9, $pid;
$p->ended($run);
touch(4, [1 .. 4]);
($status, $said) = $p->hoshu({}, 'status');
like($said, qr/$chg.*was interrupted: hoshu run $chg goes on/s, 'status says that nobody runs it');
($status, $said) = $p->hoshu({}, 'abort', $chg, '--because', 'enough');
is($status, 9, 'abort ends what was in flight itself') or diag $said;
like($said, qr/light1 +done/, 'the host that was at it is done');
is($p->there('round-4'), '1 - - -', 'once');

# ---- paused with a killed coordinator: run ends what is in flight ----

$chg = planned(5);
$run = $p->background('run', $chg);
ok(started(5, 1), 'round 5 is at it');
($pid) = `cat $p->{dir}/store/run/$chg.lock` =~ /^(\d+)/;
kill 9, $pid;
$p->ended($run);
($status, $said) = $p->hoshu({}, 'pause', $chg);
like($said, qr/no process runs it/, 'paused with nobody there');
touch(5, [1 .. 4]);
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 10, 'run ends the part that is in flight, then waits') or diag $said;
is($p->there('round-5'), '1 - - -', 'nothing new');
($status, $said) = $p->hoshu({}, 'abort', $chg, '--because', 'enough');
is($status, 9, 'and an abort ends it');

# ---- the journal holds ----

($status, $said) = $p->hoshu({}, 'audit', 'verify');
is($status, 0, 'the journal holds') or diag $said;
done_testing();
