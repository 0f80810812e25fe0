/*
 * A growing byte buffer with a maximum. Invariants: data[len] is NUL whenever
 * data is not NULL; len <= max. What does not fit sets `full` and is dropped
 * whole, so a writer checks once, at the end.
 */
#ifndef HOSHU_BASE_BUF_H
#define HOSHU_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max; /* bytes; 0 = BUF_MAX */
	bool full;  /* something did not fit */
};
#define BUF_MAX ((size_t)64 << 20)
#define BUF_INIT                                                               \
	{                                                                      \
		NULL, 0, 0, 0, false                                           \
	}
#define BUF_LIMIT(limit)                                                       \
	{                                                                      \
		NULL, 0, 0, (limit), false                                     \
	}

/* Borrowed bytes; no NUL promised. */
struct bytes {
	const void *data;
	size_t len;
};
struct bytes bytes_of(const char *text); /* strlen; NULL = empty */
bool bytes_equal(struct bytes a, struct bytes b);

void buf_free(struct buf *buf);	 /* back to BUF_INIT, max kept */
void buf_reset(struct buf *buf); /* len = 0, memory kept */
void buf_put(struct buf *buf, const void *data, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_put_u32(struct buf *buf, uint32_t value); /* big-endian */
void buf_put_u64(struct buf *buf, uint64_t value);
/* Drop len bytes from the front. */
void buf_eat(struct buf *buf, size_t len);
/* The text, never NULL; valid until the next call on buf. */
const char *buf_str(const struct buf *buf);
struct bytes buf_bytes(const struct buf *buf);
/* Overwrite with zeros, then free: for secrets. */
void buf_wipe(struct buf *buf);

#endif
