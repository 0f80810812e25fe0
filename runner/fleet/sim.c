/*
 * The hands of one coordinator on simulated hosts: connections that open,
 * break and are told of late; jobs that wait for one another in a host's
 * shell. What the hosts are stands in sim_world.c.
 */
#include "fleet/sim_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "journal/journal.h"

enum { DIAL_MS = 10000 }; /* until a host that is not there is given up */

static struct hands *
hands_of(struct fleet *fleet)
{
	return (struct hands *)fleet;
}

struct answer
sim_answer_of(enum answer_kind kind, const char *why, const char *text)
{
	struct bytes none = bytes_of("");

	return (struct answer){.kind = kind,
	    .why = why,
	    .text = text,
	    .file = "",
	    .fingerprint = "",
	    .life = "",
	    .uid = "0",
	    .readonly = "enforced",
	    .gaps = "",
	    .timings = "",
	    .uptime = "",
	    .json = none,
	    .out = none,
	    .errors = none,
	    .value = ""};
}

/* ---- answers in the next turn ---- */

static void
late_free(struct sim_late *late)
{
	LIST_REMOVE(late, next);
	loop_timer_stop(late->timer);
	free(late->json);
	free(late);
}

static void
late_say(void *arg)
{
	struct sim_late *late = arg;

	late->timer = NULL;
	late->done(late->arg, &late->answer);
	late_free(late);
}

struct sim_late *
sim_answer_late(struct hands *hands, struct answer answer, int64_t after_ms,
    fleet_done *done, void *arg)
{
	struct sim_late *late = xcalloc(1, sizeof(*late));

	late->answer = answer;
	late->done = done;
	late->arg = arg;
	LIST_INSERT_HEAD(&hands->late, late, next);
	late->timer =
	    loop_timer_start(hands->sim->o.loop, after_ms, late_say, late);
	return late;
}

static struct sim_job *
job_new(struct fleet *fleet, int host, enum job_kind kind, fleet_done *done,
    void *arg)
{
	struct hands *hands = hands_of(fleet);
	struct sim_link *link = &hands->links[host];
	struct sim_job *job;

	if (link->state != SIM_OPEN) {
		(void)sim_answer_late(hands,
		    sim_answer_of(ANSWER_FAILED, "connection",
			_("the host is not connected")),
		    0, done, arg);
		return NULL;
	}
	job = xcalloc(1, sizeof(*job));
	job->link = link;
	job->kind = kind;
	job->done = done;
	job->arg = arg;
	TAILQ_INSERT_TAIL(&link->jobs, job, next);
	return job;
}

static char *
copy_of(struct bytes bytes)
{
	char *copy = xcalloc(1, bytes.len + 1);

	memcpy(copy, bytes.data, bytes.len);
	return copy;
}

/* ---- the operations ---- */

static void
do_probe(struct fleet *fleet, int host, const char *module, struct bytes params,
    struct bytes data, int64_t timeout_ms, fleet_done *done, void *arg)
{
	struct sim_job *job = job_new(fleet, host, JOB_PROBE, done, arg);

	if (job == NULL)
		return;
	job->params = copy_of(params);
	job->data = copy_of(data);
	sim_job_begin(job->link);
}

static void
do_launch(struct fleet *fleet, int host, const struct ticket *ticket,
    struct bytes script, int64_t timeout_ms, fleet_done *done, void *arg)
{
	struct sim_job *job = job_new(fleet, host, JOB_LAUNCH, done, arg);

	if (job == NULL)
		return;
	snprintf(job->xid, sizeof(job->xid), "%s", ticket_xid(ticket));
	snprintf(job->life, sizeof(job->life), "%s", ticket_life(ticket));
	job->script = (struct bytes){copy_of(script), script.len};
	job->timeout_ms = timeout_ms;
	sim_job_begin(job->link);
}

static void
do_settle(struct fleet *fleet, int host, const char *xid, const char *life,
    fleet_done *done, void *arg)
{
	struct sim_job *job = job_new(fleet, host, JOB_SETTLE, done, arg);

	if (job == NULL)
		return;
	snprintf(job->xid, sizeof(job->xid), "%s", xid);
	snprintf(job->life, sizeof(job->life), "%s", life);
	sim_job_begin(job->link);
}

static void
do_stop(struct fleet *fleet, int host, const char *xid, int64_t grace_ms)
{
	struct sim_link *link = &hands_of(fleet)->links[host];
	struct sim_claim *claim;

	if (link->state != SIM_OPEN || link->broken || !sim_up(link->host))
		return;
	claim = sim_claim_of(link->host, xid);
	if (claim != NULL)
		sim_claim_stop(claim);
}

static void
do_output(struct fleet *fleet, int host, const char *xid, int stream,
    int64_t offset, fleet_done *done, void *arg)
{
	struct sim_job *job = job_new(fleet, host, JOB_OUTPUT, done, arg);

	(void)stream; /* they print on one only */
	if (job == NULL)
		return;
	job->offset = offset;
	snprintf(job->xid, sizeof(job->xid), "%s", xid);
	sim_job_begin(job->link);
}

static void
do_sync(struct fleet *fleet, int host, fleet_done *done, void *arg)
{
	struct sim_job *job = job_new(fleet, host, JOB_SYNC, done, arg);

	if (job != NULL)
		sim_job_begin(job->link);
}

static void
do_check(struct fleet *fleet, int host, const char *kind, struct bytes spec,
    int64_t timeout_ms, fleet_done *done, void *arg)
{
	struct sim_job *job = job_new(fleet, host, JOB_CHECK, done, arg);

	if (job != NULL)
		sim_job_begin(job->link);
}

/* Every expression is worth itself; a condition holds. */
static void
do_eval(struct fleet *fleet, struct bytes expressions, struct bytes data,
    int64_t timeout_ms, fleet_done *done, void *arg)
{
	struct answer answer = sim_answer_of(ANSWER_VALUE, "", "");
	struct sim_late *late =
	    sim_answer_late(hands_of(fleet), answer, 0, done, arg);

	late->json = copy_of(expressions);
	late->answer.json = (struct bytes){late->json, expressions.len};
}

static void
link_opened(void *arg)
{
	struct sim_link *link = arg;
	struct sim_host *host = link->host;
	struct answer answer = sim_answer_of(ANSWER_OPENED, "", "");
	char life[LIFE_SIZE], uptime[32];

	link->timer = NULL;
	if (host->sim->begun && (!sim_up(host) || sim_guard_cut(host) ||
				    (host->flaky && sim_chance(host, 50)))) {
		link->state = SIM_IDLE;
		answer = sim_answer_of(
		    ANSWER_CLOSED, "network", N_("simulated: no answer"));
	} else {
		link->state = SIM_OPEN;
		sim_life(host, life);
		snprintf(uptime, sizeof(uptime), "%.3f",
		    sim_uptime(host, loop_now_ms(host->sim->o.loop)));
		answer.life = life;
		answer.uptime = uptime;
	}
	link->done(link->arg, &answer);
}

static void
do_connect(struct fleet *fleet, int host, const struct fleet_host *how,
    enum fleet_shell shell, fleet_done *done, void *arg)
{
	struct sim_link *link = &hands_of(fleet)->links[host];
	struct sim *sim = link->host->sim;

	if (link->state != SIM_IDLE)
		bug("fleet_connect: host %d is connected already", host);
	link->state = SIM_OPENING;
	link->done = done;
	link->arg = arg;
	link->timer = loop_timer_start(sim->o.loop,
	    sim->begun && !sim_up(link->host)
		? DIAL_MS
		: sim_about(link->host, sim->o.times.connect_ms),
	    link_opened, link);
}

static void
do_disconnect(struct fleet *fleet, int host)
{
	struct hands *hands = hands_of(fleet);
	struct sim_link *link = &hands->links[host];
	bool opening = link->state == SIM_OPENING;

	loop_timer_stop(link->timer);
	link->timer = NULL;
	link->broken = false;
	link->state = SIM_IDLE;
	if (opening)
		(void)sim_answer_late(hands,
		    sim_answer_of(ANSWER_CLOSED, "asked", _("disconnected")), 0,
		    link->done, link->arg);
	sim_jobs_fail(link, false);
}

static bool
do_connected(const struct fleet *fleet, int host)
{
	return ((const struct hands *)fleet)->links[host].state == SIM_OPEN;
}

static void
do_close(struct fleet *fleet)
{
	struct hands *hands = hands_of(fleet);

	for (int i = 0; i < hands->sim->count; i++) {
		struct sim_link *link = &hands->links[i];

		loop_timer_stop(link->timer);
		while (!TAILQ_EMPTY(&link->jobs))
			sim_job_free(TAILQ_FIRST(&link->jobs));
	}
	while (!LIST_EMPTY(&hands->late))
		late_free(LIST_FIRST(&hands->late));
	free(hands->links);
	free(hands);
}

static const struct fleet_ops sim_ops = {
    .close = do_close,
    .eval = do_eval,
    .connect = do_connect,
    .disconnect = do_disconnect,
    .connected = do_connected,
    .probe = do_probe,
    .launch = do_launch,
    .settle = do_settle,
    .stop = do_stop,
    .output = do_output,
    .sync = do_sync,
    .check = do_check,
};

struct fleet *
sim_fleet(struct sim *sim)
{
	struct hands *hands = xcalloc(1, sizeof(*hands));

	hands->door.ops = &sim_ops;
	hands->sim = sim;
	hands->links = xcalloc((size_t)sim->count + 1, sizeof(*hands->links));
	for (int i = 0; i < sim->count; i++) {
		hands->links[i].hands = hands;
		hands->links[i].host = &sim->hosts[i];
		TAILQ_INIT(&hands->links[i].jobs);
	}
	LIST_INIT(&hands->late);
	return (struct fleet *)hands;
}
