/*
 * May a run of the hosts left over begin? As a table: rollout/left.txt.
 * covers: P7
 */
#include "rollout_place.h"

static const char plan_text[] =
    "change: t\nreason: t\ntargets: all\nwaves: [{hosts: rest}]\n"
    "steps: [{ run: [a] }]\nlimits: %s\n";

static void
who_is_left_may_be_tried_below_the_limits(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = NULL;
	struct table table;
	int wrong = 0;

	table_open(&table, "rollout/left.txt", "|");
	while (table_next(&table)) {
		struct change_fold fold;
		struct err err = ERR_INIT;
		char why[256] = "not said", got[320];
		int count;

		if (strcmp(table.column[0], "given") == 0) {
			change = place_change(arena,
			    place_plan(arena, arena_printf(arena, plan_text,
						  table.column[1])),
			    "abcd", "");
			continue;
		}
		place_fold(arena, change, &fold);
		if (place_records(&fold, table.column[0], &err) < 0)
			fail_msg("%d: %s", table.line, err.text);
		count = gate_remaining(change, &fold, why);
		snprintf(got, sizeof(got), why[0] != '\0' ? "%d: %s" : "%d",
		    count, why);
		if (strcmp(got, table.column[1]) == 0)
			continue;
		print_error("%s:%d: is '%s', should be '%s'\n", table.name,
		    table.line, got, table.column[1]);
		wrong++;
	}
	assert_int_equal(wrong, 0);
	assert_true(table.cases > 15);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_is_left_may_be_tried_below_the_limits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
