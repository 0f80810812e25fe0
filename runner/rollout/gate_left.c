/*
 * The hosts left over: may a run of them begin under the approval that there
 * is? The stop rule's word stands; what was taken back is over.
 * Pure: no I/O, no clock.
 *
 * later: 7d is the same question, asked again for so long, of those alone that
 * were away: nobody looks on when a timer asks it.
 */
#include "rollout/gate.h"
#include "base/i18n.h"
#include "rollout/waves.h"

#include <stdio.h>

/* What goes on counting: hosts that failed, and those of them that are gone. */
static bool
gate_still_stopped(const struct change *change, const struct change_fold *fold,
    int phase, char why[256])
{
	const struct plan *plan = change->plan;
	int failed = waves_limit(&plan->failed, change, phase);
	int gone = waves_limit(&plan->unreachable, change, phase);
	if (fold->failed >= failed)
		snprintf(why, 256, _("hosts that failed: %d, limit %d"),
		    fold->failed, failed);
	else if (fold->lost >= gone)
		snprintf(why, 256, _("hosts that were lost: %d, limit %d"),
		    fold->lost, gone);
	else
		return false;
	return true;
}

int
gate_remaining(
    const struct change *change, const struct change_fold *fold, char why[256])
{
	int count = 0;

	why[0] = '\0';
	for (size_t i = 0; i < fold->part_count; i++) {
		const struct part_fold *part = &fold->parts[i];

		if (!fold_part_left(part))
			continue;
		if (gate_still_stopped(change, fold, part->phase, why))
			return 0;
		count++;
	}
	if (count > 0 && fold->back) {
		snprintf(why, 256, "%s", _("it went back as a whole"));
		return 0;
	}
	return count;
}

static bool
gate_host_owed(const struct change_fold *fold, const struct host_fold *host)
{
	for (size_t p = 0; p < fold->phase_count && !host->asked; p++)
		if (host->parts[p] != NULL &&
		    host->parts[p]->state == HOST_UNREACHABLE &&
		    fold_part_left(host->parts[p]))
			return true;
	return false;
}

int
gate_owed(
    const struct change *change, const struct change_fold *fold, bool *hosts)
{
	int count = 0;

	for (size_t h = 0; h < fold->host_count; h++) {
		bool owed = change->plan->later_ms > 0 && !fold->back &&
			    gate_host_owed(fold, &fold->hosts[h]);

		if (hosts != NULL)
			hosts[h] = owed;
		count += owed;
	}
	return count;
}

bool
gate_may_later(
    const struct change *change, const struct change_fold *fold, char why[256])
{
	int phase = (int)fold->phase_count - 1, waiting = 0;

	for (size_t i = 0; i < fold->part_count; i++)
		waiting += fold->parts[i].state == HOST_WAITING &&
			   !gate_part_final(&fold->parts[i]);
	if (fold->aborted)
		snprintf(why, 256, _("aborted by %s"), fold->aborted_by);
	else if (fold->limit_reached)
		snprintf(why, 256, _("stop rule: %s"), fold->limit_text);
	else if (waiting > 0) /* a timer starts none of them */
		snprintf(why, 256,
		    _("parts of hosts that were never started: %d"), waiting);
	else
		return !gate_still_stopped(change, fold, phase, why);
	return false;
}
