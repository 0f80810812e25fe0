#!/bin/bash
# Hosts whose logind kills what a logout leaves (KillUserProcesses=yes, nobody excluded). The coordinator
# is killed in the middle of a step, so its logins end: as root, as a user with sudo, and as a user who
# lingers the step goes on to its end and its verdict is kept. Of one who does not linger it is killed
# too, and that is unknown, never done or failed. covers: P4
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
scene logout 4

for host in "${hosts[@]}"; do
	on "$host" 'mkdir -p /etc/systemd/logind.conf.d
		printf "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=nobody\nUserStopDelaySec=0\n" >/etc/systemd/logind.conf.d/kill.conf
		systemctl restart systemd-logind; mkfifo -m 666 /run/here /run/go' >/dev/null
done
on real3 'loginctl enable-linger ops' >/dev/null
sed -e 's/real1: {\(.*\)become: sudo/real1: {\1user: root/; s/user: ops, user: root/user: root/' \
	-e 's/\(real[34]: {.*\), become: sudo/\1/' "$scene/inventory.yml" >"$scene/inventory.new"
mv "$scene/inventory.new" "$scene/inventory.yml"
cat >"$scene/plan.yml" <<-'YAML'
	change: Outlive a logout
	reason: a test
	targets: all
	waves: [{ hosts: rest }]
	limits: { failed: 4, unreachable: 4 }
	rollback: { host_failed: hold, limit: hold }
	steps:
	  - shell: |
	      echo here >/run/here
	      read -r _ </run/go
	      echo ran >>"$HOME/ran"
	    rollback: keep
	    because: a test
YAML
submit "$scene/plan.yml"
approve

# the control of this test: what nothing has moved is killed there
left() { # host user
	timeout 20 ssh -T -F "$fleet/ssh_config" -l "$2" "$1" 'sleep 600 </dev/null >/dev/null 2>&1 & echo $!' >"$scene/seen/left"
	timeout 30 tests/fleet/real shell "$1" "n=0; while [ -d /proc/$(cat "$scene/seen/left") ] && [ \$n -lt 100 ]; do sleep 0.1; n=\$((n + 1)); done; echo \$((n < 100))" "$fleet"
}
is "$(left real1 root)" 1 "root: what a logout leaves is killed"
is "$(left real2 ops)" 1 "ops: what a logout leaves is killed"
timeout 20 "$hoshu" run "$change" --folder "$scene" >"$scene/seen/run" 2>&1 &
runs=$!
for host in "${hosts[@]}"; do
	is "$(timeout 30 tests/fleet/real shell "$host" 'cat /run/here' "$fleet")" here "$host: in the middle of its step"
done
# the logins end with the coordinator and its workers
workers=$(cat "/proc/$runs/task/$runs/children")
for pid in $workers; do kill -KILL "$pid" 2>/dev/null; done
wait "$runs" 2>/dev/null
for host in "${hosts[@]}"; do
	timeout 30 tests/fleet/real shell "$host" 'n=0; while [ "$n" -lt 200 ] && loginctl list-sessions --no-legend | grep -q .; do sleep 0.1; n=$((n + 1)); done' "$fleet"
	timeout 10 tests/fleet/real shell "$host" 'timeout 3 sh -c "echo >/run/go"' "$fleet"
done
run
told
is "$status" 8 'the run ends, and not all of it is known'
for host in real1 real2 real3; do
	like "$(cat "$scene/seen/run")" "$host" "$host is told of"
	everywhere ran 'cat /root/ran /home/ops/ran 2>/dev/null' "$host"
	is "$(said ran "$host")" ran "$host: its step outlived the logout, once"
done
everywhere ran 'cat /root/ran /home/ops/ran 2>/dev/null' real4
is "$(said ran real4)" '' 'real4: its step was killed'
hoshu audit show "$change" --json | grep '"kind":"step-' | sed 's/.*"host":"\([^"]*\)".*"kind":"\([^"]*\)".*/\1 \2/' | sort >"$scene/seen/steps"
is "$(grep -v intent "$scene/seen/steps")" "real1 step-done
real2 step-done
real3 step-done
real4 step-unknown" 'done where it was done, unknown where it was killed'
is "$(grep -c intent "$scene/seen/steps")" 4 'launched once each'
done_testing
