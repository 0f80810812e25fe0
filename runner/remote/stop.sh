# shellcheck shell=sh disable=SC3013
# Ends what a launched script started: behind place.sh, which says where the spool S is. Signals every
# descendant of the step's supervisor, never the supervisor: it writes the verdict. There must be none
# while one of them lives, so on TERM the shell that the supervisor waits for is held until the others
# are gone; what does not go within two seconds is killed.

stop() { # XID SIGNAL
	k=''
	read -r _ p _ <"$S/$1" || return
	[ "/proc/$p/fd/9" -ef "$S/$1" ] || return
	if [ -r "/proc/$p/task/$p/children" ]; then below "$p"; else scan "$p"; fi
	[ "$k" ] || return
	s=$2 n=20
	# shellcheck disable=SC2086
	set -- $k
	if [ "$s" != TERM ]; then
		kill -"$s" "$@"
		return
	fi
	h=$1
	shift
	kill -STOP "$h"
	[ "$#" = 0 ] || kill -TERM "$@"
	alive "$@"
	while [ "$k" ] && [ "$n" -gt 0 ]; do
		sleep 0.1 || sleep 1
		n=$((n - 1))
		alive "$@"
	done
	for q in $k; do below "$q"; done # what they started since
	# shellcheck disable=SC2086
	[ ! "$k" ] || kill -KILL $k
	kill -TERM "$h"
	kill -CONT "$h"
}

alive() { # PID...: k: those that run
	k=''
	for q; do
		s=''
		read -r s <"/proc/$q/stat" || continue
		case ${s##*) } in Z* | X*) ;; *) k="$k $q" ;; esac
	done
}

below() { # PID: k grows by its descendants
	for f in "/proc/$1/task/"*/children; do
		c=''
		read -r c <"$f"
		for p in $c; do
			k="$k $p"
			below "$p"
		done
	done
}

scan() { # PID: the same where the kernel keeps no lists of children
	n=$1
	while [ "$n" ]; do
		m=$n n=''
		for f in /proc/[0-9]*/stat; do
			read -r s <"$f" || continue
			s=${s##*) ?}
			f=${f#/proc/} f=${f%/stat}
			for q in $m; do
				case $s in " $q "*) n="$n $f" k="$k $f" ;; esac
			done
		done
	done
}
