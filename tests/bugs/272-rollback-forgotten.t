#!/usr/bin/perl
# A coordinator killed right behind the beginning of a rollback: the run was
# recorded, what the person had asked for was not, or for the first host only.
# `hoshu run` then went on with less, or with nothing, and the end said "done".
# covers: P3, P5
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;

my $it = Light->up(3);
my $shim = "$it->{dir}/kill_at.so";
system("cc -D_GNU_SOURCE -shared -fPIC -O1 -o $shim tests/faults/kill_at.c -ldl") == 0 or BAIL_OUT('no shim');
$it->put('plan.yml', <<'YML');
change: To be taken back
reason: a test
targets: all
waves: [{ hosts: rest }]
limits: { failed: 1, unreachable: 1 }
steps:
  - file: { path: /var/lib/hoshu/bug-272, content: "x\n" }
YML

sub stands { return join ' ', grep { -e "$it->{fleet}/hosts/$_/.host/lib/bug-272" } map { "light$_" } 1 .. 3 }

# Without a program between: the library is for the first that loads it.
sub killed {
    my ($at, @args) = @_;
    my $pid = fork // die;
    if ($pid == 0) {
        @ENV{qw(LD_PRELOAD KILL_STORE KILL_AT)} = ($shim, "$it->{dir}/store/", $at);
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec $it->{hoshu}, @args;
    }
    waitpid $pid, 0;
    return $? == 9;
}

my %ways = ('light1 | light2' => 'light3', '' => '');
for my $hosts (sort keys %ways) {
    my @hosts = $hosts ? ('--hosts', $hosts) : ();
    my ($begun, @wrong) = (0);
    my $chg;
    for (my $at = 30; $at < 90; $at += $begun ? 1 : 3) {
        if (!defined $chg) {
            $chg = $it->approved('plan.yml');
            my ($status, $said) = $it->hoshu('run', $chg);
            $status == 0 or BAIL_OUT("run: $status $said");
        }
        killed($at, 'rollback', '-C', $it->{dir}, $chg, '--because', 'a test', @hosts);
        my ($status, $said) = $it->hoshu('run', $chg);
        next if $status == 5; # nothing was recorded of it
        $begun++;
        push @wrong, "point $at: $status, the file stands on: " . stands() if $status != 7 || stands() ne $ways{$hosts};
        $it->hoshu('rollback', $chg, '--because', 'the rest') if stands() ne '';
        last if $begun >= 3;
        $chg = undef;
    }
    cmp_ok($begun, '>', 2, 'killed behind the beginning of ' . ($hosts || 'all'));
    is_deeply(\@wrong, [], 'run goes on with all that was asked for') or diag explain \@wrong;
}
done_testing();
