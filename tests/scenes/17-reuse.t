#!/usr/bin/perl
# each:, use: and per: with real hoshu: a file of steps is frozen with the plan
# (what becomes of it afterwards is nothing to the change), and a canary wave
# takes one of each group of equal previews. covers: P2
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(4);    # light1 to light3 (two thirds) are web, light4 is db
my $home = $it->home;
mkdir "$it->{dir}/steps" or die;
$it->put('steps/rotate.yml', <<"YML");
- each: [app, worker]
  file: { path: "$home/\${{ each }}.rotate", content: "keep \${{ with.keep }}\\n" }
YML
$it->put('plan.yml', <<"YML");
change: Rotate logs
reason: a test
targets: all
waves:
  - { name: canary, hosts: 1, per: impact }
  - { hosts: rest }
steps:
  - { use: steps/rotate.yml, with: { keep: 14 } }
  - { file: { path: $home/motd, content: "hello\\n" } }
YML
# light3 has it all already: another impact
for (["app.rotate", "keep 14\n"], ["worker.rotate", "keep 14\n"], ["motd", "hello\n"]) {
    open my $o, '>', "$it->{fleet}/hosts/light3/$_->[0]" or die;
    print $o $_->[1];
}
my ($status, $said) = $it->hoshu('preview', "$it->{dir}/plan.yml");
is($status, 0, 'the preview') or diag($said);
like($said, qr/waves\s+canary: 2 hosts > wave 2: 2 hosts$/m, 'one canary of each impact');
like($said, qr/file \S*worker\.rotate/, 'a step for each word');

my $chg = $it->approved('plan.yml');
$it->put('steps/rotate.yml', "- { run: [false], rollback: keep, because: x }\n");
($status, $said) = $it->hoshu('run', $chg);
is($status, 0, 'what the file says after submit is nothing to the change') or diag($said);
is($it->look($_, 'worker.rotate'), "keep 14\n", "$_ has what was approved") for qw(light1 light2 light4);
my (undef, $journal) = $it->hoshu('audit', 'show', $chg, '--json');
my @started = map { /"host":"(\w+)"/ ? $1 : () } grep { /"kind":"host-started"/ } split /\n/, $journal;
is_deeply([sort @started[0, 1]], [qw(light1 light3)], 'the canaries came first') or diag("@started");
done_testing;
