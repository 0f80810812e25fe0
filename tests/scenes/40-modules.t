#!/bin/bash
# The laws of modules (modules/NAME/test.lua, held by tests/unit/test_modules.c) on hosts that have what
# package and service need: apt with two states of some packages, and systemd. Nothing is skipped there.
# covers: P2, P5
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
laws=$(dirname "$hoshu")/unit/test_modules
[ -x "$laws" ] || bail "no program $laws: make unit"
scene modules 2

hold() { # host modules...: their cases there, over one connection; SCENE/seen/HOST.laws
	local host=$1 mux
	shift
	mux="-F $fleet/ssh_config -o ControlMaster=auto -o ControlPath=$scene/%n -o ControlPersist=60 -l root"
	on "$host" touch /etc/hoshu-test-host
	HOSHU_TEST_DOOR="ssh -T $mux $host sh" timeout 170 "$laws" "$@" >"$scene/seen/$host.laws"
	echo "status $?" >>"$scene/seen/$host.laws"
	# shellcheck disable=SC2086
	ssh $mux -O exit "$host" 2>/dev/null
}
hold real1 package &
hold real2 service file run shell facts &
wait

held=0
while IFS= read -r line; do
	case $line in
	*'# SKIP host lacks: cp --version'*) # these hosts have none; it is held where the tests run
		count=$((count + 1)) held=$((held + 1))
		echo "ok $count # SKIP the host has no python3, which sets extended attributes"
		;;
	*'# SKIP'*) ok 1 "not to be skipped here: ${line#ok * - }" ;;
	'ok '*) ok 0 "${line#*sh: }" && held=$((held + 1)) ;;
	'not ok '*) ok 1 "${line#*sh: }" ;;
	'#'* | 'Bail out'*) echo "# $line" ;;
	esac
done < <(cat "$scene"/seen/*.laws)
is "$(grep -h '^status' "$scene"/seen/*.laws | xargs)" "status 0 status 0" "both runs ended well"
is "$(awk -F'[.]+' '/^1\.\./ { n += $2 } END { print n }' "$scene"/seen/*.laws)" "$held" "every case was held"
done_testing
