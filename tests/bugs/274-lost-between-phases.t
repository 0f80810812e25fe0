#!/usr/bin/perl
# A host that had come through one phase and could not be reached in the next
# counted as one that was never touched: not against limits.failed, and it did
# not owe its way back.
# covers: P5, P7
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(2);
my $deny = "$it->{fleet}/sessions/light2.deny";
$it->put('plan.yml', <<"YML");
change: Two phases
reason: a test
targets: all
limits: { failed: 1, unreachable: 2 }
rollback: { host_failed: host, limit: change }
phases:
  - name: First
    waves: [{ hosts: rest }]
    steps:
      - file: { path: /var/lib/hoshu/first, content: "x\\n" }
      - name: Nobody comes in any more
        shell: 'test "\$H" != light2 || touch $deny'
        env: { H: "\${{ host.name }}" }
        rollback: keep
        because: a test
  - name: Second
    waves: [{ hosts: 1 }, { hosts: rest }]
    steps: [{ file: { path: /var/lib/hoshu/second, content: "x\\n" } }]
YML
sub stands { return join ' ', grep { -e "$it->{fleet}/hosts/$_/.host/lib/first" } qw(light1 light2) }

my $chg = $it->approved('plan.yml');
my ($status, $said) = $it->hoshu('run', $chg);
is($status, 8, 'the host that went away makes it unknown') or diag $said;
like($said, qr/light2 +LOST/, 'it is lost, not unreachable');
like($said, qr/STOP RULE: a limit is reached: failed: 1, limit 1/, 'and counts as failed');
is(stands(), 'light2', 'the change went back where it could') or diag $said;
unlink $deny or BAIL_OUT('it was never away');
($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'there again, it gets its way back') or diag $said;
is(stands(), '', 'of the first phase');
done_testing();
