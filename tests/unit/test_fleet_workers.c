/*
 * The fleet with workers that lie, hang, crash or say nothing: this program
 * plays them itself, by the name it is started under. The coordinator must
 * come through each of them, and name who was at fault.
 * covers: P4 P11
 */
#include "fleet_place.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "seam/inside.h"

/* --- the workers --------------------------------------------------------- */

static void
say(struct seam *seam, enum seam_type type, const struct seam_message *to,
    const char *const *texts)
{
	struct bytes fields[SEAM_FIELDS_MAX];
	size_t count = seam_field_count(type);

	for (size_t i = 0; i < count; i++)
		fields[i] = bytes_of(texts[i]);
	seam_send(seam, type, to->host, to->job, -1, fields, count);
}

static void
say_opened(struct seam *seam, const struct seam_message *open, const char *life)
{
	const char *texts[] = {seam_field_text(open, "dial"), life, "0",
	    "plain", "", "5", "9.5", "kex=1"};

	say(seam, SEAM_OPENED, open, texts);
}

static void
be_liar(struct seam *seam, const struct seam_message *m)
{
	const char *verdict[] = {"", "done", "0", "1.0", "0", "", "0", "", "1"};

	if (m->type == SEAM_OPEN)
		say_opened(seam, m, "boot token");
	else if (m->type == SEAM_PROBE || m->type == SEAM_EVAL)
		say(seam, SEAM_VERDICT, m, verdict);
}

/* Asks twice for a signature of what is no login. */
static void
be_forger(struct seam *seam, const struct seam_message *m)
{
	if (m->type == SEAM_OPEN) {
		const char *texts[] = {
		    seam_field_text(m, "dial"), "ssh-ed25519", "not a login"};

		say(seam, SEAM_SIGN, m, texts);
	} else if (m->type == SEAM_SIGNATURE) {
		bool second =
		    strstr(seam_field_text(m, "refused"), "second") != NULL;
		const char *sign[] = {
		    seam_field_text(m, "dial"), "ssh-ed25519", "again"};
		const char *closed[] = {seam_field_text(m, "dial"), "auth",
		    seam_field(m, "signature").len > 0 ? "got one" : "got none",
		    ""};

		if (second)
			say(seam, SEAM_CLOSED, m, closed);
		else
			say(seam, SEAM_SIGN, m, sign);
	}
}

/* What a host could make it say, with bytes that steer a terminal. */
static void
be_dirty(struct seam *seam, const struct seam_message *m)
{
	const char *seen[] = {"change", "{}", "{}", "{}", "{}", "run \x1b[2J",
	    "+\x1b[31m\n", "a\nb", "\xe2\x80\xae", "x\x1b", ""};

	if (m->type == SEAM_OPEN && m->host == 0)
		say_opened(seam, m, "boot token");
	else if (m->type == SEAM_OPEN)
		say_opened(seam, m, "boot\x1b]0;token");
	if (m->type != SEAM_PROBE)
		return;
	if (strcmp(seam_field_text(m, "params"), "latin1") == 0)
		seen[2] = "{\"a\":\"\xe9\"}";
	say(seam, SEAM_SEEN, m, seen);
}

static void
be_crasher(
    struct seam *seam, struct seam_page *page, const struct seam_message *m)
{
	if (m->type == SEAM_OPEN)
		say_opened(seam, m, "boot token");
	if (m->type != SEAM_PROBE && m->type != SEAM_DESCRIBE)
		return;
	page->host = m->host;
	page->job = m->job;
	if (m->type == SEAM_DESCRIBE) {
		for (volatile unsigned i = 0;;
		     i = i + 1) /* the job in its hands */
			;
	}
	(void)signal(SIGSEGV, SIG_DFL); /* not ASan's */
	(void)raise(SIGSEGV);
}

/* What light1 sends is too much for it. */
static void
be_victim(
    struct seam *seam, struct seam_page *page, const struct seam_message *m)
{
	if (m->type != SEAM_OPEN)
		return;
	if (m->host != 0) {
		say_opened(seam, m, "boot token");
		return;
	}
	page->host = m->host;
	page->busy = 1;
	(void)signal(SIGSEGV, SIG_DFL);
	(void)raise(SIGSEGV);
}

/* Was taken over: it tries the terminal, long lines, and one call too many. */
static void
be_shouter(struct seam_page *page, const struct seam_message *m)
{
	static const char steer[] = "\x1b]0;mine\a\x1b[2J\n";
	char line[5000];

	if (m->type != SEAM_DESCRIBE)
		return;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < 200; i++) {
		(void)!write(2, steer, strlen(steer));
		(void)!write(2, line, sizeof(line));
	}
	page->job = m->job;
	page->call = 59;
	(void)signal(SIGSYS, SIG_DFL);
	(void)raise(SIGSYS);
}

/* Answers pings and nothing else. */
static void
be_mute(struct seam *seam, const struct seam_message *m)
{
	if (m->type == SEAM_OPEN)
		say_opened(seam, m, "boot token");
}

static int
play(const char *part)
{
	struct rlimit no_core = {0, 0};
	struct seam *seam = seam_new(3, SEAM_BODY_MAX);
	struct seam_page *page = seam_page_take(4);
	struct pollfd ready = {3, POLLIN, 0};
	struct seam_message m;
	struct err err = ERR_INIT;
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (strcmp(part, "garbage") == 0)
		(void)!send(3, "no message at all", 17, MSG_NOSIGNAL);
	while ((r = seam_recv(seam, &m, &err)) >= 0) {
		if (r == 0) {
			(void)poll(&ready, 1, -1);
			continue;
		}
		if (m.fd >= 0)
			close(m.fd);
		if (m.type == SEAM_PING) {
			struct bytes number = seam_field(&m, "number");

			seam_send(seam, SEAM_PONG, 0, 0, -1, &number, 1);
		} else if (strcmp(part, "liar") == 0) {
			be_liar(seam, &m);
		} else if (strcmp(part, "forger") == 0) {
			be_forger(seam, &m);
		} else if (strcmp(part, "dirty") == 0) {
			be_dirty(seam, &m);
		} else if (strcmp(part, "crasher") == 0) {
			be_crasher(seam, page, &m);
		} else if (strcmp(part, "victim") == 0) {
			be_victim(seam, page, &m);
		} else if (strcmp(part, "shouter") == 0) {
			be_shouter(page, &m);
		} else if (strcmp(part, "mute") == 0) {
			be_mute(seam, &m);
		} else if (strcmp(part, "quitter") == 0) {
			if (m.type == SEAM_OPEN)
				_exit(3);
		}
	}
	seam_free(seam);
	seam_page_free(page);
	return 0;
}

/* --- the tests ----------------------------------------------------------- */

static void
fleet_of(struct site *site, const char *part)
{
	char *path = arena_printf(site->arena, "%s/%s", site->folder, part);
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(len > 0);
	self[len] = '\0';
	if (symlink(self, path) < 0)
		assert_int_equal(errno, EEXIST);
	site_fleet(site, 1, path);
}

static struct told
probe(struct site *site, int host, const char *params, int64_t timeout_ms)
{
	struct told told = told_new(site);

	fleet_probe(site->fleet, host, "suspect", bytes_of(params),
	    bytes_of("{}"), timeout_ms, note, &told);
	await(site, &told);
	return told;
}

static void
garbage_kills_the_worker_and_nobody_else(void **state)
{
	struct site *site = *state;
	struct told told;

	fleet_of(site, "garbage");
	for (int i = 0; i < 3; i++) {
		told = told_new(site);
		fleet_eval(site->fleet, bytes_of("[]"), bytes_of(""), 1000,
		    note, &told);
		await(site, &told);
		assert_int_equal(told.kind, ANSWER_FAILED);
		assert_string_equal(told.why, "connection");
	}
}

static void
an_answer_of_the_wrong_kind_is_no_answer(void **state)
{
	struct site *site = *state;
	struct told told;

	fleet_of(site, "liar");
	(void)connect_host(site, 0);
	(void)connect_host(site, 1);
	told = probe(site, 0, "{}", 1000);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_string_equal(told.why, "connection");
	assert_false(fleet_connected(site->fleet, 1));
}

static void
only_a_login_is_signed_and_only_once(void **state)
{
	struct site *site = *state;
	struct told told;

	fleet_of(site, "forger");
	start_connect(site, 0, &told);
	await(site, &told);
	assert_int_equal(told.kind, ANSWER_CLOSED);
	assert_string_equal(told.why, "auth");
	assert_non_null(strstr(told.text, "got none"));
}

static void
what_a_host_says_is_cleansed_and_stays_storable(void **state)
{
	struct site *site = *state;
	struct told told;

	fleet_of(site, "dirty");
	(void)connect_host(site, 0);
	told = probe(site, 0, "{}", 1000);
	assert_int_equal(told.kind, ANSWER_SEEN);
	assert_string_equal(told.diff, "+\\x1b[31m\n");
	assert_string_equal(told.reason, "\\u{202e}");
	assert_string_equal(told.apply, "x\x1b"); /* bytes, as they are */
	start_connect(site, 1, &told);
	await(site, &told);
	assert_int_equal(told.kind, ANSWER_CLOSED);
	assert_string_equal(told.why, "protocol");
	assert_true(fleet_connected(site->fleet, 0));
	told = probe(site, 0, "latin1", 1000);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_string_equal(told.why, "connection");
}

static void
a_module_that_crashes_its_worker_is_tried_once_more_alone(void **state)
{
	struct site *site = *state;
	struct told told;
	int pid;

	fleet_of(site, "crasher");
	(void)connect_host(site, 0);
	told = probe(site, 0, "{}", 1000);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_string_equal(told.why, "connection"); /* so it is asked again */
	assert_non_null(strstr(told.text, "suspect"));
	/* what it does now, nobody else notices */
	(void)connect_host(site, 1);
	pid = fleet_worker_pid(site->fleet, 0);
	(void)connect_host(site, 0);
	assert_int_not_equal(fleet_worker_pid(site->fleet, 1), 0);
	told = probe(site, 0, "{}", 1000);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_string_equal(told.why, "module");
	assert_non_null(strstr(told.text, "suspect"));
	assert_int_equal(fleet_worker_pid(site->fleet, 0), pid);
	assert_true(fleet_connected(site->fleet, 1));
	/* and a third time it is not tried */
	(void)connect_host(site, 0);
	told = probe(site, 0, "{}", 1000);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_string_equal(told.why, "module");
	assert_non_null(strstr(told.text, "twice"));
	assert_true(fleet_connected(site->fleet, 0));
	/* another host is asked all the same */
	told = probe(site, 1, "{}", 1000);
	assert_null(strstr(told.text, "twice"));
}

static void
a_module_that_crashes_workers_on_three_hosts_is_stopped(void **state)
{
	struct site *site = *state;
	struct told told;

	fleet_of(site, "crasher");
	for (int i = 0; i < 3; i++) {
		(void)connect_host(site, i);
		told = probe(site, i, "{}", 1000);
		assert_string_equal(told.why, i < 2 ? "connection" : "module");
	}
	(void)connect_host(site, 3);
	told = probe(site, 3, "{}", 1000);
	assert_string_equal(told.why, "module");
	assert_non_null(strstr(told.text, "three hosts"));
	assert_true(fleet_connected(site->fleet, 3));
}

static void
a_host_whose_bytes_crash_workers_is_left_alone(void **state)
{
	struct site *site = *state;
	struct told told[8];

	fleet_of(site, "victim");
	for (int i = 0; i < 8; i++)
		start_connect(site, i, &told[i]);
	await_all(site, told, 8);
	assert_int_equal(told[0].kind, ANSWER_CLOSED);
	assert_string_equal(told[0].why, "protocol");
	assert_non_null(strstr(told[0].text, "two worker processes"));
	/* the others had at most to connect again */
	for (int i = 1; i < 8; i++) {
		if (!fleet_connected(site->fleet, i))
			(void)connect_host(site, i);
	}
	start_connect(site, 0, &told[0]);
	await(site, &told[0]);
	assert_int_equal(told[0].kind, ANSWER_CLOSED);
	for (int i = 1; i < 8; i++)
		assert_true(fleet_connected(site->fleet, i));
}

static void
what_a_worker_says_aloud_is_cleansed_and_bounded(void **state)
{
	struct site *site = *state;
	char *path = file_join(site->arena, site->folder, "stderr");
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int was = dup(2);
	struct buf said = BUF_INIT;
	struct err err = ERR_INIT;
	struct told told = told_new(site);

	fleet_of(site, "shouter");
	assert_true(out >= 0 && was >= 0);
	(void)dup2(out, 2);
	fleet_describe(site->fleet, "suspect", note, &told);
	await(site, &told);
	(void)dup2(was, 2);
	close(was);
	close(out);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_non_null(strstr(told.text, "system call"));
	if (file_read(path, 1 << 20, &said, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(strstr(buf_str(&said), "the system call 59"));
	assert_non_null(strstr(buf_str(&said), "says: \\x1b]0;mine"));
	assert_null(memchr(said.data, '\x1b', said.len));
	assert_null(memchr(said.data, '\a', said.len));
	assert_in_range(said.len, 60000, 120000);
	buf_free(&said);
}

static void
a_module_that_hangs_its_worker_is_named(void **state)
{
	struct site *site = *state;
	struct told told = told_new(site);

	fleet_of(site, "crasher");
	fleet_describe(site->fleet, "suspect", note, &told);
	await(site, &told);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_string_equal(told.why, "budget");
	assert_non_null(strstr(told.text, "suspect"));
}

static void
a_job_unanswered_past_its_deadline_ends_the_worker(void **state)
{
	struct site *site = *state;
	struct told told;
	int pid;

	fleet_of(site, "mute");
	(void)connect_host(site, 0);
	pid = fleet_worker_pid(site->fleet, 0);
	told = probe(site, 0, "{}", 200);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_string_equal(told.why, "connection");
	assert_int_not_equal(fleet_worker_pid(site->fleet, 0), pid);
}

static void
a_worker_that_ends_while_it_connects_is_tried_three_times(void **state)
{
	struct site *site = *state;
	struct told told;

	fleet_of(site, "quitter");
	start_connect(site, 0, &told);
	await(site, &told);
	assert_int_equal(told.kind, ANSWER_CLOSED);
	assert_false(fleet_connected(site->fleet, 0));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    site_test(garbage_kills_the_worker_and_nobody_else),
	    site_test(an_answer_of_the_wrong_kind_is_no_answer),
	    site_test(only_a_login_is_signed_and_only_once),
	    site_test(what_a_host_says_is_cleansed_and_stays_storable),
	    site_test(
		a_module_that_crashes_its_worker_is_tried_once_more_alone),
	    site_test(a_module_that_crashes_workers_on_three_hosts_is_stopped),
	    site_test(a_host_whose_bytes_crash_workers_is_left_alone),
	    site_test(what_a_worker_says_aloud_is_cleansed_and_bounded),
	    site_test(a_module_that_hangs_its_worker_is_named),
	    site_test(a_job_unanswered_past_its_deadline_ends_the_worker),
	    site_test(
		a_worker_that_ends_while_it_connects_is_tried_three_times),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return play(strrchr(argv[0], '/') + 1);
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, site_up, site_down);
}
