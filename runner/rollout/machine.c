/*
 * The step machine; see machine.h. Pure: no I/O, no clock.
 */
#include "rollout/machine.h"
#include "rollout/guard.h"

/* A host that says "never ran" for ever would be asked for ever. */
enum { SEALED_MAX = 5 };

static void
act_set(struct act *act, enum act_kind kind, int step)
{
	act->kind = kind;
	act->step = step;
}

/* Settle before launch: an open ticket comes before anything else. */
static bool
machine_open(
    const struct plan *plan, const struct part_fold *part, struct act *act)
{
	for (int id = 1; id <= plan->last_act; id++) {
		const struct step_fold *step = &part->steps[id];

		if (plan->by_id[id]->phase != part->phase ||
		    (step->state != STEP_OPEN && step->undo != UNDO_OPEN))
			continue;
		act_set(act, ACT_SETTLE, id);
		return true;
	}
	return false;
}

static bool
machine_notifies(const struct step *step, int handler)
{
	for (size_t i = 0; i < step->notify_count; i++)
		if (step->notify[i] == handler)
			return true;
	return false;
}

/* Was there an intent that the way back must look at? */
static bool
machine_acted(const struct step_fold *step)
{
	return step->state == STEP_DONE || step->state == STEP_FAILED ||
	       step->state == STEP_UNKNOWN;
}

/* Undone: by its undo, by its rollback steps, or found undone by somebody
 * else after the handler had run for it. */
static bool
machine_undone(const struct step *step, const struct part_fold *part,
    const struct step *handler)
{
	const struct step_fold *fold = &part->steps[step->id];

	if (fold->undo != UNDO_DONE)
		return false;
	if (fold->undo_attempts > 0 || machine_acted(&part->steps[handler->id]))
		return true;
	for (size_t i = 0; i < step->back_count; i++)
		if (machine_acted(&part->steps[step->back_steps[i].id]))
			return true;
	return false;
}

bool
machine_owed(const struct plan *plan, const struct part_fold *part,
    const struct step *handler, bool back)
{
	for (int id = 1; id <= plan->last_id; id++) {
		const struct step *step = plan->by_id[id];

		if (!machine_notifies(step, handler->id))
			continue;
		if (back ? machine_undone(step, part, handler)
			 : part->steps[id].state == STEP_DONE)
			return true;
	}
	return false;
}

bool
machine_has_way_back(const struct plan *plan, const struct part_fold *part)
{
	for (int id = 1; id <= plan->last_id; id++)
		if (plan->by_id[id]->phase == part->phase &&
		    (machine_acted(&part->steps[id]) ||
			part->steps[id].state == STEP_OPEN))
			return true;
	return guard_of_part(plan, part) != NULL;
}

/* One step or handler on the way there; true when it needs something. */
static bool
machine_forward_step(
    const struct step *step, const struct step_fold *fold, struct act *act)
{
	bool again = fold->state == STEP_WAITING ||
		     (fold->state == STEP_FAILED &&
			 fold->attempts - fold->sealed <= step->retry_times);

	if (again && fold->sealed < SEALED_MAX)
		act_set(act, ACT_STEP, step->id);
	else if (again || fold->state == STEP_FAILED ||
		 fold->state == STEP_UNKNOWN)
		act_set(act, ACT_FAIL, step->id);
	else
		return false;
	return true;
}

/* What was entered is left when the checks have passed. */
static bool
machine_leave(
    const struct phase *phase, const struct part_fold *part, struct act *act)
{
	for (size_t i = 0; i < phase->leave_count; i++)
		if (machine_forward_step(&phase->leave[i],
			&part->steps[phase->leave[i].id], act))
			return true;
	return false;
}

static void
machine_forward(const struct plan *plan, const struct part_fold *part,
    const struct host_now *now, struct act *act)
{
	const struct phase *phase = &plan->phases[part->phase];

	if (!part->touched && !now->before_ok) {
		act_set(act, ACT_CHECK_BEFORE, 0);
		return;
	}
	if (!part->touched && !now->drift_ok) {
		act_set(act, ACT_DRIFT, 0);
		return;
	}
	for (size_t i = 0; i < phase->order_count; i++) {
		const struct step *step = phase->order[i];

		if (step->guard != NULL &&
		    guard_before(step->guard, part, now, act))
			return;
		if ((!step->handler || machine_owed(plan, part, step, false)) &&
		    machine_forward_step(step, &part->steps[step->id], act))
			return;
		if (step->guard != NULL &&
		    (i + 1 == phase->order_count ||
			phase->order[i + 1]->guard != step->guard) &&
		    guard_behind(step->guard, part, now, act))
			return;
	}
	if (part->touched && !now->synced)
		act_set(act, ACT_SYNC, 0);
	else if (!now->after_ok)
		act_set(act, ACT_CHECK_AFTER, 0);
	else if (!machine_leave(phase, part, act))
		act_set(act, ACT_DONE, 0);
}

/* rollback: [steps] of one step: the first that is not done, else prove. */
static void
machine_back_steps(
    const struct step *step, const struct part_fold *part, struct act *act)
{
	for (size_t i = 0; i < step->back_count; i++) {
		const struct step *back = &step->back_steps[i];

		if (!machine_forward_step(back, &part->steps[back->id], act))
			continue;
		if (act->kind == ACT_FAIL)
			act_set(act, ACT_STUCK, back->id);
		return;
	}
	act_set(act, ACT_PROVE, step->id);
}

/* One step on the way back; false when it is behind us. */
static bool
machine_back_step(
    const struct step *step, const struct part_fold *part, struct act *act)
{
	const struct step_fold *fold = &part->steps[step->id];

	if (!machine_acted(fold))
		return false;
	switch (fold->undo) {
	case UNDO_DONE:
	case UNDO_KEPT:
		return false;
	case UNDO_FAILED:
	case UNDO_UNKNOWN:
	case UNDO_STOPPED:
	case UNDO_CONFLICT:
	case UNDO_OPEN:
		act_set(act, ACT_STUCK, step->id);
		return true;
	case UNDO_WAITING: /* every attempt so far never ran */
		if (fold->undo_sealed < SEALED_MAX)
			break;
		act_set(act, ACT_STUCK, step->id);
		return true;
	}
	switch (step->back) {
	case STEP_BACK_DERIVED:
		act_set(act, ACT_UNDO, step->id);
		break;
	case STEP_BACK_STEPS:
		machine_back_steps(step, part, act);
		break;
	case STEP_BACK_KEEP:
		act_set(act, ACT_KEEP, step->id);
		break;
	case STEP_BACK_STOP:
		act_set(act, ACT_STOP, step->id);
		break;
	}
	return true;
}

/* A step that was kept although nobody knows whether it took effect, or a
 * handler that is not owed again (its notifier was kept), or 0: going past it
 * is right, calling the host proved back is not. */
static int
machine_kept_unknown(const struct plan *plan, const struct part_fold *part)
{
	for (int id = 1; id <= plan->last_id; id++) {
		const struct step_fold *fold = &part->steps[id];

		if (plan->by_id[id]->phase == part->phase &&
		    fold->state == STEP_UNKNOWN &&
		    (fold->undo == UNDO_KEPT ||
			(plan->by_id[id]->handler && fold->undo != UNDO_DONE)))
			return id;
	}
	return 0;
}

/* A step that was asked and runs on: nothing is undone beside it. */
static bool
machine_runs_on(
    const struct plan *plan, const struct part_fold *part, struct act *act)
{
	for (int id = 1; id <= plan->last_id; id++) {
		const struct step_fold *step = &part->steps[id];

		if (plan->by_id[id]->phase != part->phase || !step->unasked ||
		    (step->state != STEP_UNKNOWN && step->undo != UNDO_UNKNOWN))
			continue;
		act_set(act, ACT_STUCK, id);
		return true;
	}
	return false;
}

/* A step that runs again on the way back; true when it has not yet. */
static bool
machine_again(
    const struct step *step, const struct part_fold *part, struct act *act)
{
	const struct step_fold *fold = &part->steps[step->id];

	if (fold->undo == UNDO_DONE)
		return false;
	act_set(act,
	    fold->undo == UNDO_WAITING && fold->undo_sealed < SEALED_MAX
		? ACT_UNDO
		: ACT_STUCK,
	    step->id);
	return true;
}

/* Was anything touched but what stands around? */
static bool
machine_inside(const struct phase *phase, const struct part_fold *part)
{
	for (size_t i = 0; i < phase->step_count; i++)
		if (machine_acted(&part->steps[phase->steps[i].id]))
			return true;
	return false;
}

/* Entered again before anything is undone: on the way there it may have been
 * left already. */
static bool
machine_enter_back(
    const struct phase *phase, const struct part_fold *part, struct act *act)
{
	if (!machine_inside(phase, part))
		return false;
	for (size_t i = 0; i < phase->enter_count; i++)
		if (machine_again(&phase->enter[i], part, act))
			return true;
	return false;
}

static bool
machine_leave_back(
    const struct phase *phase, const struct part_fold *part, struct act *act)
{
	for (size_t i = 0; i < phase->leave_count; i++)
		if (machine_again(&phase->leave[i], part, act))
			return true;
	return false;
}

static void
machine_back(const struct plan *plan, const struct part_fold *part,
    const struct host_now *now, struct act *act)
{
	const struct phase *phase = &plan->phases[part->phase];

	if (guard_back(plan, part, act) || machine_runs_on(plan, part, act) ||
	    machine_enter_back(phase, part, act))
		return;
	for (size_t i = phase->step_count; i-- > 0;)
		if (machine_back_step(&phase->steps[i], part, act))
			return;
	for (size_t i = 0; i < phase->order_count; i++)
		if (phase->order[i]->handler &&
		    machine_owed(plan, part, phase->order[i], true) &&
		    machine_again(phase->order[i], part, act))
			return;
	if (!now->synced)
		act_set(act, ACT_SYNC, 0);
	else if (!now->after_ok)
		act_set(act, ACT_CHECK_AFTER, 0);
	else if (machine_kept_unknown(plan, part) > 0)
		act_set(act, ACT_STUCK, machine_kept_unknown(plan, part));
	else if (!machine_leave_back(phase, part, act))
		act_set(act, ACT_REVERTED, 0);
}

void
machine_next(const struct plan *plan, const struct part_fold *part,
    const struct host_now *now, bool back, struct act *act)
{
	bool open = machine_open(plan, part, act);

	if (back && !part->touched) /* it need not even be reached */
		act_set(act, ACT_REVERTED, 0);
	else if (!now->connected)
		act_set(act, ACT_CONNECT, 0);
	else if (!open && back)
		machine_back(plan, part, now, act);
	else if (!open)
		machine_forward(plan, part, now, act);
}

const char *
machine_act_word(enum act_kind kind)
{
	static const char *const words[] = {"connect", "settle", "check-before",
	    "drift", "step", "sync", "check-after", "done", "fail", "undo",
	    "prove", "keep", "stop", "reverted", "stuck", "guard", "login",
	    "check-guard"};

	return words[kind];
}
