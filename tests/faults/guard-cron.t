#!/bin/sh
# The dead-man on a host without systemd: cron as it is, in a namespace that stands for a machine, as
# root and as a user. Its boot is a namespace of its own, its power cut the end of all that lives in
# it; what is on its disk stays. Started again it goes back in its time, once, and nothing stays behind.
# covers: P4, P5
set -u
cd "$(dirname "$0")/../.." || exit 1
skip() {
	echo "1..0 # SKIP $*"
	exit 0
}
[ "$(id -u)" = 0 ] || skip 'a machine of namespaces needs root'
command -v cron >/dev/null && command -v crontab >/dev/null || skip 'no cron here: tests/deps.sh install --test'
unshare --mount --pid --fork --mount-proc --propagation private true 2>/dev/null || skip 'no namespaces here'
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
chmod 755 "$t"
count=0

ok() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
}
is() { # GOT WANT NAME
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf '# got: %s\n# want: %s\n' "$1" "$2"
}

# A disk: what a reboot leaves. /run is new with each boot.
cat runner/remote/stop.sh runner/remote/guard.sh >"$t/F"
cat >"$t/on" <<'ON'
H=$1 S=$2 F=$(cat "$3"); shift 3; umask 022
eval "$F"; "$@"
ON
cat >"$t/undo" <<'UNDO'
guard_step first 'read -r u _ </proc/uptime; echo "undo $u" >>"$H/log"'
UNDO
disk() { # a new one
	rm -rf "$t/disk"
	mkdir -p "$t/disk/cron.d" "$t/disk/crontabs" "$t/disk/root/undo" "$t/disk/user/undo"
	chown root:crontab "$t/disk/crontabs"
	chmod 1730 "$t/disk/crontabs"
	chown -R "$user" "$t/disk/user"
}
user=nobody

# One boot: cron, then the words on standard input; all ends with the last of them.
boot() { # WHO
	cat >"$t/words"
	unshare --mount --pid --fork --mount-proc --propagation private --kill-child sh -c '
		t=$1 who=$2
		H=$t/disk/$who S=/run/hoshu
		mount -t tmpfs -o mode=755 tmpfs /run && mkdir -m 777 /run/hoshu
		mount --bind "$t/disk/cron.d" /etc/cron.d
		mount --bind "$t/disk/crontabs" /var/spool/cron/crontabs
		as() { if [ "$who" = user ]; then setpriv --reuid='"$user"' --regid="$(id -g '"$user"')" --clear-groups "$@"; else "$@"; fi; }
		on() { as sh "$t/on" "$H" "$S" "$t/F" "$@"; }
		arm() { on guard_arm id "$1" "$(cat "$t/undo")" aaaa; }
		launched() { as sh -c "echo x >\"\$1\"" sh "$H/undo/first.sh"; }
		table() { if [ "$who" = user ]; then as crontab -l 2>/dev/null; else cat /etc/cron.d/* 2>/dev/null; fi; }
		uptime() { read -r u _ </proc/uptime; echo "$u"; }
		cron
		. "$t/words"
	' sh "$t" "$1" 2>&1
}
past() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f\n", b - a }'; }
between() { awk -v x="$1" -v a="$2" -v b="$3" 'BEGIN { exit !(x >= a && x <= b) }'; }
# shellcheck disable=SC2016
gone='[ -e "$H/guard/id" ] && echo "its folder"; table | grep wake; n=0
	# a sleeper that was woken has a moment
	while pgrep -f "/guard/[^ ]*wake.sh" >/dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
	pgrep -f "/guard/[^ ]*wake.sh"'

for who in root user; do
	disk
	said=$(boot $who <<-'WORDS'
		[ "$who" = root ] || echo '0 0 1 1 * true of its owner' | as crontab -
		arm 4 || echo "not armed: $?"
		launched
		on guard_ask id
		echo "asked $?"
		table | sed "s|$H|H|"
	WORDS
	)
	case $who in
	root) want='asked 0
@reboot root sh H/guard/id/wake.sh 4' ;;
	user) want='asked 0
0 0 1 1 * true of its owner
@reboot sh H/guard/id/wake.sh 4' ;;
	esac
	is "$said" "$want" "$who: armed with cron's own table"
	[ ! -e "$t/disk/$who/log" ]
	ok $? "$who: the power went before its time"
	said=$(boot $who <<-'WORDS'
		uptime
		n=0
		until [ -s "$H/log" ] || [ $n -ge 300 ]; do sleep 0.1; n=$((n + 1)); done
		until [ ! -e "$H/guard/id" ] || [ $n -ge 350 ]; do sleep 0.1; n=$((n + 1)); done
		on guard_ask id
		echo "asked $?"
	WORDS
	)
	took=$(past "$(echo "$said" | head -n 1)" "$(sed -n 's/^undo //p' "$t/disk/$who/log")")
	between "$took" 3.5 9
	ok $? "$who: started again it goes back, its time after the boot"
	echo "# $who: $took s after the boot"
	is "$(echo "$said" | tail -n +2)" 'asked 91' "$who: and says so"
	is "$(grep -c undo "$t/disk/$who/log")" 1 "$who: once"
	said=$(boot $who <<-WORDS
		$gone
		table
	WORDS
	)
	case $who in root) want='' ;; user) want='0 0 1 1 * true of its owner' ;; esac
	is "$said" "$want" "$who: nothing is left, its owner's lines stay"

	disk
	said=$(boot $who <<-WORDS
		arm 600 || echo "not armed: \$?"
		launched
		on guard_confirm id
		echo "confirmed \$?"
		$gone
	WORDS
	)
	is "$said" 'confirmed 0' "$who: called off, and gone from cron's table"
	disk
	said=$(boot $who <<-WORDS
		arm 600 || echo "not armed: \$?"
		launched
	WORDS
	)
	is "$said" '' "$who: armed again, the power goes"
	said=$(boot $who <<-WORDS
		n=0
		until [ -s "\$H/guard/id/by" ] || [ \$n -ge 100 ]; do sleep 0.1; n=\$((n + 1)); done
		on guard_confirm id
		echo "confirmed \$?"
		$gone
	WORDS
	)
	is "$said" 'confirmed 0' "$who: and called off behind the boot, what cron started ends"
done
echo "1..$count"
