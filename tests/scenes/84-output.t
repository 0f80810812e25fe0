#!/usr/bin/perl
# What steps print is kept: whole up to 1 MiB a stream, the first and the last
# part of more; after a step that failed, an undo, a connection that was lost
# meanwhile. It steers no terminal, and small outputs cost no round trip.
# covers: P4 P11
use strict;
use warnings;
use lib 'tests';
use Digest::SHA qw(sha256_hex);
use JSON::PP;
use Light;
use Test::More;

my $it = Light->up(2);

sub ran {
    my ($steps, $limits) = @_;
    $it->put('plan.yml', "change: Prints\nreason: a test\ntargets: light1\nwaves: [ { hosts: rest } ]\n"
        . ($limits // '') . "steps:\n$steps");
    my $chg = $it->approved('plan.yml');
    my ($status, $said) = $it->hoshu('run', $chg);
    return ($chg, $status, $said);
}
sub records { my ($chg) = @_; my (undef, $text) = $it->hoshu('audit', 'show', $chg, '--json');
    return map { decode_json($_) } split /\n/, $text }
sub outcome { my ($chg, $step, $kind) = @_; return (grep { $_->{step} == $step && $_->{kind} eq ($kind // 'step-done') } records($chg))[0] }
sub shown { my ($chg, @of) = @_; my ($status, $text) = $it->hoshu('show', $chg, '--output', @of); return $text }
sub told { my ($chg, @of) = @_; my (undef, $text) = $it->hoshu('show', $chg, '--output', @of, '--json'); return decode_json($text) }

my $kept = "rollback: keep\n    because: a test\n";
my ($chg, $status, $said) = ran(<<"YML");
  - name: Small
    shell: 'echo small; printf "\\033]0;owned\\007\\n" >&2'
    $kept
  - name: Middle
    shell: 'seq 1 40000; seq 1 30000 >&2'
    $kept
  - name: Large
    shell: 'seq 1 400000'
    $kept
  - name: Silent
    shell: ':'
    $kept
YML
is($status, 0, 'done') or BAIL_OUT($said);
like(shown($chg), qr/^=== light1  1 Small .*\n--- stdout\nsmall\n--- stderr\n\\x1b\]0;owned\\x07\n===/m, 'small, and nothing a terminal acts on');
my $seq = join '', map { "$_\n" } 1 .. 40000;
my $middle = outcome($chg, 2)->{body};
is($middle->{out_blob}, sha256_hex($seq), 'more than comes with the verdict: all of it');
is($middle->{err_blob}, sha256_hex(join '', map { "$_\n" } 1 .. 30000), 'of both streams');
is($middle->{out_head}, undef, 'nothing is left out');
is(shown($chg, 'light1:2') =~ s/\A===.*\n--- stdout\n(.*)--- stderr\n.*\z/$1/sr, $seq, 'and it is shown');
is(shown($chg, 'light1:Middle'), shown($chg, 'light1:2'), 'by its name too');
$seq = join '', map { "$_\n" } 1 .. 400000;
my $large = outcome($chg, 3)->{body};
is($large->{out_size}, length $seq, 'its size');
is($large->{out_head}, 983040, 'the first part is kept');
is($large->{out_blob}, sha256_hex(substr($seq, 0, 983040) . substr($seq, -65536)), 'and the last 64 KiB');
my $left = length($seq) - (1 << 20);
like(shown($chg, 'light1:3'), qr/\n\[$left bytes are left out here\]\n.*\n400000\n\z/s, 'what is left out is said');
my ($json) = @{ told($chg, 'light1:3') };
is($json->{out}{left_out}, $left, 'in JSON too');
like($json->{out}{text}, qr/^1\n2\n3\n/, 'with the text');
is(outcome($chg, 4)->{body}{out_blob}, undef, 'what printed nothing has none');
like(shown($chg, 'light1:4'), qr/^nothing was printed/, 'and that is said');
($status) = $it->hoshu('show', $chg, '--output', 'light9');
is($status, 2, 'a host that is not there');
($status) = $it->hoshu('show', $chg, '--output', 'light1:Smal');
is($status, 2, 'a step that is not there');
($status) = $it->hoshu('show', $chg, 'light1');
is($status, 2, 'a host without --output');

# --- it was lost, and is settled -----------------------------------------------
$it->put('plan.yml', "change: Prints\nreason: a test\ntargets: light1\nwaves: [ { hosts: rest } ]\nsteps:\n"
    . "  - shell: 'seq 1 30000; echo here >\"\$HOME/begun\"; cat \"\$HOME/go\"; seq 30001 60000'\n    $kept");
my $fleet = $it->{fleet};
system('mkfifo', map { "$fleet/hosts/light1/$_" } qw(begun go)) == 0 or BAIL_OUT('no mkfifo');
$chg = $it->approved('plan.yml');
my $pid = fork // die;
if ($pid == 0) { open STDOUT, '>', "$it->{dir}/said"; open STDERR, '>&', \*STDOUT; exec $it->{hoshu}, '-C', $it->{dir}, 'run', $chg }
is(scalar `timeout 30 cat $fleet/hosts/light1/begun`, "here\n", 'in the middle of a step');
kill 9, $pid; # the coordinator
waitpid $pid, 0;
system("timeout 30 sh -c 'echo >$fleet/hosts/light1/go'");
($status, $said) = $it->hoshu('run', $chg);
is($status, 0, 'it goes on') or diag($said);
is(outcome($chg, 1)->{body}{out_blob}, sha256_hex(join('', map { "$_\n" } 1 .. 30000) . "\n" . join('', map { "$_\n" } 30001 .. 60000)),
    'what was printed before and after the loss');

# --- hosts that lie, or go, while they are asked for more -------------------------
# Between the shell of light1 and its sshd; once, at a verdict.
$it->put('fleet/hostile.pl', <<'PL');
my ($mode, $sshd, $armed, $told) = (@ARGV, 0, 0);
while (sysread STDIN, my $data, 65536) {
    if (!$armed && $data =~ />done \d+ \S+ \d+ \d+\n/) {
        $armed = 1;
        unlink "$ENV{HOME}/hostile";
        $data =~ s/(>done \d+ \S+) \d+ \d+\n/$1 9000000000000 7000000000000\n/ if $mode eq 'lies';
    } elsif ($armed && $mode eq 'goes' && ($told += length $data) > 200000) {
        kill 9, $sshd;
    } elsif ($armed && $mode eq 'floods') {
        1 while syswrite STDOUT, 'x' x 65536;
    }
    my $at = 0;
    while ($at < length $data) { $at += syswrite(STDOUT, $data, length($data) - $at, $at) // exit }
}
PL
$it->put('fleet/hostile.sh', qq(sh -c "\$C" | perl $fleet/hostile.pl "\$M" "\$(ps -o ppid= -p \$\$)"\n));
{ # the forced command of the light fleet hands over to it
    open my $in, '<', "$fleet/enter" or die;
    local $/;
    my $enter = <$in>;
    $enter =~ s/^unset SSH_ORIGINAL_COMMAND\n/$&\[ ! -e "\$HOME\/hostile" ] || { read -r M <"\$HOME\/hostile"; export M C="\$c"; c=". $fleet\/hostile.sh"; }\n/m
        or BAIL_OUT('the light fleet has another forced command');
    $it->put('fleet/enter', $enter);
}
for my $mode (qw(lies goes floods)) {
    $it->put('plan.yml', "change: Prints\nreason: a test\ntargets: light1\nwaves: [ { hosts: rest } ]\nsteps:\n"
        . "  - shell: 'echo $mode >>\"\$HOME/ran-$mode\"; seq 1 " . ($mode eq 'lies' ? 10 : 100000) . "'\n    $kept"
        . "  - shell: 'echo after'\n    $kept");
    $chg = $it->approved('plan.yml');
    $it->put('fleet/hosts/light1/hostile', "$mode\n");
    ($status, $said) = $it->hoshu('run', $chg);
    is($status, 0, "a host that $mode: the step ended well, and that is what counts") or diag($said);
    ok(!-e "$fleet/hosts/light1/hostile", 'it did');
    is($it->look('light1', "ran-$mode"), "$mode\n", 'it ran once');
    my $body = outcome($chg, 1)->{body};
    is($body->{rc}, 0, 'the record is of its end');
    like(shown($chg, 'light1:1'), qr/--- stdout\n1\n2\n3\n/, 'what came is kept') if $mode ne 'floods';
    like(shown($chg, 'light1:1'), qr/\n\[\d+ bytes are left out here\]\n/, 'what did not come is said');
    cmp_ok(length shown($chg), '<', 1.2 * (1 << 20), 'within bounds');
    like(shown($chg, 'light1:2'), qr/--- stdout\nafter\n/, 'and the host goes on');
}
done_testing();
