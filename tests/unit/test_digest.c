/*
 * Digests against the vectors of their standards.
 * covers: P9, P11
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/digest.h"

static void
sha256_is_that_of_fips_180(void **state)
{
	struct digest digest;

	digest_of(bytes_of(""), &digest);
	assert_string_equal(digest.hex,
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
	    "5");
	digest_of(bytes_of(NULL), &digest);
	assert_int_equal(digest.hex[0], 'e');
	digest_of(bytes_of("abc"), &digest);
	assert_string_equal(digest.hex,
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"
	    "d");
}

/* The trees of RFC 6962's reference implementation: empty leaf, and node. */
static void
leaves_and_nodes_are_those_of_rfc_6962(void **state)
{
	unsigned char leaf[DIGEST_RAW], other[DIGEST_RAW], node[DIGEST_RAW];
	struct bytes left = {leaf, DIGEST_RAW}, right = {other, DIGEST_RAW};
	struct digest digest;

	digest_node(0x00, bytes_of(""), bytes_of(""), leaf);
	digest_to_hex(leaf, &digest);
	assert_string_equal(digest.hex,
	    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01"
	    "d");
	digest_node(0x00, (struct bytes){"\0", 1}, bytes_of(""), other);
	digest_node(0x01, left, right, node);
	digest_to_hex(node, &digest);
	assert_string_equal(digest.hex,
	    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c12"
	    "5");
}

static void
hex_is_read_back_and_nothing_else_is(void **state)
{
	static const char *const wrong[] = {"", "ab",
	    "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F2001"
	    "5AD",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2001"
	    "5a",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2001"
	    "5add",
	    "ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2001"
	    "5ad",
	    " a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2001"
	    "5ad"};
	unsigned char raw[DIGEST_RAW], back[DIGEST_RAW];
	struct digest digest;

	digest_raw(bytes_of("abc"), raw);
	digest_to_hex(raw, &digest);
	assert_int_equal(digest_from_hex(digest.hex, back), 0);
	assert_memory_equal(raw, back, DIGEST_RAW);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(digest_from_hex(wrong[i], back), -1);
	assert_memory_equal(raw, back, DIGEST_RAW);
}

/* RFC 4231 cases 1 and 2; RFC 2202 case 2 for the one use of SHA-1. */
static void
hmac_is_that_of_the_rfcs(void **state)
{
	unsigned char sha1[DIGEST_SHA1_RAW];
	struct digest digest;
	char key[20];

	memset(key, 0x0b, sizeof(key));
	digest_keyed((struct bytes){key, 20}, bytes_of("Hi There"), &digest);
	assert_string_equal(digest.hex,
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff"
	    "7");
	digest_keyed(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"),
	    &digest);
	assert_string_equal(digest.hex,
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec384"
	    "3");
	digest_keyed(bytes_of(NULL), bytes_of(NULL), &digest);
	assert_string_equal(digest.hex,
	    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5a"
	    "d");
	digest_hmac_sha1(
	    bytes_of("Jefe"), bytes_of("what do ya want for nothing?"), sha1);
	assert_memory_equal(sha1,
	    "\xef\xfc\xdf\x6a\xe5\xeb\x2f\xa2\xd2\x74\x16\xd5\xf1\x84\xdf\x9c"
	    "\x25\x9a\x7c\x79",
	    20);
}

static void
base64_is_that_of_rfc_4648(void **state)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="},
	    {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		buf_reset(&out);
		digest_base64(&out, bytes_of(pairs[i][0]));
		assert_string_equal(buf_str(&out), pairs[i][1]);
		buf_reset(&out);
		assert_int_equal(
		    digest_unbase64(&out, pairs[i][1], strlen(pairs[i][1])), 0);
		assert_string_equal(buf_str(&out), pairs[i][0]);
	}
	buf_free(&out);
}

static void
base64_of_every_length_comes_back(void **state)
{
	struct buf text = BUF_INIT, back = BUF_INIT;
	unsigned char raw[300];

	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (unsigned char)(i * 7);
	for (size_t len = 0; len <= sizeof(raw); len++) {
		buf_reset(&text);
		buf_reset(&back);
		digest_base64(&text, (struct bytes){raw, len});
		assert_int_equal(text.len, (len + 2) / 3 * 4);
		/* as a file has it: in lines */
		if (text.len > 10) {
			buf_puts(&text, "\r\n");
			memmove(text.data + 9, text.data + 7, text.len - 9);
			memcpy(text.data + 7, " \n", 2);
		}
		assert_int_equal(
		    digest_unbase64(&back, text.data, text.len), 0);
		assert_int_equal(back.len, len);
		if (len > 0)
			assert_memory_equal(back.data, raw, len);
	}
	buf_free(&text);
	buf_free(&back);
}

static void
what_is_no_base64_is_refused_and_leaves_nothing(void **state)
{
	static const char *const wrong[] = {"Z", "Zg", "Zg=", "Zg===", "=",
	    "====", "Z===", "Zm=v", "Z=9v", "Zg==Zg==", "Zg==x", "Zm9v!",
	    "Zm9\x80", "Zm9v-_-_", "Zh==", "Zm9=", "Zm9v===="};
	struct buf out = BUF_INIT;

	buf_puts(&out, "kept");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (digest_unbase64(&out, wrong[i], strlen(wrong[i])) != -1)
			fail_msg("'%s' was taken", wrong[i]);
		assert_string_equal(buf_str(&out), "kept");
	}
	assert_int_equal(digest_unbase64(&out, "Zm\0v", 4), -1);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256_is_that_of_fips_180),
	    cmocka_unit_test(leaves_and_nodes_are_those_of_rfc_6962),
	    cmocka_unit_test(hex_is_read_back_and_nothing_else_is),
	    cmocka_unit_test(hmac_is_that_of_the_rfcs),
	    cmocka_unit_test(base64_is_that_of_rfc_4648),
	    cmocka_unit_test(base64_of_every_length_comes_back),
	    cmocka_unit_test(what_is_no_base64_is_refused_and_leaves_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
