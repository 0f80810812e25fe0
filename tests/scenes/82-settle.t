#!/usr/bin/perl
# A step that nobody can say anything about, because its supervisor and all of
# it were killed and it has no probe: unknown, until a person signs what is so.
# covers: P4, P9
use strict;
use warnings;
use lib 'tests';
use Control;
use Test::More;
use JSON::PP ();
use Time::HiRes qw(sleep time);

my $p = Control->new(2);
my $key = join ' ', (split ' ', `cat $p->{dir}/key.pub`)[0, 1];
system "ssh-keygen -q -t ed25519 -N '' -f $p->{dir}/key2";
my $key2 = join ' ', (split ' ', `cat $p->{dir}/key2.pub`)[0, 1];
my $approvers = "alice namespaces=\"approve\@hoshu,settle\@hoshu\" $key\nbob namespaces=\"approve\@hoshu\" $key2\n";
$p->put('approvers', $approvers);

sub touch { open my $o, '>', $_[0] or die "$_[0]: $!"; close $o }
touch($p->home(2) . '/stay'); # a host does not know its name here
# Step 1 kills all that is about it on light1, once; on light2 it waits for a file.
sub planned {
    my ($round) = @_;
    $p->put('plan.yml', <<"YML");
change: Round $round
reason: nobody knows
targets: all
waves: [ { hosts: rest, at_once: 2 } ]
limits: { failed: 2, unreachable: 2 }
rollback: { host_failed: hold, limit: hold }
steps:
  - name: Vanish
    shell: |
      echo 1 >>"\$HOME/round-$round"
      [ -e "\$HOME/stay" ] && for i in \$(seq 600); do [ -e "\$HOME/go-$round" ] && exit 0; sleep 0.1; done && exit 1
      [ -e "\$HOME/again-$round" ] && exit 0
      p=\$PPID
      while [ "\$p" -gt 1 ]; do
        read -r _ _ _ next _ <"/proc/\$p/stat"
        [ -e "/proc/\$p/fd/9" ] && kill -KILL "\$p"
        p=\$next
      done
      kill -KILL \$PPID \$\$
    rollback: keep
    because: a line in a file
  - name: After
    shell: 'echo 2 >>"\$HOME/round-$round"'
    rollback: keep
    because: a line in a file
YML
    return $p->approved('plan.yml');
}
sub settle { my ($chg, @args) = @_; return $p->hoshu({}, 'settle', $chg, @args, '--as', 'alice', '--key', "$p->{dir}/key") }
sub unknown {
    my ($chg) = @_;
    my $run = $p->background('run', $chg);
    ok(until_true(60, sub { $p->out =~ /light1 +1 Vanish: UNKNOWN.*light1 +FAILED/s }), "$chg: the step is unknown") or diag $p->out;
    return $run;
}

# ---- done: it goes on behind that step, in the run that is there ----

my $chg = planned(1);
my $run = unknown($chg);
my ($status, $said) = settle($chg, 'light1', 'Vanish', 'done');
is($status, 2, 'how one knows must be said');
($status, $said) = settle($chg, 'light1', 'Vanish', 'perhaps', '--because', 'x');
is($status, 2, 'the outcome is one of two');
($status, $said) = settle($chg, 'light1', 'Vanis', 'done', '--because', 'x');
like($said, qr/no step 'Vanis' \(did you mean 'Vanish'\?\)/, 'a wrong step is named');
($status, $said) = settle($chg, 'light3', '1', 'done', '--because', 'x');
like($said, qr/has no host 'light3'/, 'a wrong host, too');
($status, $said) = settle($chg, 'light1', 'After', 'done', '--because', 'x');
is($status, 5, 'what is not unknown is not settled');
($status, $said) = settle($chg, 'light2', '1', 'done', '--because', 'x');
is($status, 5, 'nor what is under way');
($status, $said) = $p->hoshu({}, 'settle', $chg, 'light1', '1', 'done', '--because', 'x', '--as', 'bob', '--key', "$p->{dir}/key2");
is($status, 4, 'nor by whose key may not say so') or diag $said;
($status, $said) = $p->hoshu({}, 'settle', $chg, 'light1', '1', 'done', '--because', 'x', '--as', 'bob', '--key', "$p->{dir}/key");
is($status, 4, 'nor in the name of another') or diag $said;
is(scalar(grep { $_->{kind} eq 'settled' } $p->records($chg)), 0, 'none of it was recorded');
($status, $said) = settle($chg, 'light1', 'Vanish', 'done', '--because', 'the line is in the file');
is($status, 0, 'a word that counts') or diag $said;
like($said, qr/^hoshu-settle\/1\n.*^host: light1\n^step: 1 Vanish\n^direction: apply\n.*^outcome: done\n^because: the line is in the file\n^person: alice\n/ms, 'the statement is shown');
ok(until_true(20, sub { $p->out =~ /settled by a person \(by alice\): the line is in the file.*light1 +2 After: changed.*light1 +done/s }), 'the host goes on in the run that is there') or diag $p->out;
touch($p->home(2) . '/go-1');
is($p->ended($run), 0, 'and the change is done') or diag $p->out;
is(join(' ', $p->lines(1)), '12 12', 'no step ran twice');
($status, $said) = settle($chg, 'light1', 'Vanish', 'done', '--because', 'x');
is($status, 5, 'not twice');

# ---- not-done: it runs again ----

$chg = planned(2);
$run = unknown($chg);
touch($p->home(1) . '/again-2');
($status, $said) = settle($chg, 'light1', '1', 'not-done', '--because', 'nothing there');
is($status, 0, 'not-done') or diag $said;
ok(until_true(20, sub { $p->out =~ /light1 +1 Vanish: changed.*light1 +done/s }), 'it is launched again') or diag $p->out;
touch($p->home(2) . '/go-2');
is($p->ended($run), 0, 'and the change is done');

# ---- nobody goes by a word that does not hold ----

$chg = planned(3);
$run = unknown($chg);
($status, $said) = $p->hoshu({}, 'pause', $chg);
touch($p->home(2) . '/go-3');
is($p->ended($run), 10, 'paused');
($status, $said) = settle($chg, 'light1', '1', 'done', '--because', 'seen');
is($status, 0, 'settled while no process runs it') or diag $said;
like($said, qr/settled; paused by .*hoshu resume $chg/, 'it says what next');
$p->put('approvers', $approvers =~ s/,settle\@hoshu//r);
($status, $said) = $p->hoshu({}, 'resume', $chg);
is($status, 4, 'a word whose signature does not hold any more stops the run') or diag $said;
like($said, qr/record \d+, a word on step 1 on light1/, 'and is named');
$p->put('approvers', $approvers);
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 0, 'with it the run goes on') or diag $said;

# ---- in a pause: it waits with all others, and goes on with them ----

$chg = planned(5);
$run = unknown($chg);
($status, $said) = $p->hoshu({}, 'pause', $chg);
ok(until_true(20, sub { $p->out =~ /PAUSED/ }), 'paused, and one host is in flight');
($status, $said) = settle($chg, 'light1', '1', 'done', '--because', 'seen');
is($status, 0, 'settled in the pause') or diag $said;
ok(until_true(20, sub { $p->out =~ /settled by a person/ }), 'the run that is there has heard it');
touch($p->home(2) . '/go-5');
is($p->ended($run), 10, 'it stands') or diag $p->out;
is(join(' ', $p->lines(5)), '1 12', 'who was in flight has ended; who was settled began nothing') or diag $p->out;
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 10, 'nor does another run') or diag $said;
is(join(' ', $p->lines(5)), '1 12', 'begin anything there');
($status, $said) = $p->hoshu({}, 'resume', $chg);
is($status, 0, 'resumed it goes on') or diag $said;
is(join(' ', $p->lines(5)), '12 12', 'behind that step');

# ---- in a change that has ended ----

$chg = planned(4);
touch($p->home(2) . '/go-4');
$run = $p->background('run', $chg);
is($p->ended($run), 8, 'ended with what nobody knows') or diag $p->out;
($status, $said) = $p->hoshu({}, 'show', $chg);
like($said, qr/1 Vanish: unknown\n +look there, then: hoshu settle $chg light1 1 done\|not-done/, 'show says what to type');
($status, $said) = settle($chg, 'light1', '1', 'done', '--because', 'seen');
is($status, 0, 'settled afterwards');
($status, $said) = $p->hoshu({}, 'show', $chg);
like($said, qr/light1 .*failed\n(?: +why: .*\n)? +1 Vanish: done/, 'show knows it');
like($said, qr/^state: ended, unknown \(exit status 8\); as it was settled since: failed \(exit status 6\)/m, 'and what the change comes to by now, beside what was recorded');
($status, $said) = $p->hoshu({}, 'list');
like($said, qr/^$chg  unknown .*\(settled since: failed\)$/m, 'so does list');
($status, $said) = $p->hoshu({}, 'list', '--json');
my ($listed) = grep { $_->{change} eq $chg } @{ JSON::PP::decode_json($said) };
is_deeply([ @{$listed}{qw(state status now now_status)} ], [ 'unknown', 8, 'failed', 6 ], 'and its --json');
($status, $said) = $p->hoshu({}, 'status');
unlike($said, qr/^$chg  /m, 'nobody is asked to look at it any more') or diag $said;
($status, $said) = $p->hoshu({}, 'audit', 'verify');
is($status, 0, 'the journal holds') or diag $said;
done_testing();
