#!/bin/sh
# A wrong module was named as "broken.lua:4", with no folder to look in, and it hid all the others
# from `hoshu modules`. covers: P11
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
says() { # WORDS...: what hoshu says, errors first, and its status
	(cd "$place" && { "$hoshu" "$@" >out; } 2>&1; echo "status $?"; cat "$place/out")
}

echo "1..3"
mkdir "$place/modules" "$place/modules/broken" "$place/modules/other" "$place/modules/worse"
printf 'inventory: hosts.yml\nmodules: [modules, %s]\n' "$PWD/modules" >"$place/hoshu.yml"
printf 'hosts: { web1: }\n' >"$place/hosts.yml"
printf 'return {\n  name = "broken",\n' >"$place/modules/broken/broken.lua"
printf 'while true do end\n' >"$place/modules/worse/worse.lua"
cat >"$place/modules/other/other.lua" <<'LUA'
return { name = "other", summary = "fine", params = {},
  probe = function(host, p) return { state = {} } end,
  apply = function(sh, want, seen) end }
LUA
cat >"$place/plan.yml" <<'YML'
change: One step
reason: a test
targets: all
waves: [{ hosts: rest }]
steps:
  - broken: { x: y }
YML
fault="hoshu: $place/modules/broken/broken.lua:3: unexpected symbol near <eof>"
is "$(says check plan.yml)" "$fault
status 3" "check names the file"
is "$(says modules broken)" "$fault
status 3" "so does modules"
is "$(says modules | grep -v '^[a-z]* ' && says modules | grep '^other')" "$fault
hoshu: $place/modules/worse/worse.lua:1: it runs too long: its budget is spent
other      fine" "the list has all that are right, and names all that are wrong"
