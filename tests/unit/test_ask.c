/*
 * What a phase asks a person: how a plan has it, who may answer, what the gate
 * makes of it, what an answer says.
 * covers: P2, P4, P9
 */
#include "rollout_place.h"

#include "approval/answer.h"
#include "change/change.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char ask_plan[] =
    "change: t\nreason: t\ntargets: all\n"
    "limits: { unreachable: 9, failed: 9 }\n"
    "rollback: { host_failed: hold }\n"
    "phases:\n"
    "  - { name: one, steps: [{ run: [a] }] }\n"
    "  - name: two\n"
    "    ask: { role: dba, say: Verified?, within: 10s }\n"
    "    steps: [{ run: [b] }]\n";

/* ---- the plan ---- */

static void
a_phase_asks(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = place_plan(arena, ask_plan);
	struct plan *plain = place_plan(arena,
	    "change: t\nreason: t\ntargets: all\nwaves: [{hosts: rest}]\n"
	    "ask: { say: 'Ready, ${{ inputs.who }}?', within: 1d }\n"
	    "steps: [{ run: [a] }]\n");

	assert_null(plan->phases[0].ask);
	assert_string_equal(plan->phases[1].ask->role, "dba");
	assert_string_equal(plan->phases[1].ask->say, "Verified?");
	assert_true(plan->phases[1].ask->within_ms == 10000);
	assert_null(plain->phases[0].ask->role);
	assert_true(plain->phases[0].ask->within_ms == 86400000);
	arena_free(arena);
}

/* ---- the change ---- */

static struct change *
asked(struct arena *arena)
{
	struct change *change =
	    place_change(arena, place_plan(arena, ask_plan), "abc", "");
	static const char *dba[] = {"carol", "dave"};

	change->digest = HEX64;
	change->asks = arena_array(arena, struct change_ask, 2);
	change->asks[1] = (struct change_ask){"dba", dba, 2, "Verified?"};
	return change;
}

static void
who_may_answer(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = asked(arena);
	struct change_ask *ask = &change->asks[1];

	assert_null(change_ask(change, 0));
	assert_ptr_equal(change_ask(change, 1), ask);
	assert_true(change_may_answer(change, ask, "bob", "carol"));
	assert_false(change_may_answer(change, ask, "bob", "alice"));
	assert_false(change_may_answer(change, ask, "bob", "bob"));
	assert_false(change_may_answer(change, ask, "carol", "carol"));
	assert_true(change_may_answer(change, ask, "carol", "dave"));
	change->solo = true;
	assert_true(change_may_answer(change, ask, "carol", "carol"));
	assert_false(change_may_answer(change, ask, "bob", "bob"));
	/* without a role whoever signs */
	change->solo = false;
	*ask = (struct change_ask){.role = "", .say = "Verified?"};
	assert_true(change_may_answer(change, ask, "bob", "alice"));
	assert_false(change_may_answer(change, ask, "bob", "bob"));
	arena_free(arena);
}

static void
it_is_said_before_approval(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = asked(arena);

	assert_string_equal(change_asks(arena, change),
	    "before phase 2 \"two\", dba (carol, dave) within 10s, or it "
	    "holds; no stops it: Verified?");
	change->plan->phases[1].ask = NULL;
	assert_null(change_asks(arena, change));
	arena_free(arena);
}

static void
it_is_frozen_with_the_change(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = asked(arena), *back = asked(arena);
	struct json *list = change_freeze_asks(arena, change);
	struct err err = ERR_INIT;

	back->asks = NULL;
	assert_int_equal(change_thaw_asks(arena, back, list, &err), 0);
	assert_string_equal(
	    change_asks(arena, back), change_asks(arena, change));
	assert_true(json_equal(change_freeze_asks(arena, back), list));
	/* a plan that asks is not thawed without who is asked, nor another
	 * with it */
	assert_int_equal(change_thaw_asks(arena, back, NULL, &err), -ERR_STORE);
	json_put_int(arena, list->items[0], "phase", 0);
	assert_int_equal(change_thaw_asks(arena, back, list, &err), -ERR_STORE);
	json_put_int(arena, list->items[0], "phase", 1);
	json_put_text(arena, list->items[0], "say", "");
	assert_int_equal(change_thaw_asks(arena, back, list, &err), -ERR_STORE);
	json_put_text(arena, list->items[0], "say", "x");
	assert_int_equal(change_thaw_asks(arena, back, list, &err), 0);
	back->plan->phases[1].ask = NULL;
	assert_int_equal(change_thaw_asks(arena, back, list, &err), -ERR_STORE);
	assert_int_equal(change_thaw_asks(arena, back, NULL, &err), 0);
	arena_free(arena);
}

/* ---- the gate ---- */

static void
gate_text(const struct change *change, const struct change_fold *fold,
    int64_t now_ms, char *out, size_t size)
{
	static const char *const words[] = {"wait", "start-wave", "start-host",
	    "soak", "end-wave", "limit", "back", "back-host", "back-limit",
	    "ask", "await", "unanswered", "hold", "paused", "end"};
	struct gate gate;

	gate_decide(change, fold, (struct gate_now){now_ms, 0}, &gate);
	snprintf(out, size, "%s", words[gate.kind]);
	if (gate.kind == GATE_AWAIT)
		snprintf(out, size, "await %lld", (long long)gate.until_ms);
	else if (gate.kind == GATE_START_HOST || gate.kind == GATE_BACK_HOST)
		snprintf(out, size, "%s %s", words[gate.kind],
		    change_part_host(change, gate.part)->name);
	else if (gate.kind == GATE_START_WAVE || gate.kind == GATE_SOAK ||
		 gate.kind == GATE_END_WAVE)
		snprintf(out, size, "%s %d", words[gate.kind], gate.wave);
}

static void
no_host_starts_without_a_yes(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = asked(arena);
	struct change_fold fold;
	struct err err = ERR_INIT;
	struct table table;
	int wrong = 0;

	table_open(&table, "rollout/asks.txt", "|");
	while (table_next(&table)) {
		const char *records = table.column[0];
		char got[320];

		if (records[0] != '+')
			place_fold(arena, change, &fold);
		if (place_records(&fold, records + (records[0] == '+'), &err) <
		    0)
			fail_msg("%d: %s", table.line, err.text);
		gate_text(
		    change, &fold, atoll(table.column[1]), got, sizeof(got));
		wrong += table_wrong(&table, got, table.column[2]);
	}
	assert_int_equal(wrong, 0);
	assert_true(table.cases > 20);
	arena_free(arena);
}

/* What was not started is left over, and it is called aborted. */
static void
a_no_ends_it_as_an_abort_does(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = asked(arena);
	struct change_fold fold;
	struct gate_result result;
	struct err err = ERR_INIT;

	place_fold(arena, change, &fold);
	assert_int_equal(
	    place_records(&fold,
		"run-started, done a wave=1, done b wave=1, done c wave=1, "
		"asked 2, answered 2 answer=no because=dump",
		&err),
	    0);
	assert_string_equal(fold_ask_no(&fold)->because, "dump");
	assert_null(fold_ask_open(&fold));
	gate_result(&fold, &result);
	assert_string_equal(result.word, "aborted");
	assert_int_equal(result.status, 9);
	assert_int_equal(result.left, 3);
	arena_free(arena);
}

/* Whoever was away is not owed what was stopped by a no. */
static void
nothing_is_owed_after_a_no(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = asked(arena);
	struct change_fold fold;
	struct gate_result result;
	struct err err = ERR_INIT;

	change->plan->later_ms = 86400000;
	place_fold(arena, change, &fold);
	assert_int_equal(
	    place_records(&fold,
		"run-started, unreachable a wave=1, done b wave=1, "
		"done c wave=1, asked 2",
		&err),
	    0);
	gate_result_of(change, &fold, &result);
	assert_int_equal(result.owed, 1);
	assert_int_equal(
	    place_records(&fold, "answered 2 answer=no because=dump", &err), 0);
	gate_result_of(change, &fold, &result);
	assert_int_equal(result.owed, 0);
	assert_string_equal(result.word, "aborted");
	arena_free(arena);
}

/* ---- the answer ---- */

static const struct answer_said word = {
    .change = 7,
    .title = "Shop 2.4.1",
    .digest = HEX64,
    .phase = 2,
    .name = "Migrate once",
    .of = "dba (carol, dave)",
    .say = "Tonight's backup verified?",
    .yes = true,
    .by = {.because = "restored it",
	.person = "carol",
	.nonce = "fedcba98fedcba98fedcba98fedcba98",
	.at_ms = 1700000000123},
};

static void
it_has_one_form(void **state)
{
	struct answer_said odd = word;
	struct buf text = BUF_INIT;

	answer_write(&text, &word);
	assert_string_equal(buf_str(&text),
	    "hoshu-answer/1\n"
	    "change: CHG-0007\n"
	    "title: Shop 2.4.1\n"
	    "digest: sha256 " HEX64 "\n"
	    "phase: 2 Migrate once\n"
	    "asked of: dba (carol, dave)\n"
	    "question: Tonight's backup verified?\n"
	    "answer: yes\n"
	    "because: restored it\n"
	    "person: carol\n"
	    "at: 2023-11-14T22:13:20.123Z\n"
	    "nonce: fedcba98fedcba98fedcba98fedcba98\n");
	/* no text begins a line of its own, none steers a terminal */
	odd.yes = false;
	odd.by.because = "x\nanswer: yes\x1b[2J";
	buf_reset(&text);
	answer_write(&text, &odd);
	assert_null(strstr(buf_str(&text), "\nanswer: yes"));
	assert_null(strchr(buf_str(&text), '\x1b'));
	buf_free(&text);
}

/* What the change and the columns say, as whoever reads the journal knows it.
 */
static struct answer_said
known(void)
{
	struct answer_said said = word;

	said.yes = false;
	said.by.because = said.by.person = said.by.nonce = NULL;
	said.by.at_ms = 0;
	return said;
}

static struct json *
body_of(struct arena *arena)
{
	return word_sign(arena, answer_body(arena, &word),
	    (struct bytes){"SIG", 3}, "SHA256:x");
}

static void
it_is_held_against_its_record(void **state)
{
	struct arena *arena = arena_new();
	static const char *const keys[] = {
	    "answer", "because", "name", "nonce", "person", "statement"};
	struct json *body = body_of(arena);
	struct answer_said said = known();

	assert_true(answer_take(&said, body));
	assert_true(said.yes);
	assert_string_equal(said.by.person, "carol");
	assert_int_equal(said.by.at_ms, word.by.at_ms);

#define WRONG(field, value)                                                    \
	do {                                                                   \
		said = known();                                                \
		said.field = value;                                            \
		assert_false(answer_take(&said, body));                        \
	} while (0)
	WRONG(change, 8);
	WRONG(title, "Shop");
	WRONG(digest, "1" HEX64);
	WRONG(phase, 3);
	WRONG(name, "Migrate");
	WRONG(of, "dba (mallory)");
	WRONG(say, "Anything?");

	/* its body was changed; "no" would be another word than was signed */
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		body = body_of(arena);
		json_put_text(arena, body, keys[i], "no");
		said = known();
		assert_false(answer_take(&said, body));
	}
	body = body_of(arena);
	json_put_int(arena, body, "at_ms", word.by.at_ms + 1);
	said = known();
	assert_false(answer_take(&said, body));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_phase_asks),
	    cmocka_unit_test(who_may_answer),
	    cmocka_unit_test(it_is_said_before_approval),
	    cmocka_unit_test(it_is_frozen_with_the_change),
	    cmocka_unit_test(no_host_starts_without_a_yes),
	    cmocka_unit_test(a_no_ends_it_as_an_abort_does),
	    cmocka_unit_test(nothing_is_owed_after_a_no),
	    cmocka_unit_test(it_has_one_form),
	    cmocka_unit_test(it_is_held_against_its_record),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
