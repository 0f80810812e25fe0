/*
 * Asking a YAML tree, and turning it into JSON.
 */
#include "yaml/yaml.h"
#include "base/text.h"

#include <string.h>

#define TREE_INT_MAX ((int64_t)1 << 53)

static ssize_t
find_key(const struct yaml *map, const char *key)
{
	if (map == NULL || map->type != YAML_MAP)
		return -1;
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return (ssize_t)i;
	return -1;
}

struct yaml *
yaml_get(const struct yaml *map, const char *key)
{
	ssize_t at = find_key(map, key);

	return at < 0 ? NULL : map->items[at];
}

struct yaml *
yaml_key(const struct yaml *map, const char *key)
{
	ssize_t at = find_key(map, key);

	return at < 0 ? NULL : map->keys[at];
}

static struct json *
text_to_json(struct arena *arena, const struct yaml *node, bool typed)
{
	const char *text = node->text;
	int64_t num = 0;

	if (!typed || !node->plain)
		return json_text_len(arena, text, node->len);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_bool(arena, text[0] == 't');
	if (node->len == 0 || strcmp(text, "null") == 0 ||
	    strcmp(text, "~") == 0)
		return json_null(arena);
	if (text_int(text, -TREE_INT_MAX, TREE_INT_MAX, &num))
		return json_int(arena, num);
	return json_text_len(arena, text, node->len);
}

struct json *
yaml_to_json(struct arena *arena, const struct yaml *node, bool typed)
{
	struct json *value;

	switch (node->type) {
	case YAML_TEXT:
		return text_to_json(arena, node, typed);
	case YAML_LIST:
		value = json_list(arena);
		for (size_t i = 0; i < node->count; i++)
			json_add(arena, value,
			    yaml_to_json(arena, node->items[i], typed));
		return value;
	case YAML_MAP:
		/* the parser has refused duplicate keys */
		value = json_map(arena);
		for (size_t i = 0; i < node->count; i++)
			json_put_new(arena, value, node->keys[i]->text,
			    yaml_to_json(arena, node->items[i], typed));
		return value;
	}
	bug("YAML type %d", (int)node->type);
}
