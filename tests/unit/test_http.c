/*
 * HTTP checks against a tiny server of this test's own, and against
 * `openssl s_server` with a throwaway CA.
 * covers: P4 P11
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "http/http.h"

enum { WITHIN_MS = 10000 };

struct seat {
	struct loop *loop;
	char result[16];
	char text[512];
	int calls;
};

static void
done(void *arg, const char *result, const char *text)
{
	struct seat *seat = arg;

	snprintf(seat->result, sizeof(seat->result), "%s", result);
	snprintf(seat->text, sizeof(seat->text), "%s", text);
	seat->calls++;
	loop_stop(seat->loop);
}

static int
listen_somewhere(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void
dialled(void *arg, int fd, const struct err *err)
{
	if (fd < 0)
		fail_msg("%s", err->text);
	*(int *)arg = fd;
}

/* As the coordinator does it: how a socket was connected matters to curl. */
static int
dial(int port)
{
	struct loop *loop;
	struct err err = ERR_INIT;
	int fd = -1;

	assert_int_equal(loop_open(&loop, &err), 0);
	(void)loop_dial_start(loop, "127.0.0.1", port, WITHIN_MS, dialled, &fd);
	loop_run(loop);
	loop_close(loop);
	assert_true(fd >= 0);
	return fd;
}

/* One answer, in a child: request is what must occur in the request. */
static pid_t
serve(int listener, const char *request, const char *answer, size_t len,
    bool hang)
{
	pid_t pid = fork();
	char got[8192] = "";
	size_t at = 0;
	ssize_t n;
	int fd;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	fd = accept(listener, NULL, NULL);
	while (strstr(got, "\r\n\r\n") == NULL && at + 1 < sizeof(got) &&
	       (n = read(fd, got + at, sizeof(got) - 1 - at)) > 0)
		at += (size_t)n;
	if (strstr(got, request) == NULL)
		answer = "HTTP/1.1 400 Not The Request\r\n\r\n",
		len = strlen(answer);
	while (len > 0 && (n = write(fd, answer, len)) > 0) {
		answer += n;
		len -= (size_t)n;
	}
	if (hang)
		(void)!read(fd, got, 1); /* until the client hangs up */
	_exit(0);
}

static void
run_check(struct seat *seat, int fd, const char *spec, struct bytes roots,
    int64_t timeout_ms)
{
	struct err err = ERR_INIT;

	memset(seat, 0, sizeof(*seat));
	assert_int_equal(loop_open(&seat->loop, &err), 0);
	assert_non_null(http_check_start(
	    seat->loop, fd, bytes_of(spec), roots, timeout_ms, done, seat));
	assert_int_equal(seat->calls, 0); /* never from within */
	loop_run(seat->loop);
	assert_int_equal(seat->calls, 1);
	loop_close(seat->loop);
	/* the descriptor was taken */
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* spec: with %d for the port. */
static void
check_answer_of(const char *request, const char *answer, size_t len,
    const char *spec, const char *result, const char *text)
{
	char filled[2048];
	struct seat seat;
	int port, listener = listen_somewhere(&port);
	pid_t pid = serve(listener, request, answer, len, false);

	snprintf(filled, sizeof(filled), spec, port);
	run_check(&seat, dial(port), filled, bytes_of(""), WITHIN_MS);
	close(listener);
	waitpid(pid, NULL, 0);
	if (strcmp(seat.result, result) != 0 || strcmp(seat.text, text) != 0)
		fail_msg("%s: got %s, '%s'; want %s, '%s'", filled, seat.result,
		    seat.text, result, text);
}

static void
check_answer(
    const char *answer, const char *spec, const char *result, const char *text)
{
	check_answer_of("GET / ", answer, strlen(answer), spec, result, text);
}

#define URL "\"url\":\"http://127.0.0.1:%d/\""

static void
status_is_judged(void **state)
{
	check_answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	    "{" URL "}", "pass", "200 OK");
	check_answer("HTTP/1.1 204 No Content\r\n\r\n", "{" URL "}", "pass",
	    "204 No Content");
	check_answer("HTTP/1.1 503 Service Unavailable\r\n\r\n",
	    "{" URL ",\"status\":200}", "fail",
	    "503 Service Unavailable, wanted 200");
	check_answer("HTTP/1.1 503 Service Unavailable\r\n\r\n",
	    "{" URL ",\"status\":503}", "pass", "503 Service Unavailable");
	check_answer("HTTP/1.1 200 OK\r\n\r\n", "{" URL ",\"status\":\"201\"}",
	    "fail", "200 OK, wanted 201");
	check_answer("HTTP/1.1 500 Oh\x1b[31m\r\n\r\n", "{" URL "}", "fail",
	    "500 Oh\\x1b[31m, wanted 2xx");
}

static void
redirects_are_not_followed(void **state)
{
	check_answer("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
		     "Content-Length: 0\r\n\r\n",
	    "{" URL "}", "fail",
	    "302 Found, wanted 2xx (redirects are not followed)");
}

static void
body_is_matched_as_text_or_pattern(void **state)
{
	const char *answer = "HTTP/1.1 200 OK\r\n\r\nstate: Ready\n";

	check_answer(answer, "{" URL ",\"body\":\"Ready\"}", "pass", "200 OK");
	check_answer(
	    answer, "{" URL ",\"body\":\"/rea.y$/im\"}", "pass", "200 OK");
	check_answer(answer, "{" URL ",\"body\":\"ready\"}", "fail",
	    "200 OK, but the body does not hold the text wanted");
	check_answer(answer, "{" URL ",\"body\":\"/^Ready/\"}", "fail",
	    "200 OK, but the body does not match");
	check_answer("HTTP/1.1 200 OK\r\n\r\n", "{" URL ",\"body\":\"x\"}",
	    "fail", "200 OK, but the body does not hold the text wanted");
}

static void
a_costly_pattern_is_inconclusive(void **state)
{
	struct buf answer = BUF_INIT;

	buf_puts(&answer, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < 5000; i++)
		buf_putc(&answer, 'a');
	buf_putc(&answer, '!');
	check_answer(buf_str(&answer), "{" URL ",\"body\":\"/^(a+)+$/\"}",
	    "inconclusive",
	    "200 OK, and the pattern is too costly for this body");
	buf_free(&answer);
}

static void
a_long_body_is_read_to_64_kib(void **state)
{
	struct buf answer = BUF_INIT;

	buf_puts(&answer, "HTTP/1.1 200 OK\r\n\r\nearly");
	while (answer.len < 3 << 20)
		buf_puts(&answer, "0123456789abcdef");
	buf_puts(&answer, "late");
	check_answer_of("GET / ", answer.data, answer.len,
	    "{" URL ",\"body\":\"early\"}", "pass", "200 OK");
	check_answer_of("GET / ", answer.data, answer.len,
	    "{" URL ",\"body\":\"late\"}", "fail",
	    "200 OK, but the body does not hold the text wanted");
	buf_free(&answer);
}

static void
header_and_host_name_are_sent_and_no_name_is_asked_for(void **state)
{
	const char *answer = "HTTP/1.1 200 OK\r\n\r\n";

	check_answer_of("\r\nX-Probe: yes\r\n", answer, strlen(answer),
	    "{" URL ",\"header\":{\"X-Probe\":\"yes\"}}", "pass", "200 OK");
	/* .invalid has no address anywhere */
	check_answer_of("\r\nHost: shop.invalid:", answer, strlen(answer),
	    "{\"url\":\"http://shop.invalid:%d/\"}", "pass", "200 OK");
}

static void
what_is_no_http_fails(void **state)
{
	struct buf endless = BUF_INIT;
	struct seat seat;
	int port, listener;
	char spec[128];
	pid_t pid;

	buf_puts(&endless, "HTTP/1.1 200 OK\r\n");
	while (endless.len < 1 << 20)
		buf_puts(&endless, "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
	for (int i = 0; i < 3; i++) {
		const char *answers[] = {
		    "", "SSH-2.0-OpenSSH\r\n", buf_str(&endless)};

		listener = listen_somewhere(&port);
		pid = serve(
		    listener, "GET", answers[i], strlen(answers[i]), false);
		snprintf(spec, sizeof(spec), "{" URL "}", port);
		run_check(&seat, dial(port), spec, bytes_of(""), WITHIN_MS);
		close(listener);
		waitpid(pid, NULL, 0);
		assert_string_equal(seat.result, "fail");
		assert_true(seat.text[0] != '\0');
		assert_null(strchr(seat.text, '\n'));
	}
	buf_free(&endless);
}

static void
a_server_that_hangs_fails_in_time(void **state)
{
	struct seat seat;
	int port, listener = listen_somewhere(&port);
	pid_t pid = serve(listener, "GET", "HTTP/1.1 200", 12, true);
	char spec[128];

	snprintf(spec, sizeof(spec), "{" URL "}", port);
	run_check(&seat, dial(port), spec, bytes_of(""), 200);
	close(listener);
	waitpid(pid, NULL, 0);
	assert_string_equal(seat.result, "fail");
	assert_string_equal(seat.text, "no answer within 200ms");
}

/* libcurl 7.88 asks the kernel to connect again; were the socket one of which
 * the kernel says "is connected", the check must not blame the server. */
static void
a_socket_that_curl_cannot_use_is_inconclusive(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct seat seat;
	int port, listener = listen_somewhere(&port);
	const char *answer = "HTTP/1.1 200 OK\r\n\r\n";
	pid_t pid = serve(listener, "GET", answer, strlen(answer), false);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char spec[128];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)port);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	snprintf(spec, sizeof(spec), "{" URL "}", port);
	run_check(&seat, fd, spec, bytes_of(""), WITHIN_MS);
	assert_string_not_equal(seat.result, "fail");
	close(listener);
	waitpid(pid, NULL, 0);
}

static void
a_wrong_spec_is_inconclusive_and_says_why(void **state)
{
	static const struct {
		const char *spec, *text;
	} rows[] = {
	    {"{}", "check: no url"},
	    {"{\"url\":\"ftp://127.0.0.1/\"}",
		"check: url ftp://127.0.0.1/: wants http:// or https://"},
	    {"{\"url\":\"file:///etc/passwd\"}",
		"check: url file:///etc/passwd: wants http:// or "
		"https://"},
	    {"{\"url\":\"http://a:b@127.0.0.1/\"}",
		"check: url http://a:b@127.0.0.1/: a user in a URL is "
		"not taken; use header:"},
	    {"{\"url\":\"http://127.0.0.1/\",\"status\":99}",
		"check: status: wants a number from 100 to 599"},
	    {"{\"url\":\"http://127.0.0.1/\",\"header\":{\"a\":"
	     "\"b\\r\\nc: d\"}}",
		"check: header a: wants one line of text"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct seat seat;
		int port, listener = listen_somewhere(&port);

		run_check(
		    &seat, dial(port), rows[i].spec, bytes_of(""), WITHIN_MS);
		close(listener);
		assert_string_equal(seat.result, "inconclusive");
		assert_string_equal(seat.text, rows[i].text);
	}
}

static void
cancelled_means_silence(void **state)
{
	struct seat seat = {0};
	struct err err = ERR_INIT;
	int port, listener = listen_somewhere(&port), fd = dial(port);
	char spec[128];

	snprintf(spec, sizeof(spec), "{" URL "}", port);
	assert_int_equal(loop_open(&seat.loop, &err), 0);
	http_check_cancel(http_check_start(seat.loop, fd, bytes_of(spec),
	    bytes_of(""), WITHIN_MS, done, &seat));
	loop_run(seat.loop); /* nothing is left to wait for */
	loop_close(seat.loop);
	assert_int_equal(seat.calls, 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	close(listener);
}

/* A CA, and a certificate of it for shop.test and 127.0.0.1. */
static void
make_certificates(const char *folder)
{
	char line[4096];

	snprintf(line, sizeof(line),
	    "cd '%s' && exec 2>log && "
	    "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out "
	    "ca.pem -days 2 -subj /CN=throwaway && "
	    "openssl req -newkey rsa:2048 -nodes -keyout key.pem -out "
	    "req.pem -subj /CN=shop.test && "
	    "printf 'subjectAltName=DNS:shop.test,IP:127.0.0.1' >ext && "
	    "openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key "
	    "-CAcreateserial -out cert.pem -days 2 -extfile ext",
	    folder);
	assert_int_equal(system(line), 0);
}

/* `openssl s_server -www` in folder; gives its port from its own words. */
static pid_t
serve_tls(const char *folder, int *port)
{
	char line[256];
	int out[2];
	pid_t pid;
	FILE *words;

	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], 1);
		if (chdir(folder) == 0 && freopen("/dev/null", "r", stdin) &&
		    freopen("log", "a", stderr))
			execlp("openssl", "openssl", "s_server", "-accept",
			    "127.0.0.1:0", "-www", "-cert", "cert.pem", "-key",
			    "key.pem", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	words = fdopen(out[0], "r");
	*port = 0;
	while (fgets(line, sizeof(line), words) != NULL) {
		if (sscanf(line, "ACCEPT 127.0.0.1:%d", port) == 1)
			break;
	}
	fclose(words);
	assert_true(*port > 0);
	return pid;
}

static void
tls_is_checked_against_the_ca(void **state)
{
	struct arena *arena = arena_new();
	struct buf pem = BUF_INIT, spec = BUF_INIT;
	struct err err = ERR_INIT;
	struct seat seat;
	char *folder;
	int port, status;
	pid_t pid;
	static const struct {
		const char *host;
		bool ca, roots, verify;
		const char *result, *text;
	} rows[] = {
	    {"127.0.0.1", true, false, true, "pass", "200 ok"},
	    {"shop.test", true, false, true, "pass", "200 ok"},
	    {"127.0.0.1", false, true, true, "pass", "200 ok"},
	    {"127.0.0.1", false, false, false, "pass", "200 ok"},
	    {"other.test", true, false, true, "fail", "other.test"},
	    {"127.0.0.1", false, false, true, "fail", "certificate"},
	};

	assert_int_equal(file_make_temporary(arena, &folder, &err), 0);
	make_certificates(folder);
	assert_int_equal(
	    file_read(file_join(arena, folder, "ca.pem"), 1 << 20, &pem, &err),
	    0);
	pid = serve_tls(folder, &port);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct json *map = json_map(arena);

		json_put_text(arena, map, "url",
		    arena_printf(arena, "https://%s:%d/", rows[i].host, port));
		if (rows[i].ca)
			json_put_text(arena, map, "ca", buf_str(&pem));
		if (!rows[i].verify)
			json_put_bool(arena, map, "verify", false);
		buf_reset(&spec);
		json_write(&spec, map);
		run_check(&seat, dial(port), buf_str(&spec),
		    rows[i].roots ? buf_bytes(&pem) : bytes_of(""), WITHIN_MS);
		if (strcmp(seat.result, rows[i].result) != 0 ||
		    strstr(seat.text, rows[i].text) == NULL)
			fail_msg(
			    "row %zu: got %s, '%s'", i, seat.result, seat.text);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	buf_free(&pem);
	buf_free(&spec);
	file_remove_tree(folder);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(status_is_judged),
	    cmocka_unit_test(redirects_are_not_followed),
	    cmocka_unit_test(body_is_matched_as_text_or_pattern),
	    cmocka_unit_test(a_costly_pattern_is_inconclusive),
	    cmocka_unit_test(a_long_body_is_read_to_64_kib),
	    cmocka_unit_test(
		header_and_host_name_are_sent_and_no_name_is_asked_for),
	    cmocka_unit_test(what_is_no_http_fails),
	    cmocka_unit_test(a_server_that_hangs_fails_in_time),
	    cmocka_unit_test(a_socket_that_curl_cannot_use_is_inconclusive),
	    cmocka_unit_test(a_wrong_spec_is_inconclusive_and_says_why),
	    cmocka_unit_test(cancelled_means_silence),
	    cmocka_unit_test(tls_is_checked_against_the_ca),
	};

	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
