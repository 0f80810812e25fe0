/*
 * Simulated hosts: what each is, and what will befall it, drawn from the seed
 * when it is made; so that it does not depend on who asks when.
 */
#include "fleet/sim_inside.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t
sim_random(struct sim_host *host)
{
	uint64_t z = (host->random += 0x9e3779b97f4a7c15u); /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

bool
sim_chance(struct sim_host *host, double percent)
{
	return (double)(sim_random(host) >> 11) * 0x1p-53 * 100 < percent;
}

int64_t
sim_about(struct sim_host *host, int64_t ms)
{
	/* as often half as double */
	int64_t out = sim_random(host) % 2 == 0
			  ? ms - (int64_t)(sim_random(host) % 1000) * ms / 2000
			  : ms + (int64_t)(sim_random(host) % 1000) * ms / 1000;

	return out > 0 ? out : 1;
}

bool
sim_up(const struct sim_host *host)
{
	return loop_now_ms(host->sim->o.loop) >= host->down_until;
}

void
sim_life(const struct sim_host *host, char out[LIFE_SIZE])
{
	snprintf(out, LIFE_SIZE, "boot%d-%d spool", host->index, host->life);
}

double
sim_uptime(const struct sim_host *host, int64_t at_ms)
{
	return (double)(at_ms - host->boot_ms) / 1000;
}

bool
sim_strikes(struct sim_host *host, enum sim_fault fault)
{
	if (!host->sim->begun || host->strikes[fault] != host->launches)
		return false;
	if (sim_chance(host, host->sim->o.rates.again))
		host->strikes[fault] +=
		    1 + (int)(sim_random(host) % (uint64_t)2);
	return true;
}

/* Which of its launches the fault strikes: one of the way there. */
static int
fate_launch(struct sim_host *host, double percent)
{
	int scripts = 3 * host->sim->o.guards;

	for (int id = 1; id <= host->sim->o.last_step; id++)
		scripts += host->sim->o.steps[id].puts_back == 0;
	/* drawn also where it does not strike: the others stay as they are */
	return sim_chance(host, percent)
		   ? 1 + (int)(sim_random(host) % (uint64_t)scripts)
		   : (int)(sim_random(host) % 1);
}

static void
host_fate(struct sim_host *host)
{
	const struct sim_rates *rates = &host->sim->o.rates;
	const double strikes[FAULT_COUNT] = {
	    [FAULT_FAIL] = rates->fail,
	    [FAULT_HANG] = rates->hang,
	    [FAULT_LATE] = rates->late,
	    [FAULT_LOSE] = rates->lose,
	    [FAULT_REBOOT] = rates->reboot,
	    [FAULT_GONE] = rates->gone,
	    [FAULT_OTHERS] = rates->others,
	};

	for (int fault = 0; fault < FAULT_COUNT; fault++)
		host->strikes[fault] = fate_launch(host, strikes[fault]);
	if (sim_chance(host, rates->unreachable))
		host->down_until = INT64_MAX;
	host->drifts = sim_chance(host, rates->drift);
	host->bad_before = sim_chance(host, rates->before);
	host->bad_after = sim_chance(host, rates->after);
	host->bad_soak = sim_chance(host, rates->soak);
	host->stuck = sim_chance(host, rates->stuck);
	host->flaky = sim_chance(host, rates->flaky);
	host->odd_probes = sim_chance(host, rates->probe);
	host->bad_disk = sim_chance(host, rates->disk);
	host->cuts = host->sim->o.guards > 0 && sim_chance(host, rates->cut);
	host->soak_fails_ms = 1000 + (int64_t)(sim_random(host) % 600000);
	host->warm_ms = host->sim->o.times.warm_ms > 0
			    ? sim_about(host, host->sim->o.times.warm_ms)
			    : 0;
}

static void
host_make(struct sim *sim, int index)
{
	struct sim_host *host = &sim->hosts[index];
	size_t ids = (size_t)sim->o.last_step + 1;

	host->sim = sim;
	host->index = index;
	host->random = sim->o.seed * 1000003u + (uint64_t)index;
	(void)sim_random(host);
	host->boot_ms = -(int64_t)(sim_random(host) % 100000000);
	host->life = 1;
	host->steps = arena_array(sim->arena, struct sim_is, ids);
	host->handled =
	    arena_alloc(sim->arena, ids * (size_t)(sim->handlers + 1));
	host->handled_at =
	    arena_array(sim->arena, int64_t, (size_t)sim->handlers + 1);
	for (int id = 1; id <= sim->o.last_step; id++) {
		const struct sim_step *step = &sim->o.steps[id];
		struct sim_is *is = &host->steps[id];
		bool met = sim_chance(host, sim->o.met);

		is->skip = step->when && sim_chance(host, sim->o.skip);
		is->first =
		    (met && !step->handler && !step->unprobed &&
			step->puts_back == 0 && step->around == SIM_STEP) ||
			    step->around == SIM_LEAVE
			? 'a'
			: 'b';
		is->world = is->first;
	}
	for (int slot = 0; slot < sim->handlers; slot++) {
		host->handled_at[slot] = host->boot_ms;
		for (size_t id = 1; id < ids; id++)
			host->handled[(size_t)slot * ids + id] =
			    host->steps[id].world;
	}
}

struct sim *
sim_new(const struct sim_options *options)
{
	struct arena *arena = arena_new();
	struct sim *sim = arena_new_of(arena, struct sim);
	size_t size;

	sim->o = *options;
	sim->arena = arena;
	sim->slots = arena_array(arena, int, (size_t)options->last_step + 1);
	for (int id = 1; id <= options->last_step; id++)
		if (options->steps[id].handler)
			sim->slots[id] = sim->handlers++;
	sim->count = options->hosts + options->places;
	for (size = 64; size < (size_t)sim->count * 4;)
		size *= 2;
	sim->claims = arena_array(arena, struct sim_claim *, size);
	sim->claim_mask = size - 1;
	sim->hosts =
	    arena_array(arena, struct sim_host, (size_t)sim->count + 1);
	for (int i = 0; i < sim->count; i++)
		host_make(sim, i);
	return sim;
}

void
sim_free(struct sim *sim)
{
	if (sim == NULL)
		return;
	for (int i = 0; i < sim->count; i++) {
		loop_timer_stop(sim->hosts[i].others);
		sim_guard_free(&sim->hosts[i]);
		if (sim->hosts[i].running != NULL)
			loop_timer_stop(sim->hosts[i].running->timer);
	}
	arena_free(sim->arena);
}

/* Somebody had a hand in one of its steps since the preview. */
static void
host_drift(struct sim_host *host)
{
	int last = host->sim->o.last_step;
	int from = (int)(sim_random(host) % (uint64_t)last);

	for (int i = 0; i < last; i++) {
		int id = 1 + (from + i) % last;
		const struct sim_step *step = &host->sim->o.steps[id];
		struct sim_is *is = &host->steps[id];

		if (step->handler || step->unprobed || step->puts_back != 0 ||
		    step->around != SIM_STEP)
			continue;
		is->world = is->first = is->first == 'a' ? 'b' : 'x';
		return;
	}
}

void
sim_begin(struct sim *sim)
{
	sim->begun = true;
	for (int i = 0; i < sim->count; i++) {
		host_fate(&sim->hosts[i]);
		if (sim->hosts[i].drifts)
			host_drift(&sim->hosts[i]);
	}
}

void
sim_wake(struct sim *sim, int host)
{
	sim->hosts[host].down_until = 0;
}

char
sim_what(const struct sim *sim, int host, int step)
{
	return sim->hosts[host].steps[step].world;
}

char
sim_what_before(const struct sim *sim, int host, int step)
{
	return sim->hosts[host].steps[step].first;
}

bool
sim_handled(const struct sim *sim, int host, int handler, int step)
{
	const struct sim_host *h = &sim->hosts[host];
	size_t row =
	    (size_t)sim->slots[handler] * ((size_t)sim->o.last_step + 1);

	return h->handled[row + (size_t)step] == h->steps[step].world;
}

bool
sim_touched_by_others(const struct sim *sim, int host, int step)
{
	return sim->hosts[host].steps[step].others;
}

/* A host that the change breaks is whole again without it. */
bool
sim_healthy(const struct sim *sim, int host)
{
	const struct sim_host *h = &sim->hosts[host];
	int64_t quiet_ms = loop_now_ms(sim->o.loop) - h->quiet_from;
	bool changed = false;

	for (int id = 1; id <= sim->o.last_step; id++)
		changed =
		    changed || (sim->o.steps[id].puts_back == 0 &&
				   h->steps[id].world != 'x' &&
				   h->steps[id].world != h->steps[id].first);
	if (h->bad_before)
		return false;
	if (changed &&
	    (h->bad_after || (h->bad_soak && quiet_ms >= h->soak_fails_ms)))
		return false;
	return h->quiet_from == 0 || quiet_ms >= h->warm_ms;
}
