/*
 * Jobs: each gets exactly one answer, whatever happens to its connection, its
 * module or its deadline. A host's shell does one request at a time, so a
 * job's deadline runs from when it is first in its connection's list.
 */
#include "worker/inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/i18n.h"
#include "base/text.h"

enum {
	STOP_MS = 7000, /* from TERM on; then its shell must be free again */
};

static void job_first(struct job_list *list);

static struct job_list *
job_list_of(struct job *job)
{
	return job->conn != NULL ? &job->conn->jobs : &job->worker->loose;
}

static void
job_free(struct job *job)
{
	struct job_list *list = job_list_of(job);

	TAILQ_REMOVE(list, job, next);
	loop_timer_stop(job->timer);
	if (job->asking && job->conn->remote != NULL)
		remote_forget(job->conn->remote, job);
	if (job->script != NULL)
		script_cancel(job->script);
	http_check_cancel(job->http);
	if (job->conn != NULL)
		job_first(list);
	free(job->xid);
	free(job->subject);
	free(job);
}

void
work_answer(struct job *job, enum seam_type type, const struct bytes *fields,
    size_t count)
{
	if (!job->answered)
		worker_send(
		    job->worker, type, job->host, job->id, fields, count);
	job_free(job);
}

static void
fail_send(struct worker *worker, uint32_t host, uint32_t id, const char *why,
    const char *text, const char *file, int line)
{
	char number[16] = "";
	struct bytes fields[] = {
	    bytes_of(why), bytes_of(text), bytes_of(file), {number, 0}};

	if (line > 0)
		fields[3].len =
		    (size_t)snprintf(number, sizeof(number), "%d", line);
	worker_send(worker, SEAM_FAILED, host, id, fields, 4);
}

static void
fail_at(struct job *job, const char *why, const char *text, const char *file,
    int line)
{
	if (!job->answered)
		fail_send(
		    job->worker, job->host, job->id, why, text, file, line);
	job_free(job);
}

void
work_fail(struct job *job, const char *why, const char *text)
{
	fail_at(job, why, text, "", 0);
}

void
work_fail_script(struct job *job, const struct script_failure *failure)
{
	const char *why = "module";

	switch (failure->fault) {
	case SCRIPT_MODULE:
		break;
	case SCRIPT_BUDGET:
		why = "budget";
		break;
	case SCRIPT_MEMORY:
		why = "memory";
		break;
	}
	fail_at(job, why, failure->text, failure->file, failure->line);
}

bool
work_lost(struct job *job, const struct remote_answer *answer)
{
	job->asking = false;
	switch (answer->end) {
	case REMOTE_ANSWERED:
		return false;
	case REMOTE_GONE:
		work_fail(job, "connection", _("the connection is lost"));
		return true;
	case REMOTE_PROTOCOL:
		break;
	}
	work_fail(job, "protocol",
	    _("the host's shell answered what hoshu does not understand"));
	return true;
}

/* A step that ran out of time is told to stop; its shell stays busy until it
 * has, so the job keeps its place without a voice. */
static void
launch_late(void *arg)
{
	struct job *job = arg;
	struct conn *conn = job->conn;

	job->timer = NULL;
	work_fail(job, "connection", "");
	conns_give_up(conn);
}

static void
launch_deadline(struct job *job, const char *text)
{
	fail_send(job->worker, job->host, job->id, "deadline", text, "", 0);
	job->answered = true;
	remote_stop(job->conn->remote, job->xid, STOP_GRACE_MS);
	job->timer =
	    loop_timer_start(job->worker->loop, STOP_MS, launch_late, job);
}

static void
job_deadline(void *arg)
{
	struct job *job = arg;
	struct conn *conn = job->conn;
	char text[128];
	struct buf time = BUF_LIMIT(64);

	job->timer = NULL;
	text_put_duration(&time, job->deadline_ms);
	snprintf(text, sizeof(text), _("no answer within %s"), buf_str(&time));
	buf_free(&time);
	if (job->type == SEAM_LAUNCH) {
		launch_deadline(job, text);
		return;
	}
	work_fail(job, "deadline", text);
	if (conn != NULL)
		conns_give_up(conn);
}

/* The first job of a list is the one that the host is at. */
static void
job_first(struct job_list *list)
{
	struct job *job = TAILQ_FIRST(list);

	if (job != NULL && job->timer == NULL && job->deadline_ms > 0)
		job->timer = loop_timer_start(
		    job->worker->loop, job->deadline_ms, job_deadline, job);
}

struct job *
work_new(struct worker *worker, const struct seam_message *message,
    bool on_host, int64_t deadline_ms)
{
	struct conn *conn = NULL;
	struct job *job;

	if (on_host) {
		conn = conns_of(worker, message->host);
		if (conn == NULL) {
			fail_send(worker, message->host, message->job,
			    "connection", _("the host is not connected"), "",
			    0);
			return NULL;
		}
	}
	job = xcalloc(1, sizeof(*job));
	job->worker = worker;
	job->conn = conn;
	job->host = message->host;
	job->id = message->job;
	job->type = message->type;
	job->deadline_ms = deadline_ms;
	TAILQ_INSERT_TAIL(job_list_of(job), job, next);
	if (conn != NULL)
		job_first(&conn->jobs);
	return job;
}

void
jobs_conn_closed(struct conn *conn)
{
	struct job *job;

	while ((job = TAILQ_FIRST(&conn->jobs)) != NULL)
		work_fail(job, "connection", _("the connection is lost"));
}

void
jobs_drop_loose(struct worker *worker)
{
	struct job *job;

	while ((job = TAILQ_FIRST(&worker->loose)) != NULL)
		job_free(job);
}

void
jobs_cancel(struct worker *worker, const struct seam_message *message)
{
	struct job *job;

	TAILQ_FOREACH(job, &worker->loose, next)
	{
		if (job->id == message->job) {
			work_fail(job, "refused", _("cancelled"));
			return;
		}
	}
}
