#!/usr/bin/perl
# A check whose within: is shorter than its every: was tried once, without a word of it.
# covers: P5
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(1);

# Not well for so many looks, then well: exit status, and how often it looked.
sub looked {
    my ($name, $times, $looks) = @_;
    $it->put('plan.yml', <<"YML");
change: $name
reason: a test
targets: all
waves: [{ hosts: rest, soak: 2s }]
checks:
  - { command: [sh, -c, 'echo x >>"\$HOME/$name"; test "\$(wc -l <"\$HOME/$name")" -gt $looks'], $times }
steps:
  - file: { path: /var/lib/hoshu/$name, content: "x\\n" }
YML
    my ($status, $said) = $it->hoshu('run', $it->approved('plan.yml'));
    return ($status, scalar(() = ($it->look('light1', $name) // '') =~ /x/g), $said);
}

my ($status, $looks, $said) = looked('soaks', 'at: soak, every: 30s, within: 8s', 1);
is($status, 0, 'in a soak it waits for as long as it says') or diag $said;
is($looks, 2, 'and looks when that is over');
($status, $looks, $said) = looked('after', 'at: after, within: 4500ms', 1);
is($status, 0, 'after a step, too, where every: is not said') or diag $said;
is($looks, 2, 'with one look at the end');
($status, $looks, $said) = looked('never', 'at: after, every: 1s, within: 2500ms', 99);
is($status, 7, 'what does not come in time fails') or diag $said;
cmp_ok($looks, '<=', 4, 'nobody looks after that');
done_testing;
