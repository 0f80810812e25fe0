#!/bin/bash
# A step at a place (on:) ended by the place's clock and boot, and its host's handler took that for its
# own: "unchanged", and on the way back "met already", while nothing had restarted. And a restart at a
# place, resumed after the coordinator's death, was called failed: when the place was first reached was
# forgotten with the process. covers: P4, P5
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scenes/lib.sh
. tests/scenes/lib.sh
scene places 2

cat >"$scene/handler.yml" <<'YML'
change: A handler for a step elsewhere
reason: a test
targets: real1
waves: [{ hosts: rest }]
handlers:
  restart here: { service: { name: nginx, state: restarted } }
steps:
  - name: There
    on: real2
    file: { path: /etc/at-place, content: "1\n" }
    notify: restart here
  - name: Restart there
    on: real2
    service: { name: nginx, state: restarted }
YML
pid() { on "$1" systemctl show -p MainPID --value nginx; }
old=$(pid real1)
submit "$scene/handler.yml"
approve
# the restart there takes a while: time to kill the coordinator in the middle of it
on real2 'mkdir -p /etc/systemd/system/nginx.service.d; systemctl show -p ExecStartPre nginx >/dev/null
	printf "[Service]\nExecStartPre=/bin/sleep 3\n" >/etc/systemd/system/nginx.service.d/slow.conf; systemctl daemon-reload'
"$hoshu" run --folder "$scene" "$change" >"$scene/seen/killed" 2>&1 &
pid=$!
timeout 60 ssh -T -F "$fleet/ssh_config" -l root real2 \
	'until [ "$(systemctl is-active nginx)" = activating ]; do sleep 0.05; done'
kill -9 "$pid"
wait "$pid" 2>/dev/null
timeout 60 ssh -T -F "$fleet/ssh_config" -l root real2 \
	'until [ "$(systemctl is-active nginx)" = active ]; do sleep 0.05; done'
like "$(cat "$scene/seen/killed")" "1 There, on real2: changed" "a step says where it ran"
run
is "$status" 0 "a restart at a place is resumed and done"
[ "$status" = 0 ] || told
like "$(cat "$scene/seen/run")" "Restart there, on real2: changed" "by its own word"
like "$(cat "$scene/seen/run")" "3 restart here: changed" "the handler of a step elsewhere runs"
new=$(pid real1)
[ "$new" != "$old" ]
ok $? "nginx on real1 did restart"
hoshu rollback "$change" --because "a test" --as alice >"$scene/seen/back"
is $? 7 "taken back"
like "$(cat "$scene/seen/back")" $'restart here: ran again after the undo\n' "the handler runs again"
[ "$(pid real1)" != "$new" ]
ok $? "and nginx on real1 restarted again"

# the host boots while nobody is connected to it but as to a place
cat >"$scene/boot.yml" <<'YML'
change: A place that is its own host
reason: a test
targets: real2
waves: [{ hosts: rest }]
handlers:
  restart here: { service: { name: nginx, state: restarted } }
steps:
  - name: Before
    file: { path: /etc/before, content: "1\n" }
  - name: Boot
    on: real2
    reboot: {}
    rollback: keep
    because: a test
  - name: Behind
    on: real2
    file: { path: /etc/behind, content: "1\n" }
    notify: restart here
YML
on real2 'rm -r /etc/systemd/system/nginx.service.d; systemctl daemon-reload'
submit "$scene/boot.yml"
approve
run
is "$status" 0 "a place reboots that is the host, too"
[ "$status" = 0 ] || told
like "$(cat "$scene/seen/run")" "4 restart here: changed" "what was notified after the boot runs after the boot"
hoshu audit verify >/dev/null
ok $? "the journal holds"
done_testing
