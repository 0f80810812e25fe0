/*
 * What a dead-man needs next: armed before the first launch under it, asked
 * after each new connection, called off over a fresh login, and on the way
 * back told to do its work first.
 * Pure: no I/O, no clock. Part of the step machine.
 */
#ifndef HOSHU_ROLLOUT_GUARD_H
#define HOSHU_ROLLOUT_GUARD_H

#include "rollout/judge.h"
#include "rollout/machine.h"

/* Armed, as far as anybody knows, and neither called off nor done with. */
bool guard_stands(const struct guard *guard, const struct part_fold *part);
/* One that stands for this part, or NULL. */
const struct guard *guard_of_part(
    const struct plan *plan, const struct part_fold *part);

/* Each is true when something else comes first, which act says. */
/* Before a step under the guard. It need not be armed: that is done when the
 * first of its steps turns out to be launched. */
bool guard_before(const struct guard *guard, const struct part_fold *part,
    const struct host_now *now, struct act *act);
/* Behind the last step and handler under it. */
bool guard_behind(const struct guard *guard, const struct part_fold *part,
    const struct host_now *now, struct act *act);
/* Before any step of the part is taken back. */
bool guard_back(
    const struct plan *plan, const struct part_fold *part, struct act *act);

/* Is there nothing but handlers of its own behind it in its phase? */
bool guard_is_last(const struct plan *plan, const struct guard *guard);

/* What the host answered, in its own words and as a record. */
struct guard_judgement {
	struct judgement judged;
	const char *word; /* armed, confirmed, reverted, reverting, none, ... */
};
void guard_judge(enum guard_act act, const struct outcome *outcome,
    struct guard_judgement *out);
/* Why a part fails or is stuck at this act. */
const char *guard_trouble(const struct step *act, const struct step_fold *fold);

#endif
