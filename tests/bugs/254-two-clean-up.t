#!/bin/sh
# Who calls a dead-man off and its timer's end both clean up; where both removed its folder at once with
# busybox' rm, each failed at what the other had taken and the empty folder stayed for ever.
set -u
cd "$(dirname "$0")/../.." || exit 1
busybox=$(command -v busybox) || {
	echo '1..0 # SKIP no busybox on this machine'
	exit 0
}
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
mkdir "$t/sh"
ln -s "$busybox" "$t/sh/sh"
ln -s "$busybox" "$t/sh/rm"
cat runner/remote/stop.sh runner/remote/guard.sh >"$t/F"
# shellcheck disable=SC2016
echo 'PATH=$1:$PATH F=$(cat "$2") g=$3 i=id how=none; eval "$F"; guard_sleep() { k=""; }; guard_clean' >"$t/on"
left=0 n=0
while [ $n -lt 30 ]; do
	mkdir "$t/g"
	(cd "$t/g" && seq 1 400 | xargs touch) # enough to meet
	for _ in 1 2; do timeout 20 "$t/sh/sh" "$t/on" "$t/sh" "$t/F" "$t/g" & done
	wait
	[ ! -d "$t/g" ] || left=$((left + 1))
	rm -rf "$t/g"
	n=$((n + 1))
done
echo "# $n times, $left folders left behind"
[ $left = 0 ] && echo 'ok 1 - nothing is left behind' || echo 'not ok 1 - nothing is left behind'
echo 1..1
