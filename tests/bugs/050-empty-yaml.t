#!/bin/sh
# An empty plan gave libyaml no text at all, and libyaml aborted (signal 6). An empty hoshu.yml, on
# the other hand, is a project. covers: P11
set -u
cd "$(dirname "$0")/../.." || exit 1
hoshu=$(realpath "${HOSHU:-hoshu}")
export LC_ALL=C
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
count=0

is() { # GOT WANT NAME
	count=$((count + 1))
	if [ "$1" = "$2" ]; then echo "ok $count - $3"; else
		printf 'not ok %s - %s\n#  got: %s\n# want: %s\n' "$count" "$3" "$1" "$2"
	fi
}
says() { # WHAT WORDS...: what hoshu says and its status
	(cd "$place" && "$hoshu" "$@" 2>&1; echo "status $?")
}

echo "1..4"
mkdir "$place/inventory"
: >"$place/hoshu.yml"
: >"$place/empty.yml"
printf '\357\273\277' >"$place/mark.yml"
is "$(says check empty.yml)" "hoshu: empty.yml:1:1: plan must be a map of keys, here it is nothing
status 3" "an empty plan"
is "$(says check mark.yml)" "hoshu: mark.yml:1:1: plan must be a map of keys, here it is nothing
status 3" "nothing but a byte order mark"
is "$(says hosts)" "hoshu: $place/inventory/hosts.yml: there is no such inventory; write it, or name another with inventory: in hoshu.yml
status 3" "an empty hoshu.yml is a project, whose inventory is missed"
: >"$place/inventory/hosts.yml"
is "$(says hosts | sed 's/inventory: .*/inventory: .../')" "hoshu: $place/inventory/hosts.yml:1:1: the inventory must be a map of keys, here it is nothing
status 3" "an empty inventory"
