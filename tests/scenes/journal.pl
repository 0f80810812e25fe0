#!/usr/bin/perl
# What the journal of one change says about order: perl journal.pl waves|order|there|back FILE, where FILE is
# `hoshu audit show CHG --json`. waves: a line a wave, the hosts that started between its start and its
# end. order: every outcome without an intent before it, every intent without an outcome, every wave that
# began before the one before it ended; nothing when all is well. there: a line an intent on the way there.
# back: a line an undo, in order.
use strict;
use warnings;
use JSON::PP;

my ($what, $file) = @ARGV;
open my $in, '<', $file or die "$file: $!";
my @records = map { decode_json($_) } grep { /^\{/ } <$in>;
die "no records\n" if !@records;

my ($wave, $number, %hosts, %open, @wrong, @there, @back) = (0, -1);
for my $r (@records) {
    my ($kind, $host, $step) = @$r{qw(kind host step)};
    my $key = $r->{xid};
    push @wrong, "record $r->{number} behind $number" if $r->{number} <= $number;
    $number = $r->{number};
    if ($kind eq 'wave-started') {
        push @wrong, "wave $step began in wave $wave" if $wave;
        $wave = $step;
    } elsif ($kind eq 'wave-ended') {
        $wave = 0;
    } elsif ($kind eq 'host-started') {
        push @wrong, "$host started outside of any wave" if !$wave;
        push @{ $hosts{$wave} }, $host;
    } elsif ($kind =~ /^(step|undo)-intent$/) {
        push @wrong, "$host: step $step: key $key is used twice" if exists $open{$key};
        $open{$key} = "$host: $1 of $step";
        push @there, "$host $step" if $1 eq 'step';
        push @back, "$host $step intent" if $1 eq 'undo';
    } elsif ($key ne '' && $kind =~ /^(step|undo)-(?!kept|stopped|conflict)/) {
        push @wrong, "$host: $kind of $step without intent" if !$open{$key};
        $open{$key} = '';
        push @back, "$host $step " . ($kind =~ s/undo-//r) if $1 eq 'undo';
    }
}
push @wrong, "$_: no outcome" for grep { $_ ne '' } map { $open{$_} } sort keys %open;

if ($what eq 'waves') {
    print "$_: ", join(' ', sort @{ $hosts{$_} }), "\n" for sort { $a <=> $b } keys %hosts;
} elsif ($what eq 'order') {
    print "$_\n" for @wrong;
} elsif ($what eq 'there') {
    print "$_\n" for @there;
} elsif ($what eq 'back') {
    print "$_\n" for @back;
} else {
    die "usage: journal.pl waves|order|there|back FILE\n";
}
