/* A plan as simulated hosts know it: by numbers, and who follows whom. */
#ifndef HOSHU_REHEARSE_STAGE_PLAN_H
#define HOSHU_REHEARSE_STAGE_PLAN_H

#include "change/change.h"
#include "fleet/sim.h"

/* A simulated host knows steps and checks by number: their params and specs
 * are replaced by it. In the plan's arena. */
void stage_plan(struct arena *arena, struct change *change);
/* What the hosts are told of each step, by its id. unprobed: by step id; NULL =
 * all can be probed. */
const struct sim_step *stage_plan_steps(
    struct arena *arena, const struct plan *plan, const bool *unprobed);

#endif
