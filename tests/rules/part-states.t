#!/usr/bin/perl
# What the fold counts of its parts is right only as long as nobody sets their
# state past the function that counts.
use strict;
use warnings;
use Test::More;

my @wrong;
for my $file (glob 'runner/*/*.c') {
    next if $file eq 'runner/journal/fold_part.c';
    open my $in, '<', $file or die "$file: $!";
    while (<$in>) {
        push @wrong, "$file:$.: $_" if /(?:->|\.)state\s*=\s*HOST_/;
    }
}
is(join('', @wrong), '', 'only fold_part_set sets the state of a part');
done_testing();
