/*
 * The canonical writer (RFC 8785) and the one for people. What the first
 * makes is hashed, signed and compared: its bytes never change.
 */
#include "base/json.h"
#include "base/json_order.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* UTF-8 sorts by code point; RFC 8785 sorts by UTF-16 unit, where what lies
 * above U+FFFF (lead byte f0..f4) comes before U+E000..U+FFFF (ee, ef). */
static int
key_compare(const char *a, const char *b)
{
	const unsigned char *x = (const unsigned char *)a;
	const unsigned char *y = (const unsigned char *)b;

	while (*x == *y && *x != '\0') {
		x++;
		y++;
	}
	if (*x >= 0xf0 && (*y == 0xee || *y == 0xef))
		return -1;
	if (*y >= 0xf0 && (*x == 0xee || *x == 0xef))
		return 1;
	return *x < *y ? -1 : *x > *y;
}

static int
order_compare(const void *a, const void *b, void *keys)
{
	const char **key = keys;

	return key_compare(key[*(const size_t *)a], key[*(const size_t *)b]);
}

size_t *
json_order(const struct json *map)
{
	size_t *order = xcalloc(map->count, sizeof(*order));

	for (size_t i = 0; i < map->count; i++)
		order[i] = i;
	if (map->count > 1)
		qsort_r(order, map->count, sizeof(*order), order_compare,
		    map->keys);
	return order;
}

static void
put_escaped(struct buf *out, uint32_t code)
{
	if (code >= 0x10000) {
		code -= 0x10000;
		buf_printf(out, "\\u%04x\\u%04x", 0xd800 + (code >> 10),
		    0xdc00 + (code & 0x3ff));
	} else
		buf_printf(out, "\\u%04x", code);
}

static void
put_text(struct buf *out, const char *text, size_t len, bool for_people)
{
	static const char escapes[] = "\bb\tt\nn\ff\rr\"\"\\\\";
	size_t at = 0, step;
	const char *escape;
	uint32_t code = 0;

	buf_putc(out, '"');
	while (at < len) {
		step = text_decode(text + at, len - at, &code);
		if (step == 0)
			bug("JSON text is not UTF-8");
		escape = NULL;
		for (const char *p = escapes; *p != '\0'; p += 2)
			if (code == (unsigned char)*p)
				escape = p + 1;
		if (escape != NULL) {
			buf_putc(out, '\\');
			buf_putc(out, *escape);
		} else if (code < 0x20 ||
			   (for_people && text_is_unsafe(code))) {
			put_escaped(out, code);
		} else
			buf_put(out, text + at, step);
		at += step;
	}
	buf_putc(out, '"');
}

static void
put_line(struct buf *out, int level)
{
	buf_putc(out, '\n');
	for (int i = 0; i < level; i++)
		buf_puts(out, "  ");
}

static void put_value(
    struct buf *out, const struct json *value, bool for_people, int level);

static void
put_elements(
    struct buf *out, const struct json *value, bool for_people, int level)
{
	bool map = value->type == JSON_MAP;
	size_t *order = map && !for_people ? json_order(value) : NULL;
	size_t at;

	buf_putc(out, map ? '{' : '[');
	for (size_t i = 0; i < value->count; i++) {
		at = order != NULL ? order[i] : i;
		if (i > 0)
			buf_putc(out, ',');
		if (for_people)
			put_line(out, level + 1);
		if (map) {
			put_text(out, value->keys[at], strlen(value->keys[at]),
			    for_people);
			buf_puts(out, for_people ? ": " : ":");
		}
		put_value(out, value->items[at], for_people, level + 1);
	}
	if (for_people && value->count > 0)
		put_line(out, level);
	buf_putc(out, map ? '}' : ']');
	free(order);
}

static void
put_value(struct buf *out, const struct json *value, bool for_people, int level)
{
	switch (value->type) {
	case JSON_NULL:
		buf_puts(out, "null");
		return;
	case JSON_BOOL:
		buf_puts(out, value->num != 0 ? "true" : "false");
		return;
	case JSON_INT:
		buf_printf(out, "%lld", (long long)value->num);
		return;
	case JSON_TEXT:
		put_text(out, value->text, value->len, for_people);
		return;
	case JSON_LIST:
	case JSON_MAP:
		put_elements(out, value, for_people, level);
		return;
	}
	bug("JSON type %d", (int)value->type);
}

void
json_write(struct buf *out, const struct json *value)
{
	put_value(out, value, false, 0);
}

void
json_write_pretty(struct buf *out, const struct json *value)
{
	put_value(out, value, true, 0);
}
