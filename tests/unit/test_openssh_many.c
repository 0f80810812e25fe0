/* Many hosts at once: what `ssh -G` said is kept as long as it holds, and
 * known_hosts files are read once. With OpenSSH's own tools. */
#include "ssh_place.h"

enum { HOSTS = 20 };

/* An ssh in front of the real one that counts how often it is run. */
static void
counting_ssh(struct ssh_place *t)
{
	place_run(t,
	    "mkdir bin store && : >calls && printf '#!/bin/sh\\n"
	    "echo x >>%s/calls\\nexec %%s \"$@\"\\n' "
	    "\"$(command -v ssh)\" >bin/ssh && chmod 755 bin/ssh",
	    t->folder);
	setenv("PATH",
	    arena_printf(t->arena, "%s/bin:%s", t->folder, getenv("PATH")), 1);
}

static void
ssh_not_counted(struct ssh_place *t)
{
	setenv("PATH", strchr(getenv("PATH"), ':') + 1, 1);
	(void)t;
}

/* How often ssh was run since the last call. */
static size_t
calls(struct ssh_place *t)
{
	struct buf text = BUF_INIT;
	size_t count;

	if (file_read(place_path(t, "calls"), 1 << 20, &text, &t->err) < 0)
		fail_msg("%s", t->err.text);
	count = text.len / 2;
	buf_free(&text);
	place_write(t, "calls", "");
	return count;
}

static int
ask(struct ssh_place *t, int from, size_t count, struct ssh_settings **out)
{
	struct openssh_wanted wanted[HOSTS] = {{0}};

	for (size_t i = 0; i < count; i++) {
		wanted[i].name = arena_printf(t->arena, "web%d", from + (int)i);
		wanted[i].port = i == 3 ? 33 : 0;
	}
	return openssh_settings_all(t->arena, place_path(t, "config"),
	    place_path(t, "store/cache"), wanted, count, out, &t->err);
}

/* Asked for count hosts from web1 on, whose user must be that: how many runs
 * of ssh did it take? */
static size_t
asked(struct ssh_place *t, size_t count, const char *user)
{
	struct ssh_settings *out[HOSTS] = {NULL};

	if (ask(t, 1, count, out) < 0)
		fail_msg("%s", t->err.text);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(
		    out[i]->name, arena_printf(t->arena, "web%zu", i + 1));
		assert_string_equal(out[i]->address,
		    arena_printf(t->arena, "web%zu.lan", i + 1));
		assert_string_equal(out[i]->user, user);
		assert_int_equal(out[i]->port, i == 3 ? 33 : 2222);
		assert_int_equal(out[i]->connect_timeout_ms, 7000);
		assert_int_equal(out[i]->known_hosts_count, 2);
		assert_string_equal(out[i]->known_hosts[0], "/u/with blank");
	}
	return calls(t);
}

static void
write_config(struct ssh_place *t, const char *more)
{
	place_write(t, "config",
	    arena_printf(t->arena,
		"%s\nHost web*\n HostName %%h.lan\n Port 2222\n User one\n"
		" ConnectTimeout 7\n UserKnownHostsFile \"/u/with blank\"\n"
		" GlobalKnownHostsFile /g/one\n",
		more));
}

static void
ssh_is_asked_once_a_host(void **state)
{
	struct ssh_place *t = *state;

	counting_ssh(t);
	write_config(t, "");
	assert_int_equal(asked(t, HOSTS, "one"), HOSTS);
	assert_int_equal(asked(t, HOSTS, "one"), 0);
	assert_int_equal(asked(t, 5, "one"), 0);
	ssh_not_counted(t);
}

static void
other_hosts_are_kept_beside(void **state)
{
	struct ssh_place *t = *state;
	struct ssh_settings *out[HOSTS];

	counting_ssh(t);
	write_config(t, "");
	assert_int_equal(asked(t, 5, "one"), 5);
	assert_int_equal(ask(t, 11, 5, out), 0);
	assert_int_equal(calls(t), 5);
	/* web14 has another port than in the call before: another question */
	assert_int_equal(asked(t, HOSTS, "one"), HOSTS - 9);
	assert_int_equal(asked(t, HOSTS, "one"), 0);
	ssh_not_counted(t);
}

static void
what_ssh_would_read_otherwise_is_asked_again(void **state)
{
	struct ssh_place *t = *state;
	const char *include =
	    arena_printf(t->arena, "Include %s/more.d/*.conf", t->folder);

	counting_ssh(t);
	place_run(t, "mkdir more.d");
	write_config(t, include);
	assert_int_equal(asked(t, 3, "one"), 3);
	assert_int_equal(asked(t, 3, "one"), 0);
	place_write(t, "more.d/a.conf", "Host web*\n User two\n");
	assert_int_equal(asked(t, 3, "two"), 3);
	assert_int_equal(asked(t, 3, "two"), 0);
	place_write(t, "more.d/a.conf", "Host web*\n User six\n");
	assert_int_equal(asked(t, 3, "six"), 3);
	place_run(t, "rm more.d/a.conf");
	assert_int_equal(asked(t, 3, "one"), 3);
	/* another ssh may have other defaults */
	assert_int_equal(asked(t, 3, "one"), 0);
	place_run(t, "echo '# newer' >>bin/ssh");
	assert_int_equal(asked(t, 3, "one"), 3);
	ssh_not_counted(t);
}

static void
what_more_than_files_decides_is_never_kept(void **state)
{
	static const char *const lines[] = {
	    "Match exec true\n User one",
	    "match originalhost web* EXEC \"true\"\n User one",
	    "CanonicalizeHostname no",
	    "Host nobody\n IdentityFile ${HOME}/key",
	    "Include \"/no/such/file\"",
	};
	struct ssh_place *t = *state;

	counting_ssh(t);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		write_config(t, lines[i]);
		assert_int_equal(asked(t, 2, "one"), 2);
		assert_int_equal(asked(t, 2, "one"), 2);
	}
	assert_false(file_exists(place_path(t, "store/cache/ssh-settings")));
	ssh_not_counted(t);
}

static void
a_damaged_cache_is_no_cache(void **state)
{
	static const char *const damages[] = {
	    ": >%s",
	    "head -c 100 %s >cut && cp cut %s",
	    "sed -i 2,4d %s",
	    "sed -i 's/^host .*/host/' %s",
	    "head -c 5000 /dev/urandom >%s",
	    "printf '\\000' >>%s",
	    "rm %s && mkdir %s",
	};
	struct ssh_place *t = *state;
	const char *file = "store/cache/ssh-settings";

	counting_ssh(t);
	write_config(t, "");
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		(void)asked(t, 4, "one");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		place_run(t, damages[i], file, file);
#pragma GCC diagnostic pop
		(void)asked(t, 4, "one");
	}
	place_run(t, "rm -r store");
	assert_int_equal(asked(t, 4, "one"), 4);
	assert_false(file_exists(place_path(t, "store")));
	ssh_not_counted(t);
}

static void
the_first_host_that_is_wrong_is_named(void **state)
{
	struct ssh_place *t = *state;
	struct ssh_settings *out[HOSTS];

	write_config(t, "Host web7\n Port 0\nHost web9\n ProxyCommand x\n");
	place_refuses(t, ask(t, 1, HOSTS, out), ERR_PLAN, WORDS("web1:"));
	write_config(t, "Host web9 web12\n ProxyCommand x\n");
	place_refuses(t, ask(t, 1, HOSTS, out), ERR_REFUSED,
	    WORDS("web9", "ProxyCommand"));
}

/* known_hosts */

static size_t
known(struct ssh_place *t, struct known_files *files, const char *address,
    struct host_keys **keys)
{
	struct ssh_settings *s = arena_new_of(t->arena, struct ssh_settings);

	s->name = s->address = address;
	s->port = 22;
	s->user = "root";
	s->known_hosts = arena_array(t->arena, const char *, 1);
	s->known_hosts[0] = place_path(t, "known");
	s->known_hosts_count = 1;
	*keys = NULL;
	if (openssh_known_hosts_in(files, t->arena, s, keys, &t->err) < 0)
		return 0;
	return (*keys)->count;
}

static void
one_index_finds_what_each_line_says(void **state)
{
	struct ssh_place *t = *state;
	struct known_files *files = openssh_known_files_open();
	struct host_keys *keys;
	struct buf text = BUF_INIT;
	const char *a, *b, *c;

	place_make_key(t, "a", "ed25519", "");
	place_make_key(t, "b", "ed25519", "");
	place_make_key(t, "c", "ecdsa", "");
	a = place_key(t, "a");
	b = place_key(t, "b");
	c = place_key(t, "c");
	for (int i = 1; i <= 300; i++)
		buf_printf(&text, "Web%d,10.0.0.%d %s\n", i, i, a);
	buf_printf(&text, "web3? %s\n", b);
	buf_printf(&text, "web31,web31,!web32 %s\n", c);
	buf_printf(&text, "@revoked web40 %s\n", a);
	place_write(t, "known", buf_str(&text));
	assert_int_equal(known(t, files, "web1", &keys), 1);
	assert_int_equal(keys->places[0].line, 1);
	assert_int_equal(known(t, files, "10.0.0.300", &keys), 1);
	assert_int_equal(keys->places[0].line, 300);
	/* in the order of the file, whatever kind each line is of */
	assert_int_equal(known(t, files, "web31", &keys), 3);
	assert_string_equal(keys->keys[0], a);
	assert_string_equal(keys->keys[1], b);
	assert_string_equal(keys->keys[2], c);
	assert_int_equal(keys->places[1].line, 301);
	assert_int_equal(known(t, files, "web32", &keys), 2);
	assert_int_equal(known(t, files, "web40", &keys), 0);
	assert_int_equal(known(t, files, "web301", &keys), 0);
	buf_free(&text);
	openssh_known_files_close(files);
}

static void
a_file_that_changed_is_read_again(void **state)
{
	struct ssh_place *t = *state;
	struct known_files *files = openssh_known_files_open();
	struct host_keys *keys;
	const char *a, *b;

	place_make_key(t, "a", "ed25519", "");
	place_make_key(t, "b", "ed25519", "");
	a = place_key(t, "a");
	b = place_key(t, "b");
	assert_int_equal(known(t, files, "web1", &keys), 0);
	place_write(t, "known", arena_printf(t->arena, "web1 %s\n", a));
	assert_int_equal(known(t, files, "web1", &keys), 1);
	assert_string_equal(keys->keys[0], a);
	place_write(t, "known", arena_printf(t->arena, "web1 %s\n", b));
	assert_int_equal(known(t, files, "web1", &keys), 1);
	assert_string_equal(keys->keys[0], b);
	place_run(t, "rm known");
	assert_int_equal(known(t, files, "web1", &keys), 0);
	openssh_known_files_close(files);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(ssh_is_asked_once_a_host),
	    PLACE_TEST(other_hosts_are_kept_beside),
	    PLACE_TEST(what_ssh_would_read_otherwise_is_asked_again),
	    PLACE_TEST(what_more_than_files_decides_is_never_kept),
	    PLACE_TEST(a_damaged_cache_is_no_cache),
	    PLACE_TEST(the_first_host_that_is_wrong_is_named),
	    PLACE_TEST(one_index_finds_what_each_line_says),
	    PLACE_TEST(a_file_that_changed_is_read_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("openssh", tests, NULL, NULL);
}
