#!/usr/bin/perl
# A step that nobody knows of and that is kept stopped the way back, and the run
# ended with "run it again", which could not help: no word of which step, where
# to look, and that a person has to settle it. covers: P4, P5
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(2);
$it->put('plan.yml', <<'YML');
change: Nobody knows
reason: a test
targets: light1
waves: [{ hosts: rest }]
rollback: { host_failed: host, limit: host }
steps:
  - name: Vanish
    on: light2
    shell: |
      p=$PPID
      while [ "$p" -gt 1 ]; do
        read -r _ _ _ next _ <"/proc/$p/stat"
        [ -e "/proc/$p/fd/9" ] && kill -KILL "$p"
        p=$next
      done
      kill -KILL $PPID $$
    rollback: keep
    because: a test
YML
my $chg = $it->approved('plan.yml');
my $hint = qr/^      1 Vanish: unknown, kept\n      look there, on light2, then: hoshu settle $chg light1 1 done\|not-done --because \.\.\.$/m;
my ($status, $said) = $it->hoshu('run', $chg);
is($status, 8, 'unknown, and kept') or diag $said;
like($said, $hint, 'the run ends with who must say what of which step, and where it ran') or diag $said;
($status, $said) = $it->hoshu('show', $chg);
like($said, $hint, 'show says the same');
is(scalar(() = $said =~ /hoshu settle/g), 1, 'once');
($status, $said) = $it->hoshu('settle', $chg, 'light1', '1', 'done', '--because', 'seen', '--as', 'alice', '--key', "$it->{dir}/key");
is($status, 0, 'settled') or diag $said;
($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'then the way back ends') or diag $said;
done_testing;
