/*
 * A driver without I/O: does what gate and machine say to the simulated hosts,
 * one step of one host at a time in a random order, and now and then forgets
 * all that it knows but the records. The twin of rollout/run.c and its files.
 */
#ifndef HOSHU_TEST_ROLLOUT_SIM_RUN_H
#define HOSHU_TEST_ROLLOUT_SIM_RUN_H

#include "rollout_sim_rules.h"

enum { SIM_CONNECTS_MAX = 4 };

/* ---- records ---- */

static int
sim_fold(const struct sim *sim, struct change_fold *fold,
    const struct sim_record *from, int64_t number, struct err *err)
{
	struct record record = {.number = number,
	    .change = 1,
	    .epoch = 1,
	    .host = from->host < 0 ? ""
				   : sim->change->hosts[from->host].name,
	    .step = from->step,
	    .xid = "xid",
	    .life = "life",
	    .kind = from->kind,
	    .actor = "hoshu",
	    .wall_ms = from->wall_ms,
	    .body = from->body};

	return fold_record(fold, &record, err);
}

/* Own notes beside the fold's, for the rules. */
static void
sim_note(struct sim *sim, enum record_kind kind, int host, int step)
{
	struct sim_host *h = host >= 0 ? &sim->hosts[host] : NULL;

	if (record_kind_is_intent(kind))
		h->open = step;
	else if (h != NULL && step > 0 && h->open == step)
		h->open = 0;
	if (kind == RECORD_HOST_FAILED || kind == RECORD_HOST_LOST)
		h->ever_failed = true;
	if (kind == RECORD_HOST_UNREACHABLE || kind == RECORD_HOST_LOST)
		h->ever_unreachable = true;
	if (kind == RECORD_HOST_EXCLUDED)
		h->ever_excluded = true;
	if (kind == RECORD_LIMIT)
		sim->limit_seen = true;
	if (kind == RECORD_BACK_STARTED) {
		sim->back_seen = true;
		sim->scope = sim->limit_seen && sim->plan->limit != BACK_HOST
		    ? sim->plan->limit
		    : sim->plan->host_failed;
	}
}

static void
sim_record(struct sim *sim, enum record_kind kind, int host, int step,
    const char *body)
{
	struct sim_record *record =
	    arena_push(sim->arena, sim->log, sim->count, sim->cap);
	enum host_state was =
	    host >= 0 ? sim->fold.hosts[host].state : HOST_WAITING;
	struct err err = ERR_INIT;

	*record = (struct sim_record){kind, host, step, sim->now_ms,
	    body[0] == '{' ? arena_strdup(sim->arena, body) : "{}"};
	if (sim->trace)
		sim_say(sim, record);
	if (kind == RECORD_WAVE_STARTED || kind == RECORD_WAVE_SOAKING ||
	    kind == RECORD_WAVE_ENDED)
		rules_wave(sim, kind, step);
	if (record_kind_is_intent(kind))
		rules_intent(sim, kind, host, step);
	if (record_kind_is_outcome(kind) && host >= 0)
		rules_outcome(sim, kind, host, step);
	if (kind == RECORD_LIMIT && !rules_limit_reached(sim))
		sim_fail(sim, "the stop rule without a reason");
	if (sim_fold(sim, &sim->fold, record, (int64_t)sim->count - 1, &err) <
	    0)
		sim_fail(sim, "refused: %s", err.text);
	if (kind == RECORD_HOST_STARTED)
		rules_host_started(sim, host);
	if (kind == RECORD_HOST_BACK)
		rules_host_back(sim, host, was);
	if (kind == RECORD_HOST_REVERTED)
		rules_reverted(sim, host);
	if (kind == RECORD_HOST_DONE)
		rules_done(sim, host);
	sim_note(sim, kind, host, step);
}

static void
sim_host_end(struct sim *sim, int host, enum record_kind kind)
{
	struct sim_host *h = &sim->hosts[host];

	sim_record(sim, kind, host, 0, "");
	h->now.synced = h->now.after_ok = false;
	h->connects = 0;
	if (kind != RECORD_HOST_FAILED && kind != RECORD_HOST_BACK)
		h->now.connected = false;
}

/* What a step's outcome says beside its kind. */
static const char *
sim_told(struct sim *sim, const struct sim_step *step, bool uptime)
{
	if (!uptime)
		return arena_printf(
		    sim->arena, "{\"seen\":\"%c\"}", step->world);
	return arena_printf(sim->arena,
	    "{\"seen\":\"%c\",\"uptime\":\"%lld.%02d\"}", step->world,
	    (long long)sim->now_ms / 1000, (int)(sim->now_ms % 1000) / 10);
}

/* ---- launches ---- */

static enum sim_truth
sim_choose(struct sim *sim)
{
	if (sim_bad(sim, 3))
		return SIM_NEVER;
	if (sim_bad(sim, 2))
		return SIM_KILLED;
	if (sim_bad(sim, 2))
		return SIM_OTHERLIFE;
	return sim_bad(sim, 8) ? SIM_FAILS : SIM_OK;
}

/* The last rollback step of a step puts back what the step did. */
static void
sim_roll_back(struct sim *sim, struct sim_host *h, int id)
{
	for (int of = 1; of <= sim->plan->last_id; of++) {
		const struct step *step = sim->plan->by_id[of];

		if (step->back_count > 0 &&
		    step->back_steps[step->back_count - 1].id == id &&
		    (h->steps[of].unprobed || !sim_bad(sim, 5)))
			h->steps[of].world = h->steps[of].first;
	}
}

static void
sim_run(struct sim *sim, struct sim_host *h, int id, bool undo)
{
	struct sim_step *step = &h->steps[id];
	bool well = h->truth == SIM_OK;
	char worlds[3] = {'h', step->first, 'a'};

	if (h->truth == SIM_NEVER)
		return;
	if (sim->plan->by_id[id]->handler) {
		if (well || sim_chance(sim, 50))
			sim_load(sim, h, id);
		step->ran = true;
		return;
	}
	step->ran = step->ran || !undo;
	if (!well)
		step->world = worlds[sim_pick(sim, 3)];
	else if (!undo)
		step->world = 'a';
	else
		step->world =
		    !step->unprobed && sim_bad(sim, 4) ? 'x' : step->first;
	if (!undo && sim->plan->by_id[id]->of_rollback && step->world == 'a')
		sim_roll_back(sim, h, id);
}

static void
sim_launch(struct sim *sim, int host, int id, bool undo)
{
	struct sim_host *h = &sim->hosts[host];
	const struct sim_step *step = &h->steps[id];
	char seen[2] = {step->unprobed ? '\0' : step->world, '\0'};

	sim_record(sim, undo ? RECORD_UNDO_INTENT : RECORD_STEP_INTENT, host,
	    id,
	    arena_printf(sim->arena,
		"{\"seen\":\"%s\",\"undo\":\"%s\",\"want\":\"a\"}", seen,
		step->without_undo ? "" : "u"));
	h->truth = sim_choose(sim);
	h->launched = true;
	sim_run(sim, h, id, undo);
}

static struct seen
sim_probe(struct sim *sim, const struct sim_host *h, int id)
{
	const struct sim_step *step = &h->steps[id];
	struct seen seen = {.have = !step->unprobed && !sim_bad(sim, 1)};
	bool same = sim->plan->by_id[id]->handler ? sim_is_loaded(sim, h, id)
						  : step->world == 'a';

	seen.verdict = same ? SEEN_SAME : SEEN_CHANGE;
	seen.seen[0] = step->world;
	return seen;
}

static void
sim_judge(struct sim *sim, int host, const struct outcome *outcome)
{
	struct sim_host *h = &sim->hosts[host];
	int id = h->open;
	const struct step_fold *fold = &sim->fold.hosts[host].steps[id];
	struct seen seen = sim_probe(sim, h, id);
	struct judgement judged;

	if (fold->undo != UNDO_OPEN)
		judge_step(outcome, &seen, &judged);
	else if (sim->plan->by_id[id]->handler)
		judge_handler_again(outcome, &seen, &judged);
	else
		judge_undo(outcome, &seen, fold->seen, &judged);
	h->now.synced = false;
	h->connects = 0;
	sim_record(sim, judged.kind, host, id,
	    sim_told(sim, &h->steps[id], outcome->known));
}

static void
sim_disconnect(struct sim_host *h)
{
	h->now.connected = false;
	h->launched = false;
	h->connects++;
}

static struct outcome
sim_outcome(enum sim_truth truth)
{
	static const struct outcome outcomes[] = {
	    [SIM_NEVER] = {true, VERDICT_SEALED, 0, false},
	    [SIM_OK] = {true, VERDICT_DONE, 0, false},
	    [SIM_FAILS] = {true, VERDICT_DONE, 1, false},
	    [SIM_KILLED] = {true, VERDICT_LOST, 0, true},
	    [SIM_OTHERLIFE] = {true, VERDICT_OTHERLIFE, 0, false},
	};

	return outcomes[truth];
}

/* The answer of a launch, or the end of its connection. */
static void
sim_answer(struct sim *sim, int host)
{
	struct sim_host *h = &sim->hosts[host];
	struct outcome outcome = sim_outcome(h->truth);

	if (h->truth == SIM_NEVER || h->truth == SIM_OTHERLIFE ||
	    sim_bad(sim, 5)) {
		sim_disconnect(h);
		return;
	}
	h->launched = false;
	sim_judge(sim, host, &outcome);
}

static void
sim_settle(struct sim *sim, int host)
{
	struct outcome outcome = sim_outcome(sim->hosts[host].truth);

	if (sim->hosts[host].truth != SIM_NEVER && sim_bad(sim, 3))
		outcome = (struct outcome){true, VERDICT_CLAIMED, 0, false};
	sim_judge(sim, host, &outcome);
}

/* ---- one act of one host ---- */

static void
sim_lost(struct sim *sim, int host)
{
	const struct host_fold *fold = &sim->fold.hosts[host];
	struct sim_host *h = &sim->hosts[host];

	if (!fold->touched) {
		sim_host_end(sim, host, RECORD_HOST_UNREACHABLE);
		return;
	}
	if (h->open != 0)
		sim_record(sim,
		    fold->steps[h->open].undo == UNDO_OPEN
			? RECORD_UNDO_UNKNOWN
			: RECORD_STEP_UNKNOWN,
		    host, h->open, "");
	sim_host_end(sim, host,
	    fold->state == HOST_BACK ? RECORD_HOST_STUCK : RECORD_HOST_LOST);
}

static void
sim_connect(struct sim *sim, int host)
{
	struct sim_host *h = &sim->hosts[host];

	if (!h->dead && !sim_chance(sim, h->flaky)) {
		h->now.connected = true;
		sim_record(sim, RECORD_HOST_OPENED, host, 0, "");
	} else if (!sim->fold.hosts[host].touched ||
	    ++h->connects >= SIM_CONNECTS_MAX) {
		sim_lost(sim, host);
	}
}

static void
sim_step_act(struct sim *sim, int host, int id)
{
	const struct step_fold *fold = &sim->fold.hosts[host].steps[id];
	struct sim_step *step = &sim->hosts[host].steps[id];
	bool handler = sim->plan->by_id[id]->handler;

	if (step->skip)
		sim_record(sim, RECORD_STEP_SKIPPED, host, id, "");
	else if (handler || step->unprobed || step->world != 'a')
		sim_launch(sim, host, id, false);
	else if (fold->attempts == 0)
		sim_record(sim, RECORD_STEP_SAME, host, id, "");
	else
		sim_record(sim, RECORD_STEP_DONE, host, id,
		    sim_told(sim, step, false));
}

static void
sim_undo_act(struct sim *sim, int host, int id)
{
	const struct step_fold *fold = &sim->fold.hosts[host].steps[id];
	struct sim_host *h = &sim->hosts[host];
	struct seen seen = sim_probe(sim, h, id);

	if (sim->plan->by_id[id]->handler) {
		sim_launch(sim, host, id, true);
		return;
	}
	switch (judge_undo_start(fold, &seen)) {
	case UNDO_START_GO:
		if (fold->undo_script[0] == '\0')
			sim_record(sim, RECORD_UNDO_STOPPED, host, id, "");
		else
			sim_launch(sim, host, id, true);
		break;
	case UNDO_START_BACK_ALREADY:
		sim_record(sim, RECORD_UNDO_DONE, host, id, "");
		break;
	case UNDO_START_CONFLICT:
		sim_record(sim, RECORD_UNDO_CONFLICT, host, id, "");
		break;
	}
}

static void
sim_prove_act(struct sim *sim, int host, int id)
{
	const struct step_fold *fold = &sim->fold.hosts[host].steps[id];

	sim_record(sim,
	    fold->seen[0] == '\0' ||
		    fold->seen[0] == sim->hosts[host].steps[id].world
		? RECORD_UNDO_DONE
		: RECORD_UNDO_CONFLICT,
	    host, id, "");
}

/* A check: passed, or the host ends. */
static void
sim_check(struct sim *sim, int host, bool *ok, int percent,
    enum record_kind otherwise)
{
	if (!sim_bad(sim, percent))
		*ok = true;
	else if (sim->fold.hosts[host].state == HOST_BACK)
		sim_host_end(sim, host, RECORD_HOST_STUCK);
	else
		sim_host_end(sim, host, otherwise);
}

static void
sim_act(struct sim *sim, int host, const struct act *act)
{
	struct sim_host *h = &sim->hosts[host];

	switch (act->kind) {
	case ACT_CONNECT:
		sim_connect(sim, host);
		return;
	case ACT_SETTLE:
		if (act->step != h->open)
			sim_fail(sim, "settles what is not open");
		sim_settle(sim, host);
		return;
	case ACT_CHECK_BEFORE:
		sim_check(sim, host, &h->now.before_ok, 4,
		    RECORD_HOST_EXCLUDED);
		return;
	case ACT_DRIFT:
		sim_check(
		    sim, host, &h->now.drift_ok, 3, RECORD_HOST_EXCLUDED);
		return;
	case ACT_STEP:
		sim_step_act(sim, host, act->step);
		return;
	case ACT_SYNC:
		sim_check(sim, host, &h->now.synced, 1, RECORD_HOST_FAILED);
		return;
	case ACT_CHECK_AFTER:
		sim_check(sim, host, &h->now.after_ok, 6, RECORD_HOST_FAILED);
		return;
	case ACT_DONE:
		sim_host_end(sim, host, RECORD_HOST_DONE);
		return;
	case ACT_FAIL:
		sim_host_end(sim, host, RECORD_HOST_FAILED);
		return;
	case ACT_UNDO:
		sim_undo_act(sim, host, act->step);
		return;
	case ACT_PROVE:
		sim_prove_act(sim, host, act->step);
		return;
	case ACT_KEEP:
		sim_record(sim, RECORD_UNDO_KEPT, host, act->step, "");
		return;
	case ACT_STOP:
		sim_record(sim, RECORD_UNDO_STOPPED, host, act->step, "");
		return;
	case ACT_REVERTED:
		sim_host_end(sim, host, RECORD_HOST_REVERTED);
		return;
	case ACT_STUCK:
		sim_host_end(sim, host, RECORD_HOST_STUCK);
		return;
	}
}

static void
sim_host_advance(struct sim *sim, int host)
{
	const struct host_fold *fold = &sim->fold.hosts[host];
	struct sim_host *h = &sim->hosts[host];
	struct act act;

	if (h->launched) {
		sim_answer(sim, host);
		return;
	}
	if (sim->fold.state == CHANGE_BACK && fold->state == HOST_STARTED) {
		sim_host_end(sim, host, RECORD_HOST_BACK);
		return;
	}
	if (sim_bad(sim, 1)) {
		sim_disconnect(h);
		return;
	}
	machine_next(sim->plan, fold, &h->now, fold->state == HOST_BACK, &act);
	sim_act(sim, host, &act);
}

/* ---- the change ---- */

/* Somebody else changes, or puts back, what a step did. */
static void
sim_tamper(struct sim *sim)
{
	int host = sim_pick(sim, (int)sim->change->host_count);
	int id = 1 + sim_pick(sim, sim->plan->last_id);
	const struct step_fold *fold = &sim->fold.hosts[host].steps[id];
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
		if (sim->fold.hosts[w->hosts[i]].state == HOST_DONE &&
		    sim_bad(sim, 4))
			sim_host_end(sim, w->hosts[i],
			    sim_chance(sim, 70) ? RECORD_HOST_FAILED
						: RECORD_HOST_LOST);
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
	for (size_t h = 0; h < again.host_count; h++) {
		const struct host_fold *a = &again.hosts[h];
		const struct host_fold *b = &sim->fold.hosts[h];

		if (a->state != b->state || a->touched != b->touched ||
		    memcmp(a->steps, b->steps,
			sizeof(*a->steps) * (size_t)(again.step_count + 1)) !=
			0)
			sim_fail(sim, "folded again it is not the same");
		sim->hosts[h].now = (struct host_now){0};
		sim->hosts[h].launched = false;
	}
	sim->fold = again;
	sim_record(sim, RECORD_RUN_STARTED, -1, 0, "");
}

/* All that the gate says, until it waits or ends. */
static void
sim_gate(struct sim *sim, struct gate *gate)
{
	for (int turns = 0;; turns++) {
		if (turns > 1000)
			sim_fail(sim, "the gate goes round and round");
		gate_decide(sim->change, &sim->fold, sim->now_ms, gate);
		switch (gate->kind) {
		case GATE_WAIT:
		case GATE_END:
			return;
		case GATE_START_WAVE:
			sim_record(
			    sim, RECORD_WAVE_STARTED, -1, gate->wave, "");
			break;
		case GATE_START_HOST:
			sim_record(
			    sim, RECORD_HOST_STARTED, gate->host, 0, "");
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
			sim_record(sim, RECORD_HOST_BACK, gate->host, 0, "");
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
	sim_record(sim, RECORD_RUN_STARTED, -1, 0, "");
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
	struct sim *sim = calloc(1, sizeof(*sim));
	int64_t kinds[RECORD_BACK_ENDED + 1] = {0}, records = 0;
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
		uint64_t number = seed != NULL ? strtoull(seed, NULL, 10)
					       : (uint64_t)i;

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
