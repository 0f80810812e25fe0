/* hoshu run: roll an approved change out. */
#include "rollout/run.h"
#include "base/i18n.h"
#include "cmd/context.h"
#include "cmd/judged.h"
#include "cmd/running.h"
#include "cmd/say.h"
#include "cmd/table.h"

#include <signal.h>
#include <string.h>

struct running {
	struct context *context;
};

/* Verified again from the stored bytes before every wave. */
static int
run_permit(void *arg, struct err *err)
{
	struct running *running = arg;
	struct context *context = running->context;
	struct approval_rule rule;
	struct approval *approvals;
	struct permit *permit;
	size_t count;
	bool plain = i18n_plain(false); /* its refusal is for the person */
	int r;

	cmd_approval_rule(context, &rule, &approvals, &count);
	r = approval_permit(
	    context->arena, &rule, approvals, count, &permit, err);
	i18n_plain(plain);
	return r;
}

static void
run_say(void *arg, const struct record *record)
{
	struct running *running = arg;
	const struct context *context = running->context;
	struct buf bytes = BUF_INIT;

	if (!context->call->json) {
		bool plain = i18n_plain(false);

		say_record(stdout, record, context->change->plan, false);
		i18n_plain(plain);
		return;
	}
	record_write(&bytes, record);
	puts(buf_str(&bytes));
	fflush(stdout);
	buf_free(&bytes);
}

static int
run_refuse_state(const struct context *context, struct err *err)
{
	char name[16];

	change_name(context->change->number, name);
	switch (context->fold.state) {
	case CHANGE_SUBMITTED:
	case CHANGE_RUNNING:
	case CHANGE_BACK:
		return 0;
	case CHANGE_REJECTED:
		return err_set(err, ERR_APPROVAL,
		    _("%s was rejected; `hoshu show %s` says by whom"), name,
		    name);
	case CHANGE_ENDED:
		return err_set(err, ERR_REFUSED,
		    _("%s has ended (%s); submit the plan again for another "
		      "change"),
		    name, _(context->fold.result));
	case CHANGE_NONE:
		break;
	}
	bug("change state %d", (int)context->fold.state);
}

static void
run_print(const struct context *context, const struct gate_result *result)
{
	char name[16];

	if (context->call->json)
		return;
	change_name(context->change->number, name);
	printf(_("\n%s: %s. %d done, %d reverted, %d failed, %d unknown, %d "
		 "left over\n"),
	    name, _(result->word), result->done, result->reverted,
	    result->failed, result->unknown, result->left);
	if (result->status == err_exit_status(ERR_UNKNOWN))
		printf(_("next: hoshu show %s lists the hosts that a person "
			 "must look at\n"),
		    name);
	else if (result->status == err_exit_status(ERR_LEFTOVER))
		printf(_("next: mend the hosts left over, then submit the plan "
			 "again; on the others it finds nothing to do\n"));
}

static int
run_it(struct context *context, struct lease *lease, struct gate_result *result,
    struct err *err)
{
	struct running running = {.context = context};
	struct run_options options = {
	    .loop = context->loop,
	    .fleet = context->fleet,
	    .journal = context->journal,
	    .world = &world_real,
	    .change = context->change,
	    .fold = &context->fold,
	    .hosts = context->reach,
	    .actor = cmd_person(context->call),
	    .lease = lease,
	    .permit = run_permit,
	    .say = run_say,
	    .arg = &running,
	};

	return run_change(&options, result, err);
}

/* Paused, and nothing is in flight: there is nothing that it may do. */
static int
run_refuse_paused(const struct context *context, struct err *err)
{
	const struct change_fold *fold = &context->fold;
	struct gate gate;
	char name[16];

	gate_decide(context->change, fold, world_wall_ms(&world_real), &gate);
	if (!fold->paused || gate.kind != GATE_PAUSED)
		return 0;
	change_name(fold->number, name);
	return err_set(err, ERR_WAITING,
	    _("%s is paused by %s%s%s; `hoshu resume %s` goes on, `hoshu abort "
	      "%s` ends it"),
	    name, fold->paused_by, fold->paused_because[0] != '\0' ? ": " : "",
	    fold->paused_because, name, name);
}

/* Without a lease, only to say why not; the same again with it. */
static int
run_may(struct running *running, struct err *err)
{
	struct context *context = running->context;
	int r;

	if ((r = run_refuse_state(context, err)) < 0 ||
	    (r = run_refuse_paused(context, err)) < 0)
		return r;
	/* going on is allowed; every new wave asks again anyway, and going
	 * back needs nobody's leave */
	return context->fold.state == CHANGE_SUBMITTED
		   ? run_permit(running, err)
		   : 0;
}

int
cmd_run_change(struct context *context, struct err *err)
{
	struct running running = {.context = context};
	const char *word = context->call->words[0];
	struct gate_result result;
	struct lease *lease = NULL;
	int r;

	/* what the workers say goes into the journal */
	i18n_plain_children();
	/* it outlives the terminal it was typed in */
	signal(SIGHUP, SIG_IGN);
	if ((r = run_may(&running, err)) < 0 ||
	    (r = lease_take(context->journal, context->change->number,
		 context->project->lease_ms, &lease, err)) < 0 ||
	    /* another run may have gone on, or to the end, meanwhile */
	    (r = context_load(context, word, err)) < 0 ||
	    (r = run_may(&running, err)) < 0 ||
	    (r = context_inventory(context, err)) < 0 ||
	    (r = context_reach(context, err)) < 0 ||
	    (r = context_fleet(context, err)) < 0 ||
	    (r = context_equip(context, err)) < 0)
		goto out;
	r = run_it(context, lease, &result, err);
	if (r == 0) {
		run_print(context, &result);
		r = result.status;
	}
out:
	lease_release(lease);
	return r;
}

static int
run_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	int r;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = context_journal(&context, JOURNAL_WRITE, err)) < 0 ||
	    (r = context_load(&context, call->words[0], err)) < 0)
		goto out;
	r = cmd_run_change(&context, err);
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_run = {
    .name = "run",
    .args = "CHG",
    .summary = N_("roll an approved change out, wave by wave"),
    .text = N_("Verifies the approvals from the stored bytes, then starts "
	       "the waves. A failed check\ntakes the change back by itself. "
	       "Interrupted, the same command goes on: what became of\nevery "
	       "launched step is asked first, and no step is run twice.\n"
	       "Exit status: 0 done, 6 failed, 7 reverted, 8 unknown or not "
	       "proved back, 9 hosts left over,\n10 waits for a person "
	       "(paused, or a check could not tell)."),
    .examples = "  hoshu run CHG-0007\n",
    .options = {{"as", "PERSON",
	N_("who runs it (default: $HOSHU_PERSON, login name)"), false}},
    .min_words = 1,
    .max_words = 1,
    .run = run_run,
};
