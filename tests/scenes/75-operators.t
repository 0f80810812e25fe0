#!/bin/bash
# The plans that operators need first, on the real fleet, each run and each broken and taken back: a patch of a web
# and database fleet with replicas before the primary, a rotation of TLS keys, a deploy with a migration that is
# kept, an emergency revocation of a key. (The reboot behind a balancer is 70-reboot.t, the hardening of sshd under
# a guard 76-hardening.t.) covers: P5, P6, P7
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
scene operators 4
web=(real1 real2)

# web: real1 real2; db: real3, and real4, the primary
python3 - "$scene/inventory.yml" <<-'PY'
	import re, sys
	text = open(sys.argv[1]).read()
	text = re.sub(r'(?ms)^groups:.*?^hosts:', 'groups:\n  web: { hosts: [real1, real2] }\n  db: { hosts: [real3, real4] }\n'
	              '  primary: { hosts: [real4] }\nhosts:', text)
	open(sys.argv[1], 'w').write(text)
PY
cp playbooks/{patch-web-db,tls-rotation,app-deploy,revoke-key}.yml "$scene/"
# what is broken here stays so: nobody waits a minute for it
sed -i -E "s/within: (1m|20s|30s)/within: 8s/" "$scene"/{patch-web-db,tls-rotation,app-deploy}.yml
go() { # plan settings...: submit, approve, run; sets status and change
	local plan=$1 out answering=
	shift
	out=$(hoshu submit "$scene/$plan.yml" "$@" --as carol) || {
		printf '%s\n' "$out" | sed 's/^/# /'
		bail "submit of $plan failed"
	}
	change=$(sed -n 's/^\(CHG-[0-9]*\) submitted.*/\1/p' <<<"$out")
	approve
	: >"$scene/seen/run"
	if [ "$plan" = app-deploy ]; then
		answered &
		answering=$!
	fi
	run
	[ -z "$answering" ] || wait "$answering"
}
answered() { # yes to what the change asks, as soon as it does
	local n
	for ((n = 0; n < 900; n++)); do
		grep -qF "ASKS dba (alice)" "$scene/seen/run" && break
		sleep 0.1
	done
	hoshu answer "$change" --yes --as alice --key "$scene/keys/alice" >"$scene/seen/answer"
}
ended() { # status name
	is "$status" "$1" "$2"
	[ "$status" = "$1" ] || told
}

# --- web and databases -----------------------------------------------------------------------------
patch=(--set db_package=curl --set db_service=nginx --set web_package=openssl)
# shellcheck disable=SC2016
versions='dpkg-query -W -f "\${Version} " curl openssl'
everywhere old "$versions" "${hosts[@]}"
# nginx on real2 does not start beside the new openssl: the last host of the last phase
on real2 sh -s <<-SH >/dev/null
	mkdir -p /etc/systemd/system/nginx.service.d
	printf '[Service]\nExecStartPre=/bin/sh -c "dpkg-query -W openssl | grep -qF %s"\n' "$OPENSSL_OLD" >/etc/systemd/system/nginx.service.d/old.conf
	systemctl daemon-reload
SH
go patch-web-db "${patch[@]}"
ended 7 "web and db: the last host of the last phase fails, and all of it goes back"
everywhere back "$versions" "${hosts[@]}"
is "$(said back "${hosts[@]}")" "$(said old "${hosts[@]}")" "web and db: every package is what it was"
order=$(grep -oE 'real[0-9] +reverted' "$scene/seen/run" | awk '{ print $1 }' | xargs)
like "$order" "real4 real3" "web and db: the primary went back before the replica"
on real2 'rm -r /etc/systemd/system/nginx.service.d && systemctl daemon-reload'
go patch-web-db "${patch[@]}"
ended 0 "web and db: patched"
order=$(grep -oE 'real[0-9] +done' "$scene/seen/run" | awk '{ print $1 }' | xargs)
is "$order" "real3 real4 real1 real2" "web and db: the replica before the primary, then the web tier"

# --- TLS -------------------------------------------------------------------------------------------
for host in "${web[@]}"; do
	on "$host" sh -s <<-'SH' >/dev/null
		mkdir -p /etc/ssl/site/2026-08
		cp /etc/ssl/fleet/host.pem /etc/ssl/site/2026-08/site.pem
		cp /etc/ssl/fleet/host.key /etc/ssl/site/2026-08/site.key
		ln -s 2026-08 /etc/ssl/site/current
		sed -i -e 's|/etc/ssl/fleet/host.pem|/etc/ssl/site/current/site.pem|' \
			-e 's|/etc/ssl/fleet/host.key|/etc/ssl/site/current/site.key|' $(grep -rl /etc/ssl/fleet /etc/nginx)
		systemctl reload nginx
	SH
done
served='openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint'
links='readlink /etc/ssl/site/current; ls /etc/ssl/site'
everywhere old "$served" "${web[@]}"
go tls-rotation --set name=2026-11 --set old=2026-08
ended 0 "tls: a new key everywhere"
everywhere new "$served" "${web[@]}"
is "$(cat "$scene"/seen/real[12].{old,new} | sort | uniq | wc -l)" 4 "tls: each host serves a certificate of its own"
# real2 goes on serving this one, whatever the link says
# shellcheck disable=SC2016
on real2 'sed -i "s|/etc/ssl/site/current/|/etc/ssl/site/2026-11/|" $(grep -rl /etc/ssl/site/current /etc/nginx) && systemctl reload nginx'
go tls-rotation --set name=2027-02 --set old=2026-11
ended 7 "tls: a host that serves the old certificate takes it back"
everywhere links "$links" "${web[@]}"
is "$(said links "${web[@]}" | xargs)" "2026-11 2026-08 2026-11 current 2026-11 2026-08 2026-11 current" "tls: the link is back, the new key is gone"
everywhere back "$served" "${web[@]}"
is "$(said back "${web[@]}")" "$(said new "${web[@]}")" "tls: what is served is what was"

# --- a deploy with a migration ---------------------------------------------------------------------
for host in "${hosts[@]}"; do
	on "$host" sh -s <<-'SH' >/dev/null
		mkdir -p /opt/shop/bin /opt/shop/releases/1
		cat >/opt/shop/bin/fetch <<'E'
		#!/bin/sh
		set -e
		mkdir -p "/opt/shop/releases/$1"
		if [ -e "/opt/shop/breaks-$1" ]; then echo broken; else echo "shop $1 ok"; fi >"/opt/shop/releases/$1/index.html"
		cp /bin/true "/opt/shop/releases/$1/serve"
		E
		cat >/opt/shop/bin/migrate <<'E'
		#!/bin/sh
		case $1 in
		--to) echo "$2" >/opt/shop/schema; echo "migrated to $2" >>/opt/shop/migrations ;;
		--at) [ "$(cat /opt/shop/schema 2>/dev/null)" = "$2" ] ;;
		esac
		E
		chmod 755 /opt/shop/bin/*
		/opt/shop/bin/fetch 1
		ln -s releases/1 /opt/shop/current
		cat >/opt/shop/nginx.conf <<'E'
		pid /run/shop.pid;
		events {}
		http { access_log off; server { listen 8080; root /opt/shop/current; } }
		E
		cat >/etc/systemd/system/shop.service <<'E'
		[Service]
		ExecStart=/usr/sbin/nginx -c /opt/shop/nginx.conf -g "daemon off;"
		E
		systemctl daemon-reload && systemctl start shop
	SH
done
go app-deploy --set version=2 --set old=1
ended 0 "deploy: release 2"
like "$(cat "$scene/seen/run")" "answered yes (by alice)" "deploy: once somebody said that the backup is good"
on real2 touch /opt/shop/breaks-3
go app-deploy --set version=3 --set old=2
ended 7 "deploy: release 3 breaks on the second host, the change goes back"
everywhere shop 'readlink /opt/shop/current; ls /opt/shop/releases; cat /opt/shop/current/index.html' "${web[@]}"
is "$(said shop "${web[@]}" | xargs)" "releases/2 1 2 shop 2 ok releases/2 1 2 shop 2 ok" "deploy: both serve release 2, release 3 is gone"
is "$(on real3 cat /opt/shop/migrations | xargs)" "migrated to 2 migrated to 3" "deploy: the schema was migrated once, and kept"
on real4 test ! -e /opt/shop/migrations
ok $? "deploy: on one database only"
like "$(hoshu show "$change")" "kept" "deploy: show says that it was kept"

# --- a stolen key ----------------------------------------------------------------------------------
ssh-keygen -q -t ed25519 -N '' -C stolen -f "$scene/stolen"
for host in "${hosts[@]}"; do
	on "$host" 'cat >>/root/.ssh/authorized_keys' <"$scene/stolen.pub"
	# shellcheck disable=SC2016
	on "$host" 'echo "from=\"10.0.0.0/8\" $(cat)" >>/home/ops/.ssh/authorized_keys' <"$scene/stolen.pub"
done
print=$(ssh-keygen -l -f "$scene/stolen.pub" | awk '{ print $2 }')
has="cat /root/.ssh/authorized_keys /home/ops/.ssh/authorized_keys | ssh-keygen -l -f /dev/stdin | grep -cF '$print'; stat -c '%a %U' /home/ops/.ssh/authorized_keys"
everywhere has "$has" "${hosts[@]}"
is "$(said has "${hosts[@]}" | sort -u | xargs)" "2 600 ops" "key: every host trusts the stolen key, twice"
hoshu preview "$scene/revoke-key.yml" --set fingerprint="$print" >"$scene/seen/preview"
like "$(cat "$scene/seen/preview")" "not taken back: anything (rollback: none)" "key: the approver is told that nothing goes back"
# real4 is away from before the submit to behind the run
timeout 60 tests/fleet/real cut real4 "$fleet"
out=$(hoshu submit "$scene/revoke-key.yml" --set fingerprint="$print" --as carol)
change=$(sed -n 's/^\(CHG-[0-9]*\) submitted.*/\1/p' <<<"$out")
like "$out" "1 host is away: NOT previewed" "key: a host that is away does not stop the submit"
like "$(hoshu approve "$change" --as alice --key "$scene/keys/alice")" "not previewed: 1 host: real4" "key: its name is signed"
hoshu approve "$change" --as bob --key "$scene/keys/bob" >/dev/null
run
ended 9 "key: gone from all that answer, one host is owed"
like "$(hoshu status)" "owed: 1 host (real4) until" "key: status names it"
run
ended 9 "key: it is still away"
is "$(cat "$scene/seen/run")" "" "key: a timer would have nothing to say"
timeout 60 tests/fleet/real mend real4 "$fleet"
everywhere has "$has" "${hosts[@]}"
is "$(said has "${hosts[@]}" | grep -v ops | xargs)" "0 0 0 2" "key: the absent host still has it, and was counted"
run
ended 0 "key: back, it loses the key under the same approval"
everywhere has "$has" "${hosts[@]}"
is "$(said has "${hosts[@]}" | sort -u | xargs)" "0 600 ops" "key: gone everywhere, the files are their owners'"
done_testing
