/*
 * Regular expressions over pcre2. Both the pattern and the subject may be
 * hostile, so each call has limits on work, depth and memory, and nothing is
 * compiled to machine code.
 */
#include "match/match.h"
#include "base/arena.h"
#include "base/i18n.h"

#include <pcre2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	MATCH_WORK = 100000,
	MATCH_DEPTH = 1000,
	MATCH_HEAP_KIB = 4096,
	MATCH_SUBJECT = 65536,
	MATCH_PATTERN = 4096,
	MATCH_PARENS = 100,
};

struct match {
	pcre2_code *code;
	pcre2_match_context *limits;
};

static int
read_flags(const char *flags, uint32_t *options, struct err *err)
{
	for (const char *p = flags; *p != '\0'; p++) {
		switch (*p) {
		case 'i':
			*options |= PCRE2_CASELESS;
			break;
		case 'm':
			*options |= PCRE2_MULTILINE;
			break;
		case 's':
			*options |= PCRE2_DOTALL;
			break;
		case 'x':
			*options |= PCRE2_EXTENDED;
			break;
		default:
			return err_set(err, ERR_PLAN,
			    _("regular expression flag '%c' is unknown; there "
			      "are i, m, s and x"),
			    *p);
		}
	}
	return 0;
}

static pcre2_match_context *
make_limits(void)
{
	pcre2_match_context *limits = pcre2_match_context_create(NULL);

	if (limits == NULL)
		out_of_memory(0);
	pcre2_set_match_limit(limits, MATCH_WORK);
	pcre2_set_depth_limit(limits, MATCH_DEPTH);
	pcre2_set_heap_limit(limits, MATCH_HEAP_KIB);
	return limits;
}

static int
compile(
    const char *pattern, uint32_t options, pcre2_code **code, struct err *err)
{
	pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
	size_t len = strlen(pattern), at = 0;
	char why[256];
	int number = 0;

	if (limits == NULL)
		out_of_memory(0);
	pcre2_set_parens_nest_limit(limits, MATCH_PARENS);
	*code = pcre2_compile(
	    (PCRE2_SPTR)pattern, len, options, &number, &at, limits);
	pcre2_compile_context_free(limits);
	if (*code != NULL)
		return 0;
	if (number == PCRE2_ERROR_HEAP_FAILED)
		out_of_memory(0);
	if (pcre2_get_error_message(number, (PCRE2_UCHAR *)why, sizeof(why)) <
	    0)
		why[0] = '\0';
	return err_set(err, ERR_PLAN,
	    _("regular expression '%s' is wrong at character %zu: %s"), pattern,
	    at + 1, why);
}

int
match_compile(
    const char *pattern, const char *flags, struct match **out, struct err *err)
{
	/* \C would split characters; a lookbehind with it reads outside */
	uint32_t options =
	    PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_MATCH_INVALID_UTF;
	struct match *match;
	pcre2_code *code;
	int r;

	if (strlen(pattern) > MATCH_PATTERN)
		return err_set(err, ERR_PLAN,
		    _("a regular expression of %zu bytes is too long; %d are "
		      "allowed"),
		    strlen(pattern), MATCH_PATTERN);
	r = read_flags(flags, &options, err);
	if (r < 0)
		return r;
	r = compile(pattern, options, &code, err);
	if (r < 0)
		return r;
	match = xcalloc(1, sizeof(*match));
	match->code = code;
	match->limits = make_limits();
	*out = match;
	return 0;
}

enum match_result
match_run(const struct match *match, const char *subject, size_t len,
    size_t *start, size_t *end)
{
	enum match_result result = MATCH_LIMIT;
	pcre2_match_data *data;
	int r;

	if (len > MATCH_SUBJECT)
		return MATCH_LIMIT;
	data = pcre2_match_data_create(1, NULL);
	if (data == NULL)
		out_of_memory(0);
	r = pcre2_match(match->code, (PCRE2_SPTR)(len > 0 ? subject : ""), len,
	    0, 0, data, match->limits);
	if (r == PCRE2_ERROR_NOMEMORY)
		out_of_memory(0);
	if (r >= 0) {
		const size_t *range = pcre2_get_ovector_pointer(data);

		/* before pcre2 10.38 \K in a lookahead could put the
		 * start behind the end */
		if (start != NULL)
			*start = range[0] < range[1] ? range[0] : range[1];
		if (end != NULL)
			*end = range[1];
		result = MATCH_YES;
	} else if (r == PCRE2_ERROR_NOMATCH)
		result = MATCH_NO;
	pcre2_match_data_free(data);
	return result;
}

void
match_free(struct match *match)
{
	if (match == NULL)
		return;
	pcre2_code_free(match->code);
	pcre2_match_context_free(match->limits);
	free(match);
}
