#!/usr/bin/perl
# `run --json` wrote its own records with the number -1: they were said as they
# were before the journal had given them one.
use strict;
use warnings;
use lib 'tests';
use Control;
use JSON::PP;
use Test::More;

my $p = Control->new(1);
$p->plan(1, 1);
my ($status, $said, $chg) = $p->submit({});
$p->approve({}, $chg);
($status, $said) = $p->hoshu({}, 'run', $chg, '--json');
is($status, 0, 'done') or diag $said;
my %told = map { $_->{number} => $_->{kind} } map { decode_json($_) } grep { /^\{/ } split /\n/, $said;
my %kept = map { $_->{number} => $_->{kind} } $p->records($chg);
ok(keys %told > 5, 'it tells of its records');
is_deeply(\%told, { map { $_ => $kept{$_} } grep { exists $told{$_} } keys %kept }, 'by the numbers that they have in the journal');
done_testing();
