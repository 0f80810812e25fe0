/*
 * A larger fleet in the shape of the one that there is: copies of the hosts
 * that a plan is for, with racks of their own.
 */
#ifndef HOSHU_REHEARSE_COPIES_H
#define HOSHU_REHEARSE_COPIES_H

#include "change/change.h"
#include "rollout/waves.h"

/*
 * So many hosts, round after round of those of the change, shared out over its
 * waves anew. A copy is in the phases and waves that its original is in, but
 * for a phase of `first(...)`, which stays one host; where spread: counts by a
 * variable, it has a value of its own round. choices: as they were for the
 * change, by phase. ERR_USAGE when there are more than that already.
 */
int copies_make(struct arena *arena, struct change *change,
    const struct waves_choice *choices, int hosts, struct err *err) MUST_USE;

#endif
