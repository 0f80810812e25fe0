#!/usr/bin/perl
# A handler of which nobody knows whether it ran, and what owed it is kept: it
# is not run again, and the host was called reverted, with exit status 7.
# covers: P4, P5
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(1);
$it->put('plan.yml', <<'YML');
change: A handler that is lost
reason: a test
targets: all
waves: [{ hosts: rest }]
limits: { failed: 1, unreachable: 1 }
handlers:
  lost: { shell: 'exec >/dev/null 2>&1; kill -9 $PPID' }
steps:
  - name: Stays
    shell: 'echo x >>"$HOME/stays"'
    notify: lost
    rollback: keep
    because: a test
YML
my $chg = $it->approved('plan.yml');
my ($status, $said) = $it->hoshu('run', $chg);
is($status, 8, 'unknown') or diag $said;
like($said, qr/handler "lost" took effect is not known.*what owed it is kept/, 'it says of what, and why');
unlike($said, qr/reverted, proved|kept as it is/, 'and not that it is back');
($status, $said) = $it->hoshu('run', $chg);
is($status, 8, 'no other run makes it known') or diag $said;
is($it->look('light1', 'stays'), "x\n", 'and none runs a step again');

($status, $said) = $it->hoshu('settle', $chg, 'light1', 'lost', 'done', '--because', 'it ran', '--as', 'alice', '--key', "$it->{dir}/key");
is($status, 0, 'a person says it') or diag $said;
($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'then it is back, but for what is kept') or diag $said;
done_testing();
