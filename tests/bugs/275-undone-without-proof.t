#!/usr/bin/perl
# A command without unless: has no probe: that its rollback steps ended well
# was called "undone, proved", and its host "proved back".
# covers: P4, P5
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(1);
$it->put('plan.yml', <<'YML');
change: Nobody can say
reason: a test
targets: all
waves: [{ hosts: rest }]
limits: { failed: 1, unreachable: 1 }
steps:
  - name: Blind
    shell: 'echo x >>"$HOME/blind"'
    rollback: [{ name: Unblind, shell: 'true' }]
    because: a test
  - name: Seen
    run: [touch, there]
    unless: [test, -e, there]
    rollback: [{ name: Away, run: [rm, there] }]
  - name: Fails
    shell: 'exit 1'
    rollback: keep
    because: a test
YML
my $chg = $it->approved('plan.yml');
my ($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'it goes back') or diag $said;
like($said, qr/ Blind: undone: its rollback steps ended well; it has no probe that could prove more$/m, 'what no probe can tell is not called proved');
like($said, qr/ Seen: undone, proved$/m, 'what one can is');
like($said, qr/light1 +reverted, proved back but for what no probe can tell$/m, 'nor is its host');
done_testing();
