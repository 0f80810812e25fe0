/*
 * Regular expressions with limits (pcre2; the only user of pcre2.h): match
 * 10^5, depth 1000, heap 4 MiB, subject 64 KiB, no JIT. Patterns come from
 * plans and modules, subjects may come from hosts.
 */
#ifndef HOSHU_MATCH_MATCH_H
#define HOSHU_MATCH_MATCH_H

#include <stddef.h>

#include "base/err.h"

struct match;

enum match_result { MATCH_NO, MATCH_YES, MATCH_LIMIT };

/* Compile; ERR_PLAN with the offset in the pattern when it is wrong. Gives
 * *out; free with match_free. flags: "i", "m", "s", "x" or "". */
int match_compile(const char *pattern, const char *flags, struct match **out,
    struct err *err) MUST_USE;
/* MATCH_LIMIT when a limit was reached: neither yes nor no. start and end (may
 * be NULL) get the byte range of the whole match. */
enum match_result match_run(const struct match *match, const char *subject,
    size_t len, size_t *start, size_t *end);
void match_free(struct match *match);

#endif
