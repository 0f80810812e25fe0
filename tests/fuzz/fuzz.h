/*
 * A fuzz target is one function over bytes, in fuzz_NAME.c. What it must not
 * do: crash, hang, leak, or break one of its fuzz_check()s. What linked it
 * calls it: libFuzzer (make fuzz) or driver.c (make check, make asan).
 */
#ifndef HOSHU_FUZZ_H
#define HOSHU_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes the place of assert(): it holds in every build. */
#define fuzz_check(holds)                                                      \
	do {                                                                   \
		if (!(holds)) {                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n",          \
			    __FILE__, __LINE__, #holds);                       \
			abort();                                               \
		}                                                              \
	} while (0)

/* Takes numbers and pieces off the front of an input; 0 and nothing at its
 * end. */
struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

static inline uint32_t
fuzz_take(struct fuzz_input *in, size_t bytes)
{
	uint32_t value = 0;

	for (; bytes > 0 && in->size > 0; bytes--, in->size--)
		value = value << 8 | *in->data++;
	return value;
}

/* A copy of its own size, so that reading past its end is seen; the caller
 * frees it. */
static inline char *
fuzz_piece(struct fuzz_input *in, size_t *len)
{
	char *copy;

	if (*len > in->size)
		*len = in->size;
	copy = malloc(*len > 0 ? *len : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, in->data, *len);
	in->data += *len;
	in->size -= *len;
	return copy;
}

#endif
