# shellcheck shell=sh disable=SC3013
# What hoshu runs on a host: one shell for a connection reads this, then requests. ask runs hoshu's
# own commands, launch runs a script at most once and outlives the connection, settle says what
# became of it and seals what never ran. A request ends in a bare dot and counts its words, so that
# one cut off by a lost connection does nothing. Runs on dash, bash as sh and busybox ash; no fork
# but the work's own, no here-documents, no read from the request stream.
# [ A -ef B ] is not POSIX, but all three have it (SC3013).
# A launched script sees S (spool), H (what outlives a reboot) and x (its own key in the spool).

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
unset ENV BASH_ENV CDPATH IFS
umask 022
cd / || exit
trap : TERM INT HUP

ask() { # NONCE TEXT .
	[ "$#$3" = 3. ] || return
	printf '\n%s<\n' "$1"
	(
		s=$2
		set --
		eval "$s"
	) </dev/null
	printf '\n%s>%s\n' "$1" "$?"
	printf '\n%s>\n' "$1" >&2
}

launch() { # NONCE XID TEXT .
	[ "$#$4" = 4. ] || return
	x=$S/$2
	(
		trap - INT QUIT HUP
		set -C
		# the claim: whoever creates the file may run, nobody else ever
		exec 9>"$x" || exit
		set +C
		t=$3
		# our own pid, without a fork
		set -- /proc/self/task/*
		echo "run ${1##*/} ." >&9 || {
			rm -f "$x"
			exit
		}
		set --
		(eval "$t") 9>&- >"$S/out/${x##*/}.1" 2>"$S/out/${x##*/}.2"
		s=$? u=-
		read -r u _ </proc/uptime
		# the script removed the claim: without one it would pass for never run
		[ -e "$x" ] || {
			set -C
			exec 9>"$x"
			echo 'run - .' >&9
		}
		echo "rc $s ${u:--} ." >&9
	) </dev/null >/dev/null 2>&1 &
	while
		wait "$!"
		s=$?
		[ "$s" -gt 128 ] && kill -0 "$!" 2>/dev/null
	do :; done
	settle "$1" "$2" .
}

settle() { # NONCE XID .
	[ "$#$3" = 3. ] || return
	x=$S/$2
	# without its token the spool was emptied: that a claim is missing proves nothing then
	[ ! -s "$S/token" ] || {
		set -C
		echo 'sealed .' >"$x"
		set +C
	} 2>/dev/null
	look
	case $v in
	'run '*)
		v=${v#run } v=${v% .}
		# only its supervisor holds the claim open as descriptor 9
		if [ "/proc/$v/fd/9" -ef "$x" ]; then v=running; else
			look # it may have ended between the two
			case $v in done*) ;; *) v=lost ;; esac
		fi
		;;
	esac
	printf '\n%s<\n' "$1"
	tell "$S/out/$2.2" >&2
	s=$n
	tell "$S/out/$2.1"
	printf '\n%s>%s %s %s\n' "$1" "$v" "$n" "$s"
	printf '\n%s>\n' "$1" >&2
}

look() { # v: sealed, claimed, done RC UPTIME, or the run line
	a='' b='' v=claimed
	{
		read -r a
		read -r b
	} 2>/dev/null <"$x"
	case "$a,$b" in
	'sealed .,') v=sealed ;;
	'run '*' .,rc '*' .') v=${b#rc } v="done ${v% .}" ;;
	'run '*' .,'*) v=$a ;;
	esac
}

tell() { # FILE: its last 64 KiB; n: its size, which is where tail's reading ended
	n=0
	[ -s "$1" ] && {
		tail -c 65536 <&8
		read -r _ n </proc/self/fdinfo/8
	} 8<"$1"
	# a flood gives its memory back once it is over
	case $v in done*)
		[ "$n" -le 1048576 ] || fallocate -p -o 0 -l "$((n - 65536))" "$1" 2>/dev/null || : >"$1"
		;;
	esac
}
