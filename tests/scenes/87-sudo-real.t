#!/bin/bash
# A true sudo that asks for its password: changes there and back by it, stopping and files of their own
# channels too; a wrong one is one failed login on one of the hosts. covers: P10
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
scene sudo-real 3

# shellcheck disable=SC2016
word='it is a "long" $one'
hash=$(openssl passwd -6 -stdin <<<"$word")
for host in "${hosts[@]}"; do
	on "$host" "usermod -p '$hash' ops && echo 'ops ALL=(root) ALL' >/etc/sudoers.d/ops && touch /etc/faults"
done
# one host asks nothing
on real3 "echo 'ops ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/ops"
printf '%s\n' "$word" >"$scene/word"
echo "become: { method: sudo, password: { command: [cat, $scene/word] } }" >>"$scene/inventory.yml"
sed -i '/become: sudo/s/, *become: sudo//; s/become: sudo, *//; s/become: sudo//' "$scene/inventory.yml"
failed() { # how many tries of the password each host has refused
	local host
	for host; do on "$host" 'journalctl -q -o cat _COMM=sudo | grep -c "authentication failure" || :'; done
}
head -c 100000 /dev/urandom >"$scene/files/blob"
cat >"$scene/plan.yml" <<-'YAML'
	change: By a password
	reason: sudo asks
	targets: all
	waves: [ { hosts: rest, at_once: 3 } ]
	limits: { failed: 3 }
	rollback: { host_failed: host, limit: host }
	steps:
	  - file: { path: /etc/by-sudo, content: "written\n", mode: "0600" }
	  - file: { path: /etc/by-sudo-blob, source: blob }
	  - name: Late
	    run: [sleep, "60"]
	    timeout: 1s
	    rollback: keep
	    because: it does nothing
YAML
submit "$scene/plan.yml"
approve
run
is "$status" 7 "a change that fails at its last step and goes back"
[ "$status" = 7 ] || told
for host in "${hosts[@]}"; do
	like "$(cat "$scene/seen/run")" "$host " "$host took part"
	is "$(on "$host" 'ls /etc/by-sudo*' 2>/dev/null | grep -c '^/etc/by')" 0 "$host: all of it was taken back"
done
is "$(grep -c 'its deadline passed and it was stopped' "$scene/seen/run")" 3 "stopping goes by sudo too"
is "$(failed "${hosts[@]}" | paste -sd' ')" "0 0 0" "no try was refused"
for host in "${hosts[@]}"; do
	is "$(on "$host" "journalctl -q -o cat | grep -c 'COMMAND=/bin/sh'; journalctl -q -o cat | grep -cF 'is a \"long\"'" | sed 's/^[1-9].*/some/')" "some
0" "$host: its log has the commands and not the password"
done

# a wrong one
echo wrong >"$scene/word"
hoshu preview "$scene/plan.yml" >"$scene/seen/wrong"
like "$(cat "$scene/seen/wrong")" "does not take the password of ops" "a wrong password is said"
sum=0
for n in $(failed real1 real2); do sum=$((sum + n)); done
is "$sum" 1 "and was tried once, at one host"
grep -rqF 'is a "long"' "$scene/store" "$scene/seen"
is $? 1 "no file of the project has it"
done_testing
