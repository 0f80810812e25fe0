#!/bin/bash
# A preview cannot write (P1): the probe of a module of the scene's own tries all of attempts.sh. Every try is
# refused, nothing on the host is different afterwards, and the preview says that the kernel saw to it. The
# same tries get through for root, and a host that cannot shut a probe in is named. covers: P1
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
scene readonly 2

mkdir "$scene/modules/attempt"
{
	echo 'local ATTEMPTS = [==['
	cat tests/scenes/attempts.sh
	cat <<-'LUA'
		]==]
		return {
		  name = "attempt", summary = "Try to change a host while it is only looked at", params = {},
		  probe = function(host)
		    local a = host:ask { script = ATTEMPTS }
		    return { state = { rc = tostring(a.rc) }, info = { said = a.out .. a.err } }
		  end,
		  want = function() return { rc = "none" } end,
		  apply = function(sh) sh:run { "true" } end,
		  undo = function(sh) sh:run { "true" } end,
		  diff = function(seen) return seen.info.said, "attempts" end,
		}
	LUA
} >"$scene/modules/attempt/attempt.lua"
cat >"$scene/attempt.yml" <<-'YAML'
	change: Look, and try to do more
	reason: P1
	targets: canary
	waves: [{ hosts: rest }]
	steps: [{ attempt: {} }]
YAML
cat >"$scene/look.yml" <<-'YAML'
	change: Only look
	reason: P1
	targets: web
	waves: [{ hosts: rest }]
	steps: [{ file: { path: /etc/motd, content: "x\n" } }]
YAML

# shellcheck disable=SC2016
look_run='
	find /run /tmp /dev -xdev \( -path /run/systemd/journal -o -path /run/systemd/sessions -o -path /run/systemd/users \
		-o -path "/run/systemd/transient*" -o -path "/run/systemd/units*" -o -path "/run/user*" -o -path "/dev/pts*" \) -prune \
		-o -printf "%y %m %u:%g %p %l\n" | LC_ALL=C sort -k4
	hostname
	systemctl show -p Id,MainPID,ActiveState,NRestarts nginx ssh dbus systemd-journald systemd-logind
	systemctl list-units --all --plain --no-legend --no-pager | grep -v -e session -e user -e "^run-"
	systemctl show-environment
	pgrep -f "[s]leep 86399"
	cat /proc/mounts | grep -v /run/user
'

expected() { sed -n "s/^try '\([^']*\)'.*/\1: $1/p" tests/scenes/attempts.sh; }
everywhere before "$look_disk$look_run" real1
preview=$(hoshu preview "$scene/attempt.yml")
is $? 0 "preview of a module that tries to write"
everywhere after "$look_disk$look_run" real1
is "$(grep -o '[a-z].*: \(refused\|through\)$' <<<"$preview")" "$(expected refused)" "every try is refused"
like "$preview" "enforced by every host's kernel" "the preview says so"
diff "$scene/seen/real1.before" "$scene/seen/real1.after" >"$scene/seen/diff"
ok $? "nothing on the host is different"
head -n 20 "$scene/seen/diff" | sed 's/^/#   /'
[ "$(wc -l <"$scene/seen/real1.before")" -gt 5000 ]
ok $? "and it was looked at"
is "$(on real1 'journalctl -q -o cat -t root -t attempt | grep -c attempt')" 0 "nor did its log hear of it"

everywhere tries "$(cat tests/scenes/attempts.sh)" real2
is "$(said tries real2)" "$(expected through)" "the same tries get through for root"
is "$(on real2 'pgrep -fc "sleep 8639[9]"')" 1 "and what they left running runs"

# Without unshare a host cannot shut a probe in; its probe may look no less, and the preview says which.
on real2 'mv /usr/bin/unshare /usr/bin/unshare.away'
preview=$(hoshu preview "$scene/look.yml")
is $? 0 "preview with a host that has no unshare"
like "$preview" "NOT enforced on 1 of" "says on how many hosts it is not enforced"
like "$preview" "
1 host: real2
  read-only not enforced: " "and on which"
done_testing
