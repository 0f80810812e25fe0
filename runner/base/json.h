/*
 * JSON values in an arena, and the one writer of canonical bytes: RFC 8785
 * with ASCII keys in byte order, integers of at most 2^53, no floats. What
 * is hashed, signed or compared is always what json_write made.
 *
 *	struct json *map = json_map(arena);
 *	json_put_text(arena, map, "host", "web1");
 *	json_put_int(arena, map, "step", 3);
 *	json_write(&buf, map);       -> {"host":"web1","step":3}
 */
#ifndef HOSHU_BASE_JSON_H
#define HOSHU_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* jansson exports these two names as well; a static one would clash. */
#define json_null json_new_null
#define json_equal json_is_equal

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,
	JSON_TEXT,
	JSON_LIST,
	JSON_MAP,
};

struct json {
	enum json_type type;
	int64_t num;	  /* BOOL: 0 or 1; INT */
	const char *text; /* TEXT: UTF-8 with a NUL behind it */
	size_t len;	  /* TEXT: bytes */
	size_t count;	  /* LIST, MAP: elements */
	size_t cap;
	const char **keys;   /* MAP: in the order put */
	struct json **items; /* LIST, MAP */
};

/* Before any parsing, once a process: jansson aborts as arena.h says. */
void json_start(void);

struct json *json_null(struct arena *arena);
struct json *json_bool(struct arena *arena, bool value);
struct json *json_int(struct arena *arena, int64_t value);
/* Invalid UTF-8 is a bug(): whoever has raw bytes stores a digest or hex. */
struct json *json_text(struct arena *arena, const char *text);
struct json *json_text_len(struct arena *arena, const char *text, size_t len);
struct json *json_list(struct arena *arena);
struct json *json_map(struct arena *arena);
/* Borrow value; a key that is there is replaced. Returns the value. */
struct json *json_put(
    struct arena *arena, struct json *map, const char *key, struct json *value);
/* The same for a key that is known not to be there: no search, so that a map
 * of many keys costs no square. */
struct json *json_put_new(
    struct arena *arena, struct json *map, const char *key, struct json *value);
struct json *json_add(
    struct arena *arena, struct json *list, struct json *value);
void json_put_text(
    struct arena *arena, struct json *map, const char *key, const char *text);
void json_put_int(
    struct arena *arena, struct json *map, const char *key, int64_t value);
void json_put_bool(
    struct arena *arena, struct json *map, const char *key, bool value);

/* NULL when map is NULL, not a map, or has no such key. */
const struct json *json_get(const struct json *map, const char *key);
/* The text at key, or otherwise when it is missing or no text. */
const char *json_get_text(
    const struct json *map, const char *key, const char *otherwise);
int64_t json_get_int(
    const struct json *map, const char *key, int64_t otherwise);
bool json_get_bool(const struct json *map, const char *key, bool otherwise);

/* Append the canonical bytes. Keys that are not ASCII are ordered by UTF-16
 * units, as RFC 8785 says. */
void json_write(struct buf *out, const struct json *value);
/* Append for people and terminals: two spaces a level, keys in the order put,
 * what could steer a terminal as \uXXXX. */
void json_write_pretty(struct buf *out, const struct json *value);
/* Parse text (<= 16 MiB, depth <= 64, 1,000,000 values, no floats, no duplicate
 * keys) into arena. what names the text in errors (ERR_PLAN, with line:col). */
int json_parse(struct arena *arena, const char *text, size_t len,
    const char *what, struct json **value, struct err *err) MUST_USE;
bool json_equal(const struct json *a, const struct json *b);

#endif
