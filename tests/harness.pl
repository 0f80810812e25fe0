#!/usr/bin/perl
# Runs tests with prove's own harness and ends with the line that counts:
#   N passed, N failed, N skipped
# --comments shows what a test says about itself (figures) also when it passes.
# A file is TAP: a program, or a script with its interpreter in the first line.
# A test file that cannot run says `1..0 # SKIP reason`; it counts as one.
use strict;
use warnings;
use TAP::Harness;
use Getopt::Long;

my ($only, $verbose, $comments) = ('', 0, 0);
GetOptions('only=s' => \$only, 'verbose' => \$verbose, 'comments' => \$comments) or exit 2;
my @files = grep { $only eq '' || index($_, $only) >= 0 } @ARGV;
# What the program says is compared; it must not depend on who runs the tests.
delete $ENV{LANGUAGE};
$ENV{LC_ALL} = 'C.UTF-8';
if (!@files) {
    print STDERR "no test's path holds '$only'\n";
    print "0 passed, 1 failed, 0 skipped\n";
    exit 1;
}
# cmocka before 1.1.6 writes `not ok` for a test that was skipped.
sub command {
    my ($h, $file) = @_;
    return undef unless -x $file;
    return [$file] if $file !~ m{/unit/};
    return ['bash', '-o', 'pipefail', '-c',
        '"$0" | sed -u "s/^not ok \\([0-9]* # SKIP\\)/ok \\1/"', $file];
}

my $harness = TAP::Harness->new({
    verbosity => $verbose,
    comments  => $comments,
    timer     => 1,
    color     => -t STDOUT ? 1 : 0,
    exec      => \&command,
});
# Each reason for which single tests were skipped, with how often.
my %skips;
$harness->callback(made_parser => sub {
    my ($parser, $job) = @_;
    my $name = $job->[1] // $job->[0];
    $parser->callback(test => sub {
        my ($test) = @_;
        $skips{$name}{ $test->explanation || 'no reason given' }++ if $test->has_skip;
    });
});
my $result = $harness->runtests(@files);
my ($skipped, @reasons) = (0);
for my $name ($result->descriptions) {
    my ($parser) = $result->parsers($name);
    my $count = $parser->skipped;
    if (defined $parser->skip_all) {
        $skipped++;
        push @reasons, "$name: " . $parser->skip_all;
    }
    $skipped += $count;
    my $said = $skips{$name} // {};
    push @reasons, map { "$name: $said->{$_} of its tests: $_" } sort keys %$said;
    push @reasons, "$name: $count of its tests" if $count && !%$said;
}
print "skipped $_\n" for @reasons;
# A file that died, or ran another number of tests than it planned, failed
# even where each single test passed.
my $failed = $result->failed;
$failed = 1 if !$failed && !$result->all_passed;
my $inner = 0;
$inner += $_->skipped for map { $result->parsers($_) } $result->descriptions;
my $passed = $result->passed - $inner;
print "$passed passed, $failed failed, $skipped skipped\n";
exit($failed ? 1 : 0);
