/*
 * Running a change: the driver round the pure deciders (gate, machine,
 * judge). It asks them what is next, does it through the fleet, and records
 * what came of it; it decides nothing itself.
 *
 * Every record of the run is folded at once; an action that follows from it
 * waits until it is durable, and so does `say`. A failed append stops all
 * dispatch. What others say of the change meanwhile is folded as it is read.
 */
#ifndef HOSHU_ROLLOUT_RUN_H
#define HOSHU_ROLLOUT_RUN_H

#include "base/world.h"
#include "change/change.h"
#include "fleet/fleet.h"
#include "journal/fold.h"
#include "journal/journal.h"
#include "journal/lease.h"
#include "rollout/gate.h"

struct run_options {
	struct loop *loop;
	struct fleet *fleet; /* modules and blobs are in it already */
	struct journal *journal;
	const struct world *world;
	const struct change *change;
	struct change_fold *fold;
	const struct fleet_host *hosts; /* how to reach each, by index */
	const char *actor;		/* who runs it */
	struct lease *lease;		/* on the change; NULL = none is held */
	/* "" = go on as it stands; "back": take it back, because a person said
	 * so; "owed": try again what an earlier run could not take back;
	 * "remaining": the hosts left over, forward; "later": those of them
	 * in back_again, that were away */
	const char *way;
	const bool *back_again; /* by index */
	int64_t owed_until_ms;	/* of later:, for the record of the end */
	const char *because;	/* of "back" */
	const bool *asked;	/* of "back": hosts by index; NULL = all */
	/* Asked before every wave: is it (still) approved? */
	int (*permit)(void *arg, struct err *err);
	/* Asked before a host is touched first, of it and of its places (by
	 * change_reached's index): why it must be left alone, or NULL. NULL =
	 * no host must. */
	const char *(*held)(void *arg, int host, struct err *err);
	/* Asked before what others said beside the run is gone by; may be
	 * NULL. An error ends the run. */
	int (*heard)(void *arg, const struct record *record, struct err *err);
	/* Every record once it is durable; may be NULL. */
	void (*say)(void *arg, const struct record *record);
	void *arg;
};

/*
 * Run to the end (or go on where the fold stands: open tickets are settled
 * first). Runs the loop. 0 with the result, whatever it is; an error when the
 * run itself could not go on (journal, permit). SIGINT and SIGTERM let every
 * host finish what it has in hand, then end it with ERR_WAITING.
 */
int run_change(const struct run_options *options, struct gate_result *result,
    struct err *err) MUST_USE;

/*
 * Which of these hosts (by index) can be logged in to now? Nothing is done to
 * them. Runs the loop; lease (may be NULL) is renewed meanwhile.
 */
int run_knock(struct loop *loop, struct fleet *fleet,
    const struct change *change, const struct fleet_host *reach,
    struct lease *lease, const bool *whom, bool *answers,
    struct err *err) MUST_USE;

#endif
