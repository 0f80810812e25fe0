/*
 * Schemas: a map's keys against a table. Every wrong key or value is refused
 * at its place, with what was expected.
 */
#include "base/i18n.h"
#include "base/text.h"
#include "yaml/yaml.h"

#include <string.h>

enum { READ_WORDS = 64 }; /* keys or choices that a message looks through */

static const char *
type_name(const struct yaml *node)
{
	switch (node->type) {
	case YAML_TEXT:
		return node->len > 0 ? N_("a text") : N_("nothing");
	case YAML_LIST:
		return N_("a list");
	case YAML_MAP:
		return N_("a map");
	}
	bug("YAML type %d", (int)node->type);
}

static void
put_words(struct buf *out, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%s%s", i > 0 ? ", " : "", words[i]);
}

static int
refuse_key(const struct yaml *key, const char *what,
    const struct yaml_field *fields, size_t count, struct err *err)
{
	const char *words[READ_WORDS] = {NULL}, *near;
	struct buf known = BUF_INIT;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < count && n < READ_WORDS; i++)
		if (fields[i].want != YAML_NOT_YET)
			words[n++] = fields[i].key;
	near = text_near(key->text, words, n);
	if (near != NULL)
		return err_at(err, ERR_PLAN, key->place,
		    _("%s: unknown key '%s' (did you mean '%s'?)"), what,
		    key->text, near);
	put_words(&known, words, n);
	r = err_at(err, ERR_PLAN, key->place,
	    _("%s: unknown key '%s'; the keys here are %s"), what, key->text,
	    buf_str(&known));
	buf_free(&known);
	return r;
}

static int
refuse_choice(const struct yaml *value, const char *what,
    const struct yaml_field *field, size_t count, struct err *err)
{
	const char *near = text_near(value->text, field->choices, count);
	struct buf known = BUF_INIT;
	int r;

	put_words(&known, field->choices, count);
	if (near != NULL)
		r = err_at(err, ERR_PLAN, value->place,
		    _("%s: '%s' is '%s', but must be one of %s (did you mean "
		      "'%s'?)"),
		    what, field->key, value->text, buf_str(&known), near);
	else
		r = err_at(err, ERR_PLAN, value->place,
		    _("%s: '%s' is '%s', but must be one of %s"), what,
		    field->key, value->text, buf_str(&known));
	buf_free(&known);
	return r;
}

static int
read_choice(const struct yaml *value, const char *what,
    const struct yaml_field *field, struct err *err)
{
	size_t count = 0;

	for (; field->choices[count] != NULL; count++) {
		if (strcmp(field->choices[count], value->text) != 0)
			continue;
		*field->num = (int64_t)count;
		return 0;
	}
	return refuse_choice(value, what, field, count, err);
}

static int
read_int(const struct yaml *value, const char *what,
    const struct yaml_field *field, struct err *err)
{
	if (text_int(value->text, field->min, field->max, field->num))
		return 0;
	return err_at(err, ERR_PLAN, value->place,
	    _("%s: '%s' is '%.40s', but must be a whole number from %lld to "
	      "%lld"),
	    what, field->key, value->text, (long long)field->min,
	    (long long)field->max);
}

static int
read_duration(const struct yaml *value, const char *what,
    const struct yaml_field *field, struct err *err)
{
	if (text_duration(value->text, field->num))
		return 0;
	return err_at(err, ERR_PLAN, value->place,
	    _("%s: '%s' is '%.40s', but must be a duration with its unit, "
	      "such as 90s, 10m, 2h or 7d"),
	    what, field->key, value->text);
}

static int
read_bool(const struct yaml *value, const char *what,
    const struct yaml_field *field, struct err *err)
{
	if (strcmp(value->text, "true") == 0 ||
	    strcmp(value->text, "yes") == 0) {
		*field->flag = true;
		return 0;
	}
	if (strcmp(value->text, "false") == 0 ||
	    strcmp(value->text, "no") == 0) {
		*field->flag = false;
		return 0;
	}
	return err_at(err, ERR_PLAN, value->place,
	    _("%s: '%s' is '%.40s', but must be true or false"), what,
	    field->key, value->text);
}

static int
check_type(const struct yaml *value, const char *what,
    const struct yaml_field *field, enum yaml_type type, struct err *err)
{
	static const char *const wanted[] = {
	    [YAML_TEXT] = N_("a text"),
	    [YAML_LIST] = N_("a list"),
	    [YAML_MAP] = N_("a map of keys"),
	};

	if (value->type == type)
		return 0;
	return err_at(err, ERR_PLAN, value->place,
	    _("%s: '%s' must be %s, here it is %s"), what, field->key,
	    _(wanted[type]), _(type_name(value)));
}

/* What the value must be made of. ANY and NOT_YET never ask. */
static enum yaml_type
wanted_type(enum yaml_want want)
{
	switch (want) {
	case YAML_WANT_LIST:
	case YAML_NEED_LIST:
		return YAML_LIST;
	case YAML_WANT_MAP:
	case YAML_NEED_MAP:
		return YAML_MAP;
	case YAML_WANT_TEXT:
	case YAML_NEED_TEXT:
	case YAML_WANT_ANY:
	case YAML_NEED_ANY:
	case YAML_WANT_DURATION:
	case YAML_WANT_INT:
	case YAML_WANT_BOOL:
	case YAML_WANT_CHOICE:
	case YAML_NOT_YET:
		return YAML_TEXT;
	}
	bug("YAML want %d", (int)want);
}

static bool
is_needed(enum yaml_want want)
{
	return want == YAML_NEED_TEXT || want == YAML_NEED_LIST ||
	       want == YAML_NEED_MAP || want == YAML_NEED_ANY;
}

static int
read_value(const struct yaml *value, const char *what,
    const struct yaml_field *field, struct err *err)
{
	int r = 0;

	if (field->want != YAML_WANT_ANY && field->want != YAML_NEED_ANY)
		r = check_type(
		    value, what, field, wanted_type(field->want), err);
	if (r < 0)
		return r;
	if (field->node != NULL)
		*field->node = value;
	switch (field->want) {
	case YAML_NEED_TEXT:
	case YAML_WANT_TEXT:
		if (field->text != NULL)
			*field->text = value->text;
		return 0;
	case YAML_WANT_DURATION:
		return read_duration(value, what, field, err);
	case YAML_WANT_INT:
		return read_int(value, what, field, err);
	case YAML_WANT_BOOL:
		return read_bool(value, what, field, err);
	case YAML_WANT_CHOICE:
		return read_choice(value, what, field, err);
	case YAML_WANT_LIST:
	case YAML_NEED_LIST:
	case YAML_WANT_MAP:
	case YAML_NEED_MAP:
	case YAML_WANT_ANY:
	case YAML_NEED_ANY:
	case YAML_NOT_YET:
		return 0;
	}
	bug("YAML want %d", (int)field->want);
}

static int
read_pair(const struct yaml *key, const struct yaml *value, const char *what,
    const struct yaml_field *fields, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(fields[i].key, key->text) != 0)
			continue;
		if (fields[i].want == YAML_NOT_YET)
			return err_at(err, ERR_PLAN, key->place,
			    _("%s: %s: not built yet; leave it out"), what,
			    key->text);
		if (is_needed(fields[i].want) && value->count == 0 &&
		    value->len == 0)
			return err_at(err, ERR_PLAN, value->place,
			    _("%s: '%s' is empty; it is needed"), what,
			    key->text);
		return read_value(value, what, &fields[i], err);
	}
	return refuse_key(key, what, fields, count, err);
}

int
yaml_read(const struct yaml *map, const char *what,
    const struct yaml_field *fields, size_t count, struct err *err)
{
	int r;

	if (map->type != YAML_MAP)
		return err_at(err, ERR_PLAN, map->place,
		    _("%s must be a map of keys, here it is %s"), what,
		    _(type_name(map)));
	for (size_t i = 0; i < map->count; i++) {
		r = read_pair(
		    map->keys[i], map->items[i], what, fields, count, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < count; i++)
		if (is_needed(fields[i].want) &&
		    yaml_get(map, fields[i].key) == NULL)
			return err_at(err, ERR_PLAN, map->place,
			    _("%s: the key '%s' is missing"), what,
			    fields[i].key);
	return 0;
}

static int
refuse_texts(const struct yaml *node, const char *what, struct err *err)
{
	return err_at(err, ERR_PLAN, node->place,
	    _("%s must be a list of texts, here is %s"), what,
	    _(type_name(node)));
}

int
yaml_read_texts(struct arena *arena, const struct yaml *node, const char *what,
    const char ***texts, size_t *count, struct err *err)
{
	size_t n = node->type == YAML_LIST ? node->count : 1;
	const struct yaml *item;
	const char **made;

	if (node->type == YAML_MAP)
		return refuse_texts(node, what, err);
	made = arena_array(arena, const char *, n);
	for (size_t i = 0; i < n; i++) {
		item = node->type == YAML_LIST ? node->items[i] : node;
		if (item->type != YAML_TEXT || (item->plain && item->len == 0))
			return refuse_texts(item, what, err);
		made[i] = item->text;
	}
	*texts = made;
	*count = n;
	return 0;
}
