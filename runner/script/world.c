/*
 * The allow list: all that modules and expressions see besides their own
 * locals. What is not in it cannot be reached, and asking for it is an error
 * with its name. Two runs see the same: no clock, no random numbers. What is
 * otherwise than in Lua stands in stock.c and strings.c.
 */
#include <string.h>

#include <lualib.h>

#include "base/i18n.h"
#include "base/quote.h"
#include "script/inside.h"

enum { MATCHES_MAX = 64 };

/* upvalues: the real table, its name */
static int
sealed_index(lua_State *L)
{
	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	if (!lua_isnil(L, -1))
		return 1;
	if (lua_type(L, 2) != LUA_TSTRING)
		return luaL_error(L, "%s", _("a name must be a text"));
	return luaL_error(L, _("there is no '%s%s' here"),
	    lua_tostring(L, lua_upvalueindex(2)), lua_tostring(L, 2));
}

static int
sealed_newindex(lua_State *L)
{
	const char *name =
	    lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";

	return luaL_error(L, _("'%s%s' cannot be set: write `local`"),
	    lua_tostring(L, lua_upvalueindex(1)), name);
}

/* Put a read-only proxy in the place of the table on top. [-1, +1] */
static void
seal(lua_State *L, const char *prefix)
{
	lua_newtable(L); /* proxy */
	lua_createtable(L, 0, 3);
	lua_pushvalue(L, -3);
	lua_pushstring(L, prefix);
	lua_pushcclosure(L, sealed_index, 2);
	lua_setfield(L, -2, "__index");
	lua_pushstring(L, prefix);
	lua_pushcclosure(L, sealed_newindex, 1);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_remove(L, -2);
}

/* Compiled patterns live as long as the box: no lua_close will free them. */
static const struct match *
match_get(lua_State *L, const char *pattern, const char *flags)
{
	struct box *box = box_of(L);
	struct match *match = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < box->match_count; i++)
		if (strcmp(box->matches[i].pattern, pattern) == 0 &&
		    strcmp(box->matches[i].flags, flags) == 0)
			return box->matches[i].match;
	if (box->match_count == MATCHES_MAX)
		luaL_error(L, "%s", _("too many patterns in one job"));
	if (match_compile(pattern, flags, &match, &err) < 0)
		luaL_error(L, "%s", err.text);
	if (box->matches == NULL)
		box->matches = xcalloc(MATCHES_MAX, sizeof(*box->matches));
	box->matches[box->match_count].pattern = xstrdup(pattern);
	box->matches[box->match_count].flags = xstrdup(flags);
	box->matches[box->match_count++].match = match;
	return match;
}

/* re(text, pattern, flags): start and end of the match, or nil */
static int
world_re(lua_State *L)
{
	size_t len, start, end;
	const char *text = luaL_checklstring(L, 1, &len);
	const char *pattern = luaL_checkstring(L, 2);
	const struct match *match =
	    match_get(L, pattern, luaL_optstring(L, 3, ""));

	box_charge(L, 1000);
	switch (match_run(match, text, len, &start, &end)) {
	case MATCH_YES:
		lua_pushinteger(L, (lua_Integer)start + 1);
		lua_pushinteger(L, (lua_Integer)end);
		return 2;
	case MATCH_NO:
		lua_pushnil(L);
		return 1;
	case MATCH_LIMIT:
		break;
	}
	return luaL_error(
	    L, _("the pattern '%s' takes too long on this text"), pattern);
}

/* quote(text): one word for a shell */
static int
world_quote(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct buf buf = BUF_INIT;
	const char *copy;

	if (memchr(text, '\0', len) != NULL)
		return luaL_error(
		    L, "%s", _("a word for a shell cannot hold a NUL byte"));
	box_charge(L, (int64_t)len / 4 + 1); /* the copy is C's, not Lua's */
	quote_put(&buf, text, len);
	copy = arena_copy(box_of(L)->arena, buf_str(&buf), buf.len);
	len = buf.len;
	buf_free(&buf); /* before Lua may raise */
	lua_pushlstring(L, copy, len);
	return 1;
}

/* blob{sha256=, size=}: the bytes of a source file, nil when it is not here */
static int
world_blob(lua_State *L)
{
	struct bytes data;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_getfield(L, 1, "sha256");
	data = script_blob_get(box_of(L)->script, luaL_checkstring(L, -1));
	if (data.data == NULL)
		lua_pushnil(L);
	else
		lua_pushlstring(L, data.data, data.len);
	return 1;
}

/* lines_diff(before, after): for people; nil when they are equal */
static int
world_lines_diff(lua_State *L)
{
	struct bytes before, after;
	const char *lines;

	before.data = luaL_checklstring(L, 1, &before.len);
	after.data = luaL_checklstring(L, 2, &after.len);
	box_charge(L, (int64_t)(before.len + after.len) * 8);
	lines = textdiff_lines(box_of(L)->arena, before, after);
	lua_pushstring(L, lines);
	return 1;
}

static const char *const base_names[] = {
    "assert", "error", "ipairs", "pcall", "select", "tonumber", "type", NULL};
static const char *const string_names[] = {
    "byte", "char", "len", "lower", "reverse", "sub", "upper", NULL};
static const char *const table_names[] = {
    "concat", "pack", "sort", "unpack", NULL};
static const char *const math_names[] = {"abs", "ceil", "floor", "fmod", "huge",
    "max", "maxinteger", "min", "mininteger", "sqrt", "tointeger", "type",
    "ult", NULL};
static const char *const utf8_names[] = {
    "char", "charpattern", "codepoint", "codes", "len", "offset", NULL};

static const luaL_Reg own_names[] = {
    {"pairs", stock_pairs},
    {"tostring", stock_tostring},
    {"re", world_re},
    {"quote", world_quote},
    {"blob", world_blob},
    {"lines_diff", world_lines_diff},
    {"set", values_set},
    {"list", values_list},
    {"map", values_map},
    {"digest", values_digest},
    {NULL, NULL},
};

/* Copy names from the table at index from into the one on top. */
static void
copy_names(lua_State *L, int from, const char *const *names)
{
	for (; *names != NULL; names++) {
		lua_getfield(L, from, *names);
		lua_setfield(L, -2, *names);
	}
}

/* Open a stock library and keep only names of it. [-0, +2]: stock, kept */
static void
keep_library(lua_State *L, lua_CFunction open, const char *const *names)
{
	lua_pushcfunction(L, open);
	lua_call(L, 0, 1);
	lua_newtable(L);
	copy_names(L, lua_gettop(L) - 1, names);
}

/* Set name of the table on top to a C function with stock name as upvalue. */
static void
wrap(lua_State *L, const char *name, lua_CFunction fn)
{
	lua_getfield(L, -2, name);
	lua_pushcclosure(L, fn, 1);
	lua_setfield(L, -2, name);
}

static void
add_string(lua_State *L)
{
	keep_library(L, luaopen_string, string_names);
	wrap(L, "format", stock_format);
	wrap(L, "rep", stock_rep);
	wrap(L, "lower", stock_costly);
	wrap(L, "reverse", stock_costly);
	wrap(L, "upper", stock_costly);
	strings_set(L);
	seal(L, "string.");
	/* ("x"):rep() goes by the metatable of strings */
	lua_pushliteral(L, "");
	if (lua_getmetatable(L, -1)) {
		lua_pushvalue(L, -3);
		lua_setfield(L, -2, "__index");
		lua_pushboolean(L, 0);
		lua_setfield(L, -2, "__metatable");
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

void
world_push(lua_State *L)
{
	int allow, base;

	lua_newtable(L);
	allow = lua_gettop(L);
	/* luaopen_base sets the globals' table: a throw-away here */
	lua_newtable(L);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	lua_pushcfunction(L, luaopen_base);
	lua_call(L, 0, 1);
	base = lua_gettop(L);
	lua_pushvalue(L, allow);
	copy_names(L, base, base_names);
	luaL_setfuncs(L, own_names, 0);
	lua_settop(L, allow);

	add_string(L);
	lua_setfield(L, allow, "string");
	lua_settop(L, allow);

	keep_library(L, luaopen_table, table_names);
	wrap(L, "concat", stock_concat);
	wrap(L, "insert", stock_shift);
	wrap(L, "remove", stock_shift);
	seal(L, "table.");
	lua_setfield(L, allow, "table");
	lua_settop(L, allow);

	keep_library(L, luaopen_math, math_names);
	seal(L, "math.");
	lua_setfield(L, allow, "math");
	keep_library(L, luaopen_utf8, utf8_names);
	seal(L, "utf8.");
	lua_setfield(L, allow, "utf8");
	lua_settop(L, allow);

	seal(L, "");
	lua_pushvalue(L, -1);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}
