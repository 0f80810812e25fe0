/*
 * YAML read strictly into a tree with a place for each node. All scalars are
 * text: the schema decides what `0644`, `1.10` and `no` mean. Limits: 1 MiB,
 * depth 64, 50,000 nodes; one document. Refused at file:line:col: aliases,
 * anchors, tags, merge keys, duplicate keys, invalid UTF-8, tabs where YAML
 * forbids them. A scalar that YAML took for a tag, anchor or alias (!x, &x,
 * *) is refused with the hint to quote it or write `all & !x`.
 * The only user of yaml.h of libyaml.
 */
#ifndef HOSHU_YAML_YAML_H
#define HOSHU_YAML_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

enum yaml_type { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_type type;
	struct place place;
	const char *text; /* TEXT; NUL-terminated, no NUL inside */
	size_t len;
	bool plain;   /* TEXT: written without quotes */
	size_t count; /* LIST: items; MAP: keys[] and items[] */
	struct yaml **keys;
	struct yaml **items;
};

/* Parse text; name is used in places (copied). Everything lives in arena. */
int yaml_parse(struct arena *arena, const char *name, const char *text,
    size_t len, struct yaml **root, struct err *err) MUST_USE;
int yaml_load(struct arena *arena, const char *path, struct yaml **root,
    struct err *err) MUST_USE;

/* The value at key, or NULL. */
struct yaml *yaml_get(const struct yaml *map, const char *key);
/* The key node itself (for its place), or NULL. */
struct yaml *yaml_key(const struct yaml *map, const char *key);
/* Canonical JSON of a tree: every scalar a text, except plain scalars that
 * are decimal integers within 2^53 (int), true/false (bool), null/~ (null),
 * when typed is true. */
struct json *yaml_to_json(
    struct arena *arena, const struct yaml *node, bool typed);

/*
 * Schemas: read a map's known keys, refuse the rest with the near word.
 *
 *	const struct yaml *steps = NULL; const char *reason = NULL;
 *	const struct yaml_field fields[] = {
 *		{ "reason", YAML_NEED_TEXT, .text = &reason },
 *		{ "steps", YAML_WANT_LIST, .node = &steps },
 *		{ .key = "phases", .want = YAML_NOT_YET },
 *	};
 *	if (yaml_read(map, "plan", fields, 3, &err) < 0) ...
 */
enum yaml_want {
	YAML_WANT_TEXT, /* .text (const char **), .node optional */
	YAML_NEED_TEXT, /* the same, and an error when missing or empty */
	YAML_WANT_LIST, /* .node */
	YAML_NEED_LIST,
	YAML_WANT_MAP, /* .node */
	YAML_NEED_MAP,
	YAML_WANT_ANY, /* .node */
	YAML_NEED_ANY,
	YAML_WANT_DURATION, /* .num, ms */
	YAML_WANT_INT,	    /* .num, within min..max */
	YAML_WANT_BOOL,	    /* .flag; true/false/yes/no */
	YAML_WANT_CHOICE,   /* .num = index into choices (NULL-terminated) */
	YAML_NOT_YET, /* known, refused: "phases: not built yet" (ERR_REFUSED
			       would hide the place: it is ERR_PLAN) */
};

struct yaml_field {
	const char *key;
	enum yaml_want want;
	const char **text;
	const struct yaml **node;
	int64_t *num;
	bool *flag;
	int64_t min, max;
	const char *const *choices;
};

/* what names the thing in messages ("plan", "step \"restart\""). Outputs of
 * keys that are missing stay as they were (set defaults before). */
int yaml_read(const struct yaml *map, const char *what,
    const struct yaml_field *fields, size_t count, struct err *err) MUST_USE;
/* A list of texts, or one text as a list of one. */
int yaml_read_texts(struct arena *arena, const struct yaml *node,
    const char *what, const char ***texts, size_t *count,
    struct err *err) MUST_USE;

#endif
