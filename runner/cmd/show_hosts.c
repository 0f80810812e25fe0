/*
 * What became of each host. Hosts of which the very same is to be said, and no
 * reason, stand together, as in the preview; of a thousand nobody would find
 * the one that failed.
 */
#include "cmd/show_hosts.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cmd/rollback.h"
#include "cmd/why.h"
#include "rollout/gate.h"

#include <string.h>

enum { NAMES_SHOWN = 12 };

struct show_group {
	const char *text; /* what is said of each, its name left out */
	const char *names[NAMES_SHOWN];
	size_t count;
	bool alone; /* a person must look at it */
};

static void
show_step(const struct context *context, const struct part_fold *part, int id,
    struct buf *out)
{
	const struct step_fold *step = &part->steps[id];
	const struct step *of = context->change->plan->by_id[id];
	const char *undo = undo_state_word(step->undo);
	bool there = step->state != STEP_WAITING;

	if (of->phase != part->phase || (!there && step->undo == UNDO_WAITING))
		return;
	/* handlers and around: nothing of theirs is undone */
	if (step->undo == UNDO_DONE && plan_runs_again(of))
		undo = N_("ran on the way back");
	buf_printf(out, "      %d %s: %s%s%s\n", id, of->name,
	    there ? _(step_state_word(step->state)) : "",
	    there && undo[0] != '\0' ? ", " : "",
	    undo[0] != '\0' ? _(undo) : "");
}

/* What only a person can say; of those that are not proved back the list behind
 * says it. */
static void
show_unknown(const struct context *context, const struct part_fold *part,
    struct buf *out)
{
	for (int id = 1; id <= context->change->plan->last_id; id++)
		if (part->state == HOST_FAILED || part->steps[id].unasked)
			cmd_put_unknown(out, context, part, id);
}

/* Waves are numbered anew in each phase. */
static int
show_wave_number(const struct context *context, int wave)
{
	const struct change_wave *waves = context->change->waves;
	int number = 1;

	for (int w = wave - 1; w > 0 && waves[w - 1].phase == waves[w].phase;
	     w--)
		number++;
	return number;
}

bool
show_is_owed(const struct context *context)
{
	const struct change_fold *fold = &context->fold;

	return fold->state == CHANGE_ENDED && fold->owed > 0 &&
	       !fold->later_over && !fold->aborted &&
	       gate_owed(context->change, fold, NULL) > 0;
}

/* "wave 2  done" and its steps. */
static void
show_part(const struct context *context, const struct part_fold *part,
    const char *why, struct show_group *group)
{
	const struct change_fold *fold = &context->fold;
	struct buf text = BUF_INIT;

	buf_printf(&text, _("wave %d  %s"),
	    show_wave_number(context, part->wave),
	    _(cmd_part_word(fold, part)));
	if (part->state == HOST_UNREACHABLE && show_is_owed(context))
		buf_puts(&text, _(", owed"));
	buf_putc(&text, '\n');
	if (why != NULL)
		buf_printf(&text, _("      why: %s\n"), why);
	for (int id = 1; id <= fold->act_count; id++)
		show_step(context, part, id, &text);
	show_unknown(context, part, &text);
	group->alone = why != NULL || fold_holds_place(part->state);
	group->text = arena_strdup(context->arena, buf_str(&text));
	group->names[0] = part->host->name;
	group->count = 1;
	buf_free(&text);
}

static void
show_group(const struct context *context, const struct show_group *group)
{
	size_t head = strcspn(group->text, "\n") + 1;
	const char *who = group->names[0];

	if (group->count > 1)
		who = arena_printf(context->arena,
		    ngettext("%zu host", "%zu hosts", group->count),
		    group->count);
	printf("  %-*s %.*s", text_pad(who, 12), who, (int)head, group->text);
	if (group->count > 1) {
		fputs("     ", stdout);
		for (size_t i = 0; i < group->count && i < NAMES_SHOWN; i++)
			printf(" %s", group->names[i]);
		if (group->count > NAMES_SHOWN)
			printf(_(" and %zu more"), group->count - NAMES_SHOWN);
		putchar('\n');
	}
	fputs(group->text + head, stdout);
}

static struct show_group *
show_find(struct show_group *groups, size_t count, const char *text)
{
	for (size_t g = 0; g < count; g++)
		if (!groups[g].alone && strcmp(groups[g].text, text) == 0)
			return &groups[g];
	return NULL;
}

/* Groups in the order of their first host. */
static void
show_phase(const struct context *context, size_t phase, const char *const *why)
{
	const struct change_fold *fold = &context->fold;
	struct show_group *groups =
	    arena_array(context->arena, struct show_group, fold->host_count);
	size_t count = 0;

	for (size_t i = 0; i < fold->part_count; i++) {
		struct show_group *made = &groups[count], *same = NULL;

		if (fold->parts[i].phase != (int)phase)
			continue;
		show_part(context, &fold->parts[i], why[i], made);
		if (!made->alone)
			same = show_find(groups, count, made->text);
		if (same == NULL)
			count++;
		else if (same->count++ < NAMES_SHOWN)
			same->names[same->count - 1] = made->names[0];
	}
	for (size_t g = 0; g < count; g++)
		show_group(context, &groups[g]);
}

void
show_hosts(const struct context *context, const char *const *why)
{
	const struct plan *plan = context->change->plan;

	if (context->fold.epoch == 0)
		return;
	printf(_("\nhosts:\n"));
	for (size_t p = 0; p < plan->phase_count; p++) {
		if (plan->phases[p].name[0] != '\0')
			printf(
			    _("phase %zu, %s:\n"), p + 1, plan->phases[p].name);
		show_phase(context, p, why);
	}
	cmd_print_stuck(context);
}
