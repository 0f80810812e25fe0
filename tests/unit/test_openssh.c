/* Settings by `ssh -G`, known_hosts, jump hosts: with OpenSSH's own tools. */
#include "openssh/known_hosts.h"
#include "ssh_place.h"

/* settings */

static struct ssh_settings *
settings(struct ssh_place *t, const char *name)
{
	struct ssh_settings *out = NULL;

	if (openssh_settings(t->arena, place_path(t, "config"), name, 0, "",
		&out, &t->err) < 0)
		fail_msg("%s", t->err.text);
	return out;
}

static void
settings_are_those_of_ssh(void **state)
{
	struct ssh_place *t = *state;
	struct ssh_settings *s;

	place_write(t, "127.1.0.1_root", "");
	place_write(t, "config",
	    arena_printf(t->arena,
		"Host web1\n"
		" HostName 127.1.0.1\n Port 2222\n User root\n"
		" HostKeyAlias Alias1\n IdentitiesOnly yes\n"
		" ConnectTimeout 4\n ProxyJump a@b:33,c\n"
		" IdentityAgent /run/agent-%%r\n"
		" IdentityFile %s/%%h_%%r\n IdentityFile /no/such/file\n"
		" UserKnownHostsFile /u/one \"/u/with blank\"\n"
		" GlobalKnownHostsFile /g/one\n",
		t->folder));
	s = settings(t, "web1");
	assert_string_equal(s->name, "web1");
	assert_string_equal(s->address, "127.1.0.1");
	assert_int_equal(s->port, 2222);
	assert_string_equal(s->user, "root");
	assert_string_equal(s->host_key_alias, "alias1");
	assert_true(s->identities_only);
	assert_int_equal(s->connect_timeout_ms, 4000);
	assert_string_equal(s->jump, "a@b:33,c");
	assert_string_equal(s->agent, "/run/agent-root");
	assert_int_equal(s->identity_count, 1);
	assert_string_equal(s->identities[0], place_path(t, "127.1.0.1_root"));
	assert_int_equal(s->known_hosts_count, 3);
	assert_string_equal(s->known_hosts[0], "/u/one");
	assert_string_equal(s->known_hosts[1], "/u/with blank");
	assert_string_equal(s->known_hosts[2], "/g/one");
}

static void
what_the_inventory_says_goes_before_ssh_config(void **state)
{
	struct ssh_place *t = *state;
	struct ssh_settings *s = NULL;

	place_write(t, "config",
	    "Host web1\n Port 2222\n User someone\n IdentityFile none\n");
	assert_int_equal(openssh_settings(t->arena, place_path(t, "config"),
			     "web1", 4444, "ann", &s, &t->err),
	    0);
	assert_int_equal(s->port, 4444);
	assert_string_equal(s->user, "ann");
	assert_string_equal(s->address, "web1");
	assert_null(s->host_key_alias);
	assert_null(s->jump);
	assert_null(s->agent);
	assert_int_equal(s->identity_count, 0);
	assert_false(s->identities_only);
	assert_int_equal(s->connect_timeout_ms, 10000);
}

static void
the_agent_is_ssh_auth_sock_unless_none_is_wanted(void **state)
{
	struct ssh_place *t = *state;

	place_write(t, "config",
	    "Host no\n IdentityAgent none\nHost other\n"
	    " IdentityAgent $HOSHU_TEST_AGENT\n");
	setenv("SSH_AUTH_SOCK", "/run/person", 1);
	setenv("HOSHU_TEST_AGENT", "/run/other", 1);
	assert_string_equal(settings(t, "web1")->agent, "/run/person");
	assert_null(settings(t, "no")->agent);
	assert_string_equal(settings(t, "other")->agent, "/run/other");
	unsetenv("SSH_AUTH_SOCK");
	assert_null(settings(t, "web1")->agent);
}

static void
settings_that_cannot_be_used_are_refused_by_name(void **state)
{
	static const char *const bad_names[] = {
	    "-oProxyCommand=x", "a b", "$(id)", "a;b", "a`b", "", "a\nb"};
	struct ssh_place *t = *state;
	struct ssh_settings *s = NULL;
	const char *config = place_path(t, "config");
	size_t i;

	place_write(t, "config",
	    "Host web1\n ProxyCommand nc %h %p\n"
	    "Host web2\n ProxyCommand none\n");
	place_refuses(t,
	    openssh_settings(t->arena, config, "web1", 0, NULL, &s, &t->err),
	    ERR_REFUSED, WORDS("web1", "ProxyCommand 'nc %h %p'", "ProxyJump"));
	assert_int_equal(
	    openssh_settings(t->arena, config, "web2", 0, NULL, &s, &t->err),
	    0);
	for (i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++)
		place_refuses(t,
		    openssh_settings(
			t->arena, config, bad_names[i], 0, NULL, &s, &t->err),
		    ERR_PLAN, WORDS("inventory"));
	place_refuses(t,
	    openssh_settings(t->arena, config, "web1", 0, "-x", &s, &t->err),
	    ERR_PLAN, WORDS("web1", "-x"));
	place_write(t, "config", "Rubbish yes\n");
	place_refuses(t,
	    openssh_settings(t->arena, config, "web1", 0, NULL, &s, &t->err),
	    ERR_PLAN,
	    WORDS("web1", "line 1: Bad configuration option: rubbish"));
}

/* known_hosts */

static void
lines_match_hosts_as_the_table_says(void **state)
{
	char line[512], expected[8], host[128], field[256];
	FILE *table = fopen("tests/tables/known_hosts.txt", "r");
	struct known_line known = {.mark = KNOWN_KEY};
	int number = 0, rows = 0;

	(void)state;
	assert_non_null(table);
	while (fgets(line, sizeof(line), table) != NULL) {
		number++;
		if (*line == '#')
			continue;
		if (sscanf(line, "%7s %127s %255s", expected, host, field) != 3)
			fail_msg("table line %d", number);
		known.hosts = field;
		known.hosts_len = strlen(field);
		if (known_line_is_for(&known, host) !=
		    (strcmp(expected, "yes") == 0))
			fail_msg("table line %d: %s", number, line);
		rows++;
	}
	assert_true(rows > 30);
	fclose(table);
}

/* known_hosts of this text, in files one and two, for address:port. */
static int
known(struct ssh_place *t, const char *address, int port, const char *alias,
    struct host_keys **keys)
{
	struct ssh_settings *s = arena_new_of(t->arena, struct ssh_settings);

	s->name = "web1";
	s->user = "root";
	s->address = address;
	s->port = port;
	s->host_key_alias = alias;
	s->known_hosts = arena_array(t->arena, const char *, 4);
	s->known_hosts[0] = place_path(t, "no-such-file");
	s->known_hosts[1] = "/dev/null";
	s->known_hosts[2] = place_path(t, "one");
	s->known_hosts[3] = place_path(t, "two");
	s->known_hosts_count = 4;
	*keys = NULL;
	return openssh_known_hosts(t->arena, s, keys, &t->err);
}

static void
three_keys(struct ssh_place *t)
{
	place_make_key(t, "ed", "ed25519", "");
	place_make_key(t, "ec", "ecdsa -b 384", "");
	place_make_key(t, "rsa", "rsa", "");
	place_write(t, "two", "");
}

static void
plain_lines_of_several_files_give_every_key_once(void **state)
{
	struct ssh_place *t = *state;
	struct host_keys *keys;

	three_keys(t);
	place_write(t, "one",
	    arena_printf(t->arena,
		"# a comment\n\nrubbish\n@strange x y z\n"
		"@cert-authority * %s\n"
		"other %s\n"
		"web1 %s a comment\n",
		place_key(t, "ec"), place_key(t, "ec"), place_key(t, "rsa")));
	place_write(t, "two",
	    arena_printf(t->arena, "web? %s\r\nweb1 %s\nweb1 ssh-dss AAAA\n",
		place_key(t, "ed"), place_key(t, "rsa")));
	assert_int_equal(known(t, "web1", 22, NULL, &keys), 0);
	assert_int_equal(keys->count, 2);
	assert_string_equal(keys->keys[0], place_key(t, "rsa"));
	assert_string_equal(keys->keys[1], place_key(t, "ed"));
	assert_string_equal(
	    keys->types, "ssh-ed25519,rsa-sha2-512,rsa-sha2-256");
	assert_string_equal(keys->places[0].file, place_path(t, "one"));
	assert_int_equal(keys->places[0].line, 7);
	assert_string_equal(keys->places[1].file, place_path(t, "two"));
	assert_int_equal(keys->places[1].line, 1);
}

static void
names_hashed_by_ssh_keygen_are_found(void **state)
{
	struct ssh_place *t = *state;
	struct host_keys *keys;

	three_keys(t);
	place_write(t, "one",
	    arena_printf(t->arena, "web1 %s\n[web2]:2222 %s\n",
		place_key(t, "ed"), place_key(t, "ec")));
	place_run(t, "ssh-keygen -q -H -f one >/dev/null 2>&1; "
		     /* a digest may hold any three letters */
		     "! grep -q '^[[]*web' one");
	assert_int_equal(known(t, "WEB1", 22, NULL, &keys), 0);
	assert_string_equal(keys->keys[0], place_key(t, "ed"));
	assert_int_equal(known(t, "web2", 2222, NULL, &keys), 0);
	assert_string_equal(keys->keys[0], place_key(t, "ec"));
	assert_string_equal(keys->types, "ecdsa-sha2-nistp384");
	place_refuses(
	    t, known(t, "web2", 22, NULL, &keys), ERR_REFUSED, WORDS("web2"));
}

static void
a_port_of_its_own_goes_before_the_plain_name(void **state)
{
	struct ssh_place *t = *state;
	struct host_keys *keys;

	three_keys(t);
	place_write(t, "one",
	    arena_printf(t->arena, "web1 %s\n[web1]:2222 %s\n",
		place_key(t, "ed"), place_key(t, "ec")));
	assert_int_equal(known(t, "web1", 2222, NULL, &keys), 0);
	assert_int_equal(keys->count, 1);
	assert_string_equal(keys->keys[0], place_key(t, "ec"));
	/* as OpenSSH: without one, the name's key will do */
	assert_int_equal(known(t, "web1", 4444, NULL, &keys), 0);
	assert_string_equal(keys->keys[0], place_key(t, "ed"));
	/* an alias stands alone, whatever the port */
	assert_int_equal(known(t, "10.0.0.1", 2222, "web1", &keys), 0);
	assert_string_equal(keys->keys[0], place_key(t, "ed"));
}

static void
a_revoked_key_is_never_known(void **state)
{
	struct ssh_place *t = *state;
	struct host_keys *keys;

	three_keys(t);
	place_write(t, "one",
	    arena_printf(t->arena, "web1 %s\nweb1 %s\n", place_key(t, "ed"),
		place_key(t, "rsa")));
	/* after it, in another file */
	place_write(t, "two",
	    arena_printf(t->arena, "@revoked * %s\n", place_key(t, "ed")));
	assert_int_equal(known(t, "web1", 22, NULL, &keys), 0);
	assert_int_equal(keys->count, 1);
	assert_string_equal(keys->keys[0], place_key(t, "rsa"));

	place_write(
	    t, "one", arena_printf(t->arena, "web1 %s\n", place_key(t, "ed")));
	place_refuses(t, known(t, "web1", 22, NULL, &keys), ERR_REFUSED,
	    WORDS(arena_printf(t->arena, "%s:1", place_path(t, "two")), "web1",
		"REVOKED"));
	assert_null(keys);
}

static void
an_unknown_host_is_told_how_to_become_known(void **state)
{
	struct ssh_place *t = *state;
	struct ssh_settings s = {.name = "web1",
	    .user = "root",
	    .address = "10.0.0.1",
	    .port = 2222};
	const char *files[] = {place_path(t, "one")};
	struct host_keys *keys = NULL;

	place_write(t, "one", "");
	s.known_hosts = files;
	s.known_hosts_count = 1;
	place_refuses(t, openssh_known_hosts(t->arena, &s, &keys, &t->err),
	    ERR_REFUSED,
	    WORDS("host web1", "[10.0.0.1]:2222",
		"`ssh-keyscan -p 2222 10.0.0.1 | ssh-keygen -lf -`",
		arena_printf(t->arena, "`ssh-keyscan -p 2222 10.0.0.1 >> %s`",
		    files[0])));
	s.port = 22;
	s.host_key_alias = "alias1";
	place_refuses(t, openssh_known_hosts(t->arena, &s, &keys, &t->err),
	    ERR_REFUSED,
	    WORDS("alias1", "`ssh-keyscan 10.0.0.1 | ssh-keygen -lf -`",
		arena_printf(t->arena,
		    "`ssh-keyscan 10.0.0.1 | sed 's/^[^# ]*/alias1/' >> %s`",
		    files[0])));
	s.jump = "bastion";
	place_refuses(t, openssh_known_hosts(t->arena, &s, &keys, &t->err),
	    ERR_REFUSED, WORDS("bastion", "`ssh web1`"));
	place_write(t, "one", "alias1 ssh-dss AAAA\n");
	place_refuses(t, openssh_known_hosts(t->arena, &s, &keys, &t->err),
	    ERR_REFUSED, WORDS("ssh-dss", "ed25519"));
}

static void
a_changed_key_names_the_line_and_the_way_out(void **state)
{
	struct ssh_place *t = *state;
	struct ssh_settings s = {
	    .name = "web1", .address = "10.0.0.1", .port = 2222};
	struct host_keys *keys;

	three_keys(t);
	place_write(t, "one",
	    arena_printf(t->arena,
		"# x\n[10.0.0.1]:2222 %s\n"
		"[10.0.0.1]:2222 %s\n",
		place_key(t, "ed"), place_key(t, "rsa")));
	assert_int_equal(known(t, "10.0.0.1", 2222, NULL, &keys), 0);
	place_refuses(t,
	    openssh_key_changed(&s, keys, "ssh-rsa SHA256:xyz", &t->err),
	    ERR_REFUSED,
	    WORDS(arena_printf(t->arena, "%s:3: ", place_path(t, "one")),
		"web1", "CHANGED", "ssh-rsa SHA256:xyz",
		arena_printf(t->arena,
		    "`ssh-keygen -R '[10.0.0.1]:2222' -f %s`",
		    place_path(t, "one"))));
	place_refuses(t, openssh_key_changed(&s, keys, "", &t->err),
	    ERR_REFUSED, WORDS("one:2: ", "CHANGED"));
}

/* jump hosts */

static void
jump_is(
    struct ssh_place *t, const char *jump, const char *config, const char *want)
{
	struct ssh_settings s = {.name = "web1",
	    .address = "10.0.0.1",
	    .port = 2222,
	    .connect_timeout_ms = 5000,
	    .jump = jump};
	const char *const *argv = NULL;
	struct buf text = BUF_INIT;
	size_t i;

	assert_int_equal(
	    openssh_jump_argv(t->arena, &s, config, &argv, &t->err), 0);
	for (i = 0; argv[i] != NULL; i++)
		buf_printf(&text, "%s%s", i > 0 ? " " : "", argv[i]);
	assert_string_equal(buf_str(&text), want);
	buf_free(&text);
}

static void
a_jump_is_an_ssh_w_to_the_last_hop(void **state)
{
	struct ssh_place *t = *state;

	jump_is(t, "bastion", NULL,
	    "ssh -oBatchMode=yes -oConnectTimeout=5 -W [10.0.0.1]:2222 -- "
	    "ssh://bastion");
	jump_is(t, "a@b:33,ssh://c:44,d@[::1]:55", "/etc/my config",
	    "ssh -F /etc/my config -oBatchMode=yes -oConnectTimeout=5 "
	    "-J a@b:33,ssh://c:44 -W [10.0.0.1]:2222 -- ssh://d@[::1]:55");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(settings_are_those_of_ssh),
	    PLACE_TEST(what_the_inventory_says_goes_before_ssh_config),
	    PLACE_TEST(the_agent_is_ssh_auth_sock_unless_none_is_wanted),
	    PLACE_TEST(settings_that_cannot_be_used_are_refused_by_name),
	    cmocka_unit_test(lines_match_hosts_as_the_table_says),
	    PLACE_TEST(plain_lines_of_several_files_give_every_key_once),
	    PLACE_TEST(names_hashed_by_ssh_keygen_are_found),
	    PLACE_TEST(a_port_of_its_own_goes_before_the_plain_name),
	    PLACE_TEST(a_revoked_key_is_never_known),
	    PLACE_TEST(an_unknown_host_is_told_how_to_become_known),
	    PLACE_TEST(a_changed_key_names_the_line_and_the_way_out),
	    PLACE_TEST(a_jump_is_an_ssh_w_to_the_last_hop),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("openssh", tests, NULL, NULL);
}
