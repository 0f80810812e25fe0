#!/usr/bin/perl
# Modules that mean harm: each program of hostile.lua runs for one host among
# others that have work of their own, in every part of a module. It ends within
# two seconds, its host alone is held or failed, and the others never notice.
# covers: P11
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp put_file full);
use Test::More;
use Time::HiRes qw(sleep time);

my $c = Campaign->new(name => 'hostile-lua', fleet => 'light', hosts => 5);
my $dir = $c->{dir};
system "mkdir -p $dir/modules/hostile && cp tests/faults/hostile.lua $dir/modules/hostile/";

my %harmless = map { $_ => 1 } qw(none recursion_in_pcall re_blow_up ask_a_hang);
my @programs = grep { !$harmless{$_} } slurp('tests/faults/hostile.lua') =~ /^  (\w+) = (?:function\(.*?\)(?! sh)|for_ever,)/mg;
@programs = grep { !/^(?:probe|want|met|effects|apply|undo)$/ } @programs;
my @parts = qw(probe want met effects apply undo);
# without FULL: one of each kind in a probe, a few in the other parts
my @short = qw(pcall_loop pcall_in_pcall find_blow_up gc_loop rep_bomb doubling concat_loop io_open load_bytecode recursion sort_liar ask_for_ever);
my @few = qw(pcall_in_pcall doubling);

sub plan_of { my ($program, $at, $armed) = @_;
    return "change: A hostile module\nreason: to be survived\ntargets: all\nwaves: [ { hosts: rest } ]\nlimits: { failed: 5, unreachable: 5, excluded: 5 }\n"
        . "rollback: { host_failed: host, limit: hold }\nsteps:\n"
        . "  - name: bad\n    hostile: { program: $program, at: $at, armed: \"$armed\" }\n    when: host.name == \"light1\"\n"
        . "  - name: good\n    mark: { name: s1, place: \"\", sleep: \"0\", tail: \"0\" }\n" }

# Its answer, wall and CPU seconds, and the coordinator's greatest memory (MiB).
sub watch {
    my (@words) = @_;
    my ($began, @t) = (time, times);
    my $pid = fork // die;
    if ($pid == 0) {
        $ENV{LC_ALL} = 'C.UTF-8';
        open STDOUT, '>', "$dir/out"; open STDERR, '>&', \*STDOUT;
        exec $c->{hoshu}, '-C', $dir, @words;
    }
    my $most = 0;
    while (waitpid($pid, 1) == 0) {
        my ($kib) = slurp("/proc/$pid/status") =~ /^VmHWM:\s+(\d+)/m;
        $most = $kib if ($kib // 0) > $most;
        kill 9, $pid if time - $began > 60;
        sleep 0.01;
    }
    my $status = $?;
    my @u = times;
    return { said => slurp("$dir/out"), status => $status & 127 ? -($status & 127) : $status >> 8, wall => time - $began,
        cpu => $u[2] + $u[3] - $t[2] - $t[3], mib => $most / 1024 };
}

my $quiet;
{
    put_file("$dir/plan.yml", plan_of('none', 'probe', ''));
    $quiet = watch('preview', "$dir/plan.yml");
    like($quiet->{said}, qr/5 hosts will change/, 'without harm all five would change');
}

# Wall time is the machine's as well: what is busy here is not hoshu alone. So
# it counts against the quiet preview of the same moment, CPU against nothing.
my ($tried, $slowest, $costliest, $most) = (0, 0, 0, 0);
my @wrong;
for my $at (@parts) {
    for my $program (full() ? @programs : $at eq 'probe' ? @short : @few) {
        next if $at ne 'probe' && $program =~ /^(?:ask_|big_|deep_|round_)/; # these want a host, or are of a state
        put_file("$dir/plan.yml", plan_of($program, $at, ''));
        my $r = watch('preview', "$dir/plan.yml");
        for (1 .. 2) { $r = watch('preview', "$dir/plan.yml") if $r->{wall} - $quiet->{wall} > 2 }
        $tried++;
        $slowest = $r->{wall} if $r->{wall} > $slowest;
        $costliest = $r->{cpu} if $r->{cpu} > $costliest;
        $most = $r->{mib} if $r->{mib} > $most;
        my @why;
        push @why, 'the others did not go on' if $r->{said} !~ /^\s*preview\s+4 hosts will change, 0 stay as they are, 1 could not be asked/m;
        push @why, 'light1 was not held' if $r->{said} !~ /^1 host: light1\n  could not be asked: \S/m;
        push @why, sprintf('%.1f s', $r->{wall}) if $r->{wall} - $quiet->{wall} > 2;
        push @why, sprintf('%.1f s of CPU', $r->{cpu}) if $r->{cpu} > 2;
        push @why, 'a worker ended' if $r->{said} =~ /worker/;
        push @why, sprintf('%.0f MiB in the coordinator', $r->{mib}) if $r->{mib} > $quiet->{mib} + 20;
        if (@why) { push @wrong, "$at $program"; diag("$at $program: ", join(', ', @why), "\n$r->{said}") }
    }
}
note(sprintf('%d programs in %d parts of a module: the slowest preview took %.1f s (quiet: %.1f s), the costliest %.1f s of CPU', $tried, scalar @parts,
        $slowest, $quiet->{wall}, $costliest));
note(sprintf('coordinator: %.1f MiB at most, %.1f MiB without harm', $most, $quiet->{mib}));
is_deeply(\@wrong, [], 'each of them costs its own host and nobody else');

# What came to its end is no harm; that it cannot be told from a state is right.
for my $program (qw(recursion_in_pcall re_blow_up)) {
    put_file("$dir/plan.yml", plan_of($program, 'probe', ''));
    my $r = watch('preview', "$dir/plan.yml");
    cmp_ok($r->{cpu}, '<', 2, "$program ends");
    like($r->{said}, qr/[45] hosts will change/, "$program: the others go on");
}

# It wakes up when the change runs: that host fails, the others are done.
for my $program (full() ? grep { !/^ask_/ } @short : @few) {
    $c->fresh_hosts;
    my $chg = $c->submit(plan_of($program, 'probe', "$dir/armed"));
    put_file("$dir/armed", '');
    my $r = watch('run', $chg);
    unlink "$dir/armed";
    is($r->{status}, 9, "$program in a run: it ends with hosts left over") or diag($r->{said});
    is_deeply([ map { $c->state_of("light$_", 's1') } 1 .. 5 ], [ '', ('set') x 4 ], "$program in a run: the others are done");
    cmp_ok($r->{cpu}, '<', 4, sprintf('%s in a run: %.1f s, %.1f s of CPU', $program, $r->{wall}, $r->{cpu}));
}
ok(!-e '/tmp/hoshu-hostile', 'nothing got out');
done_testing;
