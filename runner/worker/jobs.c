/*
 * Jobs: each gets exactly one answer, whatever happens to its connection, its
 * module or its deadline. A host's shell does one request at a time, so a
 * job's deadline runs from when it is first in its connection's list.
 */
#include "worker/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/i18n.h"
#include "base/text.h"

enum {
	STOP_GRACE_MS = 3000, /* a launch past its deadline: TERM, then KILL */
	STOP_MS = 7000,	      /* and then its shell must be free again */
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

static void
fail_script(struct job *job, const struct script_failure *failure)
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

void
jobs_module(struct worker *worker, const struct seam_message *message)
{
	struct script_failure failure;

	/* a wrong one fails where it is used: describe says why */
	(void)script_module(worker->script, seam_field_text(message, "name"),
	    seam_field(message, "source"), &failure);
}

void
jobs_blob(struct worker *worker, const struct seam_message *message)
{
	script_blob(worker->script, seam_field_text(message, "sha256"),
	    seam_field(message, "content"));
}

void
jobs_describe(struct worker *worker, const struct seam_message *message)
{
	struct job *job = work_new(worker, message, false, 0);
	struct script_failure failure;
	struct buf json = BUF_INIT;
	struct bytes field;
	int r;

	worker_enter(worker, job->host, job->id);
	r = script_describe(worker->script, seam_field_text(message, "module"),
	    &json, &failure);
	worker_leave(worker);
	field = buf_bytes(&json);
	if (r < 0)
		fail_script(job, &failure);
	else
		work_answer(job, SEAM_DESCRIBED, &field, 1);
	buf_free(&json);
}

void
jobs_eval(struct worker *worker, const struct seam_message *message)
{
	struct job *job = work_new(worker, message, false, 0);
	struct script_failure failure;
	struct buf values = BUF_LIMIT(SEAM_ANSWER_MAX - 64);
	struct bytes field;
	int r;

	worker_enter(worker, job->host, job->id);
	r = script_eval(worker->script, seam_field(message, "expressions"),
	    seam_field(message, "data"), &values, &failure);
	worker_leave(worker);
	field = buf_bytes(&values);
	if (r < 0)
		fail_script(job, &failure);
	else if (values.full)
		work_fail(job, "memory", _("the values are above 8 MiB"));
	else
		work_answer(job, SEAM_VALUE, &field, 1);
	buf_free(&values);
}

static void
probe_asked(void *arg, const struct remote_answer *answer)
{
	struct job *job = arg;
	struct worker *worker = job->worker;
	struct script_reply reply;

	if (work_lost(job, answer))
		return;
	reply = (struct script_reply){answer->status, answer->out, answer->err};
	worker_enter(worker, job->host, job->id);
	job->reply(job->reply_arg, &reply); /* may answer and free the job */
	worker_leave(worker);
}

static void
probe_ask(void *state, const char *text, size_t len,
    void (*done)(void *arg, const struct script_reply *reply), void *arg)
{
	struct job *job = state;

	job->reply = done;
	job->reply_arg = arg;
	job->asking = true;
	remote_ask(job->conn->remote, text, len, probe_asked, job);
}

static void
probe_done(void *arg, const struct script_seen *seen,
    const struct script_failure *failure)
{
	struct job *job = arg;

	job->script = NULL;
	if (failure != NULL) {
		fail_script(job, failure);
		return;
	}
	struct bytes fields[] = {bytes_of(seen->verdict), seen->params,
	    seen->seen, seen->want, seen->info, seen->effects, seen->diff,
	    seen->summary, seen->reason, seen->apply, seen->undo};
	if (seam_size(fields, 11) > SEAM_ANSWER_MAX)
		work_fail(job, "memory",
		    _("state, diff and scripts of the step are above 8 MiB; "
		      "send large content as a source file"));
	else
		work_answer(job, SEAM_SEEN, fields, 11);
}

void
jobs_probe(struct worker *worker, const struct seam_message *message)
{
	struct job *job = work_new(
	    worker, message, true, seam_field_int(message, "deadline_ms", 0));
	struct script_door door = {probe_ask, job};
	struct script_job *script;

	if (job == NULL)
		return;
	worker_enter(worker, job->host, job->id);
	script = script_probe(worker->script,
	    seam_field_text(message, "module"), seam_field(message, "params"),
	    seam_field(message, "data"), &door, probe_done, job);
	worker_leave(worker);
	if (script != NULL) /* otherwise job is answered and gone */
		job->script = script;
}

static void
send_verdict(
    struct job *job, const char *verdict, const struct remote_answer *answer)
{
	char rc[16] = "", out_size[24] = "0", err_size[24] = "0",
	     wall[24] = "0";
	struct bytes out = {"", 0}, err = {"", 0};
	const char *uptime = "";

	if (answer != NULL) {
		if (strcmp(verdict, "done") == 0)
			snprintf(rc, sizeof(rc), "%d", answer->rc);
		snprintf(
		    out_size, sizeof(out_size), "%" PRIu64, answer->out_size);
		snprintf(
		    err_size, sizeof(err_size), "%" PRIu64, answer->err_size);
		snprintf(wall, sizeof(wall), "%" PRId64, answer->wall_ms);
		uptime = answer->uptime;
		out = answer->out;
		err = answer->err;
	}
	struct bytes fields[] = {bytes_of(job->xid), bytes_of(verdict),
	    bytes_of(rc), bytes_of(uptime), bytes_of(out_size), out,
	    bytes_of(err_size), err, bytes_of(wall)};
	work_answer(job, SEAM_VERDICT, fields, 9);
}

static void
verdict_came(void *arg, const struct remote_answer *answer)
{
	struct job *job = arg;

	if (!work_lost(job, answer))
		send_verdict(job, answer->verdict, answer);
}

void
jobs_launch(struct worker *worker, const struct seam_message *message)
{
	struct job *job = work_new(
	    worker, message, true, seam_field_int(message, "deadline_ms", 0));

	if (job == NULL)
		return;
	job->xid = xstrdup(seam_field_text(message, "xid"));
	if (strcmp(seam_field_text(message, "life"), job->conn->life) != 0) {
		/* the host was restarted since the intent was written */
		send_verdict(job, "otherlife", NULL);
		return;
	}
	job->asking = true;
	remote_launch(job->conn->remote, job->xid,
	    seam_field(message, "script"), verdict_came, job);
}

void
jobs_settle(struct worker *worker, const struct seam_message *message)
{
	struct job *job = work_new(worker, message, true, SEAM_SETTLE_MS);

	if (job == NULL)
		return;
	job->xid = xstrdup(seam_field_text(message, "xid"));
	job->asking = true;
	remote_settle(job->conn->remote, job->xid,
	    seam_field_text(message, "life"), verdict_came, job);
}

void
jobs_stop(struct worker *worker, const struct seam_message *message)
{
	struct conn *conn = conns_of(worker, message->host);

	if (conn != NULL)
		remote_stop(conn->remote, seam_field_text(message, "xid"),
		    seam_field_int(message, "grace_ms", STOP_GRACE_MS));
}

static void
more_came(void *arg, const struct remote_answer *answer)
{
	struct job *job = arg;

	if (!work_lost(job, answer))
		work_answer(job, SEAM_MORE, &answer->out, 1);
}

void
jobs_output(struct worker *worker, const struct seam_message *message)
{
	int64_t offset = seam_field_int(message, "offset", 0);
	struct job *job = work_new(
	    worker, message, true, seam_field_int(message, "deadline_ms", 0));

	if (job == NULL)
		return;
	job->asking = true;
	remote_output(job->conn->remote, seam_field_text(message, "xid"),
	    (int)seam_field_int(message, "stream", 1), offset / SEAM_MORE_MAX,
	    more_came, job);
}

static void
synced(void *arg, const struct remote_answer *answer)
{
	struct job *job = arg;
	struct remote_answer said = *answer;

	if (work_lost(job, answer))
		return;
	said.rc = answer->status;
	said.uptime = "";
	send_verdict(job, "done", &said);
}

void
jobs_sync(struct worker *worker, const struct seam_message *message)
{
	struct job *job = work_new(
	    worker, message, true, seam_field_int(message, "deadline_ms", 0));

	if (job == NULL)
		return;
	job->xid = xstrdup("");
	job->asking = true;
	remote_ask(job->conn->remote, "sync", 4, synced, job);
}
