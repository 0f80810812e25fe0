/*
 * The pure deciders of a rollout: waves, gate, machine, judge, as tables, and
 * all of them together in a simulated fleet (rollout_sim*.h).
 * covers: P3, P4, P5, P7
 */
#include "rollout_place.h"
#include "rollout_sim_run.h"

#include "rollout/judge.h"

static const char machine_plan[] =
    "change: t\nreason: t\ntargets: all\nwaves: [{hosts: rest}]\n"
    "handlers:\n"
    "  restart: { service: { name: x, state: restarted } }\n"
    "  reload: { service: { name: x, state: reloaded } }\n"
    "steps:\n"
    "  - { name: edit, run: [a], notify: restart }\n"
    "  - name: copy\n"
    "    run: [b]\n"
    "    notify: restart\n"
    "    rollback: [{ name: copy back, run: [c] }]\n"
    "    because: it has no undo\n"
    "  - { name: look, run: [d], notify: reload, rollback: keep, because: r }\n"
    "  - { name: cut, run: [e], rollback: stop, because: r }\n"
    "  - { name: try, run: [f], retry: { times: 1, every: 1s } }\n";

static void
the_machine_says_what_is_next(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = place_plan(arena, machine_plan);
	struct change *change = place_change(arena, plan, "a", "");
	struct table table;
	int wrong = 0;

	table_open(&table, "rollout/machine.txt", "|");
	while (table_next(&table)) {
		const char *way = table.column[0];
		struct host_now now = {
		    .connected = strstr(way, "off") == NULL,
		    .before_ok = strstr(way, "unchecked") == NULL,
		    .drift_ok = strstr(way, "undrifted") == NULL,
		    .synced = strstr(way, "synced") != NULL,
		    .after_ok = strstr(way, "passed") != NULL,
		};
		struct change_fold fold;
		struct err err = ERR_INIT;
		struct act act;
		char got[64];

		place_fold(arena, change, &fold);
		if (place_records(&fold, table.column[1], &err) < 0)
			fail_msg("%d: %s", table.line, err.text);
		machine_next(plan, &fold.parts[0], &now,
		    strncmp(way, "back", 4) == 0, &act);
		snprintf(got, sizeof(got), act.step > 0 ? "%s %d" : "%s",
		    machine_act_word(act.kind), act.step);
		wrong += table_wrong(&table, got, table.column[2]);
	}
	assert_int_equal(wrong, 0);
	assert_true(table.cases > 60);
	arena_free(arena);
}

/* ---- the gate ---- */

/* A plan of one step from "waves | beside them, parted by ;". */
static struct plan *
given_plan(struct arena *arena, const char *waves, const char *beside)
{
	struct buf text = BUF_INIT;
	struct plan *plan;
	char copy[1024];

	buf_printf(&text,
	    "change: t\nreason: t\ntargets: all\nsteps: [{ run: [a] }, { run: "
	    "[b] }]\nwaves: [%s]\n",
	    waves);
	snprintf(copy, sizeof(copy), "%s", beside);
	for (char *at = strtok(copy, ";"); at != NULL; at = strtok(NULL, ";"))
		if (strncmp(at, " racks: ", 8) != 0)
			buf_printf(&text, "%s\n", table_trim(at));
	plan = place_plan(arena, buf_str(&text));
	buf_free(&text);
	return plan;
}

static void
gate_put(const struct change *change, const struct gate *gate, char *out,
    size_t size)
{
	static const char *const words[] = {"wait", "start-wave", "start-host",
	    "soak", "end-wave", "limit", "back", "back-host", "back-limit",
	    "ask", "await", "unanswered", "hold", "paused", "end"};
	const char *word = words[gate->kind];

	switch (gate->kind) {
	case GATE_WAIT:
		snprintf(out, size, gate->until_ms > 0 ? "%s %lld" : "%s", word,
		    (long long)gate->until_ms);
		return;
	case GATE_START_WAVE:
	case GATE_SOAK:
	case GATE_END_WAVE:
		snprintf(out, size, "%s %d", word, gate->wave);
		return;
	case GATE_START_HOST:
	case GATE_BACK_HOST:
		snprintf(
		    out, size, "%s %s", word, change->hosts[gate->part].name);
		return;
	case GATE_LIMIT:
	case GATE_BACK_LIMIT:
		snprintf(out, size, "%s %.255s", word, gate->text);
		return;
	case GATE_BACK:
	case GATE_ASK:
	case GATE_AWAIT:
	case GATE_UNANSWERED:
	case GATE_PAUSED:
	case GATE_HOLD:
	case GATE_END:
		snprintf(out, size, "%s", word);
		return;
	}
}

static void
the_gate_says_what_is_next(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = NULL;
	char records[TABLE_LINE] = "", got[512];
	struct table table;
	int64_t now;
	int wrong = 0;

	table_open(&table, "rollout/gate.txt", "|");
	while (table_next(&table)) {
		struct change_fold fold;
		struct err err = ERR_INIT;
		struct gate gate;
		size_t len = 0;

		if (strcmp(table.column[0], "given") == 0) {
			change = place_change(arena,
			    given_plan(arena, table.column[1], table.column[2]),
			    table.column[3],
			    table.count > 4 ? table.column[4] : "");
			continue;
		}
		if (table.column[0][0] == '+') {
			table.column[0]++;
			len = strlen(records);
			if (*table.column[0] != '\0')
				records[len++] = ',';
		}
		snprintf(records + len, sizeof(records) - len, "%s",
		    table.column[0]);
		place_fold(arena, change, &fold);
		if (place_records(&fold, records, &err) < 0)
			fail_msg("%d: %s", table.line, err.text);
		now = atoll(table.column[1]);
		gate_decide(change, &fold, (struct gate_now){now, now}, &gate);
		gate_put(change, &gate, got, sizeof(got));
		wrong += table_wrong(&table, got, table.column[2]);
	}
	assert_int_equal(wrong, 0);
	assert_true(table.cases > 60);
	arena_free(arena);
}

static void
later_owes_those_that_were_away(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = NULL;
	char records[TABLE_LINE] = "", got[512], wanted[512];
	struct table table;
	int wrong = 0;

	table_open(&table, "rollout/later.txt", "|");
	while (table_next(&table)) {
		struct change_fold fold;
		struct gate_result result;
		struct err err = ERR_INIT;
		bool hosts[8] = {false};
		char why[256] = "";
		size_t len = 0, at = 0;
		int count;
		bool may;

		if (strcmp(table.column[0], "given") == 0) {
			change = place_change(arena,
			    given_plan(arena, table.column[1], table.column[2]),
			    table.column[3], "");
			continue;
		}
		if (table.column[0][0] == '+') {
			table.column[0]++;
			len = strlen(records);
			records[len++] = ',';
		}
		snprintf(records + len, sizeof(records) - len, "%s",
		    table.column[0]);
		place_fold(arena, change, &fold);
		if (place_records(&fold, records, &err) < 0)
			fail_msg("%d: %s", table.line, err.text);
		count = gate_owed(change, &fold, hosts);
		may = gate_may_later(change, &fold, why);
		for (size_t h = 0; h < change->host_count; h++)
			if (hosts[h])
				got[at++] = change->hosts[h].name[0];
		assert_int_equal(count, at);
		if (at == 0)
			got[at++] = '-';
		snprintf(got + at, sizeof(got) - at, " %s", may ? "may" : why);
		snprintf(wanted, sizeof(wanted), "%s %s", table.column[1],
		    table.column[2]);
		wrong += table_wrong(&table, got, wanted);
		/* owed is a word of its own, never done and never failed */
		gate_result_of(change, &fold, &result);
		assert_int_equal(result.owed, count);
		if (count > 0 && !fold.aborted && result.unknown == 0 &&
		    result.failed + result.reverted == 0 && !fold.limit_reached)
			assert_string_equal(result.word, "owed");
		if (count > 0)
			assert_true(result.status >= 6);
	}
	assert_int_equal(wrong, 0);
	assert_true(table.cases > 10);
	arena_free(arena);
}

static void
the_result_is_the_worst_that_holds(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = place_change(
	    arena, given_plan(arena, "{hosts: rest}", ""), "abcd", "");
	struct table table;
	int wrong = 0;

	table_open(&table, "rollout/result.txt", "|");
	while (table_next(&table)) {
		struct change_fold fold;
		struct err err = ERR_INIT;
		struct gate_result is;
		char got[128];

		place_fold(arena, change, &fold);
		if (place_records(&fold, table.column[0], &err) < 0)
			fail_msg("%d: %s", table.line, err.text);
		gate_result(&fold, &is);
		snprintf(got, sizeof(got), "%s %d, %d %d %d %d %d", is.word,
		    is.status, is.done, is.failed, is.reverted, is.unknown,
		    is.left);
		wrong += table_wrong(&table, got, table.column[1]);
	}
	assert_int_equal(wrong, 0);
	arena_free(arena);
}

static void
waves_share_the_hosts_out(void **state)
{
	struct table table;
	int wrong = 0;

	table_open(&table, "rollout/waves.txt", "|");
	while (table_next(&table)) {
		struct arena *arena = arena_new();
		const bool *of[8] = {NULL};
		bool in[64];
		const struct waves_choice choice = {in, of, NULL};
		struct change change = {0};
		struct buf got = BUF_INIT;
		struct err err = ERR_INIT;
		char *racks = strstr(table.column[2], "racks: ");

		change.plan =
		    given_plan(arena, table.column[1], table.column[2]);
		change.host_count = (size_t)atoi(table.column[0]);
		change.hosts =
		    arena_array(arena, struct change_host, change.host_count);
		for (size_t i = 0; i < change.host_count; i++) {
			change.hosts[i].vars = json_map(arena);
			if (racks != NULL)
				json_put_text(arena, change.hosts[i].vars,
				    "rack",
				    arena_printf(arena, "%c", racks[7 + i]));
		}
		memset(in, 1, sizeof(in));
		if (waves_assign(arena, &change, &choice, &err) < 0) {
			buf_puts(
			    &got, strstr(err.text, table.column[3] + 2) != NULL
				      ? table.column[3]
				      : err.text);
		} else {
			for (size_t w = 0; w < change.wave_count; w++)
				buf_printf(&got, "%s%zu", w > 0 ? " " : "",
				    change.waves[w].count);
			buf_printf(&got, ", at most %d", waves_bound(&change));
		}
		wrong += table_wrong(&table, buf_str(&got), table.column[3]);
		buf_free(&got);
		arena_free(arena);
	}
	assert_int_equal(wrong, 0);
}

static void
a_wave_takes_only_what_its_selector_matches(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = given_plan(arena,
	    "{hosts: 1, of: odd}, {hosts: rest, of: odd}, {hosts: rest}", "");
	const bool odd[] = {false, true, false, true, false, true};
	const bool none[6] = {false};
	const bool *of[] = {odd, odd, NULL}, *wrong[] = {odd, none, NULL};
	const bool in[] = {true, true, true, true, true, true};
	const struct waves_choice choice = {in, of, NULL},
				  bad = {in, wrong, NULL};
	struct change change = {.plan = plan, .host_count = 6};
	struct err err = ERR_INIT;

	change.hosts = arena_array(arena, struct change_host, 6);
	assert_int_equal(waves_assign(arena, &change, &choice, &err), 0);
	assert_int_equal(change.wave_count, 3);
	assert_int_equal(change.waves[0].parts[0], 1);
	assert_int_equal(change.waves[1].count, 2);
	assert_int_equal(change.waves[1].parts[0], 3);
	assert_int_equal(change.waves[1].parts[1], 5);
	assert_int_equal(change.waves[2].count, 3);
	for (int h = 0; h < 6; h += 2)
		assert_int_equal(change.hosts[h].waves[0], 3);

	/* P8: a selector that matches nothing is an error, at its place */
	memset(change.hosts, 0, 6 * sizeof(*change.hosts));
	assert_int_equal(waves_assign(arena, &change, &bad, &err), -ERR_PLAN);
	assert_non_null(strstr(err.text, "test.yml:"));
	assert_non_null(strstr(err.text, "matches no target"));
	arena_free(arena);
}

/* ---- the judge ---- */

static struct outcome
judge_outcome(const char *text)
{
	static const char *const words[] = {"notrun", "sealed", "claimed",
	    "running", "done", "lost", "otherlife"};
	struct outcome outcome = {.stopped = strstr(text, "stopped") != NULL};

	for (int i = VERDICT_NOTRUN; i <= VERDICT_OTHERLIFE; i++)
		if (strncmp(text, words[i], strlen(words[i])) == 0) {
			outcome.known = true;
			outcome.verdict = (enum launch_verdict)i;
		}
	if (outcome.known && outcome.verdict == VERDICT_DONE)
		outcome.rc = atoi(text + strlen("done "));
	return outcome;
}

static struct seen
judge_seen(const char *text)
{
	struct seen seen = {.have = strcmp(text, "none") != 0};

	seen.verdict = strcmp(text, "same") == 0      ? SEEN_SAME
		       : strcmp(text, "depends") == 0 ? SEEN_DEPENDS
						      : SEEN_CHANGE;
	snprintf(seen.seen, sizeof(seen.seen), "%s", text);
	return seen;
}

static void
the_judge_never_calls_unknown_failed(void **state)
{
	struct table table;
	int wrong = 0;

	table_open(&table, "rollout/judge.txt", "|");
	while (table_next(&table)) {
		struct outcome outcome = judge_outcome(table.column[1]);
		struct seen seen = judge_seen(table.column[2]);
		bool no_before = strcmp(table.column[2], "no before") == 0;
		struct judgement out = {RECORD_NONE, NULL};

		if (no_before)
			seen.have = false;
		if (strcmp(table.column[0], "step") == 0)
			judge_step(&outcome, &seen, &out);
		else if (strcmp(table.column[0], "undo") == 0)
			judge_undo(
			    &outcome, &seen, no_before ? "" : "before", &out);
		else
			judge_handler_again(&outcome, &seen, &out);
		wrong += table_wrong(
		    &table, record_kind_word(out.kind), table.column[3]);
		assert_non_null(out.why);
	}
	assert_int_equal(wrong, 0);
	assert_true(table.cases > 40);
}

/* covers: P2 */
static void
what_was_not_approved_is_drift(void **state)
{
	struct change_step previewed = {.verdict = CHANGE_CHANGES,
	    .seen = "s",
	    .want = "w",
	    .apply = "a",
	    .undo = "u"};
	struct seen now = {.have = true,
	    .verdict = SEEN_CHANGE,
	    .seen = "s",
	    .want = "w",
	    .apply = "a",
	    .undo = "u"};
	const char *why;

	assert_int_equal(
	    judge_drift(&previewed, &now, false, &why), DRIFT_NONE);
	strcpy(now.want, "newer");
	assert_int_equal(
	    judge_drift(&previewed, &now, false, &why), DRIFT_FOUND);
	assert_true(why[0] != '\0');
	/* but a rule was approved as a rule */
	assert_int_equal(
	    judge_drift(&previewed, &now, true, &why), DRIFT_DEPENDS);
	strcpy(now.want, "w");
	strcpy(now.apply, "b");
	assert_int_equal(
	    judge_drift(&previewed, &now, false, &why), DRIFT_FOUND);
	strcpy(now.apply, "a");
	strcpy(now.undo, "v");
	assert_int_equal(
	    judge_drift(&previewed, &now, false, &why), DRIFT_FOUND);
	now.verdict = SEEN_SAME;
	assert_int_equal(judge_drift(&previewed, &now, false, &why), DRIFT_MET);
	now.verdict = SEEN_CHANGE;
	previewed.verdict = CHANGE_SAME;
	assert_int_equal(
	    judge_drift(&previewed, &now, false, &why), DRIFT_FOUND);
	previewed.verdict = CHANGE_SKIP;
	assert_int_equal(
	    judge_drift(&previewed, &now, false, &why), DRIFT_FOUND);
	previewed.verdict = CHANGE_DEPENDS;
	assert_int_equal(
	    judge_drift(&previewed, &now, false, &why), DRIFT_DEPENDS);
}

static void
an_undo_acts_only_on_what_the_step_left(void **state)
{
	struct step_fold step = {
	    .state = STEP_DONE, .seen = "before", .after = "after"};
	struct seen now = {.have = true};

	strcpy(now.seen, "after");
	assert_int_equal(judge_undo_start(&step, &now), UNDO_START_GO);
	strcpy(now.seen, "before");
	assert_int_equal(
	    judge_undo_start(&step, &now), UNDO_START_BACK_ALREADY);
	strcpy(now.seen, "somebody else's");
	assert_int_equal(judge_undo_start(&step, &now), UNDO_START_CONFLICT);
	/* nobody knows what a half-done step left */
	step.state = STEP_FAILED;
	assert_int_equal(judge_undo_start(&step, &now), UNDO_START_GO);
	step.state = STEP_UNKNOWN;
	assert_int_equal(judge_undo_start(&step, &now), UNDO_START_GO);
	strcpy(now.seen, "before");
	assert_int_equal(
	    judge_undo_start(&step, &now), UNDO_START_BACK_ALREADY);
	/* an undo ran, and failed: from what it left it goes on */
	step.state = STEP_DONE;
	step.undo_ran = true;
	strcpy(step.left, "half");
	strcpy(now.seen, "half");
	assert_int_equal(judge_undo_start(&step, &now), UNDO_START_GO);
	strcpy(now.seen, "somebody else's");
	assert_int_equal(judge_undo_start(&step, &now), UNDO_START_CONFLICT);
	step.undo_ran = false;
	strcpy(now.seen, "half");
	assert_int_equal(judge_undo_start(&step, &now), UNDO_START_CONFLICT);
	/* nothing to compare with */
	now.have = false;
	assert_int_equal(judge_undo_start(&step, &now), UNDO_START_GO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_machine_says_what_is_next),
	    cmocka_unit_test(the_gate_says_what_is_next),
	    cmocka_unit_test(later_owes_those_that_were_away),
	    cmocka_unit_test(the_result_is_the_worst_that_holds),
	    cmocka_unit_test(waves_share_the_hosts_out),
	    cmocka_unit_test(a_wave_takes_only_what_its_selector_matches),
	    cmocka_unit_test(the_judge_never_calls_unknown_failed),
	    cmocka_unit_test(what_was_not_approved_is_drift),
	    cmocka_unit_test(an_undo_acts_only_on_what_the_step_left),
	    cmocka_unit_test(a_simulated_fleet_keeps_every_promise),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
