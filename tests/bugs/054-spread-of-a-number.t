#!/bin/sh
# `rack: 1` in an inventory is a number, and spread: said that the host had no such variable.
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
says() { # VARS: what check says of a host with them
	printf 'hosts: { web1: { vars: %s } }\n' "$1" >"$place/hosts.yml"
	(cd "$place" && "$hoshu" check plan.yml 2>&1 | head -1)
}

echo "1..3"
printf 'inventory: hosts.yml\nmodules: [%s]\n' "$modules" >"$place/hoshu.yml"
cat >"$place/plan.yml" <<'YML'
change: One file
reason: a test
targets: all
waves: [{ hosts: rest }]
spread: { rack: 1 }
steps:
  - file: { path: /tmp/one, content: one }
YML
is "$(says '{ rack: 1 }')" "hoshu: plan.yml:5:11: spread: 'rack' of host web1 is no text; put it in quotes in the inventory" "a number"
is "$(says '{ row: a }')" "hoshu: plan.yml:5:11: spread: host web1 has no variable 'rack' in the inventory" "none"
is "$(says '{ rack: "1" }')" "plan.yml: right" "a text"
