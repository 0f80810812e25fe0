#!/bin/sh
# The framed shell, alone, on dash, bash as sh and busybox ash: a launch cut off at every byte, a
# shell or supervisor killed at any moment, one key launched from many sides. What settle says and
# what happened must agree each time. covers: P4
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/faults/host-sh.sh
. tests/faults/host-sh.sh

cuts() { # SHELL NAME: every prefix of a request with quotes, newlines and a status
	wrong=0 n=0
	printf "launch l 'XID' 'echo \"it'\\\\''s\" >>EFFECT\nif true; then\n echo two >>EFFECT\nfi\nexit 4' .\n" >"$t/request"
	printf "it's\ntwo\n" >"$t/whole"
	size=$(sed "s|EFFECT|$t/effect-${2}000|g; s|XID|${2}000|" "$t/request" | wc -c)
	while [ "$n" -le "$size" ]; do
		xid=$(printf '%s%03d' "$2" "$n")
		effect=$t/effect-$xid
		{
			cat "$t/prelude"
			sed "s|EFFECT|$effect|g; s|XID|$xid|" "$t/request" | head -c "$n"
		} | "$1" >/dev/null 2>&1
		v=$(verdict "$1" "$xid")
		case $v in
		sealed*) [ ! -e "$effect" ] ;;
		'done 4 '*) cmp -s "$effect" "$t/whole" ;;
		*) false ;;
		esac || {
			wrong=$((wrong + 1))
			fail "cut at byte $n of $size: $v, but $(cat "$effect" 2>&1)"
		}
		# what was sealed never runs, what is done does not run again
		{
			cat "$t/prelude"
			printf "launch l '%s' 'echo again >>%s' .\n" "$xid" "$effect"
		} | "$1" >/dev/null 2>&1
		! grep -qs again "$effect" || {
			wrong=$((wrong + 1))
			fail "cut at byte $n: ran after $v"
		}
		n=$((n + 1))
	done
	echo "# $2: $n cuts, $wrong wrong verdicts"
	[ "$wrong" = 0 ]
}

kills() { # SHELL NAME: shell, supervisor or step killed at some moment
	wrong=0 n=0 words=''
	while [ "$n" -lt "$rounds" ]; do
		xid=kill$2$n
		effect=$t/effect-$xid
		{
			cat "$t/prelude"
			printf "launch l '%s' 'echo one >>%s; sleep 0.01; echo two >>%s' .\n" \
				"$xid" "$effect" "$effect"
		} >"$t/stream"
		"$1" <"$t/stream" >/dev/null 2>&1 &
		shell=$!
		# spread over what the launch takes, from before the claim to after the verdict
		sleep "0.0$((n % 4))$((n % 10))"
		p=$shell
		[ $((n % 3)) = 0 ] || read -r _ p _ 2>/dev/null <"$HOME/run/$xid" || p=$shell
		# what the supervisor waits for
		[ $((n % 3)) != 1 ] || read -r p _ 2>/dev/null <"/proc/$p/task/$p/children" || p=$shell
		kill -9 "${p:-$shell}" 2>/dev/null
		v=$(verdict "$1" "$xid")
		lines=$(wc -l 2>/dev/null <"$effect" || echo 0)
		wait "$shell" 2>/dev/null
		{
			cat "$t/prelude"
			printf "launch l '%s' 'echo again >>%s' .\n" "$xid" "$effect"
		} | "$1" >/dev/null 2>&1
		words="$words ${v%% *}"
		case $v in
		sealed*) [ "$lines" = 0 ] ;;
		'done 0 '*) [ "$lines" = 2 ] ;;
		lost* | claimed*) ;; # unknown: it may have taken effect or not
		*) false ;;
		esac || {
			wrong=$((wrong + 1))
			fail "kill $n: $v, but $lines lines"
		}
		# at most once, and nothing after the verdict
		[ "$(wc -l 2>/dev/null <"$effect" || echo 0)" = "$lines" ] || {
			wrong=$((wrong + 1))
			fail "kill $n: $v, and then: $(cat "$effect")"
		}
		n=$((n + 1))
	done
	echo "# $2: $rounds kills:$(for v in $words; do echo "$v"; done | sort | uniq -c | tr -s '\n ' ' '), $wrong wrong, none twice"
	[ "$wrong" = 0 ]
}

race() { # SHELL NAME: eight connections launch one key at once, one settles
	wrong=0 n=0
	while [ "$n" -lt 10 ]; do
		xid=race$2$n
		effect=$t/effect-$xid
		for i in 1 2 3 4 5 6 7 8; do
			{
				cat "$t/prelude"
				[ "$i" != 5 ] || printf "settle s '%s' .\n" "$xid"
				printf "launch l '%s' 'echo ran >>%s' .\n" "$xid" "$effect"
			} >"$t/stream$i"
		done
		for i in 1 2 3 4 5 6 7 8; do "$1" <"$t/stream$i" >/dev/null 2>&1 & done
		wait
		v=$(verdict "$1" "$xid")
		lines=$(wc -l 2>/dev/null <"$effect" || echo 0)
		case $v,$lines in
		sealed*,0 | 'done 0 '*,1) ;;
		*)
			wrong=$((wrong + 1))
			fail "race $n: $v, but $lines effects"
			;;
		esac
		n=$((n + 1))
	done
	[ "$wrong" = 0 ]
}

# Where nothing shuts the reader in, it says what is missing and is never silently plain.
gaps() { # SHELL
	mkdir -p "$t/tools"
	for c in sed cat date rm; do ln -sf "$(command -v $c)" "$t/tools/$c"; done
	reader=$(sed "s|^PATH=[^ ]*|PATH=$t/tools|" runner/remote/reader.sh)
	{
		cat runner/remote/host.sh runner/remote/place.sh runner/remote/judge.sh runner/remote/boot.sh
		echo "boot b '' readonly ."
	} | "$1" -c "$reader" hoshu "$(cat runner/remote/shut_in.sh)" 2>&1 | sed -n 's/^gaps//p' >"$t/gaps"
	case $(cat "$t/gaps") in *signals*privileges*sockets*mount:/*) ;; *)
		fail "gaps: $(cat "$t/gaps")"
		false
		;;
	esac
}

every() { # SHELL NAME
	cuts "$1" "$2"
	ok $? "$2: a launch cut at every byte: verdict and effect agree"
	kills "$1" "$2"
	ok $? "$2: killed at any moment: verdict and effect agree"
	race "$1" "$2"
	ok $? "$2: one key from eight sides runs at most once"
	gaps "$1"
	ok $? "$2: a reader that nothing shuts in names its gaps"
}

rounds=30
[ "${FULL-}" != 1 ] || rounds=210
each_shell every
done_testing
