/*
 * A module's descriptor: the table that its chunk returns. Checked once, when
 * the module is read, so that a wrong word is found before any host is asked;
 * what is checked is also what the manual, `plan` and `preview` read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "script/inside.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const keys[] = {"name", "summary", "short", "beside",
    "reboots", "params", "subject", "probe", "want", "met", "apply", "undo",
    "effects", "diff"};
static const char *const functions[] = {
    "probe", "want", "met", "apply", "undo", "effects", "diff"};
static const char *const types[] = {"string", "int", "bool", "enum", "list",
    "map", "any", "source", "template"};
static const char *const param_keys[] = {
    "required", "match", "default", "summary", "literal"};

/* raises */
static void
check_word(lua_State *L, const char *word, const char *const *words,
    size_t count, const char *what)
{
	const char *near;

	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return;
	near = text_near(word, words, count);
	if (near != NULL)
		luaL_error(L, _("%s '%s' is not known (did you mean '%s'?)"),
		    what, word, near);
	luaL_error(L, _("%s '%s' is not known"), what, word);
}

/* The text at field of the table at index, or NULL. Raises when it is
 * something else. The text lives in arena. */
static const char *
text_field(lua_State *L, int index, const char *field, struct arena *arena)
{
	const char *text = NULL;

	switch (lua_getfield(L, index, field)) {
	case LUA_TNIL:
		break;
	case LUA_TSTRING:
		text = arena_strdup(arena, lua_tostring(L, -1));
		if (!text_is_utf8(text, strlen(text)))
			luaL_error(L, _("'%s' is not UTF-8"), field);
		break;
	default:
		luaL_error(L, _("'%s' must be a text"), field);
	}
	lua_pop(L, 1);
	return text;
}

/* raises */
static bool
bool_field(lua_State *L, int index, const char *field)
{
	int type = lua_getfield(L, index, field);
	bool value = lua_toboolean(L, -1);

	if (type != LUA_TNIL && type != LUA_TBOOLEAN)
		luaL_error(L, _("'%s' must be true or false"), field);
	lua_pop(L, 1);
	return value;
}

static bool
is_name(const char *name)
{
	if (!(*name >= 'a' && *name <= 'z') || strlen(name) > 40)
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] ==
	       '\0';
}

/* { TYPE, words..., required =, match =, default =, summary =, literal = } */
static struct json *
check_param(lua_State *L, int index, const char *name, struct arena *arena)
{
	struct json *param = json_map(arena), *words = json_list(arena);
	const char *type, *text;

	if (!is_name(name))
		luaL_error(
		    L, _("'%s' is no name for a param: use a-z 0-9 _"), name);
	if (!lua_istable(L, index) || lua_rawgeti(L, index, 1) != LUA_TSTRING)
		luaL_error(L, _("param '%s' must be { TYPE, ... }"), name);
	type = arena_strdup(arena, lua_tostring(L, -1));
	lua_pop(L, 1);
	check_word(L, type, types, COUNT(types), _("type"));
	for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
		if (lua_type(L, -2) == LUA_TSTRING)
			check_word(L, lua_tostring(L, -2), param_keys,
			    COUNT(param_keys), _("the key of a param"));
	for (int i = 2; lua_rawgeti(L, index, i) != LUA_TNIL; i++) {
		if (lua_type(L, -1) != LUA_TSTRING)
			luaL_error(
			    L, _("the words of '%s' must be texts"), name);
		json_add(
		    arena, words, values_to_json(L, -1, arena, _("a word")));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	if ((words->count > 0) != (strcmp(type, "enum") == 0))
		luaL_error(L, _("param '%s': words belong to type enum"), name);

	json_put_text(arena, param, "type", type);
	json_put_bool(
	    arena, param, "required", bool_field(L, index, "required"));
	json_put_bool(arena, param, "literal", bool_field(L, index, "literal"));
	json_put(arena, param, "words", words);
	if ((text = text_field(L, index, "match", arena)) != NULL)
		json_put_text(arena, param, "match", text);
	text = text_field(L, index, "summary", arena);
	json_put_text(arena, param, "summary", text != NULL ? text : "");
	if (lua_getfield(L, index, "default") != LUA_TNIL)
		json_put(arena, param, "default",
		    values_to_json(L, -1, arena, _("a default")));
	lua_pop(L, 1);
	return param;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* By their names: Lua gives a table's keys in another order each time, and
 * scripts and messages must be the same each time. */
static struct json *
check_params(lua_State *L, int index, struct arena *arena)
{
	struct json *params = json_map(arena);
	int type = lua_getfield(L, index, "params");
	const char **names = NULL;
	size_t count = 0, cap = 0;

	if (type != LUA_TNIL && type != LUA_TTABLE)
		luaL_error(L, "%s", _("'params' must be a table"));
	if (type == LUA_TTABLE) {
		int table = lua_gettop(L);

		for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
			if (lua_type(L, -2) != LUA_TSTRING)
				luaL_error(L, "%s",
				    _("'params' must be NAME = { TYPE }"));
			*arena_push(arena, names, count, cap) =
			    arena_strdup(arena, lua_tostring(L, -2));
		}
		if (count > 1)
			qsort(names, count, sizeof(*names), compare_names);
		for (size_t i = 0; i < count; i++, lua_pop(L, 1)) {
			lua_getfield(L, table, names[i]);
			json_put(arena, params, names[i],
			    check_param(L, lua_gettop(L), names[i], arena));
		}
	}
	lua_pop(L, 1);
	return params;
}

/* raises when text is no param's name */
static void
check_is_param(
    lua_State *L, const char *key, const char *text, const struct json *params)
{
	if (json_get(params, text) == NULL)
		luaL_error(
		    L, _("'%s' names '%s', which is no param"), key, text);
}

static struct json *
check_beside(
    lua_State *L, int index, const struct json *params, struct arena *arena)
{
	struct json *beside = json_list(arena);
	int type = lua_getfield(L, index, "beside");

	if (type != LUA_TNIL) {
		beside = values_to_json(L, -1, arena, "beside");
		if (beside->type != JSON_LIST)
			luaL_error(L, "%s", _("'beside' must be a list"));
		for (size_t i = 0; i < beside->count; i++) {
			if (beside->items[i]->type != JSON_TEXT)
				luaL_error(L, "%s",
				    _("'beside' must be a list of names"));
			check_is_param(
			    L, "beside", beside->items[i]->text, params);
		}
	}
	lua_pop(L, 1);
	return beside;
}

static struct json *
check_functions(lua_State *L, int index, struct arena *arena)
{
	struct json *can = json_map(arena);

	for (size_t i = 0; i < COUNT(functions); i++) {
		int type = lua_getfield(L, index, functions[i]);

		if (type != LUA_TNIL && type != LUA_TFUNCTION)
			luaL_error(
			    L, _("'%s' must be a function"), functions[i]);
		json_put_bool(arena, can, functions[i], type == LUA_TFUNCTION);
		lua_pop(L, 1);
	}
	if (!json_get_bool(can, "probe", false) &&
	    !json_get_bool(can, "apply", false))
		luaL_error(L, "%s", _("it has neither probe nor apply"));
	if (json_get_bool(can, "undo", false) &&
	    !json_get_bool(can, "apply", false))
		luaL_error(L, "%s", _("it has undo but no apply"));
	return can;
}

struct json *
descriptor_check(lua_State *L, const char *module, struct arena *arena)
{
	struct json *out = json_map(arena), *params;
	int index = lua_gettop(L);
	const char *text;

	if (!lua_istable(L, index))
		luaL_error(L, "%s", _("a module must return its descriptor"));
	for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(
			    L, "%s", _("a descriptor has named fields only"));
		check_word(L, lua_tostring(L, -2), keys, COUNT(keys),
		    _("the descriptor's key"));
	}
	text = text_field(L, index, "name", arena);
	if (text == NULL || strcmp(text, module) != 0)
		luaL_error(L, _("'name' must be \"%s\", as its file"), module);
	json_put_text(arena, out, "name", text);
	text = text_field(L, index, "summary", arena);
	if (text == NULL || *text == '\0' || strchr(text, '\n') != NULL)
		luaL_error(L, "%s", _("'summary' must be one line"));
	json_put_text(arena, out, "summary", text);
	params = check_params(L, index, arena);
	if ((text = text_field(L, index, "short", arena)) != NULL) {
		check_is_param(L, "short", text, params);
		json_put_text(arena, out, "short", text);
	}
	if ((text = text_field(L, index, "subject", arena)) != NULL) {
		check_is_param(L, "subject", text, params);
		json_put_text(arena, out, "subject", text);
	}
	json_put(arena, out, "beside", check_beside(L, index, params, arena));
	json_put(arena, out, "params", params);
	if (bool_field(L, index, "reboots"))
		json_put_bool(arena, out, "reboots", true);
	json_put(arena, out, "can", check_functions(L, index, arena));
	return out;
}

int
descriptor_params(struct module *module, struct script_failure *failure)
{
	const struct json *params = json_get(module->descriptor, "params");
	struct arena *arena = module->arena;
	struct err err = ERR_INIT;

	module->params = arena_array(
	    arena, struct param, params->count == 0 ? 1 : params->count);
	for (size_t i = 0; i < params->count; i++) {
		const struct json *from = params->items[i];
		const struct json *words = json_get(from, "words");
		struct param *to = &module->params[module->param_count++];

		to->name = params->keys[i];
		to->type = json_get_text(from, "type", "any");
		to->required = json_get_bool(from, "required", false);
		to->literal = json_get_bool(from, "literal", false);
		to->otherwise = json_get(from, "default");
		to->pattern = json_get_text(from, "match", NULL);
		to->words = arena_array(
		    arena, const char *, words->count == 0 ? 1 : words->count);
		for (size_t j = 0; j < words->count; j++)
			to->words[to->word_count++] = words->items[j]->text;
		if (to->pattern != NULL &&
		    match_compile(to->pattern, "", &to->match, &err) < 0) {
			memset(failure, 0, sizeof(*failure));
			failure->fault = SCRIPT_MODULE;
			snprintf(failure->text, sizeof(failure->text),
			    _("param '%s': %.900s"), to->name, err.text);
			return -1;
		}
	}
	return 0;
}
