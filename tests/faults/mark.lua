-- What the fault campaigns do to a host: a file with a state, and a line of
-- evidence for whatever runs; see Campaign.pm.

local HEAD = [[
d=${1:-$HOME} n=$2
cd "$d" || exit 9
say() { read -r u _ </proc/uptime; echo "$1 $n $w ${x##*/} $u" >>evidence; }
]]

local APPLY = HEAD .. [[
w=apply
say begin
echo half >"state-$n"
sleep "$3" || exit
[ ! -e "fail-$n" ] || { say fail; exit 3; }
echo set >"state-$n"
say state
sleep "$4" || exit
say end
]]

local UNDO = HEAD .. [[
w=undo
say begin
sleep "$3" || exit
[ ! -e "fail-undo-$n" ] || { say fail; exit 3; }
rm -f "state-$n"
say state
say end
]]

return {
  name = "mark",
  summary = "Mark a host, and leave evidence of each time a script ran",
  params = {
    name = { "string", required = true, match = "^[a-z0-9]+\\z", summary = "of the mark" },
    place = { "string", default = "", summary = "a folder; the home if empty" },
    sleep = { "string", default = "0", summary = "seconds that its work takes" },
    tail = { "string", default = "0", summary = "seconds that it runs on when that is done" },
  },

  probe = function(host, p)
    local a = host:ask { script = 'cat "${1:-$HOME}/state-$2" 2>/dev/null || echo absent',
      args = { p.place, p.name } }
    return { state = { is = a.out:match("^(%l+)\n") or "other" } }
  end,

  want = function()
    return { is = "set" }
  end,

  apply = function(sh, _, _, p)
    sh:script(APPLY, { p.place, p.name, p.sleep, p.tail })
  end,

  undo = function(sh, _, _, p)
    sh:script(UNDO, { p.place, p.name, p.sleep })
  end,
}
