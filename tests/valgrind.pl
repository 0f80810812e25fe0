#!/usr/bin/perl
# Unit test programs under valgrind: no error and no leak in any of them.
# Tests that fork and kill on purpose are named here with the reason.
use strict;
use warnings;

my %left_out = (
    test_journal_crash => 'kills its children by the hundred; its checks are about the disk',
    test_fleet         => 'workers are processes of their own, run under ASan instead',
    test_fleet_workers => 'the same',
    test_wall          => 'valgrind makes system calls of its own, which the wall refuses',
);
my ($passed, $failed, $skipped) = (0, 0, 0);
for my $program (@ARGV) {
    my ($name) = $program =~ m{([^/]+)$};
    if ($left_out{$name}) {
        print "skipped $name: $left_out{$name}\n";
        $skipped++;
        next;
    }
    my $status = system('valgrind', '-q', '--error-exitcode=99', '--leak-check=full',
        '--errors-for-leak-kinds=definite', '--suppressions=tests/valgrind.supp', '--child-silent-after-fork=yes',
        "--log-file=$program.valgrind", $program);
    $status >>= 8;
    if ($status == 0) { $passed++; print "ok $name\n"; next }
    $failed++;
    print "not ok $name: status $status, see $program.valgrind\n";
    system('head', '-40', "$program.valgrind");
}
print "$passed passed, $failed failed, $skipped skipped\n";
exit($failed ? 1 : 0);
