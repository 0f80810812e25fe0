-- A file: its content, mode and owner, whole or not at all. The old content
-- stays on the host, by digest; the way back puts it there again, with its
-- time and, where the host's cp can, access control lists and extended
-- attributes. Proved are content, mode and owner. A hard link is not made
-- again: the file that comes back is another inode.

local SHOWN = 32 * 1024 -- bytes of content that a diff may read

-- One round trip. $1 path, $2 most bytes of content to read
local PROBE = [[
d=${1%/*}/
if [ ! -d "$d" ]; then echo folder; exit; fi
# -x: busybox looks at the mode alone, which says nothing to a reader that may search everywhere
if [ ! -e "$d/." ]; then echo denied; exit; fi
k=absent
if [ -L "$1" ]; then k=link
elif [ -f "$1" ]; then k=file
elif [ -d "$1" ]; then k=dir
elif [ -e "$1" ]; then k=other; fi
echo $k
[ $k != absent ] || exit 0
stat -c '%a %U %G %u %g %s' -- "$1" || exit
case $k in
link) readlink -- "$1" ;;
file) sha256sum <"$1" || exit
  case $(stat -c %a -- "$1") in *[4567]) head -c "$2" <"$1" ;; esac ;;
esac
]]

local function four(mode)
  return ("0000" .. mode):sub(-4)
end

local function name_or_number(name, number)
  return name ~= "UNKNOWN" and name or number
end

local function same_owner(want, have, number)
  return want == nil or want == have or want == number
end

-- What should be there, as a text; nil when it is a source that is not here.
local function content_of(p)
  return p.content or p.template or p.source and blob(p.source)
end

local function digest_of(p)
  return p.source and p.source.sha256 or digest(content_of(p))
end

return {
  name = "file",
  summary = "Keep a file with this content, mode and owner, or keep it away",
  subject = "path",
  params = {
    path = { "string", required = true, match = "(?s)^/.*[^/]\\z",
      summary = "absolute path of the file" },
    state = { "enum", "present", "absent", default = "present",
      summary = "absent removes it" },
    content = { "string", summary = "the content itself" },
    template = { "template", summary = "a file of the project with ${{ }} in it" },
    source = { "source", summary = "a file of the project, byte for byte" },
    mode = { "string", match = "^0?[0-7]{3,4}\\z",
      summary = "octal; left out: as it is, 0644 for a new file" },
    owner = { "string", match = "^[A-Za-z0-9_][A-Za-z0-9_.-]*\\z",
      summary = "left out: as it is" },
    group = { "string", match = "^[A-Za-z0-9_][A-Za-z0-9_.-]*\\z",
      summary = "left out: as it is" },
    validate = { "list",
      summary = "a command that must accept the new file, \"%\" in its place" },
  },

  probe = function(host, p)
    local a = host:ask { script = PROBE, args = { p.path, tostring(SHOWN + 1) } }
    if a.rc ~= 0 then
      error("cannot look at " .. p.path .. ": " .. a.err)
    end
    local kind, rest = a.out:match("^(%l+)\n(.*)$")
    local folder = p.path:match("^(.*/)")
    if kind == "folder" then
      return { state = { kind = "absent" },
        depends = p.state ~= "absent" and "folder " .. folder .. " does not exist" or nil }
    elseif kind == "denied" then
      error("folder " .. folder .. " may not be searched by this user")
    elseif kind == "absent" then
      return { state = { kind = "absent" } }
    end
    local mode, user, group, uid, gid, size, more =
      rest:match("^(%d+) (%S+) (%S+) (%d+) (%d+) (%d+)\n(.*)$")
    if not mode then
      error("cannot read what stat says of " .. p.path)
    end
    local state = { kind = kind, owner = name_or_number(user, uid),
      group = name_or_number(group, gid) }
    local info = { uid = uid, gid = gid, size = tonumber(size) }
    if kind == "link" then
      state.target = more:gsub("\n$", "")
      return { state = state, info = info }
    end
    state.mode = four(mode)
    local aside
    if kind == "file" then
      state.sha256 = more:sub(1, 64)
      local content = more:match("^[^\n]*\n(.*)$")
      -- the diff shows only what everybody on the host may read, whole
      if state.mode:match("[4567]$") and #content == info.size then
        aside = { content = content }
      end
    end
    return { state = state, info = info, aside = aside }
  end,

  want = function(p, seen)
    local s = seen.state
    if s.kind == "dir" or s.kind == "other" then
      error(p.path .. " is no file on this host: remove it by hand first")
    end
    if p.state == "absent" then
      return { kind = "absent" }
    end
    local given = (p.content and 1 or 0) + (p.template and 1 or 0) + (p.source and 1 or 0)
    if given > 1 then
      error("give one of content, template and source")
    end
    local want = { kind = "file", owner = p.owner, group = p.group,
      mode = p.mode and four(p.mode) or s.mode or "0644" }
    if given == 0 then
      if s.kind ~= "file" then
        error(p.path .. " does not exist: give content, template or source")
      end
      want.sha256 = s.sha256
    else
      want.sha256 = digest_of(p)
    end
    if s.kind == "file" then -- the new file is another one: say whose it is
      want.owner = want.owner or s.owner
      want.group = want.group or s.group
    end
    return want
  end,

  met = function(seen, want)
    local s = seen.state
    local info = seen.info or {}
    return s.kind == want.kind and s.sha256 == want.sha256
      and (want.mode == nil or s.mode == want.mode)
      and same_owner(want.owner, s.owner, info.uid)
      and same_owner(want.group, s.group, info.gid)
  end,

  apply = function(sh, want, seen, p)
    local s = seen.state
    if want.kind == "absent" then
      if s.kind == "file" then
        sh:keep(p.path, s.sha256)
      end
      sh:remove(p.path)
    elseif s.kind == "file" and s.sha256 == want.sha256 then
      if want.owner ~= s.owner or want.group ~= s.group then
        sh:run { "chown", want.owner .. ":" .. want.group, p.path }
      end
      sh:run { "chmod", want.mode, p.path } -- after chown, which may clear bits
    else
      if digest_of(p) ~= want.sha256 then
        error("the content for " .. p.path .. " is not what the preview showed")
      end
      if s.kind == "file" then
        sh:keep(p.path, s.sha256)
      end
      sh:put(p.path, p.content or p.template or p.source, want.mode, want.owner,
        want.group, p.validate)
    end
  end,

  undo = function(sh, seen, want, p)
    local s = seen.state
    if s.kind == "file" and s.sha256 == want.sha256 then
      sh:run { "chown", s.owner .. ":" .. s.group, p.path }
      sh:run { "chmod", s.mode, p.path }
    else
      sh:put_back(p.path, s)
    end
  end,

  effects = function(seen, want, p)
    if want.kind == "absent" then
      return { "write " .. p.path .. " is removed" }
    elseif seen.state.kind == "link" then
      return { "write " .. p.path .. " is no link to " .. seen.state.target .. " any more" }
    end
    return { "write " .. p.path }
  end,

  diff = function(seen, want, p)
    local s = seen.state
    local lines, short = {}, {}
    local function note(what, from, to)
      if to ~= nil and from ~= to then
        lines[#lines + 1] = what .. ": " .. (from or "(nothing)") .. " -> " .. to .. "\n"
        short[#short + 1] = what
      end
    end
    note("kind", s.kind, want.kind)
    note("mode", s.mode, want.mode)
    note("owner", s.owner, want.owner)
    note("group", s.group, want.group)
    if s.sha256 ~= want.sha256 then
      local new = want.sha256 and content_of(p) or ""
      local old = s.kind == "absent" and "" or seen.aside and seen.aside.content
      local open = want.kind == "absent" or want.mode:match("[4567]$")
      if want.sha256 then
        short[#short + 1] = "content"
      end
      if open and old and new and #old <= SHOWN and #new <= SHOWN then
        lines[#lines + 1] = lines_diff(old, new)
      else
        lines[#lines + 1] = "sha256: " .. (s.sha256 or "(nothing)") .. " -> "
          .. (want.sha256 or "(nothing)") .. "\n"
      end
    end
    return table.concat(lines),
      s.kind == "absent" and "is created" or want.kind == "absent" and "is removed"
      or table.concat(short, ", ")
  end,
}
