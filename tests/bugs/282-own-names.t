#!/usr/bin/perl
# Each host of a plan with a load balancer was an impact of its own, since its name is in "pool out
# web1": two hundred blocks in the preview of two hundred hosts, and with per: impact two hundred
# canaries. Hosts that differ by their own name alone are of one kind. covers: P1
use strict;
use warnings;
use lib 'tests';
use Test::More;
use Light;

my $it = Light->up(4);
sub preview { my ($status, $said) = $it->hoshu('preview', "$it->{dir}/$_[0]"); diag($said) if $status; return $said }
sub planned { my ($steps, $waves) = @_; return <<"YML" }
change: Names
reason: a test
targets: light1 | light2 | light3
waves: @{[ $waves // '[{ hosts: rest }]' ]}
around:
  enter: [{ name: Out, run: [touch, "\${{ facts.home }}/out \${{ host.name }}"], unless: [test, -e, "\${{ facts.home }}/out \${{ host.name }}"], on: light4 }]
  leave: [{ name: In, run: [rm, "\${{ facts.home }}/out \${{ host.name }}"], unless: [test, "!", -e, "\${{ facts.home }}/out \${{ host.name }}"], on: light4 }]
steps:
$steps
YML

$it->put('same.yml', planned('  - { name: File, file: { path: "${{ facts.home }}/f", content: "new\n" } }'));
my $said = preview('same.yml');
like($said, qr/^3 hosts: light1 light2 light3\n  \$\{\{ host\.name \}\} stands for the name of each$/m, 'three hosts are of one kind');
like($said, qr/^      ! run touch .*out \$\{\{ host\.name \}\}'?$/m, 'and are shown by what their name stands for');
unlike($said, qr/out light/, 'not by the name of the first');
is(() = $said =~ /^\d+ hosts?: /mg, 1, 'there is one block');
my ($status, $json) = $it->hoshu('preview', '--json', "$it->{dir}/same.yml");
like($json, qr/out light3/, 'for programs each host has its own words');

# a name that differs by more, and the words themselves written by a person
$it->put('other.yml', planned(<<'YML'));
  - { name: Peer, run: [echo, "${{ host.name == 'light2' and 'light1' or host.name }}"], rollback: keep, because: a word }
YML
$said = preview('other.yml');
like($said, qr/^2 hosts: light1 light3$/m, 'those that say their own name are together');
like($said, qr/^1 host: light2\n(?!  \$)/m, 'one that says another name is alone');
like($said, qr/^1 host: light2\n.*^      ! run echo light1$/ms, 'with that name');

$it->put('canary.yml', planned('  - { name: File, file: { path: "${{ facts.home }}/f", content: "new\n" } }',
    '[{ name: canary, hosts: 1, per: impact }, { hosts: rest }]'));
like(preview('canary.yml'), qr/canary: 1 host > wave 2: 2 hosts/, 'per: impact takes one of them');

# what stands round a host is not reverted when the host is
$it->put('broken.yml', planned('  - { name: File, file: { path: "${{ facts.home }}/f", content: "new\n" } }', '[{ hosts: rest, at_once: 1 }]')
    . qq(checks: [{ name: never, command: ["false"], at: after }]\n));
my $chg = $it->approved('broken.yml');
is(($it->hoshu('run', $chg))[0], 7, 'a change that goes back');
my $shown = ($it->hoshu('show', $chg))[1];
like($shown, qr/^  light1 +wave 1  reverted\n(?:      .*\n)*?      1 Out: done, ran on the way back$/m, 'the way out of the pool ran again');
like($shown, qr/^      3 In: ran on the way back$/m, 'the way in ran on the way back only');
done_testing;
