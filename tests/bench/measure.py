"""Runs a command and says what it cost: python3 measure.py OUT -- COMMAND...

OUT gets one line of JSON: status, wall_s, own_s (CPU of the command's own
process, by its process clock, read before it is reaped), all_s (CPU of it and
of everything it started, by rusage) and peak_kib (the most that VmHWM of all
processes that lived at one moment adds up to; sampled 20 times a second). CPU is user and system time. What leaves the tree (a
ControlMaster) is waited for and counted too. Must not know: hoshu.
"""
import ctypes
import json
import os
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
SAMPLE_S = 0.05


def process_clock(pid):  # clock_getcpuclockid(3)
    return (~pid << 3) | 2


def below(pid):
    found = [pid]
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children") as f:
                children = f.read().split()
        except OSError:
            continue
        for child in children:
            found += below(int(child))
    return found


def high_water(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def sample(pid, peak, over):
    while not over.wait(SAMPLE_S):
        peak[0] = max(peak[0], sum(high_water(p) for p in below(pid)))


def seconds(usage):
    return usage.ru_utime + usage.ru_stime


def main():
    out, argv = sys.argv[1], sys.argv[3:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    peak, over = [0], threading.Event()
    began = time.monotonic()
    pid = os.posix_spawnp(argv[0], argv, os.environ)
    sampler = threading.Thread(target=sample, args=(pid, peak, over))
    sampler.start()
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    wall = time.monotonic() - began
    own = time.clock_gettime(process_clock(pid))
    over.set()
    sampler.join()
    _, status, usage = os.wait4(pid, 0)
    total = seconds(usage)
    while True:  # what it left behind
        try:
            _, _, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        total += seconds(usage)
    with open(out, "w") as f:
        json.dump({"status": os.waitstatus_to_exitcode(status), "wall_s": wall,
                   "own_s": own, "all_s": total,
                   "peak_kib": peak[0]}, f)
        f.write("\n")
    return os.waitstatus_to_exitcode(status) & 0xFF


sys.exit(main())
