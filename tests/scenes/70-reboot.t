#!/bin/bash
# A reboot behind a load balancer, on the real fleet: playbooks/kernel-reboot.yml. Containers have the machine's
# kernel, so the package is another one; the reboot is real. Each host is out of the pool while it is away, the
# step is judged by the boot that it brought, and a canary that does not come well out of it goes back: the old
# package, rebooted again, into the pool. covers: P4, P5
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
scene reboot 3
lb=real3 web=(real1 real2)

# the pool: a folder on the balancer, every change of it with the time
on $lb sh -s <<-'SH' >/dev/null
	mkdir -p /srv/pool && touch /srv/pool/real1 /srv/pool/real2
	cat >/usr/local/bin/pool <<'E'
	#!/bin/sh
	case $1 in
	out) rm "/srv/pool/$2"; echo "out $2" >>/srv/log ;;
	in) touch "/srv/pool/$2"; echo "in $2" >>/srv/log ;;
	is-out) [ ! -e "/srv/pool/$2" ] ;;
	is-in) [ -e "/srv/pool/$2" ] ;;
	esac
	E
	chmod 755 /usr/local/bin/pool
SH
cat >>"$scene/inventory.yml" <<-YAML
YAML
sed -e "s/^targets: web/targets: real1 | real2/" -e "s/on: lb/on: $lb/" playbooks/kernel-reboot.yml \
	-e "s/soak: 1m/soak: 2s/" >"$scene/plan.yml"
boots() { everywhere boot 'cat /proc/sys/kernel/random/boot_id' "${web[@]}" && said boot "${web[@]}"; }
submit_it() {
	local out
	out=$(hoshu submit "$scene/plan.yml" --set package=curl --as carol) || {
		printf '%s\n' "$out" | sed 's/^/# /'
		bail "submit failed"
	}
	change=$(sed -n 's/^\(CHG-[0-9]*\) submitted.*/\1/p' <<<"$out")
}

first=$(boots)
everywhere old "dpkg-query -W -f '\${Version}\n' curl" "${web[@]}"
submit_it
approve
run
is "$status" 0 "both hosts are updated and rebooted" || told
[ "$status" = 0 ] || told
second=$(boots)
[ "$(sort <<<"$first
$second" | uniq | wc -l)" = 4 ]
ok $? "each booted anew, once"
is "$(on $lb cat /srv/log | xargs)" "out real1 in real1 out real2 in real2" "out of the pool before, in again after"
everywhere new "dpkg-query -W -f '\${Version}\n' curl" "${web[@]}"
isnt_old=$(paste -d' ' <(said old "${web[@]}") <(said new "${web[@]}") | awk '$1 == $2' | wc -l)
is "$isnt_old" 0 "the package is newer on both"

# broken: nginx on real1 does not start beside the package of now, so the canary does not come well out of its
# reboot; it goes back to the old one, and boots once more
everywhere now "dpkg-query -W -f '\${Version}\n' openssl" "${web[@]}"
on real1 sh -s <<-SH >/dev/null
	mkdir -p /etc/systemd/system/nginx.service.d
	printf '[Service]\nExecStartPre=/bin/sh -c "dpkg-query -W openssl | grep -qF %s"\n' "$OPENSSL_OLD" >/etc/systemd/system/nginx.service.d/old.conf
	systemctl daemon-reload
SH
on $lb rm -f /srv/log
sed -i 's/within: 2m/within: 5s/; s/within: 1m/within: 5s/' "$scene/plan.yml"
out=$(hoshu submit "$scene/plan.yml" --set package=openssl --as carol)
change=$(sed -n 's/^\(CHG-[0-9]*\) submitted.*/\1/p' <<<"$out")
approve
run
is "$status" 7 "a canary that does not come well out of its reboot goes back"
[ "$status" = 7 ] || told
everywhere back "dpkg-query -W -f '\${Version}\n' openssl" "${web[@]}"
is "$(said back "${web[@]}")" "$(said now "${web[@]}")" "the old package is back"
third=$(boots)
is "$(sort <<<"$second
$third" | uniq | wc -l)" 3 "it was rebooted again after the undo, the other not at all"
like "$(grep reboot "$scene/seen/run")" "ran again after the undo" "and the run says so"
is "$(on $lb cat /srv/log | xargs)" "out real1 in real1" "it came into the pool again when it was proved back"
done_testing
