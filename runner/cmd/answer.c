/* hoshu answer: a person's signed yes or no to what a phase asks. */
#include "base/i18n.h"
#include "cmd/answered.h"
#include "cmd/running.h"
#include "cmd/sign.h"
#include "cmd/stand.h"
#include "cmd/table.h"

#include <string.h>

static int
answer_refuse(const struct context *context, struct err *err)
{
	const struct change_fold *fold = &context->fold;
	const struct ask_fold *no = fold_ask_no(fold);
	char name[16];

	change_name(fold->number, name);
	if (fold->state != CHANGE_RUNNING || fold->aborted)
		return err_set(err, ERR_REFUSED,
		    _("%s is %s: it asks nobody anything"), name,
		    fold->aborted ? _("aborted")
				  : _(change_state_word(fold->state)));
	if (no != NULL)
		return err_set(err, ERR_REFUSED,
		    _("%s answered no already, and the change stops; `hoshu "
		      "run %s` ends it, then `hoshu run %s --remaining` asks "
		      "again"),
		    no->by, name, name);
	if (fold_ask_open(fold) == NULL)
		return err_set(err, ERR_REFUSED,
		    _("%s has asked nothing that waits for an answer; `hoshu "
		      "show %s` says what it will ask, and `hoshu watch %s` "
		      "when"),
		    name, name, name);
	return 0;
}

static int
answer_words(struct context *context, struct answer_said *said, char nonce[33],
    struct err *err)
{
	const struct cmd_call *call = context->call;
	bool yes = cmd_given(call, "yes") != NULL;
	const char *because;
	int phase, r;

	if (yes == (cmd_given(call, "no") != NULL))
		return err_set(
		    err, ERR_USAGE, _("answer: say either --yes or --no"));
	if ((r = cmd_because(call, !yes, &because, err)) < 0 ||
	    (r = answer_refuse(context, err)) < 0)
		return r;
	phase = fold_ask_open(&context->fold)->phase + 1;
	if (!cmd_answer_about(context, phase, said))
		return err_set(err, ERR_EVIDENCE,
		    _("the journal says that phase %d asks, the change does "
		      "not; run `hoshu audit verify`"),
		    phase);
	world_random_hex(&world_real, nonce, 16);
	said->yes = yes;
	said->by.because = because;
	said->by.person = cmd_person(call);
	said->by.nonce = nonce;
	said->by.at_ms = world_wall_ms(&world_real);
	return cmd_answer_allowed(context, phase, said->by.person, err);
}

static int
answer_say(
    struct context *context, const struct answer_said *said, struct err *err)
{
	struct record record = {
	    .change = said->change,
	    .epoch = context->fold.epoch,
	    .step = said->phase,
	    .kind = RECORD_ANSWERED,
	};

	return cmd_say_word(context, "answer@hoshu", &said->by,
	    answer_body(context->arena, said), &record, -1, err);
}

static void
answer_print(const struct context *context, const struct answer_said *said)
{
	struct lease_seen seen;
	char name[16];

	change_name(said->change, name);
	if (context->call->json)
		printf("{\"answer\":\"%s\",\"change\":\"%s\",\"phase\":%d}\n",
		    said->yes ? "yes" : "no", name, said->phase);
	else if (cmd_is_run(context, &seen))
		printf(
		    said->yes
			? _("answered: %s goes on in process %lld\nnext: "
			    "hoshu watch %s\n")
			: _("answered: %s stops, process %lld ends it\nnext: "
			    "hoshu watch %s\n"),
		    name, (long long)seen.pid, name);
	else if (context->fold.paused && !context->fold.aborted)
		printf(_("answered; %s is paused\nnext: hoshu resume %s goes "
			 "by it, hoshu abort %s ends it\n"),
		    name, name, name);
	else
		printf(said->yes ? _("answered; no process runs %s\nnext: "
				     "hoshu run %s goes on\n")
				 : _("answered; no process runs %s\nnext: "
				     "hoshu run %s ends it\n"),
		    name, name);
}

static int
answer_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	struct answer_said said;
	char nonce[33];
	int r;

	if ((r = context_open(&context, call, err)) == 0 &&
	    (r = context_journal(&context, JOURNAL_WRITE, err)) == 0 &&
	    (r = context_load(&context, call->words[0], err)) == 0 &&
	    (r = answer_words(&context, &said, nonce, err)) == 0 &&
	    (r = answer_say(&context, &said, err)) == 0)
		answer_print(&context, &said);
	context_close(&context);
	return r;
}

const struct cmd cmd_answer = {
    .name = "answer",
    .args = "CHG",
    .summary = N_("a person's signed yes or no to what a phase asks"),
    .text = N_("A plan may ask somebody before it begins a phase (ask:). "
	       "yes: the phase begins. no: it\ndoes not, and the change ends; "
	       "what was done stays, and `hoshu rollback` takes it back.\n"
	       "Who may answer stands in the change that was approved; who "
	       "submitted it may not, unless\nthe project says approvals: "
	       "solo. The answer is signed, and the run verifies it. Too\n"
	       "late, a yes still counts: the run that held goes on by `hoshu "
	       "run`."),
    .examples = "  hoshu answer CHG-0007 --yes\n"
		"  hoshu answer CHG-0007 --no --because 'the dump is from "
		"yesterday' --as carol\n",
    .options = {{"yes", NULL, N_("let the phase begin"), false},
	{"no", NULL, N_("stop the change before it"), false},
	{"because", "TEXT", N_("why; must be given with --no"), false},
	{"as", "PERSON", N_("who signs (default: $HOSHU_PERSON, login name)"),
	    false},
	{"key", "FILE", N_("the ssh key to sign with"), false}},
    .min_words = 1,
    .max_words = 1,
    .run = answer_run,
};
