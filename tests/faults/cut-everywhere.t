#!/usr/bin/perl
# The connection to a host is cut behind each byte of what hoshu sends or hears
# in a change of three steps, there and back, by a proxy between hoshu and sshd:
# with an end, a reset, or only on hoshu's side. The host lives, so the verdict
# must be the true one each time, never unknown; nothing runs twice.
# covers: P4, P5
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp put_file full);
use List::Util qw(max min sum0);
use Test::More;

my $count = $ENV{HOSTS} // 24;
my $c = Campaign->new(name => 'cut-everywhere', fleet => 'light', hosts => $count);
my ($dir, $hoshu) = @$c{qw(dir hoshu)};
my $cuts = "$dir/cuts";
mkdir $cuts;
my $cutter = fork // die;
if ($cutter == 0) { exec 'python3', 'tests/faults/cutter.py', $cuts, $count, 0 + slurp("$dir/port") }
END { kill 9, $cutter if $cutter && $c && $c->{owner} == $$ }
for (1 .. 200) { last if -e "$cuts/port"; select undef, undef, undef, 0.05 }
my $port = 0 + slurp("$cuts/port") or BAIL_OUT('no proxy');
# hoshu goes through the proxy
for my $file ("$dir/ssh_config", "$dir/known_hosts") {
    my $text = slurp($file);
    my $old = 0 + slurp("$dir/port");
    $text =~ s/127\.1\.(?=0\.)/127.2./g;
    $text =~ s/(Port |\]:)$old\b/$1$port/g;
    put_file($file, $text);
}

my ($all, $wrong, $missed, %how) = (0, 0, 0);
my @hosts = @{ $c->{hosts} };

# One run, each host cut at its own place: [way, byte, how]. Which hosts were touched.
sub round {
    my ($chg, $want, @at) = @_;
    $c->again;
    unlink "$cuts/$_.was" for @hosts;
    for my $i (0 .. $#hosts) { put_file("$cuts/$hosts[$i]", "@{ $at[$i] }") if $at[$i] }
    my $status = $c->finish($c->start($chg), 240);
    my (%end, %touched);
    for my $r ($c->journal($chg)) { $touched{ $r->{host} } = 1 if $r->{kind} eq 'step-intent'; $end{ $r->{host} } = $r->{kind} if $r->{kind} =~ /^host-(done|unreachable|reverted|failed|lost|stuck)$/ }
    my @lies = $c->lies($chg, $status);
    for my $i (0 .. $#hosts) {
        my $was = slurp("$cuts/$hosts[$i].was");
        if ($at[$i]) { $was =~ / cut$/m ? ($all++, $how{ $at[$i][2] }++) : $missed++ }
        # cut before anything was done, it counts as unreachable; else it comes to its end
        my @ok = ($want, $at[$i] ? 'host-unreachable' : ());
        my $end = $end{ $hosts[$i] } // 'nothing';
        push @lies, "$hosts[$i]: $end" unless grep { $_ eq $end } @ok;
        push @lies, "$hosts[$i]: unreachable, but touched" if $end eq 'host-unreachable' && $c->evidence($hosts[$i]);
        unlink "$cuts/$hosts[$i]";
    }
    if (@lies) {
        $wrong++;
        diag("status $status: $_") for @lies;
        for my $i (0 .. $#hosts) { diag("$hosts[$i] was cut: @{ $at[$i] }") if $at[$i] && grep { /^\Q$hosts[$i]\E\b/ } @lies }
        diag(slurp("$dir/said") =~ s/.*?(.{1,3000})\z/$1/sr) if $wrong < 3;
    }
    put_file("$dir/said", '');
    return \%touched;
}

for my $way ($ENV{ONLY} // ('there', 'there and back')) { # ONLY, by hand: one of them
    my $back = $way ne 'there';
    my $want = $back ? 'host-reverted' : 'host-done';
    $c->fresh_hosts;
    if ($back) { $c->let_fail($_, 's3') for @hosts }
    $c->{kept} = { s2 => 1 };
    my $chg = $c->submit($c->plan_text(waves => "[ { hosts: rest, at_once: $count } ]", limits => "{ failed: $count, unreachable: $count }",
        more => "rollback: { host_failed: host, limit: change }\n", sleep => '0.01'));
    $c->keep;
    round($chg, $want);
    is($c->ended($chg), $back ? 7 : 0, "$way: uncut, it ends as it should");
    my @was = map { [split ' ', slurp("$cuts/$_.was")] } @hosts;
    my %size = (to => max(map { $_->[0] } @was), from => max(map { $_->[1] } @was));
    note("$way: $size{to} bytes to a host, $size{from} from it");
    # once over it all; FULL: then each byte from where the first of these cuts met a touched host
    my $places = $size{to} + $size{from};
    my %begin = %size;
    for my $stride (full() ? (int($places / 200), 1) : int($places / $count) + 1) {
        my @places;
        for my $w ('to', 'from') {
            my $at = $stride == 1 ? $begin{$w} : 1 + int rand $stride;
            for (; $at <= $size{$w}; $at += $stride) { push @places, [$w, $at] }
        }
        while (my @now = splice @places, 0, $count) {
            my $touched = round($chg, $want, map { [ @$_, (qw(close reset half))[ int rand 3 ] ] } @now);
            for my $i (0 .. $#now) {
                my ($w, $at) = @{ $now[$i] };
                $begin{$w} = min($begin{$w}, $at) if $touched->{ $hosts[$i] };
            }
        }
    }
    note("$way: bytes from $begin{to} to a host and from $begin{from} from it, each of them; $all cuts so far, $wrong wrong rounds") if full();
}
note("$all cuts (" . join(', ', map { "$_ $how{$_}" } sort keys %how) . "), $missed places not reached, $wrong wrong rounds, SEED=$c->{seed}");
cmp_ok($all, '>', full() ? 2000 : 20, 'it was cut often enough to mean something');
is($wrong, 0, 'no verdict was wrong, none is unknown, nothing ran twice');
is(($c->hoshu('audit', 'verify'))[0], 0, 'the journal holds');
done_testing();
