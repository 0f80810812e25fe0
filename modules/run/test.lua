-- Cases for tests/unit/test_modules.c. @T@ is a folder of the case's own.

return {
  {
    name = "without unless it cannot be predicted",
    params = { argv = { "touch", "@T@/done" } },
    verdict = "cannot_tell", reason = "it runs each time", effects = "run touch",
    after = "[ -e @T@/done ]",
  },
  {
    name = "unless is its probe and its proof",
    params = { argv = { "mkdir", "@T@/d" }, unless = { "test", "-d", "@T@/d" } },
    after = "[ -d @T@/d ]",
  },
  {
    name = "unless that succeeds",
    params = { argv = { "false" }, unless = { "true" } },
    verdict = "same",
  },
  {
    name = "unless that does not exist",
    params = { argv = { "true" }, unless = { "no-such-command" } },
    fails = "unless: there is no command 'no-such-command'",
  },
  {
    name = "unless that an earlier step may bring",
    params = { argv = { "true" }, unless = { "no-such-command" } },
    data = { changed = { Install = true } },
    verdict = "depends",
  },
  {
    name = "words are words",
    params = { argv = { "sh", "-c", "printf '%s|' \"$@\" >@T@/out", "x",
      "a b", "$(touch @T@/pwned)", "'\"\\", "*", "-n", "", "line\nline", "é" } },
    verdict = "cannot_tell",
    after = [[ [ ! -e @T@/pwned ] && [ "$(cat @T@/out)" = 'a b|$(touch @T@/pwned)|'\''"\|*|-n||line
line|é|' ] ]],
  },
  {
    name = "a builtin of the shell is no command",
    params = { argv = { "exit", "0" } },
    verdict = "cannot_tell", breaks = true,
  },
  {
    name = "the status of the command is the step's",
    params = { argv = { "sh", "-c", "exit 3" } },
    verdict = "cannot_tell", breaks = true,
  },
  {
    name = "env",
    params = { argv = { "sh", "-c", "echo \"$A$B\" >@T@/out" },
      unless = { "sh", "-c", "[ -s @T@/out ] && [ \"$A$B\" = \"$(cat @T@/out)\" ]" },
      env = { B = "b 'c'", A = "$a" } },
    after = [[ [ "$(cat @T@/out)" = "\$ab 'c'" ] ]],
  },
  {
    name = "a name that the environment cannot have",
    params = { argv = { "true" }, env = { ["A B"] = "x" } },
    fails = "'A B' is no name for the environment",
  },
  {
    name = "as another user",
    needs = "[ \"$(id -u)\" = 0 ] && command -v runuser",
    before = "chmod 777 @T@",
    params = { argv = { "sh", "-c", "echo \"$(id -un) $HOME\" >@T@/out" }, as = "nobody" },
    verdict = "cannot_tell",
    after = "read -r u h <@T@/out && [ \"$u\" = nobody ] && [ \"$h\" != \"$HOME\" ]",
  },
  {
    name = "as a user who does not exist",
    needs = "[ \"$(id -u)\" = 0 ] && command -v runuser",
    params = { argv = { "true" }, as = "no-such-user" },
    verdict = "cannot_tell", breaks = true,
  },
}
