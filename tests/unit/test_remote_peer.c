/*
 * Peers that are no sshd, or one whose bytes are cut off, damaged or without
 * end: each is a clear word within the deadline, never a crash or a hang.
 * covers: P4, P11
 */
#include "remote_host.h"

/* libssh2 1.11 forgets the host's public key where a handshake breaks between
 * that key and the end of the exchange (350 bytes; the worker may be renewed).
 * The name is the sanitizer's. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libcrypto.so";
}

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

/* A child with the other end of a stream; returns our end. */
static int
peer_start(void (*serve)(int fd, long arg), long arg, pid_t *pid)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	*pid = fork();
	if (*pid == 0) {
		close(fds[0]);
		signal(SIGPIPE, SIG_DFL);
		serve(fds[1], arg);
		_exit(0);
	}
	close(fds[1]);
	return fds[0];
}

static void
peer_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
say(int fd, const void *data, size_t len)
{
	if (send(fd, data, len, MSG_NOSIGNAL) < 0)
		_exit(0);
}

static void
wait_for_close(int fd)
{
	char data[4096];

	while (read(fd, data, sizeof(data)) > 0)
		;
}

enum garbage {
	HANGS_UP,
	SPEAKS_HTTP,
	SPEAKS_SSH_1,
	ONLY_GREETS,
	GREETS_AND_HANGS_UP,
	SAYS_NOTHING,
	GREETS_WITH_NUL,
	BABBLES_LINES,
	BABBLES_ONE_LINE,
	GREETS_AND_BABBLES,
	GREETS_AND_SENDS_HUGE_PACKET,
	GREETS_AND_SENDS_PACKETS_FOR_EVER,
	GARBAGE_KINDS
};

static void
serve_garbage(int fd, long kind)
{
	static const char greeting[] = "SSH-2.0-OpenSSH_9.9\r\n";
	unsigned char block[4096];

	srand(7);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (unsigned char)rand();
	switch ((enum garbage)kind) {
	case HANGS_UP:
		return;
	case SPEAKS_HTTP:
		say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
		return;
	case SPEAKS_SSH_1:
		say(fd, "SSH-1.5-old\n", 12);
		wait_for_close(fd);
		return;
	case ONLY_GREETS:
		say(fd, greeting, strlen(greeting));
		wait_for_close(fd);
		return;
	case GREETS_AND_HANGS_UP:
		say(fd, greeting, strlen(greeting));
		return;
	case SAYS_NOTHING:
		wait_for_close(fd);
		return;
	case GREETS_WITH_NUL:
		say(fd, "SSH-2.0-\0\0\0\n", 12);
		wait_for_close(fd);
		return;
	case BABBLES_LINES:
		for (;;)
			say(fd, "no such thing\n", 14);
	case BABBLES_ONE_LINE:
		memset(block, 'A', sizeof(block));
		for (;;)
			say(fd, block, sizeof(block));
	case GREETS_AND_BABBLES:
		say(fd, greeting, strlen(greeting));
		for (;;)
			say(fd, block, sizeof(block));
	case GREETS_AND_SENDS_HUGE_PACKET:
		say(fd, greeting, strlen(greeting));
		say(fd, "\xff\xff\xff\xff\x04\x14", 6);
		for (;;)
			say(fd, block, sizeof(block));
	case GREETS_AND_SENDS_PACKETS_FOR_EVER:
		/* well-formed packets that libssh2 keeps */
		say(fd, greeting, strlen(greeting));
		memset(block, 0, sizeof(block));
		block[2] = 0x0f; /* 4096 - 4 */
		block[3] = 0xfc;
		block[4] = 4;
		block[5] =
		    99; /* channel success: kept for whoever waits for it */
		for (;;)
			say(fd, block, sizeof(block));
	case GARBAGE_KINDS:
		return;
	}
}

static void
a_peer_that_is_no_ssh_server_is_named(void **state)
{
	static const char *const whys[] = {"network", "protocol",
	    "protocol deadline", "deadline", "network", "deadline",
	    "protocol deadline", "deadline", "protocol deadline", "protocol",
	    "protocol", "protocol"};

	(void)state;
	for (int kind = 0; kind < GARBAGE_KINDS; kind++) {
		struct remote_options options = host_options(&host);
		struct link l;
		int64_t began = world_mono_ms(&world_real), took;
		pid_t pid;

		options.fd = peer_start(serve_garbage, kind, &pid);
		options.deadline_ms = 300;
		link_start(&l, &host, options);
		link_wait(&l, l.opened || l.closed);
		took = world_mono_ms(&world_real) - began;
		print_message(
		    "# %d: %s: %s (%d ms)\n", kind, l.why, l.text, (int)took);
		assert_false(l.opened);
		if (strstr(whys[kind], l.why) == NULL)
			fail_msg(
			    "kind %d: %s, not %s", kind, l.why, whys[kind]);
		assert_true(took < 2000);
		peer_stop(pid);
		link_close(&l);
	}
}

/* --- a true sshd behind a bad line ------------------------------------------- */

enum { CUT = 1, FLIP = 2 };

/* Relays; what comes from sshd is cut off or damaged at byte arg / 4. */
static void
serve_bad_line(int fd, long arg)
{
	struct pollfd fds[2] = {{fd, POLLIN, 0}, {-1, POLLIN, 0}};
	long at = arg / 4, done = 0;
	char data[8192];
	ssize_t n;

	fds[1].fd = host_dial(&host);
	while (poll(fds, 2, -1) >= 0) {
		if (fds[0].revents != 0) {
			n = read(fd, data, sizeof(data));
			if (n <= 0)
				return;
			say(fds[1].fd, data, (size_t)n);
		}
		if (fds[1].revents == 0)
			continue;
		n = read(fds[1].fd, data, sizeof(data));
		if (n <= 0)
			return;
		if (at < done + n && (arg & 3) == CUT) {
			say(fd, data, (size_t)(at - done));
			return;
		}
		if (at >= done && at < done + n)
			data[at - done] ^= 0x10;
		done += n;
		say(fd, data, (size_t)n);
	}
}

/* One login and one step over a bad line; 1 = it came through whole. */
static int
try_bad_line(long at, int how)
{
	struct remote_options options = host_options(&host);
	struct link l;
	char script[600], effect[560], life[200];
	const char *xid = new_xid();
	pid_t pid;
	bool ran, whole = false;

	snprintf(
	    effect, sizeof(effect), "%s/line-%ld", host.folder, at * 4 + how);
	snprintf(script, sizeof(script), "echo x >>%s", effect);
	options.fd = peer_start(serve_bad_line, at * 4 + how, &pid);
	options.deadline_ms = 1500;
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	if (l.opened) {
		/* A packet whose length is damaged is waited for without end:
		 * then it is the job's deadline that closes. */
		struct loop_timer *job = loop_timer_start(
		    l.loop, 1500, (void (*)(void *))remote_close, l.remote);

		remote_launch(
		    l.remote, xid, bytes_of(script), on_answer, slot(&l, 0));
		link_wait(&l, l.said[0].here);
		whole = l.said[0].end == REMOTE_ANSWERED;
		if (whole)
			assert_string_equal(l.said[0].verdict, "done");
		memcpy(life, l.life, sizeof(life));
		if (!whole)
			link_wait(&l, l.closed);
		if (strcmp(l.why, "asked") != 0)
			loop_timer_stop(job);
	}
	if (l.closed && strcmp(l.why, "network") != 0 &&
	    strcmp(l.why, "protocol") != 0 &&
	    /* damage in what is not yet under a key can look like this */
	    !(how == FLIP && (strcmp(l.why, "asked") == 0 ||
				 strcmp(l.why, "deadline") == 0 ||
				 strcmp(l.why, "hostkey") == 0 ||
				 strcmp(l.why, "auth") == 0)))
		fail_msg("byte %ld: %s: %s", at, l.why, l.text);
	ran = l.opened;
	peer_stop(pid);
	link_close(&l);
	if (ran && !whole) {
		/* the truth comes over another line */
		struct said *s;

		link_open(&l, &host);
		do
			s = settle(&l, xid, life);
		while (strcmp(s->verdict, "running") == 0);
		assert_string_equal(
		    s->verdict, file_exists(effect) ? "done" : "sealed");
		link_close(&l);
	}
	return whole;
}

static void
a_line_cut_at_any_place_ends_in_the_truth(void **state)
{
	int whole = 0, tries = 0;

	(void)state;
	for (long at = 0; at < 4400; at += 53, tries++)
		whole += try_bad_line(at, CUT);
	print_message("# %d of %d came through whole\n", whole, tries);
	assert_in_range(whole, 1, tries - 20);
}

static void
a_line_that_damages_any_byte_ends_in_the_truth(void **state)
{
	int whole = 0, tries = 0;

	(void)state;
	for (long at = 0; at < 4400; at += 71, tries++)
		whole += try_bad_line(at, FLIP);
	print_message("# %d of %d came through whole\n", whole, tries);
	assert_in_range(whole, 1, tries - 20);
}

/* Of long packets, which come and are deciphered in pieces. */
static void
damaged_output_is_never_passed_on(void **state)
{
	static const char text[] = "yes | head -c 400000";

	(void)state;
	for (long at = 6000; at < 350000; at += 17977) {
		struct remote_options options = host_options(&host);
		struct loop_timer *job;
		struct link l;
		pid_t pid;

		options.fd = peer_start(serve_bad_line, at * 4 + FLIP, &pid);
		link_start(&l, &host, options);
		link_wait(&l, l.opened || l.closed);
		assert_true(l.opened);
		job = loop_timer_start(
		    l.loop, 3000, (void (*)(void *))remote_close, l.remote);
		remote_ask(
		    l.remote, text, strlen(text), on_answer, slot(&l, 0));
		link_wait(&l, l.said[0].here && l.closed);
		assert_int_not_equal(l.said[0].end, REMOTE_ANSWERED);
		if (strcmp(l.why, "asked") != 0)
			loop_timer_stop(job);
		peer_stop(pid);
		link_close(&l);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_peer_that_is_no_ssh_server_is_named),
	    cmocka_unit_test(a_line_cut_at_any_place_ends_in_the_truth),
	    cmocka_unit_test(a_line_that_damages_any_byte_ends_in_the_truth),
	    cmocka_unit_test(damaged_output_is_never_passed_on),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
