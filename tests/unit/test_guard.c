/*
 * The dead-man: how a plan has it, what the machine says, what its answers
 * mean, and the way back that a host is given. covers: P2, P4, P5
 */
#include "rollout_place.h"

#include "rollout/guard.h"

static const char guard_plan[] =
    "change: t\nreason: t\ntargets: all\nwaves: [{ hosts: rest }]\n"
    "handlers: { h: { run: [h] } }\n"
    "steps:\n"
    "  - { name: a, run: [a], notify: h }\n"
    "  - guard: 90s\n"
    "    when: host.vars.x == 1 -- said\n"
    "    steps:\n"
    "      - { name: b, run: [b], notify: h }\n"
    "      - { name: c, run: [c], when: changed(\"b\") }\n"
    "  - { name: d, run: [d] }\n";

static void
a_guard_is_a_segment_with_acts(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = place_plan(arena, guard_plan);
	/* steps 1 a, 2 b, 3 c, 4 d; handlers 5 of a, 6 of b */
	static const int order[] = {1, 5, 2, 3, 6, 4};
	const struct guard *guard;

	assert_int_equal(plan->guard_count, 1);
	guard = plan->guards[0];
	assert_true(guard->time_ms == 90000);
	assert_int_equal(plan->last_id, 6);
	assert_int_equal(plan->last_act, 6 + GUARD_ACTS);
	assert_int_equal(plan->phases[0].order_count, 6);
	for (int i = 0; i < 6; i++) {
		const struct step *step = plan->phases[0].order[i];
		bool under = step->id == 2 || step->id == 3 || step->id == 6;

		assert_int_equal(step->id, order[i]);
		assert_ptr_equal(step->guard, under ? guard : NULL);
		assert_false(plan_is_guard_act(step));
	}
	assert_int_equal(plan->by_id[2]->notify[0], 6);
	assert_string_equal(plan->by_id[2]->when, "host.vars.x == 1 -- said");
	assert_string_equal(plan->by_id[3]->when,
	    "(host.vars.x == 1 -- said\n) and (changed(\"b\")\n)");
	assert_null(plan->by_id[4]->when);
	for (int act = 0; act < GUARD_ACTS; act++) {
		const struct step *step = plan->by_id[7 + act];

		assert_true(plan_is_guard_act(step));
		assert_int_equal(plan_guard_act(step), act);
		assert_ptr_equal(step->guard, guard);
	}
	assert_string_equal(plan->by_id[7]->name, "dead-man 90s: arm");
	assert_false(guard_is_last(plan, guard));
	arena_free(arena);
}

static void
each_makes_steps_under_a_guard_too(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = place_plan(arena,
	    "change: t\nreason: t\ntargets: all\nwaves: [{ hosts: rest }]\n"
	    "steps: [{ guard: 1m, steps: [{ each: [x, y], name: \"${{ each }}\", "
	    "run: [\"${{ each }}\"] }] }, { guard: 2m, steps: [{ run: [z] }] }]\n");

	assert_int_equal(plan->last_id, 3);
	assert_string_equal(plan->by_id[2]->name, "y");
	assert_ptr_equal(plan->by_id[2]->guard, plan->guards[0]);
	assert_ptr_equal(plan->by_id[3]->guard, plan->guards[1]);
	assert_int_equal(plan->last_act, 3 + 2 * GUARD_ACTS);
	assert_true(guard_is_last(plan, plan->guards[1]));
	arena_free(arena);
}

static void
what_is_next_stands_in_the_table(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = place_plan(arena,
	    "change: t\nreason: t\ntargets: all\nwaves: [{ hosts: rest }]\n"
	    "handlers: { h: { run: [h] } }\n"
	    "steps: [{ run: [a] }, { guard: 1m, steps: [{ run: [b], notify: "
	    "h }, { run: [c] }] }, { run: [d] }]\n");
	struct change *change = place_change(arena, plan, "a", "");
	struct table table;
	int wrong = 0;

	table_open(&table, "rollout/guard.txt", "|");
	while (table_next(&table)) {
		const char *known = table.column[1];
		struct host_now now = {.connected = true,
		    .before_ok = true,
		    .drift_ok = true,
		    .fresh = strchr(known, 'f') != NULL,
		    .guard_asked = strchr(known, 'q') != NULL,
		    .guard_ok = strchr(known, 'k') != NULL};
		struct err err = ERR_INIT;
		struct change_fold fold;
		struct act act;
		char got[64];

		place_fold(arena, change, &fold);
		if (place_records(&fold, table.column[0], &err) < 0)
			fail_msg("%d: %s", table.line, err.text);
		machine_next(plan, &fold.parts[0], &now,
		    strchr(known, '<') != NULL, &act);
		snprintf(got, sizeof(got), "%s %d", machine_act_word(act.kind),
		    act.step);
		wrong += table_wrong(&table, got, table.column[2]);
	}
	assert_int_equal(wrong, 0);
	assert_true(table.cases > 35);
	arena_free(arena);
}

static void
the_hosts_answer_is_the_verdict(void **state)
{
	static const struct {
		enum guard_act act;
		int rc;
		enum record_kind kind;
		const char *word;
	} cases[] = {
	    {GUARD_ARM, 0, RECORD_STEP_DONE, "armed"},
	    {GUARD_ARM, 1, RECORD_STEP_FAILED, "none"},
	    {GUARD_ASK, 0, RECORD_STEP_DONE, "armed"},
	    {GUARD_ASK, 1, RECORD_STEP_FAILED, "unknown"},
	    {GUARD_ASK, 91, RECORD_STEP_FAILED, "reverted"},
	    {GUARD_ASK, 92, RECORD_STEP_FAILED, "reverted"},
	    {GUARD_ASK, 93, RECORD_STEP_FAILED, "reverting"},
	    {GUARD_ASK, 94, RECORD_STEP_FAILED, "none"},
	    {GUARD_ASK, 95, RECORD_STEP_DONE, "confirmed"},
	    {GUARD_ASK, 96, RECORD_STEP_FAILED, "disarmed"},
	    {GUARD_CONFIRM, 0, RECORD_STEP_DONE, "confirmed"},
	    {GUARD_CONFIRM, 90, RECORD_STEP_FAILED, "armed"},
	    {GUARD_CONFIRM, 91, RECORD_STEP_FAILED, "reverted"},
	    {GUARD_CONFIRM, 92, RECORD_STEP_FAILED, "reverted"},
	    {GUARD_CONFIRM, 93, RECORD_STEP_FAILED, "reverting"},
	    {GUARD_CONFIRM, 94, RECORD_STEP_FAILED, "none"},
	    {GUARD_CONFIRM, 127, RECORD_STEP_FAILED, "unknown"},
	    {GUARD_BACK, 0, RECORD_STEP_DONE, "reverted"},
	    {GUARD_BACK, 90, RECORD_STEP_FAILED, "armed"},
	    {GUARD_BACK, 92, RECORD_STEP_DONE, "reverted"},
	    {GUARD_BACK, 93, RECORD_STEP_FAILED, "reverting"},
	    {GUARD_BACK, 94, RECORD_STEP_DONE, "none"},
	    {GUARD_BACK, 95, RECORD_STEP_DONE, "confirmed"},
	};
	struct outcome outcome = {.known = true, .verdict = VERDICT_DONE};
	struct guard_judgement said;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		outcome.rc = cases[i].rc;
		guard_judge(cases[i].act, &outcome, &said);
		assert_int_equal(said.judged.kind, cases[i].kind);
		assert_string_equal(said.word, cases[i].word);
		/* ended by us, whatever it said is no answer */
		outcome.stopped = true;
		guard_judge(cases[i].act, &outcome, &said);
		assert_int_equal(said.judged.kind,
		    cases[i].rc == 0 ? RECORD_STEP_DONE : RECORD_STEP_FAILED);
		outcome.stopped = false;
	}
	for (int act = 0; act < GUARD_ACTS; act++) {
		guard_judge(act, &(struct outcome){.known = false}, &said);
		assert_int_equal(said.judged.kind, RECORD_STEP_UNKNOWN);
		guard_judge(act,
		    &(struct outcome){
			.known = true, .verdict = VERDICT_OTHERLIFE},
		    &said);
		assert_int_equal(said.judged.kind, RECORD_STEP_UNKNOWN);
		guard_judge(act,
		    &(struct outcome){.known = true, .verdict = VERDICT_SEALED},
		    &said);
		assert_int_equal(said.judged.kind, RECORD_STEP_SEALED);
	}
}

/* A host that never says how it went back is given up; when the way back is
 * tried again, it is asked again. */
static void
it_is_asked_again_when_the_way_back_is(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = place_plan(arena, guard_plan);
	struct change *change = place_change(arena, plan, "a", "");
	const struct host_now now = {.connected = true};
	struct change_fold fold;
	struct err err = ERR_INIT;
	struct act act;

	place_fold(arena, change, &fold);
	for (int i = 0; i < 2; i++) {
		char begin[] = "host-back a", arm[] = "intent 7",
		     armed[] = "done 7", stuck[] = "host-stuck a";

		assert_int_equal(i > 0 ? 0 : place_record(&fold, arm, &err), 0);
		assert_int_equal(
		    i > 0 ? 0 : place_record(&fold, armed, &err), 0);
		assert_int_equal(place_record(&fold, begin, &err), 0);
		for (int n = 0; n < 50; n++) {
			char ask[] = "intent 10", no[] = "failed 10";

			machine_next(plan, &fold.parts[0], &now, true, &act);
			assert_int_equal(act.kind, ACT_GUARD);
			assert_int_equal(act.step, 10);
			assert_int_equal(place_record(&fold, ask, &err), 0);
			assert_int_equal(place_record(&fold, no, &err), 0);
		}
		machine_next(plan, &fold.parts[0], &now, true, &act);
		assert_int_equal(act.kind, ACT_STUCK);
		assert_int_equal(place_record(&fold, stuck, &err), 0);
	}
	arena_free(arena);
}

/* ---- the way back that a host is given ---- */

static struct change *
guard_change(struct arena *arena)
{
	struct plan *plan = place_plan(arena, guard_plan);
	struct change *change = place_change(arena, plan, "x", "");
	struct change_host *host = &change->hosts[0];

	change->blobs = blobs_new(arena, NULL);
	change->digest = "d1";
	host->guards = arena_array(arena, const char *, 1);
	host->steps =
	    arena_array(arena, struct change_step, (size_t)plan->last_id + 1);
	for (int id = 1; id <= plan->last_id; id++) {
		host->steps[id] =
		    (struct change_step){.verdict = CHANGE_CHANGES,
			.seen = "",
			.want = "",
			.effects = "",
			.diff = "",
			.summary = "",
			.reason = ""};
		host->steps[id].apply = blobs_put(change->blobs,
		    bytes_of(arena_printf(arena, "do %d it's\n", id)));
		host->steps[id].undo = blobs_put(change->blobs,
		    bytes_of(arena_printf(arena, "undo %d it's\n", id)));
	}
	return change;
}

static const char *
guard_text(struct arena *arena, const struct change *change)
{
	struct err err = ERR_INIT;
	struct bytes text;

	if (change_make_guards(change, &change->hosts[0], &err) < 0)
		return arena_strdup(arena, err.text);
	if (blobs_get(change->blobs, change->hosts[0].guards[0], &text, &err) <
	    0)
		fail_msg("%s", err.text);
	return arena_copy(arena, text.data, text.len);
}

static void
the_way_back_is_what_the_preview_shows(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = guard_change(arena);
	struct change_step *steps = change->hosts[0].steps;
	const char *b = steps[2].undo, *c = steps[3].undo;

	/* backwards, then its handlers; nothing of what is not under it */
	assert_string_equal(guard_text(arena, change),
	    arena_printf(arena,
		"guard_step %.16s 'undo 3 it'\\''s\n'\n"
		"guard_step %.16s 'undo 2 it'\\''s\n'\n"
		"guard_handler '%.16s' 'do 6 it'\\''s\n'\n",
		c, b, b));
	assert_string_equal(change_dead_man(arena, change), "90s round b; c");
	steps[3].verdict = CHANGE_SKIP;
	steps[6].verdict = CHANGE_SAME;
	assert_string_equal(guard_text(arena, change),
	    arena_printf(arena, "guard_step %.16s 'undo 2 it'\\''s\n'\n", b));
	steps[2].verdict = CHANGE_SAME;
	steps[6].verdict = CHANGE_CHANGES;
	assert_string_equal(guard_text(arena, change), "");
	assert_string_equal(change->hosts[0].guards[0], "");
	arena_free(arena);
}

static void
what_is_not_known_before_is_refused(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = guard_change(arena);
	struct change_step *steps = change->hosts[0].steps;

	steps[3].verdict = CHANGE_DEPENDS;
	assert_string_equal(guard_text(arena, change),
	    "test.yml:12:9: step \"c\" is under guard:, but its script depends "
	    "on an earlier step, so its way back is not known before; take it "
	    "out of the guard");
	steps[3].verdict = CHANGE_CANNOT_TELL; /* but its script is fixed */
	assert_non_null(strstr(guard_text(arena, change), "undo 3"));
	steps[3].undo = "";
	assert_non_null(strstr(
	    guard_text(arena, change), "its module writes no way back here"));
	steps[3].verdict = CHANGE_SAME;
	steps[6].verdict = CHANGE_DEPENDS;
	assert_non_null(
	    strstr(guard_text(arena, change), "the way back cannot end"));
	steps[6].verdict = CHANGE_CHANGES;
	steps[6].apply =
	    blobs_put(change->blobs, bytes_of("# needs blob 00\ncat x\n"));
	assert_non_null(strstr(guard_text(arena, change), "a reboot"));
	/* what is not under it may depend */
	steps[6].apply = steps[2].apply;
	steps[4].verdict = CHANGE_DEPENDS;
	assert_non_null(strstr(guard_text(arena, change), "guard_step"));
	arena_free(arena);
}

/* One guard on one host has one name, in all that the host is told. */
static void
what_a_host_is_told(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = guard_change(arena);
	static const char xids[2][33] = {"aaaa", "bbbb"};
	const struct plan *plan = change->plan;
	char id[GUARD_ACTS][64];
	struct err err = ERR_INIT;

	(void)guard_text(arena, change);
	for (int act = 0; act < GUARD_ACTS; act++) {
		struct buf text = BUF_INIT;
		char word[32];
		const char *line;

		if (change_guard_script(&text, change, &change->hosts[0],
			plan->by_id[7 + act], xids, 2, &err) < 0)
			fail_msg("%s", err.text);
		line = strstr(buf_str(&text), "\neval \"$F\"\n");
		assert_non_null(line);
		assert_int_equal(
		    sscanf(line, "\neval \"$F\"\n%31s %63s", word, id[act]), 2);
		assert_string_equal(id[act], id[0]);
		assert_int_equal(strlen(id[act]), 32);
		assert_int_equal(
		    strstr(line, "' aaaa bbbb\n") != NULL, act == GUARD_ARM);
		assert_int_equal(
		    strstr(line, " 90 'guard_step ") != NULL, act == GUARD_ARM);
		buf_free(&text);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_guard_is_a_segment_with_acts),
	    cmocka_unit_test(each_makes_steps_under_a_guard_too),
	    cmocka_unit_test(what_is_next_stands_in_the_table),
	    cmocka_unit_test(the_hosts_answer_is_the_verdict),
	    cmocka_unit_test(it_is_asked_again_when_the_way_back_is),
	    cmocka_unit_test(the_way_back_is_what_the_preview_shows),
	    cmocka_unit_test(what_is_not_known_before_is_refused),
	    cmocka_unit_test(what_a_host_is_told),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
