/*
 * Whose answer to a phase's question a run goes by: signed, by a person whose
 * role it is, to that question of that change.
 * covers: P2, P9
 */
#include "rollout_place.h"

#include "base/file.h"
#include "cmd/answered.h"
#include "openssh/openssh.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW ((int64_t)1700000000123)

struct answers {
	struct arena *arena;
	char *folder;
	struct project project;
	struct context context;
};

static void
answers_key(
    struct answers *a, struct buf *list, const char *person, const char *spaces)
{
	const char *path = file_join(a->arena, a->folder, person);
	struct buf pub = BUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(
	    system(arena_printf(a->arena,
		"ssh-keygen -q -t ed25519 -N '' -C '' -f '%s'", path)),
	    0);
	assert_int_equal(
	    file_read(arena_printf(a->arena, "%s.pub", path), 4096, &pub, &err),
	    0);
	buf_printf(
	    list, "%s namespaces=\"%s\" %s", person, spaces, buf_str(&pub));
	buf_free(&pub);
}

static void
answers_open(struct answers *a)
{
	static const char plan[] =
	    "change: t\nreason: t\ntargets: all\n"
	    "phases:\n"
	    "  - { name: one, steps: [{ run: [a] }] }\n"
	    "  - name: two\n"
	    "    ask: { role: dba, say: Verified?, within: 10s }\n"
	    "    steps: [{ run: [b] }]\n";
	static const char *dba[] = {"carol", "bob", "erin"};
	struct arena *arena = arena_new();
	struct buf list = BUF_INIT;
	struct err err = ERR_INIT;
	struct change *change;

	memset(a, 0, sizeof(*a));
	a->arena = arena;
	assert_int_equal(file_make_temporary(arena, &a->folder, &err), 0);
	answers_key(a, &list, "carol", "answer@hoshu");
	answers_key(a, &list, "alice", "answer@hoshu");
	answers_key(a, &list, "bob", "answer@hoshu");
	answers_key(a, &list, "erin", "approve@hoshu");
	a->project.approvers = file_join(arena, a->folder, "signers");
	assert_int_equal(
	    file_write(a->project.approvers, buf_bytes(&list), 0600, &err), 0);
	buf_free(&list);
	change = place_change(arena, place_plan(arena, plan), "ab", "");
	change->title = "t";
	change->digest = HEX64;
	change->asks = arena_array(arena, struct change_ask, 2);
	change->asks[1] = (struct change_ask){"dba", dba, 3, "Verified?"};
	a->context.arena = arena;
	a->context.project = &a->project;
	a->context.change = change;
	a->context.fold.submitter = "bob";
}

/* What becomes of an answer by person, signed with key ("" = not at all). */
static int
answers_hold(struct answers *a, const char *person, const char *key, int phase,
    const char *name_space)
{
	struct buf text = BUF_INIT, signature = BUF_INIT, body = BUF_INIT;
	struct record record = {
	    .change = 1,
	    .step = phase,
	    .kind = RECORD_ANSWERED,
	    .host = "",
	    .actor = person,
	    .wall_ms = NOW,
	};
	struct err err = ERR_INIT;
	struct answer_said said;
	int r;

	assert_true(cmd_answer_about(&a->context, 2, &said));
	said.yes = true;
	said.by.because = "";
	said.by.person = person;
	said.by.nonce = "fedcba98fedcba98fedcba98fedcba98";
	said.by.at_ms = NOW;
	answer_write(&text, &said);
	if (key[0] != '\0' &&
	    openssh_sign(file_join(a->arena, a->folder, key), name_space,
		buf_bytes(&text), &signature, &err) < 0)
		fail_msg("%s", err.text);
	json_write(&body, word_sign(a->arena, answer_body(a->arena, &said),
			      buf_bytes(&signature), "x"));
	record.body = buf_str(&body);
	r = cmd_answered_holds(&a->context, &record, &err);
	buf_free(&text);
	buf_free(&signature);
	buf_free(&body);
	return r;
}

static void
only_a_signed_answer_by_the_role_holds(void **state)
{
	struct answers a;
	const struct record other = {.kind = RECORD_PAUSED, .body = "{}"};
	struct err err = ERR_INIT;

	answers_open(&a);
#define HOLDS(r, ...) assert_int_equal(answers_hold(&a, __VA_ARGS__), r)
	HOLDS(0, "carol", "carol", 2, "answer@hoshu");
	/* not signed; by another's key; for another purpose */
	HOLDS(-ERR_APPROVAL, "carol", "", 2, "answer@hoshu");
	HOLDS(-ERR_APPROVAL, "carol", "alice", 2, "answer@hoshu");
	HOLDS(-ERR_APPROVAL, "carol", "carol", 2, "settle@hoshu");
	HOLDS(-ERR_APPROVAL, "erin", "erin", 2, "answer@hoshu");
	/* well signed, by one whose role it is not, and by who submitted it */
	HOLDS(-ERR_APPROVAL, "alice", "alice", 2, "answer@hoshu");
	HOLDS(-ERR_APPROVAL, "bob", "bob", 2, "answer@hoshu");
	/* to what nobody asked */
	HOLDS(-ERR_EVIDENCE, "carol", "carol", 1, "answer@hoshu");
	HOLDS(-ERR_EVIDENCE, "carol", "carol", 3, "answer@hoshu");
	a.context.change->asks[1].say = "Anything?";
	HOLDS(0, "carol", "carol", 2, "answer@hoshu");
	assert_int_equal(cmd_answered_holds(&a.context, &other, &err), 0);
	/* alone, one answers oneself */
	a.context.change->solo = true;
	HOLDS(0, "bob", "bob", 2, "answer@hoshu");
	file_remove_tree(a.folder);
	arena_free(a.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_a_signed_answer_by_the_role_holds),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
