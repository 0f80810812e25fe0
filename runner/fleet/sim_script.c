/*
 * Scripts on simulated hosts: claimed once under a key, they run on whether
 * anybody waits for them or not; and what they leave behind.
 */
#include "base/text.h"
#include "fleet/sim_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_MS = 500, LATE_TIMES = 20 };

static struct sim_claim **
claim_slot(const struct sim *sim, const char *xid)
{
	return &sim->claims[text_hash(xid) & sim->claim_mask];
}

struct sim_claim *
sim_claim_of(const struct sim_host *host, const char *xid)
{
	struct sim_claim *claim = *claim_slot(host->sim, xid);

	while (claim != NULL &&
	       (claim->host != host || claim->life != host->life ||
		   strcmp(claim->xid, xid) != 0))
		claim = claim->next;
	return claim;
}

static void
claim_event(const struct sim_claim *claim, enum sim_event_kind kind)
{
	const struct sim *sim = claim->host->sim;
	struct sim_event event = {kind, claim->host->index,
	    claim->of != NULL ? claim->of->index : -1, claim->step, claim->undo,
	    claim->xid, claim->rc, NULL};

	if (sim->o.watch != NULL)
		sim->o.watch(sim->o.arg, &event);
}

/* ---- what a script leaves behind ---- */

void
sim_handler_ran(struct sim_host *host, int id)
{
	const struct sim *sim = host->sim;
	size_t ids = (size_t)sim->o.last_step + 1;
	size_t slot = (size_t)sim->slots[id];

	host->handled_at[slot] = loop_now_ms(sim->o.loop);
	for (size_t step = 1; step < ids; step++)
		host->handled[slot * ids + step] = host->steps[step].world;
}

/* Somebody else puts back, or changes, what a step did. */
static void
others_act(void *arg)
{
	struct sim_host *host = arg;
	struct sim_is *is = &host->steps[host->others_step];

	host->others = NULL;
	if (is->world != 'a' || host->running != NULL)
		return;
	is->world = sim_chance(host, 50) ? 'x' : is->first;
	is->others = true;
}

static void
others_come(struct sim_host *host, int id)
{
	const struct sim_step *step = &host->sim->o.steps[id];

	if (host->others != NULL || step->unprobed || step->puts_back != 0 ||
	    step->around != SIM_STEP)
		return;
	host->others_step = id;
	host->others = loop_timer_start(host->sim->o.loop,
	    (int64_t)(sim_random(host) % 60000), others_act, host);
}

/* What enters is not left any more, and the other way. */
static void
around_ran(struct sim_host *host, const struct sim_step *step)
{
	const struct sim *sim = host->sim;

	for (int id = 1; id <= sim->o.last_step; id++)
		if (sim->o.steps[id].phase == step->phase &&
		    sim->o.steps[id].around != SIM_STEP &&
		    sim->o.steps[id].around != step->around)
			host->steps[id].world = 'b';
}

static void
claim_effect(struct sim_claim *claim, bool whole)
{
	struct sim_host *host = claim->of;
	const struct sim_step *step = &host->sim->o.steps[claim->step];
	struct sim_is *is = &host->steps[claim->step];
	const char worlds[3] = {'h', is->world, claim->to};

	if (step->handler) {
		if (whole || sim_chance(host, 50))
			sim_handler_ran(host, claim->step);
		return;
	}
	if (!whole)
		is->world = worlds[sim_random(host) % 3];
	else if (claim->undo && host->stuck && !step->unprobed)
		is->world = 'x';
	else
		is->world = claim->to;
	if (step->around != SIM_STEP && is->world == 'a')
		around_ran(host, step);
	/* what nobody could find out is not simulated */
	if (step->puts_back > 0 && is->world == 'a' &&
	    (!host->stuck || host->sim->o.steps[step->puts_back].unprobed))
		host->steps[step->puts_back].world =
		    host->steps[step->puts_back].first;
}

/* ---- its end ---- */

static void
claim_end(struct sim_claim *claim, enum claim_state state, int rc, bool well)
{
	struct sim_host *host = claim->host;
	struct sim_job *waiter = claim->waiter;

	loop_timer_stop(claim->timer);
	claim->timer = NULL;
	claim->waiter = NULL;
	claim->state = state;
	claim->rc = rc;
	claim->ended = loop_now_ms(host->sim->o.loop);
	host->running = NULL;
	host->quiet_from = claim->of->quiet_from = claim->ended;
	if (claim->word != SIM_NO_GUARD) {
		if (!well)
			sim_guard_half(claim);
	} else {
		claim_effect(claim, well);
		if (well && !claim->undo && sim_strikes(host, FAULT_OTHERS))
			others_come(claim->of, claim->step);
	}
	claim_event(claim, well || state == CLAIM_DONE ? SIM_RAN : SIM_KILLED);
	if (waiter != NULL)
		sim_job_ended(waiter);
}

static void claim_over(void *arg);

/* Its last word is the host's restart. */
static void
claim_reboots(struct sim_claim *claim)
{
	struct sim_host *host = claim->host;
	struct sim_job *waiter = claim->waiter;

	claim->waiter = NULL;
	claim_end(claim, CLAIM_LOST, 0, true);
	sim_claim_crash(claim, sim_about(host, host->sim->o.times.reboot_ms));
	if (waiter != NULL)
		sim_job_cut(waiter);
}

/* What it is told, it may take some time to do. */
static void
claim_told(struct sim_claim *claim)
{
	int64_t wait_ms = claim->half ? 0 : sim_guard_waits(claim);

	if (wait_ms > 0)
		claim->timer = loop_timer_start(
		    claim->host->sim->o.loop, wait_ms, claim_over, claim);
	else
		claim_end(claim, CLAIM_DONE,
		    claim->half ? 1 : sim_guard_tell(claim), !claim->half);
}

static void
claim_over(void *arg)
{
	struct sim_claim *claim = arg;

	claim->timer = NULL;
	if (claim->word != SIM_NO_GUARD)
		claim_told(claim);
	else if (!claim->half && claim->host->sim->o.steps[claim->step].reboots)
		claim_reboots(claim);
	else
		claim_end(claim, CLAIM_DONE, claim->half ? 1 : 0, !claim->half);
}

static void
claim_killed(void *arg)
{
	struct sim_claim *claim = arg;

	claim->timer = NULL;
	/* TERM was heard, or it took a KILL */
	if (sim_chance(claim->host, 70))
		claim_end(claim, CLAIM_DONE, 143, false);
	else
		claim_end(claim, CLAIM_LOST, 0, false);
}

void
sim_claim_stop(struct sim_claim *claim)
{
	if (claim->state != CLAIM_RUNNING)
		return;
	loop_timer_stop(claim->timer);
	claim->timer = loop_timer_start(
	    claim->host->sim->o.loop, SIM_KILL_MS, claim_killed, claim);
}

void
sim_claim_crash(struct sim_claim *claim, int64_t down_ms)
{
	struct sim_host *host = claim->host;
	int64_t now_ms = loop_now_ms(host->sim->o.loop);
	size_t ids = (size_t)host->sim->o.last_step + 1;

	claim->waiter = NULL;
	if (claim->state == CLAIM_RUNNING)
		claim_end(claim, CLAIM_LOST, 0, false);
	host->down_until = down_ms == INT64_MAX ? INT64_MAX : now_ms + down_ms;
	host->life++;
	host->boot_ms = now_ms + (down_ms == INT64_MAX ? 0 : down_ms / 2);
	sim_guard_crash(host, host->down_until);
	/* what starts with the host starts as things are */
	for (int id = 1; id <= host->sim->o.last_step; id++)
		if (host->sim->o.steps[id].handler) {
			size_t slot = (size_t)host->sim->slots[id];

			host->handled_at[slot] = host->boot_ms + 1000;
			for (size_t step = 1; step < ids; step++)
				host->handled[slot * ids + step] =
				    host->steps[step].world;
		}
}

/* ---- its beginning ---- */

static void
claim_read(struct sim_claim *claim, struct bytes script)
{
	struct sim *sim = claim->host->sim;
	char text[48];
	int step = 0, of = 0;

	claim->to = 'a';
	if (sim_guard_read(claim, script))
		return;
	snprintf(text, sizeof(text), "%.*s", (int)script.len,
	    (const char *)script.data);
	if (sscanf(text, "undo %d %d %c", &step, &of, &claim->to) == 3)
		claim->undo = true;
	else if (sscanf(text, "apply %d %d", &step, &of) != 2 &&
		 sscanf(text, "handle %d %d", &step, &of) != 2)
		bug("a simulated host was given the script '%s'", text);
	claim->step = step;
	claim->of = &sim->hosts[of];
}

struct sim_claim *
sim_claim_start(struct sim_host *host, const char *xid, struct bytes script)
{
	struct sim *sim = host->sim;
	struct sim_claim *claim = arena_new_of(sim->arena, struct sim_claim);
	struct sim_claim **slot = claim_slot(sim, xid);
	int64_t takes_ms = sim_about(host, sim->o.times.step_ms);

	claim->host = host;
	claim->life = host->life;
	snprintf(claim->xid, sizeof(claim->xid), "%s", xid);
	claim->next = *slot;
	*slot = claim;
	if (script.len == 0) {
		claim->state = CLAIM_SEALED;
		claim_event(claim, SIM_SEALED);
		return claim;
	}
	claim_read(claim, script);
	if (claim->word != SIM_NO_GUARD)
		takes_ms = sim_about(host, GUARD_MS);
	else if (!claim->undo)
		sim_guard_launched(claim->of, claim->step);
	claim->state = CLAIM_RUNNING;
	host->running = claim;
	claim->began = loop_now_ms(sim->o.loop);
	claim->half = sim_strikes(host, FAULT_FAIL);
	if (sim_strikes(host, FAULT_LATE))
		takes_ms *= LATE_TIMES;
	claim_event(claim, SIM_CLAIMED);
	if (!sim_strikes(host, FAULT_HANG))
		claim->timer =
		    loop_timer_start(sim->o.loop, takes_ms, claim_over, claim);
	return claim;
}
