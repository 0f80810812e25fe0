#!/usr/bin/perl
# A step is past its deadline and is being stopped, and right then the
# connection goes, by which its wrapper stays stopped. On the next connection it
# was only asked after, again and again without end: it is told to end once
# more, and counts as what it is.
# covers: P4
use strict;
use warnings;
use lib 'tests/faults';
use Campaign qw(slurp);
use Test::More;
use Time::HiRes qw(sleep time);

my $c = Campaign->new(name => 'bug-131', fleet => 'light', hosts => 1);
my $dir = $c->{dir};
# begins something that heeds no TERM, so that stopping takes a while
my $chg = $c->submit(<<'YML');
change: Is stopped
reason: a test
targets: all
waves: [ { hosts: rest } ]
limits: { failed: 1 }
rollback: { host_failed: hold, limit: hold }
steps:
  - name: Long
    shell: 'trap "" TERM; echo begin >>"$HOME/log"; while :; do sleep 0.2; done'
    timeout: 1s
    rollback: keep
    because: a test
YML
my $pid = $c->start($chg);
my $cut = 0;
my $until = time + 60;
my ($supervisor, $status);
while (time < $until) {
    if (waitpid($pid, 1) == $pid) { $status = $? >> 8; last }
    (undef, $supervisor) = $c->running('light1') if !$supervisor;
    # what the supervisor waits for is held while the others are told to end
    my ($step) = $supervisor ? Campaign::children($supervisor) : ();
    if (!$cut && $step && slurp("/proc/$step/stat") =~ /\) T /) {
        # the stop's own shell is another session of the same sshd
        my $sshd = Campaign::parent(Campaign::parent($supervisor));
        $cut = kill 9, grep { $_ != Campaign::parent($supervisor) } Campaign::children($sshd);
        kill 9, $sshd;
    }
    sleep 0.005;
}
if (!defined $status) { kill 9, $pid; waitpid $pid, 0 }
ok($cut, 'the connection was cut while the step was being stopped');
is($status, 6, 'the run ends, failed') or diag(slurp("$dir/said"));
like(slurp("$dir/said"), qr/1 Long: FAILED: its deadline passed and it was stopped/, 'it was stopped');
is(scalar(() = slurp("$dir/hosts/light1/log") =~ /begin/g), 1, 'it ran once');
my @left = $supervisor && -e "/proc/$supervisor" ? ($supervisor, Campaign::below($supervisor)) : ();
ok(!$supervisor || !-e "/proc/$supervisor" || slurp("/proc/$supervisor/stat") =~ /\) [ZX]/, 'nothing of it is left');
kill 9, @left if @left;
done_testing();
