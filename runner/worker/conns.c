/*
 * Connections: OPEN, SIGNATURE and CLOSE over remote/. A host's connection is
 * known by host and dial; a newer dial takes the host's place while the old
 * one is still saying goodbye.
 */
#include "worker/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { DIAL_DIGITS = 24 };

static struct bytes
dial_text(const struct conn *conn, char out[DIAL_DIGITS])
{
	snprintf(out, DIAL_DIGITS, "%" PRId64, conn->dial);
	return bytes_of(out);
}

static void
send_closed(struct worker *worker, uint32_t host, struct bytes dial,
    const char *why, const char *text, const char *fingerprint)
{
	struct bytes fields[] = {
	    dial, bytes_of(why), bytes_of(text), bytes_of(fingerprint)};

	worker_send(worker, SEAM_CLOSED, host, 0, fields, 4);
}

static void
conn_opened(void *arg, const struct remote_opened *opened)
{
	struct conn *conn = arg;
	char dial[DIAL_DIGITS], clock[32];
	struct bytes fields[] = {dial_text(conn, dial), bytes_of(opened->life),
	    bytes_of(opened->uid), bytes_of(opened->readonly),
	    bytes_of(opened->gaps), {clock, 0}, bytes_of(opened->uptime),
	    bytes_of(opened->timings)};

	fields[5].len = (size_t)snprintf(
	    clock, sizeof(clock), "%" PRId64, opened->clock_ms);
	conn->opened = true;
	conn->life = xstrdup(opened->life);
	worker_send(conn->worker, SEAM_OPENED, conn->host, 0, fields, 8);
}

static void
conn_closed(
    void *arg, const char *why, const char *text, const char *fingerprint)
{
	struct conn *conn = arg;
	struct worker *worker = conn->worker;
	char dial[DIAL_DIGITS];

	conn->remote = NULL;
	conn->opened = false;
	jobs_conn_closed(conn);
	send_closed(worker, conn->host, dial_text(conn, dial),
	    conn->stuck ? "deadline" : why, text, fingerprint);
	if (worker->by_host[conn->host] == conn)
		worker->by_host[conn->host] = NULL;
	LIST_REMOVE(conn, next);
	free(conn->life);
	free(conn);
	if (worker->quitting && LIST_EMPTY(&worker->conns))
		loop_stop(worker->loop);
}

static void
conn_sign(void *arg, const char *algorithm, struct bytes payload)
{
	struct conn *conn = arg;
	char dial[DIAL_DIGITS];
	struct bytes fields[] = {
	    dial_text(conn, dial), bytes_of(algorithm), payload};

	worker_send(conn->worker, SEAM_SIGN, conn->host, 0, fields, 3);
}

static void
conn_need(void *arg, uint32_t prompt)
{
	struct conn *conn = arg;
	char dial[DIAL_DIGITS], number[16];
	struct bytes fields[] = {dial_text(conn, dial), {number, 0}};

	fields[1].len =
	    (size_t)snprintf(number, sizeof(number), "%" PRIu32, prompt);
	worker_send(conn->worker, SEAM_NEED, conn->host, 0, fields, 2);
}

static struct bytes
conn_blob(void *arg, const char *sha256)
{
	struct conn *conn = arg;

	return script_blob_get(conn->worker->script, sha256);
}

static void *
conn_enter(void *arg)
{
	struct conn *conn = arg;

	worker_busy(conn->worker, conn->host, true);
	return conn->worker;
}

static void
conn_leave(void *entered)
{
	worker_busy(entered, 0, false);
}

static const struct remote_events conn_events = {
    .enter = conn_enter,
    .leave = conn_leave,
    .opened = conn_opened,
    .closed = conn_closed,
    .sign = conn_sign,
    .need = conn_need,
    .blob = conn_blob,
};

static void
table_reach(struct worker *worker, uint32_t host)
{
	size_t size = worker->by_host_size;

	if (host < size)
		return;
	while (size <= host)
		size = size == 0 ? 64 : size * 2;
	worker->by_host = xrealloc(
	    worker->by_host, arena_size_of(sizeof(*worker->by_host), size));
	memset(worker->by_host + worker->by_host_size, 0,
	    (size - worker->by_host_size) * sizeof(*worker->by_host));
	worker->by_host_size = size;
}

void
conns_open(struct worker *worker, const struct seam_message *message)
{
	struct conn *conn = xcalloc(1, sizeof(*conn));
	struct remote_options options = {
	    .fd = message->fd,
	    .name = seam_field_text(message, "name"),
	    .user = seam_field_text(message, "user"),
	    .host_key_types = seam_field_text(message, "host_key_types"),
	    .host_keys = seam_field_text(message, "host_keys"),
	    .auth_key = seam_field_text(message, "auth_key"),
	    .root_spool = seam_field_text(message, "root_spool"),
	    .deadline_ms = seam_field_int(message, "deadline_ms", 0),
	};
	struct err err = ERR_INIT;

	options.password =
	    strcmp(seam_field_text(message, "become"), "password") == 0;
	options.sudo = options.password ||
		       strcmp(seam_field_text(message, "become"), "sudo") == 0;
	options.shell =
	    strcmp(seam_field_text(message, "shell"), "readonly") == 0
		? REMOTE_READONLY
		: REMOTE_PLAIN;
	conn->worker = worker;
	conn->host = message->host;
	conn->dial = seam_field_int(message, "dial", 0);
	TAILQ_INIT(&conn->jobs);
	if (remote_open(worker->loop, &options, &conn_events, conn,
		&conn->remote, &err) < 0) {
		free(conn);
		send_closed(worker, message->host, seam_field(message, "dial"),
		    "protocol", err.text, "");
		return;
	}
	table_reach(worker, conn->host);
	worker->by_host[conn->host] = conn;
	LIST_INSERT_HEAD(&worker->conns, conn, next);
}

/* Of this very dial, opened or not; NULL when it has ended meanwhile. */
static struct conn *
conn_of_dial(const struct worker *worker, const struct seam_message *message)
{
	struct conn *conn = message->host < worker->by_host_size
				? worker->by_host[message->host]
				: NULL;

	if (conn != NULL && conn->dial != seam_field_int(message, "dial", -1))
		return NULL;
	return conn;
}

void
conns_signature(struct worker *worker, const struct seam_message *message)
{
	struct conn *conn = conn_of_dial(worker, message);
	const char *refused = seam_field_text(message, "refused");

	if (conn != NULL && conn->remote != NULL)
		remote_signature(conn->remote, seam_field(message, "signature"),
		    *refused == '\0' ? NULL : refused);
}

void
conns_secret(struct worker *worker, const struct seam_message *message)
{
	struct conn *conn = conn_of_dial(worker, message);
	const char *refused = seam_field_text(message, "refused");

	if (conn != NULL && conn->remote != NULL)
		remote_password(conn->remote,
		    (uint32_t)seam_field_int(message, "prompt", 0),
		    seam_field(message, "secret"),
		    *refused == '\0' ? NULL : refused);
	seam_wipe(worker->seam);
}

/* May free conn at once. */
static void
conn_close(struct conn *conn)
{
	if (conn->closing || conn->remote == NULL)
		return;
	conn->closing = true;
	conn->opened = false;
	remote_close(conn->remote);
}

void
conns_close(struct worker *worker, const struct seam_message *message)
{
	struct conn *conn = conn_of_dial(worker, message);

	if (conn == NULL)
		return;
	worker->by_host[conn->host] = NULL;
	conn_close(conn);
}

struct conn *
conns_of(const struct worker *worker, uint32_t host)
{
	struct conn *conn =
	    host < worker->by_host_size ? worker->by_host[host] : NULL;

	return conn != NULL && conn->opened ? conn : NULL;
}

void
conns_give_up(struct conn *conn)
{
	if (!conn->closing)
		conn->stuck = true;
	conn_close(conn);
}

void
conns_close_all(struct worker *worker)
{
	struct conn *conn = LIST_FIRST(&worker->conns), *next;

	if (conn == NULL)
		loop_stop(worker->loop);
	for (; conn != NULL; conn = next) {
		next = LIST_NEXT(conn, next);
		conn_close(conn);
	}
}
