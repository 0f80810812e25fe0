/*
 * The gate: waves, places in flight, the stop rule, the direction and the
 * end. Asked after every record; says one thing to do, or wait.
 * Pure: no I/O, no clock (the time is given: a soak goes by the monotonic one,
 * so that setting the clock neither shortens nor lengthens it; what persons
 * were given goes by theirs).
 */
#ifndef HOSHU_ROLLOUT_GATE_H
#define HOSHU_ROLLOUT_GATE_H

#include "change/change.h"
#include "journal/fold.h"

enum gate_kind {
	GATE_WAIT, /* for hosts; or, in a soak, until `until_ms`, monotonic */
	GATE_START_WAVE,
	GATE_START_HOST,
	GATE_SOAK, /* the wave's hosts are through: soak begins */
	GATE_END_WAVE,
	GATE_LIMIT,	 /* the stop rule: record it, start no more */
	GATE_BACK,	 /* the change goes back */
	GATE_BACK_HOST,	 /* this host goes back */
	GATE_BACK_LIMIT, /* too many are not brought back: record it */
	GATE_ASK,   /* before the wave's phase a person is asked: record it */
	GATE_AWAIT, /* for the answer, until `until_ms`, wall time */
	GATE_UNANSWERED, /* in time: record it */
	GATE_HOLD, /* the way back, or a question, waits; a person says whether to go on */
	GATE_PAUSED, /* a person holds it, and nothing is in flight any more */
	GATE_END,    /* nothing is left to do */
};

struct gate {
	enum gate_kind kind;
	int wave;	  /* from 1 */
	int part;	  /* index */
	int64_t until_ms; /* the time to ask again; 0 = on a record */
	char text[256];	  /* LIMIT: "2 hosts failed, limit 2" */
};

struct gate_now {
	int64_t wall_ms, mono_ms;
};

void gate_decide(const struct change *change, const struct change_fold *fold,
    struct gate_now now, struct gate *gate);

/* Is nothing more to come of this part in the present direction? */
bool gate_part_final(const struct part_fold *part);

/* Does an earlier run, or the host's absence, owe it its way back, and has
 * this run not tried yet? */
bool gate_owes(const struct change *change, const struct change_fold *fold,
    const struct part_fold *part);

/* Parts that owe their way back from a run that is over. */
int gate_owing(const struct change *change, const struct change_fold *fold);
/* May a run of the hosts left over begin? The number of its parts; 0: there
 * are none, or why says why not. */
int gate_remaining(
    const struct change *change, const struct change_fold *fold, char why[256]);

/* Hosts that were away, so that later: owes them the change; hosts (may be
 * NULL) says which, by index. */
int gate_owed(
    const struct change *change, const struct change_fold *fold, bool *hosts);
/* May they be tried without a person who looks on? why says why not. */
bool gate_may_later(
    const struct change *change, const struct change_fold *fold, char why[256]);

/* The end's word and exit status (table in base/err.h). */
struct gate_result {
	/* done | failed | reverted | reverted in part | unknown | left over |
	 * owed | aborted */
	const char *word;
	int status;
	bool in_part; /* some are reverted, others stand changed */
	int done, failed, reverted, unknown, left; /* hosts */
	int kept; /* steps, on hosts that are reverted */
	int owed; /* of those left: hosts that later: owes */
};
void gate_result(const struct change_fold *fold, struct gate_result *result);
/* The same where the plan may say later:. */
void gate_result_of(const struct change *change, const struct change_fold *fold,
    struct gate_result *result);

#endif
