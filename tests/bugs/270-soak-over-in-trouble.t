#!/usr/bin/perl
# A soak's time was over while its check failed and was being tried again
# (within:): the check was dropped and the wave counted as well through. And a
# soak shorter than its `every` was looked at by nobody.
# covers: P4, P5
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(2);

# Well for so many looks, then never again.
sub planned {
    my ($name, $times, $looks) = @_;
    $it->put('plan.yml', <<"YML");
change: $name
reason: a test
targets: all
waves: [{ hosts: 1, soak: 3s }, { hosts: rest }]
limits: { failed: 1, unreachable: 1 }
rollback: { host_failed: host, limit: change }
checks:
  - { command: [sh, -c, 'echo x >>"\$HOME/$name"; test "\$(wc -l <"\$HOME/$name")" -le $looks'], at: soak, $times }
steps:
  - file: { path: /var/lib/hoshu/$name, content: "x\\n" }
YML
    return $it->approved('plan.yml');
}

my $chg = planned('soak-within', 'every: 1s, within: 5s', 1);
my ($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'what the check still waits for when the soak is over decides') or diag $said;
like($said, qr/check ".*": fail/, 'it says what failed');
unlike($said, qr/wave 2: started/, 'and no other wave begins');

$chg = planned('soak-short', 'every: 30s', 0);
($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'a soak shorter than its rounds is looked at when it is over') or diag $said;
unlike($said, qr/wave 2: started/, 'before another wave begins');
my ($from) = $said =~ /^(\S+) +wave 1: through/m;
my ($to) = $said =~ /^(\S+) light1 +FAILED/m;
my ($began, $found) = map { my ($h, $m, $s) = split /:/, $_ // '0:0:0'; ($h * 60 + $m) * 60 + $s } $from, $to;
cmp_ok(($found - $began) % 86400, '<', 15, 'and without waiting for the next round');
done_testing();
