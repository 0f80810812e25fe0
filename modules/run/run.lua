-- A command: an argv that never meets a shell. What it does nobody can know;
-- `unless` is its probe: the step is met when that command succeeds.

-- $1... NAME=VALUE, then --, then the argv
local ASK = [[
while [ "$1" != -- ]; do export "$1"; shift; done
shift
exec "$@" >/dev/null 2>&1
]]

local function ask_unless(host, p)
  local args = {}
  for name, value in pairs(p.env or {}) do
    args[#args + 1] = name .. "=" .. value
  end
  args[#args + 1] = "--"
  for _, word in ipairs(p.unless) do
    args[#args + 1] = word
  end
  return host:ask { script = ASK, args = args }.rc
end

return {
  name = "run",
  summary = "Run a command",
  short = "argv",
  beside = { "unless", "as", "env" },
  params = {
    argv = { "list", required = true, summary = "the command and its words" },
    unless = { "list", summary = "a command; when it succeeds there is nothing to do" },
    as = { "string", match = "^[A-Za-z0-9_][A-Za-z0-9_.-]*\\z",
      summary = "the user who runs it" },
    env = { "map", summary = "added to its environment" },
  },

  probe = function(host, p)
    if not p.unless then
      return { state = {} }
    end
    local rc = ask_unless(host, p)
    if rc == 127 then
      return { depends = "unless: there is no command '" .. p.unless[1] .. "'" }
    end
    return { state = { met = rc == 0 }, info = { rc = rc } }
  end,

  want = function(p)
    return p.unless and { met = true } or {}
  end,

  met = function(seen)
    if seen.state.met == nil then
      return nil, "without unless: it runs each time"
    end
    return seen.state.met
  end,

  apply = function(sh, _, _, p)
    sh:run_as(p.as, p.argv, p.env)
  end,

  effects = function(_, _, p)
    return { "run " .. table.concat(p.argv, " ") }
  end,

  diff = function(_, _, p)
    return "runs: " .. table.concat(p.argv, " ") .. "\n", "runs"
  end,
}
