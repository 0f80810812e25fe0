/*
 * What a change came to: each host counted once, by the worst of its parts;
 * the word and the exit status. Pure: no I/O, no clock.
 */
#include "rollout/gate.h"
#include "base/i18n.h"

#include <string.h>

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

/* What a part came to, for counting. */
static int *
gate_tell_part(const struct change_fold *fold, const struct part_fold *part,
    struct gate_result *result)
{
	switch (part->state) {
	case HOST_DONE:
		return &result->done;
	case HOST_REVERTED: /* never touched: there was no way back */
		return part->touched || part->host->failed ? &result->reverted
							   : &result->left;
	case HOST_FAILED:
		return gate_has_unknown(fold, part->host) ? &result->unknown
							  : &result->failed;
	case HOST_LOST:
	case HOST_STUCK:
	case HOST_STARTED:
	case HOST_BACK:
		return &result->unknown;
	case HOST_WAITING:
	case HOST_UNREACHABLE:
	case HOST_EXCLUDED:
		return &result->left;
	}
	bug("host state %d", (int)part->state);
}

/* A host is what the worst of its parts is. */
static void
gate_tell_host(const struct change_fold *fold, const struct host_fold *host,
    struct gate_result *result)
{
	int *const worst_first[] = {&result->unknown, &result->failed,
	    &result->reverted, &result->left, &result->done};
	size_t worst = sizeof(worst_first) / sizeof(worst_first[0]);

	for (size_t p = 0; p < fold->phase_count; p++) {
		const int *told;
		size_t at = 0;

		if (host->parts[p] == NULL)
			continue;
		told = gate_tell_part(fold, host->parts[p], result);
		while (worst_first[at] != told)
			at++;
		worst = at < worst ? at : worst;
	}
	if (worst < sizeof(worst_first) / sizeof(worst_first[0]))
		(*worst_first[worst])++;
}

/* Has the part done anything that could be taken back? */
static bool
gate_has_acted(const struct change_fold *fold, const struct part_fold *part)
{
	for (int id = 1; part->touched && id <= fold->step_count; id++) {
		enum step_state state = part->steps[id].state;

		if (fold_step_part(fold, part->host, id) == part &&
		    (state == STEP_DONE || state == STEP_FAILED ||
			state == STEP_UNKNOWN || state == STEP_OPEN))
			return true;
	}
	return false;
}

/* Does anything that this change did stand? Then not all of it is back. */
static bool
gate_stands(const struct change_fold *fold)
{
	for (size_t i = 0; i < fold->part_count; i++)
		if (fold->parts[i].state == HOST_DONE &&
		    gate_has_acted(fold, &fold->parts[i]))
			return true;
	return false;
}

void
gate_result(const struct change_fold *fold, struct gate_result *result)
{
	memset(result, 0, sizeof(*result));
	for (size_t h = 0; h < fold->host_count; h++)
		gate_tell_host(fold, &fold->hosts[h], result);
	for (size_t i = 0; i < fold->part_count; i++)
		if (fold->parts[i].state == HOST_REVERTED)
			result->kept += fold->parts[i].kept;
	if (result->unknown > 0) {
		result->word = "unknown";
		result->status = err_exit_status(ERR_UNKNOWN);
	} else if (result->failed > 0 ||
		   (fold->limit_reached && result->reverted == 0)) {
		result->word = "failed";
		result->status = err_exit_status(ERR_FAILED);
	} else if (result->reverted > 0) {
		/* of the hosts that failed, or that a person asked for: 7 */
		result->in_part = gate_stands(fold);
		result->word =
		    result->in_part ? N_("reverted in part") : "reverted";
		result->status = err_exit_status(ERR_REVERTED);
	} else if (result->left > 0) {
		result->word = N_("left over");
		result->status = err_exit_status(ERR_LEFTOVER);
	} else {
		result->word = "done";
		result->status = EXIT_DONE;
	}
	/* a no gave up the plan's way, and no other that came after it */
	if (!fold->aborted &&
	    (fold_ask_no(fold) == NULL || fold->way != WAY_PLAN))
		return;
	if (result->status == err_exit_status(ERR_LEFTOVER)) {
		result->word = N_("aborted");
	} else if (fold->back && gate_stands(fold)) { /* the way was given up */
		result->word = N_("aborted");
		result->status = err_exit_status(ERR_UNKNOWN);
	}
}

void
gate_result_of(const struct change *change, const struct change_fold *fold,
    struct gate_result *result)
{
	gate_result(fold, result);
	/* after a no nobody comes back to it by himself */
	result->owed =
	    fold_ask_no(fold) == NULL ? gate_owed(change, fold, NULL) : 0;
	if (result->owed > 0 && !fold->aborted &&
	    result->status == err_exit_status(ERR_LEFTOVER))
		result->word = N_("owed");
}
