# shellcheck shell=sh
# The wrapper of a read-only connection (P1): sh -c THIS hoshu "$(cat shut_in.sh)". Starts a shell
# in namespaces of its own and lets shut_in.sh close them; where the kernel allows none, the bare
# shell that remains says so in judge.sh. The requests on standard input are for that last shell
# alone: nothing before it may read them.

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
unset ENV BASH_ENV CDPATH IFS
exec 3>&1
# sockets with a path, which a network namespace does not hide
k=$(sed -n 's/^[^/]*\(\/.*\)$/\1/p' /proc/net/unix 2>/dev/null) || k=/
# by its path: a busybox shell prefers its own, which knows less
real() { # NAME: r
	r=$1
	IFS=:
	for d in $PATH; do
		[ -x "$d/$1" ] || continue
		r=$d/$1
		break
	done
	unset IFS
}
real unshare
for how in '' '--user --map-current-user --keep-caps'; do
	# a shell that started must never be followed by a plain one on the same requests
	# shellcheck disable=SC2086
	started=$("$r" $how -m -n -i -p -f --kill-child /bin/sh -c "$1" hoshu shut "$k" 4>&1 >&3 3>&-)
	[ ! "$started" ] || exit 0
done
exec 3>&-
exec /bin/sh -c "$1" hoshu bare ''
