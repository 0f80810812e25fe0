/*
 * One check: curl's multi interface, driven by the worker's loop. Curl gets
 * the descriptor that the coordinator dialled and nothing else: no name
 * server, no proxy, no file, no second connection.
 */
#include "http/inside.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/text.h"

enum { BODY_MAX = 64 * 1024, HEADERS_MAX = 64 * 1024 };

struct http_check {
	struct loop *loop;
	struct arena *arena;
	struct http_spec spec;
	int fd; /* -1 once curl has it */
	int64_t timeout_ms;
	http_done *done;
	void *arg;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *resolve, *headers;
	struct loop_watch *watch;
	curl_socket_t watched;
	struct loop_timer *timer; /* curl's, or that of a refused spec */
	char status_line[128];
	size_t header_bytes;
	struct buf body;
	char curl_error[CURL_ERROR_SIZE];
	struct err refused;
};

static void
check_free(struct http_check *check)
{
	if (check->easy != NULL) {
		(void)curl_multi_remove_handle(check->multi, check->easy);
		curl_easy_cleanup(check->easy);
	}
	if (check->multi != NULL)
		(void)curl_multi_cleanup(check->multi);
	/* curl's callbacks have run for the last time */
	loop_watch_stop(check->watch);
	loop_timer_stop(check->timer);
	curl_slist_free_all(check->resolve);
	curl_slist_free_all(check->headers);
	if (check->fd >= 0)
		close(check->fd);
	match_free(check->spec.pattern);
	buf_free(&check->body);
	arena_free(check->arena);
	free(check);
}

void
http_check_cancel(struct http_check *check)
{
	if (check != NULL)
		check_free(check);
}

static void
check_end(struct http_check *check, const char *result, const char *text)
{
	http_done *done = check->done;
	void *arg = check->arg;

	done(arg, result, text);
	check_free(check);
}

/* What curl's code means for the check; appends the line for people. */
static const char *
curl_judge(struct http_check *check, CURLcode code, struct buf *text)
{
	const char *why = check->curl_error[0] != '\0'
			      ? check->curl_error
			      : curl_easy_strerror(code);
	struct buf time = BUF_INIT;

	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		text_put_duration(&time, check->timeout_ms);
		buf_printf(text, _("no answer within %s"), buf_str(&time));
		buf_free(&time);
		return "fail";
	case CURLE_COULDNT_CONNECT: /* it was connected when we got it */
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
	case CURLE_NOT_BUILT_IN:
	case CURLE_SSL_CACERT_BADFILE: /* our certificates, not theirs */
		buf_puts(text, _("cannot check: "));
		text_cleanse_to(text, why, strlen(why), true);
		return "inconclusive";
	}
	text_cleanse_to(text, why, strlen(why), true);
	return "fail";
}

static void
finish(struct http_check *check, CURLcode code)
{
	struct buf text = BUF_LIMIT(1024);
	const char *result, *body = buf_str(&check->body);
	long status = 0;

	(void)curl_easy_getinfo(check->easy, CURLINFO_RESPONSE_CODE, &status);
	/* body_take ends a transfer that has all we read; what was said so far
	 * is an answer */
	if (code == CURLE_WRITE_ERROR && check->body.len == BODY_MAX)
		code = CURLE_OK;
	if (code == CURLE_OK)
		result =
		    http_judge(&check->spec, (int)status, check->status_line,
			(struct bytes){body, check->body.len}, &text);
	else
		result = curl_judge(check, code, &text);
	check_end(check, result, buf_str(&text));
	buf_free(&text);
}

/* Let curl go on, then see whether that was the end. */
static void
advance(struct http_check *check, curl_socket_t fd, int what)
{
	CURLMsg *msg;
	int running, left;

	(void)curl_multi_socket_action(check->multi, fd, what, &running);
	msg = curl_multi_info_read(check->multi, &left);
	if (msg != NULL && msg->msg == CURLMSG_DONE)
		finish(check, msg->data.result);
}

static void
ready(void *arg, int events)
{
	struct http_check *check = arg;
	int what = ((events & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) |
		   ((events & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0);

	advance(check, check->watched, what);
}

static void
timer_fired(void *arg)
{
	struct http_check *check = arg;

	check->timer = NULL;
	advance(check, CURL_SOCKET_TIMEOUT, 0);
}

static void
refused_fired(void *arg)
{
	struct http_check *check = arg;

	check->timer = NULL;
	check_end(check, "inconclusive", check->refused.text);
}

static int
socket_wanted(
    CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http_check *check = arg;
	int events =
	    (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? LOOP_READ : 0) |
	    (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? LOOP_WRITE : 0);

	if (what == CURL_POLL_REMOVE) {
		loop_watch_stop(check->watch);
		check->watch = NULL;
	} else if (check->watch != NULL) {
		loop_watch_change(check->watch, events);
	} else {
		check->watched = fd;
		check->watch =
		    loop_watch_start(check->loop, fd, events, ready, check);
	}
	return 0;
}

static int
timer_wanted(CURLM *multi, long timeout_ms, void *arg)
{
	struct http_check *check = arg;

	loop_timer_stop(check->timer);
	check->timer = NULL;
	if (timeout_ms >= 0)
		check->timer = loop_timer_start(
		    check->loop, timeout_ms, timer_fired, check);
	return 0;
}

static curl_socket_t
socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_check *check = arg;
	int fd = check->fd;

	check->fd = -1; /* once: a second connection would be one of ours */
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* libcurl before 8.0 calls connect() all the same. The kernel says 0 to that
 * for a socket that was connected without blocking and not asked since, which
 * is what loop_dial gives. */
static int
socket_option(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static size_t
header_take(char *data, size_t size, size_t count, void *arg)
{
	struct http_check *check = arg;
	size_t len = size * count, at;

	check->header_bytes += len;
	if (check->header_bytes > HEADERS_MAX)
		return 0;
	if (len > 5 && memcmp(data, "HTTP/", 5) == 0) {
		for (at = 5; at < len && data[at] != ' '; at++)
			;
		while (at < len && data[at] == ' ')
			at++;
		while (len > at &&
		       (data[len - 1] == '\r' || data[len - 1] == '\n' ||
			   data[len - 1] == ' '))
			len--;
		(void)text_cleanse(check->status_line,
		    sizeof(check->status_line), data + at, len - at);
	}
	return size * count;
}

static size_t
body_take(char *data, size_t size, size_t count, void *arg)
{
	struct http_check *check = arg;
	size_t len = size * count, room = BODY_MAX - check->body.len;

	buf_put(&check->body, data, len < room ? len : room);
	return len < room ? len : 0;
}

static void
setup_answer(struct http_check *check)
{
	CURL *easy = check->easy;

	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_take);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, check);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, check);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, check->curl_error);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)check->timeout_ms);
}

static void
setup_connection(struct http_check *check)
{
	CURL *easy = check->easy;

	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, check);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, socket_option);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(
	    easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	if (check->spec.resolve != NULL) {
		check->resolve = curl_slist_append(NULL, check->spec.resolve);
		curl_easy_setopt(easy, CURLOPT_RESOLVE, check->resolve);
	}
}

static int
setup(struct http_check *check, struct bytes roots)
{
	const struct http_spec *spec = &check->spec;
	struct curl_blob ca = {(void *)roots.data, roots.len, CURL_BLOB_NOCOPY};
	CURL *easy;

	check->multi = curl_multi_init();
	check->easy = easy = curl_easy_init();
	if (check->multi == NULL || easy == NULL)
		return -1;
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	if (curl_easy_setopt(easy, CURLOPT_URL, spec->url) != CURLE_OK)
		return -1;
	setup_connection(check);
	setup_answer(check);
	for (size_t i = 0; i < spec->header_count; i++)
		check->headers =
		    curl_slist_append(check->headers, spec->headers[i]);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, check->headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "hoshu/" HOSHU_VERSION);
	if (spec->ca != NULL) {
		ca.data = (void *)spec->ca;
		ca.len = strlen(spec->ca);
	}
	/* no file is opened for certificates, even where there are none */
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (ca.len > 0)
		curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, spec->verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, spec->verify ? 2L : 0L);
	curl_multi_setopt(check->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(check->multi, CURLMOPT_SOCKETDATA, check);
	curl_multi_setopt(check->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(check->multi, CURLMOPT_TIMERDATA, check);
	return curl_multi_add_handle(check->multi, easy) == CURLM_OK ? 0 : -1;
}

void
http_warm(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_check *
http_check_start(struct loop *loop, int fd, struct bytes spec,
    struct bytes roots, int64_t timeout_ms, http_done *done, void *arg)
{
	struct http_check *check = xcalloc(1, sizeof(*check));

	check->loop = loop;
	check->fd = fd;
	check->timeout_ms = timeout_ms;
	check->done = done;
	check->arg = arg;
	check->arena = arena_new();
	check->body.max = BODY_MAX;
	if (http_spec_read(check->arena, spec, &check->spec, &check->refused) ==
	    0) {
		if (setup(check, roots) == 0)
			return check;
		(void)err_set(&check->refused, ERR_PLAN,
		    _("check: url %s: curl does not take it"), check->spec.url);
		loop_timer_stop(check->timer);
	}
	check->timer = loop_timer_start(loop, 0, refused_fired, check);
	return check;
}
