# shellcheck shell=sh disable=SC3013
# Where logind kills what a logout leaves (KillUserProcesses=yes), a launch would not outlive its
# connection: the shell moves out of the session's scope, into one that systemd-run makes. Behind
# boot.sh in the same shell; no fork on hosts where nothing kills.

stays() { # [moved]: false: this shell has to move first. g: a launch will not outlive a logout
	g=''
	while read -r a; do
		# of several hierarchies, systemd's own or the one of all
		case $a in *:name=systemd:/* | 0::/*) ;; *) continue ;; esac
		case $a in */session-*.scope*) g=logout && break ;; esac
		# its manager ends ten seconds after the last session of a user who does not linger
		case $a in */user@"$U".service/*) [ -e "/var/lib/systemd/linger/$(id -un)" ] || g=logout ;; esac
	done </proc/self/cgroup
	[ "$g" ] || return 0
	kills || {
		g=''
		return 0
	}
	[ ! "$1" ] || return 0
	set --
	[ "$U" = 0 ] || set -- --user
	: "${XDG_RUNTIME_DIR:=/run/user/$U}"
	export XDG_RUNTIME_DIR
	! setsid -w systemd-run --scope -q "$@" true </dev/null >/dev/null 2>&1
}

kills() { # asked of logind's configuration when that is newer than the answer
	set --
	for d in /usr/lib /usr/local/lib /etc /run; do
		set -- "$@" "$d/systemd/logind.conf" "$d/systemd/logind.conf.d" "$d"/systemd/logind.conf.d/*.conf
	done
	k=''
	{ read -r k; } 2>/dev/null <"$S/logout"
	for f; do [ ! "$f" -nt "$S/logout" ] || k=''; done
	[ "$k" ] || {
		a=$(grep -hs '^#*KillUserProcesses=' "$@") k='keeps .' n=''
		# nothing anywhere: what logind does that nobody has built otherwise
		[ "$a" ] || k='kills .'
		for a in $a; do
			case $a,$n in
			# a comment is what it was built with
			'#'*=yes,) k='kills .' ;;
			'#'*) ;;
			*=[yYtT1]* | *=[oO][nN]*) k='kills .' n=1 ;;
			*) k='keeps .' n=1 ;;
			esac
		done
		echo "$k" >"$S/logout"
	}
	[ "$k" = 'kills .' ]
}
