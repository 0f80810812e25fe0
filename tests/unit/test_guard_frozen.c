/*
 * A dead-man in a frozen change: what a host is given to go back by itself is
 * fixed with the rest, thawed as it was, covered by the digest, and refused
 * when one byte of it is another. covers: P2
 */
#include "change_place.h"

/* The steps of plan_text, the first under a guard with its handler. */
static const char guarded_text[] = CHANGE_PLAN(
    "  - guard: 90s\n"
    "    steps:\n"
    "      - { name: edit, file: { path: /etc/web }, notify: again }\n");

/* Previewed; on its last host there is nothing to do under the guard. */
static struct change *
make_guarded(struct arena *arena)
{
	struct change *change = make_change_of(arena, NULL, guarded_text);

	for (size_t h = 0; h < change->host_count; h++) {
		struct change_host *host = &change->hosts[h];

		host->guards = arena_array(arena, const char *, 2);
		host->steps[AGAIN].verdict = CHANGE_CHANGES;
		if (h == 2)
			host->steps[EDIT].verdict = CHANGE_SAME;
		assert_ok(change_make_guards(change, host, err));
	}
	change_freeze(arena, change);
	return change;
}

static void
what_was_frozen_is_what_is_thawed(void **state)
{
	struct scratch *s = *state;
	struct change *change = make_guarded(s->arena), *back = NULL;
	struct journal *journal = open_store(s->store, JOURNAL_WRITE);
	struct blobs *blobs = blobs_new(s->arena, journal);
	const struct plan *plan;
	struct bytes text;

	assert_ok(blobs_store(change->blobs, journal, err));
	assert_ok(change_thaw(s->arena, change->digest, blobs, &back, err));
	plan = back->plan;
	assert_int_equal(plan->guard_count, 1);
	assert_true(plan->guards[0]->time_ms == 90000);
	assert_int_equal(plan->last_act, AGAIN + GUARD_ACTS);
	assert_ptr_equal(plan->by_id[EDIT]->guard, plan->guards[0]);
	assert_ptr_equal(plan->by_id[AGAIN]->guard, plan->guards[0]);
	assert_null(plan->by_id[MIGRATE]->guard);
	for (int h = 0; h < 2; h++) {
		assert_string_equal(
		    back->hosts[h].guards[0], change->hosts[h].guards[0]);
		assert_ok(
		    blobs_get(blobs, back->hosts[h].guards[0], &text, err));
		assert_string_equal(arena_copy(s->arena, text.data, text.len),
		    arena_printf(s->arena,
			"guard_step %.16s 'undo edit web%d\n'\n"
			"guard_handler '%.16s' 'do again web%d\n'\n",
			back->hosts[h].steps[EDIT].undo, h + 1,
			back->hosts[h].steps[EDIT].undo, h + 1));
	}
	assert_string_equal(back->hosts[2].guards[0], "");
	assert_string_equal(change_dead_man(s->arena, back), "90s round edit");

	back->blobs = blobs_new(s->arena, NULL);
	change_freeze(s->arena, back);
	assert_string_equal(back->digest, change->digest);
	journal_close(journal);
}

/* Thaw the document with one text in the place of another. */
static int
thaw_with(struct change *change, const char *old, const char *new)
{
	struct arena *arena = arena_new();
	struct bytes whole = {NULL, 0};
	struct change *back = NULL;
	struct err err = ERR_INIT;
	const char *text, *at;
	int r;

	if (blobs_get(change->blobs, change->digest, &whole, &err) < 0)
		fail_msg("%s", err.text);
	text = arena_copy(arena, whole.data, whole.len);
	if ((at = strstr(text, old)) == NULL)
		fail_msg("no %s in the document", old);
	text = arena_printf(
	    arena, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
	r = change_thaw(arena, blobs_put(change->blobs, bytes_of(text)),
	    change->blobs, &back, &err);
	arena_free(arena);
	return r;
}

static void
a_guard_that_is_not_whole_is_refused(void **state)
{
	struct scratch *s = *state;
	struct change *change = make_guarded(s->arena);
	const char *guards = arena_printf(
	    s->arena, "\"guards\":[\"%s\"]", change->hosts[0].guards[0]);

	assert_int_equal(thaw_with(change, guards, guards), 0);
	assert_true(thaw_with(change, guards, "\"guards\":[]") < 0);
	assert_true(thaw_with(change, guards, "\"guards\":[1]") < 0);
	assert_true(thaw_with(change, guards, "\"guards\":\"x\"") < 0);
	assert_true(thaw_with(change, guards, "\"guard\":[\"\"]") < 0);
}

/* The way back and its time are part of what is approved. */
static void
the_digest_covers_it(void **state)
{
	struct scratch *s = *state;
	struct change *a = make_guarded(s->arena), *b = make_guarded(s->arena);

	assert_string_equal(a->digest, b->digest);
	b->hosts[1].guards[0] = b->hosts[0].guards[0];
	change_freeze(s->arena, b);
	assert_string_not_equal(a->digest, b->digest);
	b = make_guarded(s->arena);
	b->hosts[0].guards[0] = "";
	change_freeze(s->arena, b);
	assert_string_not_equal(a->digest, b->digest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    scratch_test(what_was_frozen_is_what_is_thawed),
	    scratch_test(a_guard_that_is_not_whole_is_refused),
	    scratch_test(the_digest_covers_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
