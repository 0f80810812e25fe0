/*
 * What must hold in every simulated rollout, whatever happens: looked at as a
 * record is appended, and at the end. Counts by itself what the fold counts.
 * covers: P3, P4, P5, P7
 */
#ifndef HOSHU_TEST_ROLLOUT_SIM_RULES_H
#define HOSHU_TEST_ROLLOUT_SIM_RULES_H

#include "rollout_sim.h"

static bool
rules_active(const struct sim *sim, size_t host)
{
	enum host_state state = sim->fold.parts[host].state;

	return state == HOST_STARTED || state == HOST_BACK;
}

/* Failed, unknown and stuck hosts keep their place. */
static bool
rules_holds(const struct sim *sim, size_t host)
{
	enum host_state state = sim->fold.parts[host].state;

	return rules_active(sim, host) || state == HOST_FAILED ||
	       state == HOST_LOST || state == HOST_STUCK;
}

static bool
rules_same_rack(const struct sim *sim, size_t a, size_t b)
{
	const struct change_host *hosts = sim->change->hosts;

	return strcmp(json_get_text(hosts[a].vars, "rack", ""),
		   json_get_text(hosts[b].vars, "rack", "")) == 0;
}

static int
rules_count(const struct sim *sim,
    bool (*is)(const struct sim *sim, size_t host), int wave, int like)
{
	int count = 0;

	for (size_t h = 0; h < sim->change->host_count; h++)
		count += is(sim, h) &&
			 (wave == 0 || sim->change->parts[h].wave == wave) &&
			 (like < 0 || rules_same_rack(sim, h, (size_t)like));
	return count;
}

static int
rules_limit(const struct sim *sim, const struct limit *limit)
{
	int hosts = (int)sim->change->host_count;

	if (!limit->set)
		return 1;
	if (!limit->percent)
		return limit->amount;
	return hosts * limit->amount / 100 > 1 ? hosts * limit->amount / 100
					       : 1;
}

static bool
rules_limit_reached(const struct sim *sim)
{
	int failed = 0, unreachable = 0, excluded = 0;

	for (size_t h = 0; h < sim->change->host_count; h++) {
		failed += sim->hosts[h].ever_failed;
		unreachable += sim->hosts[h].ever_unreachable;
		excluded += sim->hosts[h].ever_excluded;
	}
	return failed >= rules_limit(sim, &sim->plan->failed) ||
	       unreachable >= rules_limit(sim, &sim->plan->unreachable) ||
	       excluded >= rules_limit(sim, &sim->plan->excluded);
}

/* ---- P7: what starts, and how many ---- */

static void
rules_in_flight(const struct sim *sim, int host)
{
	int wave = sim->change->parts[host].wave;
	int at_once = sim->change->waves[wave - 1].at_once;

	if (rules_count(sim, rules_active, 0, -1) > sim->bound)
		sim_fail(
		    sim, "more in flight than the bound of %d", sim->bound);
	if (rules_count(sim, rules_active, wave, -1) > at_once)
		sim_fail(sim, "more in flight than at_once %d", at_once);
	for (size_t s = 0; s < sim->plan->spread_count; s++)
		if (rules_count(sim, rules_active, 0, host) >
		    sim->plan->spreads[s].most)
			sim_fail(sim, "two of a rack in flight");
}

static void
rules_host_started(const struct sim *sim, int host)
{
	int wave = sim->change->parts[host].wave;

	if (sim->limit_seen || sim->back_seen || rules_limit_reached(sim))
		sim_fail(sim, "a host starts after the stop rule");
	if (sim->fold.waves[wave] != WAVE_STARTED)
		sim_fail(sim, "a host starts, its wave has not or is over");
	if (rules_count(sim, rules_holds, 0, -1) >
	    sim->change->waves[wave - 1].at_once)
		sim_fail(sim, "a place of at_once was not kept");
	for (size_t s = 0; s < sim->plan->spread_count; s++)
		if (rules_count(sim, rules_holds, 0, host) >
		    sim->plan->spreads[s].most)
			sim_fail(sim, "a place of spread was not kept");
	rules_in_flight(sim, host);
}

static void
rules_wave(const struct sim *sim, enum record_kind kind, int wave)
{
	const struct change_wave *w = &sim->change->waves[wave - 1];

	if (sim->limit_seen || sim->back_seen)
		sim_fail(sim, "a wave moves after the stop rule");
	for (int before = 1; before < wave; before++)
		if (sim->fold.waves[before] != WAVE_ENDED)
			sim_fail(sim, "wave %d before %d ended", wave, before);
	if (rules_count(sim, rules_active, 0, -1) > 0)
		sim_fail(sim, "wave %d moves with a host in flight", wave);
	for (size_t i = 0; kind != RECORD_WAVE_STARTED && i < w->count; i++)
		if (sim->fold.parts[w->parts[i]].state == HOST_WAITING)
			sim_fail(sim, "wave %d forgets a host", wave);
	if (kind == RECORD_WAVE_ENDED &&
	    sim->now_ms < sim->fold.soak_from_ms + w->soak_ms)
		sim_fail(sim, "wave %d ends before its soak", wave);
}

/* ---- P5: the way back ---- */

static bool
rules_has_acted(const struct sim *sim, const struct sim_host *host)
{
	for (int id = 1; id <= sim->plan->last_id; id++)
		if (host->steps[id].ran)
			return true;
	return false;
}

/* Must this host have gone back when the change has? */
static bool
rules_goes_back(const struct sim *sim, size_t host)
{
	int wave = sim->change->parts[host].wave;

	return rules_has_acted(sim, &sim->hosts[host]) &&
	       (sim->scope != BACK_WAVE ||
		   (sim->fold.waves[wave] != WAVE_WAITING &&
		       sim->fold.waves[wave] != WAVE_ENDED));
}

/* The host was was, and goes back now. */
static void
rules_host_back(const struct sim *sim, int host, enum host_state was)
{
	if (was == HOST_STARTED && !sim->back_seen)
		sim_fail(sim, "a host goes back from the middle");
	rules_in_flight(sim, host);
	if (sim->back_seen && was == HOST_DONE &&
	    !rules_goes_back(sim, (size_t)host))
		sim_fail(sim, "a host goes back that should stay");
	for (size_t h = 0; sim->back_seen && h < sim->change->host_count; h++) {
		enum host_state state = sim->fold.parts[h].state;
		int wave = sim->change->parts[h].wave;
		bool waits = state == HOST_FAILED || state == HOST_LOST ||
			     (state == HOST_DONE && rules_goes_back(sim, h));

		if (was == HOST_STARTED || (int)h == host)
			continue;
		if (wave > sim->change->parts[host].wave &&
		    sim->scope == BACK_CHANGE &&
		    (waits || rules_active(sim, h)))
			sim_fail(
			    sim, "an earlier wave goes back before a later");
		if (wave == sim->change->parts[host].wave && was == HOST_DONE &&
		    sim->plan->spread_count == 0 &&
		    (state == HOST_FAILED || state == HOST_LOST))
			sim_fail(sim, "a done host before a half-done one");
	}
}

/* The way back pauses when it reaches its limit, never before. */
static void
rules_back_limit(const struct sim *sim)
{
	const struct limit *unreverted = &sim->plan->unreverted;
	int stuck = 0, hosts = (int)sim->change->host_count;
	int limit = unreverted->set ? rules_limit(sim, unreverted)
		    : hosts < 6	    ? 2
				    : hosts / 2;

	for (size_t h = 0; h < sim->change->host_count; h++)
		stuck += sim->fold.parts[h].state == HOST_STUCK;
	if (stuck < limit)
		sim_fail(sim, "the way back pauses with %d stuck", stuck);
}

/* P4, P5: "reverted" means that every step that ran is as it was, but for
 * those kept, and that every handler has run for what is there now. */
static void
rules_reverted(const struct sim *sim, int host)
{
	const struct sim_host *h = &sim->hosts[host];
	const struct part_fold *fold = &sim->fold.parts[host];

	for (int id = 1; id <= sim->plan->last_id; id++) {
		const struct step *step = sim->plan->by_id[id];
		const struct sim_step *is = &h->steps[id];

		if (step->of_rollback || !is->ran)
			continue;
		for (size_t i = 0; i < step->notify_count; i++)
			if (fold->steps[id].undo == UNDO_DONE &&
			    h->steps[step->notify[i]].loaded[id] != is->world)
				sim_fail(sim,
				    "step %d is undone, handler %d does not "
				    "know",
				    id, step->notify[i]);
		if (step->handler || fold->steps[id].undo == UNDO_KEPT)
			continue;
		if (fold->steps[id].undo != UNDO_DONE)
			sim_fail(sim, "reverted, but step %d is not", id);
		if (is->world != is->first)
			sim_fail(sim, "reverted, but step %d left a trace", id);
	}
}

static void
rules_done(const struct sim *sim, int host)
{
	for (int id = 1; id <= sim->plan->last_id; id++) {
		const struct step *step = sim->plan->by_id[id];
		const struct step_fold *fold = &sim->fold.parts[host].steps[id];
		const struct sim_step *is = &sim->hosts[host].steps[id];

		if (step->of_rollback)
			continue;
		if (fold->state == STEP_FAILED || fold->state == STEP_UNKNOWN ||
		    fold->state == STEP_OPEN)
			sim_fail(sim, "done with step %d %s", id,
			    step_state_word(fold->state));
		if (fold->state == STEP_WAITING && !step->handler)
			sim_fail(sim, "done without step %d", id);
		if (!is->skip && !step->handler && !is->touched_by_others &&
		    is->world != 'a')
			sim_fail(sim, "done, but step %d is not", id);
		for (size_t i = 0; i < step->notify_count; i++)
			if (fold->state == STEP_DONE &&
			    !is->touched_by_others &&
			    sim->hosts[host]
				    .steps[step->notify[i]]
				    .loaded[id] != is->world)
				sim_fail(sim,
				    "done, but handler %d did not run",
				    step->notify[i]);
	}
}

/* ---- P3, P4: intents and outcomes ---- */

/* Backwards, then the handlers: other must be behind us. */
static void
rules_undone_before(const struct sim *sim, int host, int id, int other)
{
	const struct step *step = sim->plan->by_id[other];

	if (step->handler || step->of_rollback ||
	    !sim->hosts[host].steps[other].ran)
		return;
	if (sim->fold.parts[host].steps[other].undo == UNDO_WAITING)
		sim_fail(sim, "%d goes back before %d", id, other);
}

static void
rules_intent(const struct sim *sim, enum record_kind kind, int host, int id)
{
	bool back = sim->fold.parts[host].state == HOST_BACK;
	const struct step *step = sim->plan->by_id[id];

	if (sim->hosts[host].open != 0)
		sim_fail(sim, "a launch while a ticket is open");
	if (!rules_active(sim, (size_t)host))
		sim_fail(sim, "a launch on a host that is not in flight");
	if (kind == RECORD_UNDO_INTENT && !back)
		sim_fail(sim, "an undo on the way there");
	if (kind == RECORD_STEP_INTENT && back != step->of_rollback)
		sim_fail(sim, "a step in the wrong direction");
	for (int later = id + 1; back && later <= sim->plan->last_id; later++)
		rules_undone_before(sim, host, id, later);
	for (int other = 1; step->handler && back && other < id; other++)
		rules_undone_before(sim, host, id, other);
}

static void
rules_outcome(const struct sim *sim, enum record_kind kind, int host, int id)
{
	const struct sim_host *h = &sim->hosts[host];
	bool sealed = kind == RECORD_STEP_SEALED || kind == RECORD_UNDO_SEALED;

	if (h->open == 0) {
		if (kind != RECORD_STEP_DONE && kind != RECORD_UNDO_DONE)
			sim_fail(sim, "an outcome without an intent");
		return;
	}
	if (h->open != id)
		sim_fail(sim, "an outcome of another step than the open one");
	if (sealed != (h->truth == SIM_NEVER) && kind != RECORD_STEP_UNKNOWN &&
	    kind != RECORD_UNDO_UNKNOWN && h->steps[id].world != 'a' &&
	    kind != RECORD_UNDO_DONE)
		sim_fail(sim, "a lie: %s of what %s", record_kind_word(kind),
		    h->truth == SIM_NEVER ? "never ran" : "ran");
}

/* ---- the end ---- */

static int
rules_status(const struct sim *sim)
{
	int count[16] = {0}, unknown;

	for (size_t h = 0; h < sim->change->host_count; h++) {
		const struct part_fold *host = &sim->fold.parts[h];
		enum host_state state = host->state;

		for (int id = 1; id <= sim->plan->last_id; id++)
			if (state == HOST_FAILED &&
			    host->steps[id].state == STEP_UNKNOWN)
				state = HOST_LOST;
		if (state == HOST_REVERTED && !host->touched &&
		    !host->host->failed)
			state = HOST_WAITING; /* there was nothing to revert */
		count[state]++;
	}
	unknown = count[HOST_LOST] + count[HOST_STUCK] + count[HOST_STARTED] +
		  count[HOST_BACK];
	if (unknown > 0)
		return 8;
	if (count[HOST_FAILED] > 0)
		return 6;
	if (count[HOST_REVERTED] > 0)
		return 7;
	if (sim->limit_seen)
		return 6;
	return count[HOST_DONE] == (int)sim->change->host_count ? 0 : 9;
}

static void
rules_end(const struct sim *sim, const struct gate_result *result)
{
	if (result->status != rules_status(sim))
		sim_fail(sim, "status %d, should be %d", result->status,
		    rules_status(sim));
	if (result->done + result->failed + result->reverted + result->unknown +
		result->left !=
	    (int)sim->change->host_count)
		sim_fail(sim, "the result forgets a host");
	if (sim->trouble == 0 && result->status != 0)
		sim_fail(sim, "nothing failed, but it is %s", result->word);
	for (size_t h = 0; h < sim->change->host_count; h++) {
		enum host_state state = sim->fold.parts[h].state;

		if (rules_active(sim, h))
			sim_fail(sim, "the end, with a host in flight");
		if (sim->back_seen && rules_goes_back(sim, h) &&
		    state != HOST_REVERTED && state != HOST_STUCK &&
		    state != HOST_LOST)
			sim_fail(sim, "the change went back, not host %s: %s",
			    sim->change->hosts[h].name, host_state_word(state));
		if (result->status == 7 && sim->hosts[h].ever_failed &&
		    state != HOST_REVERTED)
			sim_fail(sim, "reverted, but host %s failed",
			    sim->change->hosts[h].name);
	}
}

#endif
