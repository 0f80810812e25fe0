/*
 * One connection against a real sshd: login, asks, launches, verdicts, the
 * ways it ends. covers: P4, P11
 */
#include "remote_host.h"

static struct host host;

static int
setup(void **state)
{
	(void)state;
	host_start(&host);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	host_stop(&host);
	return 0;
}

/* --- login ----------------------------------------------------------------- */

static void
opens_and_tells_what_the_host_is(void **state)
{
	struct link l;
	char uid[16];

	(void)state;
	link_open(&l, &host);
	snprintf(uid, sizeof(uid), "%d", (int)getuid());
	assert_string_equal(l.uid, uid);
	assert_string_equal(l.readonly, "plain");
	assert_string_equal(l.gaps, "");
	assert_int_equal(strlen(l.life), 36 + 1 + 36);
	assert_true(llabs(l.clock_ms - world_wall_ms(&world_real)) < 5000);
	print_message("# %s\n", l.timings);
	link_close(&l);
}

static void
ten_asks_take_one_round_trip_and_come_in_order(void **state)
{
	struct link l;
	char text[128], want[32];
	int flights;

	(void)state;
	link_open(&l, &host);
	flights = l.remote->wire.flights;
	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text),
		    "echo out %d; echo err %d >&2; exit %d", i, i, i);
		remote_ask(
		    l.remote, text, strlen(text), on_answer, slot(&l, i));
	}
	link_wait(&l, l.answers == 10);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(l.said[i].order, i);
		assert_int_equal(l.said[i].status, i);
		snprintf(want, sizeof(want), "out %d\n", i);
		assert_string_equal(buf_str(&l.said[i].out), want);
		snprintf(want, sizeof(want), "err %d\n", i);
		assert_string_equal(buf_str(&l.said[i].err), want);
	}
	assert_int_equal(l.remote->wire.flights - flights, 1);
	link_close(&l);
}

static void
probe_launch_and_verify_take_one_round_trip(void **state)
{
	struct link l;
	int flights;

	(void)state;
	link_open(&l, &host);
	flights = l.remote->wire.flights;
	remote_ask(l.remote, "echo a", 6, on_answer, slot(&l, 0));
	remote_launch(
	    l.remote, new_xid(), bytes_of("echo b"), on_answer, slot(&l, 1));
	remote_ask(l.remote, "echo c", 6, on_answer, slot(&l, 2));
	link_wait(&l, l.answers == 3);
	assert_string_equal(l.said[1].verdict, "done");
	assert_string_equal(buf_str(&l.said[1].out), "b\n");
	assert_string_equal(buf_str(&l.said[2].out), "c\n");
	assert_int_equal(l.remote->wire.flights - flights, 1);
	link_close(&l);
}

static void
every_kind_of_user_key_signs(void **state)
{
	static const char *const algorithms[] = {
	    "ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"};

	(void)state;
	for (int kind = KEY_ED25519; kind <= KEY_RSA; kind++) {
		struct remote_options options = host_options(&host);
		struct link l;
		struct key key;

		key_make(&key, (enum key_kind)kind);
		shell("echo '%s' >>%s/authorized_keys", key.line, host.folder);
		options.auth_key = key.line;
		link_start(&l, &host, options);
		l.key = &key;
		l.sign_later = true; /* an agent takes its time */
		link_wait(&l, l.opened || l.closed);
		if (!l.opened)
			fail_msg("kind %d: %s: %s", kind, l.why, l.text);
		assert_string_equal(l.algorithm, algorithms[kind]);
		link_close(&l);
		key_free(&key);
	}
}

static void
every_kind_of_host_key_is_checked(void **state)
{
	static const char *const types[] = {"ssh-ed25519",
	    "ecdsa-sha2-nistp256", "ssh-rsa", "rsa-sha2-256,ssh-ed25519", ""};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct remote_options options = host_options(&host);
		struct link l;

		options.host_key_types = types[i];
		link_start(&l, &host, options);
		link_wait(&l, l.opened || l.closed);
		if (!l.opened)
			fail_msg("%s: %s: %s", types[i], l.why, l.text);
		link_close(&l);
	}
}

static void
a_wrong_host_key_is_refused_with_its_fingerprint(void **state)
{
	struct remote_options options = host_options(&host);
	struct link l;
	char command[1024], want[200] = "ssh-ed25519 ";
	FILE *f;

	(void)state;
	options.host_keys = host.key.line; /* some other ed25519 key */
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	assert_false(l.opened);
	assert_string_equal(l.why, "hostkey");
	snprintf(command, sizeof(command),
	    "ssh-keygen -lf %s/host_ed25519.pub | cut -d' ' -f2", host.folder);
	f = popen(command, "r");
	assert_int_equal(fscanf(f, "%150s", want + strlen(want)), 1);
	pclose(f);
	assert_string_equal(l.fingerprint, want);
	assert_string_equal(l.algorithm, ""); /* nothing was signed */
	link_close(&l);

	options.host_keys = "";
	options.host_key_types = "";
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	assert_string_equal(l.why, "hostkey");
	assert_non_null(strstr(l.text, "none is known"));
	link_close(&l);
}

static void
a_wrong_user_key_is_refused_with_what_the_host_offers(void **state)
{
	struct remote_options options = host_options(&host);
	struct link l;
	struct key key;

	(void)state;
	key_make(&key, KEY_ED25519);
	options.auth_key = key.line;
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	assert_string_equal(l.why, "auth");
	assert_non_null(strstr(l.text, host.user));
	assert_non_null(strstr(l.text, "ssh-ed25519 SHA256:"));
	assert_non_null(strstr(l.text, "publickey,password"));
	assert_string_equal(l.algorithm, "");
	link_close(&l);
	key_free(&key);
}

static void
who_will_not_sign_is_named(void **state)
{
	struct link l;

	(void)state;
	link_start(&l, &host, host_options(&host));
	l.refuse = "the agent is locked";
	link_wait(&l, l.opened || l.closed);
	assert_string_equal(l.why, "auth");
	assert_string_equal(l.text, "test: the agent is locked");
	link_close(&l);
}

static void
a_wrong_signature_is_refused(void **state)
{
	struct remote_options options = host_options(&host);
	struct link l;
	struct key key;

	(void)state;
	key_make(&key, KEY_ED25519);
	link_start(&l, &host, options);
	l.key = &key; /* offers the right one, signs with another */
	link_wait(&l, l.opened || l.closed);
	assert_string_equal(l.why, "auth");
	link_close(&l);
	key_free(&key);
}

static void
keys_that_hoshu_does_not_take_are_refused_at_once(void **state)
{
	static const char *const bad[] = {"ssh-dss AAAA", "ssh-ed25519",
	    "ssh-ed25519 !!!!", "ssh-ed25519 AAAA",
	    "sk-ssh-ed25519@openssh.com AAAA", "", "rsa-sha2-256 AAAA"};
	struct loop *loop;
	struct remote *remote = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(loop_open(&loop, &err), 0);
	for (size_t i = 0; i < 7; i++) {
		struct remote_options options = host_options(&host);

		options.fd = host_dial(&host);
		options.auth_key = bad[i];
		assert_int_equal(remote_open(loop, &options, &link_events, NULL,
				     &remote, &err),
		    -ERR_REFUSED);
	}
	loop_close(loop);
}

static void
sudo_that_wants_a_password_says_what_to_do(void **state)
{
	struct remote_options options = host_options(&host);
	struct link l;

	(void)state;
	shell("printf '#!/bin/sh\\necho sudo: a password is required >&2\\n"
	      "exit 1\\n' >%s/bin/sudo; chmod +x %s/bin/sudo",
	    host.folder, host.folder);
	options.sudo = true;
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	assert_string_equal(l.why, "shell");
	assert_non_null(strstr(l.text, "a password is required"));
	assert_non_null(strstr(l.text, "NOPASSWD"));
	link_close(&l);
	/* and one that does not */
	shell("printf '#!/bin/sh\\nshift 2; exec \"$@\"\\n' >%s/bin/sudo",
	    host.folder);
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	assert_true(l.opened);
	assert_string_equal(buf_str(&ask(&l, "echo hi")->out), "hi\n");
	link_close(&l);
}

static void
a_spool_that_is_not_ours_is_refused(void **state)
{
	struct remote_options options = host_options(&host);
	struct link l;
	char path[600];

	(void)state;
	if (getuid() != 0)
		skip();
	snprintf(path, sizeof(path), "%s/link", host.folder);
	shell("ln -s /tmp %s", path);
	options.root_spool = path;
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	assert_string_equal(l.why, "shell");
	assert_non_null(strstr(l.text, path));
	link_close(&l);
	shell("rm %s; mkdir %s; chown 65534 %s", path, path, path);
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	assert_string_equal(l.why, "shell");
	link_close(&l);
	options.root_spool = "~/state";
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	assert_true(l.opened);
	snprintf(path, sizeof(path), "%s/home/state\n", host.folder);
	assert_string_equal(buf_str(&ask(&l, "echo $S")->out), path);
	link_close(&l);
}

/* --- launches and verdicts -------------------------------------------------- */

static void
a_key_runs_once_and_keeps_its_verdict(void **state)
{
	struct link l;
	struct said *s;
	char script[600];
	const char *xid = new_xid();
	double uptime;

	(void)state;
	link_open(&l, &host);
	snprintf(script, sizeof(script),
	    "echo x >>%s/effect; echo said; echo erred >&2; exit 7",
	    host.folder);
	s = launch(&l, xid, script);
	assert_int_equal(s->end, REMOTE_ANSWERED);
	assert_string_equal(s->verdict, "done");
	assert_int_equal(s->rc, 7);
	uptime = atof(s->uptime);
	assert_true(uptime > 0);
	s = launch(&l, xid, script);
	assert_string_equal(s->verdict, "done");
	assert_int_equal(s->rc, 7);
	assert_string_equal(buf_str(&s->out), "said\n");
	assert_string_equal(buf_str(&s->err), "erred\n");
	assert_int_equal(s->out_size, 5);
	assert_int_equal(s->err_size, 6);
	s = settle(&l, xid, l.life);
	assert_string_equal(s->verdict, "done");
	assert_int_equal(s->rc, 7);
	assert_true(atof(s->uptime) == uptime);
	snprintf(script, sizeof(script), "cat %s/effect", host.folder);
	assert_string_equal(buf_str(&ask(&l, script)->out), "x\n");
	link_close(&l);
}

static void
settle_seals_what_never_ran(void **state)
{
	struct link l;
	char script[600];
	const char *xid = new_xid();

	(void)state;
	link_open(&l, &host);
	assert_string_equal(settle(&l, xid, l.life)->verdict, "sealed");
	snprintf(script, sizeof(script), "touch %s/never", host.folder);
	assert_string_equal(launch(&l, xid, script)->verdict, "sealed");
	snprintf(script, sizeof(script), "test ! -e %s/never", host.folder);
	assert_int_equal(ask(&l, script)->status, 0);
	link_close(&l);
}

static void
another_life_is_no_evidence(void **state)
{
	struct link l;
	char life[200];
	const char *xid = new_xid();

	(void)state;
	link_open(&l, &host);
	memcpy(life, l.life, sizeof(life));
	assert_string_equal(launch(&l, xid, "true")->verdict, "done");
	ask(&l, "rm $S/token");
	link_close(&l);
	link_open(&l, &host);
	assert_string_not_equal(l.life, life);
	assert_string_equal(settle(&l, xid, life)->verdict, "otherlife");
	link_close(&l);
}

/* Until a launched script has made the file. */
static void
wait_for_file(struct link *l, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", host.folder, name);
	while (!file_exists(path)) {
		loop_timer_start(
		    l->loop, 5, (void (*)(void *))loop_stop, l->loop);
		link_turn(l);
	}
}

static void
a_cut_connection_is_settled_truthfully(void **state)
{
	struct link l;
	struct said *s;
	char life[200], script[700], go[600], path[600];
	const char *xid = new_xid();
	int sshd;

	(void)state;
	link_open(&l, &host);
	memcpy(life, l.life, sizeof(life));
	sshd = atoi(buf_str(&ask(&l, "echo $PPID")->out));
	assert_true(sshd > 1 && sshd != host.sshd);
	/* the step waits on a fifo, so that the test decides when it ends */
	snprintf(go, sizeof(go), "%s/go", host.folder);
	assert_int_equal(mkfifo(go, 0600), 0);
	snprintf(script, sizeof(script),
	    "echo begun >%s/begun; read x <%s; echo $x; exit 5", host.folder,
	    go);
	remote_launch(l.remote, xid, bytes_of(script), on_answer, slot(&l, 1));
	remote_ask(l.remote, "echo later", 10, on_answer, slot(&l, 2));
	wait_for_file(&l, "begun", path, sizeof(path));
	kill(sshd, SIGKILL);
	link_wait(&l, l.closed);
	assert_string_equal(l.why, "network");
	assert_true(l.said[1].here && l.said[2].here);
	assert_int_equal(l.said[1].end, REMOTE_GONE);
	assert_int_equal(l.said[2].end, REMOTE_GONE);
	link_close(&l);

	link_open(&l, &host);
	assert_string_equal(l.life, life);
	assert_string_equal(settle(&l, xid, life)->verdict, "running");
	assert_string_equal(launch(&l, xid, "echo twice")->verdict, "running");
	shell("echo word >%s", go);
	do
		s = settle(&l, xid, life);
	while (strcmp(s->verdict, "running") == 0);
	assert_string_equal(s->verdict, "done");
	assert_int_equal(s->rc, 5);
	assert_string_equal(buf_str(&s->out), "word\n");
	link_close(&l);
}

static void
a_killed_supervisor_is_lost_and_not_failed(void **state)
{
	struct link l;
	const char *xid = new_xid();

	(void)state;
	link_open(&l, &host);
	/* the script's parent is the supervisor; its pid stands in the key */
	assert_string_equal(
	    launch(&l, xid, "read _ p _ <\"$x\"; kill -9 $p")->verdict, "lost");
	assert_string_equal(settle(&l, xid, l.life)->verdict, "lost");
	link_close(&l);
}

static void
stop_ends_a_step_with_143(void **state)
{
	struct link l;
	const char *xid = new_xid();
	char script[1400], path[600];
	FILE *f;
	int pid = 0;

	(void)state;
	link_open(&l, &host);
	snprintf(script, sizeof(script),
	    "sh -c 'echo $$ >%s/pid.new; mv %s/pid.new %s/pid; exec sleep "
	    "1000'; echo not",
	    host.folder, host.folder, host.folder);
	remote_launch(l.remote, xid, bytes_of(script), on_answer, slot(&l, 1));
	wait_for_file(&l, "pid", path, sizeof(path));
	remote_stop(l.remote, xid, 30000);
	link_wait(&l, l.said[1].here);
	assert_string_equal(l.said[1].verdict, "done");
	assert_int_equal(l.said[1].rc, 143);
	assert_int_equal(l.said[1].out_size, 0);
	f = fopen(path, "r");
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	/* gone, or a zombie that nobody has reaped yet */
	snprintf(script, sizeof(script),
	    "! grep -qs '^State:.[^Z]' /proc/%d/status", pid);
	assert_int_equal(system(script), 0);
	link_close(&l);
}

static void
stop_kills_what_ignores_term(void **state)
{
	struct link l;
	const char *xid = new_xid();
	char script[600], path[600];

	(void)state;
	link_open(&l, &host);
	snprintf(script, sizeof(script),
	    "trap '' TERM; touch %s/deaf; while :; do sleep 1; done",
	    host.folder);
	remote_launch(l.remote, xid, bytes_of(script), on_answer, slot(&l, 1));
	wait_for_file(&l, "deaf", path, sizeof(path));
	remote_stop(l.remote, xid, 3000);
	link_wait(&l, l.said[1].here);
	assert_string_equal(l.said[1].verdict, "done");
	assert_int_equal(l.said[1].rc, 137);
	link_close(&l);
}

/* --- what goes as a blob ----------------------------------------------------- */

static void
a_long_script_goes_as_a_blob(void **state)
{
	struct link l;
	struct buf script = BUF_INIT;
	struct said *s;

	(void)state;
	link_open(&l, &host);
	buf_puts(&script, "n=0\n");
	while (script.len < 300000)
		buf_puts(&script, "n=$((n + 1)) # a line of a long script\n");
	buf_puts(&script, "echo \"$n $#\"\n");
	s = launch(&l, new_xid(), buf_str(&script));
	assert_string_equal(s->verdict, "done");
	assert_int_equal(s->rc, 0);
	assert_true(atoi(buf_str(&s->out)) > 7000);
	assert_int_equal(l.blobs_asked, 0);
	buf_free(&script);
	link_close(&l);
}

static void
a_blob_is_on_the_host_before_its_script_and_only_once(void **state)
{
	struct link l;
	struct said *s;
	struct digest digest;
	char *data = xmalloc(3000000), script[300];

	(void)state;
	for (int i = 0; i < 3000000; i++)
		data[i] = (char)(i * 7 + i / 256);
	link_open(&l, &host);
	l.blob = (struct bytes){data, 3000000};
	digest_of(l.blob, &digest);
	snprintf(script, sizeof(script),
	    "# needs blob %s\nsha256sum <\"$S/blob/%s\"", digest.hex,
	    digest.hex);
	for (int i = 0; i < 2; i++) {
		s = launch(&l, new_xid(), script);
		assert_string_equal(s->verdict, "done");
		assert_memory_equal(buf_str(&s->out), digest.hex, 64);
	}
	assert_int_equal(l.blobs_asked, 1);
	free(data);
	link_close(&l);
}

static void
a_launch_without_its_blob_does_not_run_but_holds_its_place(void **state)
{
	struct link l;
	const char *xid = new_xid();
	struct digest other;
	char script[300];

	(void)state;
	link_open(&l, &host);
	digest_of(bytes_of("some other bytes"), &other);
	snprintf(script, sizeof(script), "# needs blob %s\ntouch %s/no",
	    other.hex, host.folder);
	remote_ask(l.remote, "echo 1", 6, on_answer, slot(&l, 1));
	remote_launch(l.remote, xid, bytes_of(script), on_answer, slot(&l, 2));
	remote_ask(l.remote, "echo 3", 6, on_answer, slot(&l, 3));
	link_wait(&l, l.answers == 3);
	assert_string_equal(l.said[2].verdict, "notrun");
	assert_int_equal(l.said[2].order, 1);
	assert_string_equal(buf_str(&l.said[3].out), "3\n");
	/* bytes that are not what their digest says are not taken either */
	l.blob = bytes_of("wrong bytes");
	assert_string_equal(launch(&l, xid, script)->verdict, "notrun");
	snprintf(script, sizeof(script),
	    "test ! -e %s/no && ls $S/blob | grep -c '%.10s'", host.folder,
	    other.hex);
	assert_string_equal(buf_str(&ask(&l, script)->out), "0\n");
	assert_string_equal(settle(&l, xid, l.life)->verdict, "sealed");
	link_close(&l);
}

/* --- output -------------------------------------------------------------------- */

static void
a_flood_is_counted_and_its_tail_kept(void **state)
{
	struct link l;
	struct said *s;

	(void)state;
	link_open(&l, &host);
	s = ask(&l, "yes | head -c 20000001; yes e | head -c 300000 >&2");
	assert_int_equal(s->out_size, 20000001);
	assert_int_equal(s->out.len, FRAME_TAIL);
	assert_string_equal(buf_str(&s->out) + FRAME_TAIL - 4, "\ny\ny");
	assert_int_equal(s->err_size, 300000);
	assert_int_equal(s->err.len, FRAME_TAIL);
	s = launch(&l, new_xid(),
	    "yes | head -c 20000001; yes e | head -c 300001 >&2");
	assert_string_equal(s->verdict, "done");
	assert_int_equal(s->out_size, 20000001);
	assert_int_equal(s->out.len, FRAME_TAIL);
	assert_string_equal(buf_str(&s->out) + FRAME_TAIL - 4, "\ny\ny");
	assert_int_equal(s->err_size, 300001);
	assert_int_equal(s->err.len, FRAME_TAIL);
	/* what it took on the host was given back */
	s = ask(&l, "du -sk $S/out | cut -f1");
	assert_true(atoi(buf_str(&s->out)) < 2048);
	link_close(&l);
}

/* One piece of what the launch printed. */
static struct said *
more(struct link *l, const char *xid, int stream, int64_t block)
{
	remote_output(l->remote, xid, stream, block, on_answer, slot(l, 0));
	link_wait(l, l->said[0].here);
	return &l->said[0];
}

static void
what_a_step_printed_is_had_by_offset(void **state)
{
	struct link l;
	const char *xid = new_xid();
	struct said *s;

	(void)state;
	link_open(&l, &host);
	s = launch(&l, xid, "seq 1 20000; seq 1 15000 >&2");
	assert_int_equal(s->out_size, 108894);
	s = more(&l, xid, 1, 0);
	assert_int_equal(s->end, REMOTE_ANSWERED);
	assert_int_equal(s->out.len, FRAME_TAIL);
	assert_memory_equal(buf_str(&s->out), "1\n2\n3\n", 6);
	s = more(&l, xid, 1, 1);
	assert_int_equal(s->out.len, 108894 - FRAME_TAIL);
	assert_string_equal(buf_str(&s->out) + s->out.len - 6, "20000\n");
	s = more(&l, xid, 1, 2);
	assert_int_equal(s->out.len, 0);
	s = more(&l, xid, 2, 1);
	assert_string_equal(buf_str(&s->out) + s->out.len - 6, "15000\n");
	/* what is no key names no file */
	s = more(&l, "../token", 1, 0);
	assert_int_equal(s->end, REMOTE_ANSWERED);
	assert_int_equal(s->out.len, 0);
	link_close(&l);
}

static void
every_byte_comes_through(void **state)
{
	struct link l;
	struct said *s;
	const char *text = "i=0; while [ $i -lt 256 ]; do printf "
			   "\"\\\\$(printf %o $i)\"; i=$((i + 1)); done";

	(void)state;
	link_open(&l, &host);
	for (int round = 0; round < 2; round++) {
		s = round == 0 ? ask(&l, text) : launch(&l, new_xid(), text);
		assert_int_equal(s->out.len, 256);
		for (int i = 0; i < 256; i++)
			assert_int_equal((unsigned char)s->out.data[i], i);
	}
	link_close(&l);
}

static void
quoting_holds_for_hostile_texts(void **state)
{
	static const char *const words[] = {"'", "\\", "'\\''", "$(id)", "`id`",
	    "\n", "'; id; '", "\"", "*", "\r", "\t ", "\x01\x1b[2J", "!!",
	    "\xff\xfe", ". .", "-n", "EOF"};
	struct link l;

	(void)state;
	link_open(&l, &host);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct buf text = BUF_INIT;
		struct said *s;

		buf_puts(&text, "printf %s ");
		quote_put(&text, words[i], strlen(words[i]));
		s = ask(&l, buf_str(&text));
		assert_string_equal(buf_str(&s->out), words[i]);
		s = launch(&l, new_xid(), buf_str(&text));
		assert_string_equal(buf_str(&s->out), words[i]);
		buf_free(&text);
	}
	remote_ask(l.remote, "a\0b", 3, on_answer, slot(&l, 1));
	link_wait(&l, l.said[1].here);
	assert_int_equal(l.said[1].end, REMOTE_PROTOCOL);
	link_close(&l);
}

static void
hostile_scripts_do_not_break_the_frame(void **state)
{
	static const char *const scripts[] = {"exit 3", "exec true",
	    "exec >/dev/null 2>&1", "exec 1>&- 2>&-", "set -e; false",
	    "set -u; echo $nothing", "set -f; set -C; set -n", "cd /tmp",
	    "umask 777", "read x", "cat", "cat >&2", "trap 'exit 9' 0",
	    "trap '' TERM HUP INT", "unset PATH S H x", "S=/ H=/ x=/",
	    "PATH=/nowhere", "IFS=x", "ask() { echo mine; }",
	    "settle() { :; }; launch() { :; }; printf() { :; }",
	    "alias printf=false", "return 4", "break; continue",
	    "(sleep 0.2; echo late; echo late >&2) & true",
	    "(while :; do echo again; sleep 0.05; done) & echo $! "
	    ">>$HOME/pids",
	    "echo >&9", "echo x >&3", "exec 9>/dev/null 3>&1", "kill -INT $$",
	    "kill -HUP $$", "kill -TERM $$", "'", "((", "if", "$(",
	    "printf '\\nabc>0\\n'", "eval 'exit 2'", "exec sh -c 'exit 5'",
	    "ulimit -n 3", "shift 9", "set -- a b c; shift", "\\", "}",
	    "exec 0<&-", "wait", "export LC_ALL=tr_TR.UTF-8", "rm -f \"$x\""};
	struct link l;
	struct said *s;
	char last[200];

	(void)state;
	link_open(&l, &host);
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		const char *xid = new_xid();

		remote_launch(l.remote, xid, bytes_of(scripts[i]), on_answer,
		    slot(&l, 1));
		remote_ask(l.remote, scripts[i], strlen(scripts[i]), on_answer,
		    slot(&l, 2));
		remote_ask(l.remote, "echo sane $PWD $(umask) $#", 26,
		    on_answer, slot(&l, 3));
		link_wait(&l, l.closed || l.said[3].here);
		if (l.closed)
			fail_msg("%s: closed: %s", scripts[i], l.text);
		if (strcmp(scripts[i], "rm -f \"$x\"") != 0 &&
		    strcmp(l.said[1].verdict, "done") != 0)
			fail_msg("%s: %s", scripts[i], l.said[1].verdict);
		snprintf(last, sizeof(last), "%s", buf_str(&l.said[3].out));
		/* a background writer of an ask may write between asks */
		if (strstr(last, "sane / 0022 0\n") == NULL)
			fail_msg("%s: then '%s'", scripts[i], last);
	}
	s = ask(&l, "kill $(cat $HOME/pids); echo end");
	assert_non_null(strstr(buf_str(&s->out), "end\n"));
	link_close(&l);
}

/* --- ends ------------------------------------------------------------------------ */

static void
a_killed_shell_ends_the_connection(void **state)
{
	struct link l;

	(void)state;
	link_open(&l, &host);
	remote_ask(l.remote, "kill -9 $$", 10, on_answer, slot(&l, 1));
	remote_ask(l.remote, "echo hi", 7, on_answer, slot(&l, 2));
	link_wait(&l, l.closed);
	assert_string_equal(l.why, "shell");
	assert_int_equal(l.said[1].end, REMOTE_GONE);
	assert_int_equal(l.said[2].end, REMOTE_GONE);
	link_close(&l);
}

static void
what_is_forgotten_is_not_answered(void **state)
{
	struct link l;
	void *arg;

	(void)state;
	link_open(&l, &host);
	arg = slot(&l, 1);
	remote_ask(l.remote, "echo 1", 6, on_answer, arg);
	remote_ask(l.remote, "echo 2", 6, on_answer, slot(&l, 2));
	remote_forget(l.remote, arg);
	free(arg);
	link_wait(&l, l.said[2].here);
	assert_false(l.said[1].here);
	assert_string_equal(buf_str(&l.said[2].out), "2\n");
	link_close(&l);
}

static void
close_answers_what_is_open(void **state)
{
	struct link l;

	(void)state;
	link_open(&l, &host);
	remote_ask(l.remote, "sleep 5", 7, on_answer, slot(&l, 1));
	remote_close(l.remote);
	assert_false(l.closed); /* never from within the call */
	link_wait(&l, l.closed);
	assert_string_equal(l.why, "asked");
	assert_int_equal(l.said[1].end, REMOTE_GONE);
	link_close(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(opens_and_tells_what_the_host_is),
	    cmocka_unit_test(ten_asks_take_one_round_trip_and_come_in_order),
	    cmocka_unit_test(probe_launch_and_verify_take_one_round_trip),
	    cmocka_unit_test(every_kind_of_user_key_signs),
	    cmocka_unit_test(every_kind_of_host_key_is_checked),
	    cmocka_unit_test(a_wrong_host_key_is_refused_with_its_fingerprint),
	    cmocka_unit_test(
		a_wrong_user_key_is_refused_with_what_the_host_offers),
	    cmocka_unit_test(who_will_not_sign_is_named),
	    cmocka_unit_test(a_wrong_signature_is_refused),
	    cmocka_unit_test(keys_that_hoshu_does_not_take_are_refused_at_once),
	    cmocka_unit_test(sudo_that_wants_a_password_says_what_to_do),
	    cmocka_unit_test(a_spool_that_is_not_ours_is_refused),
	    cmocka_unit_test(a_key_runs_once_and_keeps_its_verdict),
	    cmocka_unit_test(settle_seals_what_never_ran),
	    cmocka_unit_test(another_life_is_no_evidence),
	    cmocka_unit_test(a_cut_connection_is_settled_truthfully),
	    cmocka_unit_test(a_killed_supervisor_is_lost_and_not_failed),
	    cmocka_unit_test(stop_ends_a_step_with_143),
	    cmocka_unit_test(stop_kills_what_ignores_term),
	    cmocka_unit_test(a_long_script_goes_as_a_blob),
	    cmocka_unit_test(
		a_blob_is_on_the_host_before_its_script_and_only_once),
	    cmocka_unit_test(
		a_launch_without_its_blob_does_not_run_but_holds_its_place),
	    cmocka_unit_test(a_flood_is_counted_and_its_tail_kept),
	    cmocka_unit_test(what_a_step_printed_is_had_by_offset),
	    cmocka_unit_test(every_byte_comes_through),
	    cmocka_unit_test(quoting_holds_for_hostile_texts),
	    cmocka_unit_test(hostile_scripts_do_not_break_the_frame),
	    cmocka_unit_test(a_killed_shell_ends_the_connection),
	    cmocka_unit_test(what_is_forgotten_is_not_answered),
	    cmocka_unit_test(close_answers_what_is_open),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
