#!/usr/bin/perl
# In the middle of a step: the session's sshd is killed, the shell that hoshu
# talks to, the supervisor that waits for the step, the step's own shell, or all
# of it at once; and an sshd that closes a channel after a second of silence.
# What is said to have succeeded did, what is said to have failed failed, nothing
# is judged while it runs, or runs twice; a verdict that is on the host is found.
# covers: P4
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp put_file full);
use Test::More;
use Time::HiRes qw(sleep time);

my $count = 8;
my $c = Campaign->new(name => 'kill-in-step', fleet => 'light', hosts => $count);
my $dir = $c->{dir};
my @hosts = @{ $c->{hosts} };
$c->{kept} = { s2 => 1 };

# mode => what may come of it: unknown steps?, exit statuses
my %modes = (
    sshd       => { unknown => 0, status => [0] },
    shell      => { unknown => 0, status => [0] },
    supervisor => { unknown => 1, status => [ 0, 6, 8 ] },
    step       => { unknown => 1, status => [ 0, 6, 8 ] },
    everything => { unknown => 1, status => [ 0, 6, 8 ] },
);

for my $mode (sort keys %modes) {
    my $may = $modes{$mode};
    my ($wrong, $kills, %told) = (0, 0);
    for my $round (1 .. ($ENV{ROUNDS} // (full() ? 26 : 1))) {
        $c->fresh_hosts;
        system "rm -rf $dir/store";    # nobody is in quarantine for what an earlier round did
        my $chg = $c->submit($c->plan_text(steps => [qw(mark blind asked)], sleep => '0.15', tail => '0.15', waves => "[ { hosts: rest, at_once: $count } ]",
            limits => "{ failed: $count, unreachable: $count }", more => "rollback: { host_failed: hold, limit: hold }\n"));
        my $pid = $c->start($chg);
        my ($begin, $before, $status, %killed) = (time, $kills);
        # once a host, in the middle of one of its steps
        my %when = map { $_ => 0.1 + rand 0.8 } @hosts;
        while (!defined $status) {
            for my $host (keys %when) {
                next if time - $begin < $when{$host};
                my ($xid, $supervisor) = $c->running($host) or next;
                $kills += $c->kill_on($host, $mode, $supervisor);
                $killed{$xid} = 1 if $mode eq 'step' || $mode eq 'everything';
                delete $when{$host};
            }
            if (waitpid($pid, 1) == $pid) { $status = $? & 127 ? -($? & 127) : $? >> 8 }
            elsif (time - $begin > 120) { kill 9, $pid; waitpid $pid, 0; $status = -1000 }
            sleep 0.01;
        }
        my @lies = $c->lies($chg, $status, unknown => $may->{unknown} * ($kills - $before), killed => \%killed);
        push @lies, "ended with $status" unless grep { $_ == $status } @{ $may->{status} };
        $told{$_} += $c->{told}{$_} for keys %{ $c->{told} };
        if (@lies) { $wrong++; diag("$mode: $_") for @lies; diag(slurp("$dir/said")) if $wrong < 2 }
        put_file("$dir/said", '');
    }
    note("$mode: killed $kills times, ", join(', ', map { "$told{$_} $_" } sort keys %told), ", $wrong wrong");
    cmp_ok($kills, '>', $count / 2, "$mode: killed in the middle of steps");
    is($wrong, 0, "$mode: no verdict is wrong");
}

# ChannelTimeout: sshd closes a channel on which nothing went for a second
{
    SKIP: {
        my $config = slurp("$dir/sshd_config");
        put_file("$dir/sshd_config.try", $config =~ s/^(?=Subsystem)/ChannelTimeout session:*=1s\n/mr);
        my ($sshd) = grep { -x } map { "$_/sshd" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
        skip 'this sshd has no ChannelTimeout', 2 if system("$sshd -t -f $dir/sshd_config.try >/dev/null 2>&1") != 0;
        # the preview has its time; on a slow machine a second is too short for it
        my $restart = sub {
            local $ENV{LIGHT_SSHD} = $_[0];
            system("tests/fleet/light stop $dir >/dev/null") == 0 or BAIL_OUT('sshd does not stop');
            system("tests/fleet/light start $dir >/dev/null") == 0 or BAIL_OUT('no sshd');
        };
        my ($wrong, $closed, $unknown) = (0, 0, 0);
        for my $round (1 .. (full() ? 5 : 1)) {
            $c->fresh_hosts;
        system "rm -rf $dir/store";    # nobody is in quarantine for what an earlier round did
            $c->let_fail('light2', 's3');
            my $chg = $c->submit($c->plan_text(steps => [qw(mark blind asked)], sleep => '2.2', targets => 'light1 | light2', waves => '[ { hosts: rest, at_once: 2 } ]',
                limits => '{ failed: 2, unreachable: 2 }', more => "rollback: { host_failed: hold, limit: hold }\n"));
            $restart->('ChannelTimeout session:*=1s');
            my $status = $c->run_to_end($chg);
            $restart->('');
            # closed again and again, it may be given up: then it is unknown
            my @lies = $c->lies($chg, $status, unknown => 2);
            push @lies, "ended with $status" unless $status == 6 || $status == 8;
            $unknown += $c->{told}{unknown};
            $closed += grep { $_->{kind} eq 'host-opened' } $c->journal($chg);
            if (@lies) { $wrong++; diag("ChannelTimeout: $_") for @lies; diag(slurp("$dir/said")) if $wrong < 2 }
            put_file("$dir/said", '');
        }
        note("ChannelTimeout of 1 s: $closed connections, $unknown unknown, $wrong wrong");
        cmp_ok($closed, '>', 2, 'ChannelTimeout: channels were closed in the middle of steps');
        is($wrong, 0, 'ChannelTimeout: what failed is failed or unknown, what succeeded done');
    }
}
is(($c->hoshu('audit', 'verify'))[0], 0, 'the journal holds');
done_testing();
