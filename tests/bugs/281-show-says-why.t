#!/usr/bin/perl
# show said that a host had failed and never why, called a host "reverted" whose only step was kept,
# and named no command for hosts left over; status did not say who has to approve; run told to take
# back what had gone back already. covers: P11
use strict;
use warnings;
use lib 'tests';
use Test::More;
use Light;

my $it = Light->up(3);
sub hoshu_audit { my ($status, $said) = $it->hoshu('audit', 'show', $_[0]); return $said }
sub ends { my ($chg) = @_; my ($status, $said) = $it->hoshu('show', $chg); return $said =~ /^(state: .*)/ms ? $1 : $said }

$it->put('plan.yml', <<'YML');
change: A schema, then the code
reason: a test
targets: all
phases:
  - name: Schema
    targets: light1
    steps:
      - { name: Migrate, shell: 'echo 1 >"$HOME/schema"', rollback: keep, because: the old code runs on it }
  - name: Code
    targets: all & !light1
    waves: [{ hosts: 1 }, { hosts: rest }]
    steps:
      - { name: Page, file: { path: "${{ facts.home }}/page", content: "new\n" } }
    checks:
      - { name: it is well, command: [test, -e, "${{ facts.home }}/well"], at: after }
YML
my $chg = $it->submitted('plan.yml');
my ($status, $said) = $it->hoshu('status');
like($said, qr/^\Q$chg\E .*\n    \Q$chg has 0 of the 1 approval\E.*hoshu approve $chg$/m, 'status says that it waits for approval');
($status, $said) = $it->hoshu('approve', $chg, '--as', 'alice', '--key', "$it->{dir}/key");
like($said, qr/^  reason    a test\n.*^hoshu-statement/ms, 'who approves reads the reason first');
($status, $said) = $it->hoshu('status');
like($said, qr/^    approved \(1 of 1 persons\): hoshu run $chg$/m, 'and then, that it may run');
like(ends($chg), qr/^now: approved \(1 of 1 persons\): hoshu run $chg$/m, 'so does show');

($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'it fails and goes back');
like($said, qr/ Schema, wave 1: started\n.* Code, wave 1: started\n/s, 'a wave is told by its phase, and counted in it as show does');
like((hoshu_audit($chg)), qr/light1 +1 Migrate: kept$/m, 'and what was kept, by its name, from the journal alone');
$said = ends($chg);
like($said, qr/^  light1 +wave 1  kept as it is$/m, 'a host of which all was kept is not called reverted');
like($said, qr/^  light2 +wave 1  reverted\n      why: check "it is well": fail: test ended with 1$/m, 'show says why a host failed');
like($said, qr/^  light3 +wave 2  waiting$/m, 'one that waits has no why');
($status, $said) = $it->hoshu('run', $chg);
is($status, 5, 'a change that went back is not run again');
like($said, qr/submit the plan again.*: hoshu submit .*plan\.yml$/m, 'and that is all there is to do');
unlike($said, qr/hoshu rollback/, 'it is not told to take back what is back');

$it->put('away.yml', <<'YML');
change: One is away
reason: a test
targets: all
waves: [{ hosts: rest }]
limits: { unreachable: 2 }
steps:
  - { name: Page, file: { path: "${{ facts.home }}/page", content: "newer\n" } }
YML
$chg = $it->approved('away.yml');
system "tests/fleet/light deny light3 $it->{fleet} >/dev/null";
($status, $said) = $it->hoshu('run', $chg);
is($status, 9, 'one host is left over');
like(ends($chg), qr/^next: .*hoshu run $chg --remaining/m, 'show names the command for it');
like(ends($chg), qr/^  light3 +wave 1  unreachable\n      why: .*light3/m, 'and why it was left over');
system "tests/fleet/light allow light3 $it->{fleet} >/dev/null";
($status, $said) = $it->hoshu('run', $chg, '--remaining');
is($status, 0, 'it comes again');
unlike(ends($chg), qr/why:|next:/, 'and nothing is left to say');
done_testing;
