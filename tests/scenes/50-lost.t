#!/bin/bash
# The patch, and what can happen in the middle of apt's work: the coordinator is killed, the host crashes,
# the connection is lost, the step's own supervisor is killed. Nothing runs twice, nothing is said that is not
# so, and where the packages got there in the end nginx is on them. covers: P3, P4
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
scene lost 4

one() { # host: the plan for that host alone
	sed -e "s/^targets: .*/targets: $1/" -e '/name: canary/d; /hosts: 2,/d' playbooks/patch-openssl.yml >"$scene/$1.yml"
}
amid() { # host command...: does it while apt works there on an approved change; sets runs: pid of the run
	local host=$1
	shift
	one "$host"
	submit "$scene/$host.yml"
	approve
	# apt waits when dpkg is through, so that "in the middle" can be met
	on "$host" 'mkfifo /run/middle /run/go && echo "DPkg::Post-Invoke { \"echo here >/run/middle; timeout 20 cat /run/go || :\"; };" >/etc/apt/apt.conf.d/99middle'
	timeout 120 "$hoshu" run "$change" --folder "$scene" >"$scene/seen/run" 2>&1 &
	runs=$!
	is "$(timeout 30 tests/fleet/real shell "$host" 'cat /run/middle' "$fleet")" here "$host: apt is in the middle of it"
	"$@"
}
go_on() { timeout 10 tests/fleet/real shell "$1" 'rm -f /etc/apt/apt.conf.d/99middle; test ! -p /run/go || echo >/run/go' "$fleet"; }
ends() { # host: how the run must have ended
	everywhere after "$look_versions; dpkg --audit; $look_nginx" "$1"
	is "$(said after "$1")" "libssl3 $LIBSSL3_NEW
openssl $OPENSSL_NEW
younger" "$1: new packages, nginx on them"
	is "$(perl tests/scenes/journal.pl order <(hoshu audit show "$change" --json))" "" "$1: each intent has one outcome"
	like "$(hoshu show "$change")" "state: ended, done (exit status 0)" "$1: the change is done"
}

killed() { # the coordinator, hard; timeout(1) is its parent
	kill -KILL "$(cat "/proc/$runs/task/$runs/children")"
	wait "$runs"
}
amid real1 killed 2>/dev/null
like "$(hoshu show "$change")" "1 OpenSSL: open" "real1: the journal knows that the step is open"
go_on real1
run
is "$status" 0 "real1: run again after a kill -9 of the coordinator"
[ "$status" = 0 ] || told
ends real1

amid real2 timeout 30 tests/fleet/real crash real2 "$fleet"
go_on real2
wait "$runs"
is "$?" 0 "real2: a crash of the host"
like "$(cat "$scene/seen/run")" "1 OpenSSL: changed: its outcome was lost; its probe says it is met" "real2: says what is known and what not"
ends real2

# its answers go nowhere, then its end of the connection is gone, then it can be reached again
lost() {
	timeout 30 tests/fleet/real cut real3 "$fleet"
	timeout 10 tests/fleet/real shell real3 'pkill -KILL -f "^sshd: ops"' "$fleet"
}
amid real3 lost
go_on real3
timeout 30 tests/fleet/real mend real3 "$fleet"
wait "$runs"
is "$?" 0 "real3: a connection that was lost"
[ "$(hoshu audit show "$change" --json | grep -c '"kind":"host-opened"')" -gt 1 ]
ok $? "real3: it was asked again on another one"
ends real3

# its supervisor alone: what it started goes on, as under an OOM killer with a bad aim
# shellcheck disable=SC2016
amid real4 on real4 'for f in /run/hoshu/*; do [ ! -f "$f" ] || { read -r a p _ <"$f"; [ "$a" != run ] || kill -KILL "$p"; }; done'
go_on real4
wait "$runs"
is "$?" 0 "real4: a supervisor that was killed"
like "$(cat "$scene/seen/run")" "1 OpenSSL: changed: its outcome was lost; its probe says it is met" "real4: says what is known and what not"
ends real4
hoshu audit verify >/dev/null
is $? 0 "the journal holds"
done_testing
