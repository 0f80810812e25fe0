#!/usr/bin/perl
# A step past its deadline with a process that cannot be killed (it hangs in the
# kernel: a disk, an NFS server): it counted as stopped and its undo was
# launched, while what it was about to write was still to come.
# covers: P4, P5
use strict;
use warnings;
use lib 'tests';
use Light;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'waits 45 s for graces; host-sh-hurt.t is the short version (FULL=1 for this)' unless $ENV{FULL};
my $it = Light->up(1);
my $home = "$it->{fleet}/hosts/light1";

# Whoever is traced like this stands still where it would exit, for all SIGKILLs.
$it->put('hold.py', <<'PY');
import ctypes, sys, time
ptrace = ctypes.CDLL(None).ptrace
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
SEIZE, EXIT_TOO = 0x4206, 0x40
while True:
    try:
        pid = int(open(sys.argv[1]).read())
        break
    except (OSError, ValueError):
        time.sleep(0.01)
print(ptrace(SEIZE, pid, None, EXIT_TOO), flush=True)
time.sleep(600)
PY
my $holder = open(my $held, '-|', 'python3', "$it->{dir}/hold.py", "$home/pid") // die;
END { kill 9, $holder if $holder }

$it->put('plan.yml', <<'YML');
change: Hangs in the kernel
reason: a test
targets: all
waves: [{ hosts: rest }]
limits: { failed: 1, unreachable: 1 }
rollback: { host_failed: host, limit: change }
steps:
  - name: Hang
    shell: 'sleep 600 & echo "$!" >"$HOME/pid"; wait'
    timeout: 2s
    rollback: [{ name: Undo, shell: 'echo x >>"$HOME/undone"' }]
    because: a test
YML
my $chg = $it->approved('plan.yml');
my ($status, $said) = $it->hoshu('run', $chg);
my $pid = $it->look('light1', 'pid') + 0;
is(scalar(<$held>), "0\n", 'its process was held') or diag $said;
ok(kill(0, $pid), 'and lives');
is($status, 8, 'what may still be at work is unknown') or diag $said;
ok(!defined $it->look('light1', 'undone'), 'nothing is undone meanwhile') or diag $said;
like($said, qr/Hang.*UNKNOWN.*runs on/, 'it says that it runs on');

kill 9, $holder;
waitpid $holder, 0;
$holder = 0;
my $end = time + 20;
sleep 0.05 while kill(0, $pid) && time < $end;
ok(!kill(0, $pid), 'it is over');
($status, $said) = $it->hoshu('run', $chg);
is($status, 7, 'another run asks it again, and takes it back') or diag $said;
is($it->look('light1', 'undone'), "x\n", 'once');
done_testing();
