# shellcheck shell=sh disable=SC3013,SC1091
# The dead-man on a host: what it needs to arm a way back that comes by itself, and to disarm it.
# Behind stop.sh, of which it uses stop; S and H are those of place.sh, F is the text of both
# files. $H/guard/ID holds what is armed. $H/guard/ID.decision settles the race: link(2) gives that
# name to "confirm ." or to "revert .", never to both; it stays when all else is cleaned up.
# An exit status is the answer: 90 armed, 91 reverted, 92 reverted but a script failed, 93 reverting,
# 94 there is no such guard, 95 confirmed, 96 open but its timer would not fire. 0: it is what was asked for.

guard_arm() { # ID SECONDS UNDO XID...: armed wholly, or not at all; $g/armed says so
	i=$1 g=$H/guard/$1 t=$2 w=$3
	umask 077
	mkdir -p "$H/guard" && mkdir "$g" || return 1
	find "$H/guard" -mtime +30 \( -name '*.decision' -o -name '*.end' -o -name '*.out' \) -exec rm -f {} +
	shift 3
	if printf '%s\n' "$w" >"$g/undo" && echo 'confirm .' >"$g/confirm" && echo 'revert .' >"$g/revert" &&
		guard_how && echo "$how" >"$g/how" && printf '%s\n' "$@" >"$g/xids" &&
		guard_script >"$g/wake.sh" && sh -n "$g/wake.sh" && sh -n "$g/undo" &&
		guard_before && guard_timer; then
		sync
		guard_armed || echo 'hoshu: the timer of the dead-man was made but does not run' >&2
		guard_armed && echo >"$g/armed" && sync && return
	fi
	guard_clean
	return 1
}

guard_how() { # how: by what it survives a reboot
	while read -r a _ U _; do [ "$a" = Uid: ] && break; done </proc/self/status
	how=systemd
	[ "$U" != 0 ] || [ ! -d /run/systemd/system ] || return 0
	how='crontab'
	[ "$U" != 0 ] || how=cron.d
	guard_cron && return
	echo 'hoshu: no systemd and no cron to start it: the dead-man would not survive a reboot' >&2
	return 1
}

guard_cron() { # one that knows @reboot; busybox' does not
	for p in /proc/[0-9]*; do
		read -r a <"$p/comm" && case $a in
		cron | crond) [ "$p/exe" -ef /bin/busybox ] || return 0 ;;
		esac
	done 2>/dev/null
	return 1
}

guard_script() {
	printf '%s\n' 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C' \
		'export PATH LC_ALL' 'unset ENV BASH_ENV CDPATH IFS' 'umask 022' 'cd /' \
		"S='$S' H='$H' i=$i g=\$H/guard/\$i how=$how" "$F" 'guard_wake "$@"'
}

guard_before() ( # what an earlier change left in the same place proves nothing about this one
	guard_step() {
		[ ! -e "$H/undo/$1.sh" ] || [ -e "$g/old.$1" ] || ln "$H/undo/$1.sh" "$g/old.$1" || exit 1
	}
	guard_handler() { :; }
	. "$g/undo" && :
)

guard_timer() { # it starts again, in full, after a reboot
	u=/etc/systemd/system/hoshu-guard-$i
	case $how in
	systemd)
		# OnActiveSec counts anew in each boot. OnBootSec fires at once where the host is up for longer.
		printf '%s\n' '[Unit]' 'Description=hoshu takes back what nobody confirmed' \
			'StartLimitIntervalSec=0' '[Service]' 'Type=simple' "ExecStart=/bin/sh $g/wake.sh" \
			'KillMode=process' 'Restart=on-failure' 'RestartSec=2' >"$u.service" &&
			printf '%s\n' '[Unit]' "Description=hoshu dead-man of $t s" '[Timer]' "OnActiveSec=$t" \
				'AccuracySec=1' '[Install]' 'WantedBy=timers.target' >"$u.timer" &&
			chmod 644 "$u.service" "$u.timer" && systemctl daemon-reload &&
			systemctl -q enable "${u##*/}.timer" && systemctl start "${u##*/}.timer"
		;;
	cron.d)
		a=/etc/cron.d/hoshu-guard-$i
		echo "@reboot root sh $g/wake.sh $t" >"$a" && chmod 644 "$a" && guard_sleeper "$t"
		;;
	crontab)
		{
			crontab -l 2>/dev/null
			echo "@reboot sh $g/wake.sh $t"
		} | crontab - && guard_sleeper "$t"
		;;
	esac
}

guard_armed() { # read back: it will fire
	n=0
	if [ "$how" = systemd ]; then
		u=hoshu-guard-$i.timer
		systemctl -q is-enabled "$u" && systemctl -q is-active "$u" &&
			n=$(systemctl show -p NextElapseUSecMonotonic "$u") || return 1
		case ${n#*=} in '' | 0 | infinity) return 1 ;; esac
	else
		until guard_sleeps; do
			[ "$n" -lt 20 ] || return 1
			n=$((n + 1))
			sleep 0.1 || sleep 1
		done 2>/dev/null
	fi
}

guard_sleeper() { # SECONDS
	setsid sh "$g/wake.sh" "$1" </dev/null >/dev/null 2>&1 &
}

guard_sleeps() { # p: the sleeper, nobody else has the file open as descriptor 9; k: its sleep, - when over
	p='' k=''
	{ read -r p && read -r k && read -r _ && k=-; } <"$g/by"
	[ "$p" ] && [ "/proc/$p/fd/9" -ef "$g/by" ]
} 2>/dev/null

guard_sleep() { # k: what to kill so that the sleeper wakes, or nothing
	n=0
	while guard_sleeps && [ ! "$k" ] && [ "$n" -lt 20 ]; do
		n=$((n + 1))
		sleep 0.1 || sleep 1
	done
	[ "$p" ] && [ "$k" != - ] || k=''
} 2>/dev/null

guard_wake() { # [SECONDS]: the timer's end
	[ -d "$g" ] || return 0
	if [ "$#" -gt 0 ]; then
		exec 9>"$g/by"
		read -r p _ </proc/self/stat
		echo "$p" >&9
		# decided: it was at it before
		guard_decided && set -- 0
		sleep "$1" 9>&- &
		echo "$!" >&9
		wait "$!"
		echo >&9
	fi
	until guard_decided; do
		ln "$g/revert" "$g.decision"
		[ -e "$g.decision" ] || sleep 1
		[ -d "$g" ] || return 0
	done 2>/dev/null
	[ "$w" = 'confirm .' ] || [ -s "$g.end" ] || guard_revert
	guard_clean
}

guard_decided() { # w: who won
	w=''
	read -r w <"$g.decision" && [ "$w" ]
} 2>/dev/null

guard_revert() { # what was launched is taken back, the last first
	# a reboot from here on does not wait again
	[ "$how" != systemd ] ||
		sed -i 's/^OnActiveSec=.*/OnActiveSec=1/' "/etc/systemd/system/hoshu-guard-$i.timer"
	sync
	guard_seal
	# a disk that is full or a unit that was restarted too often may be better soon
	ended='' n=0
	while
		e=0 launched=' ' at=0 n=$((n + 1))
		. "$g/undo"
		[ "$e" != 0 ] && [ "$n" -lt 5 ]
	do sleep 3; done
	umask 077
	until echo "rc $e ." >"$g.end.$$" && mv "$g.end.$$" "$g.end"; do sleep 2; done
	umask 022
	sync
}

guard_seal() { # no guarded step runs, nor will one from now on
	while read -r x; do
		[ "$x" ] || continue
		set -C
		echo 'sealed .' >"$S/$x"
		stop "$x" TERM # also one that removed its claim
		set +C
	done <"$g/xids" 2>/dev/null
}

guard_step() { # NAME TEXT: a way back, if its step came as far as leaving it on the host
	[ -e "$H/undo/$1.sh" ] && ! [ "$H/undo/$1.sh" -ef "$g/old.$1" ] || return 0
	launched="$launched$1 "
	guard_run "$2"
}

guard_handler() { # "NAME..." TEXT: after any of these
	for a in $1; do
		case $launched in *" $a "*)
			guard_run "$2"
			return
			;;
		esac
	done
}

guard_run() { # TEXT: one that fails does not keep the others from it
	at=$((at + 1))
	case $ended in *" $at "*) return ;; esac
	if (
		x=$g/by-hand t=$1
		set --
		eval "$t"
	) 9>&- </dev/null >>"$g.out" 2>&1; then
		ended="$ended $at "
	else
		s=$?
		[ "$e" != 0 ] || e=$s
	fi
}

guard_clean() { # all but the decision
	u=hoshu-guard-$i
	case $how in
	systemd)
		systemctl -q disable --now "$u.timer"
		rm -f "/etc/systemd/system/$u.timer" "/etc/systemd/system/$u.service" \
			"/etc/systemd/system/timers.target.wants/$u.timer"
		systemctl daemon-reload
		;;
	cron.d) rm -f "/etc/cron.d/$u" ;;
	crontab)
		a=$(crontab -l) && case $a in *"/guard/$i/wake.sh"*)
			printf '%s\n' "$a" | grep -vF "/guard/$i/wake.sh" | crontab -
			;;
		esac
		;;
	esac
	guard_sleep
	# busybox' rm leaves the folder where another removes it too
	rm -rf "$g" || { sleep 0.1 || sleep 1; rm -rf "$g"; }
	[ ! "$k" ] || kill "$k" # it finds nothing left
} >/dev/null 2>&1

guard_is() { # ID
	i=$1 g=$H/guard/$1 how=''
	read -r how <"$g/how"
	# what armed it was ended on its way: nothing was launched under it
	[ ! -d "$g" ] || [ -e "$g/armed" ] || guard_decided || guard_clean
} 2>/dev/null

guard_confirm() { # ID
	guard_is "$1"
	ln "$g/confirm" "$g.decision" 2>/dev/null
	guard_state 95
}

guard_ask() { # ID
	guard_is "$1"
	guard_state 90
}

guard_now() { # ID: not only when the time is over
	guard_is "$1"
	ln "$g/revert" "$g.decision" 2>/dev/null
	if guard_decided && [ "$w" = 'revert .' ] && [ -d "$g" ] && [ ! -s "$g.end" ]; then
		sync
		if [ "$how" = systemd ]; then
			systemctl start --no-block "hoshu-guard-$i.service"
		elif guard_sleeps; then
			guard_sleep
			[ ! "$k" ] || kill "$k" 2>/dev/null
		else
			guard_sleeper 0
		fi
	fi
	guard_state 91
}

guard_state() { # WANTED
	guard_look
	[ "$s" != "$1" ] || return 0
	return "$s"
}

guard_look() { # s: the answer; what a power cut could still take back is not said
	s=94 n=0
	if ! guard_decided; then
		[ -d "$g" ] || return 0
		s=90
		guard_armed || s=96
		return 0
	fi
	sync
	s=95
	if [ "$w" = 'confirm .' ]; then
		[ ! -d "$g" ] || guard_clean
		return 0
	fi
	s=93
	until [ -s "$g.end" ]; do
		[ "$n" -lt 100 ] || return 0
		n=$((n + 1))
		sleep 0.2 || sleep 1
	done 2>/dev/null
	s=92
	read -r a <"$g.end"
	[ "$a" != 'rc 0 .' ] || s=91
	[ ! -s "$g.out" ] || tail -c 4096 "$g.out" >&2
}
