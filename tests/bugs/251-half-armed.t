#!/bin/sh
# What arms a dead-man is killed on its way, as by a power cut: the host said for ever that it was
# going back, or that it was armed. Nothing was launched under it: there is no such dead-man.
set -u
cd "$(dirname "$0")/../.." || exit 1
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
{
	sed "s|/etc/cron.d|$t/cron.d|; s|/run/systemd/system|$t/none|; s/sleep 0.2/sleep 0.02/" \
		runner/remote/stop.sh runner/remote/guard.sh
	echo 'guard_cron() { :; }; sync() { :; }; crontab() { cat >/dev/null; }'
	echo '[ ! "${STOP_AT:-}" ] || eval "$STOP_AT() { kill -9 \$\$; }"'
} >"$t/F"
mkdir -p "$t/cron.d" "$t/H/undo" "$t/S"
# shellcheck disable=SC2016
echo 'H=$1 S=$2 F=$(cat "$3"); shift 3; eval "$F"; "$@"' >"$t/on"
on() { timeout 20 sh "$t/on" "$t/H" "$t/S" "$t/F" "$@" 2>/dev/null; }
count=0
is() { # GOT WANT NAME
	count=$((count + 1))
	if [ "$1" = "$2" ]; then echo "ok $count - $3"; else
		echo "not ok $count - $3"
		echo "# got $1, want $2"
	fi
}
echo 'guard_step first "echo wrong >>\"\$H/log\""' >"$t/undo"

for at in guard_how guard_script guard_before guard_timer guard_armed; do
	for ask in guard_ask guard_confirm guard_now; do
		rm -rf "$t/H/guard" "$t/cron.d/"*
		(STOP_AT=$at on guard_arm id 600 "$(cat "$t/undo")" aaaa >/dev/null 2>&1)
		[ -d "$t/H/guard/id" ] || echo "# $at: it was not killed in the middle"
		on $ask id
		is $? 94 "killed at $at, $ask: there is none"
		n=0 # a sleeper that was woken has a moment
		while pgrep -f "$t/H/guard" >/dev/null && [ $n -lt 50 ]; do
			sleep 0.1
			n=$((n + 1))
		done
		left=$(pgrep -f "$t/H/guard")
		for f in "$t/H/guard/id" "$t/cron.d/"*; do [ ! -e "$f" ] || left="$left $f"; done
		is "$left" '' "killed at $at, $ask: nothing is left of it"
	done
done
rm -rf "$t/H/guard" "$t/cron.d/"*
on guard_arm id 600 "$(cat "$t/undo")" aaaa
is $? 0 'the next one is armed'
on guard_ask id
is $? 0 'and says so'
on guard_confirm id
is $? 0 'and is called off'
is "$(cat "$t/H/log" 2>/dev/null)" '' 'nothing was taken back'
echo "1..$count"
