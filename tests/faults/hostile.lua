-- Programs that try to hang, to eat memory or to get out, for hostile-lua.t.
-- `when` names the part of a module that runs it: probe, want, met, apply,
-- undo, effects. Where a program comes to its end without harm it gives a text.

-- luacheck: globals re

local function for_ever()
  local n = 0
  while true do n = n + 1 end
end

local function deep(n)
  return 1 + deep(n + 1)
end

local programs = {
  none = function() return "fine" end,

  -- hang
  loop = for_ever,
  pcall_loop = function()
    while true do pcall(for_ever) end
  end,
  pcall_in_pcall = function()
    local function again()
      while true do pcall(again) end
    end
    again()
  end,
  find_blow_up = function()
    local s = ("a"):rep(100)
    return s:find((".-"):rep(60) .. "b")
  end,
  match_blow_up = function()
    while true do pcall(string.match, ("a"):rep(20000), ("a-"):rep(30) .. "b") end
  end,
  gsub_loop = function()
    while true do (("x"):rep(60000)):gsub(".", function(c) return c .. c end) end
  end,
  re_blow_up = function()
    local text = ("a"):rep(200)
    for _ = 1, 1000000 do pcall(function() return re(text, "^(a+)+(a+)+(a+)+$b") end) end
  end,
  sort_liar = function()
    local t = {}
    for i = 1, 100000 do t[i] = i end
    while true do
      pcall(table.sort, t, function() return true end)
    end
  end,
  iterate_for_ever = function()
    for _ in function() return 1 end do end
  end,
  concat_loop = function()
    local t = {}
    for i = 1, 200000 do t[i] = "xxxxxxxx" end
    while true do pcall(table.concat, t, ("y"):rep(1000)) end
  end,
  ask_for_ever = function(host)
    while true do pcall(host.ask, host, { script = "true" }) end
  end,
  ask_a_hang = function(host)
    return host:ask { script = "exec cat /dev/zero" }.out
  end,

  -- memory
  rep_bomb = function()
    return ("x"):rep(1 << 30)
  end,
  rep_twice = function()
    local s = "x"
    while true do s = s:rep(100) end
  end,
  doubling = function()
    local s = "x"
    while true do s = s .. s end
  end,
  format_bomb = function()
    local t = {}
    for i = 1, 1 << 30 do t[i] = ("%099d"):format(i):rep(1000) end
    return t[1]
  end,
  table_growth = function()
    local t = {}
    for _ = 1, math.huge do t[#t + 1] = {} end
    return t[1]
  end,
  table_growth_kept_by_pcall = function()
    local t = {}
    while true do pcall(function() while true do t[#t + 1] = { #t } end end) end
  end,
  recursion = function()
    return deep(1)
  end,
  recursion_in_pcall = function()
    local function again(n)
      return pcall(again, n + 1)
    end
    return again(1)
  end,
  unpack_bomb = function()
    return select("#", table.unpack({}, 1, 100000000))
  end,
  closures = function()
    local f = function() end
    while true do
      local g = f
      f = function() return g() end
    end
  end,
  gsub_growth = function()
    local s = "xx"
    while true do s = s:gsub(".", "%0%0%0%0") end
  end,
  big_state = function()
    return ("x"):rep(70000)
  end,
  deep_state = function()
    local t = { is = "x" }
    for _ = 1, 100000 do t = { t = t } end
    return t
  end,
  round_state = function()
    local t = {}
    t.t = t
    return t
  end,

  -- out
  os_execute = function()
    return os.execute("touch /tmp/hoshu-hostile")
  end,
  io_open = function()
    return io.open("/etc/shadow"):read("a")
  end,
  require_it = function()
    return require("os")
  end,
  load_bytecode = function()
    return load("\27Lua\x54\0\25\x93\r\n\26\n", "x", "b")
  end,
  load_text = function()
    return load("return os")()
  end,
  dump = function()
    return string.dump(for_ever)
  end,
  debug_library = function()
    return debug.getregistry()
  end,
  gc_loop = function()
    setmetatable({}, { __gc = for_ever })
    while true do local _ = {} end
  end,
  close_loop = function()
    local x <close> = setmetatable({}, { __close = for_ever })
    return x
  end,
  metatable_of_strings = function()
    getmetatable("").__index = function() return for_ever end
    return ("x").y()
  end,
  rawset_the_world = function()
    rawset(_ENV, "os", 1)
  end,
  environment = function()
    _ENV.string.rep = for_ever
    return string.rep("x", 2)
  end,
  coroutine_wrap = function()
    return coroutine.wrap(for_ever)()
  end,
  tostring_addresses = function()
    return tostring(for_ever) .. ("%p"):format({})
  end,
  error_loop = function()
    while true do pcall(error, error) end
  end,
  collect = function()
    while true do collectgarbage() end
  end,
}

local function run(p, at, host)
  if p.at ~= at then return "fine" end
  return programs[p.program](host)
end

return {
  name = "hostile",
  summary = "A program that means harm",
  params = {
    program = { "string", required = true, summary = "its name" },
    at = { "enum", "probe", "want", "met", "apply", "undo", "effects", summary = "where it runs" },
    armed = { "string", default = "", summary = "a file on the host without which it does none" },
  },

  probe = function(host, p)
    if p.armed ~= "" and host:ask { script = '[ ! -e "$1" ] || echo yes', args = { p.armed } }.out ~= "yes\n" then
      return { state = { is = "fine" } }
    end
    return { state = { is = run(p, "probe", host) } }
  end,
  want = function(p)
    run(p, "want")
    return { is = "set" }
  end,
  met = function(seen, want, _, p)
    if p then run(p, "met") end
    return seen.is == want.is
  end,
  effects = function(_, _, p)
    if p then run(p, "effects") end
    return {}
  end,
  apply = function(sh, _, _, p)
    run(p, "apply")
    sh:run { "true" }
  end,
  undo = function(sh, _, _, p)
    run(p, "undo")
    sh:run { "true" }
  end,
}
