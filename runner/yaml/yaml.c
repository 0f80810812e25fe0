/*
 * Builds the tree from libyaml's events. Events and not libyaml's own tree:
 * it has no limits, so depth and size are counted here as they come, and
 * the parse ends at the first one too many.
 */
#include "yaml/inside.h"
#include "base/file.h"
#include "base/i18n.h"

#include <stdlib.h>
#include <string.h>

struct place
yaml_place_of(const struct yaml_reader *reader, const yaml_mark_t *mark)
{
	struct place place = {
	    reader->file, (int)mark->line + 1, (int)mark->column + 1};

	return place;
}

static int
next_event(struct yaml_reader *reader, yaml_event_t *event, struct err *err)
{
	if (yaml_parser_parse(&reader->parser, event) != 1)
		return yaml_refuse_syntax(reader, err);
	return 0;
}

static int
node_new(struct yaml_reader *reader, const yaml_event_t *event,
    enum yaml_type type, struct yaml **out, struct err *err)
{
	struct place place = yaml_place_of(reader, &event->start_mark);
	struct yaml *node;

	if (++reader->nodes > YAML_LIMIT_NODES)
		return err_at(err, ERR_PLAN, place,
		    _("more than %d values in one file; split it"),
		    YAML_LIMIT_NODES);
	node = arena_new_of(reader->arena, struct yaml);
	node->type = type;
	node->place = place;
	*out = node;
	return 0;
}

static int
read_scalar(struct yaml_reader *reader, const yaml_event_t *event,
    struct yaml **out, struct err *err)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct yaml *node = NULL;
	int r;

	r = node_new(reader, event, YAML_TEXT, &node, err);
	if (r < 0)
		return r;
	if (memchr(value, '\0', len) != NULL)
		return err_at(err, ERR_PLAN, node->place,
		    _("a NUL character (\\0) cannot be part of a text; take "
		      "it out"));
	node->text = arena_copy(reader->arena, value, len);
	node->len = len;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	*out = node;
	return 0;
}

static int read_node(struct yaml_reader *reader, const yaml_event_t *event,
    struct yaml **out, struct err *err);

/* The events of a list up to its end. */
static int
read_items(struct yaml_reader *reader, struct yaml *list, struct err *err)
{
	struct yaml *item = NULL;
	yaml_event_t event;
	size_t cap = 0;
	bool ended;
	int r;

	for (;;) {
		r = next_event(reader, &event, err);
		if (r < 0)
			return r;
		ended = event.type == YAML_SEQUENCE_END_EVENT;
		if (!ended)
			r = read_node(reader, &event, &item, err);
		yaml_event_delete(&event);
		if (r < 0 || ended)
			return r;
		*arena_push(reader->arena, list->items, list->count, cap) =
		    item;
	}
}

static int
check_key(const struct yaml *key, struct err *err)
{
	if (key->type != YAML_TEXT)
		return err_at(err, ERR_PLAN, key->place,
		    _("a key must be a text; put it in quotes if it begins "
		      "with [ or {"));
	if (key->plain && strcmp(key->text, "<<") == 0)
		return err_at(err, ERR_PLAN, key->place,
		    _("merge keys (<<) are not allowed; write the keys out"));
	if (key->len == 0)
		return err_at(err, ERR_PLAN, key->place,
		    _("a key is empty; write a word before the ':'"));
	return 0;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct yaml *x = *(struct yaml *const *)a;
	const struct yaml *y = *(struct yaml *const *)b;
	int r = strcmp(x->text, y->text);

	if (r != 0)
		return r;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	return x->place.col < y->place.col ? -1 : x->place.col > y->place.col;
}

/* Sorted, not searched pair by pair: a file may hold 25,000 keys in a map. */
static int
check_duplicates(struct arena *arena, const struct yaml *map, struct err *err)
{
	struct yaml **sorted = arena_array(arena, struct yaml *, map->count);

	for (size_t i = 0; i < map->count; i++)
		sorted[i] = map->keys[i];
	qsort(sorted, map->count, sizeof(*sorted), compare_keys);
	for (size_t i = 1; i < map->count; i++)
		if (strcmp(sorted[i - 1]->text, sorted[i]->text) == 0)
			return err_at(err, ERR_PLAN, sorted[i]->place,
			    _("the key '%s' is here a second time (the first "
			      "is in line %d); keep one"),
			    sorted[i]->text, sorted[i - 1]->place.line);
	return 0;
}

/* The events of a map up to its end: key, value, key, value. */
static int
read_pairs(struct yaml_reader *reader, struct yaml *map, struct err *err)
{
	struct yaml *key = NULL, *node = NULL;
	size_t keys_cap = 0, items_cap = 0, keys = 0;
	yaml_event_t event;
	bool ended;
	int r;

	for (;;) {
		r = next_event(reader, &event, err);
		if (r < 0)
			return r;
		ended = event.type == YAML_MAPPING_END_EVENT;
		if (!ended)
			r = read_node(reader, &event, &node, err);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
		if (ended)
			return check_duplicates(reader->arena, map, err);
		if (key == NULL) {
			key = node;
			r = check_key(key, err);
			if (r < 0)
				return r;
			continue;
		}
		*arena_push(reader->arena, map->keys, keys, keys_cap) = key;
		*arena_push(reader->arena, map->items, map->count, items_cap) =
		    node;
		key = NULL;
	}
}

static int
read_collection(struct yaml_reader *reader, const yaml_event_t *event,
    enum yaml_type type, struct yaml **out, struct err *err)
{
	struct yaml *node = NULL;
	int r;

	r = node_new(reader, event, type, &node, err);
	if (r < 0)
		return r;
	if (++reader->depth > YAML_LIMIT_DEPTH)
		return err_at(err, ERR_PLAN, node->place,
		    _("nested deeper than %d levels; make it flatter"),
		    YAML_LIMIT_DEPTH);
	r = type == YAML_LIST ? read_items(reader, node, err)
			      : read_pairs(reader, node, err);
	reader->depth--;
	if (r == 0)
		*out = node;
	return r;
}

static int
read_node(struct yaml_reader *reader, const yaml_event_t *event,
    struct yaml **out, struct err *err)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		if (event->data.scalar.anchor != NULL ||
		    event->data.scalar.tag != NULL)
			break;
		return read_scalar(reader, event, out, err);
	case YAML_SEQUENCE_START_EVENT:
		if (event->data.sequence_start.anchor != NULL ||
		    event->data.sequence_start.tag != NULL)
			break;
		return read_collection(reader, event, YAML_LIST, out, err);
	case YAML_MAPPING_START_EVENT:
		if (event->data.mapping_start.anchor != NULL ||
		    event->data.mapping_start.tag != NULL)
			break;
		return read_collection(reader, event, YAML_MAP, out, err);
	case YAML_ALIAS_EVENT:
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		bug("libyaml gave event %d for a value", (int)event->type);
	}
	return yaml_refuse_mark(reader, &event->start_mark, err);
}

static int
check_document(const struct yaml_reader *reader, const yaml_event_t *event,
    const struct yaml *before, struct err *err)
{
	struct place place = yaml_place_of(reader, &event->start_mark);

	if (before != NULL)
		return err_at(err, ERR_PLAN, place,
		    _("a second document begins here; a file holds one"));
	if (event->data.document_start.tag_directives.start !=
	    event->data.document_start.tag_directives.end)
		return err_at(err, ERR_PLAN, place,
		    _("%%TAG lines are not allowed; take them out"));
	return 0;
}

/* STREAM-START [DOCUMENT-START node DOCUMENT-END] STREAM-END. */
static int
read_stream(struct yaml_reader *reader, struct yaml **root, struct err *err)
{
	yaml_event_t event;
	bool ended = false;
	int r;

	while (!ended) {
		r = next_event(reader, &event, err);
		if (r < 0)
			return r;
		ended = event.type == YAML_STREAM_END_EVENT;
		if (event.type == YAML_DOCUMENT_START_EVENT)
			r = check_document(reader, &event, *root, err);
		else if (event.type != YAML_STREAM_START_EVENT &&
			 event.type != YAML_DOCUMENT_END_EVENT && !ended)
			r = read_node(reader, &event, root, err);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A file without a document reads as YAML says: one plain, empty text. */
static struct yaml *
empty_node(const struct yaml_reader *reader)
{
	struct yaml *node = arena_new_of(reader->arena, struct yaml);

	node->type = YAML_TEXT;
	node->place = (struct place){reader->file, 1, 1};
	node->text = "";
	node->plain = true;
	return node;
}

int
yaml_parse(struct arena *arena, const char *name, const char *text, size_t len,
    struct yaml **root, struct err *err)
{
	struct yaml_reader reader = {.arena = arena};
	struct place start;
	struct yaml *made = NULL;
	int r;

	if (text == NULL) /* of an empty buf; libyaml would abort */
		text = "";
	reader.file = arena_strdup(arena, name);
	start = (struct place){reader.file, 0, 0};
	if (len > YAML_LIMIT_BYTES)
		return err_at(err, ERR_PLAN, start,
		    _("%zu bytes are too many for a YAML file; %d are "
		      "allowed, split it"),
		    len, YAML_LIMIT_BYTES);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	r = yaml_check_text(reader.file, text, len, err);
	if (r < 0)
		return r;
	reader.text = text;
	reader.len = len;
	if (yaml_parser_initialize(&reader.parser) != 1)
		out_of_memory(0);
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &reader.parser, (const unsigned char *)text, len);
	r = read_stream(&reader, &made, err);
	yaml_parser_delete(&reader.parser);
	if (r < 0)
		return r;
	*root = made != NULL ? made : empty_node(&reader);
	return 0;
}

int
yaml_load(
    struct arena *arena, const char *path, struct yaml **root, struct err *err)
{
	struct buf text = BUF_INIT;
	int r;

	r = file_read(path, YAML_LIMIT_BYTES, &text, err);
	if (r < 0) {
		/* a file that a person named wrongly, not a broken machine */
		if (err != NULL)
			err->code = ERR_PLAN;
		r = -(int)ERR_PLAN;
	} else
		r = yaml_parse(
		    arena, path, buf_str(&text), text.len, root, err);
	buf_free(&text);
	return r;
}
