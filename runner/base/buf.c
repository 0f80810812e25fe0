/*
 * Growing bytes with a maximum; see buf.h for the invariants.
 */
#define _DEFAULT_SOURCE
#include "base/buf.h"
#include "base/arena.h"
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes
bytes_of(const char *text)
{
	struct bytes b = {text, text != NULL ? strlen(text) : 0};

	return b;
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void
buf_free(struct buf *buf)
{
	size_t max = buf->max;

	free(buf->data);
	*buf = (struct buf)BUF_LIMIT(max);
}

void
buf_wipe(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->cap);
	buf_free(buf);
}

void
buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->full = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

/* Room for len more bytes and a NUL; false when the maximum is met. */
static bool
buf_room(struct buf *buf, size_t len)
{
	size_t max = buf->max > 0 ? buf->max : BUF_MAX;
	size_t cap;

	if (len > max - buf->len) {
		buf->full = true;
		return false;
	}
	if (buf->len + len + 1 <= buf->cap)
		return true;
	cap = buf->cap > 0 ? buf->cap : 64;
	while (cap < buf->len + len + 1)
		cap *= 2;
	buf->data = xrealloc(buf->data, cap);
	buf->cap = cap;
	return true;
}

void
buf_put(struct buf *buf, const void *data, size_t len)
{
	if (!buf_room(buf, len))
		return;
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buf_puts(struct buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

void
buf_putc(struct buf *buf, char c)
{
	buf_put(buf, &c, 1);
}

void
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		bug("bad format '%s'", fmt);
	if (!buf_room(buf, (size_t)len))
		return;
	va_start(ap, fmt);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)len;
}

void
buf_put_u32(struct buf *buf, uint32_t value)
{
	unsigned char b[4];

	for (int i = 0; i < 4; i++)
		b[i] = (unsigned char)(value >> (24 - 8 * i));
	buf_put(buf, b, sizeof(b));
}

void
buf_put_u64(struct buf *buf, uint64_t value)
{
	buf_put_u32(buf, (uint32_t)(value >> 32));
	buf_put_u32(buf, (uint32_t)value);
}

void
buf_eat(struct buf *buf, size_t len)
{
	if (len > buf->len)
		bug("eating %zu of %zu bytes", len, buf->len);
	if (len == 0)
		return;
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
	buf->data[buf->len] = '\0';
}

const char *
buf_str(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

struct bytes
buf_bytes(const struct buf *buf)
{
	struct bytes b = {buf_str(buf), buf->len};

	return b;
}
