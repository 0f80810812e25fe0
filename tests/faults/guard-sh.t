#!/bin/sh
# The dead-man's part on a host, alone, on dash, bash as sh and busybox ash, and not as root: who wins
# a race is who acted, what was launched is taken back and nothing else, what is killed goes on,
# nothing stays behind. Cron is a file of ours here; real timers and reboots are in dead-man.t and guard-cron.t.
# covers: P4, P5
set -u
cd "$(dirname "$0")/../.." || exit 1
t=${GUARD_SH_T:-}
[ "$t" ] || {
	t=$(mktemp -d) || exit 1
	trap 'rm -rf "$t"' EXIT
	chmod 755 "$t"
}
count=${GUARD_SH_COUNT:-0} bad=0 rounds=34
[ "${FULL:-}" = '' ] || rounds=700

ok() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else
		bad=$((bad + 1))
		echo "not ok $count - $2"
	fi
}
wrong() {
	echo "# $*"
	faults=$((faults + 1))
}
is() { [ "$2" = "$3" ] || wrong "$1: '$2', not '$3'"; }

# What a launch would send, but for the machine's own cron, systemd and disks.
if [ ! -e "$t/F" ]; then
	{
		sed "s|/etc/cron.d|$t/cron.d|; s|/run/systemd/system|$t/none|; s/do sleep 3/do sleep 0.1/; s/sleep 0.2/sleep 0.02/" \
			runner/remote/stop.sh runner/remote/guard.sh
		echo 'guard_cron() { [ ! -e "$H/no-cron" ]; }; sync() { :; }'
		echo 'crontab() { if [ "$1" = - ]; then cat >"$H/crontab"; else cat "$H/crontab"; fi; }'
	} >"$t/F"
	{
		echo 'H=$1 S=$2 F=$3; shift 3; umask 022'
		echo 'eval "$F"; "$@"'
	} >"$t/on"
	# Two steps and the handler of the second.
	cat >"$t/undo" <<'UNDO'
guard_step second 'echo "undo 2" >>"$H/log"'
guard_step first 'echo "undo 1" >>"$H/log"'
guard_handler 'second none' 'echo handler >>"$H/log"'
guard_handler 'none' 'echo wrong >>"$H/log"'
UNDO
	mkdir "$t/cron.d" "$t/root"
	for s in dash bash busybox; do
		mkdir "$t/$s"
		p=$(command -v $s) && ln -s "$p" "$t/$s/sh"
	done
fi
who=$([ "$(id -u)" = 0 ] && echo root || echo user)
F=$(cat "$t/F")

on() { "$T" "$t/on" "$H" "$S" "$F" "$@"; } # FUNCTION...
host() { # NAME
	H=$t/$who/$1-$s S=$H/spool
	[ $who = root ] || S=$H/.local/state/hoshu # where place.sh has it
	mkdir -p "$S" "$H/undo"
}
arm() { on guard_arm id "$1" "$2" aaaa bbbb; } # SECONDS UNDO
launched() { # NAME...: as a real script leaves its undo.sh
	for n; do
		echo x >"$H/undo/$n.new"
		mv "$H/undo/$n.new" "$H/undo/$n.sh"
	done
}
log() { tr '\n' ' ' 2>/dev/null <"$H/log"; }
left() { # all but the decision, its end and what the scripts said
	for f in "$H"/guard/*; do
		case ${f##*/} in *.decision | *.end | *.out | '*') ;; *) echo "$f" ;; esac
	done
	grep -sl "$H/guard" "$H/crontab" "$t"/cron.d/*
	pgrep -f "sh $H/guard/[^ ]*/wake.sh"
}
clean() { # what ends by itself has a moment
	n=0
	while [ "$(left)" ] && [ $n -lt 30 ]; do
		sleep 0.1
		n=$((n + 1))
	done
	[ ! "$(left)" ] || wrong "left: $(left)"
}

fires() {
	host fires
	echo old >"$H/undo/first.sh" # an earlier change's: this one did not launch it
	arm 1 "$(cat "$t/undo")" || wrong "not armed: $?"
	on guard_ask id
	is 'asked while armed' $? 0
	launched second
	while [ ! -s "$H/guard/id.end" ]; do sleep 0.05; done
	on guard_ask id
	is asked $? 91
	on guard_confirm id
	is 'confirmed too late' $? 91
	is log "$(log)" 'undo 2 handler '
	clean
}

confirms() {
	host confirms
	arm 600 "$(cat "$t/undo")" || wrong "not armed: $?"
	launched first second
	on guard_confirm id
	is confirmed $? 0
	on guard_confirm id
	is 'confirmed again' $? 0
	on guard_ask id
	is asked $? 95
	on guard_now id
	is 'told to go back' $? 95
	on guard_ask other
	is 'one that never was' $? 94
	is log "$(log)" ''
	clean
}

now() {
	host now
	arm 600 "$(cat "$t/undo")" || wrong "not armed: $?"
	launched first second
	on guard_now id
	is now $? 0
	on guard_now id
	is again $? 0
	is log "$(log)" 'undo 2 undo 1 handler '
	clean
}

fails() { # one that always fails, one that fails once
	host fails
	arm 600 "guard_step third 'echo sorry >&2; exit 3'
$(cat "$t/undo")
guard_handler second '[ -e \"\$H/soon\" ] || { : >\"\$H/soon\"; exit 5; }; echo late >>\"\$H/log\"'" ||
		wrong "not armed: $?"
	launched first second third
	on guard_now id 2>"$H/said"
	is 'with a failure' $? 92
	is log "$(log)" 'undo 2 undo 1 handler late '
	grep -q sorry "$H/said" || wrong 'it does not say what failed'
	clean
}

framed() { # REQUEST...: the shell of a connection
	{
		cat runner/remote/host.sh runner/remote/place.sh runner/remote/logout.sh runner/remote/boot.sh
		printf '%s\n' "boot b '$S' plain ." "$@"
	} | HOME=$H "$T" 2>/dev/null | sed -n 's/^l>//p'
}

seals() {
	host seals
	rmdir "$S"
	framed >/dev/null
	arm 600 "$(cat "$t/undo")" || wrong "not armed: $?"
	framed "launch l aaaa 'echo x >$H/undo/first.sh; echo begun >>$H/log; sleep 60; echo wrong >>$H/log' ." \
		>"$H/verdict" &
	while ! grep -qs begun "$H/log"; do sleep 0.05; done
	on guard_now id
	is now $? 0
	is 'a launch after it' "$(framed "launch l bbbb 'echo wrong >>$H/log' .")" 'sealed 0 0'
	wait
	case $(cat "$H/verdict") in 'done 143 '*) ;; *) wrong "what ran: $(cat "$H/verdict")" ;; esac
	is log "$(log)" 'begun undo 1 '
	clean
}

killed() {
	host killed
	arm 600 "guard_step third '[ -e \"\$H/stuck\" ] || { : >\"\$H/stuck\"; exec sleep 60; }; echo \"undo 3\" >>\"\$H/log\"'
$(cat "$t/undo")" || wrong "not armed: $?"
	launched first second third
	on guard_now id & # waits for the end
	while [ ! -e "$H/stuck" ]; do sleep 0.05; done
	read -r p <"$H/guard/id/by"
	for k in $(pgrep -P "$p"); do kill -9 "$p" "$k"; done
	# as a boot would: it does not wait for its time again
	"$T" "$H/guard/id/wake.sh" 600
	wait
	on guard_confirm id
	is 'confirmed too late' $? 91
	is log "$(log)" 'undo 3 undo 2 undo 1 handler '
	clean
}

refuses() {
	host refuses
	arm 600 'this is (no script' 2>/dev/null && wrong 'armed what is no script'
	: >"$H/no-cron"
	arm 600 x 2>"$H/said" && wrong 'armed what no reboot starts again'
	grep -q 'would not survive a reboot' "$H/said" || wrong "said: $(cat "$H/said")"
	clean
}

races() { # the timer's end and a confirmation at the same moment
	host races
	r=0 c=0
	while [ $r -lt "$rounds" ]; do
		rm -rf "$H/log" "$H/undo/first.sh"
		on guard_arm "id$r" 600 "$(cat "$t/undo")" || wrong "race $r: not armed"
		launched first
		while ! p=$(sed -n 2p "$H/guard/id$r/by") || [ ! "$p" ]; do sleep 0.01; done
		on guard_confirm "id$r" &
		[ $((r % 4)) = 0 ] || sleep "0.0$((r % 3))$((r % 10))"
		kill "$p" 2>/dev/null # the sleep is over
		wait $!
		v=$?
		while [ -e "$H/guard/id$r" ]; do sleep 0.01; done
		case "$v $(cat "$H/guard/id$r.decision") $(log)" in
		'0 confirm . ') c=$((c + 1)) ;;
		'91 revert . undo 1 ') ;;
		*) wrong "race $r: rc $v, $(cat "$H/guard/id$r.decision"), $(log)" ;;
		esac
		r=$((r + 1))
	done
	echo "# $r races: $c confirmed, $((r - c)) reverted, $faults wrong"
	[ $c -gt 0 ] && [ $c -lt $r ] || wrong 'one side always won: this is no race'
	clean
}

try() { # FUNCTION NAME
	faults=0
	"$1"
	[ $faults = 0 ]
	ok $? "$s as $who: $2"
}

shells='dash bash busybox'
[ $who = root ] || [ "${FULL:-}" ] || shells=dash
for s in $shells; do
	T=$t/$s/sh
	if [ ! -e "$T" ]; then
		count=$((count + 1))
		echo "ok $count # SKIP no $s on this machine"
		continue
	fi
	try fires 'its time over, what was launched is taken back, then its handler'
	try confirms 'confirmed, nothing happens any more'
	try now 'told to, it goes back at once'
	try fails 'a way back that fails keeps no other from it, and is tried again'
	try seals 'a guarded step that runs is ended first, one that did not never runs'
	try killed 'killed on its way back, it goes on'
	try refuses 'what would not survive a reboot is not armed'
	[ $who != root ] || try races 'of a confirmation and a timer one wins, and both know'
done
if [ $who = root ]; then
	# a user may not see into where this checkout is
	mkdir -p "$t/user" "$t/checkout/runner" "$t/checkout/tests/faults"
	cp -r runner/remote "$t/checkout/runner"
	cp "tests/faults/${0##*/}" "$t/checkout/tests/faults"
	chmod -R go+rX "$t/checkout"
	chown 65534:65534 "$t/user" "$t/cron.d"
	GUARD_SH_T=$t GUARD_SH_COUNT=$count setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$t/checkout/tests/faults/${0##*/}" >"$t/said" 2>&1 || bad=1
	cat "$t/said"
	[ $bad = 0 ]
	exit
fi
echo "1..$count"
[ "$bad" = 0 ]
