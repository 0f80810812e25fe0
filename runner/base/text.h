/*
 * Text that people wrote or will read: cleansing for a terminal, near words,
 * durations, numbers with limits.
 */
#ifndef HOSHU_BASE_TEXT_H
#define HOSHU_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Copy text so that no byte of it can steer a terminal or syslog: C0 (but
 * \n and \t), DEL, C1, bidi controls and line separators become \xNN or
 * \u{NNNN}; invalid UTF-8 becomes \xNN. Always NUL-terminated; cut at size
 * on a character border. Returns the length written.
 */
size_t text_cleanse(char *out, size_t size, const char *text, size_t len);
/* The same, appended to a buffer. one_line also turns \n and \t into \n \t. */
void text_cleanse_to(
    struct buf *out, const char *text, size_t len, bool one_line);

/* Is this well-formed UTF-8 (no surrogates, no overlong forms)? */
bool text_is_utf8(const char *text, size_t len);
/* How many bytes of it are, from the front. */
size_t text_utf8_prefix(const char *text, size_t len);
/* The first character into *code; returns its bytes, 0 when it is none. */
size_t text_decode(const char *text, size_t len, uint32_t *code);
/* Would it harm a terminal? (Of \n and \t: yes; text_cleanse may pass them.) */
bool text_is_unsafe(uint32_t code);
/* Columns that a text takes on a terminal (East Asian wide = 2). */
size_t text_width(const char *text);
/* The N of printf("%-*s") that makes the text take that many columns. */
int text_pad(const char *text, int columns);

/* A hash of it, for tables in memory. */
uint64_t text_hash(const char *text);

/* The word of words[0..count) nearest to word, or NULL when none is near
 * (edit distance above a third of the longer one's length). */
const char *text_near(const char *word, const char *const *words, size_t count);

/* "90s" "10m" "2h" "7d" "250ms" -> ms. false when it is not one, has no
 * unit, or is above 3650 days. */
bool text_duration(const char *text, int64_t *ms);
/* 600000 -> "10m"; the largest unit that keeps it whole. */
void text_put_duration(struct buf *out, int64_t ms);

/* A decimal integer within [min, max], nothing around it; no zeros in front
 * (is 0644 octal? it is refused). */
bool text_int(const char *text, int64_t min, int64_t max, int64_t *value);

/* UTC, RFC 3339 with milliseconds: 2026-11-22T18:20:00.000Z */
void text_put_time(struct buf *out, int64_t wall_ms);

#endif
