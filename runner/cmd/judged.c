/* A change's approvals in the form that approval/ judges. */
#include "cmd/judged.h"
#include "base/i18n.h"
#include "cmd/stand.h"

void
cmd_print_solo(const struct approval_rule *rule)
{
	if (rule->solo)
		printf(_("  self-approved: this project says approvals: "
			 "solo\n"));
}

void
cmd_approval_rule(struct context *context, struct approval_rule *rule,
    struct approval **approvals, size_t *count)
{
	const struct change_fold *fold = &context->fold;
	struct statement *said = arena_new_of(context->arena, struct statement);

	change_statement(context->arena, context->change, said);
	rule->allowed_signers = context->project->approvers;
	/* as it was when submitted, or stricter now */
	rule->needed = context->change->approvals > context->project->approvals
			   ? context->change->approvals
			   : context->project->approvals;
	rule->solo = context->change->solo && context->project->solo;
	rule->submitter = fold->submitter;
	rule->change = said;
	rule->preview_wall_ms = context->change->preview_ms;
	rule->now_ms = world_wall_ms(&world_real);
	rule->later =
	    context->change->plan->later_ms > 0 &&
	    (fold->state == CHANGE_ENDED ? fold->owed > 0 : fold->later_run);
	*approvals = arena_array(
	    context->arena, struct approval, fold->approval_count + 1);
	for (size_t i = 0; i < fold->approval_count; i++) {
		(*approvals)[i].statement =
		    bytes_of(fold->approvals[i].statement);
		(*approvals)[i].signature =
		    bytes_of(fold->approvals[i].signature);
		(*approvals)[i].wall_ms = fold->approvals[i].wall_ms;
	}
	*count = fold->approval_count;
}

int
cmd_later_until(struct context *context, int64_t *until_ms, struct err *err)
{
	struct approval_rule rule;
	struct approval *approvals;
	size_t count;

	cmd_approval_rule(context, &rule, &approvals, &count);
	return approval_later_until(
	    context->arena, &rule, approvals, count, until_ms, err);
}

const char *
cmd_stand_next(struct context *context)
{
	const struct change_fold *fold = &context->fold;
	struct approval_verdict *verdicts;
	struct approval_rule rule;
	struct approval *approvals;
	struct err why = ERR_INIT;
	int persons = 0;
	size_t count;
	char name[16];

	if (fold->state != CHANGE_SUBMITTED)
		return stand_next(context->arena, context->journal, fold);
	change_name(fold->number, name);
	cmd_approval_rule(context, &rule, &approvals, &count);
	if (approval_judge(context->arena, &rule, approvals, count, &verdicts,
		&persons, &why) < 0)
		return arena_strdup(context->arena, why.text);
	return arena_printf(context->arena,
	    _("approved (%d of %d persons): hoshu run %s"), persons,
	    rule.needed, name);
}
