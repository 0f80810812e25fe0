/*
 * What is said beside a run: pause, resume, abort, an answer, and a person's
 * word on an unknown step. These are folded in the order of the list; what a run records
 * is folded as it is appended. So nothing here may come out otherwise when
 * records of the run are taken in before or after it (test_fold_order.c).
 *
 * Pure: no I/O, no clock.
 */
#include "journal/fold_inside.h"

#include <string.h>

const struct part_fold *
fold_step_part(
    const struct change_fold *fold, const struct host_fold *host, int step)
{
	int phase = 0;

	if (step < 1 || step > fold->step_count)
		return NULL;
	if (fold->step_phase != NULL)
		phase = fold->step_phase[step];
	if (phase >= 0)
		return host->parts[phase];
	/* of no phase: whichever the host has */
	for (size_t p = 0; p < fold->phase_count; p++)
		if (host->parts[p] != NULL)
			return host->parts[p];
	return NULL;
}

bool
fold_part_rests(const struct part_fold *part)
{
	return part->state == HOST_FAILED || part->state == HOST_LOST ||
	       part->state == HOST_STUCK;
}

static bool
part_has_unknown(const struct change_fold *fold, const struct part_fold *part)
{
	for (int id = 1; id <= fold->step_count; id++)
		if (part->steps[id].state == STEP_UNKNOWN ||
		    part->steps[id].undo == UNDO_UNKNOWN)
			return true;
	return false;
}

/* Has a person said that nothing new starts? Going back needs no approval. */
static bool
part_is_held(const struct change_fold *fold, const struct part_fold *part)
{
	return fold->paused || fold->aborted ||
	       (part->state != HOST_STUCK &&
		   (fold->rejected || fold_ask_no(fold) != NULL));
}

/*
 * Where nothing of it is unknown any more it goes on where it stood: on its
 * way there, or back; in a pause, when that is lifted. It keeps the place that
 * it has, and it goes on counting against the limits. In a change that has
 * ended it only stands differently.
 */
static void
part_goes_on(struct change_fold *fold, struct part_fold *part)
{
	part->due = false;
	if (part_has_unknown(fold, part))
		return;
	if (fold->state == CHANGE_ENDED) {
		if (part->state == HOST_LOST)
			fold_part_set(fold, part, HOST_FAILED);
	} else if (part_is_held(fold, part)) {
		part->due = true;
	} else if (part->state == HOST_FAILED || part->state == HOST_LOST) {
		fold_part_set(fold, part, HOST_STARTED);
	} else if (part->state == HOST_STUCK) {
		fold_part_set(fold, part, HOST_BACK);
	}
}

/* It is about one launch, there (ran) or back (xid). What is not unknown any
 * more, or unknown again under another key, is left. */
static void
fold_settled(struct change_fold *fold, const struct record *record,
    const struct json *body)
{
	bool done = strcmp(json_get_text(body, "outcome", ""), "done") == 0;
	struct host_fold *host = fold_host(fold, record->host);
	struct part_fold *part =
	    host != NULL ? fold_part(fold, host, record) : NULL;
	struct step_fold *step;

	if (part == NULL || record->step < 1 || record->step > fold->step_count)
		return;
	step = &part->steps[record->step];
	if ((step->undo == UNDO_UNKNOWN ||
		(step->undo == UNDO_OPEN && step->asked_again)) &&
	    strcmp(step->xid, record->xid) == 0) {
		/* undone by word alone only where no probe can say it */
		step->undo = done && (step->blind || step->seen[0] == '\0')
				 ? UNDO_DONE
				 : UNDO_WAITING;
	} else if ((step->state != STEP_UNKNOWN &&
		       (step->state != STEP_OPEN || !step->asked_again)) ||
		   strcmp(step->ran, record->xid) != 0) {
		return;
	} else if (done) {
		step->state = STEP_DONE;
	} else { /* as if it were sealed */
		step->sealed++;
		step->state =
		    step->attempts > step->sealed ? STEP_FAILED : STEP_WAITING;
	}
	/* what stopped before it looked at a step that may have run or not */
	if (step->undo == UNDO_CONFLICT)
		step->undo = UNDO_WAITING;
	part_goes_on(fold, part);
}

int
fold_control(struct change_fold *fold, const struct record *record,
    const struct json *body, struct err *err)
{
	const char *because = json_get_text(body, "because", "");
	struct arena *arena = fold->arena;

	switch ((int)record->kind) {
	case RECORD_PAUSED:
		fold->paused = true;
		fold->paused_ms = record->wall_ms;
		fold->paused_by = arena_strdup(arena, record->actor);
		fold->paused_because = arena_strdup(arena, because);
		return 0;
	case RECORD_RESUMED:
		fold->paused = false;
		fold->resumed++;
		for (size_t i = 0; i < fold->part_count; i++)
			if (fold->parts[i].due)
				part_goes_on(fold, &fold->parts[i]);
		return 0;
	case RECORD_ABORTED:
		fold->aborted = true;
		fold->aborted_by = arena_strdup(arena, record->actor);
		fold->aborted_because = arena_strdup(arena, because);
		return 0;
	case RECORD_SETTLED:
		fold_settled(fold, record, body);
		return 0;
	case RECORD_LATER_OVER:
		fold->later_over = true;
		return 0;
	case RECORD_ANSWERED:
		fold_answered(fold, record, body);
		return 0;
	case RECORD_RELEASED: /* from quarantine: other changes' business */
		return 0;
	default:
		return err_set(err, ERR_STORE,
		    "record %lld: %s is not said beside a run",
		    (long long)record->number, record_kind_word(record->kind));
	}
}
