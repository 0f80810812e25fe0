-- The names that a module sees (runner/script/world.c), and no others.
std = {
  read_globals = {
    "assert", "error", "ipairs", "pairs", "pcall", "select", "tonumber",
    "tostring", "type", "re", "quote", "blob", "lines_diff", "set", "list",
    "map", "digest", "string", "table", "math", "utf8",
  },
}
max_line_length = 100
self = false
unused_args = false
