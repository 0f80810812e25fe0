#!/usr/bin/perl
# A unit whose start failed was "failed" after its undo, where it had been
# inactive: the host counted as not proved back, and needed a person.
# covers: P5
use strict;
use warnings;
use lib 'tests/faults';
use Campaign;
use Test::More;

my $c = Campaign->new(name => 'bug-240', fleet => 'real', hosts => 1);
$c->on('real1', "printf '[Service]\\nType=oneshot\\nExecStart=/bin/false\\n' >/etc/systemd/system/fails.service && systemctl daemon-reload");
is($c->on('real1', 'systemctl is-active fails'), "inactive\n", 'a unit that does not run');
my $chg = $c->submit(<<'YML');
change: Start it
reason: a test
targets: all
waves: [ { hosts: rest } ]
limits: { failed: 1 }
rollback: { host_failed: host, limit: change }
steps:
  - service: { name: fails, state: running }
YML
my ($status, $said) = $c->hoshu('run', $chg);
is($status, 7, 'its start fails, and all is proved back') or diag($said);
is($c->on('real1', 'systemctl is-active fails'), "inactive\n", 'as it was');
is($c->on('real1', 'systemctl --failed --no-legend'), '', 'and nothing is failed there');
done_testing();
