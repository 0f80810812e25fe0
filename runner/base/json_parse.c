/*
 * Reading JSON: jansson does the grammar, this file the limits. The only
 * user of jansson.h. The text may come from a host.
 */
#include "base/i18n.h"
#include "base/json.h"

#undef json_null
#undef json_equal
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_NULL
#include <stdlib.h>

enum { PARSE_DEPTH = 64, PARSE_VALUES = 1000000 };
#define PARSE_BYTES ((size_t)16 << 20)
#define PARSE_INT_MAX ((json_int_t)1 << 53)

void
json_start(void)
{
	json_set_alloc_funcs(xmalloc, free);
}

/* Depth and number of values, counted before jansson spends memory on them;
 * for a text that is no JSON the figures mean nothing, and jansson says so. */
static int
scan_limits(const char *text, size_t len, const char *what, struct err *err)
{
	size_t depth = 0, values = 1;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
			continue;
		}
		if (c == '"')
			quoted = true;
		else if (c == ',')
			values++;
		else if (c == '[' || c == '{') {
			values++;
			depth++;
		} else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		if (depth > PARSE_DEPTH)
			return err_set(err, ERR_PLAN,
			    _("%s: JSON is nested deeper than %d levels"), what,
			    PARSE_DEPTH);
		if (values > PARSE_VALUES)
			return err_set(err, ERR_PLAN,
			    _("%s: JSON has more than %d values"), what,
			    PARSE_VALUES);
	}
	return 0;
}

static int convert(struct arena *arena, const json_t *from, const char *what,
    struct json **to, struct err *err);

static int
convert_list(struct arena *arena, const json_t *from, const char *what,
    struct json **to, struct err *err)
{
	struct json *list = json_list(arena), *item;
	int r;

	for (size_t i = 0; i < json_array_size(from); i++) {
		r = convert(arena, json_array_get(from, i), what, &item, err);
		if (r < 0)
			return r;
		json_add(arena, list, item);
	}
	*to = list;
	return 0;
}

static int
convert_map(struct arena *arena, json_t *from, const char *what,
    struct json **to, struct err *err)
{
	struct json *map = json_map(arena), *item;
	const char *key;
	json_t *value;
	int r;

	json_object_foreach(from, key, value)
	{
		r = convert(arena, value, what, &item, err);
		if (r < 0)
			return r;
		json_put_new(arena, map, key, item);
	}
	*to = map;
	return 0;
}

static int
convert(struct arena *arena, const json_t *from, const char *what,
    struct json **to, struct err *err)
{
	json_int_t num;

	switch (json_typeof(from)) {
	case JSON_OBJECT:
		return convert_map(arena, (json_t *)from, what, to, err);
	case JSON_ARRAY:
		return convert_list(arena, from, what, to, err);
	case JSON_STRING:
		*to = json_text_len(
		    arena, json_string_value(from), json_string_length(from));
		return 0;
	case JSON_INTEGER:
		num = json_integer_value(from);
		if (num > PARSE_INT_MAX || num < -PARSE_INT_MAX)
			return err_set(err, ERR_PLAN,
			    _("%s: the integer %lld is beyond 2^53; write it "
			      "as a text"),
			    what, (long long)num);
		*to = json_int(arena, num);
		return 0;
	case JSON_REAL:
		return err_set(err, ERR_PLAN,
		    _("%s: %g is no integer; write it as a text"), what,
		    json_real_value(from));
	case JSON_TRUE:
	case JSON_FALSE:
		*to = json_bool(arena, json_is_true(from));
		return 0;
	case JANSSON_NULL:
		*to = json_new_null(arena);
		return 0;
	}
	bug("jansson type %d", (int)json_typeof(from));
}

int
json_parse(struct arena *arena, const char *text, size_t len, const char *what,
    struct json **value, struct err *err)
{
	struct json *made = NULL;
	json_error_t why;
	json_t *root;
	int r;

	if (len > PARSE_BYTES)
		return err_set(err, ERR_PLAN,
		    _("%s: %zu bytes of JSON are more than the %zu allowed"),
		    what, len, PARSE_BYTES);
	r = scan_limits(text, len, what, err);
	if (r < 0)
		return r;
	root = json_loadb(text, len,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	if (root == NULL)
		return err_set(err, ERR_PLAN, _("%s:%d:%d: not JSON: %s"), what,
		    why.line, why.column, why.text);
	r = convert(arena, root, what, &made, err);
	json_decref(root);
	if (r == 0)
		*value = made;
	return r;
}
