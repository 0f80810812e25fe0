/*
 * The small facts about changes: names, what cannot be taken back, the data of
 * a job, expressions, blobs.
 * covers: P6 (what cannot be taken back is said)
 */
#include "change_place.h"

#include "change/expand.h"

static void
what_is_not_taken_back_is_named(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = make_change(arena, NULL);

	assert_string_equal(change_not_taken_back(arena, change),
	    "warm (keep: a read); cut (stop: is final)");
	/* a module may write no way back for what it found on a host */
	change->hosts[0].steps[EDIT].undo = "";
	change->hosts[2].steps[EDIT].undo = "";
	assert_string_equal(change_not_taken_back(arena, change),
	    "edit (no way back on 2 of 3 hosts); warm (keep: a read); "
	    "cut (stop: is final)");
	/* where nothing is to be done, nothing is to be taken back */
	change->hosts[0].steps[EDIT].apply = "";
	change->hosts[2].steps[EDIT].apply = "";
	change->plan->by_id[WARM]->back = STEP_BACK_DERIVED;
	change->plan->by_id[CUT]->back = STEP_BACK_DERIVED;
	assert_string_equal(change_not_taken_back(arena, change), "none");
	arena_free(arena);
}

static void
a_change_has_a_name_and_a_number(void **state)
{
	static const struct {
		const char *text;
		int number;
	} cases[] = {{"CHG-0007", 7}, {"chg-7", 7}, {"7", 7}, {"0007", 7},
	    {"CHG-12345", 12345}, {"99999999", 99999999}, {"100000000", 0},
	    {"CHG-0", 0}, {"0", 0}, {"", 0}, {"CHG-", 0}, {"CHG", 0},
	    {"CHG-7x", 0}, {"-7", 0}, {"CHG--7", 0}, {" 7", 0}, {"+7", 0},
	    {"CHG-CHG-7", 0}};
	char name[16];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (change_number(cases[i].text) != cases[i].number)
			fail_msg("'%s' is %d", cases[i].text,
			    change_number(cases[i].text));
	assert_string_equal(change_name(7, name), "CHG-0007");
	assert_string_equal(change_name(99999999, name), "CHG-99999999");
}

static void
a_job_gets_its_data_as_json(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = make_change(arena, NULL);
	struct change_host *host = &change->hosts[0];
	struct step step = *change->plan->by_id[EDIT];
	struct json *parsed = NULL;
	struct buf out = BUF_INIT;

	step.when = "facts.os == \"a\"";
	/* '-' = not come to yet; handlers and rollback steps are never told */
	change_data(&out, change, host, bytes_of("{\"os\":\"a\"}"),
	    bytes_of(""), &step, " yny?-y", "12.5", bytes_of("{\"v\":2}"));
	assert_string_equal(buf_str(&out),
	    "{\"host\":{\"address\":\"192.0.2.1\",\"groups\":[\"web\"],"
	    "\"name\":\"web1\",\"port\":22,\"user\":\"ops\","
	    "\"vars\":{\"rack\":\"r1\"}},"
	    "\"changed\":{\"edit\":true,\"migrate\":false,\"warm\":null},"
	    "\"facts\":{\"os\":\"a\"},\"vars\":{},"
	    "\"inputs\":{\"version\":\"2.4.1\"},\"before\":\"12.5\","
	    "\"pin\":{\"v\":2},\"step\":{\"id\":1,\"name\":\"edit\","
	    "\"when\":\"facts.os == \\\"a\\\"\"}}");
	assert_ok(json_parse(arena, out.data, out.len, "data", &parsed, err));
	buf_reset(&out);
	change_data(&out, change, host, bytes_of(""), bytes_of(""), NULL, NULL,
	    NULL, bytes_of(""));
	assert_ok(json_parse(arena, out.data, out.len, "data", &parsed, err));
	assert_null(json_get(parsed, "step"));
	assert_null(json_get(parsed, "before"));
	buf_free(&out);
	arena_free(arena);
}

static void
expressions_go_out_and_values_come_in(void **state)
{
	static const char text[] =
	    "{\"a\":\"plain\",\"b\":[\"${{ x }}\",1,{\"c\":\"p${{ y }}q\"}],"
	    "\"d\":null}";
	struct arena *arena = arena_new();
	struct json *value = NULL, *filled = NULL;
	struct buf out = BUF_INIT;

	assert_ok(json_parse(arena, text, strlen(text), "value", &value, err));
	expand_texts(arena, value, &out);
	assert_string_equal(buf_str(&out), "[\"${{ x }}\",\"p${{ y }}q\"]");
	assert_ok(
	    expand_values(arena, value, bytes_of("[7,\"z\"]"), &filled, err));
	buf_reset(&out);
	json_write(&out, filled);
	assert_string_equal(buf_str(&out),
	    "{\"a\":\"plain\",\"b\":[7,1,{\"c\":\"z\"}],\"d\":null}");
	assert_fails(ERR_INTERNAL,
	    expand_values(arena, value, bytes_of("[7]"), &filled, err));
	assert_fails(ERR_INTERNAL,
	    expand_values(arena, value, bytes_of("{}"), &filled, err));
	buf_free(&out);
	arena_free(arena);
}

static void
blobs_are_found_by_what_they_hold(void **state)
{
	struct arena *arena = arena_new();
	struct blobs *blobs = blobs_new(arena, NULL);
	const char *digests[1000];
	struct bytes data;
	char text[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "blob %d", i);
		digests[i] = blobs_put(blobs, bytes_of(text));
		assert_ptr_equal(blobs_put(blobs, bytes_of(text)), digests[i]);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "blob %d", i);
		assert_ok(blobs_get(blobs, digests[i], &data, err));
		assert_true(bytes_equal(data, bytes_of(text)));
	}
	assert_string_equal(blobs_put(blobs, bytes_of("")), "");
	assert_ok(blobs_get(blobs, "", &data, err));
	assert_int_equal(data.len, 0);
	assert_fails(ERR_STORE, blobs_get(blobs, "abc", &data, err));
	assert_fails(ERR_INTERNAL,
	    blobs_get(blobs,
		"0000000000000000000000000000000000000000000000000000000000000"
		"000",
		&data, err));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_taken_back_is_named),
	    cmocka_unit_test(a_change_has_a_name_and_a_number),
	    cmocka_unit_test(a_job_gets_its_data_as_json),
	    cmocka_unit_test(expressions_go_out_and_values_come_in),
	    cmocka_unit_test(blobs_are_found_by_what_they_hold),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
