#!/usr/bin/perl
# The disk under the journal fails: at the Nth write, sync or making of a file
# by `hoshu submit`, `approve` and `run` of a change with 3 hosts and 3 steps,
# for every N (FULL=1; else a part of them), with EIO and as a full disk, once
# and for good. What was said to be stored is there; nothing goes to a host
# after the first append that failed, and nothing without its intent; with the
# fault gone the same commands go on to the right end.
# covers: P3, P4
use strict;
use warnings;
use lib 'tests', 'tests/faults';
use Test::More;
use Errno qw(EIO ENOSPC);
use List::Util qw(sum0);
use Project;

my $full = $ENV{FULL};
my $p = Project->new('disk', 3);
my $shim = $p->library('disk');

my ($round, %count, %unmoved, @wrong) = (0);
sub wrong { my ($where, $what, $said) = @_; push @wrong, "$where: $what"; diag("$where: $what"); diag($said) if $said }

sub disk {
    my ($at, $code, $ever) = @_;
    unlink "$p->{dir}/log";
    return { LD_PRELOAD => $shim, DISK_MATCH => "$p->{dir}/store", DISK_LOG => "$p->{dir}/log",
        DISK_FAIL_AT => $at, DISK_CODE => $code, $ever ? (DISK_EVER => 1) : () };
}
sub log_lines { open my $in, '<', "$p->{dir}/log" or return (); my @l = <$in>; chomp @l; return @l }

# What a change is, as records: the words that `run --json` prints and `audit show --json` must hold.
sub key { my ($r) = @_; return join ' ', map { $r->{$_} } qw(kind host step attempt xid) }

sub no_fault { $count{calls} = grep { !/^launch/ } @_; return 0 }

# One change with the fault in one of its three commands; false when there is no Nth call.
sub change {
    my ($command, $at, $code, $ever) = @_;
    my $where = sprintf '%s, call %d, %s%s', $command, $at, $code == EIO ? 'EIO' : 'full', $ever ? ', for good' : '';
    my ($status, $said, $chg, @log);
    my $fault = sub { return $command eq $_[0] ? disk($at, $code, $ever) : {} };
    $p->forget_store;
    $p->plan(++$round, 3);

    ($status, $said, $chg) = $p->submit($fault->('submit'));
    if ($command eq 'submit') {
        @log = log_lines();
        return no_fault(@log) unless grep { /^fault/ } @log;
        if ($status == 0) {
            my ($s, $list) = $p->hoshu({}, 'list');
            wrong($where, "$chg was said to be submitted and is not there", $list) unless $chg && $list =~ /\Q$chg\E/;
        } elsif ($status < 0 || $said !~ /^hoshu: /m) {
            wrong($where, "ended with $status", $said);
        }
        ($status, $said, $chg) = $p->submit({}) if $status != 0;
    }
    unless ($chg) { wrong($where, 'it could not be submitted', $said); return 1 }

    ($status, $said) = $p->approve($fault->('approve'), $chg);
    if ($command eq 'approve') {
        @log = log_lines();
        return no_fault(@log) unless grep { /^fault/ } @log;
        wrong($where, "ended with $status", $said) if $status < 0;
        if ($status != 0) { ($status, $said) = $p->approve({}, $chg) }
    }
    unless ($status == 0) { wrong($where, 'it could not be approved', $said); return 1 }

    ($status, $said) = $p->hoshu($fault->('run'), 'run', $chg, '--json');
    if ($command eq 'run') {
        @log = log_lines();
        return no_fault(@log) unless grep { /^fault/ } @log;
        after_run($where, $chg, $status, $said, @log);
        ($status, $said) = $p->hoshu({}, 'run', $chg, '--json') if $status != 0;
    }
    # it had its last word just before
    $status = 0 if $status == 5 && $said =~ /has ended \(done\)/;
    wrong($where, "the run ends with $status", $said) if $status != 0;
    my @lines = $p->lines($round);
    $count{launches} += sum0(map { length } @lines);
    for my $host (1 .. 3) {
        wrong($where, "light$host has '$lines[$host - 1]'") if $lines[ $host - 1 ] ne '123';
    }
    my ($verify, $told) = $p->hoshu({}, 'audit', 'verify');
    wrong($where, 'the journal does not hold', $told) if $verify != 0;
    return 1;
}

# The disk has failed under a run, and works again.
sub after_run {
    my ($where, $chg, $status, $said, @log) = @_;
    my @records = $p->records($chg);
    my %is = map { key($_) => 1 } @records;
    my %intent = map { $_->{xid} => 1 } grep { $_->{kind} eq 'step-intent' } @records;
    my ($first) = grep { $log[$_] =~ /^fault/ } 0 .. $#log;
    my ($late, $lines) = (0, 0);
    wrong($where, "ended with $status", $said) if $status < 0 || $status == 0 && !$is{'run-ended  0 0 '};
    for my $i (0 .. $#log) {
        next unless $log[$i] =~ /^launch (.*)/;
        wrong($where, "launched $1, whose intent is not in the journal") unless $intent{$1};
        $late++ if $i > $first;
    }
    # a checkpoint of what is stored may fail without any append having failed
    wrong($where, "$late launched after the append had failed") if $late && $status != 0 && $log[$first] !~ / journal\.db$/;
    $count{late} += $late;
    for my $line (grep { /^\{/ } split /\n/, $said) {
        my $r = JSON::PP::decode_json($line);
        wrong($where, 'said, and not stored: ' . key($r)) unless $is{ key($r) };
    }
    $lines += length for $p->lines($round);
    my $launched = grep { /^launch/ } @log;
    wrong($where, "$lines steps ran, $launched were launched") if $lines > $launched;
    $count{$status == 0 ? 'unmoved' : 'stopped'}++;
    $unmoved{ $log[$first] =~ s/^fault //r }++ if $status == 0;
}

my $only = $ENV{ONLY} // ''; # by hand: 'run, disk full once'
for my $how ([EIO, 0], [ENOSPC, 1], $full ? ([EIO, 1], [ENOSPC, 0]) : ()) {
    my ($code, $ever) = @$how;
    my $name = ($code == EIO ? 'EIO' : 'disk full') . ($ever ? ' for good' : ' once');
    for my $command (grep { !$only || "$_, $name" eq $only } qw(submit approve run)) {
        my ($stride, $before) = ($full ? 1 : { submit => 41, approve => 23, run => 101 }->{$command}, scalar @wrong);
        my ($at, $done) = ($full ? 1 : 1 + int rand $stride, 0);
        %count = (late => 0, unmoved => 0, stopped => 0, launches => 0);
        while (change($command, $at, $code, $ever)) { $at += $stride; $done++ }
        note(sprintf '%s, %s: %d of %d calls failed in turn%s', $command, $name, $done, $count{calls},
            $command eq 'run' ? "; $count{stopped} runs stopped, $count{unmoved} did not notice, $count{late} launches after the fault" : '');
        note("not noticed by a run: $_, $unmoved{$_} times") for sort keys %unmoved;
        %unmoved = ();
        push @wrong, "$command: the failing disk was not under it" if $count{calls} < 10;
        cmp_ok(scalar @wrong, '==', $before, "$command, $name: nothing lost, nothing twice, nothing said in vain");
    }
}
done_testing();
