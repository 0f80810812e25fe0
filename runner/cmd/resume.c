/* hoshu resume: lift a pause. Where a process still runs the change, that one
 * goes on; otherwise this one does, as `hoshu run` would. */
#include "base/i18n.h"
#include "cmd/running.h"
#include "cmd/table.h"

static int
resume_refuse(const struct context *context, struct err *err)
{
	const struct change_fold *fold = &context->fold;
	char name[16];

	change_name(fold->number, name);
	if (fold->state != CHANGE_RUNNING && fold->state != CHANGE_BACK)
		return err_set(err, ERR_REFUSED,
		    _("%s is %s: there is nothing to resume"), name,
		    _(change_state_word(fold->state)));
	if (!fold->paused)
		return err_set(err, ERR_REFUSED,
		    _("%s is not paused; `hoshu run %s` goes on where it was "
		      "interrupted"),
		    name, name);
	return 0;
}

static int
resume_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	struct lease_seen seen;
	const char *because;
	char name[16];
	int r;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = cmd_because(call, false, &because, err)) < 0 ||
	    (r = context_journal(&context, JOURNAL_WRITE, err)) < 0 ||
	    (r = context_load(&context, call->words[0], err)) < 0 ||
	    (r = resume_refuse(&context, err)) < 0 ||
	    (r = cmd_say_beside(&context, RECORD_RESUMED, because, err)) < 0)
		goto out;
	if (!cmd_is_run(&context, &seen)) {
		r = cmd_run_change(&context, err);
		goto out;
	}
	change_name(context.change->number, name);
	if (call->json)
		printf("{\"change\":\"%s\",\"state\":\"running\"}\n", name);
	else
		printf(_("%s goes on in process %lld\nnext: hoshu watch %s\n"),
		    name, (long long)seen.pid, name);
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_resume = {
    .name = "resume",
    .args = "CHG",
    .summary = N_("lift a pause, and go on"),
    .text = N_("Where the process that ran the change is still there, that "
	       "one goes on. Otherwise this\none does, in the foreground, as "
	       "`hoshu run` would. A check that could not tell is asked\n"
	       "again."),
    .examples = "  hoshu resume CHG-0007\n",
    .options = {{"because", "TEXT", N_("why"), false},
	{"as", "PERSON", N_("who says so (default: $HOSHU_PERSON, login name)"),
	    false}},
    .min_words = 1,
    .max_words = 1,
    .run = resume_run,
};
