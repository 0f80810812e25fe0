/* The loop: every handle's life, children, dialling; all on loopback. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "loop/loop.h"

struct test {
	struct loop *loop;
	struct arena *arena;
	struct loop_timer *timer;
	struct loop_watch *watch;
	struct loop_child *child;
	struct loop_dial *dial;
	int count;
	int fd;
	int events;
	int status;
	int signal;
	bool timed_out;
	bool full;
	struct buf out;
	struct buf errors;
	struct err err;
};

static int
setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct err err = ERR_INIT;

	t->arena = arena_new();
	t->fd = -1;
	if (loop_open(&t->loop, &err) < 0)
		fail_msg("%s", err.text);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct test *t = *state;

	loop_close(t->loop);
	buf_free(&t->out);
	buf_free(&t->errors);
	arena_free(t->arena);
	free(t);
	return 0;
}

/* a clock of its own */

struct tick {
	struct loop *loop;
	char said[64];
	struct loop_timer *victim;
};

static void
tick_say(struct tick *tick, char what)
{
	size_t len = strlen(tick->said);

	snprintf(tick->said + len, sizeof(tick->said) - len, "%c%lld ", what,
	    (long long)loop_now_ms(tick->loop));
}

static void
tick_a(void *arg)
{
	tick_say(arg, 'a');
}

static void
tick_b(void *arg)
{
	struct tick *tick = arg;

	tick_say(tick, 'b');
	loop_timer_stop(tick->victim);
	tick->victim = NULL;
	loop_timer_start(tick->loop, 0, tick_a, tick);
}

static void
tick_stop(void *arg)
{
	struct tick *tick = arg;

	tick_say(tick, 's');
	loop_stop(tick->loop);
}

static void
a_virtual_clock_jumps_to_the_next_timer(void **state)
{
	struct tick tick = {.loop = loop_open_virtual()};
	struct loop_timer *late;

	loop_timer_start(tick.loop, 86400000, tick_stop, &tick);
	late = loop_timer_start(tick.loop, 86400000, tick_a, &tick);
	loop_timer_start(tick.loop, 5, tick_b, &tick);
	loop_timer_start(tick.loop, 5, tick_a, &tick);
	tick.victim = loop_timer_start(tick.loop, 6, tick_a, &tick);
	assert_null(loop_signal_start(tick.loop, SIGUSR1, tick_a, &tick));
	loop_run(tick.loop);
	/* what is due together fires as it was started; a timer of 0 ms comes
	 * behind what is due; after a stop nothing more */
	assert_string_equal(tick.said, "b5 a5 a5 s86400000 ");
	loop_timer_stop(late);
	loop_close(tick.loop);
}

struct drop {
	struct loop *loop;
	int64_t due_ms, *last_ms;
	int fired;
};

static void
drop_falls(void *arg)
{
	struct drop *drop = arg;

	drop->fired++;
	assert_int_equal(loop_now_ms(drop->loop), drop->due_ms);
	assert_true(*drop->last_ms <= drop->due_ms);
	*drop->last_ms = drop->due_ms;
}

/* Many timers at random times, every third stopped. */
static void
a_virtual_clock_keeps_the_order_of_many(void **state)
{
	enum { MANY = 2000 };
	struct loop *loop = loop_open_virtual();
	static struct loop_timer *timers[MANY];
	static struct drop drops[MANY];
	unsigned random = 7;
	int64_t last_ms = 0;

	for (int i = 0; i < MANY; i++) {
		random = random * 1103515245u + 12345u;
		drops[i] = (struct drop){
		    loop, (int64_t)(random >> 16) % 500, &last_ms, 0};
		timers[i] = loop_timer_start(
		    loop, drops[i].due_ms, drop_falls, &drops[i]);
	}
	for (int i = 0; i < MANY; i += 3)
		loop_timer_stop(timers[i]);
	loop_run(loop);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(drops[i].fired, i % 3 != 0);
	loop_close(loop);
}

/* timers */

static void
note(void *arg)
{
	struct test *t = arg;

	t->count++;
}

static void
too_late(void *arg)
{
	(void)arg;
	fail_msg("waited for 10 s");
}

static void
timers_fire_in_order_once(void **state)
{
	struct test *t = *state;
	int64_t start = loop_now_ms(t->loop);

	(void)loop_timer_start(t->loop, 30, note, t);
	(void)loop_timer_start(t->loop, 0, note, t);
	t->timer = loop_timer_start(t->loop, 10, too_late, t);
	loop_timer_stop(t->timer);
	loop_timer_stop(NULL);
	loop_run(t->loop);
	assert_int_equal(t->count, 2);
	assert_in_range(loop_now_ms(t->loop) - start, 30, 5000);
}

static void
stop_itself(void *arg)
{
	struct test *t = arg;

	t->count++;
	loop_timer_stop(t->timer);
}

static void
a_timer_may_stop_itself(void **state)
{
	struct test *t = *state;

	t->timer = loop_timer_start(t->loop, 1, stop_itself, t);
	loop_run(t->loop);
	t->timer = loop_timer_start(t->loop, 0, stop_itself, t);
	loop_run(t->loop);
	assert_int_equal(t->count, 2);
}

static void
again_at_once(void *arg)
{
	struct test *t = arg;

	if (t->watch != NULL && ++t->count < 1000000)
		(void)loop_timer_start(t->loop, 0, again_at_once, t);
}

static void
read_and_stop(void *arg, int events)
{
	struct test *t = arg;

	t->events = events;
	loop_watch_stop(t->watch);
	t->watch = NULL;
}

static void
a_chain_of_zero_timers_does_not_starve_descriptors(void **state)
{
	struct test *t = *state;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	t->watch =
	    loop_watch_start(t->loop, pair[0], LOOP_READ, read_and_stop, t);
	(void)loop_timer_start(t->loop, 0, again_at_once, t);
	loop_run(t->loop);
	assert_int_equal(t->events, LOOP_READ);
	assert_in_range(t->count, 0, 10);
	close(pair[0]);
	close(pair[1]);
}

/* watches */

static void
stop_close_reuse(void *arg, int events)
{
	struct test *t = arg;
	int fd = t->fd, pair[2];

	(void)events;
	t->count++;
	loop_watch_stop(t->watch);
	t->watch = NULL;
	close(fd);
	/* The number is taken again at once, by something else. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(pair[0], fd);
	assert_int_equal(write(pair[1], "y", 1), 1);
	close(pair[1]);
	t->watch =
	    loop_watch_start(t->loop, pair[0], LOOP_READ, read_and_stop, t);
}

static void
a_descriptor_may_be_closed_right_after_stop(void **state)
{
	struct test *t = *state;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	t->fd = pair[0];
	t->watch =
	    loop_watch_start(t->loop, pair[0], LOOP_READ, stop_close_reuse, t);
	loop_run(t->loop);
	assert_int_equal(t->count, 1);
	assert_int_equal(t->events, LOOP_READ);
	close(pair[0]);
	close(pair[1]);
}

static void
pause_then_write(void *arg, int events)
{
	struct test *t = arg;

	t->count++;
	if (t->count == 1) {
		assert_int_equal(events, LOOP_READ);
		loop_watch_change(t->watch, 0);
		loop_watch_change(t->watch, LOOP_READ | LOOP_WRITE);
	} else {
		assert_int_equal(events, LOOP_READ | LOOP_WRITE);
		loop_watch_stop(t->watch);
	}
}

static void
a_watch_changes_what_it_waits_for(void **state)
{
	struct test *t = *state;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	t->watch =
	    loop_watch_start(t->loop, pair[0], LOOP_READ, pause_then_write, t);
	loop_run(t->loop);
	assert_int_equal(t->count, 2);
	close(pair[0]);
	close(pair[1]);
}

static void
second_time_stop(void *arg, int events)
{
	struct test *t = arg;

	t->events = events;
	if (++t->count == 2)
		loop_watch_stop(t->watch);
}

static void
an_error_of_the_descriptor_is_told_again_until_stopped(void **state)
{
	struct test *t = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	close(ends[0]); /* a pipe without reader: POLLERR */
	t->watch =
	    loop_watch_start(t->loop, ends[1], LOOP_WRITE, second_time_stop, t);
	loop_run(t->loop);
	assert_int_equal(t->count, 2);
	assert_int_equal(t->events, LOOP_WRITE);
	close(ends[1]);
}

static void
a_regular_file_cannot_be_watched(void **state)
{
	struct test *t = *state;
	FILE *file = tmpfile();

	assert_null(loop_watch_start(
	    t->loop, fileno(file), LOOP_READ, read_and_stop, t));
	assert_int_equal(errno, EPERM);
	fclose(file);
}

/* signals and work */

static void
signal_seen(void *arg)
{
	struct test *t = arg;

	t->count++;
	loop_timer_stop(t->timer);
}

static void
a_signal_comes_as_a_call_and_does_not_hold_the_loop(void **state)
{
	struct test *t = *state;
	struct loop_signal *watch =
	    loop_signal_start(t->loop, SIGUSR1, signal_seen, t);

	t->timer = loop_timer_start(t->loop, 10000, too_late, t);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	loop_run(t->loop);
	assert_int_equal(t->count, 1);
	loop_run(t->loop); /* comes back: nothing but the signal is left */
	loop_signal_stop(watch);
}

static void
work_on_thread(void *arg)
{
	struct test *t = arg;

	t->status = gettid();
}

static void
work_is_done_elsewhere_and_answered_here(void **state)
{
	struct test *t = *state;

	loop_work(t->loop, work_on_thread, note, t);
	loop_run(t->loop);
	assert_int_equal(t->count, 1);
	assert_int_not_equal(t->status, gettid());
	assert_int_not_equal(t->status, 0);
	assert_non_null(getenv("UV_THREADPOOL_SIZE"));
}

/* children */

static void
child_done(void *arg, const struct loop_child_result *result)
{
	struct test *t = arg;

	t->count++;
	t->status = result->status;
	t->signal = result->signal;
	t->timed_out = result->timed_out;
	t->full = result->full;
	buf_put(&t->out, result->out.data, result->out.len);
	buf_put(&t->errors, result->err.data, result->err.len);
	loop_timer_stop(t->timer);
	t->timer = NULL;
}

static void
child_go(struct test *t, const char *script, struct bytes input,
    size_t max_bytes, int64_t timeout_ms)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct loop_child_options options = {
	    .argv = argv,
	    .input = input,
	    .max_bytes = max_bytes,
	    .timeout_ms = timeout_ms,
	};

	if (loop_child_start(
		t->loop, &options, child_done, t, &t->child, &t->err) < 0)
		fail_msg("%s", t->err.text);
	t->timer = loop_timer_start(t->loop, 10000, too_late, t);
}

static void
a_child_gets_its_input_and_gives_its_outputs(void **state)
{
	struct test *t = *state;

	child_go(t, "cat; echo no >&2; exit 3", bytes_of("yes"), 100, 0);
	assert_true(loop_child_pid(t->child) > 1);
	loop_run(t->loop);
	assert_int_equal(t->count, 1);
	assert_int_equal(t->status, 3);
	assert_int_equal(t->signal, 0);
	assert_false(t->full);
	assert_string_equal(buf_str(&t->out), "yes");
	assert_string_equal(buf_str(&t->errors), "no\n");
}

static void
large_input_and_output_do_not_lock_up(void **state)
{
	struct test *t = *state;
	size_t len = 3000000;
	char *data = malloc(len);

	memset(data, 'a', len);
	child_go(t, "cat", (struct bytes){data, len}, 0, 0);
	free(data); /* it was copied */
	loop_run(t->loop);
	assert_int_equal(t->status, 0);
	assert_int_equal(t->out.len, len);
}

static void
a_child_that_reads_no_input_is_no_error(void **state)
{
	struct test *t = *state;
	size_t len = 3000000;
	char *data = calloc(1, len);

	child_go(t, "exec <&-; echo done", (struct bytes){data, len}, 0, 0);
	free(data);
	loop_run(t->loop);
	assert_int_equal(t->status, 0);
	assert_string_equal(buf_str(&t->out), "done\n");
}

static void
what_is_above_the_limit_is_dropped_and_said(void **state)
{
	struct test *t = *state;

	child_go(
	    t, "printf 1234567890; printf 12345 >&2", bytes_of(NULL), 7, 0);
	loop_run(t->loop);
	assert_string_equal(buf_str(&t->out), "1234567");
	assert_string_equal(buf_str(&t->errors), "12345");
	assert_true(t->full);
}

static void
a_child_that_a_signal_ends_has_no_exit_status(void **state)
{
	struct test *t = *state;

	child_go(t, "kill -TERM $$", bytes_of(NULL), 0, 0);
	loop_run(t->loop);
	assert_int_equal(t->status, -1);
	assert_int_equal(t->signal, SIGTERM);
}

static void
an_overdue_child_is_killed_though_others_hold_its_pipes(void **state)
{
	struct test *t = *state;

	/* the grandchild ends by itself, well after the test */
	child_go(
	    t, "echo here; sleep 20 & exec sleep 21", bytes_of(NULL), 0, 200);
	loop_run(t->loop);
	assert_int_equal(t->count, 1);
	assert_true(t->timed_out);
	assert_int_equal(t->signal, SIGKILL);
	assert_string_equal(buf_str(&t->out), "here\n");
}

static void
a_background_grandchild_is_cut_off_at_the_timeout(void **state)
{
	struct test *t = *state;

	child_go(t, "sleep 20 & exit 4", bytes_of(NULL), 0, 200);
	loop_run(t->loop);
	assert_int_equal(t->count, 1);
	assert_true(t->timed_out);
	assert_int_equal(t->status, 4);
}

static void
a_killed_child_is_reaped_and_not_answered(void **state)
{
	struct test *t = *state;
	pid_t pid;

	child_go(t, "exec sleep 20", bytes_of(NULL), 0, 5000);
	loop_timer_stop(t->timer);
	pid = loop_child_pid(t->child);
	loop_child_kill(t->child);
	loop_child_kill(NULL);
	loop_close(t->loop);
	t->loop = NULL;
	assert_int_equal(t->count, 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void
a_missing_program_is_named(void **state)
{
	struct test *t = *state;
	const char *argv[] = {"no-such-program-here", NULL};
	struct loop_child_options options = {
	    .argv = argv, .input = bytes_of("x")};
	int status;

	assert_int_equal(loop_child_start(t->loop, &options, child_done, t,
			     &t->child, &t->err),
	    -ERR_SYSTEM);
	assert_non_null(strstr(t->err.text, "no-such-program-here"));
	assert_int_equal(loop_child_run(&options, &status, NULL, NULL, &t->err),
	    -ERR_SYSTEM);
	assert_int_equal(status, -1);
}

static void
a_child_runs_without_a_loop_inside_another(void **state)
{
	struct test *t = *state;
	const char *argv[] = {
	    "sh", "-c", "echo $WORD; echo e >&2; exit 7", NULL};
	const char *env[] = {"WORD=bird", NULL};
	struct loop_child_options options = {.argv = argv, .env = env};
	const char *slow[] = {"sleep", "20", NULL};
	struct loop_child_options late = {.argv = slow, .timeout_ms = 50};
	const char *dies[] = {"sh", "-c", "kill -9 $$", NULL};
	struct loop_child_options dead = {.argv = dies};
	int status;

	child_go(t, "echo outer", bytes_of(NULL), 0, 0);
	assert_int_equal(
	    loop_child_run(&options, &status, &t->out, &t->errors, &t->err), 0);
	assert_int_equal(status, 7);
	assert_string_equal(buf_str(&t->out), "bird\n");
	assert_string_equal(buf_str(&t->errors), "e\n");
	assert_int_equal(
	    loop_child_run(&late, &status, NULL, NULL, &t->err), -ERR_SYSTEM);
	assert_non_null(strstr(t->err.text, "50 ms"));
	assert_int_equal(
	    loop_child_run(&dead, &status, NULL, NULL, &t->err), 0);
	assert_int_equal(status, 128 + SIGKILL);
	loop_run(t->loop);
	assert_string_equal(buf_str(&t->out), "bird\nouter\n");
}

static void
spawn_ended(void *arg, int status, int signal)
{
	struct test *t = arg;

	t->count++;
	t->status = status;
	t->signal = signal;
	loop_timer_stop(t->timer);
}

static void
a_spawned_child_has_the_descriptors_given(void **state)
{
	struct test *t = *state;
	const char *argv[] = {"sh", "-c",
	    "read a <&3; echo \"$a $(readlink /proc/$$/fd/0) "
	    "$(readlink /proc/$$/fd/4) $(($(ps -o sid= -p $$)))\"; exit 5",
	    NULL};
	int in[2], out[2], fds[5];
	char text[200] = "", want[200];
	pid_t pid;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(write(in[1], "word\n", 5), 5);
	fds[0] = -1;
	fds[1] = out[1];
	fds[2] = -1;
	fds[3] = in[0];
	fds[4] = -1;
	if (loop_spawn(
		t->loop, argv, fds, 5, spawn_ended, t, &t->child, &t->err) < 0)
		fail_msg("%s", t->err.text);
	pid = loop_child_pid(t->child);
	t->timer = loop_timer_start(t->loop, 10000, too_late, t);
	close(out[1]);
	loop_run(t->loop);
	assert_int_equal(t->count, 1);
	assert_int_equal(t->status, 5);
	assert_true(read(out[0], text, sizeof(text) - 1) > 0);
	/* a session of its own */
	snprintf(want, sizeof(want), "word /dev/null /dev/null %d\n", pid);
	assert_string_equal(text, want);
	close(in[0]);
	close(in[1]);
	close(out[0]);
}

/* dialling */

static void
dialled(void *arg, int fd, const struct err *err)
{
	struct test *t = arg;

	t->count++;
	t->fd = fd;
	if (err != NULL)
		t->err = *err;
	loop_dial_stop(t->dial); /* allowed, does nothing */
	loop_timer_stop(t->timer);
}

static void
dial(struct test *t, const char *address, int port, int64_t timeout_ms)
{
	t->dial =
	    loop_dial_start(t->loop, address, port, timeout_ms, dialled, t);
	assert_int_equal(t->count, 0); /* never from within start */
	t->timer = loop_timer_start(t->loop, 10000, too_late, t);
	loop_run(t->loop);
	assert_int_equal(t->count, 1);
}

static int
listen_on(int family, int backlog, int *port)
{
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in in4 = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in4);
	int fd = socket(family, SOCK_STREAM, 0);

	if (family == AF_INET6) {
		assert_int_equal(bind(fd, (void *)&in6, sizeof(in6)), 0);
	} else {
		assert_int_equal(bind(fd, (void *)&in4, sizeof(in4)), 0);
		assert_int_equal(getsockname(fd, (void *)&in4, &len), 0);
		*port = ntohs(in4.sin_port);
	}
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void
a_dialled_descriptor_is_plain_nonblocking_and_nodelay(void **state)
{
	struct test *t = *state;
	int port = 0, on, fd = listen_on(AF_INET, 8, &port);
	socklen_t len = sizeof(on);

	dial(t, "127.0.0.1", port, 3000);
	if (t->fd < 0)
		fail_msg("%s", t->err.text);
	assert_true(fcntl(t->fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(t->fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(
	    getsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	assert_int_not_equal(on, 0);
	close(t->fd);
	close(fd);
}

/* localhost is ::1 too, where nobody listens. */
static void
of_several_addresses_the_next_is_tried(void **state)
{
	struct test *t = *state;
	struct addrinfo *found;
	int port = 0, fd;

	if (getaddrinfo("localhost", NULL, NULL, &found) != 0) {
		print_message("skipped: no localhost in this /etc/hosts\n");
		skip();
	}
	freeaddrinfo(found);
	fd = listen_on(AF_INET, 8, &port);
	dial(t, "localhost", port, 3000);
	if (t->fd < 0)
		fail_msg("%s", t->err.text);
	close(t->fd);
	close(fd);
}

static void
a_closed_port_says_who_and_why(void **state)
{
	struct test *t = *state;
	int port = 0, fd = listen_on(AF_INET, 8, &port);
	char want[40];

	close(fd);
	dial(t, "127.0.0.1", port, 3000);
	assert_int_equal(t->fd, -1);
	assert_int_equal(t->err.code, ERR_FAILED);
	snprintf(want, sizeof(want), "127.0.0.1 port %d", port);
	assert_non_null(strstr(t->err.text, want));
	assert_non_null(strstr(t->err.text, strerror(ECONNREFUSED)));
}

static void
a_host_that_swallows_packets_ends_at_the_timeout(void **state)
{
	struct test *t = *state;
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	int port = 0, fd = listen_on(AF_INET, 0, &port), fill[4];
	int64_t start = loop_now_ms(t->loop);
	size_t i;

	/* a full backlog drops the SYN */
	in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in4.sin_port = htons((uint16_t)port);
	for (i = 0; i < 4; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fill[i], (void *)&in4, sizeof(in4));
	}
	dial(t, "127.0.0.1", port, 300);
	assert_int_equal(t->fd, -1);
	assert_non_null(strstr(t->err.text, strerror(ETIMEDOUT)));
	assert_in_range(loop_now_ms(t->loop) - start, 250, 3000);
	for (i = 0; i < 4; i++)
		close(fill[i]);
	close(fd);
}

static void
a_name_that_is_none_is_refused(void **state)
{
	struct test *t = *state;
	char name[400];

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	dial(t, name, 22, 5000);
	assert_int_equal(t->fd, -1);
	assert_non_null(strstr(t->err.text, "cannot find the address"));
}

static void
a_unix_socket_is_dialled_by_its_path(void **state)
{
	struct test *t = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char *folder, *path;
	int fd;

	assert_int_equal(file_make_temporary(t->arena, &folder, &t->err), 0);
	path = file_join(t->arena, folder, "socket");
	dial(t, path, 0, 1000);
	assert_int_equal(t->fd, -1);
	assert_non_null(strstr(t->err.text, path));

	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	t->count = 0;
	dial(t, path, 0, 1000);
	assert_true(t->fd >= 0);
	close(t->fd);
	close(fd);
	file_remove_tree(folder);
}

static void
a_full_unix_socket_is_waited_for(void **state)
{
	struct test *t = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char *folder;
	int fd, a, b;

	assert_int_equal(file_make_temporary(t->arena, &folder, &t->err), 0);
	strcpy(address.sun_path, file_join(t->arena, folder, "socket"));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 0), 0);
	a = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	b = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(a, (void *)&address, sizeof(address)), 0);
	assert_int_equal(connect(b, (void *)&address, sizeof(address)), -1);
	assert_int_equal(errno, EAGAIN);
	dial(t, address.sun_path, 0, 200);
	assert_int_equal(t->fd, -1);
	close(accept(fd, NULL, NULL));
	t->count = 0;
	dial(t, address.sun_path, 0, 200);
	assert_true(t->fd >= 0);
	close(t->fd);
	close(a);
	close(b);
	close(fd);
	file_remove_tree(folder);
}

static void
a_stopped_dial_never_answers(void **state)
{
	struct test *t = *state;
	int port = 0, fd = listen_on(AF_INET, 8, &port);

	t->dial = loop_dial_start(t->loop, "127.0.0.1", port, 1000, dialled, t);
	loop_dial_stop(t->dial);
	t->dial = loop_dial_start(t->loop, "localhost", port, 1000, dialled, t);
	loop_dial_stop(t->dial);
	loop_dial_stop(NULL);
	loop_run(t->loop);
	assert_int_equal(t->count, 0);
	close(fd);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_virtual_clock_jumps_to_the_next_timer),
	    cmocka_unit_test(a_virtual_clock_keeps_the_order_of_many),
	    TEST(timers_fire_in_order_once),
	    TEST(a_timer_may_stop_itself),
	    TEST(a_chain_of_zero_timers_does_not_starve_descriptors),
	    TEST(a_descriptor_may_be_closed_right_after_stop),
	    TEST(a_watch_changes_what_it_waits_for),
	    TEST(an_error_of_the_descriptor_is_told_again_until_stopped),
	    TEST(a_regular_file_cannot_be_watched),
	    TEST(a_signal_comes_as_a_call_and_does_not_hold_the_loop),
	    TEST(work_is_done_elsewhere_and_answered_here),
	    TEST(a_child_gets_its_input_and_gives_its_outputs),
	    TEST(large_input_and_output_do_not_lock_up),
	    TEST(a_child_that_reads_no_input_is_no_error),
	    TEST(what_is_above_the_limit_is_dropped_and_said),
	    TEST(a_child_that_a_signal_ends_has_no_exit_status),
	    TEST(an_overdue_child_is_killed_though_others_hold_its_pipes),
	    TEST(a_background_grandchild_is_cut_off_at_the_timeout),
	    TEST(a_killed_child_is_reaped_and_not_answered),
	    TEST(a_missing_program_is_named),
	    TEST(a_child_runs_without_a_loop_inside_another),
	    TEST(a_spawned_child_has_the_descriptors_given),
	    TEST(a_dialled_descriptor_is_plain_nonblocking_and_nodelay),
	    TEST(of_several_addresses_the_next_is_tried),
	    TEST(a_closed_port_says_who_and_why),
	    TEST(a_host_that_swallows_packets_ends_at_the_timeout),
	    TEST(a_name_that_is_none_is_refused),
	    TEST(a_unix_socket_is_dialled_by_its_path),
	    TEST(a_full_unix_socket_is_waited_for),
	    TEST(a_stopped_dial_never_answers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
