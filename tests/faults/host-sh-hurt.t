#!/bin/sh
# Steps that hurt the shell that runs them, on dash, bash as sh and busybox ash: one that removes its own
# claim, empties the spool, kills its shell or its supervisor, prints a flood or
# cannot be killed. It never runs twice, and while anything of it is at work no verdict says that it has ended. covers: P4
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/faults/host-sh.sh
. tests/faults/host-sh.sh

mkfifo "$t/here" "$t/go"
there() { timeout 20 cat "$t/here" >/dev/null; } # the step has come to its middle
go() { echo | timeout 20 tee "$t/go" >/dev/null; }

# the middle of a step: says that it is there, waits, has an effect
middle="echo >$t/here; read -r _ <$t/go; echo ran >>EFFECT"

start() { # SHELL XID TEXT: a connection that launches; shell: its pid
	effect=$t/effect-$2
	{
		cat "$t/prelude"
		printf "launch l '%s' '%s' .\n" "$2" "$(printf '%s' "$3" | sed "s|EFFECT|$effect|g; s|'|'\\\\''|g")"
		[ $# = 3 ] || printf "launch m '%s' '%s' .\n" "${2}m" "$4"
	} >"$t/stream-$2"
	"$1" <"$t/stream-$2" >"$t/said-$2" 2>/dev/null &
	shell=$!
}
said() { sed -n "s/^$2>//p" "$t/said-$1"; } # XID NONCE: the connection's own answer
# a person's text, as the scribe has it run
person() { printf '%s' "printf %s '$1' >\$x.sh; ( exec sh \"\$x.sh\" ) </dev/null; s=\$?; exit \$s"; }
twice() { # SHELL XID: the key again
	{
		cat "$t/prelude"
		printf "launch l '%s' 'echo again >>%s' .\n" "$2" "$effect"
	} | "$1" >/dev/null 2>&1
}
is() { # GOT WANT: a pattern
	# shellcheck disable=SC2254
	case $1 in $2) ;; *)
		fail "got '$1', want '$2'"
		wrong=$((wrong + 1))
		;;
	esac
}
stop() { "$1" "$t/stop" "$2"; } # SHELL XID

claim_removed() { # SHELL NAME: it is at work, is found, is stopped
	start "$1" "claim$2" "rm -f \"\$x\"; $middle"
	there
	is "$(told "$1" "claim$2")" 'running *'
	is "$(told "$1" "claim$2")" 'running *' # the first settle has sealed the first claim
	stop "$1" "claim$2"
	wait "$shell"
	is "$(said "claim$2" l)" 'done 143 *'
	is "$(verdict "$1" "claim$2")" 'done 143 *'
	twice "$1" "claim$2"
	is "$(cat "$effect" 2>/dev/null)" ''
}
claim_removed_and_done() { # SHELL NAME
	start "$1" "gone$2" "rm -f \"\$x\"; echo ran >>EFFECT; exit 3"
	wait "$shell"
	is "$(said "gone$2" l)" 'done 3 *'
	is "$(verdict "$1" "gone$2")" 'done 3 *'
	twice "$1" "gone$2"
	is "$(cat "$effect")" ran
}
emptied() { # SHELL NAME: the spool, and then the next step of the same connection
	start "$1" "empty$2" "rm -rf \"\$S\"; echo ran >>EFFECT" "echo next >>$t/effect-empty$2"
	wait "$shell"
	is "$(said "empty$2" l)" 'done 0 *'
	is "$(said "empty$2" m)" 'done 0 *'
	is "$(cat "$effect")" 'ran
next'
	# all there was: then nobody knows, and it is not called sealed
	start "$1" "all$2" "rm -rf \"\$S\" \"\$H\"; echo ran >>EFFECT" "echo next >>$t/effect-all$2"
	wait "$shell"
	is "$(said "all$2" l)" 'claimed *'
	is "$(said "all$2" m)" 'done 0 *'
	is "$(cat "$effect")" 'ran
next'
}
shell_killed() { # SHELL NAME: kill -9 $PPID in a person's text
	start "$1" "ppid$2" "$(person "kill -9 \$PPID; exec >/dev/null 2>&1; $middle")"
	there
	is "$(told "$1" "ppid$2")" 'running *'
	go
	wait "$shell"
	is "$(said "ppid$2" l)" 'lost *'
	is "$(cat "$effect")" ran
	twice "$1" "ppid$2"
	is "$(cat "$effect")" ran
	# what ends its own text by a signal has ended like any other
	start "$1" "self$2" "$(person "kill -9 \$\$")"
	wait "$shell"
	is "$(said "self$2" l)" 'done 137 *'
}
supervisor_killed() { # SHELL NAME
	start "$1" "super$2" "read -r _ p _ <\"\$x\"; kill -9 \$p; exec >/dev/null 2>&1; $middle"
	there
	is "$(told "$1" "super$2")" 'running *'
	is "$(said "super$2" l)" ''
	go
	wait "$shell"
	is "$(said "super$2" l)" 'lost *'
	is "$(cat "$effect")" ran
	# and stopped, with or without the kernel's lists of children
	for lists in children nolists; do
		start "$1" "stop$2$lists" "read -r _ p _ <\"\$x\"; kill -9 \$p; sh -c 'trap \"\" TERM; $middle'; echo not >>EFFECT"
		there
		sed "s/children/$lists/" "$t/stop" >"$t/stop-$lists"
		"$1" "$t/stop-$lists" "stop$2$lists"
		wait "$shell"
		is "$(said "stop$2$lists" l)" 'lost *'
		is "$(cat "$effect" 2>/dev/null)" ''
	done
}
unlisted() { # SHELL NAME: a whole tree stopped by its parents' numbers
	sed "s/children/nolists/" "$t/stop" >"$t/stop-nolists"
	start "$1" "tree$2" "sh -c 'sh -c \"echo \\\$\\\$ >$t/pid; $middle\"; true'; true"
	there
	"$1" "$t/stop-nolists" "tree$2"
	wait "$shell"
	is "$(said "tree$2" l)" 'done 143 *'
	read -r p <"$t/pid"
	! grep -qs '^State:.[^ZX]' "/proc/$p/status" || is "$p lives" gone
	is "$(cat "$effect" 2>/dev/null)" ''
}
flooded() { # SHELL NAME: its first and its last part stay, with fallocate -p and without
	seq 1 400000 >"$t/flood"
	for how in fallocate none; do
		x=flood$2$how
		{
			cat "$t/prelude"
			[ $how = fallocate ] || echo 'fallocate() { false; }'
			printf "launch l '%s' 'seq 1 400000' .\nsettle l '%s' .\n" "$x" "$x"
		} | "$1" >"$t/said-$x" 2>/dev/null
		is "$(said "$x" l | sort -u)" "done 0 * $(wc -c <"$t/flood") 0"
		kept=$HOME/run/out/$x.1
		is "$(wc -c <"$kept")" "$(wc -c <"$t/flood")"
		is "$(head -c 983040 "$kept" | cksum)" "$(head -c 983040 "$t/flood" | cksum)"
		is "$(tail -c 65536 "$kept" | cksum)" "$(tail -c 65536 "$t/flood" | cksum)"
		is "$(($(du -k "$kept" | cut -f1) <= 1100))" 1
	done
}

unkillable() { # SHELL NAME: what stands still where it would exit, as in the kernel for a dead disk
	# shellcheck disable=SC2016
	start "$1" "hangs$2" "sleep 60 & echo \$! >$t/pid; $middle"
	there
	read -r p <"$t/pid"
	python3 "$t/hold.py" "$p" >"$t/held" &
	holder=$!
	until grep -q . "$t/held"; do sleep 0.05; done
	is "$(cat "$t/held")" 0
	stop "$1" "hangs$2"
	is "$(told "$1" "hangs$2")" 'running *'
	is "$(said "hangs$2" l)" ''
	kill -9 "$holder"
	wait "$holder"
	while grep -qs '^State:.[^ZX]' "/proc/$p/status"; do sleep 0.05; done
	stop "$1" "hangs$2"
	wait "$shell"
	is "$(said "hangs$2" l)" 'done 143 *'
	is "$(cat "$effect" 2>/dev/null)" ''
}
cat >"$t/hold.py" <<'PY'
import ctypes, sys, time
ptrace = ctypes.CDLL(None).ptrace
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
SEIZE, STAYS_AT_EXIT = 0x4206, 0x40
print(ptrace(SEIZE, int(sys.argv[1]), None, STAYS_AT_EXIT), flush=True)
time.sleep(60)
PY

every() { # SHELL NAME
	for what in flooded claim_removed claim_removed_and_done emptied shell_killed supervisor_killed unlisted unkillable; do
		wrong=0
		"$what" "$1" "$2"
		ok "$wrong" "$2: $what"
	done
}
each_shell every
done_testing
