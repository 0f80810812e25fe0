-- What a host is: asked once, one round trip. `state` is what stays the same
-- until somebody changes it; what a reboot changes is in `info`.

-- Lines "KEY=VALUE"; a file of the host is read, never run
local PROBE = [[
for f in /etc/os-release /usr/lib/os-release; do
  [ -r "$f" ] || continue
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in ID=*|ID_LIKE=*|VERSION_ID=*|PRETTY_NAME=*) printf 'os.%s\n' "$line" ;; esac
  done <"$f"
  break
done
read -r v </proc/sys/kernel/osrelease && printf 'kernel=%s\n' "$v"
read -r v </proc/sys/kernel/hostname && printf 'hostname=%s\n' "$v"
read -r v </proc/sys/kernel/random/boot_id && printf 'boot_id=%s\n' "$v"
read -r v </proc/1/comm && printf 'init=%s\n' "$v"
[ ! -d /run/systemd/system ] || echo init=systemd
echo "arch=$(uname -m)"
echo "home=${HOME:-/}"
for c in apt-get dnf yum zypper apk pacman; do
  if command -v "$c" >/dev/null; then echo "packager=${c%-get}"; break; fi
done
n=0
for c in /sys/devices/system/cpu/cpu[0-9]*; do [ ! -d "$c" ] || n=$((n + 1)); done
echo "cpus=$n"
while read -r k v u; do
  if [ "$k" = MemTotal: ]; then echo "memory_kb=$v"; break; fi
done </proc/meminfo
]]

local FAMILIES = { debian = "debian", ubuntu = "debian", rhel = "redhat",
  fedora = "redhat", centos = "redhat", suse = "suse", alpine = "alpine", arch = "arch" }

local function unquote(text)
  return (text:gsub("^[\"'](.*)[\"']$", "%1"))
end

-- The first word of ID and ID_LIKE that we know.
local function family(said)
  for word in (said["os.ID"] .. " " .. said["os.ID_LIKE"]):gmatch("%S+") do
    if FAMILIES[word] then
      return FAMILIES[word]
    end
  end
  return "other"
end

return {
  name = "facts",
  summary = "Ask a host what it is",
  params = {},

  probe = function(host)
    local a = host:ask { script = PROBE }
    local said = { ["os.ID"] = "", ["os.ID_LIKE"] = "", ["os.VERSION_ID"] = "",
      ["os.PRETTY_NAME"] = "" }
    for key, value in a.out:gmatch("([%w_.]+)=([^\n]*)\n") do
      said[key] = unquote(value)
    end
    return {
      state = {
        os = { family = family(said), id = said["os.ID"], version = said["os.VERSION_ID"],
          title = said["os.PRETTY_NAME"] },
        kernel = said.kernel or "", arch = said.arch or "", hostname = said.hostname or "",
        init = said.init or "", home = said.home or "/", packager = said.packager or "",
        cpus = tonumber(said.cpus) or 0, memory_kb = tonumber(said.memory_kb) or 0,
      },
      info = { boot_id = said.boot_id or "" },
    }
  end,
}
