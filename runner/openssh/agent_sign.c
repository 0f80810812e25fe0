/*
 * Signatures, asked of an agent over its socket on the loop. Requests go out
 * at once and are answered in order; the connection is dropped when none is
 * open, so that an idle agent holds no loop.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/i18n.h"
#include "openssh/agent.h"

/* A person may have to confirm (`ssh-add -c`). */
enum { ANSWER_TIMEOUT_MS = 60000, CONNECT_TIMEOUT_MS = 5000 };

struct sign_request {
	struct sign_request *next;
	struct ssh_agent *agent;
	struct agent_socket *socket; /* NULL = refused */
	struct loop_timer *timer;    /* of the refusal */
	struct wire_request what;
	struct err err;
	void (*done)(void *arg, struct bytes signature, const struct err *err);
	void *arg;
};

static void
request_append(struct ssh_agent *agent, struct sign_request *request)
{
	struct sign_request **end = &agent->requests;

	while (*end != NULL)
		end = &(*end)->next;
	*end = request;
}

/* Take out the first request of the socket, or the request itself. */
static struct sign_request *
request_take(struct ssh_agent *agent, const struct agent_socket *socket,
    const struct sign_request *which)
{
	struct sign_request **p, *found;

	for (p = &agent->requests; *p != NULL; p = &(*p)->next) {
		if (*p == which || (which == NULL && (*p)->socket == socket))
			break;
	}
	found = *p;
	if (found != NULL)
		*p = found->next;
	return found;
}

static bool
socket_is_waited_for(const struct agent_socket *socket)
{
	const struct sign_request *request = socket->agent->requests;

	while (request != NULL && request->socket != socket)
		request = request->next;
	return request != NULL;
}

static void
request_answer(
    struct sign_request *request, struct bytes signature, const struct err *err)
{
	request->done(request->arg, signature, err);
	free(request);
}

static void
link_drop(struct agent_socket *socket)
{
	loop_dial_stop(socket->dial);
	socket->dial = NULL;
	loop_watch_stop(socket->watch);
	socket->watch = NULL;
	loop_timer_stop(socket->timer);
	socket->timer = NULL;
	if (socket->fd >= 0)
		(void)close(socket->fd);
	socket->fd = -1;
	buf_free(&socket->in);
	buf_free(&socket->out);
}

static void
link_fail(struct agent_socket *socket, const struct err *err)
{
	struct sign_request *request, *failed = NULL, **end = &failed;

	link_drop(socket);
	/* Taken out first: done may ask for a signature again. */
	while ((request = request_take(socket->agent, socket, NULL)) != NULL) {
		request->next = NULL;
		*end = request;
		end = &request->next;
	}
	while ((request = failed) != NULL) {
		failed = request->next;
		request_answer(request, (struct bytes){"", 0}, err);
	}
}

static void
link_fail_errno(struct agent_socket *socket, int error)
{
	struct err err = ERR_INIT;

	errno = error;
	(void)err_errno(&err, _("the ssh-agent at %s does not answer any more"),
	    socket->path);
	link_fail(socket, &err);
}

static void
link_overdue(void *arg)
{
	struct agent_socket *socket = arg;

	socket->timer = NULL;
	link_fail_errno(socket, ETIMEDOUT);
}

static void
link_restart_timer(struct agent_socket *socket)
{
	loop_timer_stop(socket->timer);
	socket->timer = loop_timer_start(
	    socket->agent->loop, ANSWER_TIMEOUT_MS, link_overdue, socket);
}

/* Give the first message to the request that has waited longest. false when
 * the link is gone. */
static bool
link_take_answer(struct agent_socket *socket, size_t len)
{
	struct bytes message = {socket->in.data + 4, len - 4}, signature;
	struct sign_request *request =
	    request_take(socket->agent, socket, NULL);
	struct err err = ERR_INIT;
	struct buf kept = BUF_INIT;
	bool waited_for;

	if (request == NULL) { /* an answer that nobody asked for */
		link_drop(socket);
		return false;
	}
	if (wire_get_signature(
		message, request->what.algorithm, &signature, &err) == 0)
		buf_put(&kept, signature.data, signature.len);
	buf_eat(&socket->in, len);
	waited_for = socket_is_waited_for(socket);
	if (waited_for)
		link_restart_timer(socket);
	else
		link_drop(socket);
	/* Last: done may ask for the next signature, on a new link. */
	request_answer(
	    request, buf_bytes(&kept), err.code != ERR_NONE ? &err : NULL);
	buf_free(&kept);
	return waited_for;
}

static bool
link_write(struct agent_socket *socket)
{
	ssize_t n;

	while (socket->out.len > 0) {
		n = send(socket->fd, socket->out.data, socket->out.len,
		    MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			link_fail_errno(socket, errno);
			return false;
		}
		buf_eat(&socket->out, (size_t)n);
	}
	loop_watch_change(socket->watch,
	    socket->out.len > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
	return true;
}

static void
link_ready(void *arg, int events)
{
	struct agent_socket *socket = arg;
	char part[4096];
	ssize_t n;
	long len;

	if ((events & LOOP_WRITE) && !link_write(socket))
		return;
	if (!(events & LOOP_READ))
		return;
	n = recv(socket->fd, part, sizeof(part), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		link_fail_errno(socket, n == 0 ? ECONNRESET : errno);
		return;
	}
	buf_put(&socket->in, part, (size_t)n);
	while ((len = wire_message_len(&socket->in)) > 0) {
		if (!link_take_answer(socket, (size_t)len))
			return;
	}
	if (len < 0)
		link_fail_errno(socket, EPROTO);
}

static void
link_dialled(void *arg, int fd, const struct err *err)
{
	struct agent_socket *socket = arg;

	socket->dial = NULL;
	if (fd < 0) {
		link_fail(socket, err);
		return;
	}
	socket->fd = fd;
	socket->watch = loop_watch_start(socket->agent->loop, fd,
	    LOOP_READ | LOOP_WRITE, link_ready, socket);
}

static void
request_refused(void *arg)
{
	struct sign_request *request = arg;

	request->timer = NULL;
	(void)request_take(request->agent, NULL, request);
	request_answer(request, (struct bytes){"", 0}, &request->err);
}

static struct agent_socket *
socket_with(struct ssh_agent *agent, const char *key)
{
	struct agent_socket *socket;
	size_t i;

	for (socket = agent->sockets; socket != NULL; socket = socket->next) {
		for (i = 0; i < socket->key_count; i++) {
			if (strcmp(socket->keys[i].text, key) == 0)
				return socket;
		}
	}
	return NULL;
}

/* Checks the request, and queues its bytes on the link. */
static int
request_send(struct sign_request *request, const char *key, const char *user,
    struct bytes payload)
{
	struct ssh_agent *agent = request->agent;
	struct agent_socket *socket = socket_with(agent, key);
	struct buf blob = BUF_INIT;
	int r;

	if (socket == NULL || wire_key_blob(key, &blob) < 0) {
		r = err_set(&request->err, ERR_REFUSED,
		    _("a signature by a key that no agent has was asked "
		      "for"));
		goto out;
	}
	r = wire_check_payload(
	    payload, user, buf_bytes(&blob), &request->what, &request->err);
	if (r < 0)
		goto out;
	request->socket = socket;
	wire_put_sign(
	    &socket->out, buf_bytes(&blob), payload, request->what.flags);
	if (socket->watch != NULL)
		loop_watch_change(socket->watch, LOOP_READ | LOOP_WRITE);
	else if (socket->dial == NULL)
		socket->dial = loop_dial_start(agent->loop, socket->path, 0,
		    CONNECT_TIMEOUT_MS, link_dialled, socket);
	if (socket->timer == NULL)
		link_restart_timer(socket);
out:
	buf_free(&blob);
	return r;
}

void
ssh_agent_sign(struct ssh_agent *agent, const char *key, const char *user,
    struct bytes payload,
    void (*done)(void *arg, struct bytes signature, const struct err *err),
    void *arg)
{
	struct sign_request *request = xcalloc(1, sizeof(*request));

	request->agent = agent;
	request->done = done;
	request->arg = arg;
	request_append(agent, request);
	if (request_send(request, key, user, payload) < 0)
		request->timer =
		    loop_timer_start(agent->loop, 0, request_refused, request);
}

void
agent_sign_drop(struct ssh_agent *agent)
{
	struct agent_socket *socket;
	struct sign_request *request;

	for (socket = agent->sockets; socket != NULL; socket = socket->next)
		link_drop(socket);
	while ((request = agent->requests) != NULL) {
		agent->requests = request->next;
		loop_timer_stop(request->timer);
		free(request);
	}
}
