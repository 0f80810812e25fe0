/*
 * The dead-man in the step machine; see guard.h. Pure: no I/O, no clock.
 */
#include "rollout/guard.h"
#include "base/i18n.h"

/* Times that a host is asked the same before a person must look. */
enum { GUARD_ASKS_MAX = 50, GUARD_SEALED_MAX = 5 };

/* As remote/guard.sh ends. */
enum guard_says {
	GUARD_IS_ARMED = 90,
	GUARD_IS_REVERTED,
	GUARD_IS_REVERTED_BADLY,
	GUARD_IS_REVERTING,
	GUARD_IS_NONE,
	GUARD_IS_CONFIRMED,
	GUARD_IS_DISARMED,
};

static const struct step_fold *
act_fold(
    const struct guard *guard, const struct part_fold *part, enum guard_act act)
{
	return &part->steps[guard->acts[act].id];
}

static bool
act_set(struct act *out, enum act_kind kind, const struct guard *guard,
    enum guard_act act)
{
	out->kind = kind;
	out->step = guard->acts[act].id;
	return true;
}

static bool
was_armed(const struct guard *guard, const struct part_fold *part)
{
	switch (act_fold(guard, part, GUARD_ARM)->state) {
	case STEP_OPEN:
	case STEP_DONE:
	case STEP_FAILED:
	case STEP_UNKNOWN:
		return true;
	case STEP_WAITING:
	case STEP_SAME:
	case STEP_SKIPPED:
		return false;
	}
	bug("step state");
}

bool
guard_stands(const struct guard *guard, const struct part_fold *part)
{
	return guard->phase == part->phase && was_armed(guard, part) &&
	       act_fold(guard, part, GUARD_CONFIRM)->state != STEP_DONE &&
	       act_fold(guard, part, GUARD_BACK)->state != STEP_DONE;
}

const struct guard *
guard_of_part(const struct plan *plan, const struct part_fold *part)
{
	for (size_t g = 0; g < plan->guard_count; g++)
		if (guard_stands(plan->guards[g], part))
			return plan->guards[g];
	return NULL;
}

bool
guard_before(const struct guard *guard, const struct part_fold *part,
    const struct host_now *now, struct act *act)
{
	const struct step_fold *arm = act_fold(guard, part, GUARD_ARM);
	const struct step_fold *ask = act_fold(guard, part, GUARD_ASK);

	if (arm->sealed >= GUARD_SEALED_MAX)
		return act_set(act, ACT_FAIL, guard, GUARD_ARM);
	if (!guard_stands(guard, part))
		return false;
	if (arm->state != STEP_DONE)
		return act_set(act, ACT_FAIL, guard, GUARD_ARM);
	if (ask->state == STEP_FAILED || ask->attempts >= GUARD_ASKS_MAX)
		return act_set(act, ACT_FAIL, guard, GUARD_ASK);
	/* It may have gone back while nobody was there. */
	if (!now->guard_asked)
		return act_set(act, ACT_GUARD, guard, GUARD_ASK);
	return false;
}

bool
guard_behind(const struct guard *guard, const struct part_fold *part,
    const struct host_now *now, struct act *act)
{
	const struct step_fold *confirm = act_fold(guard, part, GUARD_CONFIRM);

	if (!guard_stands(guard, part))
		return false;
	if (confirm->state == STEP_FAILED ||
	    confirm->attempts >= GUARD_ASKS_MAX)
		return act_set(act, ACT_FAIL, guard, GUARD_CONFIRM);
	/* An old session outlives a broken sshd and a firewall. */
	if (!now->fresh)
		return act_set(act, ACT_LOGIN, guard, GUARD_CONFIRM);
	if (!now->guard_ok)
		return act_set(act, ACT_CHECK_GUARD, guard, GUARD_CONFIRM);
	return act_set(act, ACT_GUARD, guard, GUARD_CONFIRM);
}

bool
guard_back(
    const struct plan *plan, const struct part_fold *part, struct act *act)
{
	const struct guard *guard = guard_of_part(plan, part);
	const struct step_fold *back;

	if (guard == NULL)
		return false;
	back = act_fold(guard, part, GUARD_BACK);
	if (back->attempts - back->attempts_before >= GUARD_ASKS_MAX)
		return act_set(act, ACT_STUCK, guard, GUARD_BACK);
	return act_set(act, ACT_GUARD, guard, GUARD_BACK);
}

bool
guard_is_last(const struct plan *plan, const struct guard *guard)
{
	const struct phase *phase = &plan->phases[guard->phase];

	return phase->steps[phase->step_count - 1].guard == guard;
}

static void
judge_set(struct guard_judgement *out, enum record_kind kind, const char *word,
    const char *why)
{
	out->judged.kind = kind;
	out->judged.why = why;
	out->word = word;
}

/* The host said so by its exit status, in words that all acts share. */
static void
judge_answer(enum guard_act act, int rc, struct guard_judgement *out)
{
	/* on the way back any end of it will do: the steps are looked at */
	enum record_kind over =
	    act == GUARD_BACK ? RECORD_STEP_DONE : RECORD_STEP_FAILED;

	switch (rc) {
	case GUARD_IS_ARMED:
		judge_set(out, RECORD_STEP_FAILED, "armed",
		    N_("the host could not settle it; it is armed still"));
		return;
	case GUARD_IS_REVERTED:
		judge_set(out, over, "reverted",
		    N_("nobody had called it off in time: the host took its "
		       "steps back by itself"));
		return;
	case GUARD_IS_REVERTED_BADLY:
		judge_set(out, over, "reverted",
		    N_("the host took its steps back by itself, and a script "
		       "of that failed"));
		return;
	case GUARD_IS_REVERTING:
		judge_set(out, RECORD_STEP_FAILED, "reverting",
		    N_("the host is taking its steps back by itself"));
		return;
	case GUARD_IS_NONE:
		judge_set(out, over, "none",
		    N_("the host knows of no such dead-man"));
		return;
	case GUARD_IS_CONFIRMED: /* asked: its confirmation was lost on the way */
		judge_set(out, RECORD_STEP_DONE, "confirmed",
		    N_("the host says that it was called off before"));
		return;
	case GUARD_IS_DISARMED:
		judge_set(out, RECORD_STEP_FAILED, "disarmed",
		    N_("its timer does not run any more; somebody else ended "
		       "it"));
		return;
	default:
		if (act == GUARD_ARM)
			judge_set(out, RECORD_STEP_FAILED, "none",
			    N_("the host could not arm it; its output says "
			       "why"));
		else
			judge_set(out, RECORD_STEP_FAILED, "unknown",
			    N_("the host gave no answer that makes sense"));
		return;
	}
}

void
guard_judge(enum guard_act act, const struct outcome *outcome,
    struct guard_judgement *out)
{
	static const char *const asked[] = {
	    "armed", "armed", "confirmed", "reverted"};
	struct seen none = {0};

	judge_step(outcome, &none, &out->judged);
	out->word = "unknown";
	if (out->judged.kind == RECORD_STEP_DONE)
		judge_set(out, RECORD_STEP_DONE, asked[act], "");
	else if (out->judged.kind == RECORD_STEP_FAILED && outcome->known &&
		 outcome->verdict == VERDICT_DONE && !outcome->stopped)
		judge_answer(act, outcome->rc, out);
}

const char *
guard_trouble(const struct step *act, const struct step_fold *fold)
{
	switch (plan_guard_act(act)) {
	case GUARD_ARM:
		return N_("the dead-man could not be armed, so nothing under "
			  "it was done");
	case GUARD_ASK:
	case GUARD_CONFIRM:
		if (fold->state == STEP_FAILED)
			return N_("the dead-man was not called off in time, "
				  "or the host could not settle it");
		return N_("the host does not say whether its dead-man was "
			  "called off");
	case GUARD_BACK:
	case GUARD_ACTS:
		break;
	}
	return N_("the host does not say what its dead-man took back; look "
		  "at the host");
}
