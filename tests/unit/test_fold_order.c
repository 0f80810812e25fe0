/*
 * Two sorts of records make a change: what its run says, folded as it is
 * appended, and what persons say beside it, folded in the order of the list.
 * Whatever the interleaving, memory must come out as the stored list does.
 * covers: P3, P4
 */
#include "fold_text.h"
#include "journal_store.h"
#include "rollout_place.h"

static const char order_plan[] =
    "change: t\nreason: t\ntargets: all\nwaves: [{hosts: rest}]\n"
    "steps: [{ run: [a] }, { run: [b] }]\n";

/* Where a change can stand when somebody says something beside its run. */
static const char *const stands[] = {
    "run-started",
    "run-started, paused",
    "run-started, asked 1 at=5",
    "run-started, asked 1 at=5, unanswered 1",
    "run-started, asked 1 at=5, answered 1 answer=yes",
    "run-started, asked 1 at=5, answered 1 answer=no",
    "run-started, wave-started 1, host-started a",
    "run-started, host-started a, intent 1 xid=x1",
    "run-started, host-started a, intent 1 xid=x1, unknown 1 xid=x1",
    "run-started, host-started a, intent 1 xid=x1 seen=s, unknown 1 xid=x1, "
    "failed a",
    "run-started, host-started a, intent 1 xid=x1, unknown 1 xid=x1, lost a",
    "run-started, host-started a, intent 1 xid=x1, unknown 1 xid=x1, lost a, "
    "paused because=p at=7",
    "run-started, host-started a, intent 1 xid=x1, unknown 1 xid=x1, failed a, "
    "paused because=p at=7, settled a 1 xid=x1 outcome=done",
    "run-started, host-started a, intent 1 xid=x1, unknown 1 xid=x1, failed a, "
    "rejected person=p",
    "run-started, host-started a, intent 1 xid=x1 seen=s, done 1 xid=x1, "
    "failed a, back a, undo-intent 1 xid=x2, undo-unknown 1 xid=x2, stuck a, "
    "paused because=p at=7, settled a 1 xid=x2 outcome=not-done",
    "run-started, host-started a, intent 1 xid=x1, unknown 1 xid=x1 "
    "unasked=yes, lost a",
    "run-started, host-started a, intent 1 xid=x1, unknown 1 xid=x1 "
    "unasked=yes, lost a, back a",
    "run-started, host-started a, intent 1 xid=x1 seen=s, done 1 xid=x1, "
    "failed a, back a, undo-intent 1 xid=x2, undo-unknown 1 xid=x2 "
    "unasked=yes, stuck a",
    "run-started, host-started a, intent 1 xid=x1, unknown 1 xid=x1, "
    "failed a, back a",
    "run-started, host-started a, intent 1 xid=x1 seen=s, unknown 1 xid=x1, "
    "failed a, back a, undo-intent 1 xid=x2",
    "run-started, host-started a, intent 1 xid=x1, unknown 1 xid=x1, "
    "failed a, back a, undo-intent 1 xid=x2, undo-unknown 1 xid=x2, stuck a",
    "run-started, host-started a, intent 1 xid=x1 seen=s, done 1 xid=x1, "
    "failed a, back a, undo-intent 1 xid=x2, undo-unknown 1 xid=x2, stuck a",
    "run-started, host-started a, intent 1 xid=x1, unknown 1 xid=x1, "
    "back-started, failed a, back a, undo-conflict 1, stuck a",
};

/* What a run may say next, of which only what can follow is tried. A run
 * that has said how it ended folds nothing more. */
static const char *const runs[] = {
    "run-started",
    "wave-started 1",
    "wave-soaking 1 at=500",
    "wave-ended 1",
    "limit-reached text=l",
    "asked 1 at=9",
    "asked 2 at=9",
    "unanswered 1",
    "back-started",
    "back-ended",
    "back-asked",
    "back-asked a",
    "back-limit-reached text=l",
    "host-started b",
    "opened a",
    "back a",
    "excluded b",
    "unreachable b",
    /* from here on: only of a host that does not rest */
    "check a result=inconclusive",
    "check a result=pass",
    "check a result=fail",
    "done a",
    "failed a",
    "lost a",
    "reverted a",
    "stuck a",
    "same 2",
    "intent 1 xid=x3",
    "intent 2 xid=x3",
    "done 1 xid=x1",
    "failed 1 xid=x1",
    "unknown 1 xid=x1",
    "sealed 1 xid=x1",
    "undo-intent 1 xid=x4",
    "undo-done 1 xid=x2",
    "undo-failed 1 xid=x2",
    "undo-unknown 1 xid=x2",
    "undo-sealed 1 xid=x2",
    "undo-kept 1",
    "undo-stopped 1",
    "undo-conflict 1",
};
enum { RUNS_OF_RESTING = 18 };

static const char *const besides[] = {
    "approved person=p",
    "rejected person=p",
    "paused because=p at=7",
    "resumed",
    "aborted because=p",
    "answered 1 answer=yes at=8",
    "answered 1 answer=no because=p at=8",
    "settled a 1 xid=x1 outcome=done",
    "settled a 1 xid=x1 outcome=not-done",
    "settled a 1 xid=x2 outcome=done",
    "settled a 1 xid=x2 outcome=not-done",
    "later-over text=a",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A word on a step is taken only when nothing came from its host since it was
 * looked at (journal_append_if_last), and when that stands still. */
static bool
order_may_be_said(struct arena *arena, const struct change *change,
    const char *stand, size_t run, const char *beside)
{
	struct change_fold fold;
	struct err err = ERR_INIT;

	place_fold(arena, change, &fold);
	if (place_records(&fold, stand, &err) < 0)
		fail_msg("%s: %s", stand, err.text);
	/* nor is anybody answered who did not ask */
	if (strncmp(beside, "answered", 8) == 0)
		return fold_ask_open(&fold) != NULL;
	/* nor does a run say more of a host that waits for a pause's end */
	if (strcmp(beside, "resumed") == 0)
		return !fold.parts[0].due || run < RUNS_OF_RESTING;
	return strncmp(beside, "settled", 7) != 0 ||
	       (fold_part_rests(&fold.parts[0]) && run < RUNS_OF_RESTING);
}

/* The state after three texts; false when one cannot follow. */
static bool
order_fold(struct arena *arena, const struct change *change, const char *stand,
    const char *one, const char *two, struct buf *out)
{
	const char *texts[] = {stand, one, two};
	struct change_fold fold;
	struct err err = ERR_INIT;

	place_fold(arena, change, &fold);
	for (size_t i = 0; i < COUNT(texts); i++)
		if (place_records(&fold, texts[i], &err) < 0)
			return false;
	fold.last_number = 0; /* the list's, not what it makes */
	for (size_t i = 0; i < fold.approval_count; i++)
		fold.approvals[i].number = 0;
	fold_text(&fold, out);
	return true;
}

static void
what_is_said_beside_a_run_may_come_before_or_after(void **state)
{
	struct arena *arena = arena_new();
	struct change *change =
	    place_change(arena, place_plan(arena, order_plan), "ab", "");
	int wrong = 0, tried = 0;

	for (size_t s = 0; s < COUNT(stands); s++)
		for (size_t r = 0; r < COUNT(runs); r++)
			for (size_t b = 0; b < COUNT(besides); b++) {
				struct buf memory = BUF_INIT, list = BUF_INIT;

				/* what cannot follow what stands is never said,
				 * and what is said beside never forbids it */
				if (!order_may_be_said(arena, change, stands[s],
					r, besides[b]) ||
				    !order_fold(arena, change, stands[s],
					runs[r], besides[b], &memory))
					goto next;
				tried++;
				if (order_fold(arena, change, stands[s],
					besides[b], runs[r], &list) &&
				    strcmp(buf_str(&memory), buf_str(&list)) ==
					0)
					goto next;
				print_error("%s\n  %s, %s: %s\n  %s, %s: %s\n",
				    stands[s], runs[r], besides[b],
				    buf_str(&memory), besides[b], runs[r],
				    list.len > 0 ? buf_str(&list) : "refused");
				wrong++;
			next:
				buf_free(&memory);
				buf_free(&list);
			}
	print_message("# %d pairs, %d wrong\n", tried, wrong);
	assert_int_equal(wrong, 0);
	assert_true(tried > 1000);
	arena_free(arena);
}

/* ---- a run and others at one store, through the journal ---- */

struct running {
	struct scratch *s;
	struct loop *loop;
	struct journal *journal; /* of the run */
	struct journal *other;	 /* another process's */
	struct journal_watch *watch;
	struct change_fold fold; /* the run's memory */
	int left, heard;
	bool failed;
};

static void
run_heard(void *arg, const struct record *record, const struct err *err)
{
	struct running *run = arg;
	struct err why = ERR_INIT;

	if (err != NULL || fold_record(&run->fold, record, &why) < 0)
		run->failed = true;
	run->heard++;
}

static void run_said(void *arg, struct ticket *const *tickets, size_t count,
    const struct err *err);

/* What a run does: fold, then append. */
static void
run_say(struct running *run, struct record record)
{
	struct err err = ERR_INIT;

	record.number = -1;
	record.wall_ms = world_wall_ms(&world_real) - 1000 * run->left;
	record.mono_ms = record.wall_ms;
	if (fold_record(&run->fold, &record, &err) < 0)
		fail_msg("%s", err.text);
	journal_append(run->journal, &record, 1, run_said, run);
}

static void
run_said(void *arg, struct ticket *const *tickets, size_t count,
    const struct err *err)
{
	static const enum record_kind others[] = {RECORD_PAUSED, RECORD_RESUMED,
	    RECORD_APPROVED, RECORD_ABORTED, RECORD_REJECTED, RECORD_PAUSED};
	struct running *run = arg;
	struct record r;

	if (err != NULL)
		fail_msg("%s", err->text);
	journal_watch_look(run->watch);
	if (run->left-- == 0) {
		loop_stop(run->loop);
		return;
	}
	/* somebody says something while the run has more under way */
	r = make(RECORD_WAVE_SOAKING, 1, 1);
	r.step = 1;
	run_say(run, r);
	for (int i = 0; i < 1 + run->left % 3; i++) {
		r = make(others[(run->left + i) % 6], 1, 1);
		r.actor = i % 2 == 0 ? "alice" : "bob";
		r.body = "{\"because\":\"look\",\"person\":\"alice\"}";
		append(run->other, r);
	}
}

static int
run_read(void *arg, const struct record *record, struct err *err)
{
	return fold_record(arg, record, err);
}

static void
memory_is_what_the_stored_list_makes(void **state)
{
	struct scratch *s = *state;
	struct change *change =
	    place_change(s->arena, place_plan(s->arena, order_plan), "ab", "");
	struct running run = {.s = s, .left = 200};
	struct buf memory = BUF_INIT, list = BUF_INIT;
	struct change_fold stored;
	struct record r = make(RECORD_SUBMITTED, 0, 0);
	int number;

	assert_ok(loop_open(&run.loop, err));
	assert_ok(journal_open(
	    s->store, JOURNAL_WRITE, &world_real, run.loop, &run.journal, err));
	run.other = open_store(s->store, JOURNAL_WRITE);
	place_fold(s->arena, change, &run.fold);
	assert_ok(journal_append_new_change(run.journal, &r, &number, err));
	append(run.journal, make(RECORD_RUN_STARTED, 1, 1));
	assert_ok(journal_read(run.journal, 1, 0, run_read, &run.fold, err));
	run.watch = journal_watch_start(
	    run.journal, 1, run.fold.last_number + 1, 1, 0, run_heard, &run);
	run_said(&run, NULL, 0, NULL);
	loop_run(run.loop);
	assert_false(run.failed);
	assert_true(run.heard >= 200);

	place_fold(s->arena, change, &stored);
	assert_ok(journal_read(run.other, 1, 0, run_read, &stored, err));
	/* the last records of a run have no number yet */
	assert_true(run.fold.last_number <= stored.last_number);
	run.fold.last_number = stored.last_number;
	fold_text(&run.fold, &memory);
	fold_text(&stored, &list);
	assert_string_equal(buf_str(&memory), buf_str(&list));
	assert_true(strstr(buf_str(&list), "paused") != NULL);

	journal_watch_stop(run.watch);
	journal_close(run.journal);
	journal_close(run.other);
	loop_close(run.loop);
	buf_free(&memory);
	buf_free(&list);
}

/* Nothing commits here: only the look at the store tells. */
static void
stop_heard(void *arg, const struct record *record, const struct err *err)
{
	struct running *run = arg;

	assert_null(err);
	run->heard++;
	assert_int_equal(record->epoch, 2);
	assert_int_equal(record->kind, RECORD_RUN_STARTED);
	journal_watch_stop(run->watch);
	loop_stop(run->loop);
}

static void
a_run_that_sleeps_hears_that_another_took_over(void **state)
{
	struct scratch *s = *state;
	struct running run = {.s = s};
	struct record r = make(RECORD_SUBMITTED, 0, 0);
	int number;

	assert_ok(loop_open(&run.loop, err));
	assert_ok(journal_open(
	    s->store, JOURNAL_WRITE, &world_real, run.loop, &run.journal, err));
	run.other = open_store(s->store, JOURNAL_WRITE);
	assert_ok(journal_append_new_change(run.journal, &r, &number, err));
	append(run.journal, make(RECORD_RUN_STARTED, 1, 1));
	append(run.other, make(RECORD_HOST_DONE, 1, 1)); /* its own epoch's */
	append(run.other, make(RECORD_RUN_STARTED, 1, 2));
	append(run.other, make(RECORD_WAVE_ENDED, 1, 2));
	run.watch =
	    journal_watch_start(run.journal, 1, 0 + 2, 1, 10, stop_heard, &run);
	loop_run(run.loop);
	assert_int_equal(run.heard, 1);
	journal_close(run.journal);
	journal_close(run.other);
	loop_close(run.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		what_is_said_beside_a_run_may_come_before_or_after),
	    scratch_test(memory_is_what_the_stored_list_makes),
	    scratch_test(a_run_that_sleeps_hears_that_another_took_over),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
