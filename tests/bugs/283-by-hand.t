#!/usr/bin/perl
# The command to try by hand left out the inventory's ssh_config: it met other keys and another
# known_hosts, and said of a host that was well again what had never been wrong with it. covers: P11
use strict;
use warnings;
use lib 'tests';
use Test::More;
use Light;

my $it = Light->up(1);
$it->put('plan.yml', <<'YML');
change: A greeting
reason: a test
targets: all
waves: [{ hosts: rest }]
steps:
  - { file: { path: "${{ facts.home }}/hello", content: "hello\n" } }
YML
system "tests/fleet/light stop $it->{fleet} >/dev/null";
my ($status, $said) = $it->hoshu('preview', "$it->{dir}/plan.yml");
is($status, 6, 'a host that refuses fails the preview');
my ($command) = $said =~ /\(by hand: (ssh .* true)\)/;
ok(defined $command, 'with a command to try by hand') or diag $said;
isnt(system("timeout 30 $command 2>/dev/null"), 0, 'which fails as long as the host refuses');
system "tests/fleet/light start $it->{fleet} >/dev/null";
is(system("timeout 30 $command"), 0, 'and works when the host is well, as hoshu does');
done_testing;
