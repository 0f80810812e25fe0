/*
 * The gate; see gate.h. Pure: no I/O, no clock.
 */
#include "rollout/gate_inside.h"
#include "rollout/waves.h"

#include <stdio.h>
#include <string.h>

/* Can the host not go on with this phase, because it did not come well through
 * one before? */
static bool
gate_is_barred(const struct part_fold *part)
{
	for (int p = 0; p < part->phase; p++) {
		const struct part_fold *earlier = part->host->parts[p];

		if (earlier != NULL && earlier->state != HOST_DONE)
			return true;
	}
	return false;
}

bool
gate_part_final(const struct part_fold *part)
{
	if (part->state == HOST_WAITING)
		return gate_is_barred(part);
	return part->state != HOST_STARTED && part->state != HOST_BACK;
}

int
gate_wave_now(const struct change *change, const struct change_fold *fold)
{
	for (size_t w = 1; w <= change->wave_count; w++)
		if (fold->waves[w] != WAVE_ENDED)
			return (int)w;
	return 0;
}

bool
gate_spread_allows(const struct change *change, const struct change_fold *fold,
    int part, bool active)
{
	int host = change->parts[part].host;

	for (size_t s = 0; s < fold->spread_count; s++) {
		const struct fold_spread *spread = &fold->spreads[s];
		int group = spread->group_of[host];
		int same = active ? spread->active[group] : spread->held[group];

		if (same >= change->plan->spreads[s].most)
			return false;
	}
	return true;
}

/* The next part of the wave that may start now, or -1. */
static int
gate_next_part(
    const struct change *change, const struct change_fold *fold, int number)
{
	const struct change_wave *wave = &change->waves[number - 1];
	int held = fold->active_count + fold->states[HOST_FAILED] +
		   fold->states[HOST_LOST] + fold->states[HOST_STUCK];

	if (held >= wave->at_once || fold->states[HOST_WAITING] == 0)
		return -1;
	for (size_t i = 0; i < wave->count; i++) {
		const struct part_fold *part = &fold->parts[wave->parts[i]];

		if (part->state == HOST_WAITING && !gate_is_barred(part) &&
		    gate_spread_allows(change, fold, wave->parts[i], false))
			return wave->parts[i];
	}
	return -1;
}

int
gate_busy(const struct change_fold *fold, int wave)
{
	int busy = 0;

	for (int i = 0; i < fold->active_count; i++)
		busy += fold->parts[fold->active[i]].wave == wave;
	return busy;
}

/* The stop rule: reached = stop. */
static bool
gate_limit(const struct change *change, const struct change_fold *fold,
    struct gate *gate)
{
	const struct plan *plan = change->plan;
	int wave = gate_wave_now(change, fold);
	int phase = wave > 0 ? change->waves[wave - 1].phase
			     : (int)plan->phase_count - 1;
	const struct {
		const char *word;
		int count, limit;
	} rules[] = {
	    {"failed", fold->failed, waves_limit(&plan->failed, change, phase)},
	    /* who is away is owed; who goes away in the middle is not */
	    {"unreachable", plan->later_ms > 0 ? fold->lost : fold->unreachable,
		waves_limit(&plan->unreachable, change, phase)},
	    {"excluded", fold->excluded,
		waves_limit(&plan->excluded, change, phase)},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].count < rules[i].limit)
			continue;
		gate->kind = GATE_LIMIT;
		snprintf(gate->text, sizeof(gate->text), "%s: %d, limit %d",
		    rules[i].word, rules[i].count, rules[i].limit);
		return true;
	}
	return false;
}

/* Did a person answer a question with no? Then it ends, as by an abort; the
 * way back asks nobody. */
static bool
gate_is_refused(const struct change_fold *fold)
{
	return fold->state != CHANGE_BACK && fold_ask_no(fold) != NULL;
}

/* Has a person said that nothing new starts? Going back needs no approval. */
static bool
gate_is_held(const struct change_fold *fold)
{
	return fold->paused || fold->aborted || gate_is_refused(fold) ||
	       (fold->rejected && fold->state != CHANGE_BACK);
}

/* How far back the failures that stand call for. Held, a host that fails ends
 * its own part by going back; nobody else goes with it. */
enum back_scope
gate_scope(const struct change *change, const struct change_fold *fold)
{
	const struct plan *plan = change->plan;

	if (gate_is_held(fold) && fold->state != CHANGE_BACK)
		return plan->host_failed == BACK_HOST ? BACK_HOST : BACK_HOLD;
	if (fold->limit_reached && plan->limit != BACK_HOST)
		return plan->limit;
	return plan->host_failed;
}

static bool
gate_in_flight(const struct change_fold *fold)
{
	/* what a pause waits for is not under way */
	bool asking = fold->paused && !fold->aborted;

	for (int i = 0; i < fold->active_count; i++)
		if (!asking || !fold->parts[fold->active[i]].asking)
			return true;
	return false;
}

bool
gate_is_failed(const struct part_fold *part)
{
	return part->state == HOST_FAILED || part->state == HOST_LOST;
}

static bool
gate_back_allows(
    const struct change *change, const struct change_fold *fold, int part)
{
	int wave = fold->parts[part].wave;

	return gate_busy(fold, wave) < change->waves[wave - 1].at_once &&
	       gate_spread_allows(change, fold, part, true);
}

/* Is there any part that gate_failed would look for? */
static bool
gate_any_failed(const struct change_fold *fold)
{
	return fold->states[HOST_FAILED] > 0 || fold->states[HOST_LOST] > 0 ||
	       fold->states[HOST_STUCK] > 0 ||
	       (fold->phase_count > 1 && fold->states[HOST_REVERTED] > 0);
}

/* A host that failed goes back, with its wave or with the change. */
static bool
gate_failed(const struct change *change, const struct change_fold *fold,
    struct gate *gate)
{
	enum back_scope scope = gate_scope(change, fold);

	for (size_t i = 0; i < fold->part_count && gate_any_failed(fold); i++) {
		const struct part_fold *part = &fold->parts[i];

		if (!gate_is_failed(part) &&
		    !(scope == BACK_HOST && (gate_is_half_back(change, part) ||
						gate_owes(change, fold, part))))
			continue;
		gate->wave = part->wave;
		gate->part = (int)i;
		switch (scope) {
		case BACK_HOST:
			/* many may fail together in a soak */
			if (!gate_back_allows(change, fold, (int)i))
				continue;
			gate->kind = GATE_BACK_HOST;
			return true;
		case BACK_WAVE:
		case BACK_CHANGE:
			gate->kind = GATE_BACK;
			return true;
		case BACK_HOLD:
		case BACK_NONE:
			break;
		}
	}
	gate->part = -1;
	gate->wave = 0;
	/* Limits are reached by hosts never touched, too. */
	if (fold->limit_reached && !gate_is_held(fold) &&
	    (change->plan->limit == BACK_CHANGE ||
		change->plan->limit == BACK_WAVE)) {
		gate->kind = GATE_BACK;
		return true;
	}
	return false;
}

/* Nothing more is to come of it; also not of a host of it that goes back in an
 * earlier phase. */
static bool
gate_wave_through(
    const struct change *change, const struct change_fold *fold, int number)
{
	const struct change_wave *wave = &change->waves[number - 1];

	if (gate_in_flight(fold))
		return false;
	for (size_t i = 0; i < wave->count; i++)
		if (!gate_part_final(&fold->parts[wave->parts[i]]))
			return false;
	return true;
}

/* Is there a host that this phase would start? */
static bool
gate_phase_has_work(
    const struct change *change, const struct change_fold *fold, int phase)
{
	for (size_t i = 0; i < change->part_count; i++)
		if (change->parts[i].phase == phase &&
		    fold->parts[i].state == HOST_WAITING &&
		    !gate_is_barred(&fold->parts[i]))
			return true;
	return false;
}

/* Does a person's yes stand between this wave and its first host? Then gate
 * says what is to be done about it. */
static bool
gate_asks(const struct change *change, const struct change_fold *fold,
    int64_t now_ms, struct gate *gate)
{
	int phase = change->waves[gate->wave - 1].phase;
	const struct plan_ask *ask = change->plan->phases[phase].ask;
	const struct ask_fold *asked;

	if (ask == NULL)
		return false;
	asked = fold_ask(fold, phase);
	if ((asked != NULL && asked->answer == ASK_YES) ||
	    !gate_phase_has_work(change, fold, phase))
		return false;
	gate->part = -1;
	if (asked == NULL || !asked->stands) {
		gate->kind = GATE_ASK;
		return true;
	}
	gate->until_ms = asked->asked_ms + ask->within_ms;
	gate->kind = asked->over	       ? GATE_HOLD
		     : now_ms < gate->until_ms ? GATE_AWAIT
					       : GATE_UNANSWERED;
	return true;
}

static void
gate_forward(const struct change *change, const struct change_fold *fold,
    struct gate_now now, struct gate *gate)
{
	int wave = gate_wave_now(change, fold);

	gate->wave = wave;
	if (wave == 0) {
		gate->kind = gate_in_flight(fold) ? GATE_WAIT : GATE_END;
		return;
	}
	switch (fold->waves[wave]) {
	case WAVE_WAITING:
		if (!gate_in_flight(fold) &&
		    !gate_asks(change, fold, now.wall_ms, gate))
			gate->kind = GATE_START_WAVE;
		return;
	case WAVE_STARTED:
		gate->part = gate_next_part(change, fold, wave);
		/* settled, a host may come where nobody was to be asked */
		if (gate->part >= 0 &&
		    gate_asks(change, fold, now.wall_ms, gate))
			return;
		if (gate->part >= 0)
			gate->kind = GATE_START_HOST;
		else if (gate_wave_through(change, fold, wave))
			gate->kind = GATE_SOAK;
		else if (!gate_in_flight(fold))
			gate->kind = GATE_END; /* every place is held */
		return;
	case WAVE_SOAKING:
		gate->until_ms =
		    fold->soak_from_ms + change->waves[wave - 1].soak_ms;
		if (now.mono_ms < gate->until_ms)
			return;
		if (gate_wave_through(change, fold, wave))
			gate->kind = GATE_END_WAVE;
		else
			gate->until_ms = 0; /* one of it is going back */
		return;
	case WAVE_ENDED:
		return;
	}
}

void
gate_decide(const struct change *change, const struct change_fold *fold,
    struct gate_now now, struct gate *gate)
{
	memset(gate, 0, sizeof(*gate));
	gate->kind = GATE_WAIT;
	gate->part = -1;
	if (fold->state == CHANGE_BACK && !gate_is_held(fold)) {
		gate_back(change, fold, gate);
		return;
	}
	if (fold->state != CHANGE_BACK) {
		if (!fold->limit_reached && gate_limit(change, fold, gate))
			return;
		if (gate_failed(change, fold, gate))
			return;
	}
	if (gate_is_held(fold)) {
		if (!gate_in_flight(fold))
			gate->kind = fold->aborted || gate_is_refused(fold)
					 ? GATE_END
					 : GATE_PAUSED;
		return;
	}
	if (fold->limit_reached) {
		gate->kind = gate_in_flight(fold) ? GATE_WAIT : GATE_END;
		return;
	}
	gate_forward(change, fold, now, gate);
}
