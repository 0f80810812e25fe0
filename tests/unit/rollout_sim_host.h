/*
 * The hosts of a simulated fleet at work: does what the machine says, one act
 * at a time, and appends what came of it. The twin of rollout/host_run.c,
 * step_run.c and undo_run.c, without I/O.
 */
#ifndef HOSHU_TEST_ROLLOUT_SIM_HOST_H
#define HOSHU_TEST_ROLLOUT_SIM_HOST_H

#include "rollout_sim_rules.h"

enum { SIM_CONNECTS_MAX = 4 };

/* ---- records ---- */

static int
sim_fold(const struct sim *sim, struct change_fold *fold,
    const struct sim_record *from, int64_t number, struct err *err)
{
	struct record record = {.number = number,
	    .change = 1,
	    .epoch = from->epoch,
	    .host = from->host < 0 ? "" : sim->change->hosts[from->host].name,
	    .step = from->step,
	    .xid = "xid",
	    .life = "life",
	    .kind = from->kind,
	    .actor = "hoshu",
	    .wall_ms = from->wall_ms,
	    .mono_ms = from->wall_ms,
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
	else if (kind == RECORD_HOST_BACK && h->unasked != 0) {
		h->open = h->unasked; /* it is asked again */
		h->unasked = 0;
	} else if (h != NULL && step > 0 && h->open == step)
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
	    host >= 0 ? sim->fold.parts[host].state : HOST_WAITING;
	struct err err = ERR_INIT;

	*record = (struct sim_record){kind, host, step, sim->now_ms, sim->epoch,
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
sim_host_ends(
    struct sim *sim, int host, enum record_kind kind, const char *body)
{
	struct sim_host *h = &sim->hosts[host];

	sim_record(sim, kind, host, 0, body);
	h->now.synced = h->now.after_ok = false;
	h->connects = 0;
	if (kind != RECORD_HOST_FAILED && kind != RECORD_HOST_BACK)
		h->now.connected = false;
}

static void
sim_host_end(struct sim *sim, int host, enum record_kind kind)
{
	sim_host_ends(sim, host, kind, "");
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
	const struct step_fold *fold = &sim->fold.parts[host].steps[id];
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
	const struct part_fold *fold = &sim->fold.parts[host];
	struct sim_host *h = &sim->hosts[host];

	if (!fold->touched) {
		sim_host_end(sim, host, RECORD_HOST_UNREACHABLE);
		return;
	}
	h->unasked = h->open;
	if (h->open != 0)
		sim_record(sim,
		    fold->steps[h->open].undo == UNDO_OPEN
			? RECORD_UNDO_UNKNOWN
			: RECORD_STEP_UNKNOWN,
		    host, h->open, "{\"unasked\":true}");
	sim_host_ends(sim, host,
	    fold->state == HOST_BACK ? RECORD_HOST_STUCK : RECORD_HOST_LOST,
	    "{\"gone\":true}");
}

static void
sim_connect(struct sim *sim, int host)
{
	struct sim_host *h = &sim->hosts[host];

	if (!h->dead && !sim_chance(sim, h->flaky)) {
		h->now.connected = true;
		sim_record(sim, RECORD_HOST_OPENED, host, 0, "");
	} else if (!sim->fold.parts[host].touched ||
		   ++h->connects >= SIM_CONNECTS_MAX) {
		sim_lost(sim, host);
	}
}

static void
sim_step_act(struct sim *sim, int host, int id)
{
	const struct step_fold *fold = &sim->fold.parts[host].steps[id];
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
	const struct step_fold *fold = &sim->fold.parts[host].steps[id];
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
	const struct step_fold *fold = &sim->fold.parts[host].steps[id];

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
	else if (sim->fold.parts[host].state == HOST_BACK)
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
		sim_check(
		    sim, host, &h->now.before_ok, 4, RECORD_HOST_EXCLUDED);
		return;
	case ACT_DRIFT:
		sim_check(sim, host, &h->now.drift_ok, 3, RECORD_HOST_EXCLUDED);
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
	case ACT_GUARD:
	case ACT_LOGIN:
	case ACT_CHECK_GUARD:
		sim_fail(sim, "a dead-man in a plan without one");
		return;
	}
}

static void
sim_host_advance(struct sim *sim, int host)
{
	const struct part_fold *fold = &sim->fold.parts[host];
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

#endif
