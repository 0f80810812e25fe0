/*
 * The gate on the way back: whom a run takes back, in which order, and where
 * it pauses. Pure: no I/O, no clock.
 */
#include "rollout/gate_inside.h"
#include "rollout/machine.h"

#include <stdio.h>

/* Is the way back of the host's later phases behind it? */
static bool
gate_later_undone(const struct change *change, const struct part_fold *part)
{
	for (size_t p = (size_t)part->phase + 1; p < change->plan->phase_count;
	     p++) {
		const struct part_fold *later = part->host->parts[p];

		if (later == NULL)
			continue;
		switch (later->state) {
		case HOST_WAITING:
		case HOST_UNREACHABLE:
		case HOST_EXCLUDED:
		case HOST_REVERTED:
			break;
		case HOST_DONE:
			if (machine_has_way_back(change->plan, later))
				return false;
			break;
		case HOST_STARTED:
		case HOST_FAILED:
		case HOST_LOST:
		case HOST_BACK:
		case HOST_STUCK:
			return false;
		}
	}
	return true;
}

bool
gate_is_half_back(const struct change *change, const struct part_fold *part)
{
	const struct host_fold *host = part->host;

	if (part->state != HOST_DONE || !host->failed ||
	    !machine_has_way_back(change->plan, part) ||
	    !gate_later_undone(change, part))
		return false;
	for (size_t p = (size_t)part->phase + 1; p < change->plan->phase_count;
	     p++)
		if (host->parts[p] != NULL &&
		    host->parts[p]->state == HOST_REVERTED)
			return true;
	return false;
}

bool
gate_owes(const struct change *change, const struct change_fold *fold,
    const struct part_fold *part)
{
	enum back_scope scope = change->plan->host_failed;

	/* once a run: what it could not bring back, the next one tries */
	if (part->state == HOST_STUCK)
		return part->stuck_epoch < fold->epoch;
	return part->state == HOST_LOST && scope != BACK_HOLD &&
	       scope != BACK_NONE;
}

int
gate_owing(const struct change *change, const struct change_fold *fold)
{
	enum back_scope scope = change->plan->host_failed;
	int count = 0;

	for (size_t i = 0; i < fold->part_count; i++)
		count += fold->parts[i].state == HOST_STUCK ||
			 (fold->parts[i].state == HOST_LOST &&
			     scope != BACK_HOLD && scope != BACK_NONE);
	return count;
}

/* Is it of a host of that wave: its part there, or one of an earlier phase?
 * What a host did before must not stand without what came upon it. */
static bool
gate_is_of_wave(
    const struct change *change, const struct part_fold *part, int wave)
{
	const struct part_fold *there;

	if (wave == 0)
		return false;
	there = part->host->parts[change->waves[wave - 1].phase];
	return there != NULL && there->wave == wave &&
	       part->phase <= there->phase;
}

/* Does this run take the part back? */
static bool
gate_wants(const struct change *change, const struct change_fold *fold,
    const struct part_fold *part)
{
	bool acted;

	if (part->state != HOST_DONE && !gate_is_failed(part) &&
	    !(part->state == HOST_STUCK && part->stuck_epoch < fold->epoch))
		return false;
	acted = part->state != HOST_DONE ||
		machine_has_way_back(change->plan, part);
	switch (fold->way) {
	case WAY_PLAN:
		return acted && (gate_scope(change, fold) != BACK_WAVE ||
				    gate_is_of_wave(change, part,
					gate_wave_now(change, fold)));
	case WAY_ASKED:
		return acted && (fold->asked_all || part->host->asked);
	case WAY_OWED:
		return gate_owes(change, fold, part) ||
		       gate_is_half_back(change, part);
	}
	bug("way %d", (int)fold->way);
}

/* The next part of the wave that goes back, the half-done ones first; -1 when
 * none may now. *waiting says whether there are any. */
static int
gate_back_next(const struct change *change, const struct change_fold *fold,
    const struct change_wave *wave, bool *waiting)
{
	int number = (int)(wave - change->waves) + 1, next = -1;
	bool room = gate_busy(fold, number) < wave->at_once;
	bool halves = fold->states[HOST_FAILED] > 0 ||
		      fold->states[HOST_LOST] > 0 ||
		      fold->states[HOST_STUCK] > 0;

	*waiting = false;
	for (size_t i = 0; i < wave->count; i++) {
		int at = wave->parts[i];
		const struct part_fold *part = &fold->parts[at];
		bool half = part->state != HOST_DONE;

		if (*waiting && (!room || (next >= 0 && !halves)))
			break; /* nothing new is to be learnt */
		if (!gate_wants(change, fold, part) ||
		    !gate_later_undone(change, part))
			continue;
		*waiting = true;
		if (!room || (!half && next >= 0) ||
		    !gate_spread_allows(change, fold, at, true))
			continue;
		next = at;
		if (half)
			break;
	}
	return next;
}

/* Hosts that could not be brought back, since the last time that a person said
 * to go on. */
static int
gate_back_count(const struct change_fold *fold)
{
	int count = 0;

	for (size_t h = 0; h < fold->host_count && fold->states[HOST_STUCK] > 0;
	     h++) {
		const struct host_fold *host = &fold->hosts[h];
		bool counts = false;

		for (size_t p = 0; p < fold->phase_count; p++)
			counts =
			    counts || (host->parts[p] != NULL &&
					  host->parts[p]->state == HOST_STUCK &&
					  host->parts[p]->not_back);
		count += counts;
	}
	return count;
}

static bool
gate_back_limit(const struct change *change, const struct change_fold *fold,
    int phase, struct gate *gate)
{
	int count = gate_back_count(fold);
	int limit = change_back_limit(change, phase);

	if (count < limit)
		return false;
	gate->kind = GATE_BACK_LIMIT;
	snprintf(gate->text, sizeof(gate->text),
	    "not brought back: %d, limit %d", count, limit);
	return true;
}

/* Later waves first; within a wave as many at once as on the way there. */
void
gate_back(const struct change *change, const struct change_fold *fold,
    struct gate *gate)
{
	for (size_t w = change->wave_count; w >= 1; w--) {
		const struct change_wave *wave = &change->waves[w - 1];
		bool waiting;
		int part = gate_back_next(change, fold, wave, &waiting);

		if (waiting && fold->back_limit) {
			if (fold->active_count == 0)
				gate->kind = GATE_HOLD;
			return;
		}
		if (waiting && gate_back_limit(change, fold, wave->phase, gate))
			return;
		if (waiting && fold->active_count > gate_busy(fold, (int)w))
			return; /* one of another wave is on its way */
		if (part >= 0) {
			gate->kind = GATE_BACK_HOST;
			gate->part = part;
			gate->wave = (int)w;
			return;
		}
		if (waiting || gate_busy(fold, (int)w) > 0)
			return; /* for those that are on their way */
	}
	gate->kind = GATE_END;
}
