#!/bin/sh
# `check` reaches no host, yet it refused an inventory whose ssh_config was not there yet, such as
# inventory/lab.yml before `make lab`. Whoever reaches hosts is told, with the place.
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
says() { # WORDS...: what hoshu says and its status
	(cd "$place" && "$hoshu" "$@" 2>&1; echo "status $?")
}

echo "1..3"
printf 'inventory: hosts.yml\nmodules: [%s]\n' "$modules" >"$place/hoshu.yml"
printf 'ssh_config: lab/ssh_config\nhosts: { web1: , web2: }\n' >"$place/hosts.yml"
cat >"$place/plan.yml" <<'YML'
change: One file
reason: a test
targets: all
waves: [{ hosts: rest }]
steps:
  - file: { path: /tmp/one, content: one }
YML
is "$(says check plan.yml)" "plan.yml: right
  One file
  1 step on 2 hosts in 1 wave, at most 2 in flight
next: hoshu preview plan.yml
status 0" "check, and its numbers agree with their words"
is "$(says preview plan.yml)" "hoshu: $place/hosts.yml:1:13: ssh_config: there is no file '$place/lab/ssh_config', so no host can be reached; it is looked for beside the inventory
status 3" "preview says what is missing and where it is named"
is "$(says hosts | wc -l)" 3 "hosts lists them"
