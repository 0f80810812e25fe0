/*
 * One value of a step against its entry in the module's descriptor: text of
 * the plan becomes typed JSON. A text that holds ${{ }} passes: what it must
 * be is judged after evaluation.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "match/match.h"

enum { PARAM_WORDS = 64 };
#define INT_LIMIT ((int64_t)1 << 53)

static int
wrong_type(const struct yaml *node, const char *what, const char *wanted,
    struct err *err)
{
	return err_at(
	    err, ERR_PLAN, node->place, _("%s: %s belongs here"), what, wanted);
}

static int
check_match(const char *text, const char *pattern, const struct yaml *node,
    const char *what, struct err *err)
{
	struct match *match = NULL;
	struct err why = ERR_INIT;
	int r = 0;

	if (pattern == NULL || text_has_expression(text))
		return 0;
	if (match_compile(pattern, "", &match, &why) < 0)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: the module's pattern is wrong: %s"), what, why.text);
	if (match_run(match, text, strlen(text), NULL, NULL) != MATCH_YES)
		r = err_at(err, ERR_PLAN, node->place,
		    _("%s: '%.80s' is not of the form %s"), what, text,
		    pattern);
	match_free(match);
	return r;
}

static int
bind_string(struct bind *bind, const struct json *param,
    const struct yaml *node, const char *what, struct json **out,
    struct err *err)
{
	int r;

	if (node->type != YAML_TEXT)
		return wrong_type(node, what, _("a text"), err);
	if (node->len == 0 && json_get_bool(param, "required", false))
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: is empty; it is needed"), what);
	r = check_match(
	    node->text, json_get_text(param, "match", NULL), node, what, err);
	if (r == 0)
		*out = json_text_len(bind->arena, node->text, node->len);
	return r;
}

static int
bind_int(struct bind *bind, const struct yaml *node, const char *what,
    struct json **out, struct err *err)
{
	int64_t value;

	if (node->type != YAML_TEXT ||
	    !text_int(node->text, -INT_LIMIT, INT_LIMIT, &value))
		return wrong_type(node, what, _("a whole number"), err);
	*out = json_int(bind->arena, value);
	return 0;
}

static int
bind_bool(struct bind *bind, const struct yaml *node, const char *what,
    struct json **out, struct err *err)
{
	const char *text = node->type == YAML_TEXT ? node->text : "";
	bool yes = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;

	if (!yes && strcmp(text, "false") != 0 && strcmp(text, "no") != 0)
		return wrong_type(node, what, _("true or false"), err);
	*out = json_bool(bind->arena, yes);
	return 0;
}

static int
bind_enum(struct bind *bind, const struct json *param, const struct yaml *node,
    const char *what, struct json **out, struct err *err)
{
	const struct json *words = json_get(param, "words");
	const char *list[PARAM_WORDS], *known = "";
	size_t count = 0;

	if (node->type != YAML_TEXT)
		return wrong_type(node, what, _("a word"), err);
	for (size_t i = 0; words != NULL && i < words->count; i++) {
		if (words->items[i]->type != JSON_TEXT)
			continue;
		if (strcmp(words->items[i]->text, node->text) == 0) {
			*out = json_text(bind->arena, node->text);
			return 0;
		}
		if (count == PARAM_WORDS)
			continue;
		list[count] = words->items[i]->text;
		known = arena_printf(bind->arena, "%s%s%s", known,
		    count > 0 ? ", " : "", list[count]);
		count++;
	}
	return err_at(err, ERR_PLAN, node->place,
	    _("%s: '%.80s' is none of %s%s"), what, node->text, known,
	    word_hint(bind->arena, text_near(node->text, list, count)));
}

static int
bind_list(struct bind *bind, const struct json *param, const struct yaml *node,
    const char *what, struct json **out, struct err *err)
{
	const char *pattern = json_get_text(param, "match", NULL);
	bool needed = json_get_bool(param, "required", false);
	struct json *list = json_list(bind->arena);
	const char **texts = NULL;
	size_t count = 0;
	int r;

	/* [ls, -l] and "ls -l" are not the same, and the second is rarely
	 * what was meant */
	if (node->type == YAML_TEXT && !text_has_expression(node->text) &&
	    strpbrk(node->text, " \t\n") != NULL)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: write it as a list, each word by itself: [a, b]"),
		    what);
	r = yaml_read_texts(bind->arena, node, what, &texts, &count, err);
	if (r < 0)
		return r;
	if (needed && (count == 0 || texts[0][0] == '\0'))
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: is empty; it is needed"), what);
	for (size_t i = 0; i < count; i++) {
		r = check_match(texts[i], pattern,
		    node->type == YAML_LIST ? node->items[i] : node, what, err);
		if (r < 0)
			return r;
		json_add(bind->arena, list, json_text(bind->arena, texts[i]));
	}
	*out = list;
	return 0;
}

static int
bind_map(struct bind *bind, const struct yaml *node, const char *what,
    struct json **out, struct err *err)
{
	struct json *map = json_map(bind->arena);
	const struct yaml *key, *value;

	if (node->type != YAML_MAP)
		return wrong_type(node, what, _("a map"), err);
	for (size_t i = 0; i < node->count; i++) {
		key = node->keys[i];
		value = node->items[i];
		if (key->len == 0 || text_has_expression(key->text))
			return err_at(err, ERR_PLAN, key->place,
			    _("%s: a key is a plain word, not empty and "
			      "without ${{ }}"),
			    what);
		if (value->type != YAML_TEXT)
			return err_at(err, ERR_PLAN, value->place,
			    _("%s: %s: a text belongs here"), what, key->text);
		json_put_text(bind->arena, map, key->text, value->text);
	}
	*out = map;
	return 0;
}

static int
bind_template(struct bind *bind, struct step *step, const char *name,
    const struct yaml *node, const char *what, struct json **out,
    struct err *err)
{
	const char *text = NULL;
	struct template *grown;
	int r;

	if ((r = bind_text(bind, node, what, &text, err)) < 0)
		return r;
	grown =
	    arena_array(bind->arena, struct template, step->template_count + 1);
	if (step->template_count > 0)
		memcpy(grown, step->templates,
		    step->template_count * sizeof(*grown));
	grown[step->template_count].param = name;
	grown[step->template_count].file = node->text;
	grown[step->template_count].text = text;
	step->templates = grown;
	step->template_count++;
	*out = json_text(bind->arena, text);
	return 0;
}

int
bind_value(struct bind *bind, struct step *step, const char *name,
    const struct json *param, const struct yaml *node, const char *what,
    struct json **out, struct err *err)
{
	const char *type = json_get_text(param, "type", "any");

	if (strcmp(type, "source") == 0)
		return bind_source(bind, node, what, out, err);
	if (strcmp(type, "template") == 0)
		return bind_template(bind, step, name, node, what, out, err);
	if (strcmp(type, "list") == 0)
		return bind_list(bind, param, node, what, out, err);
	if (strcmp(type, "map") == 0)
		return bind_map(bind, node, what, out, err);
	if (strcmp(type, "any") == 0) {
		*out = yaml_to_json(bind->arena, node, false);
		return 0;
	}
	if (strcmp(type, "string") == 0 ||
	    (node->type == YAML_TEXT && text_has_expression(node->text)))
		return bind_string(bind, param, node, what, out, err);
	if (strcmp(type, "int") == 0)
		return bind_int(bind, node, what, out, err);
	if (strcmp(type, "bool") == 0)
		return bind_bool(bind, node, what, out, err);
	if (strcmp(type, "enum") == 0)
		return bind_enum(bind, param, node, what, out, err);
	return err_at(err, ERR_PLAN, node->place,
	    _("%s: the module gives it the type '%s', which is none"), what,
	    type);
}
