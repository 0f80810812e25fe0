-- Cases for tests/unit/test_modules.c. @T@ is a folder of the case's own.

return {
  {
    name = "a text",
    params = { text = "cd @T@\nfor i in 1 2 3; do echo \"$i\"; done >out\n" },
    verdict = "cannot_tell", effects = "run cd @T@",
    after = "[ \"$(cat @T@/out)\" = '1\n2\n3' ] && [ -z \"$(ls @T@/spool)\" ]",
  },
  {
    name = "here-documents and expressions are the text's own",
    params = { text = "cat >@T@/out <<'E'\n${{ not.evaluated }}\nE\n" },
    verdict = "cannot_tell", after = "[ \"$(cat @T@/out)\" = '${{ not.evaluated }}' ]",
  },
  {
    name = "unless",
    params = { text = "echo x >@T@/out", unless = { "test", "-e", "@T@/out" } },
    after = "[ -e @T@/out ]",
  },
  {
    name = "env and stdin",
    params = { text = "{ cat; echo \"$V\"; } >@T@/out", stdin = "in 'put'\n",
      env = { V = "${{ vars.v }}" } },
    data = { vars = { v = "va`l" } },
    verdict = "cannot_tell",
    after = "[ \"$(cat @T@/out)\" = 'in '\\''put'\\''\nva`l' ]",
  },
  {
    name = "without stdin there is nothing to read",
    params = { text = "cat >@T@/out" },
    verdict = "cannot_tell", after = "[ ! -s @T@/out ]",
  },
  {
    name = "exit status",
    params = { text = "set -e\nfalse\ntouch @T@/no" },
    verdict = "cannot_tell", breaks = true,
    after = "[ ! -e @T@/no ] && [ -z \"$(ls @T@/spool)\" ]",
  },
  {
    name = "as another user, who cannot see the spool",
    needs = "[ \"$(id -u)\" = 0 ] && command -v runuser",
    before = "chmod 777 @T@",
    params = { text = "id -un >@T@/out; cat >>@T@/out", as = "nobody", stdin = "given\n" },
    verdict = "cannot_tell",
    after = "[ \"$(cat @T@/out)\" = 'nobody\ngiven' ]",
  },
}
