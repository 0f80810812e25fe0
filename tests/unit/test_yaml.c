/*
 * YAML: what is read, what is refused and where; hostile texts; schemas.
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
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "table.h"
#include "yaml/yaml.h"

/* What a text of up to 1 MiB may cost; measured: 13 ms, 300 under ASan. */
enum { PATIENCE_MS = 2000 };

/* Parse; root or the error's text in why, which must hold sizeof(err.text). */
static struct yaml *
parse(struct arena *arena, const char *text, size_t len, char *why)
{
	struct yaml *root = NULL;
	struct err err = ERR_INIT;

	why[0] = '\0';
	if (yaml_parse(arena, "t.yml", text, len, &root, &err) < 0) {
		assert_int_equal(err.code, ERR_PLAN);
		assert_null(root);
		memcpy(why, err.text, sizeof(err.text));
	}
	return root;
}

static double
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
refuses_with_place_and_advice(void **state)
{
	char why[sizeof(((struct err *)0)->text)];
	struct table table;
	struct arena *arena;
	size_t len;

	table_open(&table, "yaml_refused.txt", " | ");
	while (table_next(&table)) {
		arena = arena_new();
		assert_int_equal(table.count, 2);
		len = table_unescape(table.column[0]);
		parse(arena, table.column[0], len, why);
		if (strcmp(why, table.column[1]) != 0)
			fail_msg("yaml_refused.txt:%d: got: %s", table.line,
			    why[0] != '\0' ? why : "no error");
		arena_free(arena);
	}
	assert_true(table.cases > 40);
}

static void
reads_scalars_as_they_look(void **state)
{
	char why[sizeof(((struct err *)0)->text)];
	struct buf out = BUF_INIT;
	struct table table;
	struct arena *arena;
	struct yaml *root;
	size_t len;

	table_open(&table, "yaml_read.txt", " -> ");
	while (table_next(&table)) {
		arena = arena_new();
		assert_int_equal(table.count, 2);
		len = table_unescape(table.column[0]);
		root = parse(arena, table.column[0], len, why);
		if (root == NULL)
			fail_msg("yaml_read.txt:%d: %s", table.line, why);
		buf_reset(&out);
		json_write(&out, yaml_to_json(arena, root, true));
		if (strcmp(buf_str(&out), table.column[1]) != 0)
			fail_msg("yaml_read.txt:%d: got: %s", table.line,
			    buf_str(&out));
		arena_free(arena);
	}
	assert_true(table.cases > 15);
	buf_free(&out);
}

static void
untyped_json_is_all_text(void **state)
{
	static const char text[] = "a: 1\nb: true\nc: ~\nd:\n";
	char why[sizeof(((struct err *)0)->text)];
	struct arena *arena = arena_new();
	struct buf out = BUF_INIT;

	json_write(&out,
	    yaml_to_json(arena, parse(arena, text, strlen(text), why), false));
	assert_string_equal(buf_str(&out),
	    "{\"a\":\"1\",\"b\":\"true\",\"c\":\"~\",\"d\":\"\"}");
	buf_free(&out);
	arena_free(arena);
}

/* Whatever is repeated up to the limit: an answer, and soon. */
static void
survives_anything_repeated(void **state)
{
	static const char *const units[] = {"[", "[\n", "{", "- ", "? ",
	    "a: ", "{a: ", "[a,", "'", "\"", "\"\\", "a\n", "#", "# \n", "a ",
	    "[a", "[[],", "{a,", "! ", "&a ", "*a ", "|", "\t", "- a\n",
	    "? a\n", "? [", "%a\n", "---\n", "a:\n", "'a' ", "\\\n",
	    "[a:", "[?", "\"a\":", "[\"a\":", "{\"a\":1,", "- [\n", "- |\n",
	    "x\r\n", "\n", "[]\n", "{}: ", "a: |\n", " : ",
	    "[:", "\xe6\x97\xa5", "}", "]", "- - - ", "<<: ", ",", ":", "&",
	    "\xff"};
	char why[sizeof(((struct err *)0)->text)];
	static const size_t sizes[] = {50000, 1 << 20};
	struct arena *arena;
	double started;
	char *text;
	size_t len, unit;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		for (size_t s = 0; s < 2; s++) {
			arena = arena_new();
			text = malloc(sizes[s] + 16);
			unit = strlen(units[i]);
			for (len = 0; len + unit <= sizes[s]; len += unit)
				memcpy(text + len, units[i], unit);
			started = now_ms();
			parse(arena, text, len, why);
			if (now_ms() - started > PATIENCE_MS)
				fail_msg("'%s' repeated took %.0f ms", units[i],
				    now_ms() - started);
			free(text);
			arena_free(arena);
		}
	}
}

/* libyaml alone takes 16 s for this. */
static void
depth_stops_at_64(void **state)
{
	char why[sizeof(((struct err *)0)->text)];
	struct arena *arena = arena_new();
	char text[50000];
	double started;

	memset(text, '[', sizeof(text));
	started = now_ms();
	assert_null(parse(arena, text, sizeof(text), why));
	assert_string_equal(
	    why, "t.yml:1:65: nested deeper than 64 levels; make it flatter");
	assert_true(now_ms() - started < PATIENCE_MS);
	memset(text + 64, ']', 64);
	assert_non_null(parse(arena, text, 128, why));
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_null(parse(arena, text, 130, why));
	arena_free(arena);
}

static void
a_bomb_of_aliases_is_refused_at_its_first_anchor(void **state)
{
	static const char text[] = "a: &a [x, x, x, x, x, x, x, x, x]\n"
				   "b: &b [*a, *a, *a, *a, *a, *a, *a]\n"
				   "c: &c [*b, *b, *b, *b, *b, *b, *b]\n";
	char why[sizeof(((struct err *)0)->text)];
	struct arena *arena = arena_new();

	assert_null(parse(arena, text, strlen(text), why));
	assert_non_null(strstr(why, "t.yml:1:4: YAML takes '&a'"));
	arena_free(arena);
}

static void
sizes_are_limited(void **state)
{
	char why[sizeof(((struct err *)0)->text)];
	struct arena *arena = arena_new();
	size_t limit = (size_t)1 << 20;
	char *text = malloc(limit + 1);
	struct buf many = BUF_INIT;

	memset(text, 'a', limit + 1);
	assert_non_null(parse(arena, text, limit, why));
	assert_null(parse(arena, text, limit + 1, why));
	assert_string_equal(why,
	    "t.yml: 1048577 bytes are too many for a YAML file; 1048576 are "
	    "allowed, split it");
	for (int i = 0; i < 49999; i++)
		buf_puts(&many, "- 1\n");
	assert_non_null(parse(arena, many.data, many.len, why));
	buf_puts(&many, "- 1\n");
	assert_null(parse(arena, many.data, many.len, why));
	assert_string_equal(
	    why, "t.yml:50000:3: more than 50000 values in one file; split it");
	buf_free(&many);
	free(text);
	arena_free(arena);
}

static void
an_int_of_ten_thousand_digits_stays_text(void **state)
{
	char why[sizeof(((struct err *)0)->text)], text[10004] = "a: ";
	struct arena *arena = arena_new();
	const struct json *map;
	struct yaml *root;
	int64_t num = 7;
	const struct yaml_field fields[] = {
	    {"a", YAML_WANT_INT, .num = &num, .min = 0, .max = INT64_MAX},
	};
	struct err err = ERR_INIT;

	memset(text + 3, '9', 10000);
	root = parse(arena, text, 10003, why);
	assert_non_null(root);
	map = yaml_to_json(arena, root, true);
	assert_int_equal(json_get(map, "a")->type, JSON_TEXT);
	assert_int_equal(json_get(map, "a")->len, 10000);
	assert_true(yaml_read(root, "x", fields, 1, &err) < 0);
	assert_int_equal(num, 7);
	assert_non_null(strstr(err.text, "must be a whole number"));
	arena_free(arena);
}

/* Every byte, in every place of a small plan: an answer, never a crash. */
static void
survives_every_byte_in_every_place(void **state)
{
	static const char plan[] = "a: [x, {b: 'c'}]\nd:\n  - \"e\\n\"\n  - |\n"
				   "    f\ng: !h i\n";
	char text[sizeof(plan)], why[sizeof(((struct err *)0)->text)];
	size_t len = strlen(plan);
	struct arena *arena;

	for (size_t at = 0; at < len; at++) {
		for (int byte = 0; byte < 256; byte++) {
			arena = arena_new();
			memcpy(text, plan, len);
			text[at] = (char)byte;
			parse(arena, text, len, why);
			parse(arena, text, at + 1, why);
			arena_free(arena);
		}
	}
}

static void
a_missing_file_is_a_wrong_plan(void **state)
{
	struct arena *arena = arena_new();
	struct yaml *root = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    yaml_load(arena, "tests/no-such.yml", &root, &err), -ERR_PLAN);
	assert_string_equal(err.text,
	    "tests/no-such.yml: cannot be opened: No such file or directory");
	assert_int_equal(yaml_load(arena, "tests", &root, &err), -ERR_PLAN);
	assert_string_equal(err.text, "tests: is no regular file; name a file");
	arena_free(arena);
}

/* What a schema's test reads into. */
struct read {
	const char *name, *note;
	const struct yaml *list, *map, *any;
	int64_t wait_ms, times, state;
	bool flag;
};

static int
read_all(const struct yaml *root, struct read *to, struct err *err)
{
	static const char *const states[] = {
	    "running", "stopped", "restarted", NULL};
	const struct yaml_field fields[] = {
	    {"name", YAML_NEED_TEXT, .text = &to->name},
	    {"note", YAML_WANT_TEXT, .text = &to->note},
	    {"list", YAML_WANT_LIST, .node = &to->list},
	    {"map", YAML_WANT_MAP, .node = &to->map},
	    {"any", YAML_WANT_ANY, .node = &to->any},
	    {"wait", YAML_WANT_DURATION, .num = &to->wait_ms},
	    {"times", YAML_WANT_INT, .num = &to->times, .min = 1, .max = 9},
	    {"flag", YAML_WANT_BOOL, .flag = &to->flag},
	    {"state", YAML_WANT_CHOICE, .num = &to->state, .choices = states},
	    {.key = "phases", .want = YAML_NOT_YET},
	};

	return yaml_read(root, "step \"restart\"", fields,
	    sizeof(fields) / sizeof(fields[0]), err);
}

static void
a_schema_fills_what_is_there_and_leaves_the_rest(void **state)
{
	static const char text[] =
	    "name: n\nlist: [1]\nmap: {}\nany: x\nwait: 10m\ntimes: 3\n"
	    "flag: yes\nstate: stopped\n";
	char why[sizeof(((struct err *)0)->text)];
	struct read read = {.note = "as before", .state = 9};
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;

	assert_int_equal(
	    read_all(parse(arena, text, strlen(text), why), &read, &err), 0);
	assert_string_equal(read.name, "n");
	assert_string_equal(read.note, "as before");
	assert_int_equal(read.list->count, 1);
	assert_int_equal(read.map->count, 0);
	assert_string_equal(read.any->text, "x");
	assert_int_equal(read.wait_ms, 600000);
	assert_int_equal(read.times, 3);
	assert_int_equal(read.state, 1);
	assert_true(read.flag);
	assert_int_equal(err.code, ERR_NONE);
	arena_free(arena);
}

static void
a_schema_refuses_with_place_and_near_word(void **state)
{
	char why[sizeof(((struct err *)0)->text)];
	struct table table;
	struct arena *arena;
	struct yaml *root;
	struct read read;
	struct err err;
	size_t len;

	table_open(&table, "yaml_schema.txt", " | ");
	while (table_next(&table)) {
		memset(&read, 0, sizeof(read));
		err = (struct err)ERR_INIT;
		arena = arena_new();
		len = table_unescape(table.column[0]);
		root = parse(arena, table.column[0], len, why);
		assert_non_null(root);
		assert_int_equal(read_all(root, &read, &err), -ERR_PLAN);
		if (strcmp(err.text, table.column[1]) != 0)
			fail_msg("yaml_schema.txt:%d: got: %s", table.line,
			    err.text);
		arena_free(arena);
	}
	assert_true(table.cases > 12);
}

static void
texts_are_a_list_or_one(void **state)
{
	static const char text[] = "a: x\nb: [x, 'y z']\nc: [[x]]\nd: {}\n"
				   "e: []\nf:\n";
	char why[sizeof(((struct err *)0)->text)];
	struct arena *arena = arena_new();
	struct yaml *root = parse(arena, text, strlen(text), why);
	struct err err = ERR_INIT;
	const char **texts = NULL;
	size_t count = 9;

	assert_int_equal(yaml_read_texts(arena, yaml_get(root, "a"), "p",
			     &texts, &count, &err),
	    0);
	assert_int_equal(count, 1);
	assert_string_equal(texts[0], "x");
	assert_int_equal(yaml_read_texts(arena, yaml_get(root, "b"), "p",
			     &texts, &count, &err),
	    0);
	assert_int_equal(count, 2);
	assert_string_equal(texts[1], "y z");
	assert_int_equal(yaml_read_texts(arena, yaml_get(root, "c"), "p",
			     &texts, &count, &err),
	    -ERR_PLAN);
	assert_string_equal(
	    err.text, "t.yml:3:5: p must be a list of texts, here is a list");
	assert_int_equal(yaml_read_texts(arena, yaml_get(root, "d"), "p",
			     &texts, &count, &err),
	    -ERR_PLAN);
	assert_int_equal(yaml_read_texts(arena, yaml_get(root, "f"), "p",
			     &texts, &count, &err),
	    -ERR_PLAN);
	assert_string_equal(
	    err.text, "t.yml:6:3: p must be a list of texts, here is nothing");
	assert_int_equal(yaml_read_texts(arena, yaml_get(root, "e"), "p",
			     &texts, &count, &err),
	    0);
	assert_int_equal(count, 0);
	arena_free(arena);
}

static void
get_answers_for_what_is_no_map(void **state)
{
	char why[sizeof(((struct err *)0)->text)];
	struct arena *arena = arena_new();
	struct yaml *root = parse(arena, "a: {b: c}", 9, why);

	assert_null(yaml_get(NULL, "a"));
	assert_null(yaml_get(root, "b"));
	assert_null(yaml_get(yaml_get(yaml_get(root, "a"), "b"), "c"));
	assert_int_equal(yaml_key(root, "a")->place.col, 1);
	assert_int_equal(yaml_get(root, "a")->place.col, 4);
	assert_string_equal(yaml_key(root, "a")->place.file, "t.yml");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_with_place_and_advice),
	    cmocka_unit_test(reads_scalars_as_they_look),
	    cmocka_unit_test(untyped_json_is_all_text),
	    cmocka_unit_test(survives_anything_repeated),
	    cmocka_unit_test(depth_stops_at_64),
	    cmocka_unit_test(a_bomb_of_aliases_is_refused_at_its_first_anchor),
	    cmocka_unit_test(sizes_are_limited),
	    cmocka_unit_test(an_int_of_ten_thousand_digits_stays_text),
	    cmocka_unit_test(survives_every_byte_in_every_place),
	    cmocka_unit_test(a_missing_file_is_a_wrong_plan),
	    cmocka_unit_test(a_schema_fills_what_is_there_and_leaves_the_rest),
	    cmocka_unit_test(a_schema_refuses_with_place_and_near_word),
	    cmocka_unit_test(texts_are_a_list_or_one),
	    cmocka_unit_test(get_answers_for_what_is_no_map),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
