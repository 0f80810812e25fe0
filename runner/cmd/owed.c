/*
 * A change that has ended and owes hosts that were away (later: 7d): may they
 * be tried, who is back, and the end of their term. The run itself is run.c's.
 */
#include "base/i18n.h"
#include "base/text.h"
#include "cmd/judged.h"
#include "cmd/running.h"
#include "rollout/run.h"

#include <string.h>
#include <unistd.h>

const char *
cmd_owed_text(struct arena *arena, const struct change_fold *fold)
{
	struct buf until = BUF_INIT;
	const char *text;

	text_put_time(&until, fold->owed_until_ms);
	text = arena_printf(arena,
	    ngettext("%d host (%s) until %.16sZ", "%d hosts (%s) until %.16sZ",
		(unsigned long)fold->owed),
	    fold->owed, fold->owed_hosts, buf_str(&until));
	buf_free(&until);
	return text;
}

bool
cmd_is_owed(const struct context *context)
{
	return context->fold.state == CHANGE_ENDED &&
	       context->change->plan->later_ms > 0 &&
	       gate_owing(context->change, &context->fold) == 0;
}

/* Names of those owed: all of them, in arena. */
static const char *
owed_names(const struct context *context)
{
	const struct change *change = context->change;
	bool *owed = arena_array(context->arena, bool, change->host_count + 1);
	struct buf names = BUF_INIT;
	const char *text;

	(void)gate_owed(change, &context->fold, owed);
	for (size_t h = 0; h < change->host_count; h++)
		if (owed[h])
			buf_printf(&names, "%s%s", names.len > 0 ? " " : "",
			    change->hosts[h].name);
	text = arena_strdup(context->arena, buf_str(&names));
	buf_free(&names);
	return text;
}

/* Their term is over: said once in the journal, whoever comes first. */
static int
owed_record_over(struct context *context, struct err *err)
{
	struct json *body = json_map(context->arena);
	struct buf text = BUF_INIT;
	struct record record = {
	    .change = context->change->number,
	    .epoch = context->fold.epoch,
	    .host = "",
	    .xid = "",
	    .life = "",
	    .kind = RECORD_LATER_OVER,
	    .actor = "hoshu",
	};
	int r;

	json_put_int(context->arena, body, "hosts",
	    gate_owed(context->change, &context->fold, NULL));
	json_put_text(context->arena, body, "text",
	    arena_printf(context->arena, "%.40000s", owed_names(context)));
	json_write(&text, body);
	record.body = buf_str(&text);
	r = journal_append_now(context->journal, &record, 1, NULL, err);
	buf_free(&text);
	return r;
}

static int
owed_over(struct context *context, int64_t until_ms, struct err *err)
{
	const char *word = context->call->words[0];
	struct lease *lease = NULL;
	struct buf until = BUF_INIT;
	int r = 0;

	if (!context->fold.later_over &&
	    (r = lease_take(context->journal, context->change->number,
		 context->project->lease_ms, &lease, err)) == 0 &&
	    (r = context_load(context, word, err)) == 0 &&
	    !context->fold.later_over)
		r = owed_record_over(context, err);
	lease_release(lease);
	text_put_time(&until, until_ms);
	if (r == 0)
		r = err_set(err, ERR_REFUSED,
		    _("%s: the time for hosts that were away was over at "
		      "%.16sZ. Not changed: %.800s. Submit the plan again for "
		      "them"),
		    word, buf_str(&until), owed_names(context));
	buf_free(&until);
	return r;
}

int
cmd_owed_begin(struct context *context, bool *over, struct err *err)
{
	const struct change_fold *fold = &context->fold;
	int64_t until_ms = 0;
	int r;

	if (gate_owed(context->change, fold, NULL) == 0) {
		*over = fold->status == EXIT_DONE;
		return 0;
	}
	if ((r = cmd_later_until(context, &until_ms, err)) < 0)
		return r;
	if (world_wall_ms(&world_real) >= until_ms)
		return owed_over(context, until_ms, err);
	return 0;
}

int
cmd_owed_prepare(struct context *context, struct cmd_way *way, struct err *err)
{
	const struct change *change = context->change;
	char name[16], why[256];
	int r;

	change_name(change->number, name);
	if (!gate_may_later(change, &context->fold, why))
		return err_set(err, ERR_REFUSED,
		    _("%s: hosts that were away are not tried by themselves: "
		      "%s. `hoshu run %s --remaining` tries them while the "
		      "approval is valid"),
		    name, why, name);
	if ((r = cmd_later_until(context, &way->owed_until_ms, err)) < 0)
		return r;
	way->back_again =
	    arena_array(context->arena, bool, change->host_count + 1);
	(void)gate_owed(change, &context->fold, way->back_again);
	way->way = "later";
	return 0;
}

int
cmd_owed_knock(struct context *context, struct cmd_way *way,
    struct lease *lease, struct err *err)
{
	const struct change *change = context->change;
	bool *answers =
	    arena_array(context->arena, bool, change->host_count + 1);
	bool any = false;
	char name[16];
	int r;

	r = run_knock(context->loop, context->fleet, change, context->reach,
	    lease, way->back_again, answers, err);
	if (r < 0)
		return r;
	for (size_t h = 0; h < change->host_count; h++)
		any = any || answers[h];
	way->back_again = answers;
	if (any)
		return 0;
	/* a timer's mail would be this line, every time */
	if (!context->call->json && isatty(STDOUT_FILENO))
		printf(_("%s: nobody is back; owed: %s\n"),
		    change_name(change->number, name),
		    cmd_owed_text(context->arena, &context->fold));
	return err_exit_status(ERR_LEFTOVER);
}
