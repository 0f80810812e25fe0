/*
 * What can be asked of a fleet without changing a host: describe, eval, probe,
 * settle, output, sync; and telling a step to stop. The one call that changes a host
 * stands in launch.c.
 */
#include "fleet/asks.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"

enum { SYNC_MS = 2 * 60 * 1000, OUTPUT_MS = 20 * 1000 };

struct link *
ask_link(struct job *job)
{
	struct link *link = link_find(job->fleet, job->host);

	if (link == NULL || link->state != LINK_OPEN) {
		job_fail_later(
		    job, "connection", _("the host is not connected"));
		return NULL;
	}
	return link;
}

void
ask_send(struct job *job, struct link *link, const struct bytes *fields,
    size_t count)
{
	job_place(job, &link->jobs, link->hand);
	if (link->hand->seam != NULL)
		hand_send(link->hand, job->type, job->host, job->id, -1, fields,
		    count);
}

static void
send_anywhere(struct job *job, const struct bytes *fields, size_t count)
{
	struct hand *hand = hands_for_job(job->fleet);

	if (hand == NULL) {
		job_fail_later(job, "connection", _("no worker process runs"));
		return;
	}
	job_place(job, &hand->jobs, hand);
	hand_send(hand, job->type, 0, job->id, -1, fields, count);
}

void
fleet_describe(
    struct fleet *fleet, const char *module, fleet_done *done, void *arg)
{
	struct job *job =
	    job_new(fleet, SEAM_DESCRIBE, -1, SEAM_DESCRIBE_MS, done, arg);
	struct bytes field = bytes_of(module);

	job->module = xstrdup(module);
	send_anywhere(job, &field, 1);
}

void
real_eval(struct fleet *fleet, struct bytes expressions, struct bytes data,
    int64_t timeout_ms, fleet_done *done, void *arg)
{
	struct job *job = job_new(fleet, SEAM_EVAL, -1, timeout_ms, done, arg);
	struct number deadline;
	struct bytes fields[] = {
	    expressions, data, number_field(&deadline, timeout_ms)};

	send_anywhere(job, fields, 3);
}

void
real_probe(struct fleet *fleet, int host, const char *module,
    struct bytes params, struct bytes data, int64_t timeout_ms,
    fleet_done *done, void *arg)
{
	struct job *job =
	    job_new(fleet, SEAM_PROBE, host, timeout_ms, done, arg);
	struct link *link = ask_link(job);
	const char *refused;
	struct number deadline;
	struct bytes fields[] = {bytes_of(module), params, data,
	    number_field(&deadline, timeout_ms)};

	if (link == NULL)
		return;
	job->module = xstrdup(module);
	refused = fault_refuses(link, module);
	if (refused != NULL) {
		job_fail_later(job, "module", refused);
		return;
	}
	ask_send(job, link, fields, 4);
}

void
real_settle(struct fleet *fleet, int host, const char *xid, const char *life,
    fleet_done *done, void *arg)
{
	struct job *job =
	    job_new(fleet, SEAM_SETTLE, host, SEAM_SETTLE_MS, done, arg);
	struct link *link = ask_link(job);
	struct bytes fields[] = {bytes_of(xid), bytes_of(life)};

	if (link == NULL)
		return;
	job->xid = xstrdup(xid);
	ask_send(job, link, fields, 2);
}

void
real_stop(struct fleet *fleet, int host, const char *xid, int64_t grace_ms)
{
	struct link *link = link_find(fleet, host);
	struct number grace;
	struct bytes fields[] = {bytes_of(xid), number_field(&grace, grace_ms)};

	if (link != NULL && link->state == LINK_OPEN &&
	    link->hand->seam != NULL)
		hand_send(link->hand, SEAM_STOP, host, 0, -1, fields, 2);
}

void
real_output(struct fleet *fleet, int host, const char *xid, int stream,
    int64_t offset, fleet_done *done, void *arg)
{
	struct job *job =
	    job_new(fleet, SEAM_OUTPUT, host, OUTPUT_MS, done, arg);
	struct link *link = ask_link(job);
	struct number numbers[3];
	struct bytes fields[] = {bytes_of(xid),
	    number_field(&numbers[0], stream),
	    number_field(&numbers[1], offset),
	    number_field(&numbers[2], OUTPUT_MS)};

	if (link != NULL)
		ask_send(job, link, fields, 4);
}

void
real_sync(struct fleet *fleet, int host, fleet_done *done, void *arg)
{
	struct job *job = job_new(fleet, SEAM_SYNC, host, SYNC_MS, done, arg);
	struct link *link = ask_link(job);
	struct number deadline;
	struct bytes field = number_field(&deadline, SYNC_MS);

	if (link != NULL)
		ask_send(job, link, &field, 1);
}
