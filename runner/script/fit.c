/*
 * Evaluated params held to the descriptor: types, words, patterns, defaults.
 * `plan` has checked what stands in the file; what `${{ }}` gave is checked
 * here, before the module sees it. Pure.
 */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "script/inside.h"

static int
refuse(struct script_failure *failure, const char *name, const char *format,
    const char *text)
{
	char what[600];

	memset(failure, 0, sizeof(*failure));
	failure->fault = SCRIPT_MODULE;
	if (text != NULL) {
		char clean[300];

		text_cleanse(clean, sizeof(clean), text, strlen(text));
		snprintf(what, sizeof(what), "%s (%s)", format, clean);
	} else {
		snprintf(what, sizeof(what), "%s", format);
	}
	snprintf(failure->text, sizeof(failure->text), _("param '%s' %s"), name,
	    what);
	return -1;
}

static bool
is_list_of_texts(const struct json *value)
{
	if (value->type != JSON_LIST)
		return false;
	for (size_t i = 0; i < value->count; i++)
		if (value->items[i]->type != JSON_TEXT)
			return false;
	return true;
}

static bool
is_map_of_texts(const struct json *value)
{
	if (value->type != JSON_MAP)
		return false;
	for (size_t i = 0; i < value->count; i++)
		if (value->items[i]->type != JSON_TEXT)
			return false;
	return true;
}

static const struct json *
as_text(struct arena *arena, const struct json *value)
{
	if (value->type == JSON_INT)
		return json_text(
		    arena, arena_printf(arena, "%lld", (long long)value->num));
	if (value->type == JSON_BOOL)
		return json_text(arena, value->num ? "true" : "false");
	return value;
}

/* A number or truth inside a list or map of texts is its text. */
static const struct json *
as_texts(struct arena *arena, const struct json *value)
{
	struct json *copy;

	if (value->type != JSON_LIST && value->type != JSON_MAP)
		return value;
	copy = value->type == JSON_LIST ? json_list(arena) : json_map(arena);
	for (size_t i = 0; i < value->count; i++) {
		struct json *item =
		    (struct json *)as_text(arena, value->items[i]);

		if (value->type == JSON_LIST)
			json_add(arena, copy, item);
		else
			json_put(arena, copy, value->keys[i], item);
	}
	return copy;
}

/* The value as the type wants it, or NULL. */
static const struct json *
fit_type(const char *type, const struct json *value, struct arena *arena)
{
	int64_t number;

	if (strcmp(type, "any") == 0)
		return value;
	if (strcmp(type, "int") == 0) {
		if (value->type == JSON_TEXT &&
		    text_int(value->text, -(INT64_C(1) << 53), INT64_C(1) << 53,
			&number))
			return json_int(arena, number);
		return value->type == JSON_INT ? value : NULL;
	}
	if (strcmp(type, "bool") == 0) {
		if (value->type == JSON_TEXT &&
		    strcmp(value->text, "true") == 0)
			return json_bool(arena, true);
		if (value->type == JSON_TEXT &&
		    strcmp(value->text, "false") == 0)
			return json_bool(arena, false);
		return value->type == JSON_BOOL ? value : NULL;
	}
	if (strcmp(type, "list") == 0) {
		if (value->type == JSON_TEXT) { /* one alone */
			struct json *list = json_list(arena);

			json_add(arena, list, (struct json *)value);
			return list;
		}
		value = as_texts(arena, value);
		return is_list_of_texts(value) ? value : NULL;
	}
	if (strcmp(type, "map") == 0) {
		value = as_texts(arena, value);
		return is_map_of_texts(value) ? value : NULL;
	}
	if (strcmp(type, "source") == 0)
		return json_get_text(value, "sha256", NULL) != NULL ? value
								    : NULL;
	value = as_text(arena, value); /* string, enum, template */
	return value->type == JSON_TEXT ? value : NULL;
}

static int
match_one(const struct param *param, const struct json *text,
    struct script_failure *failure)
{
	switch (match_run(param->match, text->text, text->len, NULL, NULL)) {
	case MATCH_YES:
		return 0;
	case MATCH_NO:
		return refuse(failure, param->name,
		    _("is not of the allowed form"), text->text);
	case MATCH_LIMIT:
		break;
	}
	return refuse(failure, param->name, _("takes too long to check"), NULL);
}

/* Every text of the value: a list's members, a map's values. */
static int
fit_match(const struct param *param, const struct json *value,
    struct script_failure *failure)
{
	if (param->match == NULL)
		return 0;
	if (value->type == JSON_TEXT)
		return match_one(param, value, failure);
	if (value->type == JSON_LIST || value->type == JSON_MAP)
		for (size_t i = 0; i < value->count; i++)
			if (value->items[i]->type == JSON_TEXT &&
			    match_one(param, value->items[i], failure) < 0)
				return -1;
	return 0;
}

static int
fit_words(const struct param *param, const struct json *value,
    struct script_failure *failure)
{
	if (param->word_count == 0)
		return 0;
	for (size_t i = 0; i < param->word_count; i++)
		if (strcmp(param->words[i], value->text) == 0)
			return 0;
	return refuse(
	    failure, param->name, _("is none of its words"), value->text);
}

int
descriptor_fit(const struct module *module, const struct json *params,
    struct arena *arena, struct json **out, struct script_failure *failure)
{
	struct json *fitted = json_map(arena);

	if (params->type != JSON_MAP)
		return refuse(failure, "*", _("must be a map"), NULL);
	for (size_t i = 0; i < module->param_count; i++) {
		const struct param *param = &module->params[i];
		const struct json *value = json_get(params, param->name);

		if (value == NULL || value->type == JSON_NULL)
			value = param->otherwise;
		if (value == NULL) {
			if (param->required)
				return refuse(failure, param->name,
				    _("is missing"), NULL);
			continue;
		}
		value = fit_type(param->type, value, arena);
		if (value == NULL)
			return refuse(failure, param->name,
			    _("is not of its type"), param->type);
		if (fit_words(param, value, failure) < 0 ||
		    fit_match(param, value, failure) < 0)
			return -1;
		json_put(arena, fitted, param->name, (struct json *)value);
	}
	for (size_t i = 0; i < params->count; i++)
		if (params->items[i]->type != JSON_NULL &&
		    json_get(fitted, params->keys[i]) == NULL)
			return refuse(failure, params->keys[i],
			    _("is not known to this module"), module->name);
	*out = fitted;
	return 0;
}
