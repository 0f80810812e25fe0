/*
 * What the coordinator orders: Lua alone (modules, blobs, descriptions, values),
 * Lua that asks the host (probes), and the host alone (launches and what is to
 * be known of them). Knows no deadline: when a job is over, jobs.c says.
 */
#include "worker/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"

void
orders_module(struct worker *worker, const struct seam_message *message)
{
	struct script_failure failure;

	/* a wrong one fails where it is used: describe says why */
	(void)script_module(worker->script, seam_field_text(message, "name"),
	    seam_field(message, "source"), &failure);
}

void
orders_blob(struct worker *worker, const struct seam_message *message)
{
	script_blob(worker->script, seam_field_text(message, "sha256"),
	    seam_field(message, "content"));
}

void
orders_describe(struct worker *worker, const struct seam_message *message)
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
		work_fail_script(job, &failure);
	else
		work_answer(job, SEAM_DESCRIBED, &field, 1);
	buf_free(&json);
}

void
orders_eval(struct worker *worker, const struct seam_message *message)
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
		work_fail_script(job, &failure);
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
		work_fail_script(job, failure);
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
orders_probe(struct worker *worker, const struct seam_message *message)
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
orders_launch(struct worker *worker, const struct seam_message *message)
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
orders_settle(struct worker *worker, const struct seam_message *message)
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
orders_stop(struct worker *worker, const struct seam_message *message)
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
orders_output(struct worker *worker, const struct seam_message *message)
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
orders_sync(struct worker *worker, const struct seam_message *message)
{
	struct job *job = work_new(
	    worker, message, true, seam_field_int(message, "deadline_ms", 0));

	if (job == NULL)
		return;
	job->xid = xstrdup("");
	job->asking = true;
	remote_ask(job->conn->remote, "sync", 4, synced, job);
}
