"""Prints what run.sh measured: python3 report.py FOLDER HOSTS REPETITIONS."""
import json
import statistics
import sys

folder, hosts, repetitions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def median(name, key):
    with open(f"{folder}/{name}.json") as f:
        return statistics.median(json.loads(line)[key] for line in f)


def connections(name):
    with open(f"{folder}/{name}.connections") as f:
        total, most = f.read().split()
    return f"{int(total) / hosts:.2f} (most {most})"


rows = [
    ("plain", "ssh, all steps to one sh", False),
    ("mux", "ssh over ControlMaster", False),
    ("first", "hoshu preview, the first", True),
    ("preview", "hoshu preview", True),
    ("run", "hoshu run", True),
]
print(f"{hosts} hosts, 10 steps, 64 at once, median of {repetitions}; "
      "CPU: ms a host, of the client's side")
print(f"{'':26}{'wall s':>8}{'CPU':>8}{'coord.':>8}{'children':>9}"
      f"{'peak MB':>9}  connections a host")
for name, title, split in rows:
    own = median(name, "own_s") / hosts * 1000
    total = median(name, "all_s") / hosts * 1000
    print(f"{title:26}{median(name, 'wall_s'):8.2f}{total:8.2f}"
          + (f"{own:8.2f}{total - own:9.2f}" if split else f"{'':17}")
          + f"{median(name, 'peak_kib') / 1024:9.0f}  {connections(name)}")
print()
for name, title, split in rows[3:]:
    for peer, peer_title, _ in rows[:2]:
        print(f"{title} : {peer_title}: "
              f"wall {median(name, 'wall_s') / median(peer, 'wall_s'):.2f}, "
              f"CPU {median(name, 'all_s') / median(peer, 'all_s'):.2f}")
turns = {}
with open(f"{folder}/turns.all") as f:
    for line in f:
        plan, count, what = line.split()
        turns[what, plan] = int(count)
for what in ("preview", "run"):
    one, ten = turns[what, "one"], turns[what, "ten"]
    print(f"round trips of {what}: {one} with one step, {ten} with ten: "
          f"{(ten - one) / 9:.1f} for each further step")
