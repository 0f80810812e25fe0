#!/bin/bash
# The same patch with a new configuration of nginx, which goes wrong on the hosts of wave 2: first it
# answers what the check refuses, then nginx refuses it and does not start at all. Each time everything
# goes back by itself: old packages, old files byte for byte, nginx on the old library. covers: P3, P4, P5
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
scene broken 6

# After the patch's package step: the site, and a file that was not there before.
{
	sed -e '/^handlers:/,$d' -e 's/within: 30s/within: 2s/; s/every: 2s/every: 1s/' playbooks/patch-openssl.yml
	cat <<-'YAML'
		  - name: Site
		    file: { path: /etc/nginx/sites-available/fleet, template: site.conf, mode: "0640", group: www-data }
		    notify: restart nginx
		  - name: Logs
		    file: { path: /etc/nginx/conf.d/times.conf, content: "log_format times '$request_time $status';\n" }
		    notify: restart nginx
	YAML
	echo
	sed -n '/^handlers:/,$p' playbooks/patch-openssl.yml
} >"$scene/broken.yml"
cat >"$scene/files/site.conf" <<-'NGINX'
	server {
		listen 80 default_server;
		listen 443 ssl default_server;
		ssl_certificate /etc/ssl/fleet/host.pem;
		ssl_certificate_key /etc/ssl/fleet/host.key;
		location = /healthz { default_type text/plain; ${{ host.vars.answer }} }
	}
NGINX
cp "$scene/inventory.yml" "$scene/inventory.whole"
answer() { # TEXT: what the template makes of the hosts of wave 2, real2 and real3
	sed -e 's/tier: front/answer: "return 200 ok;"/' -e "/^  real[23]:/s/vars: { /&answer: \"$1\", /" \
		"$scene/inventory.whole" >"$scene/inventory.yml"
}

touched=(real1 real2 real3)
spared=(real4 real5 real6)

breaks() { # the run, and what must be true behind it
	local host back
	submit "$scene/broken.yml"
	approve
	everywhere pid "$look_pid" "${hosts[@]}"
	run
	is "$status" 7 "$1: exit status 7, reverted"
	[ "$status" = 7 ] || told
	like "$(cat "$scene/seen/run")" "$change: reverted. 0 done, 3 reverted, 0 failed, 0 unknown, 3 left over" "three went back"

	everywhere after "$look_disk" "${hosts[@]}"
	for host in "${hosts[@]}"; do
		diff "$scene/seen/$host.before" "$scene/seen/$host.after" >"$scene/seen/$host.diff"
		ok $? "$host: packages, marks and every file are what they were"
		head -n 20 "$scene/seen/$host.diff" | sed 's/^/#   /'
	done
	everywhere nginx "$look_nginx" "${hosts[@]}"
	is "$(said nginx "${hosts[@]}")" "$(each younger "${hosts[@]}")" "nginx runs everywhere, on the library that is there"
	for host in "${touched[@]}"; do
		on "$host" "$look_pid" | cmp -s - "$scene/seen/$host.pid"
		is $? 1 "$host: started again on the old files"
	done
	everywhere now "$look_pid" "${spared[@]}"
	is "$(said now "${spared[@]}")" "$(said pid "${spared[@]}")" "wave 3 was not touched: its nginx runs on"
	for host in "${hosts[@]}"; do
		is "$(curl -s -m 5 --cacert "$fleet/ca.pem" "https://$(address "$host")/healthz")" ok "$host answers as before"
	done

	hoshu show "$change" >"$scene/seen/show"
	like "$(cat "$scene/seen/show")" "state: ended, reverted (exit status 7)" "show says reverted"
	is "$(hoshu show "$change" --json | perl -MJSON::PP -0777 -ne 'print "$_->{name} wave $_->{wave} $_->{state}\n" for @{decode_json($_)->{hosts}}')" "real1 wave 1 reverted
real2 wave 2 reverted
real3 wave 2 reverted
real4 wave 3 waiting
real5 wave 3 waiting
real6 wave 3 waiting" "of each host that was touched"
	hoshu audit show "$change" --json >"$scene/seen/journal"
	is "$(perl tests/scenes/journal.pl order "$scene/seen/journal")" "" "each intent stands before its outcome"
	is "$(perl tests/scenes/journal.pl waves "$scene/seen/journal")" "1: real1
2: real2 real3" "wave 3 never began"
	# every host backwards through its steps, then the handler again; wave 1 last. Of wave 2 one fails
	# first, and the other may not have come to its last steps by then.
	back=$(perl tests/scenes/journal.pl back "$scene/seen/journal")
	there=$(perl tests/scenes/journal.pl there "$scene/seen/journal")
	for host in "${touched[@]}"; do
		due=$(for step in 3 2 1; do
			grep -qx "$host $step" <<<"$there" && printf '%s intent\n%s done\n' $step $step
		done
		printf '4 intent\n4 done\n')
		is "$(grep "^$host " <<<"$back" | cut -d' ' -f2-)" "$due" "$host: step by step backwards"
	done
	like "$due" "1 done" "the last of them was at work"
	is "$(cut -d' ' -f1 <<<"$back" | sed 's/real[23]/wave 2/' | uniq | xargs)" "wave 2 real1" "wave 2 before wave 1"
	hoshu audit verify >/dev/null
	is $? 0 "the journal holds"
}

everywhere before "$look_disk" "${hosts[@]}"
ok "$([ "$(wc -l <"$scene/seen/real1.before")" -gt 5000 ] && echo 0)" "the look at a host sees its files"

answer "return 503 down;"
breaks "a check that fails"
like "$(cat "$scene/seen/run")" 'check "https answers": fail: 503' "it was the check"
like "$(cat "$scene/seen/run")" "restart nginx: ran again after the undo" "a handler on the way back is not called undone"

answer "return 200 ok"
breaks "a restart that fails"
like "$(cat "$scene/seen/run")" '4 restart nginx: FAILED: its script failed' "it was the restart"
done_testing
