# shellcheck shell=sh
# The first request of a connection: finds or makes the spool, and tells what hoshu needs to know of
# the host. Behind host.sh and place.sh in the same shell. Lines of the answer: life BOOT_ID TOKEN, uid N,
# clock SECONDS.NANOSECONDS, uptime SECONDS, gaps WORDS, or refused WORD PATH; or moving, and then
# another shell reads all that from the start (logout.sh).

boot() { # NONCE ROOT_SPOOL plain|moved|readonly .
	[ "$#$4" = 4. ] || return
	printf '\n%s<\n' "$1"
	e='' t='' l='' u='' g='' move=''
	place "$2"
	case $3 in
	readonly) judge ;;
	*) spool ;;
	esac
	{ read -r t; } 2>/dev/null <"$S/token"
	case $t in *' .') t=${t% .} ;; *) t=- ;; esac
	T=$t Y=''
	case $3,$t$e in
	readonly,*) ;;
	*,-) e="token $S" ;;
	*,"$t")
		second
		stays "${3#plain}" || move=1
		;;
	esac
	read -r l </proc/sys/kernel/random/boot_id
	read -r u _ </proc/uptime
	if [ "$e" ]; then
		printf 'refused %s\n' "$e"
	elif [ "$move" ]; then
		echo moving
	else
		[ "$3" = readonly ] || [ ! "$g" ] || printf 'gaps %s\n' "$g"
		printf 'life %s %s\nuid %s\nclock %s\nuptime %s\n' "$l" "$t" "$U" "$(date +%s.%N)" "$u"
	fi
	printf '\n%s>0\n' "$1"
	printf '\n%s>\n' "$1" >&2
	[ ! "$move" ] || {
		set --
		[ "$U" = 0 ] || set -- --user
		# a sudo that is ended passes that on to its command's group
		exec setsid -w systemd-run --scope -q "$@" /bin/sh
	}
}

spool() { # makes the folders and the token that names this spool's life
	umask 077
	make_spool
	umask 022
}

make_spool() {
	for d in "$S" "$S/out" "$S/blob" "$H"; do
		[ -d "$d" ] || {
			mkdir -p "$d"
			# the cap of what steps may print: never the memory of the host's own /run
			[ "$d" != /run/hoshu/out ] ||
				mount -t tmpfs -o size=64m,mode=700,nosuid,nodev,noexec hoshu "$d"
		} >/dev/null 2>&1
		if [ -L "$d" ] || [ ! -d "$d" ] || [ ! -O "$d" ]; then
			e="spool $d"
			return
		fi
	done
	# What steps printed is with the coordinator long since; the claims stay. Counting forks nothing.
	set -- "$S"/out/*
	[ "$#" -lt 2000 ] || find "$S/out" -type f -mmin +60 -exec rm -f {} + 2>/dev/null
	[ ! -s "$S/token" ] || return
	{
		read -r t </proc/sys/kernel/random/uuid
		# by link, so that of two first connections one wins and none reads half a token
		echo "$t ." >"$S/token.$$" && ln "$S/token.$$" "$S/token"
		rm -f "$S/token.$$"
	} >/dev/null 2>&1
}

# Y: where a step that removes its claim in the spool leaves a second one, in a folder of this life;
# empty where there is no room for it.
second() {
	Y=$H/claim/$T
	[ -d "$Y" ] || {
		umask 077
		mkdir -p "$Y" && find "$H/claim" -mindepth 1 -maxdepth 1 ! -name "$T" -exec rm -rf {} +
		umask 022
		[ -d "$Y" ] || Y=''
	} >/dev/null 2>&1
	# after a day the first is enough
	[ ! "$Y" ] || {
		set -- "$Y"/*
		[ "$#" -lt 2000 ] || find "$Y" -type f -mmin +1440 -exec rm -f {} + 2>/dev/null
	}
}
