#!/bin/sh
# lint.sh: every tool that has an opinion; prints what it finds, ends with 1
# when it found anything.
set -u
cd "$(dirname "$0")/.." || exit 2
bad=0

run() { # NAME COMMAND...: a tool that is missing is said, not passed over
	name=$1
	shift
	if ! command -v "$1" >/dev/null; then
		echo "lint: no $1 here (make deps-test installs it)"
		bad=1
		return
	fi
	if "$@"; then
		echo "lint: $name: clean"
	else
		echo "lint: $name: see above"
		bad=1
	fi
}

# shellcheck disable=SC2046
{
	run format clang-format --dry-run -Werror $(git ls-files 'runner/*.[ch]' 'tests/unit/*.[ch]' 'tests/fuzz/*.[ch]' 'tests/faults/*.c')
	run cppcheck cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr \
		--suppressions-list=tests/cppcheck.txt \
		--enable=warning,portability -Irunner $(git ls-files 'runner/*.c')
	run luacheck luacheck -q --config modules/.luacheckrc \
		$(git ls-files 'modules/*.lua')
	run shellcheck shellcheck -S warning -x $(git ls-files 'tests/*.sh' 'runner/remote/*.sh') .ci/run \
		tests/fleet/light tests/fleet/real tests/fleet/real-base
	run manual mandoc -T lint -W warning $(git ls-files 'runner/man/*.[1-9]')
}
exit $bad
