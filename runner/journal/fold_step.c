/*
 * The fold of one step: intent, outcome, and the same on the way back. A
 * record that cannot follow what is there is refused.
 *
 * Pure: no I/O, no clock.
 */
#include "journal/fold_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fold_copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text != NULL ? text : "");
}

/* Settle before launch: one open ticket a host. */
static int
fold_check_open(const struct change_fold *fold, const struct part_fold *part,
    const struct record *record, struct err *err)
{
	for (int id = 1; id <= fold->act_count; id++)
		if (part->steps[id].state == STEP_OPEN ||
		    part->steps[id].undo == UNDO_OPEN)
			return err_set(err, ERR_STORE,
			    "record %lld: %s of step %d on %s while step %d is "
			    "open",
			    (long long)record->number,
			    record_kind_word(record->kind), record->step,
			    record->host, id);
	return 0;
}

static void
fold_intent(struct change_fold *fold, struct step_fold *step,
    struct part_fold *part, const struct record *record,
    const struct json *body)
{
	bool undo = record->kind == RECORD_UNDO_INTENT;

	part->touched = true;
	if (part->state == HOST_WAITING)
		fold_part_set(fold, part, HOST_STARTED);
	fold_copy(step->xid, sizeof(step->xid), record->xid);
	fold_copy(step->life, sizeof(step->life), record->life);
	step->launched_ms = record->wall_ms;
	step->unasked = step->asked_again = false;
	if (undo) {
		step->undo = UNDO_OPEN;
		step->undo_attempts++;
		return;
	}
	step->on_way_back = part->state == HOST_BACK;
	step->state = STEP_OPEN;
	step->attempts++;
	fold_copy(step->ran, sizeof(step->ran), record->xid);
	fold_copy(
	    step->want, sizeof(step->want), json_get_text(body, "want", ""));
	if (step->attempts - step->sealed > 1)
		return; /* the way back leads to before the first that ran */
	fold_copy(
	    step->seen, sizeof(step->seen), json_get_text(body, "seen", ""));
	fold_copy(step->undo_script, sizeof(step->undo_script),
	    json_get_text(body, "undo", ""));
}

/* When it ended. Where nobody could say, what is to be younger than it must be
 * younger than the last thing that ended on this host, or than our coming. */
static void
fold_take_uptime(const struct change_fold *fold, const struct part_fold *part,
    struct step_fold *step, const struct record *record,
    const struct json *body)
{
	const char *given = json_get_text(body, "uptime", "");
	const char *last = given[0] != '\0' ? given : part->now.opened;

	for (int id = 1; given[0] == '\0' && id <= fold->step_count; id++) {
		const char *uptime = part->steps[id].uptime;

		if (strtod(uptime, NULL) > strtod(last, NULL))
			last = uptime;
	}
	if (last != step->uptime)
		fold_copy(step->uptime, sizeof(step->uptime), last);
	step->ended_ms = record->wall_ms;
	snprintf(step->boot, sizeof(step->boot), "%.*s",
	    (int)strcspn(part->now.life, " "), part->now.life);
}

/* Outcomes of a step; the intent must stand open. */
static int
fold_outcome(const struct change_fold *fold, const struct part_fold *part,
    struct step_fold *step, const struct record *record,
    const struct json *body, struct err *err)
{
	bool open = step->state == STEP_OPEN;

	/* a person may have settled it while the host was asked: the host's
	 * answer counts, whichever of the two stands first */
	if (!open && !step->asked_again &&
	    !(record->kind == RECORD_STEP_DONE && step->attempts > 0))
		return err_set(err, ERR_STORE,
		    "record %lld: %s of step %d on %s without an open intent",
		    (long long)record->number, record_kind_word(record->kind),
		    record->step, record->host);
	if (record->kind == RECORD_STEP_DONE) {
		step->state = STEP_DONE;
		fold_copy(step->after, sizeof(step->after),
		    json_get_text(body, "seen", ""));
	} else if (record->kind == RECORD_STEP_FAILED) {
		step->state = STEP_FAILED;
	} else if (record->kind == RECORD_STEP_UNKNOWN) {
		step->state = STEP_UNKNOWN;
		step->unasked = json_get_bool(body, "unasked", false);
	} else { /* sealed: it never ran; an attempt before it may have */
		step->sealed += open || step->state == STEP_DONE;
		step->asked_again = false;
		step->state =
		    step->attempts > step->sealed ? STEP_FAILED : STEP_WAITING;
		return 0;
	}
	step->asked_again = false;
	fold_take_uptime(fold, part, step, record, body);
	return 0;
}

/* Found met, or not to be done. What ran before stays in the undo list. */
static int
fold_passed(struct step_fold *step, const struct record *record,
    enum step_state state, struct err *err)
{
	if (step->attempts > step->sealed)
		return err_set(err, ERR_STORE,
		    "record %lld: %s of step %d on %s, which was launched",
		    (long long)record->number, record_kind_word(record->kind),
		    record->step, record->host);
	step->state = state;
	return 0;
}

static int
fold_undo_outcome(const struct change_fold *fold, struct step_fold *step,
    struct part_fold *part, const struct record *record,
    const struct json *body, struct err *err)
{
	enum record_kind kind = record->kind;

	if (kind == RECORD_UNDO_KEPT) {
		step->undo = UNDO_KEPT;
		part->kept++;
		return 0;
	}
	if (kind == RECORD_UNDO_STOPPED || kind == RECORD_UNDO_CONFLICT) {
		step->undo =
		    kind == RECORD_UNDO_STOPPED ? UNDO_STOPPED : UNDO_CONFLICT;
		return 0;
	}
	/* A step that never took effect is proved back by its probe alone. */
	if (step->undo != UNDO_OPEN && !step->asked_again &&
	    !(kind == RECORD_UNDO_DONE && step->undo == UNDO_WAITING))
		return err_set(err, ERR_STORE,
		    "record %lld: %s of step %d on %s without an open intent",
		    (long long)record->number, record_kind_word(kind),
		    record->step, record->host);
	step->asked_again = false;
	if (kind == RECORD_UNDO_DONE) {
		/* by other steps, or by somebody else: in the life of now, not
		 * in that of its own intent */
		if (step->undo != UNDO_OPEN)
			fold_copy(step->life, sizeof(step->life), record->life);
		step->undo = UNDO_DONE;
		step->unproved = json_get_bool(body, "unproved", false);
		fold_take_uptime(fold, part, step, record, body);
	} else if (kind == RECORD_UNDO_SEALED) {
		step->undo = UNDO_WAITING;
		step->undo_sealed++;
	} else {
		step->undo =
		    kind == RECORD_UNDO_FAILED ? UNDO_FAILED : UNDO_UNKNOWN;
		step->undo_ran = true;
		step->blind = json_get_bool(body, "blind", false);
		step->unasked = json_get_bool(body, "unasked", false);
		fold_copy(step->left, sizeof(step->left),
		    json_get_text(body, "seen", ""));
	}
	return 0;
}

int
fold_step(struct change_fold *fold, struct part_fold *part,
    const struct record *record, const struct json *body, struct err *err)
{
	struct step_fold *step;

	if (record->step < 1 || record->step > fold->act_count)
		return err_set(err, ERR_STORE, "record %lld: no step %d",
		    (long long)record->number, record->step);
	step = &part->steps[record->step];
	switch ((int)record->kind) {
	case RECORD_STEP_SAME:
		return fold_passed(step, record, STEP_SAME, err);
	case RECORD_STEP_SKIPPED:
		return fold_passed(step, record, STEP_SKIPPED, err);
	case RECORD_STEP_INTENT:
	case RECORD_UNDO_INTENT:
		if (fold_check_open(fold, part, record, err) < 0)
			return -ERR_STORE;
		fold_intent(fold, step, part, record, body);
		return 0;
	case RECORD_STEP_DONE:
	case RECORD_STEP_FAILED:
	case RECORD_STEP_UNKNOWN:
	case RECORD_STEP_SEALED:
		return fold_outcome(fold, part, step, record, body, err);
	case RECORD_UNDO_DONE:
	case RECORD_UNDO_FAILED:
	case RECORD_UNDO_UNKNOWN:
	case RECORD_UNDO_SEALED:
	case RECORD_UNDO_KEPT:
	case RECORD_UNDO_STOPPED:
	case RECORD_UNDO_CONFLICT:
		return fold_undo_outcome(fold, step, part, record, body, err);
	default:
		return err_set(err, ERR_STORE,
		    "record %lld: %s is not about a step",
		    (long long)record->number, record_kind_word(record->kind));
	}
}
