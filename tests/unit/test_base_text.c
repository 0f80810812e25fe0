/*
 * Text of base/: cleansing, UTF-8, near words, numbers, quoting.
 * covers: P11
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/quote.h"
#include "base/text.h"
#include "table.h"

static size_t
encode(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static void
every_character_decodes_to_itself_and_no_other_does(void **state)
{
	char text[4];
	uint32_t code;
	size_t len;

	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		bool surrogate = c >= 0xd800 && c <= 0xdfff;

		len = encode(c, text);
		code = 0;
		assert_int_equal(
		    text_decode(text, len, &code), surrogate ? 0 : len);
		assert_int_equal(code, surrogate ? 0 : c);
		/* cut short, it is none */
		if (len > 1)
			assert_int_equal(text_decode(text, len - 1, &code), 0);
	}
}

static void
overlong_and_broken_utf8_is_refused(void **state)
{
	static const char *const wrong[] = {"\x80", "\xbf", "\xc0\x80",
	    "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80",
	    "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
	    "\xf8\x88\x80\x80\x80", "\xed\xa0\x80", "\xed\xbf\xbf", "\xfe",
	    "\xff", "\xe6\x97", "\xe6\x97\x41", "a\xc3"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (text_is_utf8(wrong[i], strlen(wrong[i])))
			fail_msg("wrong[%zu] passed", i);
	assert_true(text_is_utf8("", 0));
	assert_true(text_is_utf8("a\0b", 3));
	assert_true(text_is_utf8("\xf4\x8f\xbf\xbf", 4));
	assert_int_equal(text_utf8_prefix("ab\xc3\xa9\xff", 5), 4);
}

static bool
steers_a_terminal(const char *text, size_t len, bool one_line)
{
	uint32_t code = 0;
	size_t step;

	for (size_t at = 0; at < len; at += step) {
		step = text_decode(text + at, len - at, &code);
		if (step == 0)
			return true;
		if (text_is_unsafe(code) &&
		    (one_line || (code != '\n' && code != '\t')))
			return true;
	}
	return false;
}

static void
nothing_that_steers_a_terminal_gets_through(void **state)
{
	char text[8], out[64];
	struct buf buf = BUF_INIT;
	size_t len;

	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			text[0] = (char)a;
			text[1] = (char)b;
			len = text_cleanse(out, sizeof(out), text, 2);
			assert_false(steers_a_terminal(out, len, false));
			assert_int_equal(strlen(out), len);
			buf_reset(&buf);
			text_cleanse_to(&buf, text, 2, true);
			assert_false(
			    steers_a_terminal(buf.data, buf.len, true));
		}
	}
	for (uint32_t code = 0x80; code <= 0x10ffff; code++) {
		len = encode(code, text);
		len = text_cleanse(out, sizeof(out), text, len);
		assert_false(steers_a_terminal(out, len, false));
	}
	buf_free(&buf);
}

/* Each kind by hand, so that the table of unsafe codes itself is tested. */
static void
what_is_cleansed_can_still_be_read(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
	    {"plain \xe6\x97\xa5\xe6\x9c\xac \xc3\xa9 \xf0\x9f\x90\x8d",
		"plain \xe6\x97\xa5\xe6\x9c\xac \xc3\xa9 "
		"\xf0\x9f\x90\x8d"},
	    {"a\tb\nc", "a\tb\nc"},
	    {"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"},
	    {"bell\a back\b del\x7f", "bell\\x07 back\\x08 del\\x7f"},
	    {"over\rwrite", "over\\x0dwrite"},
	    {"\xc2\x9b"
	     "31m",
		"\\u{009b}31m"},
	    {"\x9b"
	     "31m",
		"\\x9b31m"},
	    {"\xe2\x80\xae"
	     "lru",
		"\\u{202e}lru"},
	    {"\xe2\x81\xa6x\xe2\x81\xa9", "\\u{2066}x\\u{2069}"},
	    {"\xd8\x9c", "\\u{061c}"},
	    {"a\xe2\x80\xa8"
	     "b",
		"a\\u{2028}b"},
	    {"\xe2\x80\x8f", "\\u{200f}"},
	    {"\xef\xbb\xbf", "\\u{feff}"},
	    {"\xf3\xa0\x81\x81", "\\u{e0041}"},
	    {"\xc0\x80", "\\xc0\\x80"},
	    {"\xff", "\\xff"},
	};
	char out[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text_cleanse(
		    out, sizeof(out), cases[i].from, strlen(cases[i].from));
		assert_string_equal(out, cases[i].to);
	}
	text_cleanse(out, sizeof(out), "a\0b", 3);
	assert_string_equal(out, "a\\x00b");
}

static void
cleansing_cuts_between_characters(void **state)
{
	static const char text[] = "ab\xe6\x97\xa5\x1b";
	char out[16];

	for (size_t size = 0; size < sizeof(out); size++) {
		size_t len, want;

		memset(out, 'z', sizeof(out));
		len = text_cleanse(out, size, text, strlen(text));
		want = size >= 10  ? 9
		       : size >= 6 ? 5
		       : size >= 3 ? 2
		       : size >= 1 ? size - 1
				   : 0;
		assert_int_equal(len, want);
		if (size > 0)
			assert_int_equal(out[len], '\0');
		assert_int_equal(out[size < 16 ? size : 15], 'z');
	}
}

static void
one_line_shows_line_ends(void **state)
{
	struct buf buf = BUF_INIT;

	text_cleanse_to(&buf, "a\nb\tc", 5, true);
	assert_string_equal(buf_str(&buf), "a\\nb\\tc");
	buf_reset(&buf);
	text_cleanse_to(&buf, "a\nb\tc", 5, false);
	assert_string_equal(buf_str(&buf), "a\nb\tc");
	buf_free(&buf);
}

static void
an_error_never_carries_an_escape(void **state)
{
	struct err err = ERR_INIT;
	char text[9000];

	assert_int_equal(
	    err_at(&err, ERR_PLAN, (struct place){"p\x1b.yml", 3, 4},
		"key '%s'", "\x1b]0;x\a"),
	    -ERR_PLAN);
	assert_string_equal(err.text, "p\\x1b.yml:3:4: key '\\x1b]0;x\\x07'");
	memset(text, '\x1b', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_PLAN, "%s", text);
	assert_true(strlen(err.text) < sizeof(err.text));
	assert_false(steers_a_terminal(err.text, strlen(err.text), false));
}

static void
width_counts_columns(void **state)
{
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
	assert_int_equal(text_width("\xef\xbd\xb1"), 1); /* half-width kana */
	assert_int_equal(text_width("e\xcc\x81"), 1);	 /* combining */
	assert_int_equal(text_width("\xf0\x9f\x90\x8d"), 2);
	assert_int_equal(text_width("\xff"), 1);
}

static void
padding_counts_columns_too(void **state)
{
	const char *done = "\xe5\xae\x8c\xe4\xba\x86"; /* two kanji */
	char line[32];

	(void)state;
	snprintf(line, sizeof(line), "%-*s|", text_pad("done", 6), "done");
	assert_string_equal(line, "done  |");
	snprintf(line, sizeof(line), "%-*s|", text_pad(done, 6), done);
	assert_string_equal(line, "\xe5\xae\x8c\xe4\xba\x86  |");
	snprintf(line, sizeof(line), "%-*s|", text_pad(done, 2), done);
	assert_string_equal(line, "\xe5\xae\x8c\xe4\xba\x86|");
}

static void
near_words_are_found(void **state)
{
	static const char *const words[] = {"state", "name", "service",
	    "package", "when", "notify", "rollback", "timeout"};
	struct table table;
	const char *near;
	char big[5000];

	table_open(&table, "text_near.txt", " -> ");
	while (table_next(&table)) {
		near = text_near(table.column[0], words, 8);
		if (strcmp(near != NULL ? near : "-", table.column[1]) != 0)
			fail_msg("text_near.txt:%d: got %s", table.line,
			    near != NULL ? near : "-");
	}
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_null(text_near(big, words, 8));
	assert_null(text_near("", words, 8));
	assert_null(text_near("state", words, 0));
}

static void
durations_need_a_unit_and_an_end(void **state)
{
	struct buf again = BUF_INIT;
	struct table table;
	int64_t ms;
	bool good;

	table_open(&table, "text_duration.txt", " -> ");
	while (table_next(&table)) {
		ms = -7;
		good = text_duration(table.column[0], &ms);
		if (good != (strcmp(table.column[1], "-") != 0))
			fail_msg("text_duration.txt:%d: %s", table.line,
			    good ? "taken" : "refused");
		if (!good) {
			assert_int_equal(ms, -7);
			continue;
		}
		assert_int_equal(ms, strtoll(table.column[1], NULL, 10));
		buf_reset(&again);
		text_put_duration(&again, ms);
		assert_string_equal(buf_str(&again), table.column[2]);
	}
	buf_free(&again);
}

static void
integers_are_decimal_and_within_limits(void **state)
{
	static const char *const wrong[] = {"", "-", "+1", "01", "00", "-0",
	    " 1", "1 ", "1x", "0x10", "1e3", "9223372036854775808",
	    "-9223372036854775808", "99999999999999999999999999"};
	int64_t value = 5;
	char big[10001];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (text_int(wrong[i], INT64_MIN, INT64_MAX, &value))
			fail_msg("'%s' was taken", wrong[i]);
	memset(big, '9', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_false(text_int(big, INT64_MIN, INT64_MAX, &value));
	assert_int_equal(value, 5);
	assert_true(text_int("0", 0, 0, &value));
	assert_int_equal(value, 0);
	assert_true(text_int("-9223372036854775807", INT64_MIN, 0, &value));
	assert_true(value == -INT64_MAX);
	assert_true(text_int("9223372036854775807", 0, INT64_MAX, &value));
	assert_true(text_int("65535", 1, 65535, &value));
	assert_false(text_int("65536", 1, 65535, &value));
	assert_false(text_int("0", 1, 65535, &value));
}

static void
times_are_utc_with_milliseconds(void **state)
{
	struct buf buf = BUF_INIT;

	text_put_time(&buf, 1795371600000);
	buf_putc(&buf, ' ');
	text_put_time(&buf, 951782400001); /* 29 February 2000 */
	buf_putc(&buf, ' ');
	text_put_time(&buf, -1);
	assert_string_equal(buf_str(&buf),
	    "2026-11-22T18:20:00.000Z 2000-02-29T00:00:00.001Z "
	    "1969-12-31T23:59:59.999Z");
	buf_free(&buf);
}

/* The shell itself is asked what the quoted word means. */
static void
a_shell_reads_back_what_was_quoted(void **state)
{
	struct buf command = BUF_INIT;
	char text[300], back[300];
	size_t len = 0, got;
	FILE *in;

	for (int round = 0; round < 2; round++) {
		for (int byte = 1; byte < 256; byte++)
			text[len++] = (char)byte;
		memcpy(text + len, "'' \\' $(x) `y` \"z\"\n", 19);
		len += 19;
		buf_reset(&command);
		buf_puts(&command, "printf %s ");
		if (round == 0)
			quote_put(&command, text, len);
		else
			quote_put_readable(&command, text, len);
		in = popen(buf_str(&command), "r");
		assert_non_null(in);
		got = fread(back, 1, sizeof(back), in);
		assert_int_equal(pclose(in), 0);
		assert_int_equal(got, len);
		assert_memory_equal(text, back, len);
		len = 0;
	}
	buf_free(&command);
}

static void
readable_quoting_leaves_harmless_words_alone(void **state)
{
	static const char *const argv[] = {"systemctl", "restart", "a b", "",
	    "it's", "x=1,y:@%+-._/", "*", "~", "a\nb", "\xe6\x97\xa5"};
	struct buf out = BUF_INIT;

	quote_put_argv(&out, argv, sizeof(argv) / sizeof(argv[0]));
	assert_string_equal(buf_str(&out),
	    "systemctl restart 'a b' '' 'it'\\''s' x=1,y:@%+-._/ '*' '~' "
	    "'a\nb' '\xe6\x97\xa5'");
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		every_character_decodes_to_itself_and_no_other_does),
	    cmocka_unit_test(overlong_and_broken_utf8_is_refused),
	    cmocka_unit_test(nothing_that_steers_a_terminal_gets_through),
	    cmocka_unit_test(what_is_cleansed_can_still_be_read),
	    cmocka_unit_test(cleansing_cuts_between_characters),
	    cmocka_unit_test(one_line_shows_line_ends),
	    cmocka_unit_test(an_error_never_carries_an_escape),
	    cmocka_unit_test(width_counts_columns),
	    cmocka_unit_test(padding_counts_columns_too),
	    cmocka_unit_test(near_words_are_found),
	    cmocka_unit_test(durations_need_a_unit_and_an_end),
	    cmocka_unit_test(integers_are_decimal_and_within_limits),
	    cmocka_unit_test(times_are_utc_with_milliseconds),
	    cmocka_unit_test(a_shell_reads_back_what_was_quoted),
	    cmocka_unit_test(readable_quoting_leaves_harmless_words_alone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
