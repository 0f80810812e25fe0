/*
 * JSON values: making them, asking them, comparing them.
 */
#include "base/json.h"
#include "base/json_order.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { JSON_INT_BITS = 53 };

static struct json *
json_new(struct arena *arena, enum json_type type)
{
	struct json *value = arena_new_of(arena, struct json);

	value->type = type;
	return value;
}

struct json *
json_null(struct arena *arena)
{
	return json_new(arena, JSON_NULL);
}

struct json *
json_bool(struct arena *arena, bool flag)
{
	struct json *value = json_new(arena, JSON_BOOL);

	value->num = flag;
	return value;
}

struct json *
json_int(struct arena *arena, int64_t num)
{
	struct json *value = json_new(arena, JSON_INT);
	int64_t most = (int64_t)1 << JSON_INT_BITS;

	if (num > most || num < -most)
		bug("JSON integer %lld is beyond 2^53", (long long)num);
	value->num = num;
	return value;
}

struct json *
json_text(struct arena *arena, const char *text)
{
	return json_text_len(arena, text, strlen(text));
}

struct json *
json_text_len(struct arena *arena, const char *text, size_t len)
{
	struct json *value = json_new(arena, JSON_TEXT);

	if (!text_is_utf8(text, len))
		bug("JSON text is not UTF-8");
	value->text = arena_copy(arena, text, len);
	value->len = len;
	return value;
}

struct json *
json_list(struct arena *arena)
{
	return json_new(arena, JSON_LIST);
}

struct json *
json_map(struct arena *arena)
{
	return json_new(arena, JSON_MAP);
}

static ssize_t
json_find(const struct json *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->keys[i], key) == 0)
			return (ssize_t)i;
	return -1;
}

struct json *
json_put_new(
    struct arena *arena, struct json *map, const char *key, struct json *value)
{
	size_t cap;

	if (map->type != JSON_MAP)
		bug("'%s' put into what is no map", key);
	if (!text_is_utf8(key, strlen(key)))
		bug("JSON key is not UTF-8");
	cap = map->cap;
	map->keys =
	    arena_grow(arena, map->keys, sizeof(*map->keys), map->count, &cap);
	map->items = arena_grow(
	    arena, map->items, sizeof(*map->items), map->count, &map->cap);
	map->keys[map->count] = arena_strdup(arena, key);
	map->items[map->count++] = value;
	return value;
}

struct json *
json_put(
    struct arena *arena, struct json *map, const char *key, struct json *value)
{
	ssize_t at = map->type == JSON_MAP ? json_find(map, key) : -1;

	if (at < 0)
		return json_put_new(arena, map, key, value);
	map->items[at] = value;
	return value;
}

struct json *
json_add(struct arena *arena, struct json *list, struct json *value)
{
	if (list->type != JSON_LIST)
		bug("an item added to what is no list");
	*arena_push(arena, list->items, list->count, list->cap) = value;
	return value;
}

void
json_put_text(
    struct arena *arena, struct json *map, const char *key, const char *text)
{
	json_put(arena, map, key, json_text(arena, text));
}

void
json_put_int(
    struct arena *arena, struct json *map, const char *key, int64_t num)
{
	json_put(arena, map, key, json_int(arena, num));
}

void
json_put_bool(struct arena *arena, struct json *map, const char *key, bool flag)
{
	json_put(arena, map, key, json_bool(arena, flag));
}

const struct json *
json_get(const struct json *map, const char *key)
{
	ssize_t at;

	if (map == NULL || map->type != JSON_MAP)
		return NULL;
	at = json_find(map, key);
	return at < 0 ? NULL : map->items[at];
}

const char *
json_get_text(const struct json *map, const char *key, const char *otherwise)
{
	const struct json *value = json_get(map, key);

	return value != NULL && value->type == JSON_TEXT ? value->text
							 : otherwise;
}

int64_t
json_get_int(const struct json *map, const char *key, int64_t otherwise)
{
	const struct json *value = json_get(map, key);

	return value != NULL && value->type == JSON_INT ? value->num
							: otherwise;
}

bool
json_get_bool(const struct json *map, const char *key, bool otherwise)
{
	const struct json *value = json_get(map, key);

	return value != NULL && value->type == JSON_BOOL ? value->num != 0
							 : otherwise;
}

static bool
json_maps_equal(const struct json *a, const struct json *b)
{
	size_t *a_order = json_order(a), *b_order = json_order(b);
	bool equal = true;

	for (size_t i = 0; equal && i < a->count; i++)
		equal = strcmp(a->keys[a_order[i]], b->keys[b_order[i]]) == 0 &&
			json_equal(a->items[a_order[i]], b->items[b_order[i]]);
	free(a_order);
	free(b_order);
	return equal;
}

bool
json_equal(const struct json *a, const struct json *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
	case JSON_INT:
		return a->num == b->num;
	case JSON_TEXT:
		return a->len == b->len &&
		       memcmp(a->text, b->text, a->len) == 0;
	case JSON_LIST:
		if (a->count != b->count)
			return false;
		for (size_t i = 0; i < a->count; i++)
			if (!json_equal(a->items[i], b->items[i]))
				return false;
		return true;
	case JSON_MAP:
		return a->count == b->count && json_maps_equal(a, b);
	}
	bug("JSON type %d", (int)a->type);
}
