/*
 * A few bytes that must not lie about: in pages of their own, never swapped
 * out (where the system lets us), never in a core, overwritten when freed.
 *
 *	if (secret_new(&secret, err) < 0) ...
 *	n = read(fd, secret_room(secret), SECRET_MAX);
 *	secret_set_len(secret, n);
 */
#ifndef HOSHU_BASE_SECRET_H
#define HOSHU_BASE_SECRET_H

#include "base/buf.h"
#include "base/err.h"

enum { SECRET_MAX = 1024 };

struct secret;

int secret_new(struct secret **out, struct err *err) MUST_USE;
void secret_free(struct secret *secret); /* NULL is allowed */
/* SECRET_MAX bytes to write to, then how many of them count. */
char *secret_room(struct secret *secret);
void secret_set_len(struct secret *secret, size_t len);
/* Borrowed: copy it nowhere that is not wiped. */
struct bytes secret_bytes(const struct secret *secret);
/* Put '*' over it wherever it stands in data; of one shorter than 4 bytes
 * nothing, as it would be found everywhere. */
void secret_mask(const struct secret *secret, char *data, size_t len);
/* The same of a part of it: where a text was cut, head may end with its
 * beginning, and tail begin with its end. */
void secret_mask_cut(const struct secret *secret, char *head, size_t head_len,
    char *tail, size_t tail_len);

#endif
