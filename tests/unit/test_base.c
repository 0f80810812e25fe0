/*
 * The rest of base/: errors, arenas, buffers, JSON, files, the world.
 * covers: P11
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/world.h"

static void
errors_say_where_and_keep_their_code(void **state)
{
	struct err err = ERR_INIT;

	assert_int_equal(
	    err_at(&err, ERR_PLAN, (struct place){"web.yaml", 14, 9},
		"unknown key '%s'", "stat"),
	    -ERR_PLAN);
	assert_string_equal(err.text, "web.yaml:14:9: unknown key 'stat'");
	assert_int_equal(err_wrap(&err, "plan %d", 7), -ERR_PLAN);
	assert_string_equal(
	    err.text, "plan 7: web.yaml:14:9: unknown key 'stat'");
	assert_int_equal(err_exit_status(err.code), 3);
	assert_string_equal(err_name(ERR_PLAN), "plan");
	err_at(&err, ERR_PLAN, (struct place){"f", 3, 0}, "x");
	assert_string_equal(err.text, "f:3: x");
	err_at(&err, ERR_PLAN, (struct place){"f", 0, 0}, "x");
	assert_string_equal(err.text, "f: x");
	err_at(&err, ERR_PLAN, (struct place){NULL, 3, 3}, "x");
	assert_string_equal(err.text, "x");
	errno = ENOENT;
	assert_int_equal(err_errno(&err, "f"), -ERR_SYSTEM);
	assert_string_equal(err.text, "f: No such file or directory");
	assert_int_equal(err_set(NULL, ERR_USAGE, "x"), -ERR_USAGE);
}

static void
arena_memory_is_zero_aligned_and_apart(void **state)
{
	struct arena *arena = arena_new();
	char *before = NULL, *p;

	for (size_t size = 1; size < 20000; size = size * 2 + 1) {
		p = arena_alloc(arena, size);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
		assert_ptr_not_equal(p, before);
		before = p;
	}
	assert_string_equal(arena_printf(arena, "%s-%d", "a", 5), "a-5");
	assert_string_equal(arena_copy(arena, "abc", 2), "ab");
	arena_free(arena);
	arena_free(NULL);
}

static void
arena_arrays_grow(void **state)
{
	struct arena *arena = arena_new();
	size_t count = 0, cap = 0;
	int *numbers = NULL;

	for (int i = 0; i < 1000; i++)
		*arena_push(arena, numbers, count, cap) = i;
	assert_int_equal(count, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	arena_free(arena);
}

/* covers: P10 */
static void
a_secret_is_masked_wherever_it_stands(void **state)
{
	struct secret *secret;
	char text[] = "sesamesesame open\0sesame sesam", all[] = "sesame";

	(void)state;
	assert_int_equal(secret_new(&secret, NULL), 0);
	memcpy(secret_room(secret), "sesame", 6);
	secret_set_len(secret, 6);
	assert_int_equal(secret_bytes(secret).len, 6);
	secret_mask(secret, text, sizeof(text) - 1);
	assert_memory_equal(
	    text, "************ open\0****** sesam", sizeof(text));
	secret_mask(secret, all, 6);
	assert_string_equal(all, "******");
	secret_mask(secret, all, 0);
	/* of one so short nearly everything would be masked */
	memcpy(all, "ababab", 6);
	memcpy(secret_room(secret), "ab", 2);
	secret_set_len(secret, 2);
	secret_mask(secret, all, 6);
	assert_string_equal(all, "ababab");
	secret_free(secret);
	secret_free(NULL);
}

/* covers: P10 */
static void
what_a_cut_leaves_of_a_secret_is_masked(void **state)
{
	struct secret *secret;
	char head[] = "open sesamopen sesam", tail[] = "samesesame open";
	char far[] = "same sesame", near[] = "ames";

	(void)state;
	assert_int_equal(secret_new(&secret, NULL), 0);
	memcpy(secret_room(secret), "sesame", 6);
	secret_set_len(secret, 6);
	secret_mask_cut(secret, head, 20, tail, 15);
	assert_string_equal(head, "open sesamopen *****");
	assert_string_equal(tail, "****sesame open");
	/* three letters of it are found everywhere; there may be no head */
	secret_mask_cut(secret, NULL, 0, near, 4);
	assert_string_equal(near, "ames");
	secret_mask_cut(secret, far, 11, near, 0);
	assert_string_equal(far, "same sesame");
	secret_free(secret);
}

static void
a_full_buffer_drops_whole_pieces_and_says_so(void **state)
{
	struct buf buf = BUF_LIMIT(5);

	assert_string_equal(buf_str(&buf), "");
	buf_puts(&buf, "abc");
	buf_puts(&buf, "def");
	assert_true(buf.full);
	assert_string_equal(buf_str(&buf), "abc");
	buf_printf(&buf, "%d", 12);
	assert_string_equal(buf_str(&buf), "abc12");
	buf_eat(&buf, 2);
	assert_string_equal(buf_str(&buf), "c12");
	buf_reset(&buf);
	assert_false(buf.full);
	buf_put_u32(&buf, 0x01020304);
	assert_memory_equal(buf.data, "\1\2\3\4", 4);
	buf_free(&buf);
	assert_int_equal(buf.max, 5);
	buf_wipe(&buf);
}

static void
assert_json(struct arena *arena, const char *text, const char *want)
{
	struct buf out = BUF_INIT;
	struct json *value = NULL;
	struct err err = ERR_INIT;

	if (json_parse(arena, text, strlen(text), "t", &value, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	json_write(&out, value);
	assert_string_equal(buf_str(&out), want);
	buf_free(&out);
}

static void
json_is_written_as_rfc_8785_says(void **state)
{
	struct arena *arena = arena_new();
	struct buf out = BUF_INIT;
	char all[128];

	assert_json(arena, " { \"b\" : [ 1 , -2 , true , null ] , \"a\" : {} }",
	    "{\"a\":{},\"b\":[1,-2,true,null]}");
	assert_json(arena, "\"\\u0041\\/\\u00e9\\ud83d\\udc0d\\u2028\"",
	    "\"A/\xc3\xa9\xf0\x9f\x90\x8d\xe2\x80\xa8\"");
	assert_json(arena, "{\"a\":1,\"B\":2,\"_\":3,\"aa\":4,\"\":5}",
	    "{\"\":5,\"B\":2,\"_\":3,\"a\":1,\"aa\":4}");
	/* UTF-16 order: U+1F40D (d83d...) before U+FB33; the RFC's own trap */
	assert_json(arena,
	    "{\"\xef\xac\xb3\":1,\"\xf0\x9f\x90\x8d\":2,\"\xc3\xb6\":3}",
	    "{\"\xc3\xb6\":3,\"\xf0\x9f\x90\x8d\":2,\"\xef\xac\xb3\":1}");
	for (int i = 0; i < 128; i++)
		all[i] = (char)i;
	json_write(&out, json_text_len(arena, all, 0x24));
	assert_string_equal(buf_str(&out),
	    "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t"
	    "\\n\\u000b\\f\\r\\u000e\\u000f\\u0010\\u0011\\u0012\\u0013\\u0014"
	    "\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d"
	    "\\u001e\\u001f !\\\"#\"");
	buf_reset(&out);
	json_write(&out, json_text_len(arena, "/\\\x7f", 3));
	assert_string_equal(buf_str(&out), "\"/\\\\\x7f\"");
	buf_free(&out);
	arena_free(arena);
}

static void
json_survives_its_own_bytes(void **state)
{
	struct arena *arena = arena_new();
	struct json *value = json_map(arena), *back = NULL;
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	char text[128];

	for (int i = 0; i < 128; i++)
		text[i] = (char)i;
	json_put(arena, value, "all", json_text_len(arena, text, 128));
	json_put_int(arena, value, "most", (int64_t)1 << 53);
	json_put_int(arena, value, "least", -((int64_t)1 << 53));
	json_put_bool(arena, value, "no", false);
	json_put(arena, value, "nothing", json_null(arena));
	json_add(arena, json_put(arena, value, "list", json_list(arena)),
	    json_text(arena, "\xe2\x80\xae"));
	json_write(&out, value);
	assert_int_equal(
	    json_parse(arena, out.data, out.len, "t", &back, &err), 0);
	assert_true(json_equal(value, back));
	buf_reset(&out);
	json_write_pretty(&out, value);
	assert_true(text_is_utf8(out.data, out.len));
	assert_null(strstr(out.data, "\xe2\x80\xae"));
	assert_non_null(strstr(out.data, "\\u202e"));
	assert_non_null(strstr(out.data, "\\u007f"));
	assert_int_equal(
	    json_parse(arena, out.data, out.len, "t", &back, &err), 0);
	assert_true(json_equal(value, back));
	buf_free(&out);
	arena_free(arena);
}

static void
json_for_people_is_indented(void **state)
{
	struct arena *arena = arena_new();
	struct json *map = json_map(arena);
	struct buf out = BUF_INIT;

	json_put_text(arena, map, "b", "x");
	json_put(arena, map, "a", json_list(arena));
	json_add(arena, (struct json *)json_get(map, "a"), json_int(arena, 1));
	json_put(arena, map, "c", json_map(arena));
	json_write_pretty(&out, map);
	assert_string_equal(buf_str(&out),
	    "{\n  \"b\": \"x\",\n  \"a\": [\n    1\n  ],\n  \"c\": {}\n}");
	buf_free(&out);
	arena_free(arena);
}

static void
json_maps_replace_and_answer(void **state)
{
	struct arena *arena = arena_new();
	struct json *map = json_map(arena), *other = json_map(arena);

	json_put_int(arena, map, "a", 1);
	json_put_text(arena, map, "b", "x");
	json_put_int(arena, map, "a", 2);
	assert_int_equal(map->count, 2);
	assert_int_equal(json_get_int(map, "a", 9), 2);
	assert_int_equal(json_get_int(map, "b", 9), 9);
	assert_string_equal(json_get_text(map, "b", "-"), "x");
	assert_string_equal(json_get_text(map, "c", "-"), "-");
	assert_true(json_get_bool(map, "a", true));
	assert_null(json_get(NULL, "a"));
	assert_null(json_get(json_get(map, "a"), "a"));
	json_put_text(arena, other, "b", "x");
	json_put_int(arena, other, "a", 2);
	assert_true(json_equal(map, other));
	json_put_int(arena, other, "a", 3);
	assert_false(json_equal(map, other));
	assert_false(json_equal(map, json_list(arena)));
	arena_free(arena);
}

static void
wrong_json_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
	    {"", "not JSON"},
	    {"{", "not JSON"},
	    {"{\"a\":1,\"a\":2}", "not JSON: duplicate object key"},
	    {"1.5", "1.5 is no integer"},
	    {"[1e3]", "1000 is no integer"},
	    {"9007199254740993", "beyond 2^53"},
	    {"-9007199254740993", "beyond 2^53"},
	    {"99999999999999999999", "not JSON: too big integer"},
	    {"\"\xff\"", "not JSON"},
	    {"\"\\ud800\"", "not JSON"},
	    {"[1] x", "not JSON"},
	    {"[1,]", "not JSON"},
	    {"{\"\\u0000\":1}", "not JSON"},
	    {"nul", "not JSON"},
	    {"'a'", "not JSON"},
	};
	struct arena *arena = arena_new();
	struct json *value;
	struct err err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		value = NULL;
		err = (struct err)ERR_INIT;
		assert_int_equal(
		    json_parse(arena, cases[i].text, strlen(cases[i].text),
			"facts of web1", &value, &err),
		    -ERR_PLAN);
		assert_null(value);
		if (strstr(err.text, cases[i].why) == NULL ||
		    strncmp(err.text, "facts of web1", 13) != 0)
			fail_msg("%s: %s", cases[i].text, err.text);
	}
	arena_free(arena);
}

static void
json_has_limits(void **state)
{
	struct arena *arena = arena_new();
	size_t big = ((size_t)16 << 20) + 1;
	struct json *value = NULL;
	struct err err = ERR_INIT;
	char *text = malloc(big);

	memset(text, '[', big);
	assert_true(json_parse(arena, text, 50000, "t", &value, &err) < 0);
	assert_string_equal(
	    err.text, "t: JSON is nested deeper than 64 levels");
	memset(text + 64, ']', 64);
	assert_int_equal(json_parse(arena, text, 128, "t", &value, &err), 0);
	memset(text, ',', big);
	assert_true(json_parse(arena, text, 2000000, "t", &value, &err) < 0);
	assert_string_equal(err.text, "t: JSON has more than 1000000 values");
	memset(text, ' ', big);
	assert_true(json_parse(arena, text, big, "t", &value, &err) < 0);
	assert_non_null(strstr(err.text, "more than the 16777216 allowed"));
	/* brackets in texts are no depth */
	memset(text, '[', 200);
	text[0] = text[199] = '"';
	text[100] = '\\';
	text[101] = '"';
	assert_int_equal(json_parse(arena, text, 200, "t", &value, &err), 0);
	assert_int_equal(value->len, 197);
	free(text);
	arena_free(arena);
}

static void
json_with_many_keys_costs_no_square(void **state)
{
	struct arena *arena = arena_new();
	struct buf text = BUF_INIT, out = BUF_INIT;
	struct json *value = NULL;
	struct err err = ERR_INIT;

	buf_putc(&text, '{');
	for (int i = 0; i < 200000; i++)
		buf_printf(&text, "%s\"k%d\":%d", i > 0 ? "," : "", i, i);
	buf_putc(&text, '}');
	assert_int_equal(
	    json_parse(arena, text.data, text.len, "t", &value, &err), 0);
	assert_int_equal(value->count, 200000);
	json_write(&out, value);
	assert_int_equal(out.len, text.len);
	buf_free(&text);
	buf_free(&out);
	arena_free(arena);
}

static void
files_are_written_whole_and_read_back(void **state)
{
	struct arena *arena = arena_new();
	struct buf back = BUF_INIT;
	struct err err = ERR_INIT;
	char *folder = NULL, *path;
	struct stat st;

	assert_int_equal(file_make_temporary(arena, &folder, &err), 0);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	path = file_join(arena, folder, "a/b/c");
	assert_int_equal(file_make_folder(path, 0700, &err), 0);
	assert_int_equal(file_make_folder(path, 0700, &err), 0);
	path = file_join(arena, path, "f");
	assert_int_equal(file_write(path, bytes_of("one"), 0640, &err), 0);
	assert_int_equal(file_write(path, bytes_of("second"), 0600, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_read(path, 6, &back, &err), 0);
	assert_string_equal(buf_str(&back), "second");
	assert_true(file_exists(path));
	assert_int_equal(file_read(path, 5, &back, &err), -ERR_SYSTEM);
	assert_non_null(strstr(err.text, "larger than the 5 bytes"));
	/* a folder in the way; nothing is left beside it */
	path = file_join(arena, folder, "a");
	assert_int_equal(
	    file_write(path, bytes_of("x"), 0600, &err), -ERR_SYSTEM);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_nlink, 3);
	assert_int_equal(
	    file_make_folder(file_join(arena, folder, "a/b/c/f/g"), 0700, &err),
	    -ERR_SYSTEM);
	assert_non_null(strstr(err.text, "Not a directory"));
	file_remove_tree(folder);
	assert_false(file_exists(folder));
	buf_free(&back);
	arena_free(arena);
}

/* A pipe would hang a reader, a device would feed it for ever. */
static void
only_regular_files_are_read(void **state)
{
	struct arena *arena = arena_new();
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	char *folder = NULL, *pipe;

	assert_int_equal(file_make_temporary(arena, &folder, &err), 0);
	pipe = file_join(arena, folder, "pipe");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(file_read(pipe, 10, &out, &err), -ERR_SYSTEM);
	assert_non_null(strstr(err.text, "is no regular file"));
	assert_int_equal(file_read("/dev/zero", 10, &out, &err), -ERR_SYSTEM);
	assert_int_equal(file_read(folder, 10, &out, &err), -ERR_SYSTEM);
	assert_int_equal(out.len, 0);
	file_remove_tree(folder);
	arena_free(arena);
}

static void
removing_a_tree_follows_no_link(void **state)
{
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	char *keep = NULL, *gone = NULL, *kept;

	assert_int_equal(file_make_temporary(arena, &keep, &err), 0);
	assert_int_equal(file_make_temporary(arena, &gone, &err), 0);
	kept = file_join(arena, keep, "f");
	assert_int_equal(file_write(kept, bytes_of("x"), 0600, &err), 0);
	assert_int_equal(symlink(keep, file_join(arena, gone, "link")), 0);
	file_remove_tree(gone);
	assert_false(file_exists(gone));
	assert_true(file_exists(kept));
	file_remove_tree(keep);
	arena_free(arena);
}

static void
paths_are_joined_and_split(void **state)
{
	static const struct {
		const char *path, *folder;
	} cases[] = {{"a/b", "a"}, {"b", "."}, {"/a", "/"}, {"/", "/"},
	    {"//a", "/"}, {"a//b", "a"}, {"/a/b/c", "/a/b"}};
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
		    file_folder(arena, cases[i].path), cases[i].folder);
	assert_string_equal(file_join(arena, "a", "b"), "a/b");
	assert_string_equal(file_join(arena, "a/", "b"), "a/b");
	assert_string_equal(file_join(arena, "a", "/b"), "/b");
	assert_string_equal(file_join(arena, "/", "b"), "/b");
	assert_string_equal(file_join(arena, "", "b"), "b");
	arena_free(arena);
}

static void
fake_random(void *state, void *out, size_t len)
{
	unsigned char *next = state, *p = out;

	for (size_t i = 0; i < len; i++)
		p[i] = (*next)++;
}

static void
the_world_can_be_another(void **state)
{
	unsigned char next = 0xfe;
	struct world world = {.random = fake_random, .state = &next};
	char hex[2 * 100 + 1];
	int64_t mono;

	world_random_hex(&world, hex, 4);
	assert_string_equal(hex, "feff0001");
	world_random_hex(&world, hex, 100);
	assert_int_equal(strlen(hex), 200);
	assert_string_equal(hex + 196, "6465");
	world_random_hex(&world_real, hex, 16);
	assert_int_equal(strspn(hex, "0123456789abcdef"), 32);
	mono = world_mono_ms(&world_real);
	assert_true(world_mono_ms(&world_real) >= mono);
	assert_true(world_wall_ms(&world_real) > 1700000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(errors_say_where_and_keep_their_code),
	    cmocka_unit_test(arena_memory_is_zero_aligned_and_apart),
	    cmocka_unit_test(arena_arrays_grow),
	    cmocka_unit_test(a_secret_is_masked_wherever_it_stands),
	    cmocka_unit_test(what_a_cut_leaves_of_a_secret_is_masked),
	    cmocka_unit_test(a_full_buffer_drops_whole_pieces_and_says_so),
	    cmocka_unit_test(json_is_written_as_rfc_8785_says),
	    cmocka_unit_test(json_survives_its_own_bytes),
	    cmocka_unit_test(json_for_people_is_indented),
	    cmocka_unit_test(json_maps_replace_and_answer),
	    cmocka_unit_test(wrong_json_is_refused_with_a_reason),
	    cmocka_unit_test(json_has_limits),
	    cmocka_unit_test(json_with_many_keys_costs_no_square),
	    cmocka_unit_test(files_are_written_whole_and_read_back),
	    cmocka_unit_test(only_regular_files_are_read),
	    cmocka_unit_test(removing_a_tree_follows_no_link),
	    cmocka_unit_test(paths_are_joined_and_split),
	    cmocka_unit_test(the_world_can_be_another),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
