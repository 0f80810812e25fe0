#!/usr/bin/perl
# A phase asks a person before its first host: yes, no, too late, killed while
# it waits; who may answer, and whose answer nobody goes by.
# covers: P2, P4, P9
use strict;
use warnings;
use lib 'tests';
use Control;
use Test::More;
use Time::HiRes qw(sleep time);

my $p = Control->new(2);
system "ssh-keygen -q -t ed25519 -N '' -f $p->{dir}/$_" for qw(carol mallory);
sub public { join ' ', (split ' ', `cat $p->{dir}/$_[0].pub`)[0, 1] }
my $spaces = 'approve@hoshu,answer@hoshu';
my $approvers = join '', map { "$_->[0] namespaces=\"$spaces\" " . public($_->[1]) . "\n" } [alice => 'key'], [carol => 'carol'], [mallory => 'mallory'];
$p->put('approvers', $approvers);
my $yml = do { local $/; open my $in, '<', "$p->{dir}/hoshu.yml"; <$in> };
$yml =~ s/approvals: solo/approvals: 1/;
sub roles { $p->put('hoshu.yml', "${yml}roles: { dba: [$_[0]] }\n") }
roles('carol, bob');
my %key = (alice => 'key', carol => 'carol', mallory => 'mallory');

sub answer { my ($chg, $who, @more) = @_; return $p->hoshu({}, 'answer', $chg, '--as', $who, '--key', "$p->{dir}/$key{$who}", @more) }
sub done { return $p->there("round-$_[0]") }
sub kinds { my ($chg, $kind) = @_; return grep { $_->{kind} eq $kind } $p->records($chg) }
sub planned {
    my ($round, $within, $role) = @_;
    $p->put('plan.yml', <<"YML");
change: Round $round
reason: somebody has to say so
inputs: { night: { default: "Monday" } }
phases:
  - name: Put in place
    targets: all
    steps: [{ name: Put, shell: 'echo 1 >>"\$HOME/round-$round"', rollback: keep, because: a line in a file }]
  - name: Migrate once
    targets: first(all)
    ask: { role: ${\($role // 'dba')}, say: "Backup of \${{ inputs.night }} night verified?", within: $within }
    steps: [{ name: Schema, shell: 'echo 2 >>"\$HOME/round-$round"', rollback: keep, because: a line in a file }]
YML
    return if defined $role;
    my ($status, $said) = $p->hoshu({}, 'submit', "$p->{dir}/plan.yml", '--as', 'bob');
    my ($chg) = $said =~ /^(CHG-\d+) submitted/m or BAIL_OUT("not submitted: $said");
    ($status, my $approved) = $p->approve({}, $chg);
    BAIL_OUT("not approved: $approved") if $status;
    return ($chg, $said, $approved);
}
# until it asks; the process that waits
sub asks {
    my ($chg) = @_;
    my $run = $p->background('run', $chg);
    ok(until_true(30, sub { $p->out =~ /ASKS/ }), "$chg asks") or diag $p->out;
    return $run;
}

# ---- who reads it before; who holds a role ----

planned(0, '1h', 'dbb');
my ($status, $said) = $p->hoshu({}, 'check', "$p->{dir}/plan.yml");
is($status, 3, 'a role that nobody holds is refused');
like($said, qr/plan\.yml:10:18: role: hoshu\.yml has no role 'dbb' \(did you mean 'dba'\?\)/, 'with its place and the near word');
planned(0, '1h', 'dba');
roles('bob');
($status, $said) = $p->hoshu({}, 'submit', "$p->{dir}/plan.yml", '--as', 'bob');
is($status, 3, 'so is a question that only its submitter could answer');
like($said, qr/nobody but bob/, 'who is named');
roles('carol, bob');

my ($chg, $preview, $approved) = planned(1, '1h');
like($preview, qr/asks +dba \(carol, bob\): Backup of Monday night verified\?\n.*for 1h; without an answer it holds, with a no it stops/, 'the preview says who will be asked what, and what becomes of no answer');
like($approved, qr/^asks: before phase 2 "Migrate once", dba \(carol, bob\) within 1h, or it holds; no stops it: Backup of Monday night verified\?$/m, 'so does what the approver signs');
($status, $said) = $p->hoshu({}, 'show', $chg, '--json');
like($said, qr/"asks":\[\{"name":"Migrate once","persons":\["carol","bob"\],"phase":2,"role":"dba","say":"Backup of Monday night verified\?","within_ms":3600000\}\]/, 'and JSON');

# ---- yes ----

($status, $said) = answer($chg, 'carol', '--yes');
is($status, 5, 'nothing is answered before it is asked') or diag $said;
my $run = asks($chg);
is(done(1), '1 1', 'the phase before is done, nobody of this one is touched');
like($p->out, qr/phase 2 "Migrate once": ASKS dba \(carol, bob\): Backup of Monday night verified\?\n +until \S+: hoshu answer $chg --yes/, 'the terminal says what is asked, of whom, and the command');
($status, $said) = $p->hoshu({}, 'status');
like($said, qr/$chg .*\n +asks, until \S+, dba \(carol, bob\): Backup of Monday night verified\?\n +hoshu answer $chg --yes/, 'so does status');
($status, $said) = $p->hoshu({}, 'show', $chg, '--json');
like($said, qr/"asked":\[\{"answer":"open","because":"","by":"","of":"dba \(carol, bob\)","over":false,"phase":2,/, 'show --json');
($status, $said) = $p->hoshu({}, 'list');
like($said, qr/^$chg +asks/m, 'and list');
($status, $said) = $p->hoshu({}, 'answer', $chg, '--as', 'carol', '--key', "$p->{dir}/carol");
is($status, 2, 'an answer is yes or no');
($status, $said) = answer($chg, 'carol', '--no');
is($status, 2, 'a no says why');
($status, $said) = answer($chg, 'alice', '--yes');
is($status, 4, 'not by another role') or diag $said;
like($said, qr/phase 2 asks dba \(carol, bob\), and alice was none of them/, 'which is said');
($status, $said) = $p->hoshu({}, 'answer', $chg, '--yes', '--as', 'bob', '--key', "$p->{dir}/key");
is($status, 4, 'not by who submitted it') or diag $said;
($status, $said) = $p->hoshu({}, 'answer', $chg, '--yes', '--as', 'carol', '--key', "$p->{dir}/mallory");
is($status, 4, 'not in the name of another') or diag $said;
is(scalar(kinds($chg, 'answered')), 0, 'none of it was recorded');
($status, $said) = answer($chg, 'carol', '--yes', '--because', 'restored it here');
is($status, 0, 'an answer that counts') or diag $said;
like($said, qr/^hoshu-answer\/1\n.*^phase: 2 Migrate once\n^asked of: dba \(carol, bob\)\n^question: Backup of Monday night verified\?\n^answer: yes\n^because: restored it here\n^person: carol\n/ms, 'the statement is shown');
is($p->ended($run), 0, 'the run that waited goes on to the end') or diag $p->out;
is(done(1), '12 1', 'the phase was done');
like($p->out, qr/phase 2 "Migrate once": answered yes \(by carol\): restored it here/, 'and said who let it');
($status, $said) = answer($chg, 'carol', '--yes');
is($status, 5, 'not twice');
($status, $said) = $p->hoshu({}, 'audit', 'show', $chg);
like($said, qr/asked|ASKS dba \(carol, bob\): Backup of Monday night verified\?.*answered yes \(by carol\): restored it here, key SHA256:/s, 'the audit has question, answer, who, and the key');

# ---- paused while it asks: the answer counts, and resume goes by it ----

($chg) = planned(7, '1h');
$run = asks($chg);
($status, $said) = $p->hoshu({}, 'pause', $chg);
is($p->ended($run), 10, 'paused while it asks') or diag $p->out;
($status, $said) = answer($chg, 'carol', '--yes');
is($status, 0, 'an answer in a pause') or diag $said;
like($said, qr/answered; $chg is paused\nnext: hoshu resume $chg goes by it, hoshu abort $chg ends it/, 'says what next');
is(done(7), '1 1', 'nothing begins before that');
($status, $said) = $p->hoshu({}, 'resume', $chg);
is($status, 0, 'resumed') or diag $said;
is(done(7), '12 1', 'it goes by the answer');

# ---- no ----

($chg) = planned(2, '1h');
$run = asks($chg);
($status, $said) = answer($chg, 'carol', '--no', '--because', 'it is from yesterday');
is($status, 0, 'no') or diag $said;
is($p->ended($run), 9, 'the change ends, with hosts left over') or diag $p->out;
is(done(2), '1 1', 'the phase did not begin, what was done stays');
like($p->out, qr/answered no \(by carol\): it is from yesterday.*aborted/s, 'it says why');
$run = $p->background('run', $chg, '--remaining');
ok(until_true(30, sub { $p->out =~ /ASKS/ }), 'the hosts left over: it asks again') or diag $p->out;
($status, $said) = answer($chg, 'carol', '--yes');
is($p->ended($run), 0, 'a yes by now') or diag $p->out;
is(done(2), '12 1', 'and the phase is done');
($status, $said) = $p->hoshu({}, 'audit', 'verify');
is($status, 0, 'the journal holds') or diag $said;

# ---- killed while it waits: the deadline stays ----

($chg) = planned(3, '1h');
$run = asks($chg);
my ($until) = $p->out =~ /until (\S+):/;
kill 'KILL', $run;
is($p->ended($run), -9, 'killed');
($status, $said) = $p->hoshu({}, 'status');
like($said, qr/asks, until \Q$until\E.*\n.*no process waits for it: hoshu run $chg/, 'status says that nobody waits');
$run = $p->background('run', $chg);
ok(until_true(30, sub { $p->out =~ /run started/ }), 'it is run again');
($status, $said) = $p->hoshu({}, 'show', $chg);
like($said, qr/asks, until \Q$until\E/, 'till then as before');
is(scalar(kinds($chg, 'asked')), 1, 'nobody is asked twice');
($status, $said) = answer($chg, 'carol', '--yes');
is($p->ended($run), 0, 'and goes on') or diag $p->out;
is(done(3), '12 1', 'no step ran twice');

# ---- too late ----

($chg) = planned(4, '1s');
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 10, 'without an answer it holds') or diag $said;
like($said, qr/NOBODY ANSWERED in time, it holds.*holds: nobody answered in time what phase 2 asks of dba \(carol, bob\).*hoshu answer $chg --yes.*hoshu run $chg/s, 'and says what to do');
($status, $said) = $p->hoshu({}, 'status');
like($said, qr/nobody answered until \S+ what it asks of dba/, 'status, too');
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 10, 'the next run asks again');
is(scalar(kinds($chg, 'asked')), 2, 'once more');
($status, $said) = answer($chg, 'carol', '--yes');
is($status, 0, 'a late yes counts') or diag $said;
like($said, qr/next: hoshu run $chg goes on/, 'it says what next');
is(done(4), '1 1', 'until then nothing is touched');
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 0, 'the run goes on') or diag $said;
is(done(4), '12 1', 'to its end');

# ---- nobody goes by an answer that does not hold ----

($chg) = planned(5, '1s');
($status, $said) = $p->hoshu({}, 'run', $chg);
($status, $said) = answer($chg, 'carol', '--yes');
is($status, 0, 'answered');
$p->put('approvers', $approvers =~ s/^carol.*\n//mr);
($status, $said) = $p->hoshu({}, 'run', $chg);
is($status, 4, 'an answer whose signature does not hold stops the run') or diag $said;
like($said, qr/record \d+, an answer to phase 2/, 'and is named');
is(done(5), '1 1', 'nothing is touched');
$p->put('approvers', $approvers);

# ---- on the way back nobody is asked ----

($status, $said) = $p->hoshu({}, 'abort', $chg, '--because', 'enough');
($chg) = planned(6, '1s');
($status, $said) = $p->hoshu({}, 'run', $chg);
($status, $said) = $p->hoshu({}, 'rollback', $chg, '--because', 'not tonight');
is($status, 7, 'a change that holds is taken back') or diag $said;
($status, $said) = answer($chg, 'carol', '--yes');
is($status, 5, 'and asks nobody any more');
($status, $said) = $p->hoshu({}, 'audit', 'verify');
is($status, 0, 'the journal holds') or diag $said;
done_testing();
