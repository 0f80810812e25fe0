#!/bin/sh
# run.sh: what a change of ten small steps costs, as ratios to plain ssh doing
# the same work on the same fleet in the same run (performance.md, section 2).
#
#   tests/bench/run.sh          N=100 hosts, R=3 repetitions, medians
#   N=600 R=1 HOSHU=build/x/hoshu KEEP=1 sh tests/bench/run.sh   KEEP: the fleet stays up
#
# Nothing absolute is asserted; times differ from machine to machine. CPU is
# user and system time of the client's side alone (sshd is not in it), taken
# as tests/bench/measure.py says. Everything is under build/bench and
# build/fleet/bench, and every host's home is emptied before each measurement.
set -eu

N=${N-100}
R=${R-3}
at_once=64 # as many as `xargs -P64`
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
HOSHU=${HOSHU-$top/hoshu}
case $HOSHU in /*) ;; *) HOSHU=$PWD/$HOSHU ;; esac
bench=$top/build/bench
fleet=$top/build/fleet/bench
light=$top/tests/fleet/light

say() { printf '%s\n' "$*"; }
die() {
	printf 'bench: %s\n' "$*" >&2
	exit 1
}

# ---- the project and its plan ------------------------------------------------

persons='alice bob'

write_keys() {
	mkdir -p "$bench/keys"
	for person in $persons; do
		[ -f "$bench/keys/$person" ] ||
			ssh-keygen -q -t ed25519 -N '' -C "$person" -f "$bench/keys/$person"
		printf '%s namespaces="approve@hoshu,reject@hoshu" %s\n' \
			"$person" "$(cut -d' ' -f1,2 "$bench/keys/$person.pub")"
	done >"$bench/approvers"
}

write_head() { # title targets
	cat <<-PLAN
		change: $1
		reason: make bench
		targets: $2
		waves:
		  - { hosts: rest, at_once: $at_once }
		limits: { failed: 1, unreachable: 1 }
		steps:
	PLAN
}

# The ten steps of performance.md, section 2, in each host's home.
write_ten() {
	cat <<-'PLAN'
		  - name: mkdir
		    run: [mkdir, -p, "${{ facts.home }}/app"]
		    unless: [test, -d, "${{ facts.home }}/app"]
		    rollback: keep
		    because: a measurement
		  - name: copy one
		    file: { path: "${{ facts.home }}/one", source: four, mode: "0644" }
		  - name: chmod
		    run: [chmod, "0700", "${{ facts.home }}"]
		    unless: [sh, -c, '[ "$(stat -c %a "$1")" = 700 ]', sh, "${{ facts.home }}"]
		    rollback: keep
		    because: a measurement
		  - name: template
		    file: { path: "${{ facts.home }}/conf", template: conf, mode: "0600" }
		  - name: echo
		    shell: echo "$WHO" >>"$PLACE/log"
		    env: { WHO: "${{ host.name }}", PLACE: "${{ facts.home }}" }
		    rollback: keep
		    because: a measurement
		  - name: copy two
		    file: { path: "${{ facts.home }}/two", source: other, mode: "0644" }
		  - name: a line in a file
		    shell: 'grep -qx "answer=42" "$PLACE/lines" || echo answer=42 >>"$PLACE/lines"'
		    env: { PLACE: "${{ facts.home }}" }
		    unless: [grep, -qxs, answer=42, "${{ facts.home }}/lines"]
		    rollback: keep
		    because: a measurement
		  - name: stat
		    run: [stat, -c, "%s", "${{ facts.home }}"]
		    rollback: keep
		    because: a read
		  - name: "true"
		    run: ["true"]
		    rollback: keep
		    because: a read
		  - name: cat
		    run: [cat, "${{ facts.home }}/one"]
		    rollback: keep
		    because: a read
	PLAN
}

# The same by hand, for plain ssh: one command a line.
write_plain() {
	one=$(cat "$bench/files/four")
	two=$(cat "$bench/files/other")
	cat <<-PLAIN
		mkdir -p "\$HOME/app"
		printf '%s\n' '$one' >"\$HOME/one"
		chmod 0700 "\$HOME"
		printf 'host = %s\nrack = %s\n' "\$HOSHU_LIGHT" a >"\$HOME/conf"
		echo "\$HOSHU_LIGHT" >>"\$HOME/log"
		printf '%s\n' '$two' >"\$HOME/two"
		grep -qxs answer=42 "\$HOME/lines" || echo answer=42 >>"\$HOME/lines"
		stat -c %s "\$HOME"
		true
		cat "\$HOME/one"
	PLAIN
}

text() { # letter: 4 KiB of it on one line
	printf '%4095s\n' '' | tr ' ' "$1"
}

write_project() {
	mkdir -p "$bench/files" "$bench/playbooks"
	cat >"$bench/hoshu.yml" <<-YML
		inventory: inventory.yml
		store: store
		approvals: 2
		approvers: approvers
		files: files
		modules: [../../modules]
	YML
	write_keys
	text a >"$bench/files/four"
	text b >"$bench/files/other"
	# shellcheck disable=SC2016
	printf 'host = ${{ host.name }}\nrack = ${{ host.vars.rack }}\n' >"$bench/files/conf"
	sed "s|^ssh_config:.*|ssh_config: $fleet/ssh_config|" \
		"$fleet/inventory.yml" >"$bench/inventory.yml"
	{ write_head "ten small steps" fleet; write_ten; } >"$bench/playbooks/ten.yml"
	write_plain >"$bench/plain.sh"
}

# ---- measuring -----------------------------------------------------------------

empty_homes() {
	for home in "$fleet"/hosts/light*; do
		rm -rf "$home"
		mkdir "$home"
	done
	for sessions in "$fleet"/sessions/light*; do : >"$sessions"; done
	logged=$(wc -l <"$fleet/sshd.log")
}

measured() { # name command...: one line more in NAME.json; its output in NAME.out
	name=$1
	shift
	python3 "$here/measure.py" "$bench/one.json" -- "$@" \
		>"$bench/$name.out" 2>&1 || {
		tail -n 20 "$bench/$name.out" >&2
		die "$name failed; its output is in build/bench/$name.out"
	}
	cat "$bench/one.json" >>"$bench/$name.json"
}

connections() { # name: since empty_homes, from sshd's log and the fleet's sessions
	total=$(tail -n "+$((logged + 1))" "$fleet/sshd.log" | grep -c '^Accepted ' || :)
	most=$(for s in "$fleet"/sessions/light*; do sort -u "$s" | wc -l; done |
		sort -n | tail -n 1)
	printf '%s %s\n' "$total" "$most" >"$bench/$1.connections"
}

hoshu_in() { # folder word...
	(cd "$1" && shift && exec "$HOSHU" "$@")
}

submitted() { # folder plan: the change's name, approved
	number=$(hoshu_in "$1" submit "$2" --as carol --json |
		sed -n 's/.*"change":"\(CHG-[0-9]*\)".*/\1/p')
	[ -n "$number" ] || die "hoshu submit $2 gave no number"
	for person in $persons; do
		hoshu_in "$1" approve "$number" --as "$person" --key "$bench/keys/$person" >/dev/null
	done
	printf '%s' "$number"
}

# The first preview of a project asks ssh for the settings of every host; what it
# says is kept in the store, once submit has made one.
hoshu_first() {
	empty_homes
	measured first env -C "$bench" "$HOSHU" preview playbooks/ten.yml
	connections first
	hoshu_in "$bench" submit playbooks/ten.yml --as carol >"$bench/submit.out"
	hoshu_in "$bench" preview playbooks/ten.yml >/dev/null
}

hoshu_once() {
	empty_homes
	measured preview env -C "$bench" "$HOSHU" preview playbooks/ten.yml
	connections preview
	change=$(submitted "$bench" playbooks/ten.yml)
	empty_homes
	measured run env -C "$bench" "$HOSHU" run "$change"
	connections run
	swept "$bench" "$change"
}

# root's light hosts share this machine's spool, and outputs stay there until a
# reboot: what our own launches left is removed.
swept() { # folder change
	[ "$(id -u)" = 0 ] || return 0
	hoshu_in "$1" audit show "$2" --json |
		sed -n 's/.*"xid":"\([0-9a-f]\{32\}\)".*/\1/p' | sort -u >"$bench/xids"
	sed 's|.*|/run/hoshu/&\n/run/hoshu/out/&.1\n/run/hoshu/out/&.2|' "$bench/xids" | xargs rm -f
}

hosts() { seq -f 'light%.0f' 1 "$N"; }

plain_once() {
	empty_homes
	hosts >"$bench/hosts"
	measured plain xargs -a "$bench/hosts" -P "$at_once" -I HOST \
		sh -c "exec ssh -F '$fleet/ssh_config' HOST sh <'$bench/plain.sh' >/dev/null"
	connections plain
}

mux_once() {
	empty_homes
	measured mux xargs -a "$bench/hosts" -P "$at_once" -n 1 sh "$here/mux.sh" \
		"$fleet/ssh_config" "$bench/plain.sh"
	connections mux
}

# ---- round trips ---------------------------------------------------------------

# light1 alone, through a relay that counts (turns.py).
write_relayed() { # port
	mkdir -p "$bench/relay"
	{
		printf 'Host light1\n\tHostName 127.0.0.1\n\tPort %s\n' "$1"
		printf '\tHostKeyAlias [127.1.0.1]:%s\n' "$(cat "$fleet/port")"
		printf 'Include "%s/ssh_config"\n' "$fleet"
	} >"$bench/relay/ssh_config"
	printf 'ssh_config: ssh_config\nhosts:\n  light1: { vars: { rack: a } }\n' \
		>"$bench/relay/inventory.yml"
	sed 's|^\(approvers:\) |\1 ../|; s|^\(files:\) |\1 ../|; s|\.\./\.\./mod|../../../mod|' \
		"$bench/hoshu.yml" >"$bench/relay/hoshu.yml"
	{ write_head "ten small steps" light1; write_ten; } >"$bench/relay/ten.yml"
	{ write_head "one small step" light1; write_ten | sed -n '/- name: "true"/,/because/p'; } \
		>"$bench/relay/one.yml"
}

turns_of() { # word... : turns that this command took
	: >"$bench/turns"
	hoshu_in "$bench/relay" "$@" >>"$bench/relay.out" 2>&1 ||
		die "$1 through the relay failed; see build/bench/relay.out"
	# the relay writes when both sides have closed
	while [ ! -s "$bench/turns" ]; do sleep 0.05; done
	awk '{ n += $1 } END { print n }' "$bench/turns"
}

count_turns() {
	mkfifo "$bench/leash" "$bench/relay.port"
	python3 "$here/turns.py" 127.1.0.1 "$(cat "$fleet/port")" "$bench/turns" 10 \
		<"$bench/leash" >"$bench/relay.port" &
	exec 8>"$bench/leash"
	read -r port <"$bench/relay.port"
	write_relayed "$port"
	: >"$bench/relay.out"
	for plan in one ten; do
		empty_homes
		printf '%s %s preview\n' "$plan" "$(turns_of preview "$plan.yml")"
		change=$(submitted "$bench/relay" "$plan.yml")
		empty_homes
		printf '%s %s run\n' "$plan" "$(turns_of run "$change")"
		swept "$bench/relay" "$change"
	done >"$bench/turns.all"
	exec 8>&-
	wait
}

# ---- all of it -------------------------------------------------------------------

rm -rf "$bench"
mkdir -p "$bench"
why=$("$light" can) || {
	say "bench: skipped: $why"
	exit 0
}
[ -x "$HOSHU" ] || die "there is no $HOSHU: make hoshu"
trap 'exec 8>&-; [ "${KEEP-}" ] || "$light" down "$fleet"' EXIT
trap 'exit 130' INT TERM
"$light" up "$N" "$fleet"
write_project
hoshu_first
i=0
while [ "$i" -lt "$R" ]; do
	i=$((i + 1))
	printf 'bench: %d of %d\n' "$i" "$R" >&2
	plain_once
	hoshu_once
	mux_once
done
count_turns
python3 "$here/report.py" "$bench" "$N" "$R"
