#!/bin/bash
# 20-real.t: the real fleet itself. Run from the repository's root, as root: prove tests/fleet/20-real.t
set -u
fleet=tests/fleet/real
dir=build/test/real.$$
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
	ssh -T -F "$dir/ssh_config" -o ConnectTimeout=2 "$host" "$@" </dev/null 2>&1
}
boot_id() { on "$1" cat /proc/sys/kernel/random/boot_id; }
address() { ssh -T -F "$dir/ssh_config" -G "$1" | sed -n 's/^hostname //p'; }
left_over() { # what of the fleet is still on this machine
	ip -br link | grep "^$1"
	ip netns list | grep "^$1-"
	grep " $1-real" /proc/self/mountinfo
	nft list tables | grep -w "$1"
	find /sys/fs/cgroup -maxdepth 3 -type d -name "hoshu-$1"
	ls -d "/run/hoshu-fleet/$1" 2>/dev/null
}

why=$($fleet can) || {
	echo "1..0 # SKIP $why"
	exit 0
}
trap '$fleet down "$dir"' EXIT
echo "1..39"

$fleet up 3 "$dir"
ok $? "up 3"
id=$(sed -n 's/.*"device": "\(hf[0-9]*\)-1".*/\1/p' "$dir/fleet.json")
# shellcheck source=/dev/null
. "$dir/versions"
installed() { on "$1" "dpkg-query -W -f '\${Version}' $2"; }

is "$(on real1 'id -un; sudo -n id -un; hostname')" "ops
root
real1" "ops logs in and becomes root"
is "$(on real2 -l root id -u)" 0 "root logs in by the same key"
is "$(on real1 systemctl is-system-running)" running "systemd is running"
is "$(on real3 systemctl is-active ssh nginx)" "active
active" "sshd and nginx are up"
[ "$(boot_id real1)" != "$(boot_id real2)" ]
ok $? "each host has a boot id of its own"
is "$(cut -d' ' -f3 "$dir/known_hosts" | sort -u | wc -l)" 3 "and a host key"
is "$(curl -s --cacert "$dir/ca.pem" "https://$(address real2)/healthz")" ok "https answers, by address"
is "$(curl -s --cacert "$dir/ca.pem" --resolve "real2:443:$(address real2)" https://real2/healthz)" ok "and by name"
is "$(curl -s "http://$(address real3)/healthz")" ok "http answers"
is "$(on real1 curl -s http://real3/healthz)" ok "the hosts reach each other"
on real1 'exec 3<>/dev/tcp/192.0.2.1/80' >/dev/null
is $? 1 "and nothing outside"

started=$(on real2 systemctl show -p MainPID --value nginx)
on real1 sudo systemctl restart nginx
is "$(on real2 systemctl show -p MainPID --value nginx; on real2 systemctl is-active nginx)" "$started
active" "a service restarted on one host is left alone on another"

is "$(installed real1 openssl)" "$OPENSSL_OLD" "openssl is old"
is "$(installed real1 libssl3)" "$LIBSSL3_OLD" "libssl3 is old"
before=$(on real1 sha256sum /usr/bin/openssl /usr/sbin/nginx)
on real1 'sudo apt-get -q update && sudo DEBIAN_FRONTEND=noninteractive apt-get -q -y install openssl libssl3 nginx-light sudo curl' >/dev/null
is "$?" 0 "apt upgrades"
is "$(installed real1 openssl) $(installed real1 libssl3) $(installed real1 nginx-light) $(installed real1 sudo) $(installed real1 curl)" \
	"$OPENSSL_NEW $LIBSSL3_NEW $NGINX_LIGHT_NEW $SUDO_NEW $CURL_NEW" "to the new versions"
is "$(installed real2 openssl)" "$OPENSSL_OLD" "of that host only"
is "$(curl -s --cacert "$dir/ca.pem" "https://$(address real1)/healthz")" ok "https still answers"
on real1 "sudo DEBIAN_FRONTEND=noninteractive apt-get -q -y --allow-downgrades install openssl=$OPENSSL_OLD libssl3=$LIBSSL3_OLD \
	nginx-light=$NGINX_LIGHT_OLD nginx=$NGINX_OLD nginx-common=$NGINX_COMMON_OLD sudo=$SUDO_OLD curl=$CURL_OLD libcurl4=$LIBCURL4_OLD" >/dev/null
is $? 0 "and downgrades"
is "$(on real1 sha256sum /usr/bin/openssl /usr/sbin/nginx)" "$before" "to the same bytes"

first=$(boot_id real1)
on real1 'echo kept | sudo tee /var/tmp/kept >/dev/null'
$fleet reboot real1 "$dir"
ok $? "reboot"
second=$(boot_id real1)
[ "${#second}" = 36 ] && [ "$first" != "$second" ]
ok $? "gives a new boot id"
is "$(on real1 cat /var/tmp/kept)" kept "and keeps the disk"
is "$(curl -s "http://$(address real1)/healthz")" ok "nginx is back by itself"
$fleet crash real1 "$dir"
[ "$(boot_id real1)" != "$second" ]
ok $? "so does a crash"

$fleet cut real2 "$dir"
on real2 true | grep -q 'timed out'
ok $? "cut: the host is silent"
is "$(on real3 echo here)" here "the others are not"
is "$($fleet shell real2 hostname "$dir")" real2 "shell reaches it all the same"
$fleet mend real2 "$dir"
is "$(on real2 echo back)" back "mend"

$fleet slow real2 400 "$dir"
started=${EPOCHREALTIME/./}
is "$(on real2 echo late)" late "slow: the host answers"
[ $((${EPOCHREALTIME/./} - started)) -gt 1200000 ]
ok $? "after several delayed round trips"
$fleet slow real2 0 "$dir"

$fleet fill real3 "$dir"
on real3 'echo x >x' | grep -q 'No space left'
ok $? "fill: nothing can be written"
$fleet unfill real3 "$dir"
is "$(on real3 'echo x >x && cat x')" x "unfill"

$fleet freeze real3 "$dir"
timeout 1 ssh -F "$dir/ssh_config" real3 true </dev/null 2>/dev/null
is $? 124 "freeze: it accepts and never answers"
$fleet thaw real3 "$dir"
is "$(on real3 echo back)" back "thaw"

is "$($fleet reboot real9 "$dir" 2>&1)" "real: no host real9 in this fleet: it has real1 to real3" "an unknown host is named"

# Without its keeper, in the worst of states: down must still find everything.
$fleet cut real1 "$dir"
$fleet freeze real2 "$dir"
kill -KILL "$(cat "/run/hoshu-fleet/$id/pid")"
$fleet down "$dir"
is "$(left_over "$id")" "" "down after a crash leaves nothing"
[ ! -e "$dir" ]
ok $? "not even DIR"
