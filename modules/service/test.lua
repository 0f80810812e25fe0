-- Cases for tests/unit/test_modules.c; they need a host to throw away that
-- runs systemd (HOSHU_TEST_DOOR, marked by /etc/hoshu-test-host).

local SYSTEMD = "[ -e /etc/hoshu-test-host ] && [ -d /run/systemd/system ]"
  .. " && systemctl show -p Version >/dev/null"
local UNIT = [[
cat >/etc/systemd/system/hoshu-test.service <<E
[Service]
ExecStart=/bin/sleep 1000
ExecReload=/bin/true
[Install]
WantedBy=multi-user.target
E
systemctl daemon-reload
]]
local GONE = [[
systemctl disable --now hoshu-test.service 2>/dev/null
rm -f /etc/systemd/system/hoshu-test.service
systemctl daemon-reload
]]

return {
  {
    name = "running and enabled",
    needs = SYSTEMD, before = UNIT, finally = GONE,
    params = { name = "hoshu-test", state = "running", enabled = true },
    diff = "inactive -> active", effects = "run start of hoshu-test",
    after = "systemctl is-active hoshu-test && systemctl is-enabled hoshu-test",
    undone = "! systemctl is-active hoshu-test && ! systemctl is-enabled hoshu-test",
  },
  {
    name = "a start that fails is no failed unit after its undo",
    needs = SYSTEMD, before = UNIT .. [[
sed -i 's/^ExecStart=.*/Type=oneshot\nExecStart=false/' /etc/systemd/system/hoshu-test.service
systemctl daemon-reload
]], finally = GONE,
    params = { name = "hoshu-test", state = "running" },
    breaks = true,
    undone = "! systemctl is-failed hoshu-test && ! systemctl is-active hoshu-test",
  },
  {
    name = "stopped",
    needs = SYSTEMD, before = UNIT .. "systemctl start hoshu-test", finally = GONE,
    params = { name = "hoshu-test.service", state = "stopped" },
    effects = "downtime hoshu-test.service is stopped",
    after = "! systemctl is-active hoshu-test",
    undone = "systemctl is-active hoshu-test",
  },
  {
    name = "restarted is met by a younger process",
    needs = SYSTEMD, before = UNIT .. "systemctl start hoshu-test", finally = GONE,
    params = { name = "hoshu-test", state = "restarted" },
    effects = "restart hoshu-test", after = "systemctl is-active hoshu-test",
  },
  {
    name = "restarted starts what was stopped, and stops it again",
    needs = SYSTEMD, before = UNIT, finally = GONE,
    params = { name = "hoshu-test", state = "restarted" },
    after = "systemctl is-active hoshu-test",
    undone = "! systemctl is-active hoshu-test",
  },
  {
    name = "reloaded",
    needs = SYSTEMD, before = UNIT .. "systemctl start hoshu-test", finally = GONE,
    params = { name = "hoshu-test", state = "reloaded" },
    effects = "run reload of hoshu-test", after = "systemctl is-active hoshu-test",
  },
  {
    name = "a unit that does not exist",
    needs = SYSTEMD,
    params = { name = "hoshu-no-such", state = "running" },
    fails = "unit hoshu-no-such does not exist",
  },
  {
    name = "a unit that an earlier step may bring",
    needs = SYSTEMD,
    params = { name = "hoshu-no-such", state = "running" },
    data = { changed = { Install = true } },
    verdict = "depends", reason = "unit hoshu-no-such does not exist",
  },
  {
    name = "a unit that does not exist is stopped",
    needs = SYSTEMD,
    params = { name = "hoshu-no-such", state = "stopped" },
    verdict = "same",
  },
  {
    name = "a name is no option",
    params = { name = "-H x", state = "running" },
    fails = "param 'name' is not of the allowed form",
  },
}
