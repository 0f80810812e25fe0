/*
 * Regular expressions: what matches, and what is cut off.
 * covers: P11
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "match/match.h"

/* The result for pattern and subject, or a failed test. */
static enum match_result
run(const char *pattern, const char *flags, const char *subject, size_t len,
    size_t *start, size_t *end)
{
	struct match *match = NULL;
	struct err err = ERR_INIT;
	enum match_result result;

	if (match_compile(pattern, flags, &match, &err) < 0)
		fail_msg("%s", err.text);
	result = match_run(match, subject, len, start, end);
	match_free(match);
	return result;
}

static enum match_result
run_text(const char *pattern, const char *flags, const char *subject)
{
	return run(pattern, flags, subject, strlen(subject), NULL, NULL);
}

static void
patterns_match_and_say_where(void **state)
{
	size_t start = 9, end = 9;

	assert_int_equal(run("b+", "", "abbbc", 5, &start, &end), MATCH_YES);
	assert_int_equal(start, 1);
	assert_int_equal(end, 4);
	assert_int_equal(run("^$", "", "", 0, &start, &end), MATCH_YES);
	assert_int_equal(start, 0);
	assert_int_equal(end, 0);
	assert_int_equal(run("x*", "", NULL, 0, &start, &end), MATCH_YES);
	assert_int_equal(run_text("^ok$", "", "nok"), MATCH_NO);
	/* the range stays one, \K or not */
	assert_int_equal(run("a\\Kb", "", "ab", 2, &start, &end), MATCH_YES);
	assert_int_equal(start, 1);
	assert_int_equal(end, 2);
}

static void
flags_do_what_they_say(void **state)
{
	assert_int_equal(run_text("OK", "", "ok"), MATCH_NO);
	assert_int_equal(run_text("OK", "i", "ok"), MATCH_YES);
	assert_int_equal(run_text("^b", "", "a\nb"), MATCH_NO);
	assert_int_equal(run_text("^b", "m", "a\nb"), MATCH_YES);
	assert_int_equal(run_text("a.b", "", "a\nb"), MATCH_NO);
	assert_int_equal(run_text("a.b", "s", "a\nb"), MATCH_YES);
	assert_int_equal(run_text("a b", "x", "ab"), MATCH_YES);
	assert_int_equal(run_text("\xc3\x89", "i", "\xc3\xa9"), MATCH_YES);
	assert_int_equal(run_text("^.$", "", "\xf0\x9f\x90\x8d"), MATCH_YES);
}

static void
a_wrong_pattern_is_refused_with_its_place(void **state)
{
	struct match *match = NULL;
	struct err err = ERR_INIT;
	char big[5000];

	assert_int_equal(match_compile("a(b", "", &match, &err), -ERR_PLAN);
	assert_string_equal(err.text,
	    "regular expression 'a(b' is wrong at character 4: missing "
	    "closing parenthesis");
	assert_int_equal(match_compile("a", "g", &match, &err), -ERR_PLAN);
	assert_string_equal(err.text,
	    "regular expression flag 'g' is unknown; there are i, m, s and "
	    "x");
	/* \C splits characters */
	assert_int_equal(match_compile("\\C", "", &match, &err), -ERR_PLAN);
	assert_int_equal(match_compile("\xff", "", &match, &err), -ERR_PLAN);
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(match_compile(big, "", &match, &err), -ERR_PLAN);
	memset(big, '(', 4000);
	big[4000] = '\0';
	assert_int_equal(match_compile(big, "", &match, &err), -ERR_PLAN);
	assert_null(match);
	match_free(NULL);
}

/* Each would run for minutes or eat the stack; each ends as "cannot tell". */
static void
expensive_patterns_are_cut_off(void **state)
{
	static const char *const patterns[] = {"^(a+a*)+[.-]", "^(a|aa)+[.-]",
	    "(a*)*(a*)*[.-]", "^((a?){60}){60}[.-]",
	    "(?:(?:a|aa)(?:a|aa))*[.-]"};
	size_t len = 65536;
	char *subject = malloc(len + 1);
	struct timespec from, to;
	enum match_result result;

	memset(subject, 'a', len + 1);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		result = run(patterns[i], "", subject, 200, NULL, NULL);
		if (result != MATCH_LIMIT)
			fail_msg("%s: %d", patterns[i], (int)result);
		assert_int_equal(run(patterns[i], "", subject, len, NULL, NULL),
		    MATCH_LIMIT);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	assert_true(to.tv_sec - from.tv_sec < 5);
	/* recursion without an end */
	assert_int_equal(
	    run("^(a(?1)*|b)*c", "", subject, len, NULL, NULL), MATCH_LIMIT);
	assert_int_equal(run("a", "", subject, len, NULL, NULL), MATCH_YES);
	assert_int_equal(
	    run("a", "", subject, len + 1, NULL, NULL), MATCH_LIMIT);
	free(subject);
}

/* A pattern may lower the limits, never raise them. */
static void
a_pattern_cannot_lift_its_limits(void **state)
{
	char subject[200];

	memset(subject, 'a', sizeof(subject));
	assert_int_equal(run("(*LIMIT_MATCH=4000000000)(*LIMIT_DEPTH="
			     "4000000000)(*LIMIT_HEAP=4000000000)"
			     "^(a+a*)+[.-]",
			     "", subject, sizeof(subject), NULL, NULL),
	    MATCH_LIMIT);
}

static void
subjects_that_are_no_utf8_are_survived(void **state)
{
	char subject[2];

	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			subject[0] = (char)a;
			subject[1] = (char)b;
			assert_int_not_equal(run("(?i)^\\w.|\xc3\xa9", "",
						 subject, 2, NULL, NULL),
			    MATCH_LIMIT);
		}
	}
	assert_int_equal(run("b", "",
			     "\xff\xfe"
			     "b",
			     3, NULL, NULL),
	    MATCH_YES);
	assert_int_equal(run("a\\x00b", "", "a\0b", 3, NULL, NULL), MATCH_YES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(patterns_match_and_say_where),
	    cmocka_unit_test(flags_do_what_they_say),
	    cmocka_unit_test(a_wrong_pattern_is_refused_with_its_place),
	    cmocka_unit_test(expensive_patterns_are_cut_off),
	    cmocka_unit_test(a_pattern_cannot_lift_its_limits),
	    cmocka_unit_test(subjects_that_are_no_utf8_are_survived),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
