/*
 * string.find, match, gmatch and gsub, as Lua's manual has them, over the
 * matcher that is paid for.
 */
#include <ctype.h>
#include <string.h>

#include "base/i18n.h"
#include "script/pattern.h"

enum { RESULT_MAX = 4 << 20 };

static void
matcher_start(struct matcher *m, lua_State *L, int text, int pattern)
{
	size_t len;

	memset(m, 0, sizeof(*m));
	m->L = L;
	m->text = luaL_checklstring(L, text, &len);
	m->text_end = m->text + len;
	m->pattern = luaL_checklstring(L, pattern, &len);
	m->pattern_end = m->pattern + len;
}

static void
push_capture(struct matcher *m, int i, const char *s, const char *e)
{
	if (i >= m->level) {
		if (i != 0)
			luaL_error(
			    m->L, _("the pattern has no capture %%%d"), i + 1);
		lua_pushlstring(m->L, s, (size_t)(e - s));
	} else if (m->captures[i].len == CAP_PLACE) {
		lua_pushinteger(m->L, m->captures[i].at - m->text + 1);
	} else if (m->captures[i].len == CAP_OPEN) {
		luaL_error(m->L, "%s", _("a '(' in the pattern has no ')'"));
	} else {
		lua_pushlstring(
		    m->L, m->captures[i].at, (size_t)m->captures[i].len);
	}
}

/* The captures, or the whole match when there are none and s is given. */
static int
push_captures(struct matcher *m, const char *s, const char *e)
{
	int count = m->level == 0 && s != NULL ? 1 : m->level;

	luaL_checkstack(m->L, count + 2, NULL);
	for (int i = 0; i < count; i++)
		push_capture(m, i, s, e);
	return count;
}

/* Where a search begins: Lua's index -> offset; false when beyond the end. */
static bool
start_of(struct matcher *m, lua_Integer init, const char **start)
{
	lua_Integer len = m->text_end - m->text;

	if (init < 0)
		init = init < -len ? 1 : len + init + 1;
	else if (init == 0)
		init = 1;
	if (init > len + 1)
		return false;
	*start = m->text + init - 1;
	return true;
}

/* First match at or after s; gives its end and moves *s. */
static const char *
search(struct matcher *m, const char **s, const char *p, bool anchored)
{
	const char *end;

	for (;; (*s)++) {
		m->level = 0;
		if ((end = pattern_match_at(m, *s, p)) != NULL || anchored ||
		    *s == m->text_end)
			return end;
	}
}

static int
find_or_match(lua_State *L, bool find)
{
	struct matcher m;
	const char *s, *end, *p;
	bool anchored;

	matcher_start(&m, L, 1, 2);
	if (!start_of(&m, luaL_optinteger(L, 3, 1), &s)) {
		lua_pushnil(L);
		return 1;
	}
	if (find && lua_toboolean(L, 4)) {
		size_t len = (size_t)(m.pattern_end - m.pattern);

		box_charge(L, (m.text_end - s) / 16 + 1);
		s = memmem(s, (size_t)(m.text_end - s), m.pattern, len);
		end = s == NULL ? NULL : s + len;
	} else {
		anchored = m.pattern < m.pattern_end && *m.pattern == '^';
		p = m.pattern + (anchored ? 1 : 0);
		end = search(&m, &s, p, anchored);
	}
	box_charge(L, m.steps);
	if (end == NULL) {
		lua_pushnil(L);
		return 1;
	}
	if (!find)
		return push_captures(&m, s, end);
	lua_pushinteger(L, s - m.text + 1);
	lua_pushinteger(L, end - m.text);
	return 2 + push_captures(&m, NULL, NULL);
}

static int
string_find(lua_State *L)
{
	return find_or_match(L, true);
}

static int
string_match(lua_State *L)
{
	return find_or_match(L, false);
}

/* upvalues: text, pattern, offset of the next search, end of the last match
 * (-1 = none) */
static int
gmatch_next(lua_State *L)
{
	struct matcher m;
	const char *s, *end;

	matcher_start(&m, L, lua_upvalueindex(1), lua_upvalueindex(2));
	s = m.text + lua_tointeger(L, lua_upvalueindex(3));
	for (; s <= m.text_end; s++) {
		end = search(&m, &s, m.pattern, false);
		if (end == NULL)
			break;
		/* an empty match right behind the last one is none */
		if (end - m.text == lua_tointeger(L, lua_upvalueindex(4)))
			continue;
		box_charge(L, m.steps);
		lua_pushinteger(L, end - m.text);
		lua_copy(L, -1, lua_upvalueindex(3));
		lua_replace(L, lua_upvalueindex(4));
		return push_captures(&m, s, end);
	}
	box_charge(L, m.steps);
	return 0;
}

static int
string_gmatch(lua_State *L)
{
	luaL_checkstring(L, 1);
	luaL_checkstring(L, 2);
	lua_settop(L, 2);
	lua_pushinteger(L, 0);
	lua_pushinteger(L, -1);
	lua_pushcclosure(L, gmatch_next, 4);
	return 1;
}

/* What stands for the match s..e; false and nil keep it. [-0, +1] */
static void
push_replacement(struct matcher *m, const char *s, const char *e)
{
	lua_State *L = m->L;
	size_t len;
	const char *with, *end;
	luaL_Buffer out;

	switch (lua_type(L, 3)) {
	case LUA_TFUNCTION:
		lua_pushvalue(L, 3);
		lua_call(L, push_captures(m, s, e), 1);
		break;
	case LUA_TTABLE:
		push_capture(m, 0, s, e);
		lua_gettable(L, 3);
		break;
	default:
		with = lua_tolstring(L, 3, &len);
		luaL_buffinit(L, &out);
		for (end = with + len; with < end; with++) {
			if (*with != '%') {
				luaL_addchar(&out, *with);
			} else if (++with < end && *with == '%') {
				luaL_addchar(&out, '%');
			} else if (with < end && *with == '0') {
				luaL_addlstring(&out, s, (size_t)(e - s));
			} else if (with < end &&
				   isdigit((unsigned char)*with)) {
				push_capture(m, *with - '1', s, e);
				luaL_addvalue(&out);
			} else {
				luaL_error(L, "%s",
				    /* xgettext:no-c-format */
				    _("'%' in the replacement needs a digit"));
			}
		}
		luaL_pushresult(&out);
		return;
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		lua_pushlstring(L, s, (size_t)(e - s));
	} else if (!lua_isstring(L, -1)) {
		luaL_error(L, _("a replacement is a %s, not a text"),
		    luaL_typename(L, -1));
	}
}

static int
string_gsub(lua_State *L)
{
	struct matcher m;
	const char *s, *p, *end, *last = NULL;
	lua_Integer most, done = 0;
	luaL_Buffer out;
	int type = lua_type(L, 3);
	bool anchored;

	matcher_start(&m, L, 1, 2);
	luaL_argexpected(L,
	    type == LUA_TNUMBER || type == LUA_TSTRING ||
		type == LUA_TFUNCTION || type == LUA_TTABLE,
	    3, "string/function/table");
	most = luaL_optinteger(L, 4, m.text_end - m.text + 1);
	lua_settop(L, 3);
	anchored = m.pattern < m.pattern_end && *m.pattern == '^';
	p = m.pattern + (anchored ? 1 : 0);
	luaL_buffinit(L, &out);
	for (s = m.text; done < most;) {
		m.level = 0;
		end = pattern_match_at(&m, s, p);
		if (end != NULL && end != last) {
			done++;
			push_replacement(&m, s, end);
			luaL_addvalue(&out);
			s = last = end;
		} else if (s < m.text_end) {
			luaL_addchar(&out, *s++);
		} else {
			break;
		}
		if (luaL_bufflen(&out) > RESULT_MAX)
			luaL_error(L, "%s", _("the result is too long"));
		if (anchored)
			break;
	}
	luaL_addlstring(&out, s, (size_t)(m.text_end - s));
	luaL_pushresult(&out);
	box_charge(L, m.steps);
	lua_pushinteger(L, done);
	return 2;
}

void
strings_set(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"find", string_find},
	    {"match", string_match},
	    {"gmatch", string_gmatch},
	    {"gsub", string_gsub},
	    {NULL, NULL},
	};

	luaL_setfuncs(L, functions, 0);
}
