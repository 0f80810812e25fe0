# shellcheck shell=sh disable=SC3013
# Ends what a launched script started: behind place.sh, which says where S and H are. Signals every
# descendant of the step's supervisor, and whatever else still has what only the step was given, but
# never the supervisor: it writes the verdict. There must be none while one of them lives, so the
# shell that the supervisor waits for is held until the others are gone; what does not go within two
# seconds is killed. What cannot be killed leaves the step running: the next stop tries again.

stop() { # XID SIGNAL
	x=$S/$1 k='' h='' listed=''
	[ ! -r "/proc/$$/task/$$/children" ] || listed=1
	# the first claim may have been removed
	for c in "$x" "$H"/claim/*/"$1"; do
		q=''
		read -r _ q _ <"$c" || continue
		[ "/proc/$q/fd/9" -ef "$c" ] || [ "/proc/$q/fd/8" -ef "$c" ] || continue
		below "$q"
		h=${k# } h=${h%% *} k=''
		# once it stands still it starts nothing more
		[ ! "$h" ] || kill -STOP "$h"
		below "$q"
		break
	done
	holders "$1"
	[ "$k" ] || return
	signal=$2
	set --
	for q in $k; do [ "$q" = "$h" ] || set -- "$@" "$q"; done
	[ "$#" = 0 ] || kill -"$signal" "$@"
	gone "$@"
	for q in $k; do below "$q"; done # what they started since
	# shellcheck disable=SC2086
	[ ! "$k" ] || {
		kill -KILL $k
		gone $k
	}
	# what not even that ended hangs in the kernel, or is not ours: the step is not over
	[ ! "$k" ] || return
	# nothing else lives: this is its end, and the supervisor may say so
	[ ! "$h" ] || {
		echo >"$x.end"
		kill -"$signal" "$h"
		kill -CONT "$h"
	}
}

holders() { # XID: k grows by what has lost its supervisor, or its parent
	for f in /proc/[0-9]*/fd/[127]; do
		if [ "$f" -ef "$x" ] || [ "$f" -ef "$S/out/$1.1" ] || [ "$f" -ef "$S/out/$1.2" ]; then
			q=${f#/proc/} q=${q%%/*}
			case "$k " in *" $q "*) continue ;; esac
			k="$k $q"
			below "$q"
		fi
	done
}

gone() { # PID...: waits two seconds; k: those that still run
	n=20
	alive "$@"
	while [ "$k" ] && [ "$n" -gt 0 ]; do
		sleep 0.1 || sleep 1
		n=$((n - 1))
		alive "$@"
	done
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
	if [ "$listed" ]; then listed "$1"; else scan "$1"; fi
}

listed() { # PID
	for f in "/proc/$1/task/"*/children; do
		c=''
		read -r c <"$f"
		for p in $c; do
			case "$k " in *" $p "*) continue ;; esac
			k="$k $p"
			listed "$p"
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
				case $s in " $q "*) ;; *) continue ;; esac
				case "$k " in *" $f "*) ;; *) n="$n $f" k="$k $f" ;; esac
			done
		done
	done
}
