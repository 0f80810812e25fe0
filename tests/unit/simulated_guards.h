/*
 * What must hold of dead-men in every simulated rollout: nothing is launched
 * under one that does not stand, it is called off over a fresh login alone,
 * and no word of the journal is another than the host's.
 * covers: P4, P5
 */
#ifndef HOSHU_TEST_SIMULATED_GUARDS_H
#define HOSHU_TEST_SIMULATED_GUARDS_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fleet/sim.h"
#include "plan/plan.h"

enum { RULE_GUARDS = 8 };

/* One of one host, as it truly is. */
struct rule_guard {
	char id[33];
	enum { IS_NOT, IS_ARMED, IS_CONFIRMED, GOES_BACK, WENT_BACK } is;
	bool touched; /* launched under it since the last login */
};

/* Each returns what is wrong, or NULL. */

static inline const char *
rule_guard_event(struct rule_guard *guard, enum sim_event_kind kind, bool asked)
{
	switch ((int)kind) {
	case SIM_ARMED:
		if (guard->is != IS_NOT)
			return "a dead-man is armed twice";
		guard->is = IS_ARMED;
		return NULL;
	case SIM_CONFIRMED:
		if (guard->is != IS_ARMED || !asked)
			return "a dead-man is called off, by nobody";
		if (guard->touched)
			return "a dead-man is called off without a new login";
		guard->is = IS_CONFIRMED;
		return NULL;
	case SIM_GOES_BACK:
		if (guard->is != IS_ARMED)
			return "a dead-man goes back that does not stand";
		guard->is = GOES_BACK;
		return NULL;
	case SIM_WENT_BACK:
		guard->is = WENT_BACK;
		return NULL;
	}
	return "no event of a dead-man";
}

/* A step under it is launched on the way there. */
static inline const char *
rule_guard_claimed(struct rule_guard *guard)
{
	guard->touched = true;
	return guard->is == IS_ARMED ? NULL
				     : "a launch under a dead-man that does "
				       "not stand";
}

/* The journal has the host's word, in "guard":"...". */
static inline const char *
rule_guard_said(const struct rule_guard *guard, const char *body)
{
	static const char key[] = "\"guard\":\"";
	const char *at = strstr(body, key);
	char word[16] = "";

	if (at == NULL)
		return "an outcome without the host's word";
	(void)sscanf(at + sizeof(key) - 1, "%15[a-z]", word);
	if (strcmp(word, "armed") == 0)
		return guard->is != IS_NOT ? NULL : "a lie: armed";
	if (strcmp(word, "confirmed") == 0)
		return guard->is == IS_CONFIRMED ? NULL : "a lie: confirmed";
	if (strcmp(word, "reverting") == 0)
		return guard->is >= GOES_BACK ? NULL : "a lie: reverting";
	if (strcmp(word, "reverted") == 0)
		return guard->is == WENT_BACK ? NULL : "a lie: reverted";
	if (strcmp(word, "none") == 0)
		return guard->is == IS_NOT ? NULL : "a lie: none";
	return strcmp(word, "unknown") == 0 ? NULL : "a word of its own";
}

static inline const char *
rule_guard_done(const struct rule_guard *guard)
{
	return guard->is == IS_NOT || guard->is == IS_CONFIRMED
		   ? NULL
		   : "done, but its dead-man was not called off";
}

static inline const char *
rule_guard_reverted(const struct rule_guard *guard)
{
	return guard->is != IS_ARMED && guard->is != GOES_BACK
		   ? NULL
		   : "reverted, but its dead-man still stands";
}

#endif
