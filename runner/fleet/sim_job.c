/*
 * Jobs on a simulated host, one after the other in its shell: how each comes
 * to its answer, or to the end of its connection.
 */
#include "fleet/sim_inside.h"
#include "base/i18n.h"

#include <stdlib.h>
#include <string.h>

enum {
	NOTICED_MS = 45000, /* until a silent peer is noticed, at the most */
	SYNC_TIMES = 3,
};

void
sim_job_free(struct sim_job *job)
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

	sim_job_free(job);
	done(arg, answer);
	sim_job_begin(link);
}

void
sim_jobs_fail(struct sim_link *link, bool now)
{
	struct answer answer = sim_answer_of(
	    ANSWER_FAILED, "connection", _("the connection is lost"));
	struct sim_jobs jobs = TAILQ_HEAD_INITIALIZER(jobs);
	struct sim_job *job;

	while ((job = TAILQ_FIRST(&link->jobs)) != NULL) {
		fleet_done *done = job->done;
		void *arg = job->arg;

		sim_job_free(job);
		if (now)
			done(arg, &answer);
		else
			(void)sim_answer_late(
			    link->hands, answer, 0, done, arg);
	}
}

static void
link_lost(void *arg)
{
	struct sim_link *link = arg;

	link->timer = NULL;
	link->broken = false;
	link->state = SIM_IDLE;
	sim_jobs_fail(link, true);
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
	struct answer answer = sim_answer_of(ANSWER_VERDICT, "", "");
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

/* A probe that hangs takes the connection with it. */
static void
job_hangs(struct sim_job *job)
{
	struct sim_link *link = job->link;
	const struct sim *sim = link->host->sim;
	struct answer late =
	    sim_answer_of(ANSWER_FAILED, "deadline", "no answer within 2m");
	struct sim_event event = {
	    .kind = SIM_HUNG, .host = link->host->index, .of = -1, .xid = ""};

	if (sim->o.watch != NULL && job->kind == JOB_PROBE)
		sim->o.watch(sim->o.arg, &event);
	link->state = SIM_IDLE;
	job_answer(job, &late);
	if (link->state == SIM_IDLE)
		sim_jobs_fail(link, true);
}

static void
job_over(void *arg)
{
	struct sim_job *job = arg;
	struct sim_host *host = job->link->host;

	job->timer = NULL;
	if (!sim_up(host)) {
		link_break(job->link, true);
		return;
	}
	if (job->kind == JOB_OUTPUT && sim_chance(host, 5)) {
		link_break(job->link, sim_chance(host, 50));
		return;
	}
	if ((job->kind == JOB_PROBE || job->kind == JOB_OUTPUT) &&
	    host->sim->begun && host->odd_probes && sim_chance(host, 10)) {
		job_hangs(job);
		return;
	}
	job_said(job);
}

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
	    sim_answer_of(ANSWER_FAILED, "deadline", "no answer within 2m");

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
	struct answer other = sim_answer_of(ANSWER_VERDICT, "", "");
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

void
sim_job_begin(struct sim_link *link)
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
