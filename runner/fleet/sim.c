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

enum {
	DIAL_MS = 10000,    /* until a host that is not there is given up */
	NOTICED_MS = 45000, /* until a silent peer is noticed, at the most */
	SYNC_TIMES = 3,
};

enum job_kind {
	JOB_PROBE,
	JOB_LAUNCH,
	JOB_SETTLE,
	JOB_OUTPUT,
	JOB_SYNC,
	JOB_CHECK
};

struct sim_job {
	TAILQ_ENTRY(sim_job) next;
	struct sim_link *link;
	enum job_kind kind;
	fleet_done *done;
	void *arg;
	int64_t timeout_ms;
	char *params, *data; /* PROBE */
	char xid[XID_SIZE], life[LIFE_SIZE];
	struct bytes script; /* LAUNCH */
	int64_t offset;	     /* OUTPUT */
	struct sim_claim *claim;
	struct loop_timer *timer;
	bool gone; /* the host, while it runs */
};
TAILQ_HEAD(sim_jobs, sim_job);

enum sim_link_state { SIM_IDLE, SIM_OPENING, SIM_OPEN };

struct sim_link {
	struct hands *hands;
	struct sim_host *host;
	enum sim_link_state state;
	struct sim_jobs jobs;
	/* of the connect, or of the loss that is not noticed yet */
	struct loop_timer *timer;
	bool broken;
	fleet_done *done;
	void *arg;
};

/* Of jobs that no connection is needed for. */
struct sim_late {
	LIST_ENTRY(sim_late) next;
	struct loop_timer *timer;
	struct answer answer;
	char *json;
	fleet_done *done;
	void *arg;
};

struct hands {
	struct fleet_door door;
	struct sim *sim;
	struct sim_link *links;
	LIST_HEAD(, sim_late) late;
};

static struct hands *
hands_of(struct fleet *fleet)
{
	return (struct hands *)fleet;
}

static struct answer
answer_of(enum answer_kind kind, const char *why, const char *text)
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

static struct sim_late *
answer_late(struct hands *hands, struct answer answer, int64_t after_ms,
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

/* ---- jobs ---- */

static void job_begin(struct sim_link *link);

static void
job_free(struct sim_job *job)
{
	TAILQ_REMOVE(&job->link->jobs, job, next);
	loop_timer_stop(job->timer);
	if (job->claim != NULL && job->claim->waiter == job)
		job->claim->waiter = NULL;
	free(job->params);
	free(job->data);
	free((char *)job->script.data);
	free(job);
}

/* Answer, and let the next one into the shell; done may end the connection,
 * and open another. */
static void
job_answer(struct sim_job *job, const struct answer *answer)
{
	struct sim_link *link = job->link;
	fleet_done *done = job->done;
	void *arg = job->arg;

	job_free(job);
	done(arg, answer);
	job_begin(link);
}

/* All jobs answer; the link is closed already. */
static void
jobs_fail(struct sim_link *link, bool now)
{
	struct answer answer =
	    answer_of(ANSWER_FAILED, "connection", _("the connection is lost"));
	struct sim_jobs jobs = TAILQ_HEAD_INITIALIZER(jobs);
	struct sim_job *job;

	while ((job = TAILQ_FIRST(&link->jobs)) != NULL) {
		fleet_done *done = job->done;
		void *arg = job->arg;

		job_free(job);
		if (now)
			done(arg, &answer);
		else
			(void)answer_late(link->hands, answer, 0, done, arg);
	}
}

static void
link_lost(void *arg)
{
	struct sim_link *link = arg;

	link->timer = NULL;
	link->broken = false;
	link->state = SIM_IDLE;
	jobs_fail(link, true);
}

/* The connection is dead; noticed now, or when nothing is heard for long. */
static void
link_break(struct sim_link *link, bool silent)
{
	int64_t after_ms = silent ? sim_about(link->host, NOTICED_MS / 2) : 0;

	if (link->broken || link->state != SIM_OPEN)
		return;
	link->broken = true;
	link->timer = loop_timer_start(
	    link->hands->sim->o.loop, after_ms, link_lost, link);
}

static void
job_said(struct sim_job *job)
{
	struct sim_host *host = job->link->host;
	struct arena *arena = arena_new();
	struct answer answer = answer_of(ANSWER_VERDICT, "", "");
	struct sim_claim *claim;
	char life[LIFE_SIZE];

	sim_life(host, life);
	switch (job->kind) {
	case JOB_PROBE:
		sim_say_probe(host, job->params, job->data, arena, &answer);
		break;
	case JOB_CHECK:
		sim_say_check(host, &answer);
		break;
	case JOB_SYNC:
		answer.verdict = VERDICT_DONE;
		answer.rc = host->sim->begun && host->bad_disk ? 1 : 0;
		break;
	case JOB_OUTPUT:
		sim_say_more(&answer, job->xid, job->offset);
		break;
	case JOB_SETTLE:
		if (strcmp(job->life, life) != 0) {
			answer.verdict = VERDICT_OTHERLIFE;
			break;
		}
		claim = sim_claim_of(host, job->xid);
		if (claim == NULL)
			claim = sim_claim_start(host, job->xid, bytes_of(""));
		sim_say_claim(claim, arena, &answer);
		break;
	case JOB_LAUNCH:
		sim_say_claim(job->claim, arena, &answer);
		break;
	}
	job_answer(job, &answer);
	arena_free(arena);
}

static void
job_over(void *arg)
{
	struct sim_job *job = arg;
	struct sim_host *host = job->link->host;
	struct answer late;

	job->timer = NULL;
	if (!sim_up(host)) {
		link_break(job->link, true);
		return;
	}
	if (job->kind == JOB_OUTPUT && sim_chance(host, 5)) {
		link_break(job->link, sim_chance(host, 50));
		return;
	}
	/* a probe that hangs takes the connection with it */
	if ((job->kind == JOB_PROBE || job->kind == JOB_OUTPUT) &&
	    host->sim->begun && host->odd_probes && sim_chance(host, 10)) {
		struct sim_link *link = job->link;

		late =
		    answer_of(ANSWER_FAILED, "deadline", "no answer within 2m");
		link->state = SIM_IDLE;
		job_answer(job, &late);
		if (link->state == SIM_IDLE)
			jobs_fail(link, true);
		return;
	}
	job_said(job);
}

/* ---- launches ---- */

/* The answer of a launch is lost; what it launched goes on. */
static void
launch_loses(void *arg)
{
	struct sim_job *job = arg;

	job->timer = NULL;
	link_break(job->link, false);
}

static void
launch_crashes(void *arg)
{
	struct sim_job *job = arg;
	struct sim_host *host = job->link->host;
	struct sim_link *link = job->link;

	job->timer = NULL;
	sim_claim_crash(job->claim,
	    job->gone ? INT64_MAX
		      : sim_about(host, host->sim->o.times.reboot_ms));
	link_break(link, true);
}

/* Its deadline passed: it is told to stop, and answered. */
static void
launch_late(void *arg)
{
	struct sim_job *job = arg;
	struct answer late =
	    answer_of(ANSWER_FAILED, "deadline", "no answer within 2m");

	job->timer = NULL;
	sim_claim_stop(job->claim);
	job_answer(job, &late);
}

void
sim_job_ended(struct sim_job *job)
{
	loop_timer_stop(job->timer);
	job->timer = loop_timer_start(job->link->hands->sim->o.loop,
	    sim_about(job->link->host, job->link->host->sim->o.times.round_ms),
	    job_over, job);
}

void
sim_job_cut(struct sim_job *job)
{
	link_break(job->link, false);
}

static void
launch_begin(struct sim_job *job)
{
	struct sim_host *host = job->link->host;
	struct sim *sim = host->sim;
	struct answer other = answer_of(ANSWER_VERDICT, "", "");
	char life[LIFE_SIZE];
	bool loses, gone;

	job->claim = sim_claim_of(host, job->xid);
	sim_life(host, life);
	host->launches++;
	if (strcmp(job->life, life) != 0) {
		other.verdict = VERDICT_OTHERLIFE;
		job_answer(job, &other);
		return;
	}
	/* by a dead-man, which knows what may come */
	if (job->claim != NULL && job->claim->state == CLAIM_SEALED) {
		sim_job_ended(job);
		return;
	}
	if (job->claim != NULL)
		bug("a key is launched twice on a simulated host: %s",
		    job->xid);
	loses = sim_strikes(host, FAULT_LOSE);
	gone = sim_strikes(host, FAULT_GONE);
	if (loses && sim_chance(host, 33)) { /* on the way there */
		link_break(job->link, sim_chance(host, 50));
		return;
	}
	job->claim = sim_claim_start(host, job->xid, job->script);
	job->claim->waiter = job;
	if (gone || sim_strikes(host, FAULT_REBOOT)) {
		job->gone = gone;
		job->timer = loop_timer_start(sim->o.loop,
		    sim_about(host, sim->o.times.step_ms / 2), launch_crashes,
		    job);
	} else if (loses) { /* in the middle, or behind its end */
		job->claim->waiter = NULL;
		job->timer = loop_timer_start(sim->o.loop,
		    sim_about(host, sim->o.times.step_ms), launch_loses, job);
	} else {
		job->timer = loop_timer_start(
		    sim->o.loop, job->timeout_ms, launch_late, job);
	}
}

/* ---- the shell of a host: one job after the other ---- */

static void
job_begin(struct sim_link *link)
{
	struct sim_job *job = TAILQ_FIRST(&link->jobs);
	struct sim_host *host = link->host;
	int64_t takes_ms = host->sim->o.times.round_ms;

	if (job == NULL || job->timer != NULL || link->state != SIM_OPEN ||
	    link->broken || (job->claim != NULL && job->claim->waiter == job))
		return;
	if (!sim_up(host)) {
		link_break(link, true);
		return;
	}
	if (job->kind == JOB_LAUNCH) {
		launch_begin(job);
		return;
	}
	if (job->kind == JOB_SYNC)
		takes_ms *= SYNC_TIMES;
	job->timer = loop_timer_start(
	    host->sim->o.loop, sim_about(host, takes_ms), job_over, job);
}

static struct sim_job *
job_new(struct fleet *fleet, int host, enum job_kind kind, fleet_done *done,
    void *arg)
{
	struct hands *hands = hands_of(fleet);
	struct sim_link *link = &hands->links[host];
	struct sim_job *job;

	if (link->state != SIM_OPEN) {
		(void)answer_late(hands,
		    answer_of(ANSWER_FAILED, "connection",
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
	job_begin(job->link);
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
	job_begin(job->link);
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
	job_begin(job->link);
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
	job_begin(job->link);
}

static void
do_sync(struct fleet *fleet, int host, fleet_done *done, void *arg)
{
	struct sim_job *job = job_new(fleet, host, JOB_SYNC, done, arg);

	if (job != NULL)
		job_begin(job->link);
}

static void
do_check(struct fleet *fleet, int host, const char *kind, struct bytes spec,
    int64_t timeout_ms, fleet_done *done, void *arg)
{
	struct sim_job *job = job_new(fleet, host, JOB_CHECK, done, arg);

	if (job != NULL)
		job_begin(job->link);
}

/* Every expression is worth itself; a condition holds. */
static void
do_eval(struct fleet *fleet, struct bytes expressions, struct bytes data,
    int64_t timeout_ms, fleet_done *done, void *arg)
{
	struct answer answer = answer_of(ANSWER_VALUE, "", "");
	struct sim_late *late =
	    answer_late(hands_of(fleet), answer, 0, done, arg);

	late->json = copy_of(expressions);
	late->answer.json = (struct bytes){late->json, expressions.len};
}

static void
link_opened(void *arg)
{
	struct sim_link *link = arg;
	struct sim_host *host = link->host;
	struct answer answer = answer_of(ANSWER_OPENED, "", "");
	char life[LIFE_SIZE], uptime[32];

	link->timer = NULL;
	if (host->sim->begun && (!sim_up(host) || sim_guard_cut(host) ||
				    (host->flaky && sim_chance(host, 50)))) {
		link->state = SIM_IDLE;
		answer = answer_of(
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
		(void)answer_late(hands,
		    answer_of(ANSWER_CLOSED, "asked", _("disconnected")), 0,
		    link->done, link->arg);
	jobs_fail(link, false);
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
			job_free(TAILQ_FIRST(&link->jobs));
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
