#!/usr/bin/perl
# Simulated rollouts, each from its seed, with every fault there is and with
# coordinators that die at any record, held to the rules of
# tests/unit/simulated_rules.h. FULL=1: 100,000 of them. A seed that breaks a
# rule says how to replay it.
# covers: P3, P4, P5, P7
use strict;
use warnings;
use Test::More;

my $program = 'build/release/unit/test_simulated';
plan skip_all => "$program is not built (make unit)" if !-x $program;

# The ordinary tests have the first 3,000 seeds already.
my $count = $ENV{SEEDS} // ($ENV{FULL} ? 100_000 : 3_000);
my $jobs = $ENV{FULL} ? 2 : 1;
my $each = int($count / $jobs);
my @running;
for my $job (0 .. $jobs - 1) {
    my $first = 3_001 + $job * $each;
    open my $out, '-|', "FIRST=$first SEEDS=$each $program 2>&1"
        or BAIL_OUT("$program: $!");
    push @running, $out;
}
for my $out (@running) {
    my @lines = <$out>;
    close $out;
    my $status = $?;
    diag($_) for $status ? @lines : ();
    print map { s/^\s*#?\s*/# /r } grep { /rollouts, / } @lines;
    is($status, 0, "$each rollouts broke no rule");
}
done_testing();
