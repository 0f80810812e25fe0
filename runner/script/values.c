/*
 * Lua values and JSON. set{}, list{} and map{} mark a table, so that order
 * and emptiness mean one thing in canonical bytes; a set is written as the
 * sorted list of its members. A plain table is a list when its keys are
 * 1..n, a map when they are texts; empty it is a map.
 */
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "digest/digest.h"
#include "script/inside.h"

#define INT_LIMIT ((lua_Integer)1 << 53)

static const char kind_key[] = "kind";

/* Give the table on top the metatable of its kind (one a state). */
static void
mark(lua_State *L, const char *kind)
{
	if (luaL_newmetatable(L, kind)) {
		lua_pushstring(L, kind);
		lua_setfield(L, -2, kind_key);
		lua_pushboolean(L, 0);
		lua_setfield(L, -2, "__metatable");
	}
	lua_setmetatable(L, -2);
}

/* "set", "list", "map" or "" for a plain table. */
static const char *
kind_of(lua_State *L, int index)
{
	const char *kind = "";

	if (!lua_getmetatable(L, index))
		return kind;
	lua_pushstring(L, kind_key);
	if (lua_rawget(L, -2) == LUA_TSTRING)
		kind = lua_tostring(L, -1); /* held by the registry */
	lua_pop(L, 2);
	return kind;
}

static int
make(lua_State *L, const char *kind)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (*kind_of(L, 1) != '\0')
		return luaL_error(L, _("this is a %s already"), kind_of(L, 1));
	mark(L, kind);
	return 1;
}

int
values_set(lua_State *L)
{
	return make(L, "set");
}

int
values_list(lua_State *L)
{
	return make(L, "list");
}

int
values_map(lua_State *L)
{
	return make(L, "map");
}

/* digest(text): its SHA-256, 64 hex digits */
int
values_digest(lua_State *L)
{
	struct bytes text;
	struct digest digest;

	text.data = luaL_checklstring(L, 1, &text.len);
	box_charge(L, (int64_t)(text.len / 64) + 1);
	digest_of(text, &digest);
	lua_pushstring(L, digest.hex);
	return 1;
}

static struct json *to_json(
    lua_State *L, int index, struct arena *arena, const char *what, int depth);

static struct json *
text_to_json(lua_State *L, int index, struct arena *arena, const char *what)
{
	size_t len;
	const char *text = lua_tolstring(L, index, &len);

	if (!text_is_utf8(text, len))
		luaL_error(L,
		    _("%s holds a text that is not UTF-8: use "
		      "digest() of it"),
		    what);
	return json_text_len(arena, arena_copy(arena, text, len), len);
}

static struct json *
number_to_json(lua_State *L, int index, struct arena *arena, const char *what)
{
	int whole;
	lua_Integer value = lua_tointegerx(L, index, &whole);

	if (!whole)
		luaL_error(
		    L, _("%s holds a fraction: only whole numbers"), what);
	if (value > INT_LIMIT || value < -INT_LIMIT)
		luaL_error(L, _("%s holds a number above 2^53"), what);
	return json_int(arena, value);
}

/* Members of a list; the count of keys must be that of 1..n. */
static struct json *
list_to_json(
    lua_State *L, int index, struct arena *arena, const char *what, int depth)
{
	struct json *list = json_list(arena);
	lua_Integer count = 0, keys = 0;

	while (lua_rawgeti(L, index, count + 1) != LUA_TNIL) {
		json_add(
		    arena, list, to_json(L, lua_gettop(L), arena, what, depth));
		lua_pop(L, 1);
		count++;
	}
	lua_pop(L, 1);
	for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
		keys++;
	if (keys != count)
		luaL_error(L, _("%s holds a list with gaps or names"), what);
	return list;
}

static struct json *
map_to_json(
    lua_State *L, int index, struct arena *arena, const char *what, int depth)
{
	struct json *map = json_map(arena);
	const char *key;
	size_t len;

	for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L,
			    _("%s holds a map with a key that is no text"),
			    what);
		key = lua_tolstring(L, -2, &len);
		for (size_t i = 0; i < len; i++)
			if ((unsigned char)key[i] >= 0x80 || key[i] == '\0')
				luaL_error(L,
				    _("%s holds a map with a key that is not "
				      "ASCII"),
				    what);
		json_put(arena, map, arena_strdup(arena, key),
		    to_json(L, lua_gettop(L), arena, what, depth));
	}
	return map;
}

/* Sorted, each member once: a bubble-free insertion is enough, sets are
 * small. Members are texts. */
static struct json *
set_to_json(
    lua_State *L, int index, struct arena *arena, const char *what, int depth)
{
	struct json *list = list_to_json(L, index, arena, what, depth);
	size_t kept = 0;

	if (list->count > 4096)
		luaL_error(L, _("%s holds a set of more than 4096"), what);
	for (size_t i = 0; i < list->count; i++) {
		struct json *item = list->items[i];
		size_t at = kept;
		int order = 1;

		if (item->type != JSON_TEXT)
			luaL_error(
			    L, _("%s holds a set of other than texts"), what);
		while (at > 0 && (order = strcmp(list->items[at - 1]->text,
				      item->text)) > 0)
			at--;
		if (at > 0 && order == 0)
			continue;
		memmove(&list->items[at + 1], &list->items[at],
		    (kept - at) * sizeof(*list->items));
		list->items[at] = item;
		kept++;
	}
	list->count = kept;
	return list;
}

static bool
is_plain_list(lua_State *L, int index)
{
	bool is = lua_rawgeti(L, index, 1) != LUA_TNIL;

	lua_pop(L, 1);
	return is;
}

static struct json *
to_json(
    lua_State *L, int index, struct arena *arena, const char *what, int depth)
{
	const char *kind;

	if (depth > VALUE_DEPTH)
		luaL_error(
		    L, _("%s is deeper than %d"), what, (int)VALUE_DEPTH);
	luaL_checkstack(L, 8, NULL);
	switch (lua_type(L, index)) {
	case LUA_TBOOLEAN:
		return json_bool(arena, lua_toboolean(L, index));
	case LUA_TNUMBER:
		return number_to_json(L, index, arena, what);
	case LUA_TSTRING:
		return text_to_json(L, index, arena, what);
	case LUA_TTABLE:
		kind = kind_of(L, index);
		if (strcmp(kind, "set") == 0)
			return set_to_json(L, index, arena, what, depth + 1);
		if (strcmp(kind, "list") == 0 ||
		    (*kind == '\0' && is_plain_list(L, index)))
			return list_to_json(L, index, arena, what, depth + 1);
		return map_to_json(L, index, arena, what, depth + 1);
	default:
		luaL_error(L, _("%s holds a %s, which is no value"), what,
		    luaL_typename(L, index));
		return NULL;
	}
}

struct json *
values_to_json(lua_State *L, int index, struct arena *arena, const char *what)
{
	return to_json(L, lua_absindex(L, index), arena, what, 0);
}

/* upvalue: the path of the map */
static int
strict_index(lua_State *L)
{
	const char *key =
	    lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";

	return luaL_error(
	    L, _("%s has no '%s'"), lua_tostring(L, lua_upvalueindex(1)), key);
}

/* A metatable of its own, whose missing keys are errors. */
static void
mark_strict(lua_State *L, const char *path)
{
	lua_createtable(L, 0, 3);
	lua_pushliteral(L, "map");
	lua_setfield(L, -2, kind_key);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pushstring(L, path);
	lua_pushcclosure(L, strict_index, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

static void
push_map(lua_State *L, const struct json *map, const char *path)
{
	const char *below = NULL;

	lua_createtable(L, 0, (int)map->count);
	for (size_t i = 0; i < map->count; i++) {
		if (map->items[i]->type == JSON_NULL)
			continue; /* the same as not there */
		if (path != NULL && map->items[i]->type == JSON_MAP)
			below = arena_printf(
			    box_of(L)->arena, "%s.%s", path, map->keys[i]);
		lua_pushstring(L, map->keys[i]);
		values_push(L, map->items[i], below);
		lua_rawset(L, -3);
		below = NULL;
	}
	if (path != NULL)
		mark_strict(L, path);
	else
		mark(L, "map");
}

void
values_push(lua_State *L, const struct json *value, const char *path)
{
	luaL_checkstack(L, 8, NULL);
	if (value == NULL) {
		lua_pushnil(L);
		return;
	}
	switch (value->type) {
	case JSON_NULL:
		lua_pushnil(L);
		break;
	case JSON_BOOL:
		lua_pushboolean(L, (int)value->num);
		break;
	case JSON_INT:
		lua_pushinteger(L, value->num);
		break;
	case JSON_TEXT:
		lua_pushlstring(L, value->text, value->len);
		break;
	case JSON_LIST:
		lua_createtable(L, (int)value->count, 0);
		for (size_t i = 0; i < value->count; i++) {
			if (value->items[i]->type == JSON_NULL)
				lua_pushboolean(L, 0); /* no gaps */
			else
				values_push(L, value->items[i], NULL);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
		mark(L, "list");
		break;
	case JSON_MAP:
		push_map(L, value, path);
		break;
	}
}

struct bytes
values_canonical(struct arena *arena, const struct json *value)
{
	struct buf buf = BUF_INIT;
	struct bytes out;

	json_write(&buf, value);
	out.len = buf.len;
	out.data = arena_copy(arena, buf_str(&buf), buf.len);
	buf_free(&buf);
	return out;
}

struct chunk_job {
	struct arena *arena;
	const char *name;
	struct bytes source;
	struct json *value;
};

static int
run_chunk(lua_State *L)
{
	struct chunk_job *job = lua_touserdata(L, 1);

	world_push(L);
	box_load(L, job->source, lua_pushfstring(L, "=%s", job->name), "t");
	lua_call(L, 0, 1);
	job->value = values_to_json(L, -1, job->arena, job->name);
	return 0;
}

int
values_of_chunk(struct arena *arena, const char *name, struct bytes source,
    struct json **value, struct script_failure *failure)
{
	struct chunk_job job = {arena, name, source, NULL};
	struct box box;
	int r;

	box_open(&box, NULL);
	r = box_run(&box, run_chunk, &job, failure);
	if (r == 0)
		*value = job.value;
	box_close(&box);
	return r;
}
