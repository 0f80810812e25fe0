-- Debian packages by apt. The probe simulates, so that the preview names every
-- package that will change, from which version to which; want pins them, and
-- the script refuses when apt would do anything else. The old .debs are on the
-- host before anything changes; the way back installs exactly those. What was
-- new is removed; its configuration files stay, as dpkg's "remove" leaves them.

local INSTALL = "-y -q -o DPkg::Lock::Timeout=60 -o APT::Sandbox::User=root"
  .. " -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
  .. " --allow-downgrades"

-- "I NAME VERSION" and "R NAME" of a simulation
local CHANGES = [=[
changes() {
  LC_ALL=C apt-get -s -q -y -o Debug::NoLocking=1 --allow-downgrades "$@" 2>&1
}
only_changes() {
  sed -n 's/^Inst \([^ ]*\) \(\[[^]]*\] \)\{0,1\}(\([^ )]*\).*/I \1 \3/p
s/^Remv \([^ ]*\).*/R \1/p' | sort
}
]=]

-- One round trip. $1 newest present absent pinned, then names or NAME=VERSION
local PROBE = CHANGES .. [=[
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "E: this host has no apt" >&2; exit 3
fi
how=$1; shift
arch=$(dpkg --print-architecture) || exit
names= c=
for n; do names="$names ${n%%=*}"; done
have() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null; }
if [ "$how" = absent ]; then
  for n; do
    shift
    if [ "$(have "$n")" = installed ]; then set -- "$@" "$n"; fi
  done
fi
case $how$# in
pinned*|absent0) s= ;;
absent*) s=$(changes remove "$@") || c=1 ;;
present*) s=$(changes install --no-upgrade "$@") || c=1 ;;
newest*) s=$(changes install "$@") || c=1 ;;
esac
if [ -n "$c" ]; then printf '%s\n' "$s" | grep '^E: ' >&2; exit 4; fi
s=$(printf '%s\n' "$s" | only_changes)
[ -z "$s" ] || printf '%s\n' "$s"
names="$names $(printf '%s\n' "$s" | sed 's/^. \([^ ]*\).*/\1/')"
# shellcheck disable=SC2086 # names of packages have no blanks
names=$(printf '%s ' $names)
echo "arch $arch"
# shellcheck disable=SC2086
dpkg-query -W -f='Q ${Package} ${Architecture} ${db:Status-Status} ${Version}\n' $names \
  2>/dev/null
if [ -r /var/lib/apt/extended_states ]; then
  awk -v names="$names" 'BEGIN { n = split(names, w, " "); for (i = 1; i <= n; i++) in_[w[i]] = 1 }
    /^Package:/ { p = $2 } /^Architecture:/ { a = $2 }
    /^Auto-Installed: 1/ { if (p in in_ || p ":" a in in_) print "A", p, a }' \
    /var/lib/apt/extended_states
fi
echo "lists $(stat -c %Y /var/lib/apt/lists 2>/dev/null)"
echo end
]=]

-- The .deb of NAME VERSION that we keep
local DEB = [[
deb() {
  set -- "$(printf '%s_%s.deb' "$1" "$2" | tr : -)"
  printf '%s/debs/%s' "$H" "$1"
}
is_deb() { # FILE NAME VERSION
  set -- "$(dpkg-deb -W --showformat='${Package} ${Version} ${Architecture}' "$1" 2>/dev/null)" \
    "${2%%:*} $3" "$2"
  case $3 in
  *:*) [ "$1" = "$2 ${3#*:}" ] ;;
  *) [ "$1" = "$2 all" ] || [ "$1" = "$2 $(dpkg --print-architecture)" ] ;;
  esac
}
]]

-- $1 $2 ... pairs NAME VERSION
local KEEP = DEB .. [[
mkdir -p "$H/debs" && cd "$H/debs" || exit
while [ $# -gt 0 ]; do
  n=$1 v=$2; shift 2
  f=$(deb "$n" "$v")
  if is_deb "$f" "$n" "$v"; then continue; fi
  rm -rf "$f.new" get
  c=/var/cache/apt/archives/${n%%:*}_$(printf %s "$v" | sed 's/:/%3a/g')_
  for c in "$c"*.deb; do
    if is_deb "$c" "$n" "$v"; then cp "$c" "$f.new" || exit; break; fi
  done
  if [ ! -f "$f.new" ]; then
    mkdir get || exit
    ( cd get && apt-get download -q -o APT::Sandbox::User=root "$n=$v" ) >&2
    for c in get/*.deb; do if [ -f "$c" ]; then mv "$c" "$f.new" || exit; fi; done
    rm -rf get
  fi
  if ! is_deb "$f.new" "$n" "$v"; then
    rm -f "$f.new"
    echo "hoshu: the old package $n $v can be had neither from this host's cache" \
      "nor from its archive; nothing was changed" >&2
    exit 75
  fi
  mv "$f.new" "$f" || exit
done
]]

-- $1 the changes that the preview showed, then what to install
local CHECK = CHANGES .. [[
e=$(printf '%s\n' "$1" | sort); shift
if ! s=$(changes install "$@"); then printf '%s\n' "$s" >&2; exit 76; fi
s=$(printf '%s\n' "$s" | only_changes)
if [ "$s" != "$e" ]; then
  echo "hoshu: apt would not do what the preview showed; nothing was changed. It would:" >&2
  printf '%s\n' "$s" >&2
  exit 76
fi
]]

local APT = [[
DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
export DEBIAN_FRONTEND NEEDRESTART_SUSPEND APT_LISTCHANGES_FRONTEND
]]

-- $1... NAME VERSION ("absent"), then --, then NAME- of what was new
local BACK = DEB .. APT .. [[
now() { dpkg-query -W -f='${db:Status-Status} ${Version}' "$1" 2>/dev/null; }
is_back() {
  while [ "$1" != -- ]; do
    case $2-$(now "$1") in
    "$2-installed $2") ;;
    "absent-installed "*) return 1 ;;
    absent-*) ;;
    *) return 1 ;;
    esac
    shift 2
  done
}
if is_back "$@"; then exit 0; fi
debs=$H/debs/back
rm -rf "$debs"; mkdir -p "$debs" || exit
all() {
  while [ "$1" != -- ]; do
    if [ "$2" != absent ] && [ "$(now "$1")" != "installed $2" ]; then
      f=$(deb "$1" "$2")
      if ! is_deb "$f" "$1" "$2"; then
        echo "hoshu: the old package $1 $2 is not in $H/debs any more" >&2; return 75
      fi
      ln "$f" "$debs/" || return
    fi
    shift 2
  done
}
all "$@" || exit
dpkg --force-confdef --force-confold --configure -a || :
(
  while [ "$1" != -- ]; do shift 2; done
  shift
  for f in "$debs"/*.deb; do if [ -f "$f" ]; then set -- "$@" "$f"; fi; done
  [ $# = 0 ] || exec apt-get INSTALL install "$@"
) || exit
rm -rf "$debs"
if ! is_back "$@"; then echo "hoshu: not every package is back" >&2; exit 77; fi
]]

-- What a simulation and dpkg said, as tables.
local function read(out)
  local said = { new = {}, have = {}, auto = {}, arch = out:match("arch (%S+)\n") }
  local function full(name, arch)
    return (arch == said.arch or arch == "all") and name or name .. ":" .. arch
  end
  for name, version in out:gmatch("I (%S+) (%S+)\n") do
    said.new[name] = version
  end
  for name in out:gmatch("R (%S+)\n") do
    said.new[name] = said.new[name] or "absent"
  end
  for name, arch, status, version in out:gmatch("Q (%S+) (%S*) (%S+) (%S*)\n") do
    if status == "installed" then
      said.have[full(name, arch)] = version
    elseif status ~= "config-files" and status ~= "not-installed" then
      said.have[full(name, arch)] = version .. " " .. status
    end
  end
  for name, arch in out:gmatch("A (%S+) (%S+)\n") do
    said.auto[full(name, arch)] = true
  end
  said.lists = tonumber(out:match("lists (%d+)\n"))
  return said
end

-- The packages that change: { name, old, new } in the order of the names.
local function changes(seen, want)
  local out = {}
  for name, new in pairs(want.packages) do
    local old = seen.state.packages[name] or "absent"
    if old ~= new then
      out[#out + 1] = { name = name, old = old, new = new }
    end
  end
  return out
end

local function has(list_of_names, name)
  for _, one in ipairs(list_of_names) do
    if one == name then
      return true
    end
  end
  return false
end

local function apt(text)
  return (text:gsub("INSTALL", INSTALL))
end

return {
  name = "package",
  summary = "Keep Debian packages installed, at a version, or away",
  short = "name",
  params = {
    name = { "list", required = true,
      match = "^[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?\\z", summary = "one or several" },
    state = { "enum", "present", "absent", default = "present",
      summary = "absent removes them" },
    version = { "string", match = "^[A-Za-z0-9.+~:-]+\\z",
      summary = "newest, or exactly this; left out: any that is installed will do" },
  },

  -- With a pin it only reads the versions of what was pinned: what is looked
  -- at must not move with the archive.
  probe = function(host, p, pin)
    local args = { p.state == "absent" and "absent" or p.version and "newest" or "present" }
    if pin then
      args[1] = "pinned"
      for name in pairs(pin.packages) do
        args[#args + 1] = name
      end
    else
      local exact = p.state == "present" and p.version and p.version ~= "newest"
      for _, name in ipairs(p.name) do
        args[#args + 1] = name .. (exact and "=" .. p.version or "")
      end
    end
    local a = host:ask { script = PROBE, args = args }
    if a.rc ~= 0 then
      return { depends = "apt: " .. (a.err:match("E: ([^\n]*)") or "rc " .. a.rc) }
    end
    if not a.out:match("\nend\n$") then
      error("apt's answer is too long or cut: name fewer packages")
    end
    local said = read(a.out)
    local packages, auto = {}, {}
    local function look(name)
      packages[name] = said.have[name] or "absent"
      if said.auto[name] and said.have[name] then
        auto[#auto + 1] = name
      end
    end
    if pin then
      for name in pairs(pin.packages) do
        look(name)
      end
    else
      for _, name in ipairs(p.name) do
        if p.state == "present" and not said.have[name] and not said.new[name] then
          error("apt has no package '" .. name .. "' of its own: name the real one")
        end
        said.new[name] = said.new[name] or said.have[name] or "absent"
      end
      for name in pairs(said.new) do
        look(name)
      end
    end
    return { state = { packages = map(packages), auto = set(auto) },
      info = { lists_unix = said.lists }, aside = said.new }
  end,

  want = function(_, seen)
    return { packages = map(seen.aside) }
  end,

  met = function(seen, want)
    return #changes(seen, want) == 0
  end,

  apply = function(sh, want, seen, p)
    local keep, expected, specs, auto = {}, {}, {}, {}
    for _, c in ipairs(changes(seen, want)) do
      if c.old ~= "absent" then
        keep[#keep + 1] = c.name
        keep[#keep + 1] = c.old:match("^%S+")
      end
      if c.new == "absent" then
        expected[#expected + 1] = "R " .. c.name
        specs[#specs + 1] = c.name .. "-"
      else
        expected[#expected + 1] = "I " .. c.name .. " " .. c.new
        specs[#specs + 1] = c.name .. "=" .. c.new
        -- naming a package makes it a wanted one: as it was, or as a
        -- dependency would have come
        if c.old == "absent" and not has(p.name, c.name) or has(seen.state.auto, c.name) then
          auto[#auto + 1] = c.name
        end
      end
    end
    if #keep > 0 then
      sh:script(KEEP, keep)
    end
    sh:script(CHECK, { table.concat(expected, "\n"), table.unpack(specs) })
    sh:script(apt(APT .. 'exec apt-get INSTALL install "$@"\n'), specs)
    if #auto > 0 then
      sh:run { "apt-mark", "auto", table.unpack(auto) }
    end
  end,

  undo = function(sh, seen, want)
    local args, new, auto, manual = {}, {}, {}, {}
    for _, c in ipairs(changes(seen, want)) do
      args[#args + 1] = c.name
      args[#args + 1] = c.old:match("^%S+")
      if c.old == "absent" then
        new[#new + 1] = c.name .. "-"
      elseif has(seen.state.auto, c.name) then
        auto[#auto + 1] = c.name
      else
        manual[#manual + 1] = c.name
      end
    end
    args[#args + 1] = "--"
    for _, name in ipairs(new) do
      args[#args + 1] = name
    end
    sh:script(apt(BACK), args)
    if #auto > 0 then
      sh:run { "apt-mark", "auto", table.unpack(auto) }
    end
    if #manual > 0 then
      sh:run { "apt-mark", "manual", table.unpack(manual) }
    end
  end,

  effects = function(seen, want)
    local out = {}
    for _, c in ipairs(changes(seen, want)) do
      out[#out + 1] = "package " .. c.name .. " " .. c.old .. " -> " .. c.new
    end
    return list(out)
  end,

  diff = function(seen, want)
    local lines = {}
    for _, c in ipairs(changes(seen, want)) do
      lines[#lines + 1] = c.name .. ": " .. c.old .. " -> " .. c.new
    end
    local short = table.concat(lines, ", ", 1, math.min(#lines, 3))
    if #lines > 3 then
      short = short .. ", and " .. #lines - 3 .. " more"
    end
    return table.concat(lines, "\n") .. "\n", short
  end,
}
