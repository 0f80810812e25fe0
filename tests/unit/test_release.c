/*
 * A person's word on a host in quarantine: one form; it counts when it is
 * signed, for what holds the host now, or is older than all that are signed.
 * covers: P4, P9
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "approval/release.h"
#include "base/file.h"
#include "cmd/quarantine.h"
#include "openssh/openssh.h"

static const struct release_said word = {
    .change = 7,
    .host = "web3",
    .was = "host-failed",
    .record = 123,
    .by = {.because = "reinstalled",
	.person = "alice",
	.nonce = "fedcba98fedcba98fedcba98fedcba98",
	.at_ms = 1700000000123},
};

static void
it_has_one_form(void **state)
{
	struct release_said odd = word;
	struct buf text = BUF_INIT;

	(void)state;
	release_write(&text, &word);
	assert_string_equal(buf_str(&text),
	    "hoshu-release/1\n"
	    "change: CHG-0007\n"
	    "host: web3\n"
	    "was: host-failed, record 123\n"
	    "because: reinstalled\n"
	    "person: alice\n"
	    "at: 2023-11-14T22:13:20.123Z\n"
	    "nonce: fedcba98fedcba98fedcba98fedcba98\n");
	odd.by.because = "x\nhost: web4\x1b[2J";
	buf_reset(&text);
	release_write(&text, &odd);
	assert_null(strstr(buf_str(&text), "\nhost: web4"));
	assert_null(strchr(buf_str(&text), '\x1b'));
	buf_free(&text);
}

static void
it_is_held_against_its_record(void **state)
{
	struct arena *arena = arena_new();
	static const char *const keys[] = {
	    "because", "nonce", "person", "statement", "was"};
	struct json *body = word_sign(arena, release_body(arena, &word),
	    (struct bytes){"SIG", 3}, "SHA256:x");
	struct release_said said = {.change = 7, .host = "web3"};

	(void)state;
	assert_true(release_is_signed(body));
	assert_true(release_take(&said, body));
	assert_int_equal(said.record, 123);
	assert_string_equal(said.by.person, "alice");
	said = (struct release_said){.change = 8, .host = "web3"};
	assert_false(release_take(&said, body));
	said = (struct release_said){.change = 7, .host = "web4"};
	assert_false(release_take(&said, body));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		body = word_sign(arena, release_body(arena, &word),
		    (struct bytes){"SIG", 3}, "SHA256:x");
		json_put_text(arena, body, keys[i], "x");
		said = (struct release_said){.change = 7, .host = "web3"};
		assert_false(release_take(&said, body));
	}
	json_put_int(arena, body, "record", 124);
	said = (struct release_said){.change = 7, .host = "web3"};
	assert_false(release_take(&said, body));
	arena_free(arena);
}

/* ---- whom a word lets go ---- */

struct store {
	struct arena *arena;
	char *folder;
	struct project project;
	struct context context;
	struct quarantine quarantine;
	int64_t next;
};

static void
store_key(struct store *store, struct buf *list, const char *name,
    const char *person, const char *spaces)
{
	const char *path = file_join(store->arena, store->folder, name);
	struct buf pub = BUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(
	    system(arena_printf(store->arena,
		"ssh-keygen -q -t ed25519 -N '' -C '' -f '%s'", path)),
	    0);
	assert_int_equal(file_read(arena_printf(store->arena, "%s.pub", path),
			     4096, &pub, &err),
	    0);
	buf_printf(
	    list, "%s namespaces=\"%s\" %s", person, spaces, buf_str(&pub));
	buf_free(&pub);
}

static void
store_open(struct store *store)
{
	struct arena *arena = arena_new();
	struct buf list = BUF_INIT;
	struct err err = ERR_INIT;

	memset(store, 0, sizeof(*store));
	store->arena = arena;
	assert_int_equal(file_make_temporary(arena, &store->folder, &err), 0);
	store_key(store, &list, "alice", "alice", "release@hoshu");
	store_key(store, &list, "bob", "bob", "approve@hoshu");
	store->project.approvers = file_join(arena, store->folder, "signers");
	assert_int_equal(
	    file_write(store->project.approvers, buf_bytes(&list), 0600, &err),
	    0);
	buf_free(&list);
	store->context.arena = arena;
	store->context.project = &store->project;
	quarantine_init(&store->quarantine, arena);
}

static void
store_say(struct store *store, enum record_kind kind, const char *body)
{
	struct record record = {
	    .number = store->next++,
	    .change = 7,
	    .host = "web3",
	    .step = kind == RECORD_HOST_FAILED ? 1 : 0,
	    .kind = kind,
	    .actor = "alice",
	    .wall_ms = word.by.at_ms,
	    .body = body,
	};
	struct err err = ERR_INIT;

	if (cmd_quarantine_record(
		&store->context, &store->quarantine, &record, &err) < 0)
		fail_msg("%s", err.text);
}

/* The body of a word on the record that was said last, signed with key. */
static const char *
store_signed(struct store *store, const char *key, const char *person,
    const char *name_space)
{
	struct release_said said = word;
	struct buf text = BUF_INIT, signature = BUF_INIT, body = BUF_INIT;
	struct err err = ERR_INIT;
	const char *out;

	said.record = store->next - 1;
	said.by.person = person;
	release_write(&text, &said);
	if (openssh_sign(file_join(store->arena, store->folder, key),
		name_space, buf_bytes(&text), &signature, &err) < 0)
		fail_msg("%s", err.text);
	json_write(
	    &body, word_sign(store->arena, release_body(store->arena, &said),
		       buf_bytes(&signature), "SHA256:x"));
	out = arena_strdup(store->arena, buf_str(&body));
	buf_free(&text);
	buf_free(&signature);
	buf_free(&body);
	return out;
}

static void
only_a_word_that_holds_lets_a_host_go(void **state)
{
	static const char unsigned_word[] =
	    "{\"because\":\"looked\",\"was\":\"host-failed\"}";
	struct store store;
	const char *first;

	(void)state;
	store_open(&store);
#define HELD(is)                                                               \
	assert_true(                                                           \
	    (quarantine_of(&store.quarantine, "web3", 0) != NULL) == (is))
	/* as it was before words were signed */
	store_say(&store, RECORD_HOST_FAILED, "{}");
	HELD(true);
	store_say(&store, RECORD_RELEASED, unsigned_word);
	HELD(false);
	store_say(&store, RECORD_HOST_FAILED, "{}");
	first = store_signed(&store, "alice", "alice", "release@hoshu");
	store_say(&store, RECORD_RELEASED, first);
	HELD(false);
	/* from the first that is signed on, no other counts */
	store_say(&store, RECORD_HOST_FAILED, "{}");
	store_say(&store, RECORD_RELEASED, unsigned_word);
	HELD(true);
	assert_int_equal(store.quarantine.list[0].refused, store.next - 1);
	/* nor one for what held it once */
	store_say(&store, RECORD_RELEASED, first);
	HELD(true);
	/* nor in the name of another, by another key, for another thing */
	store_say(&store, RECORD_HOST_FAILED, "{}");
	store_say(&store, RECORD_RELEASED,
	    store_signed(&store, "alice", "bob", "release@hoshu"));
	HELD(true);
	store_say(&store, RECORD_HOST_FAILED, "{}");
	store_say(&store, RECORD_RELEASED,
	    store_signed(&store, "bob", "bob", "release@hoshu"));
	HELD(true);
	store_say(&store, RECORD_HOST_FAILED, "{}");
	store_say(&store, RECORD_RELEASED,
	    store_signed(&store, "alice", "alice", "settle@hoshu"));
	HELD(true);
	store_say(&store, RECORD_HOST_FAILED, "{}");
	store_say(&store, RECORD_RELEASED,
	    store_signed(&store, "alice", "alice", "release@hoshu"));
	HELD(false);
	file_remove_tree(store.folder);
	arena_free(store.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_has_one_form),
	    cmocka_unit_test(it_is_held_against_its_record),
	    cmocka_unit_test(only_a_word_that_holds_lets_a_host_go),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
