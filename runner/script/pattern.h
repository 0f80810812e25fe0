/*
 * The matcher of Lua's patterns, between pattern.c and strings.c: like the
 * stock one, but every step is paid from the job's budget.
 */
#ifndef HOSHU_SCRIPT_PATTERN_H
#define HOSHU_SCRIPT_PATTERN_H

#include "script/inside.h"

enum { PATTERN_CAPTURES = 32 };
/* lengths of captures that are no text */
enum { CAP_OPEN = -1, CAP_PLACE = -2 };

struct matcher {
	lua_State *L;
	const char *text, *text_end;
	const char *pattern, *pattern_end;
	int64_t steps; /* not yet paid */
	int depth;
	int level; /* captures */
	struct {
		const char *at;
		ptrdiff_t len;
	} captures[PATTERN_CAPTURES];
};

/* The end of the match of pattern p at s, or NULL. Raises. */
const char *pattern_match_at(struct matcher *m, const char *s, const char *p);

#endif
