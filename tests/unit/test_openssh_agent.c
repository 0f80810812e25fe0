/*
 * The agents: which key is offered, what is signed and what is refused. Real
 * ssh-agent, ssh-add and keys; wire bytes by hand for what a hostile agent or
 * worker would send.
 * covers: P10 (keys and passphrases stay in OpenSSH's tools)
 */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "openssh/wire.h"
#include "ssh_place.h"

static struct ssh_settings *
identity(struct ssh_place *t, const char *one, const char *two)
{
	struct ssh_settings *s = arena_new_of(t->arena, struct ssh_settings);

	s->name = "web1";
	s->user = "root";
	s->identities = arena_array(t->arena, const char *, 2);
	if (one != NULL)
		s->identities[s->identity_count++] = place_path(t, one);
	if (two != NULL)
		s->identities[s->identity_count++] = place_path(t, two);
	return s;
}

static const char *
key_for(struct ssh_place *t, const struct ssh_settings *s)
{
	const char *key = NULL;

	if (ssh_agent_key(t->arena, t->agent, s, &key, &t->err) < 0)
		fail_msg("%s", t->err.text);
	return key;
}

/* The person's agent; its pid is in the file pid. */
static const char *
their_agent(struct ssh_place *t, const char *keys)
{
	place_run(t,
	    "ssh-agent -D -a theirs >/dev/null 2>&1 & echo $! >pid\n"
	    "export SSH_AUTH_SOCK=theirs; n=0\n"
	    "until ssh-add -l >/dev/null 2>&1 || [ $? = 1 ]; do\n"
	    " n=$((n + 1)); [ $n -lt 500 ]; done\n"
	    "for k in %s; do ssh-add -q $k; done",
	    keys);
	return place_path(t, "theirs");
}

static void
end_their_agent(struct ssh_place *t)
{
	assert_int_equal(kill(atoi(place_read(t, "pid")), SIGTERM), 0);
}

/* which key */

static void
a_key_file_goes_into_an_agent_of_our_own(void **state)
{
	static const char *const types[] = {"ed25519", "ecdsa", "rsa"};
	struct ssh_place *t = *state;
	size_t i;

	for (i = 0; i < 3; i++) {
		place_make_key(t, types[i], types[i], "");
		assert_string_equal(key_for(t, identity(t, types[i], NULL)),
		    place_key(t, types[i]));
	}
	/* known from before: the file is not needed again */
	place_run(t, "rm rsa");
	assert_string_equal(
	    key_for(t, identity(t, "rsa", NULL)), place_key(t, "rsa"));
}

static void
a_file_with_anothers_public_half_beside_it_still_works(void **state)
{
	struct ssh_place *t = *state;
	const char *key;

	place_make_key(t, "one", "ed25519", "");
	place_make_key(t, "two", "ed25519", "");
	key = place_key(t, "one");
	place_run(t, "cp two.pub one.pub; ssh-keygen -q -p -P '' -N '' "
		     "-m PEM -f one >/dev/null");
	assert_string_equal(key_for(t, identity(t, "one", NULL)), key);
}

static void
the_agents_key_of_an_identity_file_goes_first(void **state)
{
	struct ssh_place *t = *state;
	struct ssh_settings *s;

	place_make_key(t, "one", "ed25519", "");
	place_make_key(t, "two", "ed25519", "");
	place_make_key(t, "three", "ed25519", "");
	s = identity(t, "one", "two");
	s->agent = their_agent(t, "three two");
	assert_string_equal(key_for(t, s), place_key(t, "two"));
	/* only the public half is here */
	s = identity(t, "two.pub", NULL);
	s->agent = place_path(t, "theirs");
	assert_string_equal(key_for(t, s), place_key(t, "two"));
	/* a named file goes before the agent's other keys */
	s = identity(t, "one", NULL);
	s->agent = place_path(t, "theirs");
	assert_string_equal(key_for(t, s), place_key(t, "one"));
	/* no file at all */
	s = identity(t, NULL, NULL);
	s->agent = place_path(t, "theirs");
	assert_string_equal(key_for(t, s), place_key(t, "three"));
	s->identities_only = true;
	place_refuses(t,
	    ssh_agent_key(t->arena, t->agent, s, &s->jump, &t->err),
	    ERR_REFUSED, WORDS("web1", "root", "ssh-add", "IdentityFile"));
	end_their_agent(t);
}

static void
a_file_by_ssh_s_default_name_goes_after_the_agents_keys(void **state)
{
	struct ssh_place *t = *state;
	struct ssh_settings *s;

	place_run(t, "mkdir .ssh");
	place_make_key(t, ".ssh/id_ed25519", "ed25519", "");
	place_make_key(t, "agents", "ed25519", "");
	s = identity(t, ".ssh/id_ed25519", NULL);
	s->agent = their_agent(t, "agents");
	assert_string_equal(key_for(t, s), place_key(t, "agents"));
	s->identities_only = true;
	assert_string_equal(key_for(t, s), place_key(t, ".ssh/id_ed25519"));
	end_their_agent(t);
}

static void
a_passphrase_without_a_terminal_does_not_hang(void **state)
{
	struct ssh_place *t = *state;
	struct ssh_settings *s;
	const char *key = NULL;

	place_make_key(t, "locked", "ed25519", "secret words");
	place_make_key(t, "open", "ed25519", "");
	s = identity(t, "locked", NULL);
	s->agent = "/no/such/agent";
	place_refuses(t, ssh_agent_key(t->arena, t->agent, s, &key, &t->err),
	    ERR_REFUSED,
	    WORDS(
		"web1", place_path(t, "locked"), "/no/such/agent", "ssh-add"));
	assert_null(strstr(t->err.text, "secret"));
	/* the next file is tried */
	assert_string_equal(
	    key_for(t, identity(t, "locked", "open")), place_key(t, "open"));
}

/* In a child with a terminal of its own: add and sign with the locked key. */
static _Noreturn void
person_at_terminal(struct ssh_place *t)
{
	struct buf signature = BUF_INIT;
	const char *key = NULL;

	if (ssh_agent_key(t->arena, t->agent, identity(t, "locked", NULL), &key,
		&t->err) < 0 ||
	    openssh_sign(place_path(t, "locked"), "approve@hoshu",
		bytes_of("text"), &signature, &t->err) < 0)
		fprintf(stderr, "%s\n", t->err.text);
	else if (strcmp(key, place_key(t, "locked")) == 0)
		fprintf(stderr, "all well\n");
	ssh_agent_close(t->agent);
	_exit(0);
}

static void
a_person_at_a_terminal_is_asked_for_the_passphrase(void **state)
{
	struct ssh_place *t = *state;
	char seen[4096] = "";
	size_t len = 0;
	int fd, asked = 0;
	pid_t pid;

	place_make_key(t, "locked", "ed25519", "secret words");
	setenv("DISPLAY", ":0", 1); /* no window is asked for */
	pid = forkpty(&fd, NULL, NULL, NULL);
	if (pid == 0)
		person_at_terminal(t);
	alarm(20);
	while (len < sizeof(seen) - 1) {
		ssize_t n = read(fd, seen + len, sizeof(seen) - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
		seen[len] = '\0';
		if (len > 2 && strcmp(seen + len - 2, ": ") == 0) {
			asked++;
			assert_int_equal(write(fd, "secret words\n", 13), 13);
		}
	}
	alarm(0);
	close(fd);
	waitpid(pid, NULL, 0);
	unsetenv("DISPLAY");
	if (strstr(seen, "all well") == NULL)
		fail_msg("the terminal shows: %s", seen);
	assert_int_equal(asked, 2);
	assert_null(strstr(seen, "secret"));
}

static void
our_agent_is_gone_after_close(void **state)
{
	struct ssh_place *t = *state;
	char *sockets;

	place_run(t, "mkdir tmp");
	setenv("TMPDIR", place_path(t, "tmp"), 1);
	place_make_key(t, "one", "ed25519", "");
	(void)key_for(t, identity(t, "one", NULL));
	place_run(t, "ls -d tmp/hoshu-*/agent >was; stat -c %%a tmp/* >mode");
	sockets = place_read(t, "was");
	assert_non_null(strstr(sockets, "/agent"));
	assert_string_equal(place_read(t, "mode"), "700");
	ssh_agent_close(t->agent);
	t->agent = NULL;
	unsetenv("TMPDIR");
	place_run(t, "[ -z \"$(ls tmp)\" ]");
}

/* A process with an agent of its own that is killed outright. */
static void
our_agent_does_not_outlive_us(void **state)
{
	struct ssh_place *t = *state;
	char word;
	int ready[2];
	pid_t pid;

	place_run(t, "mkdir tmp");
	place_make_key(t, "one", "ed25519", "");
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct loop *loop;
		struct ssh_agent *agent;
		const char *key;

		setenv("TMPDIR", place_path(t, "tmp"), 1);
		if (loop_open(&loop, &t->err) < 0 ||
		    ssh_agent_open(loop, &agent, &t->err) < 0 ||
		    ssh_agent_key(t->arena, agent, identity(t, "one", NULL),
			&key, &t->err) < 0)
			_exit(1);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &word, 1), 1);
	close(ready[0]);
	place_run(t, "ls -d tmp/hoshu-*/agent >/dev/null");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* its shell takes the agent and its folder away */
	place_run(t, "n=0; while [ -n \"$(ls tmp)\" ]; do n=$((n + 1)); "
		     "[ $n -lt 5000 ] || exit 1; done");
}

/* signatures */

struct signing {
	struct ssh_place *t;
	struct loop_timer *timer;
	int open;
	int signed_count;
	int refused;
	struct buf signature;
	struct err err;
};

static void
signing_over(void *arg)
{
	(void)arg;
	fail_msg("no signature in 10 s");
}

static void
signed_by(void *arg, struct bytes signature, const struct err *err)
{
	struct signing *s = arg;

	buf_reset(&s->signature);
	buf_put(&s->signature, signature.data, signature.len);
	if (err != NULL) {
		s->refused++;
		s->err = *err;
		assert_int_equal(signature.len, 0);
	} else {
		s->signed_count++;
	}
	if (--s->open == 0)
		loop_timer_stop(s->timer);
}

static void
put_text(struct buf *out, const char *text)
{
	buf_put_u32(out, (uint32_t)strlen(text));
	buf_puts(out, text);
}

/* A login request; session_len bytes of session id. */
static void
put_login(struct buf *out, const char *user, const char *service,
    const char *method, const char *algorithm, const char *key)
{
	struct buf blob = BUF_INIT;

	buf_put_u32(out, 32);
	buf_puts(out, "0123456789abcdef0123456789abcdef");
	buf_putc(out, 50);
	put_text(out, user);
	put_text(out, service);
	put_text(out, method);
	buf_putc(out, 1);
	put_text(out, algorithm);
	assert_int_equal(wire_key_blob(key, &blob), 0);
	buf_put_u32(out, (uint32_t)blob.len);
	buf_put(out, blob.data, blob.len);
	buf_free(&blob);
}

static void
sign_begin(struct signing *s, struct ssh_place *t)
{
	memset(s, 0, sizeof(*s));
	s->t = t;
	s->timer = loop_timer_start(t->loop, 10000, signing_over, s);
}

static void
sign(struct signing *s, const char *key, const char *algorithm)
{
	struct buf payload = BUF_INIT;

	put_login(
	    &payload, "root", "ssh-connection", "publickey", algorithm, key);
	s->open++;
	ssh_agent_sign(
	    s->t->agent, key, "root", buf_bytes(&payload), signed_by, s);
	if (file_write(place_path(s->t, "payload"), buf_bytes(&payload), 0600,
		&s->t->err) < 0)
		fail_msg("%s", s->t->err.text);
	buf_free(&payload);
}

/* openssl says whether the signature holds. */
static void
rsa_signature_holds(struct signing *s, const char *digest)
{
	if (file_write(place_path(s->t, "signature"), buf_bytes(&s->signature),
		0600, &s->t->err) < 0)
		fail_msg("%s", s->t->err.text);
	place_run(s->t,
	    "ssh-keygen -e -m PKCS8 -f rsa.pub >pem\n"
	    "openssl dgst -%s -verify pem -signature signature payload >/dev/null",
	    digest);
}

static void
every_kind_of_key_signs(void **state)
{
	struct ssh_place *t = *state;
	struct wire_reader reader;
	struct signing s;
	const char *key;

	place_make_key(t, "rsa", "rsa", "");
	place_make_key(t, "ed", "ed25519", "");
	place_make_key(t, "ec", "ecdsa -b 256", "");

	key = key_for(t, identity(t, "rsa", NULL));
	sign_begin(&s, t);
	sign(&s, key, "rsa-sha2-512");
	assert_int_equal(s.signed_count, 0); /* never from within the call */
	loop_run(t->loop);
	assert_int_equal(s.signed_count, 1);
	rsa_signature_holds(&s, "sha512");
	buf_free(&s.signature);

	sign_begin(&s, t);
	sign(&s, key, "rsa-sha2-256");
	loop_run(t->loop);
	rsa_signature_holds(&s, "sha256");
	buf_free(&s.signature);

	sign_begin(&s, t);
	sign(&s, key_for(t, identity(t, "ed", NULL)), "ssh-ed25519");
	loop_run(t->loop);
	assert_int_equal(s.signature.len, 64);
	buf_free(&s.signature);

	/* two mpints and nothing else */
	sign_begin(&s, t);
	sign(&s, key_for(t, identity(t, "ec", NULL)), "ecdsa-sha2-nistp256");
	loop_run(t->loop);
	assert_int_equal(s.signed_count, 1);
	reader = (struct wire_reader){
	    (unsigned char *)s.signature.data, s.signature.len, false};
	(void)wire_string(&reader);
	(void)wire_string(&reader);
	assert_false(reader.bad);
	assert_int_equal(reader.left, 0);
	buf_free(&s.signature);
}

static void
many_signatures_are_answered_in_order(void **state)
{
	struct ssh_place *t = *state;
	const char *their, *own;
	struct ssh_settings *s;
	struct signing many;
	int i;

	place_make_key(t, "rsa", "rsa", "");
	place_make_key(t, "ed", "ed25519", "");
	s = identity(t, NULL, NULL);
	s->agent = their_agent(t, "ed");
	their = key_for(t, s);
	own = key_for(t, identity(t, "rsa", NULL));
	sign_begin(&many, t);
	for (i = 0; i < 50; i++) {
		sign(&many, their, "ssh-ed25519");
		sign(&many, own, "rsa-sha2-512");
		sign(&many, own, "ssh-rsa"); /* SHA-1: refused */
	}
	loop_run(t->loop);
	assert_int_equal(many.signed_count, 100);
	assert_int_equal(many.refused, 50);
	buf_free(&many.signature);
	end_their_agent(t);
}

static void
an_agent_that_dies_fails_what_waits(void **state)
{
	struct ssh_place *t = *state;
	struct ssh_settings *settings;
	struct signing s;
	const char *key;

	place_make_key(t, "ed", "ed25519", "");
	settings = identity(t, NULL, NULL);
	settings->agent = their_agent(t, "ed");
	key = key_for(t, settings);
	end_their_agent(t);
	place_run(t, "while [ -e theirs ]; do :; done");
	sign_begin(&s, t);
	sign(&s, key, "ssh-ed25519");
	sign(&s, key, "ssh-ed25519");
	loop_run(t->loop);
	assert_int_equal(s.refused, 2);
	assert_non_null(strstr(s.err.text, "theirs"));
	buf_free(&s.signature);
}

static void
closing_drops_what_waits(void **state)
{
	struct ssh_place *t = *state;
	struct signing s;
	const char *key;

	place_make_key(t, "ed", "ed25519", "");
	key = key_for(t, identity(t, "ed", NULL));
	sign_begin(&s, t);
	sign(&s, key, "ssh-ed25519");
	sign(&s, key, "ssh-rsa");
	ssh_agent_close(t->agent);
	t->agent = NULL;
	loop_timer_stop(s.timer);
	loop_run(t->loop);
	assert_int_equal(s.signed_count + s.refused, 0);
}

/* what is not signed */

static void
check(struct ssh_place *t, const struct buf *payload, const char *key,
    const char *words)
{
	struct buf blob = BUF_INIT;
	struct wire_request request;
	int r;

	assert_int_equal(wire_key_blob(key, &blob), 0);
	r = wire_check_payload(
	    buf_bytes(payload), "root", buf_bytes(&blob), &request, &t->err);
	if (words != NULL)
		place_refuses(t, r, ERR_REFUSED, WORDS(words));
	else
		assert_int_equal(r, 0);
	buf_free(&blob);
}

static void
only_a_login_of_that_user_with_that_key_is_signed(void **state)
{
	static const struct {
		const char *user, *service, *method, *algorithm, *words;
	} rows[] = {
	    {"root", "ssh-connection", "publickey", "ssh-ed25519", NULL},
	    {"toor", "ssh-connection", "publickey", "ssh-ed25519",
		"another user"},
	    {"root", "ssh-userauth", "publickey", "ssh-ed25519",
		"another service"},
	    {"root", "ssh-connection", "hostbased", "ssh-ed25519",
		"another service or method"},
	    {"root", "ssh-connection", "publickey", "rsa-sha2-512",
		"rsa-sha2-512 with a key of type ssh-ed25519"},
	    {"root", "ssh-connection", "publickey", "", "refused"},
	};
	struct ssh_place *t = *state;
	struct buf payload = BUF_INIT;
	const char *key, *other;
	size_t i, whole;

	place_make_key(t, "ed", "ed25519", "");
	place_make_key(t, "ed2", "ed25519", "");
	key = place_key(t, "ed");
	other = place_key(t, "ed2");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&payload);
		put_login(&payload, rows[i].user, rows[i].service,
		    rows[i].method, rows[i].algorithm, key);
		check(t, &payload, key, rows[i].words);
	}
	buf_reset(&payload);
	put_login(&payload, "root", "ssh-connection", "publickey",
	    "ssh-ed25519", key);
	check(t, &payload, other, "another key");
	/* every cut, and one byte more */
	whole = payload.len;
	buf_putc(&payload, 0);
	check(t, &payload, key, "no request to log in");
	for (i = 0; i < whole; i++) {
		payload.len = i;
		check(t, &payload, key, "refused");
	}
	/* no session; the query without signature; another message */
	payload.len = whole;
	payload.data[36] = 51;
	check(t, &payload, key, "no request to log in");
	payload.data[36] = 50;
	payload.data[3] = 4;
	check(t, &payload, key, "refused");
	buf_free(&payload);
}

static void
answers_of_a_hostile_agent_are_refused(void **state)
{
	struct ssh_place *t = *state;
	struct buf in = BUF_INIT;
	struct bytes signature;
	struct wire_key *keys;
	size_t count;

	/* lengths */
	buf_put(&in, "\0\0\0", 3);
	assert_int_equal(wire_message_len(&in), 0);
	buf_put(&in, "\0", 1);
	assert_int_equal(wire_message_len(&in), -1);
	buf_reset(&in);
	buf_put(&in, "\377\377\377\377xxxx", 8);
	assert_int_equal(wire_message_len(&in), -1);
	buf_reset(&in);
	buf_put(&in, "\0\0\0\2x", 5);
	assert_int_equal(wire_message_len(&in), 0);
	buf_putc(&in, 'y');
	assert_int_equal(wire_message_len(&in), 6);

	/* lists: a count that lies; a failure; a key that is none */
	buf_reset(&in);
	buf_putc(&in, 12);
	buf_put_u32(&in, 0xffffffff);
	place_refuses(t,
	    wire_get_list(t->arena, buf_bytes(&in), &keys, &count, &t->err),
	    ERR_SYSTEM, WORDS("ssh-agent"));
	place_refuses(t,
	    wire_get_list(t->arena, bytes_of("\5"), &keys, &count, &t->err),
	    ERR_SYSTEM, WORDS("ssh-agent"));
	buf_reset(&in);
	buf_putc(&in, 12);
	buf_put_u32(&in, 1);
	put_text(&in, "rubbish");
	put_text(&in, "comment");
	assert_int_equal(
	    wire_get_list(t->arena, buf_bytes(&in), &keys, &count, &t->err), 0);
	assert_int_equal(count, 0);

	/* signatures: refused; by SHA-1; with a tail */
	place_refuses(t,
	    wire_get_signature(
		bytes_of("\5"), "rsa-sha2-512", &signature, &t->err),
	    ERR_REFUSED, WORDS("ssh-add -l"));
	buf_reset(&in);
	buf_putc(&in, 14);
	buf_put_u32(&in, 4 + 7 + 4 + 3);
	put_text(&in, "ssh-rsa");
	put_text(&in, "sig");
	place_refuses(t,
	    wire_get_signature(
		buf_bytes(&in), "rsa-sha2-512", &signature, &t->err),
	    ERR_REFUSED, WORDS("rsa-sha2-512"));
	assert_int_equal(
	    wire_get_signature(buf_bytes(&in), "ssh-rsa", &signature, &t->err),
	    0);
	assert_true(bytes_equal(signature, bytes_of("sig")));
	in.data[4]--; /* the string ends within the signature */
	place_refuses(t,
	    wire_get_signature(buf_bytes(&in), "ssh-rsa", &signature, &t->err),
	    ERR_SYSTEM, WORDS("ssh-agent"));
	buf_free(&in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(a_key_file_goes_into_an_agent_of_our_own),
	    PLACE_TEST(a_file_with_anothers_public_half_beside_it_still_works),
	    PLACE_TEST(the_agents_key_of_an_identity_file_goes_first),
	    PLACE_TEST(a_file_by_ssh_s_default_name_goes_after_the_agents_keys),
	    PLACE_TEST(a_passphrase_without_a_terminal_does_not_hang),
	    PLACE_TEST(a_person_at_a_terminal_is_asked_for_the_passphrase),
	    PLACE_TEST(our_agent_is_gone_after_close),
	    PLACE_TEST(our_agent_does_not_outlive_us),
	    PLACE_TEST(every_kind_of_key_signs),
	    PLACE_TEST(many_signatures_are_answered_in_order),
	    PLACE_TEST(an_agent_that_dies_fails_what_waits),
	    PLACE_TEST(closing_drops_what_waits),
	    PLACE_TEST(only_a_login_of_that_user_with_that_key_is_signed),
	    PLACE_TEST(answers_of_a_hostile_agent_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	/* nobody can be asked, even where the tests are run by hand */
	if (freopen("/dev/null", "r", stdin) == NULL)
		return 1;
	return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
