/* hoshu pause: nothing new starts; what is in flight ends its part. */
#include "base/i18n.h"
#include "cmd/running.h"
#include "cmd/table.h"

static int
pause_refuse(const struct context *context, struct err *err)
{
	const struct change_fold *fold = &context->fold;
	char name[16];

	change_name(fold->number, name);
	if (fold->state != CHANGE_RUNNING && fold->state != CHANGE_BACK)
		return err_set(err, ERR_REFUSED,
		    _("%s is %s: there is nothing to pause"), name,
		    _(change_state_word(fold->state)));
	if (fold->aborted)
		return err_set(err, ERR_REFUSED,
		    _("%s was aborted by %s: it ends by itself"), name,
		    fold->aborted_by);
	if (fold->paused)
		return err_set(err, ERR_REFUSED,
		    _("%s is paused already, by %s; `hoshu resume %s` goes "
		      "on"),
		    name, fold->paused_by, name);
	return 0;
}

static void
pause_print(const struct context *context)
{
	struct lease_seen seen;
	char name[16];

	change_name(context->change->number, name);
	if (context->call->json)
		printf("{\"change\":\"%s\",\"state\":\"paused\"}\n", name);
	else if (cmd_is_run(context, &seen))
		printf(_("%s is paused: nothing new starts. Process %lld ends "
			 "what is in flight, then itself\nnext: hoshu resume "
			 "%s, or hoshu abort %s\n"),
		    name, (long long)seen.pid, name, name);
	else
		printf(_("%s is paused; no process runs it\nnext: hoshu resume "
			 "%s, or hoshu abort %s\n"),
		    name, name, name);
}

static int
pause_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	const char *because;
	int r;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = cmd_because(call, false, &because, err)) < 0 ||
	    (r = context_journal(&context, JOURNAL_WRITE, err)) < 0 ||
	    (r = context_load(&context, call->words[0], err)) < 0 ||
	    (r = pause_refuse(&context, err)) < 0 ||
	    (r = cmd_say_beside(&context, RECORD_PAUSED, because, err)) < 0)
		goto out;
	pause_print(&context);
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_pause = {
    .name = "pause",
    .args = "CHG",
    .summary = N_("start nothing new; what is in flight ends its part"),
    .text = N_("Hosts that are being changed end their part; one that fails "
	       "goes back by itself where\nthe plan says so. Then the run "
	       "ends with exit status 10. Nothing is lost: a soak's end\nstays "
	       "where it was."),
    .examples = "  hoshu pause CHG-0007 --because 'the graphs look odd'\n",
    .options = {{"because", "TEXT", N_("why"), false},
	{"as", "PERSON", N_("who says so (default: $HOSHU_PERSON, login name)"),
	    false}},
    .min_words = 1,
    .max_words = 1,
    .run = pause_run,
};
