/* hoshu abort: what is in flight ends, then the change does, for good. */
#include "base/i18n.h"
#include "cmd/running.h"
#include "cmd/table.h"

/* It has ended, and hosts that were away would be tried again. */
static bool
abort_is_owed(const struct change_fold *fold)
{
	return fold->state == CHANGE_ENDED && fold->owed > 0 &&
	       !fold->later_over;
}

static int
abort_refuse(const struct context *context, struct err *err)
{
	const struct change_fold *fold = &context->fold;
	char name[16];

	change_name(fold->number, name);
	if (fold->state == CHANGE_SUBMITTED)
		return err_set(err, ERR_REFUSED,
		    _("%s was never run; `hoshu reject %s` says that it must "
		      "not be"),
		    name, name);
	if (abort_is_owed(fold))
		return 0;
	if (fold->state != CHANGE_RUNNING && fold->state != CHANGE_BACK)
		return err_set(err, ERR_REFUSED,
		    _("%s is %s: there is nothing to abort"), name,
		    _(change_state_word(fold->state)));
	return 0;
}

static int
abort_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	struct lease_seen seen;
	const char *because;
	char name[16];
	int r;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = cmd_because(call, true, &because, err)) < 0 ||
	    (r = context_journal(&context, JOURNAL_WRITE, err)) < 0 ||
	    (r = context_load(&context, call->words[0], err)) < 0 ||
	    (r = abort_refuse(&context, err)) < 0 ||
	    /* again is fine: it may have been interrupted on its way to end */
	    (!context.fold.aborted && (r = cmd_say_beside(&context,
					   RECORD_ABORTED, because, err)) < 0))
		goto out;
	change_name(context.change->number, name);
	if (abort_is_owed(&context.fold)) {
		printf(call->json
			   ? "{\"change\":\"%s\",\"state\":\"aborted\"}\n"
			   : _("%s: hosts that were away are no longer "
			       "tried\n"),
		    name);
		goto out;
	}
	if (!cmd_is_run(&context, &seen)) {
		r = cmd_run_change(&context, err);
		goto out;
	}
	if (call->json)
		printf("{\"change\":\"%s\",\"state\":\"aborted\"}\n", name);
	else
		printf(_("%s is aborted: process %lld ends what is in flight, "
			 "then the change\nnext: hoshu watch %s\n"),
		    name, (long long)seen.pid, name);
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_abort = {
    .name = "abort",
    .args = "CHG",
    .summary = N_("end what is in flight, then stop for good"),
    .text = N_("Hosts that are being changed end their part; one that fails "
	       "goes back by itself where\nthe plan says so. Nothing else "
	       "starts, in either direction, and the change ends. Where no\n"
	       "process runs it, this one does all that.\n"
	       "Exit status, here or of the run: 9 hosts left over, 6 failed, "
	       "8 unknown or not taken back."),
    .examples = "  hoshu abort CHG-0007 --because 'wrong night'\n",
    .options = {{"because", "TEXT", N_("why; must be given"), false},
	{"as", "PERSON", N_("who says so (default: $HOSHU_PERSON, login name)"),
	    false}},
    .min_words = 1,
    .max_words = 1,
    .run = abort_run,
};
