/*
 * Framed answers, fed whole, byte by byte and in pieces. covers: P11
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "remote/frame.h"

#define N "0123456789abcdef0123456789abcdef"
#define M "fedcba9876543210fedcba9876543210"

struct sample {
	const char *stream;
	bool opens;
	enum frame_state state;
	const char *body, *status, *rest;
};

static const struct sample samples[] = {
    {"\n" N "<\nhi\n\n" N ">0\n", true, FRAME_ENDED, "hi\n", "0", ""},
    {"\n" N "<\n\n" N ">7\n", true, FRAME_ENDED, "", "7", ""},
    {"motd\nWelcome\n" N "<\nx\n" N ">0\nmore", true, FRAME_ENDED, "x", "0",
	"more"},
    {"no newline before\n" N "<\n\n\n" N ">0\n", true, FRAME_ENDED, "\n", "0",
	""},
    {"err\n\n" N ">\nnext", false, FRAME_ENDED, "err\n", "", "next"},
    {"\n" N ">\n", false, FRAME_ENDED, "", "", ""},
    /* marks of others, broken marks, marks within marks */
    {"\n" N "<\n\n" M ">0\n\n" N ">1\n", true, FRAME_ENDED, "\n" M ">0\n", "1",
	""},
    {"\n" N "<\n\n0123\n" N "x\n\n\n" N ">1\n", true, FRAME_ENDED,
	"\n0123\n" N "x\n\n", "1", ""},
    {"\n" N "<\n" N ">9\n\n" N ">1\n", true, FRAME_ENDED, N ">9\n", "1", ""},
    {"\n" N "<x\n" N "<\nbody\n" N ">1\n", true, FRAME_ENDED, "body", "1", ""},
    {"\n" N "<\nbody\n" N "<\n\n" N ">1\n", true, FRAME_ENDED, "body\n" N "<\n",
	"1", ""},
    /* an end before the beginning is none */
    {"\n" N ">0\n\n" N "<\nb\n" N ">2\n", true, FRAME_ENDED, "b", "2", ""},
    /* not there yet */
    {"\n" N "<\nsome", true, FRAME_BODY, "some", "", ""},
    {"\n" N "<\nsome\n" N ">12", true, FRAME_STATUS, "some", "12", ""},
    {"\n" N, true, FRAME_CLOSED, "", "", ""},
    {"\n" N "<\n\n" N ">0\x1b\n", true, FRAME_BAD, "", "0", "\n"},
};

static void
feed_in_pieces(const struct sample *sample, size_t piece)
{
	struct frame frame;
	size_t len = strlen(sample->stream), at = 0;

	frame_start(&frame, N, sample->opens);
	while (at < len) {
		size_t here = len - at < piece ? len - at : piece;
		size_t used = frame_feed(&frame, sample->stream + at, here);

		at += used;
		if (used < here || frame.state == FRAME_ENDED ||
		    frame.state == FRAME_BAD)
			break;
	}
	assert_int_equal(frame.state, sample->state);
	assert_string_equal(buf_str(&frame.body), sample->body);
	assert_int_equal(frame.size, strlen(sample->body));
	assert_string_equal(frame.status, sample->status);
	assert_string_equal(sample->stream + at, sample->rest);
	frame_free(&frame);
}

static void
an_answer_is_found_however_it_comes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (size_t piece = 1; piece < 100; piece++)
			feed_in_pieces(&samples[i], piece);
}

static void
of_a_long_body_the_tail_is_kept(void **state)
{
	enum { PIECES = 1000, PIECE = 997 };
	struct frame frame;
	struct bytes tail;
	char piece[PIECE];
	size_t total = 0;

	(void)state;
	frame_start(&frame, N, true);
	frame_feed(&frame, "\n" N "<\n", 35);
	for (int i = 0; i < PIECES; i++) {
		for (size_t k = 0; k < PIECE; k++, total++)
			piece[k] = (char)('a' + total % 23);
		assert_int_equal(frame_feed(&frame, piece, PIECE), PIECE);
		assert_true(frame.body.cap <= 4 * FRAME_TAIL);
	}
	frame_feed(&frame, "\n" N ">0\n", 36);
	assert_int_equal(frame.state, FRAME_ENDED);
	assert_int_equal(frame.size, total);
	tail = frame_tail(&frame);
	assert_int_equal(tail.len, FRAME_TAIL);
	for (size_t k = 0; k < FRAME_TAIL; k++)
		assert_int_equal(((const char *)tail.data)[k],
		    'a' + (total - FRAME_TAIL + k) % 23);
	frame_free(&frame);
}

static void
a_status_without_end_is_bad(void **state)
{
	struct frame frame;
	char digits[300];

	(void)state;
	memset(digits, '1', sizeof(digits));
	frame_start(&frame, N, false);
	frame_feed(&frame, "\n" N ">", 34);
	assert_int_equal(frame.state, FRAME_STATUS);
	assert_true(frame_feed(&frame, digits, sizeof(digits)) < 300);
	assert_int_equal(frame.state, FRAME_BAD);
	frame_free(&frame);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_answer_is_found_however_it_comes),
	    cmocka_unit_test(of_a_long_body_the_tail_is_kept),
	    cmocka_unit_test(a_status_without_end_is_bad),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
