-- Cases for tests/unit/test_modules.c, which holds each to the laws of
-- modules. @T@ is a folder of the case's own on the host.

local WORDS = "a 'quoted' \"word\" $HOME `id` \\n %s -n\n\ttab, ünïcode 保守\nno newline at the end"
local LONG = ("0123456789abcdef\n"):rep(1500)

return {
  {
    name = "a new file",
    params = { path = "@T@/new", content = "hello\n" },
    diff = "+ hello", summary = "is created", effects = "write @T@/new",
    after = [[ [ "$(cat @T@/new)" = hello ] && [ "$(stat -c %a @T@/new)" = 644 ] ]],
    undone = "[ ! -e @T@/new ]",
  },
  {
    name = "new content keeps mode and owner",
    before = "echo old >@T@/f; chmod 640 @T@/f",
    params = { path = "@T@/f", content = WORDS },
    diff = "sha256: ", summary = "content",
    after = [[ [ "$(stat -c %a @T@/f)" = 640 ] && [ "$(ls -A @T@)" = "f
home
spool" ] ]],
    undone = [[ [ "$(cat @T@/f)" = old ] && [ "$(stat -c %a @T@/f)" = 640 ] ]],
  },
  {
    name = "a diff of what everybody may read",
    before = "printf 'a\\nb\\nc\\n' >@T@/f",
    params = { path = "@T@/f", content = "a\nB\nc\n" },
    diff = "  a\n- b\n+ B\n  c\n",
    undone = [[ [ "$(cat @T@/f)" = "a
b
c" ] ]],
  },
  {
    name = "a hostile path is a path",
    before = "mkdir -p '@T@/-x y'",
    params = { path = "@T@/-x y/'\"$(touch pwned)\n*;`é", content = "x" },
    after = "[ ! -e @T@/pwned ] && [ ! -e /pwned ]",
  },
  {
    name = "content longer than one question",
    params = { path = "@T@/long", content = LONG },
    after = "[ \"$(wc -c <@T@/long)\" = 25500 ]",
  },
  {
    name = "an empty file is a file",
    params = { path = "@T@/empty", content = "" },
    after = "[ -f @T@/empty ] && [ ! -s @T@/empty ]",
  },
  {
    name = "what is there already is unchanged",
    before = "echo hello >@T@/f",
    params = { path = "@T@/f", content = "hello\n", mode = "644" },
    verdict = "same",
  },
  {
    name = "only the mode",
    before = "echo hello >@T@/f; chmod 600 @T@/f",
    params = { path = "@T@/f", content = "hello\n", mode = "0755" },
    diff = "mode: 0600 -> 0755", summary = "mode",
    after = "[ -x @T@/f ]", undone = "[ \"$(stat -c %a @T@/f)\" = 600 ]",
  },
  {
    name = "a set-user-id bit survives the way back",
    before = "echo x >@T@/f; chmod 4755 @T@/f",
    params = { path = "@T@/f", content = "y", mode = "0755" },
    undone = "[ \"$(stat -c %a @T@/f)\" = 4755 ]",
  },
  {
    name = "the time of the old content comes back with it",
    before = "echo x >@T@/f; TZ=UTC0 touch -t 200102030405.06 @T@/f",
    params = { path = "@T@/f", content = "y" },
    after = "[ \"$(stat -c %Y @T@/f)\" != 981173106 ]",
    undone = "[ \"$(stat -c %Y @T@/f)\" = 981173106 ] && [ \"$(cat @T@/f)\" = x ]",
  },
  {
    name = "and so do its extended attributes",
    needs = "cp --version 2>/dev/null | grep -q GNU && f=$(mktemp) && "
      .. "python3 -c 'import os, sys; os.setxattr(sys.argv[1], \"user.of\", b\"us\")' $f; "
      .. "s=$?; rm -f $f; [ $s = 0 ]",
    before = "echo x >@T@/f; "
      .. "python3 -c 'import os, sys; os.setxattr(sys.argv[1], \"user.of\", b\"us\")' @T@/f",
    params = { path = "@T@/f", state = "absent" },
    undone = "python3 -c 'import os, sys; "
      .. "sys.exit(os.getxattr(sys.argv[1], \"user.of\") != b\"us\")' @T@/f",
  },
  {
    name = "owner and group",
    needs = "[ \"$(id -u)\" = 0 ]",
    before = "echo x >@T@/f; chown daemon:adm @T@/f",
    params = { path = "@T@/f", content = "y", owner = "nobody", mode = "0600" },
    after = "[ \"$(stat -c %U:%G @T@/f)\" = nobody:adm ]",
    undone = "[ \"$(stat -c %U:%G @T@/f)\" = daemon:adm ]",
  },
  {
    name = "owner by number",
    needs = "[ \"$(id -u)\" = 0 ]",
    params = { path = "@T@/f", content = "y", owner = "1", group = "1" },
    after = "[ \"$(stat -c %u:%g @T@/f)\" = 1:1 ]",
  },
  {
    name = "validate accepts",
    params = { path = "@T@/f", content = "true\n", validate = { "sh", "%" } },
  },
  {
    name = "validate refuses: nothing changes",
    before = "echo old >@T@/f",
    params = { path = "@T@/f", content = "exit 7\n", validate = { "sh", "%" } },
    breaks = true,
    after = [[ [ "$(cat @T@/f)" = old ] && [ -z "$(ls -A @T@ | grep hoshu-)" ] ]],
  },
  {
    name = "a link becomes a file and a link again",
    before = "echo target >@T@/t; ln -s t @T@/l",
    params = { path = "@T@/l", content = "mine\n" },
    effects = "is no link to t any more",
    after = "[ ! -L @T@/l ] && [ \"$(cat @T@/t)\" = target ]",
    undone = "[ \"$(readlink @T@/l)\" = t ]",
  },
  {
    name = "a link to a folder too",
    before = "mkdir @T@/d; ln -s d @T@/l",
    params = { path = "@T@/l", content = "mine\n" },
    after = "[ -f @T@/l ] && [ ! -L @T@/l ] && [ -z \"$(ls -A @T@/d)\" ]",
    undone = "[ -L @T@/l ]",
  },
  {
    name = "absent",
    before = "echo x >@T@/f; chmod 604 @T@/f",
    params = { path = "@T@/f", state = "absent" },
    diff = "- x", summary = "is removed", after = "[ ! -e @T@/f ]",
    undone = "[ \"$(cat @T@/f)\" = x ]",
  },
  {
    name = "absent is absent",
    params = { path = "@T@/no/such/folder/f", state = "absent" },
    verdict = "same",
  },
  {
    name = "a folder that does not exist",
    params = { path = "@T@/no/f", content = "x" },
    verdict = "cannot_tell", reason = "folder @T@/no/ does not exist",
    breaks = true, after = "[ ! -e @T@/no ]",
  },
  {
    name = "a folder that an earlier step may make",
    params = { path = "@T@/no/f", content = "x" },
    data = { changed = { Earlier = true } },
    verdict = "depends", reason = "folder @T@/no/ does not exist",
  },
  {
    name = "a folder is no file",
    before = "mkdir @T@/d",
    params = { path = "@T@/d", content = "x" },
    fails = "is no file on this host",
  },
  {
    name = "two contents are one too many",
    params = { path = "@T@/f", content = "x", template = "y" },
    fails = "give one of content, template and source",
  },
  {
    name = "a path must be absolute",
    params = { path = "etc/motd", content = "x" },
    fails = "param 'path' is not of the allowed form",
  },
  {
    name = "an expression in the content",
    params = { path = "@T@/f", content = "port ${{ vars.port + 1 }} on ${{ host.name }}\n" },
    data = { vars = { port = 80 }, host = { name = "web1" } },
    after = "[ \"$(cat @T@/f)\" = 'port 81 on web1' ]",
  },
}
