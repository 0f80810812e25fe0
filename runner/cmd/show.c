/* hoshu show: one change: what it is, who approved it, how far it is. */
#include "preview/preview.h"
#include "base/i18n.h"
#include "base/said.h"
#include "base/text.h"
#include "cmd/context.h"
#include "cmd/judged.h"
#include "cmd/previewed.h"
#include "cmd/rollback.h"
#include "cmd/settled.h"
#include "cmd/show_hosts.h"
#include "cmd/show_output.h"
#include "cmd/stand.h"
#include "cmd/table.h"
#include "cmd/why.h"
#include "rollout/gate.h"

#include <string.h>

/* How long hosts that are away may be changed. */
static void
show_later(struct context *context)
{
	int64_t later_ms = context->change->plan->later_ms, until_ms = 0;
	struct err why = ERR_INIT;
	struct buf until = BUF_INIT;

	if (later_ms == 0)
		return;
	if (cmd_later_until(context, &until_ms, &why) == 0) {
		text_put_time(&until, until_ms);
		printf(_("  hosts that are away may be changed until %.16sZ "
			 "without another approval\n"),
		    buf_str(&until));
	} else if (context->fold.state == CHANGE_SUBMITTED) {
		text_put_time(&until, world_wall_ms(&world_real) + later_ms);
		printf(_("  approved now, hosts that are away may be changed "
			 "until %.16sZ without another approval\n"),
		    buf_str(&until));
	}
	buf_free(&until);
}

static void
show_approvals(struct context *context)
{
	struct approval_rule rule;
	struct approval *approvals;
	struct approval_verdict *verdicts = NULL;
	struct err why = ERR_INIT;
	size_t count;
	int persons = 0, r;

	cmd_approval_rule(context, &rule, &approvals, &count);
	r = approval_judge(
	    context->arena, &rule, approvals, count, &verdicts, &persons, &why);
	printf(_("\napprovals: %d of %d persons, submitted by %s\n"), persons,
	    rule.needed, context->fold.submitter);
	for (size_t i = 0; verdicts != NULL && i < count; i++) {
		const char *word =
		    verdicts[i].rejects ? _("rejects") : _("approves");
		struct buf when = BUF_INIT;

		text_put_time(&when, approvals[i].wall_ms);
		printf("  %s  %-*s %s  %s%s%s\n", buf_str(&when),
		    text_pad(word, 8), word, verdicts[i].person,
		    verdicts[i].fingerprint,
		    verdicts[i].counts ? "" : _("  does not count: "),
		    verdicts[i].counts ? "" : verdicts[i].why_not);
		buf_free(&when);
	}
	if (r < 0)
		printf("  %s\n", why.text);
	cmd_print_solo(&rule);
	show_later(context);
}

static void
show_state(struct context *context)
{
	const struct change_fold *fold = &context->fold;
	char name[16], unused[256];
	const char *held = stand_held(context->arena, fold);
	const char *next = cmd_stand_next(context);
	struct gate_result now;

	printf(_("\nstate: %s"), _(change_state_word(fold->state)));
	if (fold->state == CHANGE_ENDED)
		printf(
		    _(", %s (exit status %d)"), _(fold->result), fold->status);
	gate_result_of(context->change, fold, &now);
	if (fold->state == CHANGE_ENDED && now.in_part)
		printf(_("; %d of %zu hosts are back, %d stand done"),
		    now.reverted, fold->host_count, now.done);
	if (cmd_settled_now(context, &now))
		printf(_("; as it was settled since: %s (exit status %d)"),
		    _(now.word), now.status);
	if (fold->limit_reached) {
		struct buf text = BUF_INIT;

		said_put(&text, fold->limit_text);
		printf(_("; stop rule: %s"), buf_str(&text));
		buf_free(&text);
	}
	if (held != NULL && fold->state != CHANGE_REJECTED)
		printf("; %s", held);
	printf(_("\ndigest: %s\n"), context->change->digest);
	if (fold->state == CHANGE_ENDED && fold->later_over)
		printf(_("the time for hosts that were away is over: %d were "
			 "not changed\n"),
		    gate_owed(context->change, fold, NULL));
	if (next != NULL &&
	    (fold->state != CHANGE_ENDED || show_is_owed(context)))
		printf(_("now: %s\n"), next);
	else if (fold->state == CHANGE_ENDED &&
		 gate_remaining(context->change, fold, unused) > 0)
		printf(_("next: mend the hosts left over, then hoshu run %s "
			 "--remaining, under the same approval\n"),
		    change_name(fold->number, name));
}

static struct json *
show_json_part(
    struct context *context, const struct part_fold *part, const char *why)
{
	struct arena *arena = context->arena;
	const struct plan *plan = context->change->plan;
	struct json *item = json_map(arena), *steps = json_list(arena);

	json_put_text(arena, item, "name", part->host->name);
	json_put_text(arena, item, "phase", plan->phases[part->phase].name);
	json_put_int(arena, item, "wave", part->wave);
	json_put_text(arena, item, "state", host_state_word(part->state));
	json_put_text(arena, item, "why", why != NULL ? why : "");
	for (int id = 1; id <= plan->last_id; id++) {
		const struct step_fold *fold = &part->steps[id];
		struct json *step;

		if (plan->by_id[id]->phase != part->phase)
			continue;
		step = json_add(arena, steps, json_map(arena));
		json_put_int(arena, step, "id", id);
		json_put_text(
		    arena, step, "state", step_state_word(fold->state));
		json_put_text(arena, step, "undo", undo_state_word(fold->undo));
		json_put_int(arena, step, "attempts", fold->attempts);
	}
	json_put(arena, item, "steps", steps);
	return item;
}

/* What was asked so far, and what became of it. */
static struct json *
show_json_asks(struct arena *arena, const struct change_fold *fold)
{
	static const char *const words[] = {"open", "yes", "no"};
	struct json *list = json_list(arena);

	for (size_t i = 0; i < fold->ask_count; i++) {
		const struct ask_fold *ask = &fold->asks[i];
		struct json *item = json_add(arena, list, json_map(arena));

		json_put_int(arena, item, "phase", ask->phase + 1);
		json_put_text(arena, item, "of", ask->of);
		json_put_text(arena, item, "say", ask->say);
		json_put_int(arena, item, "until_ms", ask->until_ms);
		json_put_bool(arena, item, "over", ask->over);
		json_put_text(arena, item, "answer", words[ask->answer]);
		json_put_text(arena, item, "by", ask->by);
		json_put_text(arena, item, "because", ask->because);
	}
	return list;
}

static void
show_json(struct context *context, const char *const *why)
{
	const struct change_fold *fold = &context->fold;
	struct arena *arena = context->arena;
	struct json *map = json_map(arena), *hosts = json_list(arena);
	struct buf text = BUF_INIT;
	struct gate_result now;
	char name[16];

	json_put_text(arena, map, "change", change_name(fold->number, name));
	json_put_text(arena, map, "title", fold->title);
	json_put_text(arena, map, "digest", context->change->digest);
	json_put_text(arena, map, "state", change_state_word(fold->state));
	json_put_text(arena, map, "result", fold->result);
	json_put_int(arena, map, "status", fold->status);
	if (cmd_settled_now(context, &now)) {
		json_put_text(arena, map, "now", now.word);
		json_put_int(arena, map, "now_status", now.status);
	}
	json_put_text(arena, map, "submitter", fold->submitter);
	json_put_int(arena, map, "approvals", (int64_t)fold->approval_count);
	if (context->change->plan->later_ms > 0) {
		json_put_int(arena, map, "owed", fold->owed);
		json_put_int(arena, map, "owed_until_ms", fold->owed_until_ms);
		json_put_bool(arena, map, "later_over", fold->later_over);
	}
	for (size_t i = 0; i < fold->part_count; i++)
		json_add(arena, hosts,
		    show_json_part(context, &fold->parts[i], why[i]));
	json_put(arena, map, "hosts", hosts);
	json_put(arena, map, "asked", show_json_asks(arena, fold));
	json_put(arena, map, "preview", preview_json(arena, context->change));
	json_write(&text, map);
	puts(buf_str(&text));
	buf_free(&text);
}

static int
show_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	const char **why;
	int r;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = context_journal(&context, JOURNAL_READ, err)) < 0 ||
	    (r = context_load(&context, call->words[0], err)) < 0)
		goto out;
	if (cmd_given(call, "output") != NULL) {
		r = show_output(&context,
		    call->word_count > 1 ? call->words[1] : NULL, err);
		goto out;
	}
	if (call->word_count > 1) {
		r = err_set(err, ERR_USAGE,
		    _("show: '%s' is one word too many; a host, or HOST:STEP, "
		      "goes with --output"),
		    call->words[1]);
		goto out;
	}
	if ((r = cmd_why(&context, &why, err)) < 0)
		goto out;
	if (call->json) {
		show_json(&context, why);
		goto out;
	}
	r = cmd_print_preview(
	    &context, cmd_given(call, "scripts") != NULL, err);
	if (r < 0)
		goto out;
	show_approvals(&context);
	show_state(&context);
	show_hosts(&context, why);
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_show = {
    .name = "show",
    .args = "CHG [HOST[:STEP]]",
    .summary = N_("one change: preview, approvals, every host and step"),
    .examples = "  hoshu show CHG-0007\n"
		"  hoshu show CHG-0007 --scripts\n"
		"  hoshu show CHG-0007 --output web1:3\n",
    .options = {{"scripts", NULL, N_("show the exact scripts, there and back"),
		    false},
	{"output", NULL, N_("show what its steps printed"), false}},
    .min_words = 1,
    .max_words = 2,
    .run = show_run,
};
