-- Cases for tests/unit/test_modules.c. Those that change packages need a host
-- to throw away (HOSHU_TEST_DOOR, marked by /etc/hoshu-test-host) whose archive
-- has two states of some packages, as tests/fleet/real gives.

-- busybox ash takes its own dpkg, which knows less, for the real one
local APT = "command -v apt-get && dpkg --print-architecture"
local UPGRADE = "[ -e /etc/hoshu-test-host ] && apt-get update >/dev/null"
  .. " && apt-get -s install openssl nginx-light | grep -q '^Inst openssl '"
local LIST = [[
dpkg-query -W -f='${Package} ${Version} ${db:Status-Status}\n' | grep ' installed$' ]]

return {
  {
    name = "what is installed is present",
    needs = APT,
    params = { name = "dpkg" },
    verdict = "same", seen = "\"dpkg\":\"",
  },
  {
    name = "what is not installed is absent",
    needs = APT,
    params = { name = "hoshu-no-such-package", state = "absent" },
    verdict = "same",
  },
  {
    name = "a package that nobody knows",
    needs = APT,
    params = { name = { "dpkg", "hoshu-no-such-package" } },
    fails = "Unable to locate package hoshu-no-such-package",
  },
  {
    name = "a version that nobody knows",
    needs = APT,
    params = { name = "dpkg", version = "0.0.1" },
    fails = "Version '0.0.1' for 'dpkg' was not found",
  },
  {
    name = "a package that an earlier step may bring",
    needs = APT,
    params = { name = "hoshu-no-such-package" },
    data = { changed = { Archive = true } },
    verdict = "depends",
  },
  {
    name = "a name is no option",
    params = { name = "--purge" },
    fails = "param 'name' is not of the allowed form",
  },
  {
    name = "newest, and exactly back",
    needs = UPGRADE,
    before = LIST .. ">@T@/before",
    params = { name = { "openssl", "libssl3" }, version = "newest" },
    diff = "libssl3: 3.", effects = "package openssl 3.", script = "apt-get download",
    after = "apt-get -s install openssl libssl3 | grep -q '^0 upgraded' && ! " .. LIST
      .. "| cmp -s - @T@/before",
    undone = LIST .. "| diff @T@/before -",
  },
  {
    name = "what a package pulls in is named, and stays marked as it was",
    needs = UPGRADE,
    before = LIST .. ">@T@/before",
    params = { name = "nginx-light", version = "newest" },
    effects = "package nginx-common ",
    after = "apt-mark showauto | grep -q '^nginx-common$'",
    undone = LIST .. "| diff @T@/before - && apt-mark showauto | grep -q '^nginx-common$'",
  },
  {
    name = "removed and installed again",
    needs = UPGRADE,
    before = LIST .. ">@T@/before",
    params = { name = "curl", state = "absent" },
    diff = "-> absent", after = "! command -v curl", undone = LIST .. "| diff @T@/before -",
  },
  {
    name = "installed, with what it needs, and removed again",
    needs = UPGRADE,
    before = "apt-get -y -q remove curl libcurl4 >/dev/null && " .. LIST .. ">@T@/before",
    params = { name = "curl" },
    effects = "package libcurl4 absent -> ",
    after = "curl --version && apt-mark showauto | grep -q '^libcurl4$'",
    undone = LIST .. "| diff @T@/before -",
    finally = "apt-get -y -q install curl=\"$(apt-cache madison curl | awk 'END { print $3 }')\""
      .. " libcurl4=\"$(apt-cache madison libcurl4 | awk 'END { print $3 }')\" >/dev/null"
      .. " && apt-mark auto libcurl4",
  },
  {
    name = "an exact older version is a downgrade, and back",
    needs = UPGRADE,
    before = "apt-get -y -q install sudo >/dev/null && " .. LIST .. ">@T@/before",
    params = { name = "sudo", version = "${{ vars.old }}" },
    learn = "apt-cache madison sudo | awk 'END { print $3 }'",
    data = { vars = { old = "@L@" } },
    undone = LIST .. "| diff @T@/before -",
  },
  {
    name = "an old package that cannot be had: nothing is changed",
    needs = UPGRADE,
    -- the installed version is made one that no archive has
    before = "cp -p /var/lib/dpkg/status @T@/status && sed -i '/^Package: sudo$/,/^$/"
      .. "s/^Version: .*/Version: 1.0-local/' /var/lib/dpkg/status && " .. LIST .. ">@T@/before",
    params = { name = "sudo", version = "newest" },
    diff = "sudo: 1.0-local -> ", breaks = true,
    after = LIST .. "| diff @T@/before -", finally = "cp -p @T@/status /var/lib/dpkg/status",
  },
  {
    name = "a drift between preview and run: nothing is changed",
    needs = UPGRADE,
    before = LIST .. ">@T@/before",
    params = { name = "openssl", version = "newest" },
    data = { pin = { packages = { openssl = "9.9-none" } } },
    breaks = true, after = LIST .. "| diff @T@/before -",
  },
}
