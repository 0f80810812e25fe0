/*
 * The fold: what each record makes of a change, and what cannot follow.
 * covers: P3, P4, P7
 */
#include "rollout_place.h"

static const char fold_plan[] =
    "change: t\nreason: t\ntargets: all\nwaves: [{hosts: rest}]\n"
    "steps: [{ run: [a] }, { run: [b] }, { run: [c] }]\n";

/* "running, a started touched -failed, 1 done being undone" */
static void
fold_put(const struct change_fold *fold, struct buf *out)
{
	const struct part_fold *host = &fold->parts[0];

	buf_printf(out, "%s, a %s%s%s%s%s%s", change_state_word(fold->state),
	    host_state_word(host->state), host->touched ? " touched" : "",
	    host->host->failed ? " -failed" : "",
	    host->host->unreachable ? " -unreachable" : "",
	    host->host->excluded ? " -excluded" : "",
	    host->kept > 0 ? " kept" : "");
	for (int id = 1; id <= fold->step_count; id++) {
		const struct step_fold *step = &host->steps[id];
		const char *undo = undo_state_word(step->undo);

		if (step->state == STEP_WAITING && step->attempts == 0)
			continue;
		buf_printf(out, ", %d %s%s%s", id, step_state_word(step->state),
		    undo[0] != '\0' ? " " : "", undo);
	}
}

static void
records_make_the_state(void **state)
{
	struct arena *arena = arena_new();
	struct change *change =
	    place_change(arena, place_plan(arena, fold_plan), "ab", "");
	struct table table;
	int wrong = 0;

	table_open(&table, "rollout/fold.txt", "|");
	while (table_next(&table)) {
		struct buf got = BUF_INIT;
		struct change_fold fold;
		struct err err = ERR_INIT;
		const char *wanted = table.column[1];
		bool right;

		place_fold(arena, change, &fold);
		if (place_records(&fold, table.column[0], &err) < 0) {
			buf_puts(&got, err.text);
			right = wanted[0] == '!' && err.code == ERR_STORE &&
				strstr(err.text, wanted + 2) != NULL;
		} else {
			fold_put(&fold, &got);
			right = strcmp(buf_str(&got), wanted) == 0;
		}
		if (!right) {
			print_error("%s:%d: is '%s', should be '%s'\n",
			    table.name, table.line, buf_str(&got), wanted);
			wrong++;
		}
		buf_free(&got);
	}
	assert_int_equal(wrong, 0);
	assert_true(table.cases > 50);
	arena_free(arena);
}

static struct change_fold
folded(struct arena *arena, const char *records)
{
	struct change *change =
	    place_change(arena, place_plan(arena, fold_plan), "ab", "");
	struct change_fold fold;
	struct err err = ERR_INIT;

	place_fold(arena, change, &fold);
	if (place_records(&fold, records, &err) < 0)
		fail_msg("%s", err.text);
	return fold;
}

static void
the_way_back_leads_to_before_the_first_attempt_that_ran(void **state)
{
	struct arena *arena = arena_new();
	struct change_fold fold;
	const struct step_fold *step;

	fold = folded(arena,
	    "intent 1 seen=s1 undo=u1 want=w1, failed 1, "
	    "intent 1 seen=s2 undo=u2 want=w2, done 1 seen=after");
	step = &fold.parts[0].steps[1];
	assert_string_equal(step->seen, "s1");
	assert_string_equal(step->undo_script, "u1");
	assert_string_equal(step->want, "w2");
	assert_string_equal(step->after, "after");
	assert_int_equal(step->attempts, 2);

	/* what never ran changed nothing: the state before it is not ours */
	fold = folded(arena, "intent 1 seen=s1 undo=u1, sealed 1, "
			     "intent 1 seen=s2 undo=u2, failed 1, "
			     "intent 1 seen=s3 undo=u3, sealed 1");
	step = &fold.parts[0].steps[1];
	assert_string_equal(step->seen, "s2");
	assert_string_equal(step->undo_script, "u2");
	assert_int_equal(step->state, STEP_FAILED);
	assert_int_equal(step->attempts, 3);
	assert_int_equal(step->sealed, 2);
	arena_free(arena);
}

/* A handler must be younger than what it was notified by, also when nobody
 * could say when that ended. */
static void
an_uptime_is_never_lost(void **state)
{
	struct arena *arena = arena_new();
	struct change_fold fold;

	fold = folded(arena,
	    "intent 1, done 1 uptime=9.50, intent 2, done 2 uptime=100.25");
	assert_string_equal(fold.parts[0].steps[1].uptime, "9.50");
	fold = folded(arena,
	    "intent 1, done 1 uptime=9.50, intent 2, done 2 uptime=100.25, "
	    "undo-done 1");
	assert_string_equal(fold.parts[0].steps[1].uptime, "100.25");
	fold = folded(arena, "intent 1, failed 1 uptime=7.00, done 1");
	assert_string_equal(fold.parts[0].steps[1].uptime, "7.00");
	fold = folded(arena,
	    "intent 1, done 1 uptime=9.50, undo-intent 1, undo-done 1 "
	    "uptime=12.00");
	assert_string_equal(fold.parts[0].steps[1].uptime, "12.00");
	fold = folded(arena, "intent 1, done 1");
	assert_string_equal(fold.parts[0].steps[1].uptime, "");
	arena_free(arena);
}

static void
limits_count_hosts_once(void **state)
{
	struct arena *arena = arena_new();
	struct change_fold fold = folded(
	    arena, "failed a, back a, lost a, back a, stuck a, excluded b");

	assert_int_equal(fold.failed, 1);
	assert_int_equal(fold.unreachable, 1);
	assert_int_equal(fold.excluded, 1);
	arena_free(arena);
}

/* `list` folds every change without knowing its hosts. */
static void
a_fold_without_a_shape_passes_over_hosts(void **state)
{
	struct arena *arena = arena_new();
	struct change_fold fold;
	struct err err = ERR_INIT;

	fold_init(&fold, arena, 1);
	assert_int_equal(fold.last_number, -1);
	assert_int_equal(
	    place_records(&fold,
		"submitted title=T frozen=F, run-started, wave-started 1, "
		"intent web1 1, done web1 9, unreachable web2, "
		"limit-reached text=why, run-ended result=failed",
		&err),
	    0);
	assert_int_equal(fold.state, CHANGE_ENDED);
	assert_string_equal(fold.title, "T");
	assert_string_equal(fold.frozen, "F");
	assert_string_equal(fold.result, "failed");
	assert_string_equal(fold.limit_text, "why");
	assert_true(fold.limit_reached);
	assert_int_equal(fold.last_number, 7);
	assert_int_equal(fold.failed, 0);
	arena_free(arena);
}

static void
a_rejection_ends_only_what_has_not_run(void **state)
{
	struct arena *arena = arena_new();
	struct change_fold fold;
	struct err err = ERR_INIT;

	fold_init(&fold, arena, 1);
	assert_int_equal(place_records(&fold,
			     "submitted title=T, approved person=ann "
			     "statement=s signature=g fingerprint=f",
			     &err),
	    0);
	assert_int_equal(fold.state, CHANGE_SUBMITTED);
	assert_int_equal(place_records(&fold, "rejected person=bob", &err), 0);
	assert_int_equal(fold.state, CHANGE_REJECTED);
	assert_int_equal(fold.approval_count, 2);
	assert_false(fold.approvals[0].rejects);
	assert_string_equal(fold.approvals[0].person, "ann");
	assert_string_equal(fold.approvals[0].signature, "g");
	assert_true(fold.approvals[1].rejects);

	fold_init(&fold, arena, 1);
	assert_int_equal(
	    place_records(&fold,
		"submitted title=T, run-started, rejected person=bob", &err),
	    0);
	assert_int_equal(fold.state, CHANGE_RUNNING);
	arena_free(arena);
}

/* What an undo that failed has left is where the next try may begin: judged
 * by judge_undo_start. One that never ran has left nothing. */
static void
what_an_undo_has_left_is_kept(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = place_change(arena,
	    place_plan(arena,
		"change: t\nreason: t\ntargets: all\nwaves: [{hosts: rest}]\n"
		"steps: [{ run: [a] }]\n"),
	    "a", "");
	const struct step_fold *step;
	struct change_fold fold;
	struct err err = ERR_INIT;

	place_fold(arena, change, &fold);
	step = &fold.hosts[0].steps[1];
	assert_int_equal(
	    place_records(
		&fold, "intent 1, done 1, undo-intent 1, undo-sealed 1", &err),
	    0);
	assert_false(step->undo_ran);
	assert_int_equal(place_records(&fold,
			     "undo-intent 1, undo-failed 1 seen=half", &err),
	    0);
	assert_true(step->undo_ran);
	assert_false(step->blind);
	assert_string_equal(step->left, "half");
	assert_int_equal(place_records(&fold,
			     "run-started epoch=2, back a, undo-intent 1, "
			     "undo-unknown 1 blind=yes",
			     &err),
	    0);
	assert_true(step->blind);
	assert_string_equal(step->left, "");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_make_the_state),
	    cmocka_unit_test(
		the_way_back_leads_to_before_the_first_attempt_that_ran),
	    cmocka_unit_test(an_uptime_is_never_lost),
	    cmocka_unit_test(limits_count_hosts_once),
	    cmocka_unit_test(a_fold_without_a_shape_passes_over_hosts),
	    cmocka_unit_test(a_rejection_ends_only_what_has_not_run),
	    cmocka_unit_test(what_an_undo_has_left_is_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
