#!/bin/sh
# Where /bin/sh is a busybox that prefers its own commands, its unshare and its setpriv were taken for
# those of util-linux: no reader's shell started there, and the host could not be previewed. The rest of
# the way is in tests/faults/host-sh-matrix.t. covers: P1
cd "$(dirname "$0")/../.." || exit 1
busybox=$(command -v busybox) || {
	echo "1..0 # SKIP no busybox on this machine"
	exit 0
}
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
mkdir "$t/busybox" "$t/dash"
ln -s "$busybox" "$t/busybox/sh"
ln -s "$(command -v dash)" "$t/dash/sh"

gaps() { # SHELL: what that reader says of itself
	{
		cat runner/remote/host.sh runner/remote/place.sh runner/remote/judge.sh runner/remote/boot.sh
		echo "boot b '' readonly ."
	} | "$t/$1/sh" -c "$(cat runner/remote/reader.sh)" hoshu "$(cat runner/remote/shut_in.sh)" 2>/dev/null |
		grep '^gaps'
}
dash=$(gaps dash)
sh=$(gaps busybox)
echo "# dash: $dash"
echo 1..2
if [ "$sh" ]; then echo 'ok 1 - a reader starts'; else echo 'not ok 1 - a reader starts'; fi
if [ "$sh" = "$dash" ]; then echo 'ok 2 - as shut in as elsewhere'; else
	echo 'not ok 2 - as shut in as elsewhere'
	echo "# busybox: $sh"
fi
[ "$sh" ] && [ "$sh" = "$dash" ]
