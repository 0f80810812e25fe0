#!/usr/bin/perl
# Hosts that let hoshu in and then mean harm: garbage, whole packets of any
# kind, a flood, an end at a random moment, words that steer a terminal. Each
# costs its own host: the others are done, the journal tells the truth, the
# coordinator's memory stays flat, and no control character comes out.
# covers: P4 P10 P11
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp put_file full);
use IPC::Open2;
use Test::More;
use Time::HiRes qw(sleep time);

my $mib = full() ? 1024 : 96;
my $good = 4;
my $c = Campaign->new(name => 'hostile-peer', fleet => 'light', hosts => $good);
my $dir = $c->{dir};

# Its answer, wall and CPU seconds, the greatest memory (MiB) of the coordinator
# and of a worker.
sub watch {
    my (@words) = @_;
    my ($began, @t) = (time, times);
    my $pid = fork // die;
    if ($pid == 0) {
        $ENV{LC_ALL} = 'C.UTF-8';
        open STDOUT, '>', "$dir/out"; open STDERR, '>&', \*STDOUT;
        exec $c->{hoshu}, '-C', $dir, @words;
    }
    my ($most, $worker) = (0, 0);
    while (waitpid($pid, 1) == 0) {
        for my $of ($pid, split ' ', slurp("/proc/$pid/task/$pid/children")) {
            my $text = slurp("/proc/$of/status");
            my ($kib) = $text =~ /^VmHWM:\s+(\d+)/m or next;
            if ($of == $pid) { $most = $kib if $kib > $most }
            elsif ($kib > $worker && slurp("/proc/$of/cmdline") =~ /\0worker\0/) { $worker = $kib }
        }
        kill 9, $pid if time - $began > 300;
        sleep 0.01;
    }
    my $status = $?;
    my @u = times;
    return { said => slurp("$dir/out"), status => $status & 127 ? -($status & 127) : $status >> 8, wall => time - $began,
        cpu => $u[2] + $u[3] - $t[2] - $t[3], mib => $most / 1024, worker => $worker / 1024 };
}
# Is there a byte that a terminal would act on?
sub steers { my ($text) = @_;
    return $text =~ /[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xaa-\xae\xa8\xa9]|\xe2\x81[\xa6-\xa9]|\xd8\x9c/ }

my $limits = "limits: { failed: 90%, unreachable: 90%, excluded: 90% }\nrollback: { host_failed: host, limit: hold }\n";
sub plan_of { my ($targets) = @_;
    return "change: Hostile hosts\nreason: to be survived\ntargets: $targets\nwaves: [ { hosts: rest, at_once: 50 } ]\n$limits"
        . "steps:\n" . join '', map { $c->step($_, 'mark', '0.02', '0') =~ s/\n/\n    timeout: 2s\n/r } qw(s1 s2) }

put_file("$dir/ssh_config", slurp("$dir/ssh_config") =~ s/^User root\n/${&}ConnectTimeout 4\n/mr);
my $quiet;
{
    put_file("$dir/plan.yml", plan_of('all'));
    $quiet = watch('preview', "$dir/plan.yml");
    like($quiet->{said}, qr/$good hosts will change/, 'without harm all would change');
}

# --- a server of our own, to the packet --------------------------------------
SKIP: {
    my $python = (grep { -x $_ && system("$_ -c 'import paramiko' 2>/dev/null") == 0 } qw(/usr/bin/python3 /usr/local/bin/python3))[0];
    skip 'no python3-paramiko here: tests/deps.sh install --test', 1 if !$python;
    my @modes = qw(garbage packets raw flood_out flood_err flood_window flood_nowhere flood_extended flood_ignore flood_debug flood_requests
        flood_channels windows rekey closes resets closes_channel steers says_nothing);
    my $server = open2(my $ports, my $alive, $python, 'tests/faults/hostile_sshd.py', "$dir/host_key", $mib, $c->{seed}, @modes);
    my @ports = split ' ', <$ports> // '';
    my $key = join ' ', (split ' ', slurp("$dir/host_key.pub"))[0, 1];
    my ($config, $hosts, $known) = (slurp("$dir/ssh_config"), slurp("$dir/inventory.yml"), slurp("$dir/known_hosts"));
    my $common = $config =~ /^(Host light\*.*)/ms ? $1 =~ s/^Host .*\n//r =~ s/^\s*Port .*\n//mr : '';
    my $all = 'fleet';
    for my $i (0 .. $#modes) {
        my $name = "evil-$modes[$i]" =~ tr/_/-/r;
        $config = "Host $name\nHostName 127.0.0.1\nPort $ports[$i]\n$common\n$config";
        $hosts .= "  $name: {}\n";
        $known .= "[127.0.0.1]:$ports[$i] $key\n";
    }
    put_file("$dir/ssh_config", $config);
    put_file("$dir/inventory.yml", $hosts);
    put_file("$dir/known_hosts", $known);

    # all at once, beside the good ones; then each alone
    my @rounds = ([ 'all of them', 'all', scalar @modes ],
        full() ? map { my $name = "evil-$_" =~ tr/_/-/r; [ $name, "fleet | $name", 1 ] } @modes : ());
    my ($wrong, $cpu, $most, $worker, $slowest) = (0, 0, 0, 0, 0);
    for my $round (@rounds) {
        my ($name, $targets, $bad) = @$round;
        put_file("$dir/plan.yml", plan_of($targets));
        my $r = watch('preview', "$dir/plan.yml");
        my @why;
        push @why, "not $good hosts will change" if $r->{said} !~ /$good hosts will change, 0 stay as they are, $bad could not be asked/;
        push @why, 'it steers the terminal' if steers($r->{said});
        push @why, 'a worker ended' if $r->{said} =~ /worker process|tried once more/;
        push @why, sprintf('the coordinator has %.1f MiB', $r->{mib}) if $r->{mib} > $quiet->{mib} + 12;
        push @why, sprintf('a worker has %.1f MiB', $r->{worker}) if $r->{worker} > 300;
        if (@why) { $wrong++; diag("$name: ", join(', ', @why), "\n$r->{said}") }
        $most = $r->{mib} if $r->{mib} > $most;
        $worker = $r->{worker} if $r->{worker} > $worker;
        $slowest = $r->{wall} if $r->{wall} > $slowest;
        note(sprintf '%s: %.1f s, %.1f s of CPU, coordinator %.1f MiB, worker %.1f MiB', $name, @$r{qw(wall cpu mib worker)});
        note($1) while $r->{said} =~ /^\d+ hosts?: (evil.*\n  could not be asked: .*)/mg;
    }
    note(sprintf '%d kinds of harm behind the login, floods of %d MiB: coordinator %.1f MiB at most (%.1f without harm), a worker %.1f MiB', scalar @modes, $mib,
        $most, $quiet->{mib}, $worker);
    is($wrong, 0, 'each costs its own host and nobody else');
    close $alive;
    waitpid $server, 0;
}

# --- a true sshd, a shell that goes wrong ------------------------------------
# On light1, after the preview: behind N bytes of what the shell says.
put_file("$dir/hostile.sh", <<'SH');
# $C: the command; $M: "MODE BYTES MIB" (tests/faults/hostile-peer.t)
set -- $M
sshd=$(ps -o ppid= -p $$)
sh -c "$C" | {
	dd bs=1 count="$2" 2>/dev/null # at once, and not a byte more
	case $1 in
	garbage) head -c 300000 /dev/urandom ;;
	flood) head -c "$3"M /dev/zero | tr '\0' x ;;
	lines) yes | head -c "$3"M ;;
	steer) i=0; while [ $i -lt 200 ]; do printf '\033]0;owned\a\033[2J\233\n'; i=$((i + 1)); done ;;
	closes) kill -9 $sshd ;;
	ends) kill -9 $$ ;;
	esac
	cat
}
SH
{ # the forced command of the light fleet hands over to it
    my $enter = slurp("$dir/enter");
    $enter =~ s/^unset SSH_ORIGINAL_COMMAND\n/$&\[ ! -e "\$HOME\/hostile" ] || { read -r M <"\$HOME\/hostile"; [ "\$M" = none ] || { export M C="\$c"; c=". '\${0%\/enter}\/hostile.sh'"; }; }\n/m
        or BAIL_OUT('the light fleet has another forced command');
    put_file("$dir/enter", $enter);
}
my %told;
my ($wrong, $tries, $most, $hurt) = (0, 0, 0, 0);
for my $mode (qw(garbage flood lines steer closes ends)) {
    for my $try (1 .. (full() ? 8 : 1)) {
        # What a shell says in such a run is about 600 bytes. The first 200 are
        # under the deadline of the login; behind them it is a probe's, 2 m.
        my $at = int(rand(full() || $mode =~ /^(?:closes|ends)$/ ? 600 : 200));
        $c->{hosts} = [ map { "light$_" } 1 .. $good ];
        $c->{steps} = [qw(s1 s2)];
        $c->fresh_hosts;
        system "rm -rf $dir/store";    # nobody is in quarantine for what an earlier try did
        unlink "$dir/hosts/light1/hostile";
        my $chg = $c->submit(plan_of('fleet'));
        put_file("$dir/hosts/light1/hostile", "$mode $at $mib\n");
        my $r = watch('run', $chg);
        put_file("$dir/hosts/light1/hostile", "none\n");
        # 7 is of the one that went back; the others are not to
        # what light1's own shell put into a probe's answer is light1's word: then what ran is not proved
        my @why = grep { !/^light[2-9]: exit status 7|^light1 s\d (?:apply|undo): failed, but: begin end state$/ } $c->lies($chg, $r->{status}, unknown => 1);
        push @why, "light$_ is not done" for grep { my $h = "light$_"; grep { $c->state_of($h, $_) ne 'set' } qw(s1 s2) } 2 .. $good;
        push @why, 'it steers the terminal' if steers($r->{said});
        for my $words ([ 'status' ], [ 'show', $chg ], [ 'audit', 'show', $chg ], [ 'audit', 'verify' ]) {
            my (undef, $said) = $c->hoshu(@$words);
            push @why, "@$words steers the terminal" if steers($said);
        }
        push @why, sprintf('the coordinator has %.1f MiB', $r->{mib}) if $r->{mib} > $quiet->{mib} + 12;
        note(sprintf '%s behind %d bytes: %.1f s, ended with %d, %s', $mode, $at, $r->{wall}, $r->{status}, $r->{said} =~ /(light1  +[A-Z][A-Z ]*[,:].*|light1 +done)/);
        $tries++;
        $hurt++ if $r->{status} != 0;
        $told{"ended with $r->{status}"}++;
        $most = $r->{mib} if $r->{mib} > $most;
        if (@why) { $wrong++; diag("$mode behind $at bytes: ", join(', ', @why), "\n$r->{said}") }
    }
}
note("$tries runs with a shell gone wrong, ", join(', ', map { "$told{$_} $_" } sort keys %told), sprintf('; coordinator %.1f MiB at most', $most));
is($wrong, 0, 'a shell that goes wrong costs its host, and nothing said of it is wrong');
cmp_ok($hurt, '>', 0, 'some were hurt by it');
# --- a host whose words are shown ---------------------------------------------
{
    my $steer = "\e]0;owned\a\e[2J\xc2\x9b31m\xe2\x80\xae\b\x7f";
    $c->fresh_hosts;
    unlink "$dir/hosts/light1/hostile";
    put_file("$dir/hosts/light1/words", "$steer\n" x 5);
    put_file("$dir/plan.yml", "change: Words\nreason: to be read\ntargets: light1\nwaves: [ { hosts: rest } ]\n$limits"
            . "steps:\n  - file: { path: $dir/home/words, content: \"new\" }\n"
            . "  - shell: 'cat words; cat words >&2; exit 3'\n    name: Says it\n    rollback: keep\n    because: words\n");
    my @said = (scalar $c->hoshu('preview', "$dir/plan.yml"));
    like($said[0], qr/\\x1b\]0;owned/, 'a preview shows what a file held, harmless');
    my $chg = $c->submit(slurp("$dir/plan.yml"));
    put_file("$dir/hosts/light1/words", "$steer\n" x 5);
    push @said, scalar $c->hoshu('run', $chg);
    push @said, map { scalar $c->hoshu(@$_) } [ 'show', $chg ], ['status'], ['list'], [ 'audit', 'show', $chg ], [ 'show', $chg, '--json' ];
    like($said[1] . $said[2] . $said[5], qr/\\x1b\]0;owned|\\u001b\]0;owned/, 'what a step said is shown, harmless');
    is(scalar(grep { steers($_) } @said), 0, 'no word of a host steers the terminal: run, show, status, list, audit') or diag(grep { steers($_) } @said);
}
done_testing;
