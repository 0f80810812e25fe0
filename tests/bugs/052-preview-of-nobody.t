#!/bin/sh
# A preview whose hosts could all not be asked said "NOT enforced on -4 of 0 hosts", or "enforced by
# every host's kernel". Of nobody it says nothing. covers: P1
set -u
cd "$(dirname "$0")/../.." || exit 1
hoshu=$(realpath "${HOSHU:-hoshu}")
export LC_ALL=C
modules=$PWD/modules
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
count=0

is() { # GOT WANT NAME
	count=$((count + 1))
	if [ "$1" = "$2" ]; then echo "ok $count - $3"; else
		printf 'not ok %s - %s\n#  got: %s\n# want: %s\n' "$count" "$3" "$1" "$2"
	fi
}

[ "$(uname)" = Linux ] || { echo "1..0 # SKIP 127.1.255.1 is loopback on Linux only"; exit 0; }
echo "1..3"
ssh-keygen -q -t ed25519 -N '' -f "$place/key" || exit 1
printf 'inventory: hosts.yml\nmodules: [%s]\n' "$modules" >"$place/hoshu.yml"
printf 'ssh_config: ssh_config\nhosts: { dark1: , dark2: }\n' >"$place/hosts.yml"
cat >"$place/ssh_config" <<CONFIG
Host *
	HostName 127.1.255.1
	Port 1
	User nobody
	IdentityFile $place/key
	IdentitiesOnly yes
	IdentityAgent none
	UserKnownHostsFile $place/known_hosts
	GlobalKnownHostsFile /dev/null
CONFIG
printf '[127.1.255.1]:1 %s\n' "$(cut -d' ' -f1,2 "$place/key.pub")" >"$place/known_hosts"
cat >"$place/plan.yml" <<'YML'
change: One file
reason: a test
targets: all
waves: [{ hosts: rest }]
steps:
  - file: { path: /tmp/one, content: one }
YML
said=$(cd "$place" && "$hoshu" preview plan.yml 2>&1)
is $? 6 "nobody answers"
is "$(printf '%s\n' "$said" | grep 'preview  ')" "  preview   0 hosts will change, 0 stay as they are, 2 could not be asked" "all are counted"
is "$(printf '%s\n' "$said" | grep -c enforced)" 0 "nothing is said of how they were asked"
