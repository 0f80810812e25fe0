/*
 * What a person needs who stands before a host that is not proved back: where
 * it got stuck, the scripts that lie there, the commands that go on.
 */
#include "base/i18n.h"
#include "cmd/rollback.h"

#include <string.h>

/* Where the undo scripts are on that host. */
static const char *
stuck_folder(const struct change_host *host)
{
	bool root = strcmp(host->user, "root") == 0 ||
		    strcmp(host->become, "sudo") == 0;

	return root ? "/var/lib/hoshu/undo" : "~/.local/state/hoshu/undo";
}

/* The script lies where the step ran. */
static void
stuck_script(const struct context *context, const struct change_host *host,
    const struct step *of, const struct step_fold *step)
{
	const struct change_host *place =
	    change_where(context->change, host, of);

	if (step->undo_script[0] == '\0' || plan_runs_again(of))
		return;
	printf(_("        by hand%s%s: sh %s/%.16s.sh\n"),
	    place != host ? _(", on ") : "", place != host ? place->name : "",
	    stuck_folder(place), step->undo_script);
	if (step->undo == UNDO_CONFLICT)
		printf(_("          it overwrites what was done there since: "
			 "look first\n"));
}

static const char *
stuck_gone(const struct context *context, const struct part_fold *part,
    const struct change_host *host)
{
	const struct plan *plan = context->change->plan;

	for (int id = 1; id <= plan->last_id; id++)
		if (plan->by_id[id]->phase == part->phase &&
		    host->steps[id].place >= 0)
			return _("it, or a place of its steps, can not be "
				 "reached");
	return _("can not be reached");
}

void
cmd_put_unknown(struct buf *out, const struct context *context,
    const struct part_fold *part, int id)
{
	const struct change *change = context->change;
	const struct change_host *host =
	    change_part_host(change, (int)(part - context->fold.parts));
	const struct step *step = change->plan->by_id[id];
	const struct change_host *where = change_where(change, host, step);
	char name[16];

	if (!fold_part_rests(part) || step->phase != part->phase ||
	    (part->steps[id].state != STEP_UNKNOWN &&
		part->steps[id].undo != UNDO_UNKNOWN))
		return;
	buf_printf(out,
	    _("      look there%s%s, then: hoshu settle %s %s %d "
	      "done|not-done --because ...\n"),
	    where != host ? _(", on ") : "", where != host ? where->name : "",
	    change_name(change->number, name), host->name, id);
}

/* What each step that is not behind us says; the last one first, as a person
 * would take them back. */
static void
stuck_steps(const struct context *context, const struct part_fold *part,
    const struct change_host *host)
{
	const struct plan *plan = context->change->plan;

	for (int id = plan->last_id; id >= 1; id--) {
		const struct step_fold *step = &part->steps[id];
		const struct step *of = plan->by_id[id];
		const char *undo = undo_state_word(step->undo);
		struct buf text = BUF_INIT;

		if (of->phase != part->phase || step->undo == UNDO_DONE ||
		    ((step->undo == UNDO_KEPT || of->of_rollback) &&
			step->state != STEP_UNKNOWN) ||
		    (step->state != STEP_DONE && step->state != STEP_FAILED &&
			step->state != STEP_UNKNOWN &&
			step->state != STEP_OPEN))
			continue;
		printf("      %d %s: %s%s%s\n", id, of->name,
		    _(step_state_word(step->state)),
		    undo[0] != '\0' ? ", " : "",
		    undo[0] != '\0' ? _(undo) : "");
		stuck_script(context, host, of, step);
		if (!step->unasked)
			cmd_put_unknown(&text, context, part, id);
		fputs(buf_str(&text), stdout);
		buf_free(&text);
	}
}

void
cmd_print_stuck(const struct context *context)
{
	const struct change *change = context->change;
	const struct change_fold *fold = &context->fold;
	bool any = false;
	char name[16];

	change_name(change->number, name);
	for (size_t i = 0; i < fold->part_count; i++) {
		const struct part_fold *part = &fold->parts[i];

		if (part->state != HOST_STUCK && part->state != HOST_LOST)
			continue;
		if (!any)
			printf(_("\nnot proved back:\n"));
		any = true;
		printf("  %-12s %s\n", part->host->name,
		    part->gone ? stuck_gone(context, part,
				     change_part_host(change, (int)i))
			       : _(host_state_word(part->state)));
		stuck_steps(context, part, change_part_host(change, (int)i));
	}
	if (any)
		printf(_("next: when it can be reached, or what stands in the "
			 "way is mended: hoshu run %s\n"
			 "      asks what became of it, tries again and proves "
			 "it\n"),
		    name);
}
