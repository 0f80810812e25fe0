/*
 * The stage of a rehearsal: the real driver and the real deciders, on a
 * simulated fleet, a journal that keeps nothing on disk, and a clock that
 * jumps. One seed, one rollout; the same seed, the same rollout.
 *
 *	stage_plan(arena, change);           // once a plan: stage_plan.h
 *	stage_open(&options, &stage, &err);  // a fleet, previewed
 *	while ((r = stage_run(stage, &result, &err)) == STAGE_DIED)
 *		;                            // the next coordinator goes on
 *	stage_close(stage);
 */
#ifndef HOSHU_REHEARSE_STAGE_H
#define HOSHU_REHEARSE_STAGE_H

#include "change/change.h"
#include "fleet/sim.h"
#include "journal/journal.h"
#include "rollout/gate.h"

struct stage;

enum { STAGE_DIED = 1, STAGE_PAUSED = 2, STAGE_NOBODY = 3 };

struct stage_options {
	struct change *change; /* hosts chosen and shared out over waves; the
				  preview of this fleet is written into it */
	uint64_t seed;
	struct sim_rates rates;
	struct sim_times times;
	double met, skip;     /* see sim.h */
	bool prints;	      /* the same */
	const bool *unprobed; /* by step id; NULL = all can be probed */
	int64_t commit_ms;
	/* Keep the records, so that the next coordinator can go on. */
	bool keep;
	/* Each record as it becomes durable; false: the coordinator dies there.
	 * May be NULL. */
	bool (*durable)(void *arg, const struct record *record);
	void (*watch)(void *arg, const struct sim_event *event);
	/* What a person answers before that phase (from 1), asked for the
	 * times-th time, and after how long; false: nothing. NULL: yes, at
	 * once. */
	bool (*answer)(
	    void *arg, int phase, int times, bool *yes, int64_t *after_ms);
	void *arg;
};

/* Wall time at which every rehearsal begins. */
extern const int64_t stage_epoch_ms;

/* A change that was previewed by the stage before (preview_ms is set) is not
 * previewed again: every fleet begins the same where met and skip are 0. */
int stage_open(const struct stage_options *options, struct stage **out,
    struct err *err) MUST_USE;
/* One coordinator: 0 = the end, STAGE_DIED, STAGE_PAUSED (its way back waits
 * for a person, or nobody answered: another run is the word to go on), or an
 * error. A pause that a check asked for is lifted at once. */
int stage_run(
    struct stage *stage, struct gate_result *result, struct err *err) MUST_USE;
/* Nobody is there for so long; the hosts go on. */
void stage_wait(struct stage *stage, int64_t ms);
/* A timer asks for hosts that later: owes, of which these (by index) are back
 * meanwhile: as stage_run, or STAGE_NOBODY where none can be tried. */
int stage_later(struct stage *stage, const bool *back,
    struct gate_result *result, struct err *err) MUST_USE;
void stage_close(struct stage *stage);

const struct sim *stage_sim(const struct stage *stage);
/* Of the last run. */
const struct change_fold *stage_fold(const struct stage *stage);

#endif
