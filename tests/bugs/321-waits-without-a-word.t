#!/usr/bin/perl
# Who is stopped inside a transaction has STORE/lock: every other writer stood still without a word,
# and nobody could tell for whom. covers: P3
use strict;
use warnings;
use Test::More;
use Cwd qw(abs_path);
use Fcntl qw(:flock);
use File::Temp qw(tempdir);
use POSIX ();

my $hoshu = abs_path($ENV{HOSHU} // './hoshu');
my $dir = tempdir(CLEANUP => 1);
$ENV{LC_ALL} = 'C';
mkdir "$dir/$_" for qw(store inventory);
open my $out, '>', "$dir/hoshu.yml" or die;
print $out "inventory: inventory\nstore: store\n";
close $out;
open $out, '>', "$dir/store/lock" or die;
close $out;

# One that takes the lock, then stops, or holds it that many seconds.
sub holder {
    my ($how) = @_;
    pipe my $in, my $ready or die;
    my $pid = fork // die;
    if ($pid == 0) {
        exec 'perl', '-e', 'use Fcntl ":flock"; open F, "+<", shift or die; flock F, LOCK_EX; open R, ">&=", shift; syswrite R, "."; close R; '
          . 'my $how = shift; kill STOP => $$ if $how eq "stop"; select undef, undef, undef, $how if $how ne "stop"', "$dir/store/lock", fileno_kept($ready), $how;
        die;
    }
    close $ready;
    sysread $in, my $byte, 1;
    waitpid $pid, POSIX::WUNTRACED() if $how eq 'stop';
    return $pid;
}
sub fileno_kept { my ($fh) = @_; fcntl $fh, Fcntl::F_SETFD(), 0; return fileno $fh }

# Something that writes: its stderr, and the process.
sub writer {
    my $pid = open my $said, '-|' // die;
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec 'timeout', 60, $hoshu, 'pause', '-C', $dir, 'CHG-0001';
        die;
    }
    return ($said, $pid);
}

my $holder = holder('stop');
my ($said) = writer();
my $line = <$said>;
like($line, qr{^hoshu: waits for \S+/store/lock, which process $holder \(perl -e use Fcntl.*\) has, and that is stopped: `kill -CONT $holder`},
    'who waits says for whom, and what to do');
unlike($line, qr/\n./, 'in one line');
kill CONT => $holder;
$line = join '', <$said>;
close $said;
unlike($line, qr/waits/, 'once');
like($line, qr/CHG-0001/, 'then it goes on');
waitpid $holder, 0;

$holder = holder(60);
($said) = writer();
$line = <$said>;
like($line, qr/which process $holder \(.*\) has: look at it .*`kill -9 $holder` ends it/, 'one that runs is named, too');
kill KILL => $holder;
$line = join '', <$said>;
close $said;
waitpid $holder, 0;

$holder = holder(1);
($said) = writer();
$line = join '', <$said>;
close $said;
unlike($line, qr/waits/, 'a moment is nothing to speak of');
waitpid $holder, 0;
done_testing;
