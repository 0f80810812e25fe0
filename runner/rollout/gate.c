/*
 * The gate; see gate.h. Pure: no I/O, no clock.
 */
#include "rollout/gate.h"
#include "base/i18n.h"
#include "rollout/machine.h"
#include "rollout/waves.h"

#include <stdio.h>
#include <string.h>

bool
gate_holds_place(const struct host_fold *host)
{
	switch (host->state) {
	case HOST_STARTED:
	case HOST_FAILED:
	case HOST_LOST:
	case HOST_BACK:
	case HOST_STUCK:
		return true;
	case HOST_WAITING:
	case HOST_DONE:
	case HOST_UNREACHABLE:
	case HOST_EXCLUDED:
	case HOST_REVERTED:
		return false;
	}
	bug("host state %d", (int)host->state);
}

bool
gate_host_final(const struct host_fold *host)
{
	return host->state != HOST_WAITING && host->state != HOST_STARTED &&
	       host->state != HOST_BACK;
}

/* Is something being done to it, or about to be? */
static bool
gate_is_active(const struct host_fold *host)
{
	return host->state == HOST_STARTED || host->state == HOST_BACK;
}

static int
gate_wave_now(const struct change *change, const struct change_fold *fold)
{
	for (size_t w = 1; w <= change->wave_count; w++)
		if (fold->waves[w] != WAVE_ENDED)
			return (int)w;
	return 0;
}

/* counts says which hosts stand in the way of this one. */
static bool
gate_spread_allows(const struct change *change, const struct change_fold *fold,
    int host, bool (*counts)(const struct host_fold *host))
{
	const struct plan *plan = change->plan;

	for (size_t s = 0; s < plan->spread_count; s++) {
		const struct spread *spread = &plan->spreads[s];
		const char *value =
		    waves_spread_value(&change->hosts[host], spread->key);
		int same = 0;

		for (size_t h = 0;
		     h < change->host_count && same < spread->most; h++)
			same +=
			    counts(&fold->hosts[h]) &&
			    strcmp(value, waves_spread_value(&change->hosts[h],
					      spread->key)) == 0;
		if (same >= spread->most)
			return false;
	}
	return true;
}

/* The next host of the wave that may start now, or -1. */
static int
gate_next_host(
    const struct change *change, const struct change_fold *fold, int number)
{
	const struct change_wave *wave = &change->waves[number - 1];
	int held = 0;

	for (size_t h = 0; h < fold->host_count; h++)
		held += gate_holds_place(&fold->hosts[h]);
	if (held >= wave->at_once)
		return -1;
	for (size_t i = 0; i < wave->count; i++) {
		int host = wave->hosts[i];

		if (fold->hosts[host].state == HOST_WAITING &&
		    gate_spread_allows(change, fold, host, gate_holds_place))
			return host;
	}
	return -1;
}

/* Hosts of a wave that are being touched. On the way back only these count:
 * hosts that stand failed must not keep the others from going back. */
static int
gate_busy(const struct change_fold *fold, const struct change_wave *wave)
{
	int busy = 0;

	for (size_t i = 0; i < wave->count; i++)
		busy += gate_is_active(&fold->hosts[wave->hosts[i]]);
	return busy;
}

/* The stop rule: reached = stop. */
static bool
gate_limit(const struct change *change, const struct change_fold *fold,
    struct gate *gate)
{
	const struct plan *plan = change->plan;
	const struct {
		const char *word;
		int count, limit;
	} rules[] = {
	    {"failed", fold_count_failed(fold),
		waves_limit(&plan->failed, change)},
	    {"unreachable", fold_count_unreachable(fold),
		waves_limit(&plan->unreachable, change)},
	    {"excluded", fold_count_excluded(fold),
		waves_limit(&plan->excluded, change)},
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

/* How far back the failures that stand call for. */
static enum back_scope
gate_scope(const struct change *change, const struct change_fold *fold)
{
	const struct plan *plan = change->plan;

	if (fold->limit_reached && plan->limit != BACK_HOST)
		return plan->limit;
	return plan->host_failed;
}

static bool
gate_in_flight(const struct change_fold *fold)
{
	for (size_t h = 0; h < fold->host_count; h++)
		if (gate_is_active(&fold->hosts[h]))
			return true;
	return false;
}

static bool
gate_is_failed(const struct host_fold *host)
{
	return host->state == HOST_FAILED || host->state == HOST_LOST;
}

static bool
gate_back_allows(
    const struct change *change, const struct change_fold *fold, int host)
{
	const struct change_wave *wave =
	    &change->waves[fold->hosts[host].wave - 1];

	return gate_busy(fold, wave) < wave->at_once &&
	       gate_spread_allows(change, fold, host, gate_is_active);
}

/* A host that failed goes back, with its wave or with the change. */
static bool
gate_failed(const struct change *change, const struct change_fold *fold,
    struct gate *gate)
{
	enum back_scope scope = gate_scope(change, fold);

	for (size_t h = 0; h < fold->host_count; h++) {
		if (!gate_is_failed(&fold->hosts[h]))
			continue;
		gate->wave = fold->hosts[h].wave;
		gate->host = (int)h;
		switch (scope) {
		case BACK_HOST:
			/* many may fail together in a soak */
			if (!gate_back_allows(change, fold, (int)h))
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
	gate->host = -1;
	gate->wave = 0;
	/* Limits are reached by hosts never touched, too. */
	if (fold->limit_reached && (change->plan->limit == BACK_CHANGE ||
				       change->plan->limit == BACK_WAVE)) {
		gate->kind = GATE_BACK;
		return true;
	}
	return false;
}

/* Is the host among those that go back when the change does? */
static bool
gate_goes_back(const struct change *change, const struct change_fold *fold,
    const struct host_fold *host)
{
	if (!machine_has_way_back(change->plan, host) && !gate_is_failed(host))
		return false;
	return gate_scope(change, fold) != BACK_WAVE ||
	       host->wave == gate_wave_now(change, fold);
}

/* The next host of the wave that goes back, the half-done ones first; -1 when
 * none may now. *waiting says whether there are any. */
static int
gate_back_next(const struct change *change, const struct change_fold *fold,
    const struct change_wave *wave, bool *waiting)
{
	bool room = gate_busy(fold, wave) < wave->at_once;
	int next = -1;

	*waiting = false;
	for (size_t i = 0; i < wave->count; i++) {
		int at = wave->hosts[i];
		const struct host_fold *host = &fold->hosts[at];
		bool failed = gate_is_failed(host);

		if ((host->state != HOST_DONE && !failed) ||
		    !gate_goes_back(change, fold, host))
			continue;
		*waiting = true;
		if (!room || (!failed && next >= 0) ||
		    !gate_spread_allows(change, fold, at, gate_is_active))
			continue;
		next = at;
		if (failed)
			break;
	}
	return next;
}

/* Later waves first; within a wave as many at once as on the way there. */
static void
gate_back(const struct change *change, const struct change_fold *fold,
    struct gate *gate)
{
	for (size_t w = change->wave_count; w >= 1; w--) {
		const struct change_wave *wave = &change->waves[w - 1];
		bool waiting;

		gate->host = gate_back_next(change, fold, wave, &waiting);
		if (gate->host >= 0) {
			gate->kind = GATE_BACK_HOST;
			gate->wave = (int)w;
			return;
		}
		if (waiting || gate_busy(fold, wave) > 0)
			return; /* for those that are on their way */
	}
	gate->kind = GATE_END;
}

static bool
gate_wave_through(
    const struct change *change, const struct change_fold *fold, int number)
{
	const struct change_wave *wave = &change->waves[number - 1];

	for (size_t i = 0; i < wave->count; i++)
		if (!gate_host_final(&fold->hosts[wave->hosts[i]]))
			return false;
	return true;
}

static void
gate_forward(const struct change *change, const struct change_fold *fold,
    int64_t now_ms, struct gate *gate)
{
	int wave = gate_wave_now(change, fold);

	gate->wave = wave;
	if (wave == 0) {
		gate->kind = gate_in_flight(fold) ? GATE_WAIT : GATE_END;
		return;
	}
	switch (fold->waves[wave]) {
	case WAVE_WAITING:
		gate->kind = GATE_START_WAVE;
		return;
	case WAVE_STARTED:
		gate->host = gate_next_host(change, fold, wave);
		if (gate->host >= 0)
			gate->kind = GATE_START_HOST;
		else if (gate_wave_through(change, fold, wave))
			gate->kind = GATE_SOAK;
		else if (!gate_in_flight(fold))
			gate->kind = GATE_END; /* every place is held */
		return;
	case WAVE_SOAKING:
		gate->until_ms =
		    fold->soak_from_ms + change->waves[wave - 1].soak_ms;
		if (now_ms < gate->until_ms)
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
    int64_t now_ms, struct gate *gate)
{
	memset(gate, 0, sizeof(*gate));
	gate->kind = GATE_WAIT;
	gate->host = -1;
	if (fold->state == CHANGE_BACK) {
		gate_back(change, fold, gate);
		return;
	}
	if (!fold->limit_reached && gate_limit(change, fold, gate))
		return;
	if (gate_failed(change, fold, gate))
		return;
	if (fold->limit_reached) {
		gate->kind = gate_in_flight(fold) ? GATE_WAIT : GATE_END;
		return;
	}
	gate_forward(change, fold, now_ms, gate);
}

/* A step of it may have run or not, and nothing has settled that since. */
static bool
gate_has_unknown(const struct change_fold *fold, const struct host_fold *host)
{
	for (int id = 1; id <= fold->step_count; id++) {
		const struct step_fold *step = &host->steps[id];

		if ((step->state == STEP_UNKNOWN || step->state == STEP_OPEN) &&
		    step->undo != UNDO_DONE && step->undo != UNDO_KEPT)
			return true;
	}
	return false;
}

void
gate_result(const struct change_fold *fold, struct gate_result *result)
{
	memset(result, 0, sizeof(*result));
	for (size_t h = 0; h < fold->host_count; h++) {
		const struct host_fold *host = &fold->hosts[h];

		switch (host->state) {
		case HOST_DONE:
			result->done++;
			break;
		case HOST_REVERTED: /* never touched: there was no way back */
			if (host->touched || host->failed)
				result->reverted++;
			else
				result->left++;
			break;
		case HOST_FAILED:
			if (gate_has_unknown(fold, host))
				result->unknown++;
			else
				result->failed++;
			break;
		case HOST_LOST:
		case HOST_STUCK:
		case HOST_STARTED:
		case HOST_BACK:
			result->unknown++;
			break;
		case HOST_WAITING:
		case HOST_UNREACHABLE:
		case HOST_EXCLUDED:
			result->left++;
			break;
		}
	}
	if (result->unknown > 0) {
		result->word = "unknown";
		result->status = err_exit_status(ERR_UNKNOWN);
	} else if (result->failed > 0 ||
		   (fold->limit_reached && result->reverted == 0)) {
		result->word = "failed";
		result->status = err_exit_status(ERR_FAILED);
	} else if (result->reverted > 0) {
		result->word = "reverted";
		result->status = err_exit_status(ERR_REVERTED);
	} else if (result->left > 0) {
		result->word = N_("left over");
		result->status = err_exit_status(ERR_LEFTOVER);
	} else {
		result->word = "done";
		result->status = EXIT_DONE;
	}
}
