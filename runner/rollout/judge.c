/*
 * The judge; see judge.h. Pure: no I/O, no clock.
 */
#include "rollout/judge.h"
#include "base/i18n.h"

#include <string.h>

static void
judge_set(struct judgement *out, enum record_kind kind, const char *why)
{
	out->kind = kind;
	out->why = why;
}

/* Verdicts under which the script may have done anything or nothing. */
static bool
judge_uncertain(const struct outcome *outcome)
{
	if (!outcome->known)
		return true;
	switch (outcome->verdict) {
	case VERDICT_LOST:
		return !outcome->stopped;
	case VERDICT_CLAIMED:
	case VERDICT_RUNNING:
	case VERDICT_OTHERLIFE:
		return true;
	case VERDICT_NOTRUN:
	case VERDICT_SEALED:
	case VERDICT_DONE:
		return false;
	}
	bug("verdict %d", (int)outcome->verdict);
}

static bool
judge_sealed(const struct outcome *outcome)
{
	return outcome->known && (outcome->verdict == VERDICT_SEALED ||
				     outcome->verdict == VERDICT_NOTRUN);
}

bool
judge_runs_on(const struct outcome *outcome)
{
	return outcome->known && outcome->verdict == VERDICT_RUNNING;
}

/* Ended by us; not what ended well by itself while we were at it. */
static bool
judge_stopped(const struct outcome *outcome)
{
	return outcome->stopped &&
	       (outcome->verdict != VERDICT_DONE || outcome->rc != 0);
}

void
judge_step(const struct outcome *outcome, const struct seen *after,
    struct judgement *out)
{
	bool met = after->have && after->verdict == SEEN_SAME;

	if (judge_sealed(outcome))
		judge_set(out, RECORD_STEP_SEALED,
		    N_("it never ran and now never will"));
	else if (judge_runs_on(outcome))
		judge_set(out, RECORD_STEP_UNKNOWN,
		    N_("it runs on, although it was told to end"));
	else if (judge_uncertain(outcome) && met)
		judge_set(out, RECORD_STEP_DONE,
		    N_("its outcome was lost; its probe says it is met"));
	else if (judge_uncertain(outcome))
		judge_set(out, RECORD_STEP_UNKNOWN,
		    N_("its outcome was lost and its probe does not say that "
		       "it is met"));
	else if (judge_stopped(outcome))
		judge_set(out, RECORD_STEP_FAILED,
		    N_("its deadline passed and it was stopped"));
	else if (outcome->rc != 0)
		judge_set(out, RECORD_STEP_FAILED, N_("its script failed"));
	else if (after->have && !met)
		judge_set(out, RECORD_STEP_FAILED,
		    N_("its script ended well but the probe afterwards does "
		       "not say that it is met"));
	else
		judge_set(out, RECORD_STEP_DONE, "");
}

void
judge_undo(const struct outcome *outcome, const struct seen *now,
    const char *before, struct judgement *out)
{
	bool back =
	    now->have && before[0] != '\0' && strcmp(now->seen, before) == 0;

	if (judge_sealed(outcome))
		judge_set(out, RECORD_UNDO_SEALED,
		    N_("it never ran and now never will"));
	else if (judge_runs_on(outcome))
		judge_set(out, RECORD_UNDO_UNKNOWN,
		    N_("it runs on, although it was told to end"));
	else if (back)
		judge_set(out, RECORD_UNDO_DONE, "");
	else if (judge_uncertain(outcome))
		judge_set(out, RECORD_UNDO_UNKNOWN,
		    N_("its outcome was lost and it is not proved back"));
	else if (judge_stopped(outcome))
		judge_set(out, RECORD_UNDO_FAILED,
		    N_("its deadline passed and it was stopped"));
	else if (outcome->rc != 0)
		judge_set(out, RECORD_UNDO_FAILED, N_("its script failed"));
	else if (before[0] == '\0')
		judge_set(out, RECORD_UNDO_DONE, "");
	else
		judge_set(out, RECORD_UNDO_FAILED,
		    N_("its script ended well but the probe afterwards does "
		       "not show the state before"));
}

void
judge_handler_again(const struct outcome *outcome, const struct seen *after,
    struct judgement *out)
{
	struct judgement step;

	judge_step(outcome, after, &step);
	out->why = step.why;
	switch ((int)step.kind) {
	case RECORD_STEP_DONE:
		out->kind = RECORD_UNDO_DONE;
		break;
	case RECORD_STEP_SEALED:
		out->kind = RECORD_UNDO_SEALED;
		break;
	case RECORD_STEP_UNKNOWN:
		out->kind = RECORD_UNDO_UNKNOWN;
		break;
	default:
		out->kind = RECORD_UNDO_FAILED;
		break;
	}
}

enum drift
judge_drift(const struct change_step *previewed, const struct seen *now,
    bool rule, const char **why)
{
	*why = "";
	if (now->verdict == SEEN_SAME || now->verdict == SEEN_SKIP)
		return DRIFT_MET;
	if (rule || previewed->verdict == CHANGE_DEPENDS)
		return DRIFT_DEPENDS;
	if (previewed->verdict == CHANGE_SAME ||
	    previewed->verdict == CHANGE_SKIP) {
		*why = N_("the preview said that nothing was to do here; now "
			  "something is");
		return DRIFT_FOUND;
	}
	if (strcmp(previewed->want, now->want) != 0) {
		*why = N_("what it would become is not what was approved (a "
			  "newer version?)");
		return DRIFT_FOUND;
	}
	if (strcmp(previewed->apply, now->apply) != 0 ||
	    strcmp(previewed->undo, now->undo) != 0) {
		*why = N_("the host is no longer as it was previewed, so the "
			  "script would be another than the approved one");
		return DRIFT_FOUND;
	}
	return DRIFT_NONE;
}

enum undo_start
judge_undo_start(const struct step_fold *step, const struct seen *now)
{
	if (!now->have || step->seen[0] == '\0')
		return UNDO_START_GO;
	if (strcmp(now->seen, step->seen) == 0)
		return UNDO_START_BACK_ALREADY;
	/* A half-done step left a state that nobody wrote down. */
	if (step->state != STEP_DONE || step->after[0] == '\0')
		return UNDO_START_GO;
	/* so may an undo that did not prove it back */
	if (step->undo_ran &&
	    (step->left[0] == '\0' || strcmp(now->seen, step->left) == 0))
		return UNDO_START_GO;
	return strcmp(now->seen, step->after) == 0 ? UNDO_START_GO
						   : UNDO_START_CONFLICT;
}
