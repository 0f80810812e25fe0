/*
 * Phases: barriers, hosts with a part in each, the way back over them; and
 * handlers that are steps of their own in each segment. covers: P5, P7
 */
#include "rollout_place.h"

static const char phases_plan[] = "change: t\n"
				  "reason: t\n"
				  "targets: all\n"
				  "phases:\n"
				  "  - name: one\n"
				  "    waves: [{ hosts: 1 }, { hosts: rest }]\n"
				  "    steps: [{ run: [a] }]\n"
				  "  - name: two\n"
				  "    waves: [{ hosts: 1 }, { hosts: rest }]\n"
				  "    steps: [{ run: [b] }]\n";

static struct change *
phases_change(struct arena *arena, const char *beside)
{
	struct plan *plan = place_plan(
	    arena, arena_printf(arena, "%s%s\n", phases_plan, beside));
	struct change *change = arena_new_of(arena, struct change);
	static const bool all[] = {true, true, true},
			  bc[] = {false, true, true};
	const bool *of[2] = {NULL};
	const struct waves_choice choices[] = {{all, of, NULL}, {bc, of, NULL}};
	struct err err = ERR_INIT;

	change->number = 1;
	change->plan = plan;
	change->host_count = 3;
	change->hosts = arena_array(arena, struct change_host, 3);
	for (int i = 0; i < 3; i++) {
		change->hosts[i].name = arena_printf(arena, "%c", 'a' + i);
		change->hosts[i].vars = json_map(arena);
	}
	assert_int_equal(waves_assign(arena, change, choices, &err), 0);
	return change;
}

static void
gate_text(const struct change *change, const struct change_fold *fold,
    char *out, size_t size)
{
	static const char *const words[] = {"wait", "start-wave", "start-host",
	    "soak", "end-wave", "limit", "back", "back-host", "back-limit",
	    "ask", "await", "unanswered", "hold", "paused", "end"};
	struct gate gate;

	assert_true(size > sizeof(gate.text) + 8);
	gate_decide(change, fold, (struct gate_now){0}, &gate);
	snprintf(out, size, "%s", words[gate.kind]);
	if (gate.kind == GATE_START_HOST)
		snprintf(out, size, "start-host %s",
		    change_part_host(change, gate.part)->name);
	else if (gate.kind == GATE_BACK_HOST)
		snprintf(out, size, "back-host %s/%d",
		    change_part_host(change, gate.part)->name,
		    change->parts[gate.part].wave);
	else if (gate.kind == GATE_LIMIT)
		snprintf(out, size, "limit %s", gate.text);
	else if (gate.kind != GATE_WAIT && gate.kind != GATE_BACK &&
		 gate.kind != GATE_END)
		snprintf(out, size, "%s %d", words[gate.kind], gate.wave);
}

static void
phases_have_barriers_and_go_back_in_turn(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = NULL;
	struct change_fold fold;
	struct err err = ERR_INIT;
	struct table table;
	int wrong = 0;

	table_open(&table, "rollout/phases.txt", "|");
	while (table_next(&table)) {
		const char *records = table.column[0];
		char got[512];

		if (strcmp(records, "given") == 0) {
			/* lines of the plan, parted as in the other tables */
			for (char *at = table.column[1]; *at != '\0'; at++)
				if (strncmp(at, "; ", 2) == 0)
					memcpy(at, " \n", 2);
			change = phases_change(arena, table.column[1]);
			continue;
		}
		if (records[0] != '+')
			place_fold(arena, change, &fold);
		if (place_records(&fold, records + (records[0] == '+'), &err) <
		    0)
			fail_msg("%d: %s", table.line, err.text);
		gate_text(change, &fold, got, sizeof(got));
		wrong += table_wrong(&table, got, table.column[1]);
	}
	assert_int_equal(wrong, 0);
	assert_true(table.cases > 20);
	arena_free(arena);
}

/* Two segments and two phases notify the same handler: three steps. */
static void
a_handler_is_a_step_in_each_segment(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = place_plan(arena,
	    "change: t\nreason: t\ntargets: all\n"
	    "handlers: { h: { run: [h] }, g: { run: [g] } }\n"
	    "phases:\n"
	    "  - name: one\n"
	    "    steps: [{ run: [a], notify: [g, h] }, { flush: true }, { run: "
	    "[b], notify: h }]\n"
	    "  - name: two\n"
	    "    steps: [{ run: [c], notify: h }, { run: [d] }]\n");
	/* steps 1 a, 2 b, 3 c, 4 d; handlers 5 h, 6 g, 7 h, 8 h */
	static const int one[] = {1, 5, 6, 2, 7}, two[] = {3, 4, 8};

	assert_int_equal(plan->last_id, 8);
	assert_int_equal(plan->phases[0].order_count, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(plan->phases[0].order[i]->id, one[i]);
	assert_int_equal(plan->phases[1].order_count, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(plan->phases[1].order[i]->id, two[i]);
	assert_int_equal(plan->by_id[2]->notify[0], 7);
	assert_int_equal(plan->by_id[3]->notify[0], 8);
	assert_string_equal(plan->by_id[8]->name, "h");
	arena_free(arena);
}

static void
next_is(const struct plan *plan, const struct change_fold *fold, int part,
    bool back, enum act_kind kind, int step)
{
	struct host_now now = {
	    .connected = true, .before_ok = true, .drift_ok = true};
	struct act act;

	machine_next(plan, &fold->parts[part], &now, back, &act);
	assert_string_equal(machine_act_word(act.kind), machine_act_word(kind));
	assert_int_equal(act.step, step);
}

/* A debt is paid at the flush, before the steps behind it; a part minds its
 * own phase's steps alone. */
static void
a_flush_pays_what_is_owed(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = place_plan(arena,
	    "change: t\nreason: t\ntargets: all\n"
	    "handlers: { h: { run: [h] } }\n"
	    "phases:\n"
	    "  - name: one\n"
	    "    steps: [{ run: [a], notify: h }, { flush: true }, { run: [b], "
	    "notify: h }]\n"
	    "  - name: two\n"
	    "    steps: [{ run: [c] }]\n");
	/* steps 1 a, 2 b, 3 c; handlers 4, 5 */
	struct change *change = place_change(arena, plan, "x", "");
	struct change_fold fold;
	struct err err = ERR_INIT;

	place_fold(arena, change, &fold);
	assert_int_equal(place_records(&fold, "intent x 1, done x 1", &err), 0);
	next_is(plan, &fold, 0, false, ACT_STEP, 4);
	assert_int_equal(place_records(&fold, "intent x 4, done x 4", &err), 0);
	next_is(plan, &fold, 0, false, ACT_STEP, 2);
	assert_int_equal(place_records(&fold, "same x 2", &err), 0);
	next_is(plan, &fold, 0, false, ACT_SYNC, 0);
	next_is(plan, &fold, 1, false, ACT_STEP, 3);
	assert_false(machine_has_way_back(plan, &fold.parts[1]));
	assert_int_equal(
	    place_records(&fold, "intent x 3, failed x 3", &err), 0);
	next_is(plan, &fold, 1, true, ACT_UNDO, 3);
	next_is(plan, &fold, 0, true, ACT_UNDO, 1);
	assert_int_equal(
	    place_records(&fold, "undo-intent x 1, undo-done x 1", &err), 0);
	next_is(plan, &fold, 0, true, ACT_UNDO, 4);
	arena_free(arena);
}

/* What stands around, on both ways: what was recorded, the way, what is next. */
static void
a_host_is_entered_before_any_touch_and_left_after_the_checks(void **state)
{
	/* steps 1 out, 2 a, 3 in */
	static const struct {
		const char *records;
		bool back, after;
		enum act_kind kind;
		int step;
	} cases[] = {
	    {"", false, false, ACT_STEP, 1},
	    {"same 1", false, false, ACT_STEP, 2},
	    {"intent 1, failed 1", false, false, ACT_FAIL, 1},
	    {"intent 1, done 1, intent 2, done 2", false, false,
		ACT_CHECK_AFTER, 0},
	    {"intent 1, done 1, intent 2, done 2", false, true, ACT_STEP, 3},
	    {"intent 1, done 1, intent 2, done 2, intent 3, done 3", false,
		true, ACT_DONE, 0},
	    {"intent 1, done 1, intent 2, done 2, intent 3, failed 3", false,
		true, ACT_FAIL, 3},
	    /* entered again before anything is undone */
	    {"intent 1, done 1, intent 2, failed 2", true, false, ACT_UNDO, 1},
	    {"intent 1, done 1, intent 2, failed 2, undo-done 1", true, false,
		ACT_UNDO, 2},
	    {"intent 1, done 1, intent 2, failed 2, undo-intent 1, "
	     "undo-failed 1",
		true, false, ACT_STUCK, 1},
	    {"intent 1, done 1, intent 2, failed 2, undo-done 1, undo-intent "
	     "2, undo-done 2",
		true, false, ACT_CHECK_AFTER, 0},
	    {"intent 1, done 1, intent 2, failed 2, undo-done 1, undo-intent "
	     "2, undo-done 2",
		true, true, ACT_UNDO, 3},
	    {"intent 1, done 1, intent 2, failed 2, undo-done 1, undo-intent "
	     "2, undo-done 2, undo-done 3",
		true, true, ACT_REVERTED, 0},
	    /* not proved back: it stays outside */
	    {"intent 1, done 1, intent 2, failed 2, undo-done 1, undo-intent "
	     "2, undo-failed 2",
		true, true, ACT_STUCK, 2},
	    /* nothing inside was touched: it is only left */
	    {"intent 1, failed 1", true, true, ACT_UNDO, 3},
	    {"intent 1, unknown 1, undo-done 3", true, true, ACT_REVERTED, 0},
	};
	struct arena *arena = arena_new();
	struct plan *plan = place_plan(arena,
	    "change: t\nreason: t\ntargets: all\nwaves: [{ hosts: rest }]\n"
	    "around: { enter: [{ run: [out] }], leave: [{ run: [in] }] }\n"
	    "steps: [{ run: [a] }]\n");
	struct change *change = place_change(arena, plan, "a", "");
	int wrong = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct host_now now = {.connected = true,
		    .before_ok = true,
		    .drift_ok = true,
		    .synced = true,
		    .after_ok = cases[i].after};
		struct change_fold fold;
		struct err err = ERR_INIT;
		struct act act;

		place_fold(arena, change, &fold);
		if (place_records(&fold, cases[i].records, &err) < 0)
			fail_msg("%zu: %s", i, err.text);
		for (size_t p = 0; p < fold.part_count; p++)
			fold.parts[p].touched |= cases[i].back;
		machine_next(plan, &fold.parts[0], &now, cases[i].back, &act);
		if (act.kind == cases[i].kind && act.step == cases[i].step)
			continue;
		print_error("%s: is %s %d\n", cases[i].records,
		    machine_act_word(act.kind), act.step);
		wrong++;
	}
	assert_int_equal(wrong, 0);
	arena_free(arena);
}

static void
a_host_is_told_by_its_worst_part(void **state)
{
	static const struct {
		const char *records, *word;
	} cases[] = {
	    {"done a wave=1, done b wave=2, done c wave=2, done b wave=3, "
	     "done c wave=4",
		"done"},
	    {"done a wave=1, done b wave=2, done c wave=2, done b wave=3",
		"left over"},
	    {"done a wave=1, done b wave=2, done c wave=2, started b wave=3, "
	     "intent b 2, failed b 2, failed b wave=3",
		"failed"},
	    {"done a wave=1, done b wave=2, done c wave=2, started b wave=3, "
	     "intent b 2, failed b 2, failed b wave=3, stuck b wave=3",
		"unknown"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new();
		struct change *change = phases_change(arena, "");
		struct change_fold fold;
		struct gate_result result;
		struct err err = ERR_INIT;

		place_fold(arena, change, &fold);
		if (place_records(&fold, cases[i].records, &err) < 0)
			fail_msg("%zu: %s", i, err.text);
		gate_result(&fold, &result);
		assert_string_equal(result.word, cases[i].word);
		assert_int_equal(result.done + result.failed + result.reverted +
				     result.unknown + result.left,
		    3);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(phases_have_barriers_and_go_back_in_turn),
	    cmocka_unit_test(a_handler_is_a_step_in_each_segment),
	    cmocka_unit_test(a_flush_pays_what_is_owed),
	    cmocka_unit_test(
		a_host_is_entered_before_any_touch_and_left_after_the_checks),
	    cmocka_unit_test(a_host_is_told_by_its_worst_part),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
