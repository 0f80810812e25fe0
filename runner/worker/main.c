/*
 * The worker's life: its loop, the table of what it takes, and sending. It is
 * a bug of the coordinator when a message is none of these; what a worker
 * does then is end.
 */
#include "worker/inside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/json.h"

enum {
	AT_ONCE = 64,  /* messages taken a turn */
	QUIT_MS = 300, /* for connections to be closed politely */
	ROOTS_MAX = 4 << 20,
};

static const char *const roots_files[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",	  /* Red Hat */
    "/etc/ssl/ca-bundle.pem",		  /* SUSE */
};

static void quit(struct worker *worker, const struct seam_message *message);
static void ping(struct worker *worker, const struct seam_message *message);

static worker_handler *const handlers[SEAM_TYPES] = {
    [SEAM_MODULE] = orders_module,
    [SEAM_BLOB] = orders_blob,
    [SEAM_OPEN] = conns_open,
    [SEAM_SIGNATURE] = conns_signature,
    [SEAM_SECRET] = conns_secret,
    [SEAM_DESCRIBE] = orders_describe,
    [SEAM_PROBE] = orders_probe,
    [SEAM_LAUNCH] = orders_launch,
    [SEAM_SETTLE] = orders_settle,
    [SEAM_STOP] = orders_stop,
    [SEAM_CHECK] = checks_host,
    [SEAM_CHECK_NET] = checks_net,
    [SEAM_EVAL] = orders_eval,
    [SEAM_OUTPUT] = orders_output,
    [SEAM_SYNC] = orders_sync,
    [SEAM_CANCEL] = jobs_cancel,
    [SEAM_CLOSE] = conns_close,
    [SEAM_PING] = ping,
    [SEAM_QUIT] = quit,
};

void
worker_send(struct worker *worker, enum seam_type type, uint32_t host,
    uint32_t job, const struct bytes *fields, size_t count)
{
	seam_send(worker->seam, type, host, job, -1, fields, count);
	if (worker->watch != NULL && seam_waiting(worker->seam))
		loop_watch_change(worker->watch, LOOP_READ | LOOP_WRITE);
}

void
worker_enter(struct worker *worker, uint32_t host, uint32_t job)
{
	if (worker->page == NULL)
		return;
	worker->page->host = host;
	worker->page->job = job;
}

void
worker_leave(struct worker *worker)
{
	if (worker->page != NULL)
		worker->page->job = 0;
}

void
worker_busy(struct worker *worker, uint32_t host, bool busy)
{
	if (worker->page == NULL)
		return;
	worker->page->host = host;
	worker->page->busy = busy;
}

static void
ping(struct worker *worker, const struct seam_message *message)
{
	struct bytes number = seam_field(message, "number");

	worker_send(worker, SEAM_PONG, 0, 0, &number, 1);
}

static void
quit_late(void *arg)
{
	struct worker *worker = arg;

	worker->quit_timer = NULL;
	loop_stop(worker->loop);
}

static void
quit(struct worker *worker, const struct seam_message *message)
{
	if (worker->quitting)
		return;
	worker->quitting = true;
	worker->quit_timer =
	    loop_timer_start(worker->loop, QUIT_MS, quit_late, worker);
	conns_close_all(worker);
}

static void
seam_ready(void *arg, int events)
{
	struct worker *worker = arg;
	struct seam_message message;
	struct err err = ERR_INIT;
	int r = 0;

	for (int i = 0; i < AT_ONCE; i++) {
		r = seam_recv(worker->seam, &message, &err);
		if (r <= 0)
			break;
		if (handlers[message.type] == NULL) {
			r = err_set(&err, ERR_INTERNAL,
			    "seam: a worker takes no message %s",
			    seam_name(message.type));
			break;
		}
		/* the handler takes the descriptor, where there is one */
		handlers[message.type](worker, &message);
	}
	if (r >= 0)
		r = seam_flush(worker->seam, &err);
	if (r < 0) {
		if (r == -ERR_INTERNAL) {
			fprintf(stderr, "hoshu worker: %s\n", err.text);
			worker->exit_status = err_exit_status(err.code);
		}
		loop_watch_stop(worker->watch);
		worker->watch = NULL;
		quit(worker, NULL);
		return;
	}
	loop_watch_change(worker->watch,
	    LOOP_READ | (seam_waiting(worker->seam) ? LOOP_WRITE : 0));
}

/* Read before the worker is shut in; a machine without them checks only what
 * names a ca: of its own. */
static void
roots_read(struct buf *roots)
{
	for (size_t i = 0; i < sizeof(roots_files) / sizeof(*roots_files);
	     i++) {
		if (file_read(roots_files[i], ROOTS_MAX, roots, NULL) == 0)
			return;
		buf_reset(roots);
	}
}

/* What libraries read or open at their first use, once and before the wall. */
static void
warm(void)
{
	struct arena *arena = arena_new();
	struct json *none;

	http_warm();
	remote_warm();
	(void)!json_parse(arena, "{}", 2, "", &none, NULL);
	arena_free(arena);
}

const char *
worker_wall_missing(void)
{
	return wall_missing();
}

static const char *
shut_in(struct worker *worker, bool limited)
{
	const char *missing = wall_raise(worker->page);

	if (missing != NULL)
		return missing;
	return limited ? "whole"
		       : _("a resource limit or capability stays as it was");
}

static void
worker_free(struct worker *worker)
{
	loop_timer_stop(worker->quit_timer);
	loop_watch_stop(worker->watch);
	jobs_drop_loose(worker);
	loop_close(worker->loop);
	script_free(worker->script);
	seam_free(worker->seam);
	seam_page_free(worker->page);
	buf_free(&worker->roots);
	free(worker->by_host);
}

int
worker_main(int fd)
{
	struct worker worker = {.roots = BUF_INIT};
	struct bytes ready[2];
	struct err err = ERR_INIT;
	bool limited;
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		(void)err_set(&err, ERR_USAGE,
		    _("worker: is started by hoshu itself, not by hand"));
		return err_print(stderr, &err);
	}
	worker.page = seam_page_take(fd + 1);
	roots_read(&worker.roots);
	ready[0] = bytes_of(remote_library());
	limited = limits_shut_in(fd);
	warm();
	LIST_INIT(&worker.conns);
	TAILQ_INIT(&worker.loose);
	if (loop_open(&worker.loop, &err) < 0)
		return err_print(stderr, &err);
	worker.seam = seam_new(fd, SEAM_BODY_MAX);
	worker.script = script_new();
	worker.watch =
	    loop_watch_start(worker.loop, fd, LOOP_READ, seam_ready, &worker);
	if (worker.watch == NULL) {
		(void)err_errno(&err, _("worker: the seam cannot be watched"));
		return err_print(stderr, &err);
	}
	ready[1] = bytes_of(shut_in(&worker, limited));
	worker_send(&worker, SEAM_READY, 0, 0, ready, 2);
	loop_run(worker.loop);
	worker_free(&worker);
	return worker.exit_status;
}
