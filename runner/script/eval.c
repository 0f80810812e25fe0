/*
 * Expressions: ${{ }} in texts, and when:. They see host, facts, vars,
 * inputs and changed(), by name or not at all: a missing name is an error,
 * never an empty text. What a host said is data here and is never compiled.
 */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "script/inside.h"

static const char chunk_name[] = "=expression";
static const char *const data_names[] = {"host", "facts", "vars", "inputs"};

/* upvalue: the eval. changed("STEP") */
static int
world_changed(lua_State *L)
{
	const struct eval *eval = lua_touserdata(L, lua_upvalueindex(1));
	const char *step = luaL_checkstring(L, 1);
	const struct json *value =
	    json_get(json_get(eval->data, "changed"), step);
	struct box *box = box_of(L);

	if (value == NULL)
		return luaL_error(
		    L, _("changed(): there is no earlier step '%s'"), step);
	if (value->type == JSON_NULL) {
		box->waits = true;
		snprintf(box->waits_for, sizeof(box->waits_for), "%s", step);
		return luaL_error(L,
		    _("it is not known yet whether '%s' "
		      "changes anything"),
		    step);
	}
	lua_pushboolean(L, value->type == JSON_BOOL && value->num != 0);
	return 1;
}

static int
world_result(lua_State *L)
{
	return luaL_error(L, "%s", _("result() is not built yet"));
}

/* upvalues: the eval, the cache. What data holds is made on first use: most
 * expressions look at one name. */
static int
expression_index(lua_State *L)
{
	const struct eval *eval = lua_touserdata(L, lua_upvalueindex(1));
	const char *name =
	    lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(2));
	if (!lua_isnil(L, -1))
		return 1;
	lua_pop(L, 1);
	for (size_t i = 0; i < 4; i++) {
		const struct json *value;

		if (strcmp(name, data_names[i]) != 0)
			continue;
		value = json_get(eval->data, name);
		if (value == NULL || value->type != JSON_MAP)
			value = json_map(box_of(L)->arena);
		values_push(L, value, data_names[i]);
		lua_pushvalue(L, 2);
		lua_pushvalue(L, -2);
		lua_rawset(L, lua_upvalueindex(2));
		return 1;
	}
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	lua_pushvalue(L, 2);
	lua_gettable(L, -2); /* raises for what is not there */
	return 1;
}

static int
expression_newindex(lua_State *L)
{
	return luaL_error(L, "%s", _("an expression cannot set anything"));
}

/* The _ENV of expressions, made once a box. [-0, +1] */
static void
push_world(lua_State *L, const struct eval *eval)
{
	if (lua_getfield(L, LUA_REGISTRYINDEX, "expressions") == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	lua_newtable(L);
	lua_createtable(L, 0, 3);
	lua_pushlightuserdata(L, (void *)eval);
	lua_newtable(L); /* cache */
	lua_pushlightuserdata(L, (void *)eval);
	lua_pushcclosure(L, world_changed, 1);
	lua_setfield(L, -2, "changed");
	lua_pushcfunction(L, world_result);
	lua_setfield(L, -2, "result");
	lua_pushcclosure(L, expression_index, 2);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, expression_newindex);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pushvalue(L, -1);
	lua_setfield(L, LUA_REGISTRYINDEX, "expressions");
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* raises: the error on top, with the expression in front */
static void
raise_in(lua_State *L, const char *text, size_t len)
{
	struct box *box = box_of(L);
	const char *what = lua_isstring(L, -1) ? lua_tostring(L, -1) : "?";

	if (box->spent || box->waits || box->heap.refused)
		lua_error(L); /* as it is */
	if (strncmp(what, "expression:", 11) == 0) {
		const char *colon = strstr(what + 11, ": ");

		if (colon != NULL)
			what = colon + 2;
	}
	if (len > 80)
		len = 80;
	luaL_error(L, "%s: %s", arena_copy(box->arena, text, len), what);
}

/* Compile and run; the value is on top. Raises. [-0, +1] */
static void
run_expression(
    lua_State *L, const struct eval *eval, const char *text, size_t len)
{
	struct bytes chunk;
	struct box *box = box_of(L);
	int base = lua_gettop(L);
	char *source;

	/* messages show it as it was meant: ${{ a }} is "a" */
	for (; len > 0 && is_blank(text[0]); len--)
		text++;
	for (; len > 0 && is_blank(text[len - 1]); len--)
		;
	chunk.len = len + 8;
	source = arena_alloc(box->arena, chunk.len + 1);
	memcpy(source, "return ", 7);
	memcpy(source + 7, text, len);
	source[7 + len] = '\n'; /* ends a comment */
	chunk.data = source;
	if (luaL_loadbufferx(L, chunk.data, chunk.len, chunk_name, "t") !=
	    LUA_OK)
		raise_in(L, text, len);
	if (eval->data == NULL) { /* compile only */
		lua_settop(L, base);
		lua_pushnil(L);
		return;
	}
	push_world(L, eval);
	lua_setupvalue(L, -2, 1);
	if (lua_pcall(L, 0, LUA_MULTRET, 0) != LUA_OK)
		raise_in(L, text, len);
	if (lua_gettop(L) != base + 1)
		luaL_error(L, _("%s: gives %d values, not one"),
		    arena_copy(box->arena, text, len > 80 ? 80 : len),
		    lua_gettop(L) - base);
}

struct json *
eval_bare(lua_State *L, const struct eval *eval, const char *text, size_t len)
{
	struct arena *arena = box_of(L)->arena;
	struct json *value;

	run_expression(L, eval, text, len);
	value = lua_isnil(L, -1)
		    ? json_null(arena)
		    : values_to_json(L, -1, arena, _("the expression"));
	lua_pop(L, 1);
	return value;
}

/* The "}}" that ends an expression: not one in a text or inside braces. NULL
 * when there is none. */
static const char *
expression_end(const char *at, const char *end)
{
	int depth = 0;

	for (; at < end; at++) {
		if (*at == '"' || *at == '\'') {
			char mark = *at++;

			while (at < end && *at != mark)
				at += *at == '\\' ? 2 : 1;
			if (at >= end)
				return NULL;
		} else if (*at == '{') {
			depth++;
		} else if (*at == '}') {
			if (depth == 0 && at + 1 < end && at[1] == '}')
				return at;
			depth--;
		}
	}
	return NULL;
}

/* The text of a value inside a longer text. Raises. */
static struct bytes
as_text(lua_State *L, const struct json *value, const char *text, size_t len)
{
	struct arena *arena = box_of(L)->arena;
	const char *out = NULL;

	switch (value->type) {
	case JSON_TEXT:
		return (struct bytes){value->text, value->len};
	case JSON_BOOL:
		out = value->num ? "true" : "false";
		break;
	case JSON_INT:
		out = arena_printf(arena, "%lld", (long long)value->num);
		break;
	case JSON_NULL:
	case JSON_LIST:
	case JSON_MAP:
		luaL_error(L,
		    _("%s: gives no text or number, so it cannot "
		      "stand inside a text"),
		    arena_copy(arena, text, len > 80 ? 80 : len));
	}
	return bytes_of(out);
}

static struct json *
eval_text(lua_State *L, const struct eval *eval, const struct json *text)
{
	struct arena *arena = box_of(L)->arena;
	const char *at = text->text, *end = at + text->len;
	struct bytes *pieces = NULL;
	size_t count = 0, cap = 0, total = 0;
	char *out;

	for (;;) {
		const char *open = memmem(at, (size_t)(end - at), "${{", 3);
		const char *close;
		struct json *value;

		*arena_push(arena, pieces, count, cap) = (struct bytes){
		    at, (size_t)((open != NULL ? open : end) - at)};
		if (open == NULL)
			break;
		close = expression_end(open + 3, end);
		if (close == NULL)
			luaL_error(L, _("%s: the ${{ has no }}"),
			    arena_copy(arena, open,
				end - open > 80 ? 80 : (size_t)(end - open)));
		value =
		    eval_bare(L, eval, open + 3, (size_t)(close - open - 3));
		if (eval->data == NULL)
			value = json_text(arena, "");
		if (open == text->text && close + 2 == end) {
			/* alone: keeps its type */
			if (value->type == JSON_NULL)
				luaL_error(L, _("%s: gives nothing (nil)"),
				    text->text);
			return value;
		}
		*arena_push(arena, pieces, count, cap) =
		    as_text(L, value, open + 3, (size_t)(close - open - 3));
		at = close + 2;
	}
	for (size_t i = 0; i < count; i++)
		total += pieces[i].len;
	if (total > SCRIPT_MAX)
		luaL_error(
		    L, _("a text has more than %d bytes"), (int)SCRIPT_MAX);
	out = arena_alloc(arena, total + 1);
	total = 0;
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].len > 0)
			memcpy(out + total, pieces[i].data, pieces[i].len);
		total += pieces[i].len;
	}
	return json_text_len(arena, out, total);
}

struct json *
eval_json(lua_State *L, const struct eval *eval, const struct json *value)
{
	struct arena *arena = box_of(L)->arena;
	struct json *copy;

	switch (value->type) {
	case JSON_TEXT:
		if (memmem(value->text, value->len, "${{", 3) == NULL)
			break;
		return eval_text(L, eval, value);
	case JSON_LIST:
		copy = json_list(arena);
		for (size_t i = 0; i < value->count; i++)
			json_add(
			    arena, copy, eval_json(L, eval, value->items[i]));
		return copy;
	case JSON_MAP:
		copy = json_map(arena);
		for (size_t i = 0; i < value->count; i++)
			json_put(arena, copy, value->keys[i],
			    eval_json(L, eval, value->items[i]));
		return copy;
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_INT:
		break;
	}
	return (struct json *)value; /* nothing in it is changed later */
}

struct eval_job {
	struct eval eval;
	const struct json *expressions;
	struct json *values;
};

static int
run_list(lua_State *L)
{
	struct eval_job *job = lua_touserdata(L, 1);
	struct arena *arena = box_of(L)->arena;

	world_push(L);
	for (size_t i = 0; i < job->expressions->count; i++) {
		const struct json *item = job->expressions->items[i];
		const struct json *bare = json_get(item, "lua");

		if (bare != NULL && bare->type == JSON_TEXT)
			json_add(arena, job->values,
			    eval_bare(L, &job->eval, bare->text, bare->len));
		else
			json_add(
			    arena, job->values, eval_json(L, &job->eval, item));
	}
	return 0;
}

int
script_eval(struct script *script, struct bytes expressions, struct bytes data,
    struct buf *out, struct script_failure *failure)
{
	struct eval_job job = {{NULL}, NULL, NULL};
	struct json *parsed = NULL, *list = NULL;
	struct err err = ERR_INIT;
	struct box box;
	int r = -1;

	box_open(&box, script);
	if (json_parse(box.arena, expressions.data, expressions.len,
		"expressions", &list, &err) < 0 ||
	    (data.len > 0 && json_parse(box.arena, data.data, data.len, "data",
				 &parsed, &err) < 0)) {
		memset(failure, 0, sizeof(*failure));
		snprintf(
		    failure->text, sizeof(failure->text), "%.1000s", err.text);
		goto out;
	}
	job.eval.data = parsed;
	job.expressions = list;
	job.values = json_list(box.arena);
	r = box_run(&box, run_list, &job, failure);
	if (r == 0)
		json_write(out, job.values);
out:
	box_close(&box);
	return r;
}
