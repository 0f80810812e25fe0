#!/bin/bash
# The main job before your eyes, on six throwaway hosts: a release in three
# waves, then one that breaks in wave 2 and is taken back by itself, then the
# evidence, and a tampered copy of it that is refused.
#
# Everything is in build/demo and is removed at the end, on Ctrl-C too.
set -euo pipefail
cd "$(dirname "$0")/.."

here=$PWD
demo=build/demo
hoshu=${HOSHU:-$here/hoshu}
servers=()
port=''

say() {
	if [ -t 1 ]; then
		printf '\n\033[1m== %s\033[0m\n' "$*"
	else
		printf '\n== %s\n' "$*"
	fi
}
# Shown as a person would type it, then run.
typed() {
	printf '$ hoshu %s\n' "$*"
	"$hoshu" -C "$demo" "$@" || status=$?
}
fail() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}
expect() { # STATUS WHAT
	[ "${status:-0}" = "$1" ] || fail "$2: exit status ${status:-0}, not $1"
	printf '(exit status %s)\n' "$1"
	status=0
}

finish() {
	local pid
	trap - EXIT
	for pid in ${servers[@]+"${servers[@]}"}; do
		kill "$pid" 2>/dev/null || :
	done
	tests/fleet/light down "$demo" >/dev/null 2>&1 || :
	rm -rf "$demo"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

reason=$(tests/fleet/light can) || fail "this machine cannot run the fleet: $reason"
command -v busybox >/dev/null || fail "no busybox for the shop's web servers: make deps-test"
rm -rf "$demo"
LIGHT_APART=1 tests/fleet/light up 6 "$demo" >/dev/null

say "Six hosts, each with a little shop (release 1)"
free_port() {
	local try
	for try in $(seq 8080 8179); do
		if ! (exec 3<>"/dev/tcp/127.1.0.1/$try") 2>/dev/null; then
			echo "$try"
			return
		fi
	done
	fail "no free port between 8080 and 8179"
}
port=$(free_port)
for i in 1 2 3 4 5 6; do
	www=$demo/hosts/light$i/www
	mkdir -p "$www"
	echo "shop 1 ok" >"$www/index.html"
	busybox httpd -f -p "127.1.0.$i:$port" -h "$www" &
	servers+=($!)
done
# one project: settings, inventory, and the keys of two approvers
sed 's|^ssh_config:.*|ssh_config: ssh_config|' inventory/lab.yml >"$demo/inventory.yml"
mkdir -p "$demo/keys" "$demo/files"
for person in alice bob; do
	ssh-keygen -q -t ed25519 -N '' -C "$person" -f "$demo/keys/$person"
	printf '%s namespaces="approve@hoshu,reject@hoshu" %s\n' "$person" \
		"$(cut -d' ' -f1,2 "$demo/keys/$person.pub")" >>"$demo/approvers"
done
cat >"$demo/hoshu.yml" <<YML
inventory: inventory.yml
store: store
approvals: 2
approvers: approvers
files: files
modules: [../../modules]
YML
export HOSHU_PERSON=carol
printf 'light1 ... light6, approvers alice and bob; carol submits.\n'

say "1. Is the plan right? (touches no host)"
typed check playbooks/shop-release.yml --set version=2 --set "port=$port"
expect 0 check

say "2. What would it do? (asks every host, read-only)"
typed preview playbooks/shop-release.yml --set version=2 --set "port=$port"
expect 0 preview

say "3. Freeze it as a change"
typed submit playbooks/shop-release.yml --set version=2 --set "port=$port" >"$demo/out"
grep -A1 '^CHG-\|^next' "$demo/out"

say "4. Two persons sign exactly that"
typed approve CHG-0001 --as alice --key "$demo/keys/alice"
typed approve CHG-0001 --as bob --key "$demo/keys/bob" | tail -2
expect 0 approve

say "5. Roll it out: canary, two hosts, the rest"
typed run CHG-0001
expect 0 run
grep -h . "$demo"/hosts/light*/www/index.html

say "6. A second release, with a mistake that only rack b shows"
typed submit playbooks/shop-broken.yml --set version=3 --set "port=$port" >"$demo/out"
grep '^CHG-' "$demo/out"
for person in alice bob; do
	typed approve CHG-0002 --as $person --key "$demo/keys/$person" | tail -1
done
typed run CHG-0002
expect 7 "the broken run"
printf 'every shop is as it was:\n'
grep -h . "$demo"/hosts/light*/www/index.html
if grep -q "shop 3" "$demo"/hosts/light*/www/index.html; then
	fail "release 3 is still on a host"
fi

say "7. The evidence"
typed list
typed audit verify
expect 0 "audit verify"

say "8. Somebody edits a copy of the journal"
cp -r "$demo/store" "$demo/copy"
sqlite3 "$demo/copy"/*.db "update record set actor = 'mallory' where kind = 'approved' and actor = 'bob'" ||
	fail "the copy could not be edited"
typed audit verify --store "$demo/copy"
expect 6 "audit verify of the tampered copy"

say "Done: one release out, one taken back by itself, and the proof of both."
