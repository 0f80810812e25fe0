#!/usr/bin/perl
# What is recorded about a host carries its wave's number. `run` took that for a
# step's and said "light2 2 Second: FAILED", where the host as a whole was meant.
use strict;
use warnings;
use lib 'tests/faults';
use Campaign;
use Test::More;

my $c = Campaign->new(name => 'bug-130', fleet => 'light', hosts => 2);
$c->let_fail('light2', 's3');
my $chg = $c->submit($c->plan_text);
is($c->run_to_end($chg), 7, 'the change goes back');
my $said = Campaign::slurp("$c->{dir}/said");
like($said, qr/ light1 +done$/m, 'a host is done');
like($said, qr/ light2 +FAILED: step "s3": failed$/m, 'a host failed');
like($said, qr/ light2 +going back$/m, 'a host goes back');
like($said, qr/ light2 +reverted, proved back but for what is kept$/m, 'a host is reverted');
like($said, qr/ light2 +3 s3: FAILED: /m, 'a step is named as one');
done_testing();
