/* hoshu settle: a person's signed word on a step that may have run or not. */
#include "approval/settle.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cmd/running.h"
#include "cmd/sign.h"
#include "cmd/stand.h"
#include "cmd/table.h"

#include <string.h>

/* The words of the call, found in the change. */
struct settling {
	const struct step *step;
	const struct part_fold *part;
	struct settle said;
};

static int
settle_find_step(struct context *context, const char *word,
    const struct step **step, struct err *err)
{
	const struct plan *plan = context->change->plan;
	const char **names = arena_array(
	    context->arena, const char *, (size_t)plan->last_id + 1);
	const char *near;
	int64_t id = 0;

	if (text_int(word, 1, plan->last_id, &id)) {
		*step = plan->by_id[id];
		return 0;
	}
	for (int i = 1; i <= plan->last_id; i++) {
		names[i - 1] = plan->by_id[i]->name;
		if (strcmp(plan->by_id[i]->name, word) != 0)
			continue;
		*step = plan->by_id[i];
		return 0;
	}
	near = text_near(word, names, (size_t)plan->last_id);
	return err_set(err, ERR_USAGE,
	    _("the change has no step '%s'%s%s%s; name it, or give its number "
	      "(`hoshu show` lists them)"),
	    word, near != NULL ? _(" (did you mean '") : "",
	    near != NULL ? near : "", near != NULL ? "'?)" : "");
}

static int
settle_find_part(struct context *context, const char *word,
    struct settling *settling, struct err *err)
{
	struct host_fold *host = fold_host(&context->fold, word);
	const struct part_fold *part;
	char name[16];

	if (host == NULL)
		return err_set(err, ERR_USAGE,
		    _("%s has no host '%s'; `hoshu show` lists them"),
		    change_name(context->change->number, name), word);
	part = fold_step_part(&context->fold, host, settling->step->id);
	if (part == NULL)
		return err_set(err, ERR_USAGE,
		    _("step %d \"%s\" is not for %s"), settling->step->id,
		    settling->step->name, word);
	settling->part = part;
	return 0;
}

/* Only what is unknown, on a host that nothing happens to. */
static int
settle_refuse(const struct settling *settling, struct err *err)
{
	const struct part_fold *part = settling->part;
	const struct step_fold *step = &part->steps[settling->step->id];

	if (step->state != STEP_UNKNOWN && step->undo != UNDO_UNKNOWN)
		return err_set(err, ERR_REFUSED,
		    _("step %d \"%s\" on %s is not unknown, it is: %s%s%s; "
		      "there is nothing to settle"),
		    settling->step->id, settling->step->name, part->host->name,
		    _(step_state_word(step->state)),
		    step->undo != UNDO_WAITING ? ", " : "",
		    _(undo_state_word(step->undo)));
	if (!fold_part_rests(part))
		return err_set(err, ERR_REFUSED,
		    _("%s is %s: it is still being worked on; settle what is "
		      "unknown when it stands still"),
		    part->host->name, _(host_state_word(part->state)));
	return 0;
}

static int
settle_words(struct context *context, struct settling *settling, char nonce[33],
    struct err *err)
{
	const struct cmd_call *call = context->call;
	const char *because, *outcome = call->words[3];
	const struct step_fold *step;
	int r;

	if (strcmp(outcome, "done") != 0 && strcmp(outcome, "not-done") != 0)
		return err_set(err, ERR_USAGE,
		    _("settle: the outcome is 'done' or 'not-done', not '%s'"),
		    outcome);
	if ((r = cmd_because(call, true, &because, err)) < 0 ||
	    (r = settle_find_step(
		 context, call->words[2], &settling->step, err)) < 0 ||
	    (r = settle_find_part(context, call->words[1], settling, err)) <
		0 ||
	    (r = settle_refuse(settling, err)) < 0)
		return r;
	step = &settling->part->steps[settling->step->id];
	world_random_hex(&world_real, nonce, 16);
	settling->said = (struct settle){
	    .change = context->change->number,
	    .title = context->change->title,
	    .digest = context->change->digest,
	    .host = settling->part->host->name,
	    .step = settling->step->id,
	    .step_name = settling->step->name,
	    .undo = step->undo == UNDO_UNKNOWN,
	    .xid = step->undo == UNDO_UNKNOWN ? step->xid : step->ran,
	    .outcome = outcome,
	    .by = {.because = because,
		.person = cmd_person(call),
		.nonce = nonce,
		.at_ms = world_wall_ms(&world_real)},
	};
	return 0;
}

/* Sign, and record unless something came from the host meanwhile. */
static int
settle_say(struct context *context, const struct settle *said, struct err *err)
{
	struct record record = {
	    .change = said->change,
	    .epoch = context->fold.epoch,
	    .host = said->host,
	    .step = said->step,
	    .xid = said->xid,
	    .kind = RECORD_SETTLED,
	};

	return cmd_say_word(context, "settle@hoshu", &said->by,
	    settle_body(context->arena, said), &record,
	    context->fold.last_number, err);
}

static void
settle_print(struct context *context)
{
	const struct change_fold *fold = &context->fold;
	const char *next = stand_next(context->arena, context->journal, fold);
	char name[16];

	change_name(fold->number, name);
	if (context->call->json)
		printf("{\"change\":\"%s\",\"settled\":true}\n", name);
	else if (fold->state == CHANGE_ENDED)
		printf(_("settled; %s has ended: hoshu show %s says what is "
			 "left\n"),
		    name, name);
	else
		printf(_("settled; %s\n"), next != NULL ? next : name);
}

static int
settle_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	struct settling settling;
	char nonce[33];
	int r;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = context_journal(&context, JOURNAL_WRITE, err)) < 0 ||
	    (r = context_load(&context, call->words[0], err)) < 0 ||
	    (r = settle_words(&context, &settling, nonce, err)) < 0 ||
	    (r = settle_say(&context, &settling.said, err)) < 0 ||
	    (r = context_load(&context, call->words[0], err)) < 0)
		goto out;
	settle_print(&context);
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_settle = {
    .name = "settle",
    .args = "CHG HOST STEP WORD",
    .summary = N_("a person's signed word on an unknown step"),
    .text = N_("A step is unknown when it was launched and nobody can say "
	       "what became of it. Look at the\nhost, then sign what is so. "
	       "done: as if it had said so itself; its undo still acts only\n"
	       "where its probe agrees. not-done: as if it had never run. "
	       "The host goes on where it stood,\non its way there or back, "
	       "when nothing of it is unknown any more; in a pause, when\n"
	       "that is lifted."),
    .examples =
	"  hoshu settle CHG-0007 web3 2 not-done --because 'dpkg.log has "
	"nothing'\n"
	"  hoshu settle CHG-0007 web3 'Restart nginx' done --because 'it runs "
	"since 10:42' --as alice\n",
    .options = {{"because", "TEXT", N_("how you know; must be given"), false},
	{"as", "PERSON", N_("who signs (default: $HOSHU_PERSON, login name)"),
	    false},
	{"key", "FILE", N_("the ssh key to sign with"), false}},
    .min_words = 4,
    .max_words = 4,
    .run = settle_run,
};
