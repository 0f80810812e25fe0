/*
 * Lua's own functions where they are otherwise here: work done in C is charged
 * and bounded, no address gets into a text, and pairs goes in the order of the
 * keys. Which of them there are world.c says; the patterns are strings.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "script/inside.h"

enum { REP_MAX = 1 << 20, BYTES_A_STEP = 32 };

/* What stands in upvalue 1, called with all of the stack: its results. */
static int
call_stock(lua_State *L, int results)
{
	int count = lua_gettop(L);

	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, count, results);
	return lua_gettop(L);
}

/* An address in a text would make two runs differ. */
static void
refuse_address(lua_State *L, int index)
{
	int type = lua_type(L, index);

	if (type != LUA_TNIL && type != LUA_TBOOLEAN && type != LUA_TNUMBER &&
	    type != LUA_TSTRING)
		luaL_error(
		    L, _("a %s has no text form"), lua_typename(L, type));
}

int
stock_tostring(lua_State *L)
{
	luaL_checkany(L, 1);
	refuse_address(L, 1);
	luaL_tolstring(L, 1, NULL);
	return 1;
}

/* upvalue: string.format */
int
stock_format(lua_State *L)
{
	int count = lua_gettop(L);

	for (int i = 2; i <= count; i++)
		refuse_address(L, i);
	if (strstr(luaL_checkstring(L, 1), "p") != NULL) {
		/* %p of a string is an address too */
		for (const char *at = lua_tostring(L, 1); *at != '\0'; at++) {
			if (*at != '%')
				continue;
			at++;
			at += strspn(at, "-+ #0123456789.");
			if (*at == 'p')
				return luaL_error(
				    L, "%s", _("%p is not allowed"));
			if (*at == '\0')
				break;
		}
	}
	return call_stock(L, 1);
}

/* upvalue: string.rep */
int
stock_rep(lua_State *L)
{
	size_t len, gap;
	lua_Integer n = luaL_checkinteger(L, 2);

	luaL_checklstring(L, 1, &len);
	luaL_optlstring(L, 3, "", &gap);
	if (n > 0 && len + gap > 0 &&
	    (len + gap > REP_MAX || (uint64_t)n > REP_MAX / (len + gap)))
		return luaL_error(
		    L, _("string.rep makes more than %d bytes"), (int)REP_MAX);
	return call_stock(L, 1);
}

/* upvalue: a string function that goes over all of its text in C */
int
stock_costly(lua_State *L)
{
	size_t len;

	luaL_checklstring(L, 1, &len);
	box_charge(L, (int64_t)(len / BYTES_A_STEP));
	return call_stock(L, 1);
}

/* upvalue: table.concat. Without this it fills the heap before it fails. */
int
stock_concat(lua_State *L)
{
	size_t gap, len, all = 0;
	lua_Integer from = luaL_optinteger(L, 3, 1), to, count = 0;

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_optlstring(L, 2, "", &gap);
	to = luaL_opt(L, luaL_checkinteger, 4, (lua_Integer)lua_rawlen(L, 1));
	for (lua_Integer i = from; i <= to && all <= HEAP_CAP; i++) {
		/* a number or a hole: concat itself will say */
		if (lua_rawgeti(L, 1, i) != LUA_TSTRING && lua_isnil(L, -1))
			to = i;
		len = lua_rawlen(L, -1);
		all += len + gap;
		count++;
		lua_pop(L, 1);
	}
	box_charge(L, (int64_t)(all / BYTES_A_STEP) + count);
	if (all > HEAP_CAP) {
		box_of(L)->heap.refused = true;
		lua_pushliteral(L, "not enough memory");
		return lua_error(L);
	}
	return call_stock(L, 1);
}

/* upvalue: table.insert or table.remove, which shift in C */
int
stock_shift(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	box_charge(L, (int64_t)lua_rawlen(L, 1) / 4 + 1);
	return call_stock(L, LUA_MULTRET);
}

/* A key of a table, for sorting: numbers first, then texts by their bytes. */
struct key {
	lua_Integer at; /* in the unsorted list */
	lua_Number number;
	const char *text; /* NULL: a number */
	size_t len;
};

static int
compare_keys(const void *left, const void *right)
{
	const struct key *a = left, *b = right;
	size_t least = a->len < b->len ? a->len : b->len;
	int order;

	if (a->text == NULL || b->text == NULL) {
		if (a->text != b->text)
			return a->text == NULL ? -1 : 1;
		return (a->number > b->number) - (a->number < b->number);
	}
	order = memcmp(a->text, b->text, least);
	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* The list of keys at index made a sorted one. [-0, +1] */
static void
push_sorted(lua_State *L, int index, lua_Integer n)
{
	struct key *keys =
	    lua_newuserdatauv(L, (size_t)n * sizeof(*keys) + 1, 0);

	for (lua_Integer i = 0; i < n; i++) {
		int type = lua_rawgeti(L, index, i + 1);

		keys[i].at = i + 1;
		keys[i].number = lua_tonumber(L, -1);
		keys[i].text = NULL;
		keys[i].len = 0;
		if (type == LUA_TSTRING) /* held by the list */
			keys[i].text = lua_tolstring(L, -1, &keys[i].len);
		lua_pop(L, 1);
	}
	qsort(keys, (size_t)n, sizeof(*keys), compare_keys);
	lua_createtable(L, (int)n, 0);
	for (lua_Integer i = 0; i < n; i++) {
		lua_rawgeti(L, index, keys[i].at);
		lua_rawseti(L, -2, i + 1);
	}
	lua_remove(L, -2);
}

/* upvalues: the table, its sorted keys, the last index */
static int
pairs_next(lua_State *L)
{
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(3)) + 1;

	lua_pushinteger(L, i);
	lua_replace(L, lua_upvalueindex(3));
	if (lua_rawgeti(L, lua_upvalueindex(2), i) == LUA_TNIL)
		return 1;
	lua_pushvalue(L, -1);
	lua_rawget(L, lua_upvalueindex(1));
	return 2;
}

/* Stock pairs goes in the order of a hash that differs from state to state. */
int
stock_pairs(lua_State *L)
{
	lua_Integer n = 0;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, 1) != 0;) {
		int type = lua_type(L, -2);

		if (type != LUA_TNUMBER && type != LUA_TSTRING)
			luaL_error(L, "%s",
			    _("pairs needs keys that are texts or numbers"));
		lua_pop(L, 1);
		lua_pushvalue(L, -1);
		lua_rawseti(L, 2, ++n);
	}
	box_charge(L, n * 16);
	push_sorted(L, 2, n);
	lua_replace(L, 2);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, pairs_next, 3);
	return 1;
}
