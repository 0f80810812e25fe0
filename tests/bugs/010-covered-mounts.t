#!/bin/sh
# A mount that another one covers cannot be reached, so it is no gap of a read-only shell, writable or
# not: hosts under systemd-nspawn have three of them, and every preview there said "not enforced". What
# can be reached still is a gap. covers: P1
set -u
cd "$(dirname "$0")/../.." || exit 1
if [ "$(id -u)" != 0 ] || ! unshare -m -n -i -p -f true 2>/dev/null; then
	echo "1..0 # SKIP needs root and namespaces"
	exit 0
fi
count=0

gaps() { # MOUNTS AGAIN: what a read-only shell says of /mnt with these mounts, AGAIN done behind the shutting-in
	# shellcheck disable=SC2016
	{
		cat runner/remote/judge.sh
		echo judge
	} | unshare -m --propagation private sh -ec '
		mkdir -p "$0"; mount -t tmpfs t "$0"; cd "$0"; mkdir -p a/b c; eval "$1"; cd /
		exec sh -c "$2" hoshu "$3"' "$place" "$1" "$(cat runner/remote/reader.sh)" \
		"$(sed "s|^c=+dac|$2; &|" runner/remote/shut_in.sh)" | tr ' ' '\n' | grep "^mount:$place" | tr '\n' ' '
}
is() { # GOT WANT NAME
	count=$((count + 1))
	if [ "$1" = "$2" ]; then echo "ok $count - $3"; else
		printf 'not ok %s - %s\n#  got: %s\n# want: %s\n' "$count" "$3" "$1" "$2"
	fi
}

place=/mnt
tmp='mount -t tmpfs t'
echo "1..6"
is "$(gaps "$tmp a; mkdir a/b; $tmp a/b" :)" "" "all is read-only"
is "$(gaps "$tmp a/b; $tmp a; mkdir a/b" :)" "" "a mount below a covered folder is no gap"
is "$(gaps "$tmp a/b; mkdir a/b/d; $tmp a/b/d; $tmp a; mkdir -p a/b/d" :)" "" "nor what stands on one"
is "$(gaps "$tmp a; $tmp a" :)" "" "nor a mount with another on top"
is "$(gaps "$tmp a/b" "mount -o remount,bind,rw $place/a/b")" "mount:$place/a/b " "one that can be reached is a gap"
is "$(gaps "$tmp a/b; $tmp a; mkdir a/b; $tmp a/b" "mount -o remount,bind,rw $place/a/b")" "mount:$place/a/b " \
	"also where a covered one has the same path"
