# shellcheck shell=sh disable=SC3013
# What hoshu runs on a host: one shell for a connection reads this, then requests. ask runs hoshu's
# own commands, launch runs a script at most once and outlives the connection, settle says what
# became of it and seals what never ran. A request ends in a bare dot and counts its words, so that
# one cut off by a lost connection does nothing. Runs on dash, bash as sh and busybox ash; no fork
# but the work's own, no here-documents, no read from the request stream.
# [ A -ef B ] is not POSIX, but all three have it (SC3013).
# A launched script sees S (spool), H (what outlives a reboot) and x (its own key in the spool).
#
# A claim is a file made once, in S and again below H (Y, of boot.sh), so that a step that removes or
# empties one is still known by the other. Only the supervisor of a step holds them open (9 and 8);
# what the step starts gets the claim to read, as 7. While anybody has that, or prints into the step's
# output, the step is running, whoever was killed meanwhile.

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
	x=$S/$2 y=${Y:+$Y/$2}
	# an earlier step emptied the spool: one that is made anew has another life
	if [ ! -d "$S/out" ] || [ ! -s "$S/token" ]; then spool; fi
	(
		trap - INT QUIT HUP
		set -C
		# the claim: whoever creates the files may run, nobody else ever
		exec 9>"$x" || exit
		[ ! "$y" ] || command exec 8>"$y" || [ ! -e "$y" ] || exit
		set +C
		t=$3
		# our own pid, without a fork
		set -- /proc/self/task/*
		echo "run ${1##*/} ." >&9 || {
			rm -f "$x" "$y"
			exit
		}
		echo "run ${1##*/} ." >&8
		set --
		(
			trap '[ "$?" -le 128 ] || echo >"$x.end"' 0
			eval "$t"
		) 9>&- 8>&- 7<"$x" >"$S/out/${x##*/}.1" 2>"$S/out/${x##*/}.2"
		s=$? u=-
		# Its shell was killed, not by stop.sh: what that started may be at work still, and how it ends
		# nobody hears.
		[ "$s" -le 128 ] || [ "$s" -gt 192 ] || [ -e "$x.end" ] || {
			while held "${x##*/}" /proc/self/fd/9 ''; do sleep 0.1 || sleep 1; done
			exit
		}
		read -r u _ </proc/uptime
		echo "rc $s ${u:--} ." >&9
		echo "rc $s ${u:--} ." >&8
		# the script removed the claim: without one it would pass for never run
		[ -e "$x" ] || {
			set -C
			exec 9>"$x"
			printf 'run - .\nrc %s %s .\n' "$s" "${u:--}" >&9
		}
	) </dev/null >/dev/null 2>&1 &
	while
		wait "$!"
		s=$?
		[ "$s" -gt 128 ] && kill -0 "$!" 2>/dev/null
	do :; done
	# the supervisor was killed: the step may be at work still
	[ "$s" -le 128 ] || while held "$2" "$x" 9; do sleep 0.1 || sleep 1; done
	settle "$1" "$2" .
}

held() { # XID CLAIM 9: has any process what the step alone was given, as its output, its error or 7
	for f in /proc/[0-9]*/fd/[127"$3"]; do
		if [ "$f" -ef "$2" ] || [ "$f" -ef "$S/out/$1.1" ] || [ "$f" -ef "$S/out/$1.2" ]; then
			return 0
		fi
	done
	return 1
}

settle() { # NONCE XID .
	[ "$#$3" = 3. ] || return
	x=$S/$2 y=${Y:+$Y/$2} v=''
	seal "$x" || look "$x" 9
	case $v,$y in
	sealed,?*)
		# a step may have removed the first claim
		if seal "$y"; then :; elif [ -e "$y" ] || [ ! -d "$Y" ]; then look "$y" 8; fi
		;;
	claimed,?*)
		look "$y" 8
		[ "$v" != sealed ] || v=claimed
		;;
	esac
	# somebody who has just claimed it will run
	[ "$v" != claimed ] || if held "$2" "$x" 9; then v=running; else look "$x" 9; fi
	# in a spool that was emptied a missing claim proves nothing
	[ "$v" != sealed ] || {
		a=''
		read -r a <"$S/token"
		[ "$a" = "$T ." ] || v=claimed
	} 2>/dev/null
	printf '\n%s<\n' "$1"
	tell "$S/out/$2.2" >&2
	s=$n
	tell "$S/out/$2.1"
	printf '\n%s>%s %s %s\n' "$1" "$v" "$n" "$s"
	printf '\n%s>\n' "$1" >&2
}

seal() { # CLAIM: nobody had it, and now nobody ever will
	set -C
	command exec 9>"$1" || {
		set +C
		return 1
	}
	set +C
	v=sealed
	echo 'sealed .' >&9
	exec 9>&-
} 2>/dev/null

look() { # CLAIM FD: v: sealed, claimed, done RC UPTIME, running or lost
	words "$1"
	case $v in 'run '*) ;; *) return ;; esac
	a=${v#run } a=${a% .} v=running
	# only its supervisor holds the claim open as that descriptor
	[ "/proc/$a/fd/$2" -ef "$1" ] || {
		words "$1" # it may have ended between the two
		case $v in
		done*) ;;
		*) if held "${x##*/}" "$x" 9; then v=running; else v=lost; fi ;;
		esac
	}
}

words() { # CLAIM: v: sealed, claimed, done RC UPTIME, or its run line
	a='' b='' v=claimed
	{
		read -r a
		read -r b
	} 2>/dev/null <"$1"
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
	# a flood gives its memory back once it is over: its first 960 KiB and last 64 stay
	case $v in done*)
		[ "$n" -le 1048576 ] || fallocate -p -o 983040 -l "$((n - 1048576))" "$1" 2>/dev/null || thin "$1"
		;;
	esac
}

thin() { # FILE: the same where fallocate cannot: cut off, and made as long again; once
	k=$S/${1##*/}.k
	set -C
	true >"$k" || {
		set +C
		return
	}
	set +C
	if ! tail -c 65536 "$1" >"$k" || ! truncate -s 983040 "$1" || ! truncate -s "$((n - 65536))" "$1" ||
		! cat "$k" >>"$1"; then
		true >"$1"
	fi
	true >"$k"
} 2>/dev/null
