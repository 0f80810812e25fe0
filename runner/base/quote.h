/*
 * The one quoter: every string that reaches a shell, here or on a host, is
 * built by it.
 */
#ifndef HOSHU_BASE_QUOTE_H
#define HOSHU_BASE_QUOTE_H

#include "base/buf.h"

/* Append text as one single-quoted POSIX shell word. A NUL byte is a bug():
 * the caller has refused it. */
void quote_put(struct buf *out, const char *text, size_t len);
/* The same, bare when it is plainly harmless ([A-Za-z0-9_./:=@%+,-]+), for
 * texts that people read. */
void quote_put_readable(struct buf *out, const char *text, size_t len);
/* A whole argv, words parted by a blank, in the readable form. */
void quote_put_argv(struct buf *out, const char *const *argv, size_t count);

#endif
