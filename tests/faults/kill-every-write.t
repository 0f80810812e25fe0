#!/usr/bin/perl
# The coordinator of a change of 3 hosts and 3 steps is killed at every write,
# sync and cut of its journal, right before it and right behind it, on the way
# there and on the way back; then `hoshu run` goes on. Nothing ran twice,
# nothing is lost, no verdict is wrong, the end is the right one.
# covers: P3, P4, P5
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp put_file full);
use Test::More;

my $c = Campaign->new(name => 'kill-every-write', fleet => 'light', hosts => 3);
my ($dir, $hoshu) = @$c{qw(dir hoshu)};
my $shim = "$dir/kill_at.so";
system("cc -D_GNU_SOURCE -shared -fPIC -O1 -o $shim tests/faults/kill_at.c -ldl") == 0 or BAIL_OUT('no shim');

# The judge itself: true evidence passes, each forgery is found.
{
    my $chg = $c->submit($c->plan_text);
    my $status = $c->finish($c->start($chg));
    is_deeply([ $c->lies($chg, $status) ], [], 'the truth is no lie');
    my $file = "$dir/hosts/light2/evidence";
    my $true = slurp($file);
    my %forged = (
        'a step that ran twice'     => $true =~ s/^(begin s2 .*\n)/$1$1/mr,
        'a step under another key'  => $true =~ s/^(begin s2 apply )\w+(.*\n)/$1${\ ('f' x 32)}$2/mr,
        'a step that never ran'     => $true =~ s/^\w+ s2 .*\n//mgr,
        'a step that did not end'   => $true =~ s/^end s3 .*\n//mr,
        'a step that ended later'   => $true =~ s/^(end s3 .* )(\d+)/$1 . ($2 + 60)/mer,
        'a step that gave up'       => $true =~ s/^(?:state|end) (s1 .*)\n/fail $1\n/mr,
    );
    for my $name (sort keys %forged) {
        put_file($file, $forged{$name});
        isnt(scalar(my @found = $c->lies($chg, $status)), 0, "$name is found");
    }
    put_file($file, $true);
    isnt(scalar(my @found = $c->lies($chg, 7)), 0, 'another exit status is found');
    unlink "$dir/hosts/light1/state-s3";
    isnt(scalar(@found = $c->lies($chg, $status)), 0, 'a host that is not as the exit status says is found');
}

# Up to point AT: how the run ended, and how many points there were.
sub killed_at {
    my ($chg, $at) = @_;
    put_file("$dir/count", "\0" x 8);
    my $pid = $c->start($chg, LD_PRELOAD => $shim, KILL_STORE => "$dir/store/", KILL_AT => $at, KILL_COUNT => "$dir/count");
    my $status = $c->finish($pid);
    return ($status, unpack 'q', slurp("$dir/count"));
}

for my $way ('there', 'there and back') {
    my $want = $way eq 'there' ? 0 : 7;
    $c->fresh_hosts;
    # the last step of the second wave fails on one host: all goes back
    $c->let_fail('light3', 's3') if $want;
    $c->{kept} = { s2 => 1 };
    my $chg = $c->submit($c->plan_text);
    $c->keep;
    my ($status, $points) = killed_at($chg, 0);
    is($status, $want, "$way: the change ends with $want") or diag(slurp("$dir/said"));
    is_deeply([ $c->lies($chg, $status) ], [], "$way: and tells the truth");
    cmp_ok($points, '>', 200, "$way: $points points to kill it at");
    # the short version: some of them, over the whole length
    my $step = full() ? 1 : int($points / 6) + 1;
    my ($rounds, $kills, $wrong, $again) = (0, 0, 0, 0);
    for (my $at = full() ? 1 : 1 + int(rand $step);; $at += $step) {
        $c->again;
        ($status) = killed_at($chg, $at);
        $rounds++;
        last if $status != -9 && $at > $points; # to exhaustion
        if ($status == -9) { $kills++; $status = $c->run_to_end($chg) }
        my @lies = ($c->lies($chg, $status), $status == $want ? () : "ended with $status");
        if (@lies) { $wrong++; diag("$way, point $at: $_") for @lies; diag(slurp("$dir/said") =~ s/.*?(.{1,2000})\z/$1/sr) if $wrong < 3 }
        put_file("$dir/said", '');
        last if !full() && $at + $step > $points;
    }
    note("$way: killed at $kills of $points points, $wrong wrong");
    is($wrong, 0, "$way: wherever it was killed, it goes on to the right end");
}
is(($c->hoshu('audit', 'verify'))[0], 0, 'the journal holds');
done_testing();
