-- Cases for tests/unit/test_modules.c. What reboots a host for good is tried on
-- the real fleet (tests/scenes/70-reboot.t): here the host must stay.

return {
  {
    name = "not met without a boot since",
    look = true, params = {},
    verdict = "change", effects = "reboot the host",
    script = { "systemctl reboot" },
  },
  {
    name = "met when what called for it ended in an earlier boot",
    look = true, params = {}, data = { before = "0" },
    verdict = "same",
  },
  {
    name = "not met when it ended in this boot",
    look = true, params = {}, data = { before = "12.5" },
    verdict = "change",
  },
  {
    name = "it takes no params",
    params = { now = true },
    fails = "param 'now' is not known",
  },
}
