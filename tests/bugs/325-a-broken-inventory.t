#!/usr/bin/perl
# A broken inventory stops a rollback, for how hosts are reached is read from it; at night nobody was
# told what would help. covers: P5 P11
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(2);
$it->put('plan.yml', <<'YML');
change: A page
reason: a test
targets: all
waves: [{ hosts: rest }]
steps:
  - { name: Page, file: { path: "${{ facts.home }}/page", content: "new\n" } }
YML
my $chg = $it->approved('plan.yml');
my ($status, $said) = $it->hoshu('run', $chg);
is($status, 0, 'it is done') or diag $said;

open my $in, '<', "$it->{fleet}/inventory.yml" or die;
my $good = do { local $/; <$in> };
$it->put('fleet/inventory.yml', "hosts:\n  light1: { adress: x }\n");
($status, $said) = $it->hoshu('rollback', $chg);
is($status, 3, 'a broken inventory stops the way back');
like($said, qr{inventory\.yml:2:\d+: .*adress.*\. Nothing was done: of $chg the hosts are frozen.*Put the file back.*inventory: in hoshu\.yml}s, 'what is wrong, and what helps')
  or diag $said;
is($it->look('light1', 'page'), "new\n", 'nothing was touched');
unlink "$it->{fleet}/inventory.yml";
($status, $said) = $it->hoshu('rollback', $chg);
is($status, 3, 'also one that is gone');
like($said, qr/Put the file back/, 'with the same advice');

# which is true
$it->put('fleet/good.yml', $good);
open $in, '<', "$it->{dir}/hoshu.yml" or die;
my $project = do { local $/; <$in> };
$it->put('hoshu.yml', $project =~ s{fleet/inventory\.yml}{fleet/good.yml}r);
($status, $said) = $it->hoshu('rollback', $chg);
is($status, 7, 'a good copy beside it is enough') or diag $said;
is($it->look('light1', 'page'), undef, 'it is back');
done_testing;
