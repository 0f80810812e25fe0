# shellcheck shell=sh
# host-sh.sh: what the tests of the framed shell alone share: a folder, the three shells by the name by
# which a host would start them, a host's S and H in that folder. Sourced from the repository's root.
set -u
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
count=0 bad=0

ok() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else
		bad=$((bad + 1))
		echo "not ok $count - $2"
	fi
}
fail() { echo "# $*"; }
done_testing() {
	echo "1..$count"
	[ "$bad" = 0 ]
}
each_shell() { # COMMAND: with SHELL NAME behind it, on every shell that this machine has
	for s in dash bash busybox; do
		if [ -e "$t/$s/sh" ]; then "$1" "$t/$s/sh" "$s"; else
			count=$((count + 1))
			echo "ok $count # SKIP no $s on this machine"
		fi
	done
}

HOME=$t/home
export HOME
mkdir "$HOME" "$t/dash" "$t/bash" "$t/busybox"
for s in dash bash busybox; do
	p=$(command -v $s) && ln -s "$p" "$t/$s/sh"
done

# two places as root has them, whoever we are
here() { echo "place() { U=0 S=$HOME/run H=$HOME/lib; }"; }
{
	cat runner/remote/host.sh
	here
	cat runner/remote/logout.sh runner/remote/boot.sh
	echo "boot b '' plain ."
} >"$t/prelude"
{
	here
	cat runner/remote/stop.sh
	echo 'exec 2>/dev/null; place; stop "$1" TERM'
} >"$t/stop"

told() { # SHELL XID: what a new shell says
	{
		cat "$t/prelude"
		printf "settle s '%s' .\n" "$2"
	} | "$1" 2>/dev/null | sed -n 's/^s>//p'
}
verdict() { # SHELL XID: the same, once it is not running any more
	while :; do
		v=$(told "$1" "$2")
		case $v in running*) ;; *) break ;; esac
	done
	echo "$v"
}
