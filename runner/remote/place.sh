# shellcheck shell=sh disable=SC2088,SC2034
# Where the spool is. In front of every script that is not run by the framed shell.

place() { # ROOT_SPOOL: sets U (effective uid), S (spool) and H (what outlives a reboot)
	while read -r a _ U _; do [ "$a" = Uid: ] && break; done </proc/self/status
	case $U in
	0) S=${1:-/run/hoshu} H=${1:-/var/lib/hoshu} ;;
	*) S=${HOME:-/nowhere}/.local/state/hoshu H=$S ;;
	esac
	case $S in "~/"*) S=${HOME:-/nowhere}/${S#??} H=$S ;; esac
}
