/*
 * The hosts left over: may a run of them begin under the approval that there
 * is? The stop rule's word stands; what was taken back is over.
 * Pure: no I/O, no clock.
 *
 * later: 7d (absent hosts stay owed) is the same question, asked again for so
 * long.
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
	int lost = 0;

	for (size_t h = 0; h < fold->host_count; h++)
		lost += fold->hosts[h].lost;
	if (fold->failed >= failed)
		snprintf(why, 256, _("hosts that failed: %d, limit %d"),
		    fold->failed, failed);
	else if (lost >= gone)
		snprintf(why, 256, _("hosts that were lost: %d, limit %d"),
		    lost, gone);
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
