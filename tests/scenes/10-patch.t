#!/bin/bash
# A real patch on six hosts that boot systemd: playbooks/patch-openssl.yml as it stands takes openssl
# and libssl3 from the oldest to the newest state of the archive, in three waves, with a verified
# https check through nginx. covers: P2, P3, P9
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
scene patch 6
plan=playbooks/patch-openssl.yml

old="libssl3 $LIBSSL3_OLD
openssl $OPENSSL_OLD"
new="libssl3 $LIBSSL3_NEW
openssl $OPENSSL_NEW"

everywhere versions "$look_versions" "${hosts[@]}"
is "$(said versions "${hosts[@]}")" "$(each "$old" "${hosts[@]}")" "six hosts are old"
everywhere nginx "$look_nginx" "${hosts[@]}"
is "$(said nginx "${hosts[@]}")" "$(each younger "${hosts[@]}")" "and run nginx on it"
everywhere pid "$look_pid" "${hosts[@]}"
everywhere marks "$look_marks" "${hosts[@]}"
marks=$(said marks "${hosts[@]}")

preview=$(hoshu preview "$plan")
is $? 0 "preview"
like "$preview" "6 hosts: ${hosts[*]}" "six equal hosts are one group"
like "$preview" "
      libssl3: $LIBSSL3_OLD -> $LIBSSL3_NEW
      openssl: $OPENSSL_OLD -> $OPENSSL_NEW
" "from -> to, exactly"
like "$preview" "canary: 1 host, soak 2s > wave 2: 2 hosts, soak 2s > wave 3: 3 hosts" "three waves"
like "$preview" "asked read-only, enforced by every host's kernel" "the preview was shut in"
everywhere versions "$look_versions" "${hosts[@]}"
is "$(said versions "${hosts[@]}")" "$(each "$old" "${hosts[@]}")" "and changed nothing"

submit "$plan"
run
is "$status" 4 "without approvals it does not run"
approve
run
is "$status" 0 "run"
[ "$status" = 0 ] || told
like "$(cat "$scene/seen/run")" "$change: done. 6 done, 0 reverted, 0 failed, 0 unknown, 0 left over" "all six are done"

everywhere versions "$look_versions" "${hosts[@]}"
is "$(said versions "${hosts[@]}")" "$(each "$new" "${hosts[@]}")" "dpkg says the new versions everywhere"
everywhere nginx "$look_nginx" "${hosts[@]}"
is "$(said nginx "${hosts[@]}")" "$(each younger "${hosts[@]}")" "nginx is younger than the library and maps the new one"
for host in "${hosts[@]}"; do
	on "$host" "$look_pid" | cmp -s - "$scene/seen/$host.pid"
	is $? 1 "$host: nginx was restarted"
done
everywhere marks "$look_marks" "${hosts[@]}"
is "$(said marks "${hosts[@]}")" "$marks" "what was a dependency still is one"
everywhere faults 'dpkg --audit; dpkg --verify openssl libssl3; apt-get check -qq' "${hosts[@]}"
is "$(said faults "${hosts[@]}")" "" "dpkg and apt find no fault"

is "$(perl tests/scenes/journal.pl waves <(hoshu audit show "$change" --json))" "1: real1
2: real2 real3
3: real4 real5 real6" "each wave began when the one before it had ended"
is "$(perl tests/scenes/journal.pl order <(hoshu audit show "$change" --json))" "" "each intent stands before its outcome"
hoshu audit verify >/dev/null
is $? 0 "the journal holds"
like "$(hoshu show "$change")" "state: ended, done (exit status 0)" "show says done"

preview=$(hoshu preview "$plan")
is $? 0 "preview again"
like "$preview" "0 hosts will change, 6 stay as they are, 0 could not be asked" "nothing is left to do"
like "$preview" "1 OpenSSL  [unchanged]" "unchanged on all hosts"
done_testing
