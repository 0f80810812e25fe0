#!/usr/bin/perl
# A host of the real fleet is rebooted, or loses its power, at 20 points of a
# change of three steps. What comes of each step is the truth, or unknown, and
# then it is said what to do; nothing runs twice.
# covers: P4
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp put_file full);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $points = $ENV{POINTS} // (full() ? 20 : 2);
my $count = full() ? 5 : 2;
my $c = Campaign->new(name => 'reboot', fleet => 'real', hosts => $count);
my $dir = $c->{dir};
my @hosts = @{ $c->{hosts} };

# Three steps of two seconds each.
sub change { return $c->submit($c->plan_text(steps => [qw(mark blind asked)], sleep => '1', tail => '1', waves => "[ { hosts: rest, at_once: $count } ]",
    limits => "{ failed: $count, unreachable: $count }", more => "rollback: { host_failed: hold, limit: hold }\n")) }
my $span = 6;

# That long behind the beginning of its first step.
sub fault {
    my ($host, $verb, $at) = @_;
    $c->wait_for_begin($host);
    sleep $at;
    return $c->real($verb, $host);
}

my ($done, $wrong, $hit, $failed, %told) = (0, 0, 0, 0);
while ($done < $points) {
    $c->fresh_hosts;
    my $chg = change();
    put_file("$dir/said", '');
    my $pid = $c->start($chg);
    my @faults;
    for my $host (@hosts) {
        last if $done >= $points;
        my $at = $span * ($done + 0.5) / $points;
        my $verb = $done++ % 2 ? 'crash' : 'reboot';
        push @faults, "$host $verb at " . sprintf('%.2f', $at);
        my $fault = fork // die;
        if ($fault == 0) { POSIX::_exit(fault($host, $verb, $at) ? 0 : 1) }
    }
    my $status = $c->finish($pid, 180);
    while (wait > 0) { $failed++ if $? }
    my %opened;
    $opened{ $_->{host} }++ for grep { $_->{kind} eq 'host-opened' } $c->journal($chg);
    $hit += grep { $_ > 1 } values %opened;
    my $unknown = grep { $_->{kind} eq 'step-unknown' } $c->journal($chg);
    my @lies = $c->lies($chg, $status, unknown => scalar @faults, rebooted => 1);
    push @lies, "ended with $status" unless grep { $_ == $status } 0, 6, 8;
    push @lies, 'unknown, but it does not say what to do' if $unknown && slurp("$dir/said") !~ /^next: hoshu /m;
    $told{$_} += $c->{told}{$_} for keys %{ $c->{told} };
    if (@lies) { $wrong++; diag("$_") for @faults, @lies; diag(slurp("$dir/said")) if $wrong < 3 }
}
note("$done reboots and power cuts over $count hosts: ", join(', ', map { "$told{$_} $_" } sort keys %told), ", $hit met hoshu at work, $wrong runs wrong");
is($failed, 0, 'the hosts went down and came up again');
cmp_ok($hit, '>=', $done / 2, 'in the middle of the change');
is($wrong, 0, 'each verdict is right, or unknown and says what to do');
is(($c->hoshu('audit', 'verify'))[0], 0, 'the journal holds');
done_testing();
