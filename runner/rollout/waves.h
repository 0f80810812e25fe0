/*
 * Waves: which hosts go when, and the hard bound on what is in flight.
 * Pure: no I/O, no clock.
 */
#ifndef HOSHU_ROLLOUT_WAVES_H
#define HOSHU_ROLLOUT_WAVES_H

#include "change/change.h"

/*
 * Share the change's hosts out over its waves: fills change->waves, parts and
 * host->waves. How each phase chooses: `in` by host, which are its targets;
 * of[w] by host, which match its wave w's `of:` (NULL = no `of:`). Every host
 * of a phase is in exactly one of its waves; percent is of the phase's hosts,
 * rounded down, at least 1. Waves that are left empty because the hosts ran
 * out are dropped. ERR_PLAN at the wave's place when an `of:` matches nothing
 * that is left, or at the last wave when hosts are in none.
 */
struct waves_choice {
	const bool *in;
	const bool *const *of;
	const int *impact; /* by host: its group of equal previews, for `per:
			      impact`; NULL = not asked yet, all are one */
};
int waves_assign(struct arena *arena, struct change *change,
    const struct waves_choice *phases, struct err *err) MUST_USE;

/* Hosts in flight at the most: at_once cut by spread, plus what may have
 * failed before the stop rule stops (failed limit - 1). */
int waves_bound(const struct change *change);

/* The stop rule's number; a limit that is not set is 1: the first one stops. */
int waves_limit(
    const struct limit *limit, const struct change *change, int phase);

/* The value of a spread's key for a host ("" when it has none). */
const char *waves_spread_value(const struct change_host *host, const char *key);

#endif
