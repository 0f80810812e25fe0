#!/usr/bin/perl
# `make demo` does what it says, and README.md shows what it prints.
# covers: P2, P5, P9
use strict;
use warnings;
use Test::More;

my $why = `tests/fleet/light can`;
if ($? >> 8 == 77) {
    chomp $why;
    plan skip_all => $why;
}

# Times, digests and who was first among hosts in flight differ each time.
sub normal {
    my ($line) = @_;
    $line =~ s/^\d\d:\d\d:\d\d/TIME/;
    $line =~ s/\d{4}-\d\d-\d\dT\d\d:\d\d/DATE/;
    $line =~ s/\b[0-9a-f]{64}\b/DIGEST/g;
    $line =~ s/\b\d+ (records hold)/N $1/;
    $line =~ s/\brecord \d+ was/record N was/;
    $line =~ s/\s+$//;
    return $line;
}

my @printed = map { normal($_) } `timeout 170 bash tests/demo.sh 2>&1`;
is($? >> 8, 0, 'the demo ends well') or diag(join "\n", @printed);
ok(!-e 'build/demo', 'it cleans up after itself');

open my $in, '<', 'README.md' or die "README.md: $!";
my (@shown, $in_block);
while (<$in>) {
    if (/^```demo$/) { $in_block = 1; next }
    $in_block = 0 if /^```$/;
    push @shown, normal($_) if $in_block;
}
close $in;
cmp_ok(scalar @shown, '>', 30, 'README.md shows the demo');

# Each stretch between two `...` lines stands in the output, in this order;
# lines with a time may come in another order within their stretch.
my @missing;
my $from = 0;
for my $line (@shown) {
    next if $line eq '...' || $line eq '';
    my $search = $line =~ /^TIME/ ? 0 : $from;
    my ($at) = grep { $printed[$_] eq $line } $search .. $#printed;
    if (!defined $at) { push @missing, $line; next }
    $from = $at + 1 if $line !~ /^TIME/;
}
is(join("\n", @missing), '', 'every line that README.md shows was printed');

# Ctrl-C in the middle leaves nothing behind either.
my $pid = open my $demo, '-|';
die "fork: $!" unless defined $pid;
if ($pid == 0) {
    setpgrp(0, 0);
    open STDERR, '>&', \*STDOUT;
    exec 'bash', 'tests/demo.sh';
}
while (<$demo>) {
    last if /wave 1/;
}
kill 'INT', -$pid;
1 while <$demo>;
close $demo;
ok(!-e 'build/demo', 'an interrupted demo cleans up too');
done_testing();
