#!/usr/bin/perl
# A test that held its light fleet in a variable of its file left it running: the folder was gone
# before its turn came; so did one that was told to end. A hundred such, and no port is left.
use strict;
use warnings;
use lib 'tests';
use Test::More;

my $why = `tests/fleet/light can`;
if ($? >> 8 == 77) { chomp $why; plan skip_all => $why }
my $ends = 'use lib "tests"; use Light; use Test::More; my $it = Light->up(1); ';
for (['ends' => 'sub kept { $it }'], ['fails' => 'exit 3'], ['bails out' => 'BAIL_OUT(1)'], ['is told to end' => 'kill "TERM", $$; sleep 9']) {
    my ($how, $end) = @$_;
    open my $from, '-|', $^X, '-e', "$ends \$| = 1; print qx(cat \$it->{fleet}/sshd.pid); $end" or die;
    my ($pid) = grep { /^\d+$/ } <$from>;
    close $from;
    chomp $pid if $pid;
    plan skip_all => 'hosts share one home here' if !$pid;
    # one that init has yet to reap has no command line any more
    is(`cat /proc/$pid/cmdline 2>/dev/null`, '', "a test that $how leaves no fleet behind");
}
# nor does it leave what it began in the background: env takes -C, too
open my $from, '-|', $^X, '-e', 'use lib "tests"; use Control; use Test::More; my $p = Control->new(1); $p->{hoshu} = "env"; $| = 1; print $p->background("sleep", 99); exit 3' or die;
my ($pid) = <$from>;
close $from;
is($? >> 8, 3, 'its exit status is its own');
is(`cat /proc/$pid/cmdline 2>/dev/null`, '', 'a run in the background ends with its test');
done_testing();
