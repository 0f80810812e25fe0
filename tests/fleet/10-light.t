#!/bin/bash
# 10-light.t: the light fleet itself. Run from the repository's root: prove tests/fleet/10-light.t
set -u
fleet=tests/fleet/light
dir=build/test/light.$$
count=0

ok() { # status name
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
}
is() { # got want name
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf '#   got: %s\n#  want: %s\n' "$1" "$2"
}
on() { # host command...
	local host=$1
	shift
	ssh -T -F "$dir/ssh_config" "$host" "$@" </dev/null 2>&1
}

why=$($fleet can) || {
	echo "1..0 # SKIP $why"
	exit 0
}
trap '$fleet down "$dir"' EXIT
echo "1..27"

$fleet up 4 "$dir"
ok $? "up 4"
abs=$(cd "$dir" && pwd)
is "$(on light1 pwd)" "$abs/hosts/light1" "a host has a home of its own"
# shellcheck disable=SC2016  # the host expands it
is "$(on light4 'echo "$HOME"')" "$abs/hosts/light4" "and so has another"
is "$(on light2 'cd /; echo a "b  c"; exit 7'; echo $?)" "a b  c
7" "a command's words, output and status arrive"
# shellcheck disable=SC2016  # the host expands it
is "$(echo 'echo $((6 * 7)); exit 3' | ssh -T -F "$dir/ssh_config" light3; echo $?)" "42
3" "a shell without a command reads its input"
is "$(on light1 'env | grep -c ^SSH_ORIGINAL_COMMAND')" 0 "the forced command leaves no trace in the environment"

pid=$(sed -n 1p "$dir/sshd.pid")
$fleet up 4 "$dir"
is "$(cat "$dir/sshd.pid")" "$pid" "up again changes nothing"
$fleet up 600 "$dir"
is "$(on light600 pwd)" "$abs/hosts/light600" "the fleet grows to 600 (127.1.2.100)"
is "$(ssh -T -F "$dir/ssh_config" -G light600 | sed -n 's/^hostname //p')" 127.1.2.100 "whose address is as promised"
is "$(cat "$dir/sshd.pid")" "$pid" "without a new sshd"
$fleet up 4 "$dir"
on light5 true >/dev/null
is $? 255 "and shrinks"
is "$(grep -c '^\[127' "$dir/known_hosts")" 4 "known_hosts has a line a host"
grep -q 'web: { hosts: \[light1, light2, light3\]' "$dir/inventory.yml" && grep -q 'db: { hosts: \[light4\]' "$dir/inventory.yml"
ok $? "the inventory has web and db"
ssh-keygen -q -t ed25519 -N '' -f "$dir/other_key"
printf '[127.1.0.1]:%s %s\n' "$(cat "$dir/port")" "$(cut -d' ' -f1,2 "$dir/other_key.pub")" >"$dir/known_wrong"
on light1 -o UserKnownHostsFile="$dir/known_wrong" true | grep -q 'Host key verification failed'
ok $? "a changed host key is refused"
sed 's/user_key/other_key/' "$dir/ssh_config" >"$dir/ssh_config_other"
ssh -F "$dir/ssh_config_other" light1 true 2>&1 | grep -q 'Permission denied'
ok $? "a key that is not the fleet's is refused"
on light1 -o HostName=127.0.0.1 -o HostKeyAlias="[127.1.0.1]:$(cat "$dir/port")" true | grep -q 'Permission denied'
ok $? "an address outside 127.1 lets nobody in"

mkfifo "$dir/said" "$dir/go"
ssh -F "$dir/ssh_config" light2 "echo begun >$abs/said; read -r x <$abs/go; echo lived >$abs/said" 2>/dev/null &
client=$!
read -r word <"$dir/said"
$fleet drop light2 "$dir"
wait "$client"
is "$word $?" "begun 255" "drop ends the connection"
echo now >"$dir/go"
read -r word <"$dir/said"
is "$word" lived "what had been started lives on"
is "$(on light2 echo back)" back "and the host answers again"
$fleet deny light3 "$dir"
is "$(on light3 true)" "light3 lets nobody in" "deny"
is "$(on light2 echo fine)" fine "denies no other"
$fleet allow light3 "$dir"
is "$(on light3 echo back)" back "allow"
$fleet stop "$dir"
on light1 true >/dev/null
is $? 255 "stop: nobody answers"
$fleet start "$dir"
is "$(on light1 echo back)" back "start: they do"
is "$($fleet drop light9 "$dir" 2>&1)" "light: no host light9 in $abs: it has light1 to light4" "an unknown host is named"
pid=$(cat "$dir/sshd.pid")
$fleet down "$dir"
[ ! -e "$dir" ]
ok $? "down removes DIR"
state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$pid/status" 2>/dev/null)
is "${state:-Z}" Z "and ends sshd"
