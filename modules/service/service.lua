-- A systemd unit: running or stopped, enabled or not, or restarted or
-- reloaded once. A restart is met when the process is younger than `before`;
-- a reload when the unit's state changed since then and the reload succeeded
-- (systemd 252 keeps no better trace of one).

local PROPERTIES = "Id,LoadState,ActiveState,SubState,UnitFileState,MainPID,Result,"
  .. "ReloadResult,ExecMainStartTimestampMonotonic,ActiveEnterTimestampMonotonic,"
  .. "StateChangeTimestampMonotonic"

-- UnitFileState words that mean: it starts by itself, or cannot be enabled
local COUNTS_AS_ENABLED = { enabled = true, ["enabled-runtime"] = true, static = true,
  alias = true, generated = true, indirect = true }

local function seconds(us)
  return (tonumber(us) or 0) / 1000000
end

local function is_running(active)
  return active == "active" or active == "reloading"
end

-- systemctl with the unit behind "--", so that no name is an option
local function unit(sh, verb, name)
  sh:run { "systemctl", verb, "--", name }
end

return {
  name = "service",
  summary = "Keep a systemd unit running or stopped, or restart or reload it",
  subject = "name",
  params = {
    name = { "string", required = true, match = "^[A-Za-z0-9@._:\\\\-]+\\z",
      summary = "the unit; .service may be left out" },
    state = { "enum", "running", "stopped", "restarted", "reloaded",
      summary = "restarted and reloaded act each time, unless it happened since" },
    enabled = { "bool", summary = "does it start with the host" },
  },

  probe = function(host, p)
    local a = host:run { "systemctl", "show", "-p", PROPERTIES, "--", p.name }
    if a.rc ~= 0 then
      error("systemd does not answer: " .. a.err)
    end
    local said = {}
    for key, value in a.out:gmatch("(%w+)=([^\n]*)\n") do
      said[key] = value
    end
    if not said.LoadState then
      error("systemd does not answer: " .. a.err)
    end
    if said.LoadState == "not-found" then
      local gone = p.state ~= "running" and p.state ~= "restarted"
        and p.state ~= "reloaded" and not p.enabled
      return { state = gone and { active = "inactive", enabled = "disabled" } or nil,
        depends = not gone and "unit " .. p.name .. " does not exist" or nil }
    end
    local enabled = said.UnitFileState
    return {
      state = { active = said.ActiveState,
        enabled = (enabled == nil or enabled == "") and "static" or enabled },
      info = { pid = tonumber(said.MainPID) or 0, sub = said.SubState, load = said.LoadState,
        started_us = said.ExecMainStartTimestampMonotonic,
        active_us = said.ActiveEnterTimestampMonotonic,
        changed_us = said.StateChangeTimestampMonotonic,
        reload = said.ReloadResult },
    }
  end,

  want = function(p, seen)
    local s = seen.state
    if not p.state and p.enabled == nil then
      error("give state or enabled")
    end
    if seen.info and seen.info.load == "masked" and (p.state ~= "stopped" or p.enabled) then
      error("unit " .. p.name .. " is masked on this host")
    end
    if p.enabled and not COUNTS_AS_ENABLED[s.enabled] and s.enabled ~= "disabled" then
      error("unit " .. p.name .. " is " .. s.enabled .. ": it cannot be enabled")
    end
    local want = { enabled = p.enabled }
    if p.state == "stopped" then
      want.active = "inactive"
    elseif p.state then
      want.active = "active"
    end
    if p.state == "restarted" or p.state == "reloaded" then
      want.act = p.state
    end
    return want
  end,

  met = function(seen, want, before)
    local s, info = seen.state, seen.info or {}
    if want.enabled ~= nil and want.enabled ~= (COUNTS_AS_ENABLED[s.enabled] or false) then
      return false
    end
    if want.active == "inactive" and (is_running(s.active) or s.active == "activating"
        or s.active == "deactivating") then
      return false
    end
    if want.active == "active" and s.active ~= "active" then
      return false
    end
    if want.act == "restarted" then
      local started = seconds(info.started_us)
      if started == 0 then -- a unit without a main process
        started = seconds(info.active_us)
      end
      return before ~= nil and started > before
    elseif want.act == "reloaded" then
      return before ~= nil and seconds(info.changed_us) > before
        and (info.reload == nil or info.reload == "success")
    end
    return true
  end,

  apply = function(sh, want, seen, p)
    local s = seen.state
    if want.enabled == true and not COUNTS_AS_ENABLED[s.enabled] then
      unit(sh, "enable", p.name)
    elseif want.enabled == false and COUNTS_AS_ENABLED[s.enabled] then
      unit(sh, "disable", p.name)
    end
    if want.act == "restarted" then
      unit(sh, "restart", p.name)
    elseif want.act == "reloaded" then
      -- a unit that does not run has nothing to reload: it is started
      unit(sh, is_running(s.active) and "reload" or "start", p.name)
    elseif want.active == "active" and s.active ~= "active" then
      unit(sh, "start", p.name)
    elseif want.active == "inactive" and s.active ~= "inactive" then
      unit(sh, "stop", p.name)
    end
  end,

  undo = function(sh, seen, want, p)
    local s = seen.state
    if want.active == "active" and not is_running(s.active) then
      unit(sh, "stop", p.name)
      if s.active == "inactive" then -- a start that failed leaves more than stopping takes back
        sh:script([[ ! systemctl -q is-failed -- "$1" || systemctl reset-failed -- "$1" ]],
          { p.name })
      end
    elseif want.active == "inactive" and is_running(s.active) then
      unit(sh, "start", p.name)
    end -- a restart of what ran leaves nothing to take back
    if want.enabled ~= nil and s.enabled == "enabled" then
      unit(sh, "enable", p.name)
    elseif want.enabled ~= nil and s.enabled == "disabled" then
      unit(sh, "disable", p.name)
    end
  end,

  effects = function(seen, want, p)
    local s, out = seen.state, {}
    if want.act == "restarted" and is_running(s.active) then
      out[#out + 1] = "restart " .. p.name
    elseif want.active == "inactive" and is_running(s.active) then
      out[#out + 1] = "downtime " .. p.name .. " is stopped"
    elseif want.act == "reloaded" then
      out[#out + 1] = "run reload of " .. p.name
    elseif want.active == "active" and not is_running(s.active) then
      out[#out + 1] = "run start of " .. p.name
    end
    if want.enabled ~= nil and want.enabled ~= (COUNTS_AS_ENABLED[s.enabled] or false) then
      out[#out + 1] = "write " .. p.name .. (want.enabled and " is enabled" or " is disabled")
    end
    return list(out)
  end,

  diff = function(seen, want)
    local s, lines = seen.state, {}
    if want.act then
      lines[#lines + 1] = s.active .. " -> " .. want.act
    elseif want.active and want.active ~= s.active then
      lines[#lines + 1] = s.active .. " -> " .. want.active
    end
    if want.enabled ~= nil and want.enabled ~= (COUNTS_AS_ENABLED[s.enabled] or false) then
      lines[#lines + 1] = s.enabled .. " -> " .. (want.enabled and "enabled" or "disabled")
    end
    return table.concat(lines, "\n") .. "\n", table.concat(lines, ", ")
  end,
}
