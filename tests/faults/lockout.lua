-- Ways of cutting oneself off that no module of hoshu's has, for dead-man.t:
-- of each, what tells that it is on, and how it is done and taken back.

local WAYS = {
  -- no sshd, and none can be started
  masked = {
    is = '[ "$(systemctl is-enabled ssh)" = masked ]',
    on = "systemctl mask -q --now ssh",
    off = "systemctl unmask -q ssh && systemctl start ssh",
  },
  -- whatever comes in is dropped, of this session too
  filter = {
    is = "[ -e /run/lockout ]",
    on = [[: >/run/lockout
nft 'add table inet lockout; add chain inet lockout in { type filter hook input priority 0; policy drop; }']],
    off = [[nft 'add table inet lockout; delete table inet lockout' && rm -f /run/lockout]],
  },
  -- no way to the network
  link = {
    is = "[ -e /run/lockout ]",
    on = ": >/run/lockout && ip link set eth0 down",
    off = "ip link set eth0 up && rm -f /run/lockout",
  },
  -- another host key: who knows the old one does not log in
  hostkey = {
    is = "[ -d /etc/ssh/kept ]",
    on = [[cd /etc/ssh && mkdir kept && mv ssh_host_ed25519_key* kept/ &&
ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key && systemctl reload ssh]],
    off = [[cd /etc/ssh || exit
if [ -d kept ]; then mv -f kept/* . && rmdir kept; fi && systemctl reload ssh]],
  },
}

return {
  name = "lockout",
  summary = "Cut this host off",
  params = {
    way = { "enum", "masked", "filter", "link", "hostkey", required = true, summary = "how" },
  },

  probe = function(host, p)
    local a = host:ask { script = WAYS[p.way].is }
    return { state = { is = a.rc == 0 and "on" or "off" } }
  end,

  want = function()
    return { is = "on" }
  end,

  apply = function(sh, _, _, p)
    sh:script(WAYS[p.way].on .. "\n", {})
  end,

  undo = function(sh, _, _, p)
    sh:script(WAYS[p.way].off .. "\n", {})
  end,
}
