/*
 * The step machine: what a part (a host in a phase) needs next, in
 * either direction. Going back
 * is the same machine over the reversed list.
 * Pure: no I/O, no clock; the driver (host_run.c) does what it says and
 * records what came of it.
 */
#ifndef HOSHU_ROLLOUT_MACHINE_H
#define HOSHU_ROLLOUT_MACHINE_H

#include "change/change.h"
#include "journal/fold.h"

enum act_kind {
	ACT_CONNECT,
	ACT_SETTLE, /* ask what became of the open ticket of step */
	ACT_CHECK_BEFORE,
	ACT_DRIFT, /* is everything still as previewed? */
	ACT_STEP,  /* probe; launch if not met; probe */
	ACT_SYNC,
	ACT_CHECK_AFTER,
	ACT_DONE,
	ACT_FAIL,  /* step failed for good */
	ACT_UNDO,  /* probe; launch the undo; prove */
	ACT_PROVE, /* rollback steps are done: prove the step back */
	ACT_KEEP,  /* go past it */
	ACT_STOP,  /* the way back ends here */
	ACT_REVERTED,
	ACT_STUCK,
	ACT_GUARD,	 /* tell the host about its dead-man: step is an act */
	ACT_LOGIN,	 /* end the connection: a new one must be possible */
	ACT_CHECK_GUARD, /* what must hold before a dead-man is called off */
};

struct act {
	enum act_kind kind;
	int step;
};

/* What the driver knows besides the journal; gone with the process. */
struct host_now {
	bool connected;
	bool before_ok; /* checks before have passed */
	bool drift_ok;
	bool synced;
	bool after_ok;
	bool fresh;	  /* nothing was launched over this connection */
	bool guard_asked; /* a dead-man that was armed still was, on it */
	bool guard_ok;	  /* ACT_CHECK_GUARD has passed */
};

void machine_next(const struct plan *plan, const struct part_fold *part,
    const struct host_now *now, bool back, struct act *act);

/* Does a changed notifier owe this handler (forward), or an undone one its
 * second run (back)? */
bool machine_owed(const struct plan *plan, const struct part_fold *part,
    const struct step *handler, bool back);
/* Would going back touch the host for this part at all? */
bool machine_has_way_back(
    const struct plan *plan, const struct part_fold *part);

const char *machine_act_word(enum act_kind kind);

#endif
