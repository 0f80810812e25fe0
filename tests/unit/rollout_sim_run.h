/*
 * A rollout without I/O: asks the gate, advances the hosts in a random order,
 * and now and then forgets all that it knows but the records. The twin of
 * rollout/run.c.
 */
#ifndef HOSHU_TEST_ROLLOUT_SIM_RUN_H
#define HOSHU_TEST_ROLLOUT_SIM_RUN_H

#include "rollout_sim_host.h"

/* Somebody else changes, or puts back, what a step did. */
static void
sim_tamper(struct sim *sim)
{
	int host = sim_pick(sim, (int)sim->change->host_count);
	int id = 1 + sim_pick(sim, sim->plan->last_id);
	const struct step_fold *fold = &sim->fold.parts[host].steps[id];
	struct sim_step *step = &sim->hosts[host].steps[id];

	if (fold->state != STEP_DONE || fold->undo != UNDO_WAITING ||
	    sim->hosts[host].open != 0 || sim->plan->by_id[id]->handler ||
	    sim->plan->by_id[id]->of_rollback || step->unprobed)
		return;
	step->touched_by_others = true;
	step->world = sim_chance(sim, 50) ? 'x' : step->first;
}

/* In a soak a host that is done may fail its checks, or be gone. */
static void
sim_soak(struct sim *sim, int wave)
{
	const struct change_wave *w = &sim->change->waves[wave - 1];

	for (size_t i = 0; i < w->count; i++)
		if (sim->fold.parts[w->parts[i]].state == HOST_DONE &&
		    sim_bad(sim, 4))
			sim_host_end(sim, w->parts[i],
			    sim_chance(sim, 70) ? RECORD_HOST_FAILED
						: RECORD_HOST_LOST);
}

/* A run begins; who was away may be there again. */
static void
sim_start(struct sim *sim)
{
	sim->epoch++;
	sim_record(sim, RECORD_RUN_STARTED, -1, 0, "");
	for (size_t h = 0; h < sim->change->host_count; h++)
		if (sim->hosts[h].dead && sim_chance(sim, 30))
			sim->hosts[h].dead = false;
}

/* The coordinator dies; the next one knows what was recorded. */
static void
sim_crash(struct sim *sim)
{
	struct change_fold again;
	struct err err = ERR_INIT;

	place_fold(sim->arena, sim->change, &again);
	for (size_t i = 0; i < sim->count; i++)
		if (sim_fold(sim, &again, &sim->log[i], (int64_t)i, &err) < 0)
			sim_fail(sim, "not folded again: %s", err.text);
	for (size_t h = 0; h < again.part_count; h++) {
		const struct part_fold *a = &again.parts[h];
		const struct part_fold *b = &sim->fold.parts[h];

		if (a->state != b->state || a->touched != b->touched ||
		    memcmp(a->steps, b->steps,
			sizeof(*a->steps) * (size_t)(again.step_count + 1)) !=
			0)
			sim_fail(sim, "folded again it is not the same");
		sim->hosts[h].now = (struct host_now){0};
		sim->hosts[h].launched = false;
	}
	sim->fold = again;
	sim_start(sim);
}

/* All that the gate says, until it waits or ends. */
static void
sim_gate(struct sim *sim, struct gate *gate)
{
	for (int turns = 0;; turns++) {
		if (turns > 1000)
			sim_fail(sim, "the gate goes round and round");
		gate_decide(sim->change, &sim->fold,
		    (struct gate_now){sim->now_ms, sim->now_ms}, gate);
		switch (gate->kind) {
		case GATE_WAIT:
		case GATE_PAUSED:
		case GATE_END:
			return;
		case GATE_START_WAVE:
			sim_record(
			    sim, RECORD_WAVE_STARTED, -1, gate->wave, "");
			break;
		case GATE_START_HOST:
			sim_record(sim, RECORD_HOST_STARTED, gate->part, 0, "");
			break;
		case GATE_SOAK:
			sim_record(
			    sim, RECORD_WAVE_SOAKING, -1, gate->wave, "");
			break;
		case GATE_END_WAVE:
			sim_record(sim, RECORD_WAVE_ENDED, -1, gate->wave, "");
			break;
		case GATE_LIMIT:
			sim_record(sim, RECORD_LIMIT, -1, 0, "");
			break;
		case GATE_BACK:
			sim_record(sim, RECORD_BACK_STARTED, -1, 0, "");
			break;
		case GATE_BACK_HOST:
			sim_record(sim, RECORD_HOST_BACK, gate->part, 0, "");
			break;
		case GATE_BACK_LIMIT:
			rules_back_limit(sim);
			sim_record(sim, RECORD_BACK_LIMIT, -1, 0, "");
			break;
		case GATE_ASK:
		case GATE_AWAIT:
		case GATE_UNANSWERED: /* these plans ask nobody */
			sim_fail(sim, "it asks somebody");
		case GATE_HOLD: /* a person looks, and goes on */
			if (sim->holds++ > (int)sim->change->host_count)
				sim_fail(sim, "it pauses again and again");
			sim_start(sim);
			break;
		}
	}
}

/* One turn: false at the end. */
static bool
sim_turn(struct sim *sim)
{
	int active[SIM_HOSTS], count = 0;
	struct gate gate;

	sim_gate(sim, &gate);
	if (gate.kind == GATE_END)
		return false;
	for (size_t h = 0; h < sim->change->host_count; h++)
		if (rules_active(sim, h))
			active[count++] = (int)h;
	if (count == 0 && gate.until_ms <= sim->now_ms)
		sim_fail(sim, "waits for nothing");
	if (gate.until_ms > 0 && sim_chance(sim, 30))
		sim_soak(sim, gate.wave);
	else if (count == 0)
		sim->now_ms += 1 + sim_pick(sim, 5000);
	else
		sim_host_advance(sim, active[sim_pick(sim, count)]);
	sim->now_ms += sim_pick(sim, 100);
	if (sim_bad(sim, 1))
		sim_tamper(sim);
	if (sim_bad(sim, 1) && sim_chance(sim, 40))
		sim_crash(sim);
	return true;
}

static int
sim_whole_run(struct sim *sim, uint64_t seed, bool trace)
{
	struct gate_result result;
	int turns = 0, most;

	sim_make(sim, seed);
	sim->trace = trace;
	if (trace)
		print_message("# the plan:\n%s", sim->text);
	most = 2000 + 300 * (int)sim->change->host_count;
	sim_start(sim);
	while (sim_turn(sim))
		if (++turns > most)
			sim_fail(sim, "no end after %d turns", turns);
	gate_result(&sim->fold, &result);
	rules_end(sim, &result);
	return result.status;
}

/* SEED=N replays one, record by record; SEEDS=N sets how many. */
static void
a_simulated_fleet_keeps_every_promise(void **state)
{
	const char *seed = getenv("SEED"), *seeds = getenv("SEEDS");
	const char *preload = getenv("LD_PRELOAD");
	struct sim *sim = xcalloc(1, sizeof(*sim));
	int64_t kinds[RECORD_KIND_COUNT] = {0}, records = 0;
	int status[16] = {0}, count = 25000;

#ifdef __SANITIZE_ADDRESS__
	count = 4000;
#endif
	if (preload != NULL && strstr(preload, "vgpreload") != NULL)
		count = 200; /* under valgrind */
	if (seeds != NULL)
		count = atoi(seeds);
	if (seed != NULL)
		count = 1;
	for (int i = 1; i <= count; i++) {
		uint64_t number =
		    seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)i;

		status[sim_whole_run(sim, number, seed != NULL)]++;
		for (size_t r = 0; r < sim->count; r++)
			kinds[sim->log[r].kind]++;
		records += (int64_t)sim->count;
		arena_free(sim->arena);
	}
	free(sim);
	print_message("# %d fleets, %lld records: %d done, %d failed, %d "
		      "reverted, %d unknown, %d left over\n",
	    count, (long long)records, status[0], status[6], status[7],
	    status[8], status[9]);
	if (count < 4000)
		return;
	/* it went where it should */
	for (int i = 6; i <= 9; i++)
		assert_true(status[i] > count / 100);
	assert_true(status[0] > count / 10);
	for (int kind = RECORD_WAVE_STARTED; kind <= RECORD_BACK_STARTED;
	     kind++)
		if (kind != RECORD_CHECK && kinds[kind] < 20)
			fail_msg("hardly any %s",
			    record_kind_word((enum record_kind)kind));
}

#endif
