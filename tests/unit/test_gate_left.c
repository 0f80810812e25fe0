/*
 * The hosts left over, and those that owe their way back: may a run of them
 * begin? As tables: rollout/left.txt, rollout/owing.txt.
 * covers: P5, P7
 */
#include "rollout_place.h"

static const char plan_text[] =
    "change: t\nreason: t\ntargets: all\nwaves: [{hosts: rest}]\n"
    "steps: [{ run: [a] }]\n%s: %s\n%s\n";

/* What is asked of a fold, in words. */
typedef void answers(const struct change *change,
    const struct change_fold *fold, char *out, size_t size);

static void
answer_left(const struct change *change, const struct change_fold *fold,
    char *out, size_t size)
{
	char why[256] = "not said";
	int count = gate_remaining(change, fold, why);

	snprintf(out, size, why[0] != '\0' ? "%d: %s" : "%d", count, why);
}

/* Each of them is owed it by the next run. */
static void
answer_owing(const struct change *change, const struct change_fold *fold,
    char *out, size_t size)
{
	struct change_fold next = *fold;
	int owed = 0, count = gate_owing(change, fold);

	next.epoch = 2; /* the records are of run 1 */
	for (size_t i = 0; i < fold->part_count; i++)
		owed += gate_owes(change, &next, &fold->parts[i]);
	snprintf(out, size, owed == count ? "%d" : "%d, but %d are owed it",
	    count, owed);
}

/* A table of "records | answer"; "given | KEY | MORE" lines say what the
 * plan's KEY is for the cases below, and what stands beside it. */
static void
table_of(const char *name, const char *key, answers *answer, int least)
{
	struct arena *arena = arena_new();
	struct change *change = NULL;
	struct table table;
	int wrong = 0;

	table_open(&table, name, "|");
	while (table_next(&table)) {
		struct change_fold fold;
		struct err err = ERR_INIT;
		char got[320];

		if (strcmp(table.column[0], "given") == 0) {
			change = place_change(arena,
			    place_plan(arena,
				arena_printf(arena, plan_text, key,
				    table.column[1],
				    table.count > 2 ? table.column[2] : "")),
			    "abcd", "");
			continue;
		}
		place_fold(arena, change, &fold);
		if (place_records(&fold, table.column[0], &err) < 0)
			fail_msg("%d: %s", table.line, err.text);
		answer(change, &fold, got, sizeof(got));
		wrong += table_wrong(&table, got, table.column[1]);
	}
	assert_int_equal(wrong, 0);
	assert_true(table.cases >= least);
	arena_free(arena);
}

static void
who_is_left_may_be_tried_below_the_limits(void **state)
{
	table_of("rollout/left.txt", "limits", answer_left, 15);
}

static void
who_was_lost_or_is_stuck_owes_its_way_back(void **state)
{
	table_of("rollout/owing.txt", "rollback", answer_owing, 10);
}

/* Who did not come well through a phase has no part in a later one. */
static void
who_is_left_may_have_come_through_a_phase(void **state)
{
	static const char phases[] =
	    "change: t\nreason: t\ntargets: all\n"
	    "limits: {failed: 3, unreachable: 3}\nphases:\n"
	    "  - {name: one, targets: all, waves: [{hosts: rest}],\n"
	    "     steps: [{ run: [a] }]}\n"
	    "  - {name: two, targets: all, waves: [{hosts: rest}],\n"
	    "     steps: [{ run: [b] }]}\n";
	const struct {
		const char *records;
		int parts; /* of hosts a and b */
	} cases[] = {
	    {"", 4},
	    {"done a wave=1", 3},
	    {"unreachable a wave=1", 4},
	    {"excluded a wave=1", 4},
	    {"done a wave=1, unreachable a wave=2", 3},
	    {"done a wave=1, done a wave=2", 2},
	    {"intent a 1, failed a 1, failed a wave=1", 2},
	    {"intent a 1, done a 1, done a wave=1", 3},
	    {"done a wave=1, intent a 2, failed a 2, failed a wave=2", 2},
	};
	struct arena *arena = arena_new();
	struct change *change =
	    place_change(arena, place_plan(arena, phases), "ab", "");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct change_fold fold;
		struct err err = ERR_INIT;
		char why[256];
		int parts;

		place_fold(arena, change, &fold);
		if (place_records(&fold, cases[i].records, &err) < 0)
			fail_msg("%s: %s", cases[i].records, err.text);
		parts = gate_remaining(change, &fold, why);
		if (parts != cases[i].parts)
			fail_msg("%s: %d left, should be %d", cases[i].records,
			    parts, cases[i].parts);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_is_left_may_be_tried_below_the_limits),
	    cmocka_unit_test(who_is_left_may_have_come_through_a_phase),
	    cmocka_unit_test(who_was_lost_or_is_stuck_owes_its_way_back),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
