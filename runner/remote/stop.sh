# shellcheck shell=sh disable=SC3013
# Ends what a launched script started: sh -c THIS hoshu ROOT_SPOOL XID SIGNAL. Signals every
# descendant of the step's supervisor, never the supervisor: it writes the verdict.

stop() { # ROOT_SPOOL XID SIGNAL
	place "$1"
	read -r _ p _ <"$S/$2" || return
	[ "/proc/$p/fd/9" -ef "$S/$2" ] || return
	if [ -r "/proc/$p/task/$p/children" ]; then below "$p"; else scan "$p"; fi
	# shellcheck disable=SC2086
	[ ! "$k" ] || kill -"$3" $k
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

k=''
exec 2>/dev/null
stop "$@"
