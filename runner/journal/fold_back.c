/*
 * The fold of going back more than once: a run that a person asked for, hosts
 * that owe their way back from an earlier run, and what another try may do
 * again.
 *
 * Pure: no I/O, no clock.
 */
#include "journal/fold_inside.h"

#include <string.h>

bool
fold_part_left(const struct part_fold *part)
{
	for (int p = 0; p <= part->phase; p++) {
		const struct part_fold *earlier = part->host->parts[p];

		if (earlier == NULL ||
		    (earlier->state == HOST_DONE && p < part->phase))
			continue;
		if (earlier->touched ||
		    (earlier->state != HOST_WAITING &&
			earlier->state != HOST_UNREACHABLE &&
			earlier->state != HOST_EXCLUDED))
			return false;
	}
	return true;
}

static void
fold_again(struct change_fold *fold, struct part_fold *part)
{
	fold_part_set(fold, part, HOST_WAITING);
	fold->waves[part->wave] = WAVE_WAITING;
}

static void
fold_forward(struct change_fold *fold)
{
	fold->limit_reached = false;
	fold->limit_text = "";
	fold->way = WAY_PLAN;
	fold->state = CHANGE_RUNNING;
}

/* The hosts left over, as if nobody had tried them: their waves begin again.
 * What failed, or was lost, goes on counting. */
static void
fold_remaining(struct change_fold *fold)
{
	for (size_t i = 0; i < fold->part_count; i++)
		if (fold_part_left(&fold->parts[i]))
			fold_again(fold, &fold->parts[i]);
	fold->unreachable = fold->excluded = 0;
	for (size_t h = 0; h < fold->host_count; h++) {
		struct host_fold *host = &fold->hosts[h];

		host->excluded = false;
		host->unreachable = host->lost;
		fold->unreachable += host->lost;
	}
	fold_forward(fold);
}

/* Hosts that were away and answer now; the others stay as they are, and what
 * was excluded goes on counting. */
static void
fold_later(struct change_fold *fold, const struct json *hosts)
{
	for (size_t i = 0; hosts != NULL && i < hosts->count; i++) {
		struct host_fold *host =
		    hosts->items[i]->type == JSON_TEXT
			? fold_host(fold, hosts->items[i]->text)
			: NULL;

		if (host == NULL || fold->phase_count == 0)
			continue;
		for (size_t p = 0; p < fold->phase_count; p++)
			if (host->parts[p] != NULL &&
			    fold_part_left(host->parts[p]))
				fold_again(fold, host->parts[p]);
		fold->unreachable -= host->unreachable && !host->lost;
		host->unreachable = host->lost;
	}
	fold_forward(fold);
}

void
fold_run_started(struct change_fold *fold, const struct record *record,
    const struct json *body)
{
	const char *way = json_get_text(body, "way", "");

	fold->epoch = record->epoch;
	/* the machine was booted since: what it soaked before is not known */
	if (record->mono_ms < fold->soak_from_ms)
		fold->soak_from_ms = 0;
	if (fold->started_ms == 0)
		fold->started_ms = record->wall_ms;
	/* paused, or ended: then this run is a person's word to go on */
	for (size_t i = 0; i < fold->part_count; i++) {
		if (fold->back_limit || way[0] != '\0')
			fold->parts[i].not_back = false;
		if (way[0] != '\0')
			fold->parts[i].due = false;
	}
	fold->back_limit = false;
	fold_asks_run(fold, record, strcmp(way, "remaining") == 0);
	if (way[0] != '\0') /* a later word of a person */
		fold->paused = fold->aborted = false;
	if (way[0] != '\0')
		fold->later_run = strcmp(way, "later") == 0;
	if (fold->later_run && way[0] != '\0') {
		fold_later(fold, json_get(body, "hosts"));
		return;
	}
	if (strcmp(way, "remaining") == 0) {
		fold_remaining(fold);
		return;
	}
	if (strcmp(way, "back") == 0 || strcmp(way, "owed") == 0) {
		fold->way = way[0] == 'b' ? WAY_ASKED : WAY_OWED;
		fold->state = CHANGE_BACK;
		fold->asked_all = false;
		for (size_t h = 0; h < fold->host_count; h++)
			fold->hosts[h].asked = false;
	} else if (fold->state != CHANGE_BACK) { /* back stays back */
		fold->state = CHANGE_RUNNING;
	}
}

/*
 * What is asked or tried again of a step. Never what cannot be looked at and
 * may have run: that is a person's word.
 */
static void
step_again(struct step_fold *step)
{
	/* what is open is settled as soon as it can be asked */
	bool ask = step->unasked;

	step->unasked = false;
	step->asked_again = ask;
	step->undo_sealed = 0;
	step->attempts_before = step->attempts;
	if (ask && step->undo == UNDO_WAITING && step->state == STEP_UNKNOWN)
		step->state = STEP_OPEN;
	if (step->on_way_back && step->state == STEP_FAILED)
		step->state = STEP_WAITING; /* of rollback: [steps] */
	switch (step->undo) {
	case UNDO_UNKNOWN:
		if (ask)
			step->undo = UNDO_OPEN;
		else if (!step->blind && step->seen[0] != '\0')
			step->undo = UNDO_WAITING;
		break;
	case UNDO_FAILED:
	case UNDO_STOPPED:
	case UNDO_CONFLICT:
		step->undo = UNDO_WAITING;
		break;
	case UNDO_WAITING:
	case UNDO_OPEN:
	case UNDO_DONE:
	case UNDO_KEPT:
		break;
	}
}

void
fold_part_back(struct change_fold *fold, struct part_fold *part)
{
	fold_part_set(fold, part, HOST_BACK);
	for (int id = 1; id <= fold->act_count; id++)
		if (fold->step_phase == NULL ||
		    fold->step_phase[id] == part->phase)
			step_again(&part->steps[id]);
}

void
fold_part_stuck(struct change_fold *fold, struct part_fold *part,
    const struct record *record, const struct json *body)
{
	bool gone = json_get_bool(body, "gone", false);
	bool first = part->stuck_epoch == 0;

	/* what was gone and still is, or was stuck before, is no news */
	if (first ? !(gone && part->was_lost) : part->gone && !gone)
		part->not_back = true;
	part->gone = gone;
	part->stuck_epoch = record->epoch;
	fold_part_set(fold, part, HOST_STUCK);
}
