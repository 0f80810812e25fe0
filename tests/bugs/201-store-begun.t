#!/usr/bin/perl
# A first submit that was cut short left a store with nothing in it; from then on every submit said "no change was
# submitted yet; `hoshu submit PLAN` submits the first".
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(1);
$it->put('plan.yml', "change: Greet\nreason: a test\ntargets: all\nwaves: [{ hosts: rest }]\nsteps: [{ file: { path: @{[$it->home]}/motd, content: hi } }]\n");
mkdir "$it->{dir}/store", 0700 or die;
my ($status, $said) = $it->hoshu('submit', "$it->{dir}/plan.yml", '--as', 'alice');
is($status, 0, 'the next submit goes') or diag($said);
like($said, qr/^CHG-0001 submitted/m, 'and is the first');
done_testing;
