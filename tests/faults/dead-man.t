#!/usr/bin/perl
# Cutting oneself off: hosts of the real fleet, each locked against everybody by
# steps under a guard, each in another way and all at once. Every one of them
# comes back by itself: it lets people in and is in the old state within the
# guard's time + 30 s of its being armed, whoever lives or died meanwhile. What
# hoshu says of it is what the host decided, and the exit status is so. What is
# true is seen from outside: fresh logins of another client, the host's files.
# covers: P4, P5
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp put_file full);
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep clock_gettime CLOCK_MONOTONIC);

my $time = 10;     # of the guard: the shortest that a plan may say
my %longer = (reboot => 30, power => 30);    # it must not be over when the host goes down
sub time_of { my ($way) = @_; return $longer{$way} // $time }
my $grace = 30;
my $drop_in = '/etc/ssh/sshd_config.d/50-lockout.conf';

# way => the steps under the guard, of "when: host is this one". What is done to
# the host from outside once it is locked stands in %then.
sub conf { my ($text) = @_; return qq(file: { path: $drop_in, content: "$text" }\n        notify: reload ssh) }
my %steps = (
    port    => [ conf('Port 2222\n') ],
    masked  => [ 'lockout: { way: masked }' ],
    keys    => [ map { qq(file: { path: $_/.ssh/authorized_keys, content: "" }) } qw(/root /home/ops) ],
    nobody  => [ conf('AllowUsers nobody\nPubkeyAuthentication no\nPasswordAuthentication no\n') ],
    filter  => [ 'lockout: { way: filter }' ],
    link    => [ 'lockout: { way: link }' ],
    hostkey => [ 'lockout: { way: hostkey }' ],
    reboot  => [ conf('AllowUsers nobody\n') ],
    power   => [ conf('AllowUsers nobody\n') ],
    disk    => [ conf('AllowUsers nobody\n') ],
    # the coordinator is killed, and lives again when the host is back
    killed  => [ conf('Port 2222\n') ],
    # a way back of which one step fails: the host is open again, not as it was
    stuck   => [ conf('AllowUsers nobody\n'), 'mark: { name: s1, place: /var/tmp/faults }' ],
    # nothing that locks: called off
    calm    => [ conf('MaxAuthTries 5\n') ],
);
my @together = $ENV{WAYS} ? split ' ', $ENV{WAYS} : full() ? qw(port masked keys nobody filter link hostkey reboot power disk calm) : qw(nobody filter calm);
my @ways = (@together, full() ? qw(killed stuck) : 'killed');
my $c = Campaign->new(name => 'dead-man', fleet => 'real', hosts => scalar @ways);
my $dir = $c->{dir};
my %host;
@host{@ways} = @{ $c->{hosts} };
system "mkdir -p $dir/modules/lockout && cp tests/faults/lockout.lua $dir/modules/lockout/";
$c->let_fail($host{stuck}, 'undo-s1') if $host{stuck};

# --- what is, past hoshu -----------------------------------------------------

sub now () { return clock_gettime(CLOCK_MONOTONIC) }

sub login {
    my ($way) = @_;
    return system("timeout 5 ssh -T -F $c->{fleet}/ssh_config -o ConnectTimeout=2 $host{$way} true </dev/null >/dev/null 2>&1") == 0;
}

my $look = <<'SH';
cd /
find etc/ssh root/.ssh home/ops/.ssh -type f | LC_ALL=C sort | while read -r f; do sha256sum "$f"; stat -c '%a %U:%G' "$f"; done
sshd -T | LC_ALL=C sort | sha256sum
ss -Hltn 'sport = :22 or sport = :2222' | awk '{ print $1, $4 }' | LC_ALL=C sort
systemctl is-enabled ssh; systemctl is-active ssh
ip -4 -o addr show eth0 | tr -s ' '; ip -4 route; nft list ruleset
ls /etc/systemd/system | grep hoshu; ls /var/tmp/faults
SH
sub state { my ($way) = @_; return $c->on($host{$way}, $look) }
my %before = map { $_ => state($_) } @ways;
sub decision { my ($way) = @_; my $said = $c->on($host{$way}, 'cat /var/lib/hoshu/guard/*.decision 2>/dev/null'); chomp $said; return $said }

my %then = (
    reboot => sub { $c->real('reboot', $host{reboot}) },
    power  => sub { $c->real('crash', $host{power}) },
    disk   => sub { $c->real('fill', $host{disk}) },
    killed => sub { my ($pid) = @_; kill 9, $pid },
);

# Sees the host armed, locked and back, and says when; seconds of one clock.
sub watch {
    my ($way, $pid) = @_;
    my %at;
    my $wait = sub { my ($what, $seconds, $is) = @_;
        my $until = now + $seconds;
        until ($is->()) { return 0 if now > $until; sleep 0.02 }
        $at{$what} = now;
        return 1 };
    my $units = "$c->{fleet}/hosts/$host{$way}/root/etc/systemd/system/hoshu-guard-*.timer";
    if ($wait->('armed', 60, sub { my @u = glob $units; return scalar @u }) && $wait->('locked', $time + 5, sub { !login($way) })) {
        $then{$way}->($pid) if $then{$way};
        $wait->('open', time_of($way) + 2 * $grace, sub { login($way) });
        # of the same kernel, so of the same clock
        $at{booted} = $c->on($host{$way}, 'systemctl show -p UserspaceTimestampMonotonic --value') / 1e6 if $way =~ /reboot|power/;
        # the last of its work is to remove its own timer; a full disk keeps it from that
        $wait->('back', $grace, sub { ($way eq 'disk' ? state($way) =~ s/^hoshu-guard.*\n//mgr : state($way)) eq $before{$way} }) if $way ne 'stuck';
        $c->real('unfill', $host{$way}) if $way eq 'disk';
    }
    put_file("$dir/at-$way", encode_json(\%at));
}
my %watcher;
sub watch_all {
    my ($pid, @ways) = @_;
    for my $way (@ways) {
        my $child = fork // die;
        if ($child == 0) { watch($way, $pid); POSIX::_exit(0) }
        $watcher{$way} = $child;
    }
}
sub watched { my ($way) = @_; waitpid $watcher{$way}, 0; return decode_json(slurp("$dir/at-$way") || '{}') }

# --- changes -----------------------------------------------------------------

sub plan_of {
    my (@ways) = @_;
    my $steps = '';
    for my $seconds ($time, 30) {
        my @under = grep { time_of($_) == $seconds } @ways;
        $steps .= "  - guard: ${seconds}s\n    steps:\n" if @under;
        for my $way (@under) {
            my $n = 0;
            $steps .= join '', map { $n++; "      - name: $way $n\n        $_\n        when: host.name == \"$host{$way}\"\n" } @{ $steps{$way} };
        }
    }
    my ($count, $targets) = (scalar @ways, join ' | ', map { $host{$_} } @ways);
    my $handlers = $steps =~ /notify/ ? "handlers:\n  reload ssh: { service: { name: ssh, state: reloaded } }\n" : '';
    return <<"YML";
change: Cut ourselves off
reason: to be broken
targets: $targets
waves: [ { hosts: rest, at_once: $count } ]
limits: { failed: $count, unreachable: $count }
rollback: { host_failed: host, limit: change }
${handlers}steps:
$steps
YML
}

# What the journal tells of the host's dead-man, in its own words, in order.
sub told {
    my ($chg, $way) = @_;
    my @records = grep { $_->{host} eq $host{$way} } $c->journal($chg);
    my @words = map { $_->{body}{guard} } grep { defined $_->{body}{guard} } @records;
    my ($last) = grep { /^host-(?!opened)/ } map { $_->{kind} } reverse @records;
    return (join(' ', @words), $last // 'nothing');
}

sub went_back {
    my ($chg, $way, $last) = @_;
    my ($words, $end) = told($chg, $way);
    is(decision($way), 'revert .', "$way: the host decided to go back");
    like($words, qr/^armed .*reverted/, "$way: the journal has it in the host's words");
    unlike($words, qr/confirmed/, "$way: and never that it was called off");
    is($end, $last, "$way: which is how it ended");
}

my %late;
sub in_time {
    my ($way) = @_;
    my $at = watched($way);
    ok($at->{locked}, "$way: nobody gets in") or diag(slurp("$dir/said"));
    my $back = $at->{ $way eq 'stuck' ? 'open' : 'back' };
    # the timer begins again, in full, with a boot
    my $from = $at->{booted} // $at->{armed};
    $late{$way} = $back ? $back - $from : undef;
    my $since = sub { my ($what) = @_; return $at->{$what} ? $at->{$what} - $at->{armed} : -1 };
    note(sprintf '%s: armed, locked after %.1f s, open after %.1f s, as it was after %.1f s', $way, map { $since->($_) } qw(locked open back)) if $at->{armed};
    if ($at->{booted}) {
        note(sprintf '%s: booted after %.1f s, open %.1f s after that', $way, $since->('booted'), ($at->{open} // 0) - $from);
        ok($from > $at->{locked} && ($at->{open} // 0) - $from >= time_of($way), "$way: its time began again, in full, with the boot");
    }
    $late{$way} -= time_of($way) if $back;
    ok($back && $late{$way} <= $grace, "$way: back within its time + $grace s") or diag(explain($at), "was:\n$before{$way}is:\n" . state($way));
}

my @chg = map { $c->submit(plan_of(@$_)) } \@together, ['killed'], $host{stuck} ? ['stuck'] : ();
put_file("$dir/said", '');
my $run = $c->start($chg[0]);
watch_all($run, grep { $_ ne 'calm' } @together);
my $doomed = $c->start($chg[1]);
watch_all($doomed, 'killed');
my $third = $chg[2] ? $c->start($chg[2]) : 0;
watch_all($third, 'stuck') if $third;

for my $way (grep { $_ ne 'calm' } @ways) { in_time($way) }

my $status = $c->finish($run, 300);
is($status, 7, 'who stayed: the change is reverted') or diag(slurp("$dir/said"), $c->hoshu('show', $chg[0]));
for my $way (@together) {
    if ($way eq 'calm') {
        my ($words, $end) = told($chg[0], $way);
        is(decision($way), 'confirm .', 'calm: the host was told that all is well');
        like("$words $end", qr/^armed (?:armed )?confirmed host-done$/, 'calm: and so the journal has it');
        like($c->on($host{calm}, 'sshd -T; ls /etc/systemd/system'), qr/^maxauthtries 5$(?!.*hoshu-guard)/ms, 'calm: it stays changed, nothing is armed');
    } else {
        went_back($chg[0], $way, 'host-reverted');
    }
}

is($c->finish($doomed, 10), -9, 'killed: the coordinator was') or diag(slurp("$dir/said"));
is(decision('killed'), 'revert .', 'killed: the host went back with nobody there');
is((told($chg[1], 'killed'))[0], 'armed', 'killed: of which nobody has heard');
$status = $c->run_to_end($chg[1], 120);
is($status, 7, 'killed: the next run says what the host says') or diag(slurp("$dir/said"), $c->hoshu('show', $chg[1]));
went_back($chg[1], 'killed', 'host-reverted');

if ($third) {
    $status = $c->finish($third, 120);
    is($status, 8, 'stuck: not proved back') or diag(slurp("$dir/said"), $c->hoshu('show', $chg[2]));
    went_back($chg[2], 'stuck', 'host-stuck');
    is($c->state_of($host{stuck}, 's1'), 'set', 'stuck: and it is not');
}
is(state($_) =~ s/^s1.*\n//mgr, $before{$_}, "$_: nothing is left behind") for grep { $_ !~ /calm|stuck/ } @ways;
is(($c->hoshu('audit', 'verify'))[0], 0, 'the journal holds');
SKIP: { skip 'the clock set by a day: a container has that of the machine, and no namespace for one', 1 }
my @back = grep { defined $late{$_} && $late{$_} <= $grace } keys %late;
my ($worst) = reverse sort { $a <=> $b } map { $_ // 999 } values %late;
note(sprintf '%d ways of cutting oneself off, %d hosts back in the old state within the time + %d s, the last %.1f s behind its time', scalar keys %late, scalar @back, $grace, $worst);
done_testing();
