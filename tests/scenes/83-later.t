#!/usr/bin/perl
# An emergency for hosts that are away: later: 7d keeps them owed under the same
# approval. `hoshu run` goes on with them as a timer would call it, silent and
# without a record while nobody is back, until the term is over or a person ends
# it; a coordinator that dies in between changes nothing of that.
# covers: P2, P4, P7
use strict;
use warnings;
use lib 'tests';
use Control;
use Test::More;
use JSON::PP;

$ENV{HOSHU_PERSON} = 'alice';

my $p = Control->new(4);
my ($dir, $fleet) = @$p{qw(dir fleet)};
my %ahead;
if (system("cc -O1 -shared -fPIC -o $dir/clock.so tests/later_clock.c") == 0) {
    %ahead = (LD_PRELOAD => "$dir/clock.so");
}
sub fleet { system("timeout 60 tests/fleet/light $_[0] $_[1] $fleet >/dev/null") == 0 or BAIL_OUT("light @_") }
sub away { fleet('deny', "light$_"), fleet('drop', "light$_") for @_ }
sub back { fleet('allow', "light$_") for @_ }
sub slurp { open my $i, '<', $_[0] or return ''; local $/; <$i> }
sub records { my ($s, $t) = $p->hoshu({}, 'audit', 'show', $_[0]); scalar(() = $t =~ /\n/g) }

my ($status, $said);
sub hoshu { my ($env, @args) = ref $_[0] ? @_ : ({}, @_); ($status, $said) = $p->hoshu($env, @args) }
sub change {
    my ($name, $top, $step, $steps) = @_;
    $step //= "echo $name >>\"\$HOME/$name\"";
    $steps //= "  - name: Step\n    shell: '$step'\n";
    $p->put('plan.yml', <<"YML");
change: Emergency $name
reason: SEC-1
risk: emergency
targets: all
waves: [ { hosts: 1 }, { hosts: rest } ]
$top
rollback: none
steps:
$steps
YML
    ($status, $said, my $chg) = $p->submit({});
    BAIL_OUT("not submitted: $said") unless $chg;
    return $chg;
}

# --- away at the run, owed, and back ---
my $one = change('one', 'later: 7d');
hoshu('preview', "$dir/plan.yml");
like($said, qr/later +hosts that are away do not stop it and stay owed: for 7d from the approval/, 'the preview says so');
hoshu('show', $one, '--json');
is(decode_json($said)->{preview}{later_ms}, 7 * 86400_000, 'and --json');
hoshu('show', $one);
like($said, qr/approved now, hosts that are away may be changed until \d{4}-\d\d-\d\dT/, 'show says until when');
($status, $said) = $p->approve({}, $one);
is($status, 0, 'approved') or diag($said);
like($said, qr/^later: 7d, so hosts that are away may be changed until \S+Z without another approval$/m, 'whoever signs reads it');
away(2, 4);
hoshu('run', $one);
is($status, 9, 'two are away: left over, not failed, not done') or diag($said);
like($said, qr/$one: owed\. 2 done, 0 reverted, 0 failed, 0 unknown, 2 left over/, 'the result says owed');
like($said, qr/owed: 2 hosts \(light2 light4\) until .*Z\nnext: hoshu run $one /, 'whom, till when, and what to type');
unlike($said, qr/STOP RULE/, 'who is away is no reason to stop');
is($p->there('one'), 'one - one -', 'the others have it');
hoshu('status');
like($said, qr/owed: 2 hosts \(light2 light4\) until \S+Z; hoshu run $one tries them/, 'status names them');
hoshu('list');
like($said, qr/^$one +owed /m, 'so does list');
hoshu('list', '--json');
is_deeply([ @{ decode_json($said)->[0] }{qw(owed owed_hosts)} ], [ 2, 'light2 light4' ], 'and its --json');
hoshu('show', $one);
like($said, qr/light4 +wave 2  unreachable, owed/, 'and show');
like($said, qr/hosts that are away may be changed until \S+Z without another approval/, 'with its date');

my $before = records($one);
hoshu('run', $one);
is("$status $said", '9 ', 'a timer: nobody is back, and nothing is said');
is(records($one), $before, 'nor recorded');
back(4);
hoshu('run', $one);
is($status, 9, 'one is back, one is still away') or diag($said);
is($p->there('one'), 'one - one one', 'it was changed under the same approval');
like($said, qr/1 left over.*owed: 1 host \(light2\)/s, 'and the other is owed');
unlike($said, qr/light2 +UNREACHABLE/, 'the one that is away is not tried again and again');
back(2);
SKIP: {
    skip 'no compiler to set the clock', 3 unless %ahead;
    hoshu({ %ahead, LATER_CLOCK => 3 * 86400 }, 'run', $one);
    is($status, 0, 'three days later the last one, although an approval is good for a day') or diag($said);
    is($p->there('one'), 'one one one one', 'each exactly once');
    hoshu('audit', 'verify');
    is($status, 0, 'the journal holds') or diag($said);
}
hoshu('run', $one);
is("$status $said", '0 ', 'a timer that goes on calls a change that is done, and nothing is said');
hoshu('status');
unlike($said, qr/$one/, 'nothing waits any more');

# --- the term is over ---
SKIP: {
    skip 'no compiler to set the clock', 9 unless %ahead;
    my $two = change('two', 'later: 2d');
    $p->approve({}, $two);
    away(3);
    hoshu('run', $two);
    is($status, 9, 'one is away');
    back(3);
    my %over = (%ahead, LATER_CLOCK => 2 * 86400 + 60);
    hoshu(\%over, 'status');
    like($said, qr/owed: 1 host \(light3\)/, 'it stands in status until somebody looks');
    my $records = records($two);
    hoshu(\%over, 'run', $two);
    is($status, 5, 'after its term it is not touched') or diag($said);
    like($said, qr/time for hosts that were away was over at \S+Z\. Not changed: light3\. Submit the plan again/, 'it says who was not changed');
    is($p->there('two'), 'two two - two', 'nor was it');
    hoshu(\%over, 'run', $two);
    is($status, 5, 'the same again');
    is(records($two), $records + 1, 'recorded once') or diag(($p->hoshu({}, 'audit', 'show', $two))[1]);
    hoshu(\%over, 'list');
    like($said, qr/^$two +left over /m, 'list says left over');
    hoshu(\%over, 'show', $two);
    like($said, qr/the time for hosts that were away is over: 1 were not changed/, 'and show');
}

# --- a signer who is not trusted any more ---
my $three = change('three', 'later: 7d');
$p->approve({}, $three);
away(3);
hoshu('run', $three);
back(3);
my $approvers = slurp("$dir/approvers");
$p->put('approvers', '');
hoshu('run', $three);
is($status, 4, 'whoever is taken from the approvers has approved nothing later') or diag($said);
$p->put('approvers', $approvers);
hoshu('abort', $three, '--because', 'not needed any more');
is($status, 0, 'a person ends it') or diag($said);
hoshu('run', $three);
is($status, 5, 'then no timer goes on') or diag($said);
like($said, qr/aborted by alice/, 'and it says why');
is($p->there('three'), 'three three - three', 'the host was left alone');

# --- a coordinator that dies on the way to one that is back ---
my $four = change('four', 'later: 7d', 'echo $$ >>"$HOME/four"; if [ -e "$HOME/wait" ]; then : >"$HOME/waits"; for i in $(seq 300); do [ -e "$HOME/go" ] && break; sleep 0.1; done; fi');
$p->approve({}, $four);
away(3);
hoshu('run', $four);
back(3);
$p->put('fleet/hosts/light3/wait', '');
my $pid = $p->background('run', $four);
until_true(30, sub { -e $p->home(3) . '/waits' });
ok(-e $p->home(3) . '/waits', 'the step runs on the host that is back');
kill 'KILL', $pid;
$p->ended($pid);
$p->put('fleet/hosts/light3/go', '');
hoshu('run', $four);
is($status, 0, 'the next call asks what became of it, and goes on') or diag($said);
like($p->there('four'), qr/^\d+ \d+ \d+ \d+$/, 'each host once');

# --- beside a host that failed, the limit's word stands ---
my $five = change('five', "later: 7d\nlimits: { failed: 1 }", '[ ! -e "$HOME/breaks" ]');
$p->put('fleet/hosts/light4/breaks', '');
$p->approve({}, $five);
away(3);
hoshu('run', $five);
is($status, 6, 'one fails') or diag($said);
back(3);
hoshu('run', $five);
is($status, 5, 'the stop rule holds for those that come later') or diag($said);

hoshu('release', 'light4', '--because', 'looked at', '--key', "$dir/key");
is($status, 0, 'a person releases the one that failed') or diag($said);

# --- away at submit and at the run: no preview, and under the same approval all the same ---
away(2, 4);
$p->put('plan.yml', "change: c\nreason: r\nrisk: emergency\ntargets: all\nlater: 7d\nwaves: [{ hosts: rest }]\nrollback: none\nsteps: [{ run: [\"true\"] }]\n");
hoshu('submit', "$dir/plan.yml");
is($status, 5, 'a host that is away cannot be previewed, so it stops a submit');
my @unpreviewed = ('six', "later: 7d\nunpreviewed: allow\nvars: { who: \"\${{ facts.hostname }} \${{ host.name }}\" }\nchecks: [{ command: [test, \"\${{ host.name }}\", \"!=\", \"\"], at: before }]");
my $six = change(@unpreviewed, undef, <<'YML');
  - name: Step
    file: { path: "${{ facts.home }}/six", content: "${{ vars.who }}\n" }
  - name: Behind
    when: changed("Step")
    file: { path: "${{ facts.home }}/six-behind", content: "behind\n" }
YML
like($said, qr/2 hosts are away: NOT previewed/, 'unpreviewed: allow lets it, and counts') or diag($said);
hoshu('preview', "$dir/plan.yml");
is($status, 0, 'so does a preview');
like($said, qr/^2 hosts: light2 light4\n  NOT previewed \(unpreviewed: allow\): .+\n  > 1 Step  \[depends\]/m, 'which names them') or diag($said);
hoshu('show', $six, '--json');
is(decode_json($said)->{preview}{not_previewed}, 2, 'and --json');
($status, $said) = $p->approve({}, $six);
like($said, qr/^not previewed: 2 hosts: light2 light4$/m, 'whoever signs reads their names');
hoshu('run', $six);
is($status, 9, 'they are away at the run, too') or diag($said);
back(2, 4);
hoshu('run', $six);
is($status, 0, 'and come back later') or diag($said);
my $name = `hostname`; chomp $name;
is($p->there('six'), join(' ', map { "$name light$_" } 1 .. 4), 'what they were not asked before is asked then');
is($p->there('six-behind'), 'behind behind behind behind', 'expressions know what went before');
hoshu('audit', 'show', $six);
is(scalar(() = $said =~ /host-asked/g), 2, 'and stands in the journal');
like($said, qr/light4.*changed/, 'each step is told');
hoshu('audit', 'verify');
is($status, 0, 'the journal holds') or diag($said);

# --- killed between what was asked and the end: the same facts go on ---
away(3);
my $seven = change('seven', "later: 7d\nunpreviewed: allow\nvars: { mark: \"\${{ facts.kernel }}\" }", undef, <<'YML');
  - name: First
    shell: 'echo "$M" >>"$HOME/seven"; if [ -e "$HOME/wait7" ]; then : >"$HOME/waits7"; for i in $(seq 300); do [ -e "$HOME/go7" ] && break; sleep 0.1; done; fi'
    env: { M: "${{ vars.mark }}" }
  - name: Second
    file: { path: "${{ facts.home }}/seven-second", content: "${{ vars.mark }}\n" }
YML
$p->approve({}, $seven);
hoshu('run', $seven);
is($status, 9, 'one that was never previewed is away');
back(3);
$p->put('fleet/hosts/light3/wait7', '');
$pid = $p->background('run', $seven);
until_true(30, sub { -e $p->home(3) . '/waits7' });
kill 'KILL', $pid;
$p->ended($pid);
$p->put('fleet/hosts/light3/go7', '');
hoshu('run', $seven);
is($status, 0, 'the coordinator dies in its first step, the next goes on') or diag($said);
my $kernel = `uname -r`; chomp $kernel;
is($p->there('seven'), join(' ', ($kernel) x 4), 'once, ') or diag($said);
is($p->there('seven-second'), join(' ', ($kernel) x 4), 'with what was asked before');

# --- rollback: none leaves nothing on a host that could bring it back ---
$p->put("fleet/hosts/light$_/secret", "the old secret $_\n") for 1 .. 4;
my $nine = change('nine', '', undef, <<'YML');
  - name: Replace
    file: { path: "${{ facts.home }}/secret", content: "new\n" }
YML
hoshu('show', $nine);
like($said, qr/not taken back: anything \(rollback: none\)$/m, 'the approver is told that nothing goes back');
unlike($said, qr/way back: exact/, 'no way back is shown');
$p->approve({}, $nine);
hoshu('run', $nine);
is($status, 0, 'replaced') or diag($said);
is($p->there('secret'), 'new new new new', 'on every host');
is(`grep -rl 'the old secret' $fleet/hosts $fleet/sessions 2>/dev/null`, '', 'its old content is nowhere on them');
hoshu('rollback', $nine, '--because', 'a test');
is($status, 10, 'and nobody can take it back') or diag($said);
like($said, qr/wrote no way back/, 'which is said');
is($p->there('secret'), 'new new new new', 'nor did');

# --- without an emergency ---
$p->put('plan.yml', "change: c\nreason: r\ntargets: all\nlater: 7d\nwaves: [{ hosts: rest }]\nsteps: [{ run: [a] }]\n");
hoshu('check', "$dir/plan.yml");
is($status, 3, 'later: without an emergency is refused');
like($said, qr/plan\.yml:4:1: later: is for risk: emergency only/, 'where, and why');
done_testing();
