/*
 * Dialling: a name's addresses, one after the other, until one connects. The
 * sockets are plain descriptors and not libuv's streams, because they are
 * handed to a worker.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/i18n.h"
#include "loop/inside.h"

/* A full backlog of a unix socket shows as EAGAIN and nothing to wait for. */
enum { UNIX_RETRY_MS = 10 };

struct loop_dial {
	struct loop *loop;
	char *address;
	int port;
	int64_t deadline_ms;
	int64_t timeout_ms;
	void (*done)(void *arg, int fd, const struct err *err);
	void *arg;

	uv_getaddrinfo_t lookup;
	bool looking_up; /* the request is libuv's until it has answered */
	bool stopped;
	struct addrinfo *addresses;
	struct addrinfo *next;
	int tried;
	int last_errno;

	int fd;
	struct loop_watch *watch;
	struct loop_timer *timer;
};

static void dial_next(void *arg);

static void
dial_drop_socket(struct loop_dial *dial)
{
	loop_watch_stop(dial->watch);
	dial->watch = NULL;
	loop_timer_stop(dial->timer);
	dial->timer = NULL;
	if (dial->fd >= 0)
		(void)close(dial->fd);
	dial->fd = -1;
}

static void
dial_free(struct loop_dial *dial)
{
	if (dial->addresses != NULL)
		freeaddrinfo(dial->addresses);
	free(dial->address);
	free(dial);
}

void
loop_dial_stop(struct loop_dial *dial)
{
	if (dial == NULL || dial->stopped)
		return;
	dial->stopped = true;
	dial_drop_socket(dial);
	if (dial->looking_up)
		(void)uv_cancel((uv_req_t *)&dial->lookup);
	else
		dial_free(dial);
}

/* The answer, given once. */
static void
dial_end(struct loop_dial *dial, const struct err *err)
{
	int fd = -1;

	if (err == NULL) {
		fd = dial->fd;
		dial->fd = -1;
	}
	dial_drop_socket(dial);
	/* done may call loop_dial_stop from habit. */
	dial->stopped = true;
	dial->done(dial->arg, fd, err);
	if (!dial->looking_up)
		dial_free(dial);
}

static void
dial_fail(struct loop_dial *dial)
{
	struct err err = ERR_INIT;

	if (dial->port == 0)
		(void)err_set(&err, ERR_FAILED, _("cannot connect to %s: %s"),
		    dial->address, strerror(dial->last_errno));
	else if (dial->tried > 1)
		(void)err_set(&err, ERR_FAILED,
		    _("cannot connect to %s port %d (%d addresses tried): "
		      "%s; is the host up, and is that its address?"),
		    dial->address, dial->port, dial->tried,
		    strerror(dial->last_errno));
	else
		(void)err_set(&err, ERR_FAILED,
		    _("cannot connect to %s port %d: %s; is the host up, and "
		      "is that its address?"),
		    dial->address, dial->port, strerror(dial->last_errno));
	dial_end(dial, &err);
}

static void
dial_no_name(struct loop_dial *dial, const char *why)
{
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_FAILED,
	    _("cannot find the address of %s: %s; correct the name, or give "
	      "the address in the inventory or as HostName in ssh_config"),
	    dial->address, why);
	dial_end(dial, &err);
}

static void
dial_writable(void *arg, int events)
{
	struct loop_dial *dial = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0) {
		dial_end(dial, NULL);
		return;
	}
	dial->last_errno = error;
	dial_drop_socket(dial);
	dial_next(dial);
}

static void
dial_overdue(void *arg)
{
	struct loop_dial *dial = arg;

	dial->timer = NULL;
	dial->last_errno = ETIMEDOUT;
	dial_drop_socket(dial);
	dial_next(dial);
}

static int
addresses_left(const struct addrinfo *address)
{
	int count = 0;

	for (; address != NULL; address = address->ai_next)
		count++;
	return count;
}

/* Begin to connect. 0 = connected or under way; otherwise an errno. */
static int
dial_connect(
    struct loop_dial *dial, const struct sockaddr *address, socklen_t len)
{
	int on = 1;

	dial->fd = socket(
	    address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dial->fd < 0)
		return errno;
	if (address->sa_family != AF_UNIX)
		(void)setsockopt(
		    dial->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(dial->fd, address, len) < 0 && errno != EINPROGRESS)
		return errno;
	return 0;
}

static void
dial_wait(struct loop_dial *dial, int64_t wait_ms)
{
	dial->timer = loop_timer_start(
	    dial->loop, wait_ms > 0 ? wait_ms : 1, dial_overdue, dial);
	dial->watch = loop_watch_start(
	    dial->loop, dial->fd, LOOP_WRITE, dial_writable, dial);
	if (dial->watch == NULL)
		bug("loop_dial: a socket cannot be watched");
}

static void
dial_next(void *arg)
{
	struct loop_dial *dial = arg;
	struct addrinfo *address;
	int64_t left_ms;
	int share;

	dial->timer = NULL;
	while ((address = dial->next) != NULL) {
		left_ms = dial->deadline_ms - loop_now_ms(dial->loop);
		/* An address that swallows packets must leave the others
		 * their share. */
		share = addresses_left(address);
		dial->next = address->ai_next;
		if (left_ms <= 0) {
			dial->last_errno = ETIMEDOUT;
			break;
		}
		dial->tried++;
		dial->last_errno =
		    dial_connect(dial, address->ai_addr, address->ai_addrlen);
		if (dial->last_errno == 0) {
			dial_wait(dial, left_ms / share);
			return;
		}
		dial_drop_socket(dial);
	}
	dial_fail(dial);
}

static void
dial_unix(void *arg)
{
	struct loop_dial *dial = arg;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(dial->address);
	int64_t left_ms = dial->deadline_ms - loop_now_ms(dial->loop);

	dial->timer = NULL;
	if (len >= sizeof(address.sun_path)) {
		dial->last_errno = ENAMETOOLONG;
		dial_fail(dial);
		return;
	}
	memcpy(address.sun_path, dial->address, len);
	dial->last_errno = dial_connect(
	    dial, (const struct sockaddr *)&address, sizeof(address));
	if (dial->last_errno == 0) {
		dial_end(dial, NULL);
		return;
	}
	dial_drop_socket(dial);
	if (dial->last_errno != EAGAIN || left_ms <= 0) {
		dial_fail(dial);
		return;
	}
	dial->timer =
	    loop_timer_start(dial->loop, UNIX_RETRY_MS, dial_unix, dial);
}

static void
lookup_overdue(void *arg)
{
	struct loop_dial *dial = arg;

	dial->timer = NULL;
	(void)uv_cancel((uv_req_t *)&dial->lookup);
	dial_no_name(dial, _("the name server did not answer in time"));
}

static void
lookup_refused(void *arg)
{
	struct loop_dial *dial = arg;

	dial->timer = NULL;
	dial_no_name(dial, _("this is no name that a host can have"));
}

static void
lookup_done(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct loop_dial *dial = request->data;

	dial->looking_up = false;
	dial->addresses = found;
	if (dial->stopped) {
		dial_free(dial);
		return;
	}
	loop_timer_stop(dial->timer);
	dial->timer = NULL;
	if (status < 0) {
		dial_no_name(dial, uv_strerror(status));
		return;
	}
	dial->next = found;
	dial_next(dial);
}

/* An address needs no thread; a name does. */
static void
dial_look_up(struct loop_dial *dial)
{
	struct addrinfo hints = {0};
	char port[16];
	int rc;

	(void)snprintf(port, sizeof(port), "%d", dial->port);
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(dial->address, port, &hints, &dial->addresses) == 0) {
		dial->next = dial->addresses;
		dial->timer = loop_timer_start(dial->loop, 0, dial_next, dial);
		return;
	}
	/* Not AI_ADDRCONFIG: it finds no localhost where only loopback is up. */
	hints.ai_flags = AI_NUMERICSERV;
	dial->lookup.data = dial;
	rc = uv_getaddrinfo(&dial->loop->uv, &dial->lookup, lookup_done,
	    dial->address, port, &hints);
	if (rc < 0) {
		dial->timer =
		    loop_timer_start(dial->loop, 0, lookup_refused, dial);
		return;
	}
	dial->looking_up = true;
	dial->timer = loop_timer_start(
	    dial->loop, dial->timeout_ms, lookup_overdue, dial);
}

struct loop_dial *
loop_dial_start(struct loop *loop, const char *address, int port,
    int64_t timeout_ms, void (*done)(void *arg, int fd, const struct err *err),
    void *arg)
{
	struct loop_dial *dial = xcalloc(1, sizeof(*dial));

	dial->loop = loop;
	dial->address = xstrdup(address);
	dial->timeout_ms = timeout_ms;
	dial->done = done;
	dial->arg = arg;
	dial->fd = -1;
	dial->last_errno = EADDRNOTAVAIL; /* were there no address at all */
	if (address[0] == '/') {
		dial->timer = loop_timer_start(loop, 0, dial_unix, dial);
	} else {
		dial->port = port;
		dial_look_up(dial);
	}
	dial->deadline_ms = loop_now_ms(loop) + timeout_ms;
	return dial;
}
