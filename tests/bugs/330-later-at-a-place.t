#!/usr/bin/perl
# What a step had done at a place (`on:`) was held against later changes by the
# host that the step was for, not by the place: a rollback went over a change
# that had touched the same file there since, and ended in a conflict.
# covers: P5
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(3);
my $path = $it->home . '/pool.conf';
sub done_change {
    my ($title, $targets, $on, $content) = @_;
    $it->put('plan.yml', "change: $title\nreason: a test\ntargets: $targets\nwaves: [ { hosts: rest } ]\nsteps:\n"
            . "  - { name: Pool, file: { path: $path, content: '$content' }$on }\n");
    my $chg = $it->approved('plan.yml');
    my ($status, $said) = $it->hoshu('run', $chg);
    is($status, 0, "$title is done") or diag($said);
    return $chg;
}
my $first = done_change('At the place', 'light1', ", on: light3", 'first');
is($it->look('light3', 'pool.conf'), 'first', 'the file is at the place');
my $own = done_change('Of that host', 'light3', '', 'own');
my ($status, $said) = $it->hoshu('rollback', $first);
is($status, 5, 'what that host had since is in the way') or diag($said);
like($said, qr/^hoshu: $first is not taken back: $own has touched the same on light3 since .*\nTake that back first: hoshu rollback $own --hosts light3$/m,
    'with the place, and whose it is');
is($it->look('light3', 'pool.conf'), 'own', 'nothing was touched');

# the same from the other side: at the place for another host
my $third = done_change('For another', 'light2', ", on: light3", 'third');
($status, $said) = $it->hoshu('rollback', $own);
is($status, 5, 'so is what was done there for another') or diag($said);
like($said, qr/$third has touched the same on light3 since .*\nTake that back first: hoshu rollback $third --hosts light2$/m, 'by the name of whom it was for');

# on light1 itself nothing of it was ever
my $other = done_change('Elsewhere', 'light1', '', 'elsewhere');
for my $chg ($third, $own, $first) {
    ($status, $said) = $it->hoshu('rollback', $chg);
    is($status, 7, "$chg goes back, last one first") or diag($said);
}
is($it->look('light3', 'pool.conf'), undef, 'the place is as it was');
is($it->look('light1', 'pool.conf'), 'elsewhere', 'the host has what it got');
done_testing;
