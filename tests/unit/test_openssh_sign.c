/*
 * Signatures for approvals, made and judged by the real ssh-keygen.
 * covers: P2 (a signature is over exact bytes, for one act, by one person)
 */
#include <time.h>

#include "ssh_place.h"

#define NAMESPACE "approve@hoshu"
static const char text[] = "hoshu-statement/1\ndecision: approve\n";
enum { DAY_MS = 86400000 };

static struct buf
sign(struct ssh_place *t, const char *key, const char *name_space)
{
	struct buf signature = BUF_INIT;

	if (openssh_sign(place_path(t, key), name_space, bytes_of(text),
		&signature, &t->err) < 0)
		fail_msg("%s", t->err.text);
	return signature;
}

static int
verify(struct ssh_place *t, const char *name_space, struct bytes signed_text,
    struct bytes signature, int64_t when_ms, const char **person,
    const char **fingerprint)
{
	*person = *fingerprint = NULL;
	return openssh_verify(t->arena, place_path(t, "signers"), name_space,
	    signed_text, signature, when_ms, person, fingerprint, &t->err);
}

static int64_t
now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

static void
a_signature_tells_the_person_and_the_key(void **state)
{
	static const char *const types[] = {"ed25519", "ecdsa", "rsa"};
	struct ssh_place *t = *state;
	const char *person, *fingerprint;
	struct buf signature, print = BUF_INIT;
	size_t i;

	for (i = 0; i < 3; i++) {
		place_make_key(t, types[i], types[i], "");
		place_run(t, "echo '%s@corp,%s' $(cat %s.pub) >>signers",
		    types[i], types[i], types[i]);
	}
	for (i = 0; i < 3; i++) {
		signature = sign(t, types[i], NAMESPACE);
		assert_int_equal(
		    strncmp(signature.data, "-----BEGIN SSH SIGNATURE", 24), 0);
		if (verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
			now_ms(), &person, &fingerprint) < 0)
			fail_msg("%s", t->err.text);
		assert_string_equal(
		    person, arena_printf(t->arena, "%s@corp", types[i]));
		buf_reset(&print);
		assert_int_equal(openssh_fingerprint(
				     place_key(t, types[i]), &print, &t->err),
		    0);
		assert_string_equal(fingerprint, buf_str(&print));
		buf_free(&signature);
	}
	/* the same fingerprint as ssh-keygen's */
	place_run(t, "ssh-keygen -lf rsa.pub | cut -d' ' -f2 >print");
	assert_string_equal(buf_str(&print), place_read(t, "print"));
	buf_free(&print);
}

static void
a_signature_for_another_act_or_text_does_not_hold(void **state)
{
	struct ssh_place *t = *state;
	const char *person, *fingerprint;
	struct buf signature;

	place_make_key(t, "ann", "ed25519", "");
	place_run(t, "echo ann $(cat ann.pub) >signers");
	signature = sign(t, "ann", "reject@hoshu");
	place_refuses(t,
	    verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
		now_ms(), &person, &fingerprint),
	    ERR_APPROVAL, WORDS("ann", "namespace"));
	assert_null(person);
	assert_null(fingerprint);
	place_refuses(t,
	    verify(t, "reject@hoshu", bytes_of("other"), buf_bytes(&signature),
		now_ms(), &person, &fingerprint),
	    ERR_APPROVAL, WORDS("ann", "incorrect signature"));
	/* without its last byte */
	place_refuses(t,
	    verify(t, "reject@hoshu", (struct bytes){text, sizeof(text) - 2},
		buf_bytes(&signature), now_ms(), &person, &fingerprint),
	    ERR_APPROVAL, WORDS("ann"));
	assert_int_equal(
	    verify(t, "reject@hoshu", bytes_of(text), buf_bytes(&signature),
		now_ms(), &person, &fingerprint),
	    0);
	buf_free(&signature);
}

static void
a_key_that_is_nobodys_does_not_count(void **state)
{
	struct ssh_place *t = *state;
	const char *person, *fingerprint;
	struct buf signature;

	place_make_key(t, "ann", "ed25519", "");
	place_make_key(t, "eve", "ed25519", "");
	signature = sign(t, "eve", NAMESPACE);
	place_refuses(t,
	    verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
		now_ms(), &person, &fingerprint),
	    ERR_APPROVAL, WORDS("signers", "no such file"));
	place_run(t, "echo rubbish >signers; echo ann $(cat ann.pub) "
		     ">>signers");
	place_refuses(t,
	    verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
		now_ms(), &person, &fingerprint),
	    ERR_APPROVAL, WORDS("signers", "nobody"));
	/* a pattern is no person */
	place_run(t, "echo '*@corp' $(cat eve.pub) >signers");
	place_refuses(t,
	    verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
		now_ms(), &person, &fingerprint),
	    ERR_APPROVAL, WORDS("signers", "*@corp", "no person"));
	/* a line for other acts only */
	place_run(t, "echo 'eve namespaces=\"reject@hoshu\"' $(cat eve.pub) "
		     ">signers");
	place_refuses(t,
	    verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
		now_ms(), &person, &fingerprint),
	    ERR_APPROVAL, WORDS("eve", "not permitted"));
	/* what is no signature */
	place_refuses(t,
	    verify(t, NAMESPACE, bytes_of(text), bytes_of("rubbish"), now_ms(),
		&person, &fingerprint),
	    ERR_APPROVAL, WORDS("signature"));
	buf_free(&signature);
}

static void
a_key_counts_only_while_it_is_valid(void **state)
{
	struct ssh_place *t = *state;
	/* 2024-03-01T00:00:00Z */
	const int64_t border = 1709251200000;
	const char *person, *fingerprint;
	struct buf signature;

	place_make_key(t, "bob", "ed25519", "");
	signature = sign(t, "bob", NAMESPACE);
	/* Written in the local time of ssh-keygen; openssh/ makes it UTC,
	 * whatever the machine's. */
	setenv("TZ", "Asia/Tokyo", 1);
	place_run(t,
	    "echo 'bob valid-before=\"20240301000000\"' $(cat bob.pub) "
	    ">signers");
	assert_int_equal(
	    verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
		border - 1000, &person, &fingerprint),
	    0);
	assert_string_equal(person, "bob");
	place_refuses(t,
	    verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
		border + 1000, &person, &fingerprint),
	    ERR_APPROVAL, WORDS("signers:1", "expired", "valid-before"));
	place_run(t, "echo 'bob valid-after=\"20240301000000\"' $(cat bob.pub) "
		     ">signers");
	place_refuses(t,
	    verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
		border - 1000, &person, &fingerprint),
	    ERR_APPROVAL, WORDS("signers:1", "not yet valid"));
	assert_int_equal(
	    verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
		border + DAY_MS, &person, &fingerprint),
	    0);
	unsetenv("TZ");
	buf_free(&signature);
}

static void
the_private_half_may_be_in_an_agent_alone(void **state)
{
	struct ssh_place *t = *state;
	const char *person, *fingerprint;
	struct buf signature;

	place_make_key(t, "ann", "rsa", "");
	place_run(t, "echo ann $(cat ann.pub) >signers\n"
		     "ssh-agent -D -a agent >/dev/null 2>&1 & echo $! >pid\n"
		     "export SSH_AUTH_SOCK=agent; n=0\n"
		     "until ssh-add -q ann 2>/dev/null; do\n"
		     " n=$((n + 1)); [ $n -lt 500 ]; done\n"
		     "rm ann");
	setenv("SSH_AUTH_SOCK", place_path(t, "agent"), 1);
	signature = sign(t, "ann.pub", NAMESPACE);
	unsetenv("SSH_AUTH_SOCK");
	place_run(t, "kill $(cat pid)");
	assert_int_equal(
	    verify(t, NAMESPACE, bytes_of(text), buf_bytes(&signature),
		now_ms(), &person, &fingerprint),
	    0);
	assert_string_equal(person, "ann");
	buf_free(&signature);
}

static void
a_key_that_cannot_sign_says_why(void **state)
{
	struct ssh_place *t = *state;
	struct buf signature = BUF_INIT;

	place_run(t, "mkdir tmp");
	setenv("TMPDIR", place_path(t, "tmp"), 1);
	place_make_key(t, "locked", "ed25519", "secret words");
	place_refuses(t,
	    openssh_sign(place_path(t, "none"), NAMESPACE, bytes_of(text),
		&signature, &t->err),
	    ERR_APPROVAL, WORDS("none", "No such file", "ssh-add -l"));
	/* no terminal: nobody is asked, nothing is read as a passphrase */
	place_refuses(t,
	    openssh_sign(place_path(t, "locked"), NAMESPACE,
		bytes_of("secret words\n"), &signature, &t->err),
	    ERR_APPROVAL, WORDS("locked", "passphrase"));
	place_refuses(t,
	    openssh_sign(place_path(t, "locked.pub"), NAMESPACE, bytes_of(text),
		&signature, &t->err),
	    ERR_APPROVAL, WORDS("locked.pub", "ssh-add -l"));
	assert_int_equal(signature.len, 0);
	place_run(t, "[ -z \"$(ls tmp)\" ]");
	unsetenv("TMPDIR");
}

static void
what_is_no_key_has_no_fingerprint(void **state)
{
	static const char *const bad[] = {"", "ssh-ed25519", "ssh-ed25519 ",
	    "ssh-ed25519 !!!!", "ssh-ed25519 AAAA",
	    /* another type inside */
	    "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA=="};
	struct ssh_place *t = *state;
	struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    openssh_fingerprint(bad[i], &out, &t->err), -ERR_USAGE);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(a_signature_tells_the_person_and_the_key),
	    PLACE_TEST(a_signature_for_another_act_or_text_does_not_hold),
	    PLACE_TEST(a_key_that_is_nobodys_does_not_count),
	    PLACE_TEST(a_key_counts_only_while_it_is_valid),
	    PLACE_TEST(the_private_half_may_be_in_an_agent_alone),
	    PLACE_TEST(a_key_that_cannot_sign_says_why),
	    PLACE_TEST(what_is_no_key_has_no_fingerprint),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	/* nobody can be asked, even where the tests are run by hand */
	if (freopen("/dev/null", "r", stdin) == NULL)
		return 1;
	return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
