#!/bin/bash
# sshd hardened under a dead-man, by its own playbook: with a group that may log in, and on the second
# host our user is not in it. That host opens itself again, the limit takes the canary back, and the rest
# of the fleet is not touched; as it stands the playbook hardens all. covers: P4, P5, P7
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
scene hardening 4

for host in "${hosts[@]}"; do
	on "$host" 'groupadd -f may-log-in && gpasswd -a root may-log-in && gpasswd -a ops may-log-in' >/dev/null
done
on real2 'gpasswd -d ops may-log-in' >/dev/null
sed -e 's/guard: 5m/guard: 10s/' -e 's/^\( *\)LoginGraceTime 30$/&\n\1AllowGroups may-log-in/' \
	playbooks/sshd-hardening.yml >"$scene/broken.yml"
cp playbooks/sshd-hardening.yml "$scene/"

# what sshd on the disk and the one that runs are
# shellcheck disable=SC2016
sshd='sshd -T | sort; cd /etc/ssh && find . -type f | sort | xargs sha256sum; stat -c "%n %a %U" sshd_config.d/*
	systemctl is-active ssh; ls /etc/systemd/system | grep hoshu-guard'
# shellcheck disable=SC2016
touched='[ -e /var/lib/hoshu ] && echo touched; systemctl show -p StateChangeTimestampMonotonic ssh'
everywhere old "$sshd" "${hosts[@]}"
everywhere untouched "$touched" real3 real4

submit "$scene/broken.yml"
hoshu show "$change" >"$scene/seen/show"
like "$(cat "$scene/seen/show")" "dead-man  10s round Keys only" "who approves is told of the dead-man"
approve
run
is "$status" 7 "locked out on the second host: all is taken back"
[ "$status" = 7 ] || told
like "$(cat "$scene/seen/run")" "0 done, 2 reverted, 0 failed, 0 unknown, 2 left over" "both that were touched, no other"
like "$(on real2 journalctl -q -u ssh)" "User ops from" "real2: sshd did refuse our user"
is "$(on real2 cat '/var/lib/hoshu/guard/*.decision')" "revert ." "real2: it went back by itself"
is "$(on real1 cat '/var/lib/hoshu/guard/*.decision')" "confirm ." "real1: hoshu took it back, its dead-man had been called off"
words=$(hoshu audit show "$change" --json | python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line) if line[:1] == "{" else {}
    if r.get("host") == "real2" and "guard" in r["body"]:
        print(r["body"]["guard"])')
like "$(xargs <<<"$words")" "armed reverted" "real2: and the journal says so"
everywhere back "$sshd" "${hosts[@]}"
for host in "${hosts[@]}"; do
	is "$(said back "$host")" "$(said old "$host")" "$host: sshd and its files are as before"
	timeout 10 ssh -T -F "$fleet/ssh_config" "$host" true
	ok $? "$host: our user logs in"
done
everywhere after "$touched" real3 real4
is "$(said after real3 real4)" "$(said untouched real3 real4)" "real3, real4: hoshu has not been there"

submit "$scene/sshd-hardening.yml"
approve
run
is "$status" 0 "as it stands it hardens the fleet"
[ "$status" = 0 ] || told
everywhere hard 'sshd -T | grep -E "^(passwordauthentication|maxauthtries) "; ls /etc/systemd/system | grep hoshu-guard' "${hosts[@]}"
is "$(said hard "${hosts[@]}")" "$(each $'maxauthtries 3\npasswordauthentication no' "${hosts[@]}")" "every sshd is hardened, nothing stays armed"
hoshu audit verify >/dev/null
ok $? "the journal holds"
done_testing
