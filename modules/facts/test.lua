-- Cases for tests/unit/test_modules.c.

return {
  {
    name = "what the host is",
    params = {},
    verdict = "same", seen = "\"family\":\"",
  },
}
