#!/bin/sh
# What a first user was told and could not follow: to name a folder that is not there beside hoshu's
# modules, that `reboot:` wants "a map of its params" though it has none, and that no limit is set,
# though what is not given is 1. covers: P11
set -u
cd "$(dirname "$0")/../.." || exit 1
hoshu=$(realpath "${HOSHU:-hoshu}")
modules=$PWD/modules
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
check() { # the plan that stands on the standard input
	cat >"$place/plan.yml"
	(cd "$place" && "$hoshu" check plan.yml 2>&1; echo "status $?")
}

echo "1..5"
(cd "$place" && "$hoshu" init >/dev/null)
# as on a machine where hoshu is not installed: the first plan names a module that is nowhere
advice=$(check <"$place/playbooks/motd.yml" | sed -n 's/.*in hoshu\.yml (\(modules: .*\)).*/\1/p')
if [ -n "$advice" ]; then
	is "$advice" "modules: [/where/it/is/modules]" "hoshu.yml is to name one folder"
else
	count=$((count + 1)); echo "ok $count # SKIP hoshu is installed here"
fi
printf '%s\n' "modules: [$modules]" >>"$place/hoshu.yml"
is "$(check <"$place/playbooks/motd.yml" | sed -n '$p')" "status 0" "with that the first plan is right"

is "$(check <<'YML'
change: Reboot
reason: a test
targets: web
waves: [{ hosts: rest }]
steps:
  - reboot:
    rollback: keep
    because: it harms nobody
YML
)" "hoshu: plan.yml:6:12: reboot: it takes nothing: write reboot: {}
status 3" "a module that takes nothing is told so"
is "$(cd "$place" && "$hoshu" modules reboot)" "reboot: Reboot the host, once, and wait until it answers again
  it takes nothing: reboot: {}" "and so says hoshu modules"

is "$(check <<'YML' | sed -n '1p;$p'
change: Greeting
reason: a test
targets: web
waves: [{ hosts: rest }]
rollback: { limit: hold }
steps:
  - file: { path: /etc/motd, content: hi }
YML
)" "plan.yml: right
status 0" "a limit that is not given is 1, so what follows it may be said"
