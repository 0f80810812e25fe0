# shellcheck shell=sh
# In a read-only shell, before its first request: what of the shutting-in holds, judged by what the
# kernel says of this very shell and by nothing that the wrapper claims. Prints gaps and words.

judge() {
	g='' w='' n=''
	while read -r a b c _; do
		case $a in
		NSpid:) [ "$c" ] || g="$g signals" ;;
		CapEff: | CapPrm:) case $b in 0000000000000000 | 0000000000000004) ;; *) g="$g capabilities" ;; esac ;;
		NoNewPrivs:) [ "$b" = 1 ] || g="$g privileges" ;;
		esac
	done </proc/self/status
	while read -r a _; do
		case $a in lo:* | Inter-* | face) ;; *) n=1 ;; esac
	done </proc/self/net/dev
	[ ! "$n" ] || g="$g network"
	[ "$HOSHU_SOCKETS" ] || g="$g sockets"
	unset HOSHU_SOCKETS
	while read -r i p _ _ a b c; do
		case "$b,$a $c" in ro,* | "rw,"*",/dev/shm "*"- tmpfs hoshu "*) continue ;; esac
		case " $w " in *" $a "*) continue ;; esac
		# where more is open than a mount, it need not be exact
		[ "$g" ] || reached "$i" "$p" "$a" || continue
		w="$w $a"
	done </proc/self/mountinfo
	for a in $w; do
		# what lies in somebody's closed folder is out of reach (a name with \040 cannot be tried)
		case $a in *\\*) ;; *) [ -e "$a" ] || continue ;; esac
		g="$g mount:$a"
	done
	printf 'gaps%s\n' "$g"
}

reached() { # ID PARENT PLACE: no other mount lies on it or on a folder above it, nor so with its parents
	while :; do
		n=''
		while read -r i p _ _ m _; do
			[ "$i" != "$2" ] || n="$p $m"
			case $p,$3 in
			"$1,$m") [ "$m" = / ] || return 1 ;;
			"$2,$m"/*) return 1 ;;
			esac
		done </proc/self/mountinfo
		[ "$n" ] || return 0
		set -- "$2" "${n%% *}" "${n#* }"
	done
}
