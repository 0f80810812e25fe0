#!/bin/bash
# Nine hosts of the real fleet: /bin/sh, which is the login shell as well, is dash, bash and busybox ash,
# and on each of them work is done as root, as a user with sudo, and as a user without. On every one a
# change is done, one fails and goes back, a step at its deadline is stopped, and one whose connection is
# lost in the middle is settled. covers: P4, P5
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
busybox=$(command -v busybox) || {
	echo "1..0 # SKIP no busybox on this machine"
	exit 0
}
scene matrix 9

n=0
for shell in dash bash busybox; do
	for who in root sudo ops; do
		host=${hosts[n]}
		case $who in root) how='user: root, ' ;; sudo) how='become: sudo, ' ;; ops) how='' ;; esac
		sed -i "s/^\(  $host: {.*\)become: sudo, /\1$how/" "$scene/inventory.yml"
		[ "$shell" != busybox ] || cp "$busybox" "$fleet/hosts/$host/root/usr/bin/busybox"
		timeout 30 tests/fleet/real shell "$host" "ln -sf $shell /bin/sh.new && mv /bin/sh.new /bin/sh &&
			usermod -s /bin/sh root && usermod -s /bin/sh ops && mkfifo -m 666 /run/here /run/go" "$fleet" >/dev/null 2>&1
		name[n]="$shell, $who"
		n=$((n + 1))
	done
done
# what they are, asked past hoshu
kinds=$(for host in "${hosts[@]}"; do
	timeout 20 ssh -T -F "$fleet/ssh_config" -l ops "$host" 'a=$(readlink -f "/proc/$$/exe"); echo "$a"'
done | uniq -c | tr -s '\n ' ' ')
is "$kinds" ' 3 /usr/bin/dash 3 /usr/bin/bash 3 /usr/bin/busybox ' 'three hosts of each shell'

plan() { # name title: the steps follow on standard input
	{
		printf '%s\n' "change: $2" 'reason: a test' 'targets: all' 'waves: [{ hosts: rest }]' \
			'limits: { failed: 9, unreachable: 9 }' 'steps:'
		cat
	} >"$scene/$1.yml"
	submit "$scene/$1.yml"
	approve
}
look='cat /root/conf /home/ops/conf 2>/dev/null; cat /root/log /home/ops/log 2>/dev/null'
see() { everywhere "$1" "$look" "${hosts[@]}"; }
hosts_where() { # tag text: how many say it; the others are named
	local i right=0
	for i in "${!hosts[@]}"; do
		if [ "$(cat "$scene/seen/${hosts[i]}.$1")" = "$2" ]; then right=$((right + 1)); else
			echo "# ${name[i]}: $(tr '\n' '|' <"$scene/seen/${hosts[i]}.$1")" >&3
		fi
	done
	echo "$right"
}
exec 3>&1

# every way in which a script is made: a file, a text with quotes, an environment, a standard input, an argv
plan every 'Every kind of step' <<'YAML'
  - file: { path: "${{ facts.home }}/conf", content: "it's one\n", mode: "0640" }
  - shell: 'read -r a; printf "%s\n" "$a $E" "it''s" >>"$HOME/log"'
    env: { E: "a 'b' \"c\" $d" }
    stdin: "in\n"
    rollback: keep
    because: a test
  - run: [sh, -c, 'echo "$1" >>"$2/log"', sh, "x  y", "${{ facts.home }}"]
    rollback: keep
    because: a test
YAML
run
is "$status" 0 'a change is done on all nine'
[ "$status" = 0 ] || told
see every
is "$(hosts_where every "it's one
in a 'b' \"c\" \$d
it's
x  y")" 9 'and left there what it should'

# larger than what goes inline, so on a channel of its own
head -c 50000 /dev/zero | tr '\0' '#' >"$scene/files/large"
sed -i '$a files: files' "$scene/hoshu.yml"
plan back 'One that fails' <<'YAML'
  - file: { path: "${{ facts.home }}/conf", source: large, mode: "0600" }
  - shell: 'exit 7'
    rollback: keep
    because: a test
YAML
run
is "$status" 7 'one that fails on all nine is taken back'
[ "$status" = 7 ] || told
see back
is "$(hosts_where back "it's one
in a 'b' \"c\" \$d
it's
x  y")" 9 'and all nine are as before'

plan late 'Deaf at its deadline' <<'YAML'
  - shell: 'trap "" TERM; echo $$ >"$HOME/pid"; while :; do sleep 1; done'
    timeout: 2s
    rollback: keep
    because: a test
YAML
run
is "$(grep -c 'FAILED: its deadline passed and it was stopped' "$scene/seen/run")" 9 'deaf at its deadline: stopped on all nine'
# shellcheck disable=SC2016
everywhere late 'read -r p <"$(ls /root/pid /home/ops/pid 2>/dev/null)"; ! grep "^State:.[^ZX]" "/proc/$p/status" 2>/dev/null' "${hosts[@]}"
is "$(hosts_where late '')" 9 'and nothing of it lives'

plan lost 'Lost in the middle' <<'YAML'
  - shell: 'echo here >/run/here; read -r _ </run/go; echo lost >>"$HOME/log"'
    rollback: keep
    because: a test
YAML
timeout 120 "$hoshu" run "$change" --folder "$scene" >"$scene/seen/run" 2>&1 &
runs=$!
for host in "${hosts[@]}"; do timeout 60 tests/fleet/real shell "$host" 'cat /run/here' "$fleet" >/dev/null; done
for pid in $(cat "/proc/$runs/task/$runs/children"); do kill -KILL "$pid"; done
wait "$runs" 2>/dev/null
# the way that it is settled: with the step at work, and when it has ended
timeout 120 "$hoshu" run "$change" --folder "$scene" >"$scene/seen/run" 2>&1 &
runs=$!
for host in "${hosts[@]}"; do timeout 60 tests/fleet/real shell "$host" 'timeout 20 sh -c "echo >/run/go"' "$fleet"; done
wait "$runs"
is "$?" 0 'lost in the middle: the next run settles all nine'
see lost
is "$(hosts_where lost "it's one
in a 'b' \"c\" \$d
it's
x  y
lost")" 9 'and the step ran once'
is "$(hoshu audit show "$change" --json | grep -c '"kind":"step-intent"')" 9 'launched once each'
hoshu audit verify >/dev/null
is $? 0 'the journal holds'
echo "# 3 shells, 3 kinds of login, 4 changes: 36 outcomes"
done_testing
