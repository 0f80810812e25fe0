/*
 * The judge: what an answer means. One step, one script, one verdict; a
 * verdict is never taken from an exit status of SSH.
 * Pure: no I/O, no clock.
 */
#ifndef HOSHU_ROLLOUT_JUDGE_H
#define HOSHU_ROLLOUT_JUDGE_H

#include "change/change.h"
#include "fleet/fleet.h"
#include "journal/fold.h"

/* What a probe said, kept by digests. */
struct seen {
	bool have; /* the module could be asked */
	enum seen_verdict verdict;
	char seen[65], want[65], apply[65], undo[65];
	const char *summary, *reason;
};

/* What a launch or settle said. */
struct outcome {
	bool known; /* a verdict came */
	enum launch_verdict verdict;
	int rc;
	bool stopped; /* we ended it at its deadline */
};

struct judgement {
	enum record_kind kind; /* a STEP_ or UNDO_ outcome */
	const char *why;       /* "" or a sentence for people */
};

/* Is it at work still? What it will leave behind no probe can tell yet. */
bool judge_runs_on(const struct outcome *outcome);
/* An apply that was launched, and the probe after it (have false = none). */
void judge_step(const struct outcome *outcome, const struct seen *after,
    struct judgement *out);
/* An undo that was launched; before: the digest to be back at ("" = the
 * script's own verdict decides). */
void judge_undo(const struct outcome *outcome, const struct seen *now,
    const char *before, struct judgement *out);
/* A handler run again after an undo. */
void judge_handler_again(const struct outcome *outcome,
    const struct seen *after, struct judgement *out);

/* What stands between a fresh probe and the previewed step. */
enum drift {
	DRIFT_NONE,    /* run the approved bytes */
	DRIFT_MET,     /* nothing to do any more */
	DRIFT_DEPENDS, /* approved as a rule: run the bytes of now */
	DRIFT_FOUND,   /* not what was approved */
};
/* rule: the step may bring its script at run time whatever the preview said
 * (rollback steps, which meet a state that the change made). */
enum drift judge_drift(const struct change_step *previewed,
    const struct seen *now, bool rule, const char **why);

/* Before an undo: is now what this step left behind? */
enum undo_start { UNDO_START_GO, UNDO_START_BACK_ALREADY, UNDO_START_CONFLICT };
enum undo_start judge_undo_start(
    const struct step_fold *step, const struct seen *now);

#endif
