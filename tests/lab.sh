#!/bin/sh
# lab.sh up|down: the fleet of inventory/lab.yml and the keys of two persons.
#
# Everything is under build/lab; `down` removes all of it.
set -eu

lab=build/lab
here=$(dirname "$0")

case ${1-} in
up)
	LIGHT_APART=1 "$here/fleet/light" up 6 "$lab" >/dev/null
	mkdir -p "$lab/keys"
	: >"$lab/approvers.new"
	for person in alice bob; do
		[ -f "$lab/keys/$person" ] ||
			ssh-keygen -q -t ed25519 -N '' -C "$person" -f "$lab/keys/$person"
		printf '%s namespaces="approve@hoshu,reject@hoshu,settle@hoshu,answer@hoshu,release@hoshu" %s\n' \
			"$person" "$(cut -d' ' -f1,2 "$lab/keys/$person.pub")" \
			>>"$lab/approvers.new"
	done
	mv "$lab/approvers.new" "$lab/approvers"
	printf 'six hosts are up; next:\n'
	printf '  ./hoshu preview playbooks/motd.yml\n'
	printf '  ./hoshu submit playbooks/motd.yml\n'
	printf '  ./hoshu approve CHG-0001 --as alice --key %s/keys/alice\n' "$lab"
	printf '  ./hoshu approve CHG-0001 --as bob --key %s/keys/bob\n' "$lab"
	printf '  ./hoshu run CHG-0001\n'
	;;
down)
	"$here/fleet/light" down "$lab"
	;;
*)
	echo "usage: tests/lab.sh up|down" >&2
	exit 2
	;;
esac
