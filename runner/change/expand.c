/*
 * Walks a JSON value twice in the same order; see expand.h.
 */
#include "change/expand.h"

#include <string.h>

static bool
expand_is_text(const struct json *value)
{
	return value->type == JSON_TEXT && strstr(value->text, "${{") != NULL;
}

static void
expand_collect(struct arena *arena, const struct json *value, struct json *list)
{
	if (expand_is_text(value))
		json_add(arena, list, (struct json *)value);
	if (value->type != JSON_LIST && value->type != JSON_MAP)
		return;
	for (size_t i = 0; i < value->count; i++)
		expand_collect(arena, value->items[i], list);
}

void
expand_texts(struct arena *arena, const struct json *value, struct buf *out)
{
	struct json *list = json_list(arena);

	expand_collect(arena, value, list);
	json_write(out, list);
}

static struct json *
expand_fill(struct arena *arena, const struct json *value,
    const struct json *values, size_t *next)
{
	struct json *copy;

	if (expand_is_text(value))
		return values->items[(*next)++];
	if (value->type == JSON_LIST) {
		copy = json_list(arena);
		for (size_t i = 0; i < value->count; i++)
			json_add(arena, copy,
			    expand_fill(arena, value->items[i], values, next));
		return copy;
	}
	if (value->type == JSON_MAP) {
		copy = json_map(arena);
		for (size_t i = 0; i < value->count; i++)
			json_put(arena, copy, value->keys[i],
			    expand_fill(arena, value->items[i], values, next));
		return copy;
	}
	return (struct json *)value;
}

int
expand_values(struct arena *arena, const struct json *value,
    struct bytes values, struct json **out, struct err *err)
{
	struct json *list = json_list(arena), *given = NULL;
	size_t next = 0;
	int r;

	expand_collect(arena, value, list);
	r = json_parse(arena, values.data, values.len, "values", &given, err);
	if (r < 0)
		return r;
	if (given->type != JSON_LIST || given->count != list->count)
		return err_set(err, ERR_INTERNAL,
		    "%zu values came for %zu expressions", given->count,
		    list->count);
	*out = expand_fill(arena, value, given, &next);
	return 0;
}
