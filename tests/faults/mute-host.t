#!/usr/bin/perl
# A host that never answers: connections to it are taken and nothing comes back,
# from before its first step, or from the middle of one. The other hosts do not
# wait for it, and the run ends when its deadlines are over. FULL=1: both.
# covers: P4, P7
use strict;
use warnings;
use lib 'tests';
use IO::Select;
use IO::Socket::INET;
use Control;
use Test::More;
use Time::HiRes qw(sleep time);

my $p = Control->new(4);

# ---- between hoshu and light4: passes everything, or nothing any more ----

my $config = do { local $/; open my $i, '<', "$p->{fleet}/ssh_config" or die; <$i> };
my ($port) = `cat $p->{fleet}/port` =~ /(\d+)/ or BAIL_OUT('no port');
my $listen = IO::Socket::INET->new(LocalAddr => '127.1.0.4', LocalPort => 0, Listen => 50, ReuseAddr => 1) or BAIL_OUT("$!");
my $mute = "$p->{dir}/mute";
sub relay {
    my ($near) = @_;
    my $far = IO::Socket::INET->new(PeerAddr => '127.1.0.4', PeerPort => $port) or exit;
    my $both = IO::Select->new($near, $far);
    while (my @ready = $both->can_read(0.05), 1) {
        if (-e $mute) { sleep 0.1; exit if getppid == 1; next }
        for my $from (@ready) {
            my $to = $from == $near ? $far : $near;
            sysread($from, my $bytes, 65536) or exit;
            syswrite $to, $bytes;
        }
    }
}
my $proxy = fork // die;
if ($proxy == 0) {
    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $near = $listen->accept or next;
        my $pid = fork // die;
        if ($pid == 0) { relay($near); exit }
    }
}
END { if ($proxy) { kill 9, $proxy } }
my $through = $listen->sockport;
$p->put('fleet/ssh_config', "Host light4\n  Port $through\n  ConnectTimeout 3\n$config");
system "sed 's/^\\[127\\.1\\.0\\.4\\]:$port /[127.1.0.4]:$through /' $p->{fleet}/known_hosts >>$p->{fleet}/known_hosts.more; "
    . "cat $p->{fleet}/known_hosts.more >>$p->{fleet}/known_hosts";

sub planned {
    my ($round, $step) = @_;
    $p->put('plan.yml', <<"YML");
change: Round $round
reason: one host is mute
targets: all
waves: [ { hosts: rest, at_once: 4 } ]
limits: { failed: 3, unreachable: 3 }
rollback: { host_failed: hold, limit: hold }
steps:
  - name: Step
    shell: '$step'
    timeout: 3s
    rollback: keep
    because: a line in a file
YML
    return $p->approved('plan.yml');
}
# seconds from the run's start to the first record of that kind of that host
sub after {
    my ($kind, $host, @r) = @_;
    my ($start) = grep { $_->{kind} eq 'run-started' } @r;
    my ($one) = grep { $_->{kind} eq $kind && $_->{host} eq $host } @r;
    return $one ? ($one->{wall_ms} - $start->{wall_ms}) / 1000 : 1e9;
}

# ---- it is mute before it was touched ----

my $chg = planned(1, 'echo 1 >>"$HOME/round-1"');
open my $o, '>', $mute; close $o;
my $begun = time;
my ($status, $said) = $p->hoshu({}, 'run', $chg);
my $took = time - $begun;
my @r = $p->records($chg);
is($status, 9, 'a host that never answered is left over') or diag $said;
my ($slowest) = sort { $b <=> $a } map { after('host-done', "light$_", @r) } 1 .. 3;
cmp_ok($slowest, '<', 3, 'the others did not wait for it');
# dial, then once more as long for all until the shell answers
cmp_ok($took, '<', 3 * 2 + 4, 'and the run ended at its deadline');
is($p->there('round-1'), '1 1 1 -', 'each other host once');
diag(sprintf 'mute from the start: others done after %.1f s, the run after %.1f s', $slowest, $took);

# ---- in the middle of its step; half a minute of deadlines ----

if (!$ENV{FULL}) { done_testing(); exit }
unlink $mute;
$chg = planned(2, 'echo 1 >>"$HOME/round-2"; sleep 1');
$begun = time;
my $pid = fork // die;
if ($pid == 0) {
    for (1 .. 400) { last if -e "$p->{fleet}/hosts/light4/round-2"; sleep 0.02 }
    open my $m, '>', $mute; close $m;
    require POSIX; POSIX::_exit(0);
}
($status, $said) = $p->hoshu({}, 'run', $chg);
$took = time - $begun;
waitpid $pid, 0;
@r = $p->records($chg);
is($status, 8, 'what became of its step nobody can say: unknown') or diag $said;
like($said, qr/light4 .*UNKNOWN.*LOST after its first step/s, 'and that is said');
($slowest) = sort { $b <=> $a } map { after('host-done', "light$_", @r) } 1 .. 3;
cmp_ok($slowest, '<', 5, 'the others did not wait for it');
# its deadline, a stop that is not answered, four connects with back-off
cmp_ok($took, '<', 90, 'and the run ended');
diag(sprintf 'mute in its step: others done after %.1f s, the run after %.1f s', $slowest, $took);
is($p->there('round-2'), '1 1 1 1', 'each host once');
unlink $mute;
done_testing();
