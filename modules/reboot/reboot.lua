-- A reboot, once: met when the host came up after `before`. hoshu waits for it
-- as long as the step's timeout says. Its script ends after the connection: a
-- host that says "done" before it goes down would be asked too early.

return {
  name = "reboot",
  summary = "Reboot the host, once, and wait until it answers again",
  reboots = true,
  params = {},

  probe = function(host)
    local boot = host:read("/proc/sys/kernel/random/boot_id")
    local uptime = host:read("/proc/uptime")
    return { state = { up = true },
      info = { boot = boot and boot:gsub("%s+$", ""), uptime_s = uptime and uptime:match("^%d+") } }
  end,

  want = function() return { act = "reboot" } end,

  -- before: 0 where what called for it ended in an earlier boot
  met = function(_, _, before) return before ~= nil and before == 0 end,

  apply = function(sh)
    sh:text [[
trap 'left=3' TERM
if [ -d /run/systemd/system ]; then systemctl reboot; else reboot; fi || exit
left=100000
while [ $((left -= 1)) -gt 0 ]; do sleep 1; done
exit 1
]]
  end,

  effects = function() return { "reboot the host" } end,
}
