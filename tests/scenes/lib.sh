# shellcheck shell=bash
# lib.sh: what the scenes on the real fleet share: a fresh fleet, a project folder with three persons,
# the steps of a change, and looks at the hosts that do not go through hoshu. Sourced, from the
# repository's root: `scene NAME N` first. Whatever a scene leaves is under build/scenes/NAME.
set -u

hoshu=$(realpath "${HOSHU:-./hoshu}")
count=0

ok() { # status name
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
}
is() { # got want name
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf '%s\n' "   got: $1" "  want: $2" | head -n 40 | sed 's/^/#/'
}
like() { # text part name: part stands in text, as it is
	[[ $1 == *"$2"* ]]
	ok $? "$3"
	[[ $1 == *"$2"* ]] || { echo "  want: $2" && printf '%s\n' "$1" | head -n 60; } | sed 's/^/#/'
}
done_testing() { echo "1..$count"; }
bail() {
	echo "Bail out! $*"
	exit 1
}

# --- place -----------------------------------------------------------------------------------------

scene() { # name hosts: sets scene (its folder), fleet, hosts, and what DIR/versions says
	local why n person
	[ -x "$hoshu" ] || bail "no program $hoshu: run make"
	why=$(tests/fleet/real can) || {
		echo "1..0 # SKIP $why"
		exit 0
	}
	scene=build/scenes/$1 fleet=build/fleet/scene-$1
	trap 'timeout 60 tests/fleet/real down "$fleet"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	timeout 60 tests/fleet/real down "$fleet"
	timeout 300 tests/fleet/real up "$2" "$fleet" || bail "the fleet does not come up"
	hosts=()
	for ((n = 1; n <= $2; n++)); do hosts+=("real$n"); done
	# shellcheck source=/dev/null
	. "$fleet/versions"

	rm -rf "$scene"
	mkdir -p "$scene/files" "$scene/modules" "$scene/keys" "$scene/seen"
	for person in alice bob carol; do
		ssh-keygen -q -t ed25519 -N '' -C "$person" -f "$scene/keys/$person"
		printf '%s namespaces="approve@hoshu,reject@hoshu,answer@hoshu" %s\n' "$person" \
			"$(cut -d' ' -f1,2 "$scene/keys/$person.pub")" >>"$scene/approvers"
	done
	cat >"$scene/hoshu.yml" <<-'YAML'
		inventory: inventory.yml
		store: store
		approvals: 2
		approvers: approvers
		roles: { dba: [alice] }
		modules: [modules, ../../../modules]
	YAML
	# the fleet's own, one folder up and two down
	sed "s|^ssh_config: .*|ssh_config: ../../../$fleet/ssh_config|" "$fleet/inventory.yml" >"$scene/inventory.yml"
	cp "$fleet/ca.pem" "$scene/files/site-ca.pem"
}

# --- hoshu, in the scene's project -----------------------------------------------------------------

# Every call ends; one that does not is a failure of its own (124).
hoshu() { timeout 180 "$hoshu" "$1" --folder "$scene" "${@:2}" 2>&1; }
submit() { # plan: sets change
	local out
	out=$(hoshu submit "$1" --as carol) || {
		printf '%s\n' "$out" | sed 's/^/# /'
		bail "submit of $1 failed"
	}
	change=$(sed -n 's/^\(CHG-[0-9]*\) submitted.*/\1/p' <<<"$out")
}
approve() { # alice's and bob's
	local person
	for person in alice bob; do
		hoshu approve "$change" --as "$person" --key "$scene/keys/$person" >/dev/null ||
			bail "$person could not approve $change"
	done
}
run() { # sets status; what was said is in SCENE/seen/run
	hoshu run "$change" >"$scene/seen/run"
	# shellcheck disable=SC2034
	status=$?
}
told() { sed 's/^/# /' "$scene/seen/run"; }

# --- the hosts, past hoshu -------------------------------------------------------------------------

on() { # host command...: as root
	local host=$1
	shift
	timeout 60 ssh -T -F "$fleet/ssh_config" -l root "$host" "$@" 2>&1
}
everywhere() { # tag script hosts...: SCENE/seen/HOST.tag is what the script, as root, says
	local tag=$1 script=$2 host
	shift 2
	for host; do
		on "$host" bash -s <<<"$script" >"$scene/seen/$host.$tag" &
	done
	wait
}
said() { # tag hosts...: what each said
	local tag=$1 host
	shift
	for host; do cat "$scene/seen/$host.$tag"; done
}
each() { # text hosts...: what `said` gives when every host says this
	local text=$1 host
	shift
	for host; do printf '%s\n' "$text"; done
}

# NAME VERSION of both packages
# shellcheck disable=SC2016,SC2034
look_versions='dpkg-query -W -f "\${Package} \${Version}\n" libssl3 openssl'

# shellcheck disable=SC2034
look_marks='apt-mark showmanual'

# How the nginx master runs. "stale": it maps a library that is no more. "older": it started before
# the library came (the file's ctime: dpkg keeps mtime, nobody can set ctime).
# shellcheck disable=SC2016,SC2034
look_nginx='
	pid=$(systemctl show -p MainPID --value nginx)
	[ "$pid" -gt 0 ] 2>/dev/null || { echo "does not run"; exit; }
	grep -q "libssl\.so\.3$" "/proc/$pid/maps" || echo "no libssl"
	grep -q "/lib\(ssl\|crypto\)\.so\.3 (deleted)" "/proc/$pid/maps" && echo stale
	lib=$(stat -L -c %.3Z /usr/lib/*-linux-gnu/libssl.so.3)
	now=$(date +%s.%N)
	read -r up _ </proc/uptime
	set -- $(sed "s/.*) //" "/proc/$pid/stat")
	awk -v now="$now" -v up="$up" -v ticks="${20}" -v hz="$(getconf CLK_TCK)" -v lib="$lib" \
		"BEGIN { print(now - up + ticks / hz > lib ? \"younger\" : \"older\") }"
'
# shellcheck disable=SC2016,SC2034
look_pid='systemctl show -p MainPID -p ExecMainStartTimestampMonotonic nginx'

# Everything on the disk of a host: kind, mode, owner, content or target. Left out: logs, caches, what
# hoshu keeps on a host, and dpkg'"'"'s and systemd'"'"'s own book-keeping (dpkg -l and the marks stand for it).
# shellcheck disable=SC2016,SC2034
look_disk='
	cd /
	dpkg -l | cat
	'"$look_marks"'
	set -- . -xdev \( -path ./var/log -o -path ./var/cache -o -path ./var/lib/hoshu -o -path ./var/lib/systemd \
		-o -path "./var/lib/dpkg/*-old" -o -path ./var/lib/dpkg/status -o -path "./var/lib/dpkg/lock*" \
		-o -path "./var/lib/apt/*" \) -prune -o
	find "$@" \( -type f -o -type d \) -printf "%y %m %u:%g %p\n" -o -printf "%y %m %u:%g %p %l\n" | LC_ALL=C sort -k4
	find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
'

address() { sed -n "s/^  $1: { address: \([0-9.]*\),.*/\1/p" "$fleet/inventory.yml"; }
