/*
 * Approvals, signed by real ssh-keygen keys: the statement's one form, and
 * every way in which an approval does not count (bar 19 of reliability.md).
 * covers: P2
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "approval/approval.h"
#include "base/file.h"
#include "base/text.h"
#include "openssh/openssh.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_0 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* 2026-11-22T18:20:00.000Z */
#define NOW ((int64_t)1795371600000)
#define HOUR ((int64_t)3600000)

static const struct statement change = {
    .decision = "approve",
    .change = 7,
    .title = "Patch OpenSSL on the web tier",
    .digest = HEX_A,
    .plan_sha256 = HEX_B,
    .plan_file = "playbooks/patch openssl.yml",
    .hosts = 6,
    .hosts_sha256 = HEX_0,
    .modules_sha256 = HEX_A,
    .scripts_sha256 = HEX_B,
    .rollback_sha256 = HEX_0,
    .preview_sha256 = HEX_A,
    .in_flight = 3,
    .not_taken_back = "none",
    .person = "alice",
    .not_before_ms = NOW,
    .not_after_ms = NOW + 24 * HOUR,
    .nonce = "00112233445566778899aabbccddeeff",
};

static const char text_of_change[] =
    "hoshu-statement/1\n"
    "decision: approve\n"
    "change: CHG-0007\n"
    "title: Patch OpenSSL on the web tier\n"
    "digest: sha256 " HEX_A "\n"
    "plan: sha256 " HEX_B " playbooks/patch openssl.yml\n"
    "hosts: 6, sha256 " HEX_0 "\n"
    "modules: sha256 " HEX_A "\n"
    "scripts: sha256 " HEX_B "\n"
    "rollback: sha256 " HEX_0 "\n"
    "preview: sha256 " HEX_A "\n"
    "at most: 3 hosts in flight\n"
    "not taken back: none\n"
    "person: alice\n"
    "not before: 2026-11-22T18:20:00.000Z\n"
    "not after: 2026-11-23T18:20:00.000Z\n"
    "nonce: 00112233445566778899aabbccddeeff\n";

/* Keys of a few persons, and who they are. */
struct signers {
	struct arena *arena;
	char *folder;
	const char *allowed;
	struct approval_rule rule;
};

static void
add_signer(struct signers *signers, struct buf *list, const char *person,
    const char *key, const char *options)
{
	const char *path = file_join(signers->arena, signers->folder, key);
	struct buf pub = BUF_INIT;
	struct err err = ERR_INIT;

	if (!file_exists(path))
		assert_int_equal(
		    system(arena_printf(signers->arena,
			"ssh-keygen -q -t ed25519 -N '' -C '' -f '%s'", path)),
		    0);
	assert_int_equal(file_read(arena_printf(signers->arena, "%s.pub", path),
			     4096, &pub, &err),
	    0);
	buf_printf(list, "%s %s%s%s", person, options,
	    *options != '\0' ? " " : "", buf_str(&pub));
	buf_free(&pub);
}

static int
make_signers(void **state)
{
	struct arena *arena = arena_new();
	struct signers *signers = arena_new_of(arena, struct signers);
	struct buf list = BUF_INIT;
	struct err err = ERR_INIT;

	signers->arena = arena;
	assert_int_equal(file_make_temporary(arena, &signers->folder, &err), 0);
	add_signer(signers, &list, "alice", "alice", "");
	add_signer(signers, &list, "alice", "alice2", "");
	add_signer(signers, &list, "bob", "bob", "");
	add_signer(signers, &list, "carol", "carol",
	    "valid-before=\"20261122183000Z\"");
	/* the same key under a second name, from half past six on */
	add_signer(
	    signers, &list, "dave", "carol", "valid-after=\"20261122183000Z\"");
	add_signer(
	    signers, &list, "erin", "erin", "namespaces=\"git,reject@hoshu\"");
	signers->allowed = file_join(arena, signers->folder, "allowed_signers");
	assert_int_equal(
	    file_write(signers->allowed, buf_bytes(&list), 0644, &err), 0);
	buf_free(&list);
	add_signer(signers, &list, "mallory", "mallory", "");
	buf_free(&list);
	*state = signers;
	return 0;
}

static int
remove_signers(void **state)
{
	struct signers *signers = *state;

	file_remove_tree(signers->folder);
	arena_free(signers->arena);
	return 0;
}

static void
reset_rule(struct signers *signers)
{
	signers->rule = (struct approval_rule){
	    .allowed_signers = signers->allowed,
	    .needed = 2,
	    .submitter = "zoe",
	    .change = &change,
	    .preview_wall_ms = NOW - HOUR,
	    .now_ms = NOW + HOUR,
	};
}

static struct bytes
keep(struct arena *arena, const struct buf *buf)
{
	return (struct bytes){
	    arena_copy(arena, buf_str(buf), buf->len), buf->len};
}

/* What the key makes of a statement, recorded at NOW. */
static struct approval
sign(struct signers *signers, const char *key, const char *name_space,
    const struct statement *said)
{
	struct approval approval = {.wall_ms = NOW};
	struct buf text = BUF_INIT, signature = BUF_INIT;
	struct err err = ERR_INIT;

	statement_write(&text, said);
	if (openssh_sign(file_join(signers->arena, signers->folder, key),
		name_space, buf_bytes(&text), &signature, &err) < 0)
		fail_msg("%s", err.text);
	approval.statement = keep(signers->arena, &text);
	approval.signature = keep(signers->arena, &signature);
	buf_free(&text);
	buf_free(&signature);
	return approval;
}

static struct approval
approve(struct signers *signers, const char *key, const char *person)
{
	struct statement said = change;

	said.person = person;
	return sign(signers, key, "approve@hoshu", &said);
}

/* Judge; the verdicts, how many count, the result's text ("" = enough). */
static const struct approval_verdict *
judge(struct signers *signers, const struct approval *approvals, size_t count,
    int wanted_persons, char *why, size_t size)
{
	struct approval_verdict *verdicts = NULL;
	struct permit *permit = NULL;
	struct err err = ERR_INIT, permit_err = ERR_INIT;
	int persons = -1, r;

	r = approval_judge(signers->arena, &signers->rule, approvals, count,
	    &verdicts, &persons, &err);
	assert_int_equal(persons, wanted_persons);
	assert_int_equal(r, err.code == ERR_NONE ? 0 : -ERR_APPROVAL);
	/* the permit says the same */
	assert_int_equal(approval_permit(signers->arena, &signers->rule,
			     approvals, count, &permit, &permit_err),
	    r);
	assert_string_equal(permit_err.text, err.text);
	if (r == 0)
		assert_int_equal(permit_persons(permit), persons);
	else
		assert_null(permit);
	snprintf(why, size, "%s", err.text);
	return verdicts;
}

/* Alice's good approval and one other that must not count. */
static void
refused(
    struct signers *signers, const struct approval *other, const char *why_not)
{
	struct approval both[2] = {approve(signers, "alice", "alice"), *other};
	const struct approval_verdict *verdicts;
	char why[2048];

	verdicts = judge(signers, both, 2, 1, why, sizeof(why));
	assert_true(verdicts[0].counts);
	assert_false(verdicts[1].counts);
	assert_false(verdicts[1].rejects);
	if (strstr(verdicts[1].why_not, why_not) == NULL)
		fail_msg("wanted '%s' in '%s'", why_not, verdicts[1].why_not);
	assert_non_null(strstr(why,
	    "CHG-0007 has 1 of the 2 approvals it needs; another person "
	    "types: hoshu approve CHG-0007"));
	assert_non_null(strstr(why, why_not));
}

static void
a_statement_has_one_form(void **state)
{
	struct arena *arena = arena_new();
	struct buf text = BUF_INIT;
	struct statement said = {0};
	struct err err = ERR_INIT;

	statement_write(&text, &change);
	assert_string_equal(buf_str(&text), text_of_change);
	assert_int_equal(
	    statement_parse(arena, buf_bytes(&text), &said, &err), 0);
	assert_string_equal(said.decision, "approve");
	assert_int_equal(said.change, 7);
	assert_string_equal(said.plan_file, "playbooks/patch openssl.yml");
	assert_string_equal(said.plan_sha256, HEX_B);
	assert_int_equal(said.hosts, 6);
	assert_string_equal(said.hosts_sha256, HEX_0);
	assert_string_equal(said.rollback_sha256, HEX_0);
	assert_int_equal(said.in_flight, 3);
	assert_string_equal(said.not_taken_back, "none");
	assert_string_equal(said.person, "alice");
	assert_true(said.not_before_ms == NOW);
	assert_true(said.not_after_ms == NOW + 24 * HOUR);
	assert_string_equal(said.nonce, "00112233445566778899aabbccddeeff");
	buf_reset(&text);
	statement_write(&text, &said);
	assert_string_equal(buf_str(&text), text_of_change);
	/* the lines that only some have */
	assert_null(said.dead_man);
	assert_int_equal(said.later_ms, 0);
	said.later_ms = 7 * 24 * HOUR;
	buf_reset(&text);
	statement_write(&text, &said);
	assert_non_null(strstr(buf_str(&text),
	    "none\nlater: 7d, so hosts that are away may be changed until "
	    "2026-11-29T18:20:00.000Z without another approval\nperson: "));
	said.later_ms = 0;
	said.not_previewed = "junk";
	assert_int_equal(
	    statement_parse(arena, buf_bytes(&text), &said, &err), 0);
	assert_int_equal(said.later_ms, 7 * 24 * HOUR);
	assert_null(said.not_previewed);
	said.not_previewed = "2 hosts: web3 web4";
	buf_reset(&text);
	statement_write(&text, &said);
	assert_non_null(strstr(buf_str(&text),
	    "none\nnot previewed: 2 hosts: web3 web4\nlater: 7d, "));
	assert_int_equal(
	    statement_parse(arena, buf_bytes(&text), &said, &err), 0);
	assert_string_equal(said.not_previewed, "2 hosts: web3 web4");
	said.not_previewed = NULL;
	said.later_ms = 0;
	said.dead_man = "5m round No passwords; Keys only";
	buf_reset(&text);
	statement_write(&text, &said);
	assert_non_null(strstr(buf_str(&text),
	    "none\ndead-man: 5m round No passwords; Keys only\nperson: "));
	assert_int_equal(
	    statement_parse(arena, buf_bytes(&text), &said, &err), 0);
	assert_string_equal(said.dead_man, "5m round No passwords; Keys only");
	assert_null(said.asks);
	said.asks = "dba (carol) within 2h, or it holds: Verified?\nperson: x";
	buf_reset(&text);
	statement_write(&text, &said);
	assert_non_null(strstr(buf_str(&text),
	    "Keys only\nasks: dba (carol) within 2h, or it holds: Verified?"));
	assert_null(strstr(buf_str(&text), "\nperson: x"));
	assert_int_equal(
	    statement_parse(arena, buf_bytes(&text), &said, &err), 0);
	assert_non_null(strstr(said.asks, "dba (carol) within 2h"));
	buf_free(&text);
	arena_free(arena);
}

/* Every edit of a line's form: cut, doubled, a blank more, another case. */
static void
any_other_form_is_refused(void **state)
{
	static const struct {
		const char *from;
		const char *to;
	} edits[] = {
	    {"hoshu-statement/1", "hoshu-statement/2"},
	    {"decision: approve", "decision: reject "},
	    {"decision: approve", "decision: APPROVE"},
	    {"decision: approve", "decision: maybe"},
	    {"decision: ", "decision:  "},
	    {"CHG-0007", "CHG-7"},
	    {"CHG-0007", "CHG-00007"},
	    {"CHG-0007", "CHG-"},
	    {"CHG-0007", "CHG-7x"},
	    {"CHG-0007", "CHG--007"},
	    {"title: Patch OpenSSL on the web tier", "title: "},
	    {"title: ", "Title: "},
	    {"title: Patch", "title: \x1b[2JPatch"},
	    {"digest: sha256 a", "digest: sha256 A"},
	    {"digest: sha256 a", "digest: sha256 "},
	    {"digest: sha256", "digest: sha512"},
	    {" playbooks/patch openssl.yml", ""},
	    {"hosts: 6,", "hosts: 06,"},
	    {"hosts: 6,", "hosts: -6,"},
	    {"hosts: 6,", "hosts: six,"},
	    {"hosts: 6, ", "hosts: 6 "},
	    {"3 hosts in flight", "3 hosts"},
	    {"3 hosts in flight", "3 hosts in flight, or so"},
	    {"3 hosts in flight", "1 host in flight"},
	    {"not taken back: none\n", ""},
	    {"not taken back: none\n",
		"not taken back: none\nnot taken back: none\n"},
	    {"person: alice\n", "person: alice\r\n"},
	    {"2026-11-22T18:20:00.000Z", "2026-11-22T18:20:00Z"},
	    {"2026-11-22T18:20:00.000Z", "2026-11-31T18:20:00.000Z"},
	    {"2026-11-22T18:20:00.000Z", "2026-11-22 18:20:00.000Z"},
	    {"2026-11-22T18:20:00.000Z", "2026-11-22T18:20:00.+00Z"},
	    {"2026-11-22T18:20:00.000Z", "2026-11-22T18:20:00.000+09:00"},
	    {"nonce: 0", "\nnonce: 0"},
	    {"eeff\n", "eefg\n"},
	    {"nonce: 00112233445566778899", "nonce: "},
	    {"eeff\n", "eeff"},
	    {"eeff\n", "eeff\n\n"},
	    {"eeff\n", "eeff\nperson: bob\n"},
	};
	struct arena *arena = arena_new();
	struct statement said;
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		const char *at = strstr(text_of_change, edits[i].from);
		struct err err = ERR_INIT;

		assert_non_null(at);
		buf_reset(&text);
		buf_put(&text, text_of_change, (size_t)(at - text_of_change));
		buf_puts(&text, edits[i].to);
		buf_puts(&text, at + strlen(edits[i].from));
		if (statement_parse(arena, buf_bytes(&text), &said, &err) !=
		    -ERR_APPROVAL)
			fail_msg("taken: %s", buf_str(&text));
	}
	buf_free(&text);
	arena_free(arena);
}

static void
a_statement_cut_anywhere_is_refused(void **state)
{
	struct arena *arena = arena_new();
	struct statement said;
	struct err err = ERR_INIT;

	for (size_t len = 0; len < sizeof(text_of_change) - 1; len++)
		assert_int_equal(
		    statement_parse(arena, (struct bytes){text_of_change, len},
			&said, &err),
		    -ERR_APPROVAL);
	assert_int_equal(
	    statement_parse(arena,
		(struct bytes){text_of_change, sizeof(text_of_change)}, &said,
		&err),
	    -ERR_APPROVAL); /* a NUL at the end */
	arena_free(arena);
}

/* A title is what a plan says: it must not write lines of the statement. */
static void
a_title_cannot_write_a_line(void **state)
{
	struct arena *arena = arena_new();
	struct statement evil = change, said = {0};
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	evil.title = "Harmless\nperson: bob\n\x1b[1A";
	statement_write(&text, &evil);
	assert_null(strstr(buf_str(&text), "\nperson: bob"));
	assert_null(strchr(buf_str(&text), '\x1b'));
	assert_int_equal(
	    statement_parse(arena, buf_bytes(&text), &said, &err), 0);
	assert_string_equal(said.person, "alice");
	buf_free(&text);
	arena_free(arena);
}

static void
two_persons_are_enough(void **state)
{
	struct signers *signers = *state;
	struct approval both[2];
	const struct approval_verdict *verdicts;
	char why[2048];

	reset_rule(signers);
	both[0] = approve(signers, "alice", "alice");
	both[1] = approve(signers, "bob", "bob");
	verdicts = judge(signers, both, 2, 2, why, sizeof(why));
	assert_string_equal(why, "");
	assert_true(verdicts[1].counts);
	assert_string_equal(verdicts[1].person, "bob");
	assert_string_equal(verdicts[1].why_not, "");
	assert_int_equal(strncmp(verdicts[1].fingerprint, "SHA256:", 7), 0);
	assert_string_not_equal(
	    verdicts[0].fingerprint, verdicts[1].fingerprint);
}

static void
none_is_not_enough(void **state)
{
	struct signers *signers = *state;
	char why[2048];

	reset_rule(signers);
	judge(signers, NULL, 0, 0, why, sizeof(why));
	assert_string_equal(why,
	    "CHG-0007 has 0 of the 2 approvals it needs; another person "
	    "types: hoshu approve CHG-0007");
}

static void
a_threshold_of_zero_is_refused(void **state)
{
	struct signers *signers = *state;
	struct approval_verdict *verdicts = NULL;
	struct permit *permit = NULL;
	int persons = -1;

	reset_rule(signers);
	for (signers->rule.needed = 0; signers->rule.needed > -2;
	     signers->rule.needed--) {
		struct err err = ERR_INIT;

		assert_int_equal(approval_judge(signers->arena, &signers->rule,
				     NULL, 0, &verdicts, &persons, &err),
		    -ERR_APPROVAL);
		assert_non_null(strstr(err.text, "can never be enough"));
		assert_int_equal(approval_permit(signers->arena, &signers->rule,
				     NULL, 0, &permit, &err),
		    -ERR_APPROVAL);
		assert_null(permit);
	}
}

static void
the_same_signature_counts_once(void **state)
{
	struct signers *signers = *state;
	struct approval other;

	reset_rule(signers);
	other = approve(signers, "alice", "alice");
	refused(signers, &other, "alice counts once");
}

static void
the_same_key_counts_once(void **state)
{
	struct signers *signers = *state;
	struct statement said = change;
	struct approval other;

	reset_rule(signers);
	said.nonce = "ffeeddccbbaa99887766554433221100";
	other = sign(signers, "alice", "approve@hoshu", &said);
	refused(signers, &other, "alice counts once");
}

static void
one_person_with_two_keys_counts_once(void **state)
{
	struct signers *signers = *state;
	struct approval other;

	reset_rule(signers);
	other = approve(signers, "alice2", "alice");
	refused(signers, &other, "alice counts once");
}

static void
a_key_under_two_names_proves_neither(void **state)
{
	struct signers *signers = *state;
	struct approval both[2];
	const struct approval_verdict *verdicts;
	char why[2048];

	reset_rule(signers);
	both[0] = approve(signers, "carol", "carol");
	both[1] = approve(signers, "carol", "dave");
	both[1].wall_ms = NOW + HOUR / 2;
	verdicts = judge(signers, both, 2, 0, why, sizeof(why));
	assert_string_equal(verdicts[1].person, "dave");
	assert_string_equal(verdicts[0].fingerprint, verdicts[1].fingerprint);
	assert_non_null(
	    strstr(verdicts[0].why_not, "its key also signed as dave"));
	assert_non_null(
	    strstr(verdicts[1].why_not, "its key also signed as carol"));
}

static void
one_for_another_state_takes_nothing_from_the_others(void **state)
{
	struct signers *signers = *state;
	struct statement said = change;
	struct approval both[2];
	const struct approval_verdict *verdicts;
	char why[2048];

	reset_rule(signers);
	said.person = "dave";
	said.digest = HEX_B;
	both[0] = sign(signers, "carol", "approve@hoshu", &said);
	both[0].wall_ms = NOW + HOUR / 2;
	both[1] = approve(signers, "carol", "carol");
	verdicts = judge(signers, both, 2, 1, why, sizeof(why));
	assert_true(verdicts[1].counts);
}

static void
a_key_that_had_ended_when_it_was_recorded_does_not_count(void **state)
{
	struct signers *signers = *state;
	struct approval other;

	reset_rule(signers);
	other = approve(signers, "carol", "carol");
	other.wall_ms = NOW + HOUR / 2;
	refused(signers, &other, "the key that signed is dave's");
}

static void
another_name_than_the_keys_does_not_count(void **state)
{
	struct signers *signers = *state;
	struct approval other;

	reset_rule(signers);
	other = approve(signers, "alice2", "bob");
	refused(
	    signers, &other, "it says bob, but the key that signed is alice's");
}

static void
a_stranger_does_not_count(void **state)
{
	struct signers *signers = *state;
	struct approval other;

	reset_rule(signers);
	other = approve(signers, "mallory", "bob");
	refused(signers, &other, "names nobody whose key made this signature");
}

static void
an_expired_one_does_not_count(void **state)
{
	struct signers *signers = *state;
	struct statement said = change;
	struct approval other;

	reset_rule(signers);
	said.person = "bob";
	said.not_after_ms = signers->rule.now_ms;
	other = sign(signers, "bob", "approve@hoshu", &said);
	refused(signers, &other, "it has expired");
	/* one millisecond before it still held */
	signers->rule.now_ms--;
	signers->rule.needed = 1;
	{
		char why[2048];

		judge(signers, &other, 1, 1, why, sizeof(why));
		assert_string_equal(why, "");
	}
}

static void
one_that_is_not_valid_yet_does_not_count(void **state)
{
	struct signers *signers = *state;
	struct statement said = change;
	struct approval other;

	reset_rule(signers);
	said.person = "bob";
	said.not_before_ms = signers->rule.now_ms + 1;
	other = sign(signers, "bob", "approve@hoshu", &said);
	refused(signers, &other, "it is not valid yet");
	said.not_before_ms = said.not_after_ms;
	other = sign(signers, "bob", "approve@hoshu", &said);
	refused(signers, &other, "it ends before it begins");
}

static void
one_older_than_the_preview_does_not_count(void **state)
{
	struct signers *signers = *state;
	struct approval other;

	reset_rule(signers);
	other = approve(signers, "bob", "bob");
	other.wall_ms = signers->rule.preview_wall_ms - 1;
	refused(signers, &other, "it was made before the preview existed");
}

static void
a_clock_that_went_back_gives_no_time(void **state)
{
	struct signers *signers = *state;
	struct approval other;

	reset_rule(signers);
	other = approve(signers, "bob", "bob");
	other.wall_ms = signers->rule.now_ms + 1;
	refused(signers, &other, "it was recorded later than now");
}

static void
a_signature_for_another_act_does_not_count(void **state)
{
	static const char *const others[] = {
	    "reject@hoshu", "revoke@hoshu", "checkpoint@hoshu", "file", "git"};
	struct signers *signers = *state;
	struct statement said = change;
	struct approval other;

	reset_rule(signers);
	said.person = "bob";
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		other = sign(signers, "bob", others[i], &said);
		refused(signers, &other, "does not hold");
	}
	/* a key that may not approve at all */
	other = approve(signers, "erin", "erin");
	refused(signers, &other, "erin");
}

static void
whoever_submitted_does_not_count(void **state)
{
	struct signers *signers = *state;
	struct approval other;

	reset_rule(signers);
	signers->rule.submitter = "bob";
	other = approve(signers, "bob", "bob");
	refused(signers, &other, "whoever submitted a change does not count");
}

static void
solo_lets_the_submitter_sign(void **state)
{
	struct signers *signers = *state;
	struct approval own;
	char why[2048];

	reset_rule(signers);
	signers->rule.submitter = "alice";
	signers->rule.needed = 1;
	own = approve(signers, "alice", "alice");
	judge(signers, &own, 1, 0, why, sizeof(why));
	assert_string_not_equal(why, "");
	signers->rule.solo = true;
	judge(signers, &own, 1, 1, why, sizeof(why));
	assert_string_equal(why, "");
}

/* Everything that a statement says of the change, one difference each. */
static void
an_approval_of_another_state_does_not_count(void **state)
{
	struct signers *signers = *state;
	struct statement said[12];
	size_t count = sizeof(said) / sizeof(said[0]);
	struct approval other;

	reset_rule(signers);
	for (size_t i = 0; i < count; i++) {
		said[i] = change;
		said[i].person = "bob";
	}
	said[0].change = 8;
	said[1].title = "Patch OpenSSL on the web  tier";
	said[2].digest = HEX_B;
	said[3].plan_sha256 = HEX_A;
	said[4].plan_file = "playbooks/other.yml";
	said[5].hosts = 7;
	said[6].hosts_sha256 = HEX_A;
	said[7].modules_sha256 = HEX_B;
	said[8].scripts_sha256 = HEX_A;
	said[9].rollback_sha256 = HEX_A;
	said[10].preview_sha256 = HEX_B;
	said[11].in_flight = 2;
	for (size_t i = 0; i < count; i++) {
		other = sign(signers, "bob", "approve@hoshu", &said[i]);
		refused(signers, &other, "for another state of the change");
	}
	said[0] = change;
	said[0].person = "bob";
	said[0].not_taken_back = "Schema";
	other = sign(signers, "bob", "approve@hoshu", &said[0]);
	refused(signers, &other, "for another state of the change");
}

static void
an_edited_statement_does_not_count(void **state)
{
	struct signers *signers = *state;
	struct approval good, other;

	reset_rule(signers);
	good = approve(signers, "bob", "bob");
	/* each byte in turn would take minutes: one of each line's value */
	for (size_t at = 0; at + 1 < good.statement.len; at++) {
		const char *text = good.statement.data;
		char *edited;

		if (text[at + 1] != '\n')
			continue;
		edited = arena_copy(signers->arena, text, good.statement.len);
		edited[at] ^= 1;
		other = good;
		other.statement.data = edited;
		refused(signers, &other, "");
	}
}

static void
an_edited_signature_does_not_count(void **state)
{
	struct signers *signers = *state;
	struct approval good, other;
	char *edited;

	reset_rule(signers);
	good = approve(signers, "bob", "bob");
	edited =
	    arena_copy(signers->arena, good.signature.data, good.signature.len);
	edited[good.signature.len / 2] =
	    edited[good.signature.len / 2] == 'A' ? 'B' : 'A';
	other = good;
	other.signature.data = edited;
	refused(signers, &other, "");
	other.signature = bytes_of("");
	refused(signers, &other, "");
	other.signature = bytes_of("-----BEGIN SSH SIGNATURE-----\n");
	refused(signers, &other, "");
}

static void
one_rejection_stops_it(void **state)
{
	struct signers *signers = *state;
	struct statement said = change;
	struct approval all[3];
	const struct approval_verdict *verdicts;
	char why[2048];

	reset_rule(signers);
	said.person = "erin";
	said.decision = "reject";
	said.not_after_ms = NOW + 1; /* over: it stands all the same */
	all[0] = approve(signers, "alice", "alice");
	all[1] = approve(signers, "bob", "bob");
	all[2] = sign(signers, "erin", "reject@hoshu", &said);
	verdicts = judge(signers, all, 3, 2, why, sizeof(why));
	assert_string_equal(why,
	    "CHG-0007 was rejected by erin; submit the plan again when it is "
	    "right");
	assert_true(verdicts[2].rejects);
	assert_false(verdicts[2].counts);
}

static void
a_rejection_of_nobody_stops_nothing(void **state)
{
	struct signers *signers = *state;
	struct statement said = change;
	struct approval all[4];
	const struct approval_verdict *verdicts;
	char why[2048];

	reset_rule(signers);
	said.person = "erin";
	said.decision = "reject";
	all[0] = approve(signers, "alice", "alice");
	all[1] = approve(signers, "bob", "bob");
	all[2] = sign(signers, "mallory", "reject@hoshu", &said);
	said.digest = HEX_B; /* erin rejected another one */
	all[3] = sign(signers, "erin", "reject@hoshu", &said);
	verdicts = judge(signers, all, 4, 2, why, sizeof(why));
	assert_string_equal(why, "");
	assert_false(verdicts[2].rejects);
	assert_false(verdicts[3].rejects);
}

static void
no_list_of_signers_lets_nobody_through(void **state)
{
	struct signers *signers = *state;
	struct approval one;
	char why[2048];

	reset_rule(signers);
	one = approve(signers, "alice", "alice");
	signers->rule.needed = 1;
	signers->rule.allowed_signers =
	    file_join(signers->arena, signers->folder, "none");
	judge(signers, &one, 1, 0, why, sizeof(why));
	assert_non_null(strstr(why, "there is no such file"));
}

/* A rejection that cannot be looked at is not one that is not there. */
static void
a_fault_of_the_machine_is_no_verdict(void **state)
{
	struct signers *signers = *state;
	struct approval one;
	struct approval_verdict *verdicts = NULL;
	struct permit *permit = NULL;
	struct err err = ERR_INIT;
	int persons = -1;

	reset_rule(signers);
	one = approve(signers, "alice", "alice");
	signers->rule.needed = 1;
	setenv("TMPDIR", file_join(signers->arena, signers->folder, "none"), 1);
	assert_int_equal(approval_judge(signers->arena, &signers->rule, &one, 1,
			     &verdicts, &persons, &err),
	    -ERR_SYSTEM);
	assert_int_equal(approval_permit(signers->arena, &signers->rule, &one,
			     1, &permit, &err),
	    -ERR_SYSTEM);
	unsetenv("TMPDIR");
	assert_null(verdicts);
	assert_null(permit);
}

/* A time that does not follow from the others is no time that was signed. */
static void
later_says_until_when_in_one_form(void **state)
{
	static const char *const edits[][2] = {
	    {"later: 7d", "later: 8d"},
	    {"later: 7d", "later: 168h"},
	    {"later: 7d", "later: 0s"},
	    {"later: 7d", "later: 99999999d"},
	    {"later: 7d", "later: "},
	    {"until 2026-11-29", "until 2027-11-29"},
	    {" without another approval", ""},
	    {", so hosts", ", as hosts"},
	};
	struct arena *arena = arena_new();
	struct statement later = change, said;
	struct buf text = BUF_INIT;

	later.later_ms = 7 * 24 * HOUR;
	statement_write(&text, &later);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		const char *at = strstr(buf_str(&text), edits[i][0]);
		struct buf edited = BUF_INIT;
		struct err err = ERR_INIT;

		assert_non_null(at);
		buf_put(&edited, buf_str(&text), (size_t)(at - text.data));
		buf_puts(&edited, edits[i][1]);
		buf_puts(&edited, at + strlen(edits[i][0]));
		if (statement_parse(arena, buf_bytes(&edited), &said, &err) !=
		    -ERR_APPROVAL)
			fail_msg("taken: %s", edits[i][1]);
		buf_free(&edited);
	}
	buf_free(&text);
	arena_free(arena);
}

/* P2: hosts that were away are changed as long as was signed, by as many as
 * are needed, and no longer; the run itself has the approval's own time. */
static void
an_approval_holds_for_hosts_that_were_away(void **state)
{
	struct signers *signers = *state;
	struct statement later = change, bob;
	struct approval both[2];
	struct err err = ERR_INIT;
	int64_t until_ms = 0;
	char why[2048];

	reset_rule(signers);
	later.later_ms = 7 * 24 * HOUR;
	signers->rule.change = &later;
	bob = later;
	bob.person = "bob";
	bob.not_before_ms = NOW - HOUR / 2;
	both[0] = sign(signers, "alice", "approve@hoshu", &later);
	both[1] = sign(signers, "bob", "approve@hoshu", &bob);
	signers->rule.now_ms = NOW + 3 * 24 * HOUR;
	judge(signers, both, 2, 0, why, sizeof(why));
	assert_non_null(strstr(why, "it has expired"));
	signers->rule.later = true;
	judge(signers, both, 2, 2, why, sizeof(why));
	assert_string_equal(why, "");
	/* bob's is over first */
	signers->rule.now_ms = NOW - HOUR / 2 + 7 * 24 * HOUR;
	judge(signers, both, 2, 1, why, sizeof(why));
	assert_non_null(
	    strstr(why, "its time for hosts that are away is over"));
	signers->rule.now_ms--;
	judge(signers, both, 2, 2, why, sizeof(why));
	/* the same, asked the other way round, whatever the time is */
	signers->rule.now_ms = NOW + 99 * 24 * HOUR;
	assert_int_equal(approval_later_until(signers->arena, &signers->rule,
			     both, 2, &until_ms, &err),
	    0);
	assert_true(until_ms == NOW - HOUR / 2 + 7 * 24 * HOUR);
	signers->rule.needed = 1;
	assert_int_equal(approval_later_until(signers->arena, &signers->rule,
			     both, 2, &until_ms, &err),
	    0);
	assert_true(until_ms == NOW + 7 * 24 * HOUR);
	signers->rule.needed = 3;
	assert_int_equal(approval_later_until(signers->arena, &signers->rule,
			     both, 2, &until_ms, &err),
	    -ERR_APPROVAL);
	/* an approval that says nothing of it gives no time */
	signers->rule.needed = 2;
	signers->rule.now_ms = NOW + HOUR;
	signers->rule.change = &change;
	judge(signers, both, 2, 0, why, sizeof(why));
	assert_non_null(strstr(why, "for another state of the change"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_statement_has_one_form),
	    cmocka_unit_test(any_other_form_is_refused),
	    cmocka_unit_test(later_says_until_when_in_one_form),
	    cmocka_unit_test(an_approval_holds_for_hosts_that_were_away),
	    cmocka_unit_test(a_statement_cut_anywhere_is_refused),
	    cmocka_unit_test(a_title_cannot_write_a_line),
	    cmocka_unit_test(two_persons_are_enough),
	    cmocka_unit_test(none_is_not_enough),
	    cmocka_unit_test(a_threshold_of_zero_is_refused),
	    cmocka_unit_test(the_same_signature_counts_once),
	    cmocka_unit_test(the_same_key_counts_once),
	    cmocka_unit_test(one_person_with_two_keys_counts_once),
	    cmocka_unit_test(a_key_under_two_names_proves_neither),
	    cmocka_unit_test(
		one_for_another_state_takes_nothing_from_the_others),
	    cmocka_unit_test(
		a_key_that_had_ended_when_it_was_recorded_does_not_count),
	    cmocka_unit_test(another_name_than_the_keys_does_not_count),
	    cmocka_unit_test(a_stranger_does_not_count),
	    cmocka_unit_test(an_expired_one_does_not_count),
	    cmocka_unit_test(one_that_is_not_valid_yet_does_not_count),
	    cmocka_unit_test(one_older_than_the_preview_does_not_count),
	    cmocka_unit_test(a_clock_that_went_back_gives_no_time),
	    cmocka_unit_test(a_signature_for_another_act_does_not_count),
	    cmocka_unit_test(whoever_submitted_does_not_count),
	    cmocka_unit_test(solo_lets_the_submitter_sign),
	    cmocka_unit_test(an_approval_of_another_state_does_not_count),
	    cmocka_unit_test(an_edited_statement_does_not_count),
	    cmocka_unit_test(an_edited_signature_does_not_count),
	    cmocka_unit_test(one_rejection_stops_it),
	    cmocka_unit_test(a_rejection_of_nobody_stops_nothing),
	    cmocka_unit_test(no_list_of_signers_lets_nobody_through),
	    cmocka_unit_test(a_fault_of_the_machine_is_no_verdict),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_signers, remove_signers);
}
