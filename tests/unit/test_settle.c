/*
 * A person's word on an unknown step: one form, and whatever is changed in the
 * record or in the text, it is not that word any more.
 * covers: P4, P9
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "approval/settle.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct settle word = {
    .change = 7,
    .title = "Patch OpenSSL",
    .digest = HEX64,
    .host = "web3",
    .step = 2,
    .step_name = "Restart nginx",
    .undo = false,
    .xid = "00112233445566778899aabbccddeeff",
    .outcome = "done",
    .by = {.because = "it runs since 10:42",
	.person = "alice",
	.nonce = "fedcba98fedcba98fedcba98fedcba98",
	.at_ms = 1700000000123},
};

static void
it_has_one_form(void **state)
{
	struct settle odd = word;
	struct buf text = BUF_INIT;

	settle_write(&text, &word);
	assert_string_equal(buf_str(&text),
	    "hoshu-settle/1\n"
	    "change: CHG-0007\n"
	    "title: Patch OpenSSL\n"
	    "digest: sha256 " HEX64 "\n"
	    "host: web3\n"
	    "step: 2 Restart nginx\n"
	    "direction: apply\n"
	    "launch: 00112233445566778899aabbccddeeff\n"
	    "outcome: done\n"
	    "because: it runs since 10:42\n"
	    "person: alice\n"
	    "at: 2023-11-14T22:13:20.123Z\n"
	    "nonce: fedcba98fedcba98fedcba98fedcba98\n");
	/* no text begins a line of its own, none steers a terminal */
	odd.by.because = "x\noutcome: not-done\x1b[2J";
	buf_reset(&text);
	settle_write(&text, &odd);
	assert_null(strstr(buf_str(&text), "\noutcome: not-done"));
	assert_null(strchr(buf_str(&text), '\x1b'));
	buf_free(&text);
}

/* What the columns say, as whoever reads the journal knows it. */
static struct settle
known(void)
{
	struct settle said = {
	    .change = word.change,
	    .title = word.title,
	    .digest = word.digest,
	    .host = word.host,
	    .step = word.step,
	    .step_name = word.step_name,
	    .xid = word.xid,
	};

	return said;
}

static void
it_is_held_against_its_record(void **state)
{
	struct arena *arena = arena_new();
	struct json *body = word_sign(arena, settle_body(arena, &word),
	    (struct bytes){"SIG", 3}, "SHA256:x");
	static const char *const keys[] = {
	    "because", "nonce", "outcome", "person", "statement"};
	struct settle said = known();

	assert_true(settle_take(&said, body));
	assert_string_equal(said.by.person, "alice");
	assert_string_equal(said.outcome, "done");
	assert_int_equal(said.by.at_ms, word.by.at_ms);

	/* of another change, host, step or launch */
#define WRONG(field, value)                                                    \
	do {                                                                   \
		said = known();                                                \
		said.field = value;                                            \
		assert_false(settle_take(&said, body));                        \
	} while (0)
	WRONG(change, 8);
	WRONG(title, "Patch");
	WRONG(digest, "1" HEX64);
	WRONG(host, "web4");
	WRONG(step, 1);
	WRONG(step_name, "Restart");
	WRONG(xid, "00112233445566778899aabbccddeefe");

	/* its body was changed */
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		body = word_sign(arena, settle_body(arena, &word),
		    (struct bytes){"SIG", 3}, "SHA256:x");
		json_put_text(arena, body, keys[i], "not-done");
		said = known();
		assert_false(settle_take(&said, body));
	}
	body = word_sign(arena, settle_body(arena, &word),
	    (struct bytes){"SIG", 3}, "SHA256:x");
	json_put_bool(arena, body, "undo", true);
	said = known();
	assert_false(settle_take(&said, body));
	body = word_sign(arena, settle_body(arena, &word),
	    (struct bytes){"SIG", 3}, "SHA256:x");
	json_put_int(arena, body, "at_ms", word.by.at_ms + 1);
	said = known();
	assert_false(settle_take(&said, body));
	arena_free(arena);
}

static void
an_outcome_is_one_of_two(void **state)
{
	struct arena *arena = arena_new();
	struct settle odd = word, said = known();
	struct json *body;

	odd.outcome = "perhaps";
	body = word_sign(arena, settle_body(arena, &odd),
	    (struct bytes){"SIG", 3}, "SHA256:x");
	assert_false(settle_take(&said, body));
	odd.outcome = "not-done";
	body = word_sign(arena, settle_body(arena, &odd),
	    (struct bytes){"SIG", 3}, "SHA256:x");
	said = known();
	assert_true(settle_take(&said, body));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_has_one_form),
	    cmocka_unit_test(it_is_held_against_its_record),
	    cmocka_unit_test(an_outcome_is_one_of_two),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
