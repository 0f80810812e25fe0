/* hoshu run: roll an approved change out. */
#include "rollout/run.h"
#include "base/i18n.h"
#include "cmd/answered.h"
#include "cmd/context.h"
#include "cmd/judged.h"
#include "cmd/quarantine.h"
#include "cmd/rollback.h"
#include "cmd/running.h"
#include "cmd/say.h"
#include "cmd/settled.h"
#include "cmd/table.h"

#include <signal.h>
#include <string.h>

struct running {
	struct context *context;
	bool strictly; /* the approvals must be valid still, whoever is owed */
	struct quarantine quarantine;
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
	rule.later = rule.later && !running->strictly;
	r = approval_permit(
	    context->arena, &rule, approvals, count, &permit, err);
	i18n_plain(plain);
	return r;
}

/* A person's word is gone by when it is signed. */
static int
run_heard(void *arg, const struct record *record, struct err *err)
{
	struct running *running = arg;
	bool plain = i18n_plain(false);
	int r = cmd_settled_holds(running->context, record, err);

	if (r == 0)
		r = cmd_answered_holds(running->context, record, err);
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

/* What the journal says of the host by now: another change may be under way. */
static const char *
run_held(void *arg, int host, struct err *err)
{
	struct running *running = arg;
	struct context *context = running->context;
	const struct quarantined *held;
	const char *name = change_reached(context->change, (size_t)host)->name;
	char change[16];

	if (cmd_quarantine(
		context, context->journal, &running->quarantine, err) < 0)
		return NULL;
	held =
	    quarantine_of(&running->quarantine, name, context->change->number);
	if (held == NULL)
		return NULL;
	change_name(held->change, change);
	return arena_printf(context->arena,
	    _("in quarantine: %s by %s; take that back, or: hoshu release %s"),
	    quarantined_word(held), change, name);
}

static int
run_refuse_ended(
    const struct context *context, const char *name, struct err *err)
{
	char why[256];

	if (gate_remaining(context->change, &context->fold, why) > 0)
		return err_set(err, ERR_REFUSED,
		    _("%s has ended (%s); `hoshu run %s --remaining` tries the "
		      "hosts left over"),
		    name, _(context->fold.result), name);
	if (context->fold.back)
		return err_set(err, ERR_REFUSED,
		    _("%s has ended (%s); submit the plan again for another "
		      "change: hoshu submit %s"),
		    name, _(context->fold.result), context->change->plan->file);
	return err_set(err, ERR_REFUSED,
	    _("%s has ended (%s); submit the plan again for another change, "
	      "or take this one back: hoshu rollback %s"),
	    name, _(context->fold.result), name);
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
		return run_refuse_ended(context, name, err);
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
	printf("\n%s: %s", name, _(result->word));
	if (result->kept > 0)
		printf(_(", %d kept"), result->kept);
	printf(_(". %d done, %d reverted, %d failed, %d unknown, %d left "
		 "over\n"),
	    result->done, result->reverted, result->failed, result->unknown,
	    result->left);
	if (result->status == err_exit_status(ERR_UNKNOWN)) {
		cmd_print_stuck(context);
		printf(_("next: hoshu show %s lists the hosts that a person "
			 "must look at\n"),
		    name);
	} else if (result->owed > 0) {
		printf(_("owed: %s\nnext: hoshu run %s tries them again, under "
			 "the same approval\n"),
		    cmd_owed_text(context->arena, &context->fold), name);
	} else if (result->status == err_exit_status(ERR_LEFTOVER)) {
		printf(_("next: mend the hosts left over, then hoshu run %s "
			 "--remaining, under the same approval\n"),
		    name);
	}
}

/* For the record of the end; what may not be known is 0. */
static int64_t
run_owed_until(struct context *context, const struct cmd_way *way)
{
	int64_t until_ms = way->owed_until_ms;
	struct err err = ERR_INIT;

	if (until_ms == 0 && context->change->plan->later_ms > 0 &&
	    cmd_later_until(context, &until_ms, &err) < 0)
		return 0;
	return until_ms;
}

static int
run_it(struct context *context, const struct cmd_way *way, struct lease *lease,
    struct gate_result *result, struct err *err)
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
	    .way = way->way,
	    .because = way->because != NULL ? way->because : "",
	    .asked = way->asked,
	    .back_again = way->back_again,
	    .owed_until_ms = run_owed_until(context, way),
	    .lease = lease,
	    .permit = run_permit,
	    .held = run_held,
	    .heard = run_heard,
	    .say = run_say,
	    .arg = &running,
	};

	quarantine_init(&running.quarantine, context->arena);
	return run_change(&options, result, err);
}

/* Paused, and nothing is in flight: there is nothing that it may do. */
static int
run_refuse_paused(const struct context *context, struct err *err)
{
	const struct change_fold *fold = &context->fold;
	struct gate_now now = {
	    world_wall_ms(&world_real), world_mono_ms(&world_real)};
	struct gate gate;
	char name[16];

	gate_decide(context->change, fold, now, &gate);
	if (!fold->paused || gate.kind != GATE_PAUSED)
		return 0;
	change_name(fold->number, name);
	return err_set(err, ERR_WAITING,
	    _("%s is paused by %s%s%s; `hoshu resume %s` goes on, `hoshu abort "
	      "%s` ends it"),
	    name, fold->paused_by, fold->paused_because[0] != '\0' ? ": " : "",
	    fold->paused_because, name, name);
}

/* Goes on as it stands. Without a lease, only to say why not; the same again
 * with it. */
static int
run_goes_on(struct context *context, struct cmd_way *way, struct err *err)
{
	struct running running = {.context = context};
	int r;

	(void)way;
	if ((r = run_refuse_state(context, err)) < 0 ||
	    (r = run_refuse_paused(context, err)) < 0)
		return r;
	/* going on is allowed; every new wave asks again anyway, and going
	 * back needs nobody's leave */
	return context->fold.state == CHANGE_SUBMITTED
		   ? run_permit(&running, err)
		   : 0;
}

/* The hosts are frozen; how they are reached is not. */
static int
run_inventory(struct context *context, struct err *err)
{
	int r = context_inventory(context, err);
	struct err why = *err;
	char name[16];

	if (r == 0)
		return 0;
	return err_set(err, why.code,
	    _("%s. Nothing was done: of %s the hosts are frozen, but how they "
	      "are reached (port, user, ssh_config, the password of sudo) is "
	      "read there. Put the file back as it was (git checkout), or name "
	      "a good copy that stands beside it with inventory: in hoshu.yml; "
	      "then type this again"),
	    why.text, change_name(context->change->number, name));
}

int
cmd_run_change_by(struct context *context,
    int (*prepare)(
	struct context *context, struct cmd_way *way, struct err *err),
    struct err *err)
{
	const char *word = context->call->words[0];
	struct cmd_way way = {0};
	struct gate_result result;
	struct lease *lease = NULL;
	int r;

	/* what the workers say goes into the journal */
	i18n_plain_children();
	/* it outlives the terminal it was typed in */
	signal(SIGHUP, SIG_IGN);
	if ((r = prepare(context, &way, err)) < 0 ||
	    (r = lease_take(context->journal, context->change->number,
		 context->project->lease_ms, &lease, err)) < 0 ||
	    /* another run may have gone on, or to the end, meanwhile */
	    (r = context_load(context, word, err)) < 0 ||
	    (r = prepare(context, &way, err)) < 0 ||
	    (r = cmd_settled_all(context, err)) < 0 ||
	    (r = run_inventory(context, err)) < 0 ||
	    (r = context_reach(context, err)) < 0 ||
	    (r = context_fleet(context, err)) < 0 ||
	    (r = context_equip(context, err)) < 0 ||
	    (way.back_again != NULL &&
		(r = cmd_owed_knock(context, &way, lease, err)) != 0))
		goto out;
	r = run_it(context, &way, lease, &result, err);
	if (r == 0) {
		run_print(context, &result);
		r = result.status;
	}
out:
	lease_release(lease);
	return r;
}

int
cmd_run_change(struct context *context, struct err *err)
{
	return cmd_run_change_by(context, run_goes_on, err);
}

static int
run_remaining(struct context *context, struct cmd_way *way, struct err *err)
{
	struct running running = {.context = context, .strictly = true};
	char name[16], why[256];

	change_name(context->change->number, name);
	if (context->fold.state != CHANGE_ENDED)
		return err_set(err, ERR_REFUSED,
		    _("%s has not ended: hoshu run %s goes on with it"), name,
		    name);
	if (gate_remaining(context->change, &context->fold, why) == 0)
		return why[0] != '\0'
			   ? err_set(err, ERR_REFUSED,
				 _("%s: the hosts left over stay untouched: "
				   "%s; mend it and submit the plan again"),
				 name, why)
			   : err_set(err, ERR_REFUSED,
				 _("%s has no host left over"), name);
	way->way = "remaining";
	return run_permit(&running, err);
}

/* hoshu run: goes on; of a change that has ended it tries those again that owe
 * their way back. */
static int
run_prepare(struct context *context, struct cmd_way *way, struct err *err)
{
	memset(way, 0, sizeof(*way));
	if (cmd_given(context->call, "remaining") != NULL)
		return run_remaining(context, way, err);
	if (cmd_is_owed(context) &&
	    gate_owed(context->change, &context->fold, NULL) > 0)
		return cmd_owed_prepare(context, way, err);
	if (context->fold.state != CHANGE_ENDED ||
	    gate_owing(context->change, &context->fold) == 0)
		return run_goes_on(context, way, err);
	way->way = "owed";
	return 0;
}

static int
run_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	bool over = false;
	int r;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = context_journal(&context, JOURNAL_WRITE, err)) < 0 ||
	    (r = context_load(&context, call->words[0], err)) < 0)
		goto out;
	if (cmd_is_owed(&context) && cmd_given(call, "remaining") == NULL)
		r = cmd_owed_begin(&context, &over, err);
	if (r == 0 && !over)
		r = cmd_run_change_by(&context, run_prepare, err);
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_run = {
    .name = "run",
    .args = "CHG",
    .summary = N_("roll an approved change out, wave by wave"),
    .text = N_(
	"Verifies the approvals from the stored bytes, then starts "
	"the waves. A failed check\ntakes the change back by itself. "
	"Interrupted, the same command goes on: what became of\nevery "
	"launched step is asked first, and no step is run twice. Of a "
	"change that has ended it tries\nthe hosts again that are not "
	"proved back, and, where the plan says later:, those that "
	"were away; with --remaining all\nthat were not touched.\n"
	"Exit status: 0 done, 6 failed, 7 reverted (or in part), 8 "
	"unknown or not proved back, 9 hosts left\nover, 10 waits for a person "
	"(paused, or a check could not tell)."),
    .examples = "  hoshu run CHG-0007\n"
		"  hoshu run CHG-0007 --remaining\n",
    .options = {{"remaining", NULL,
		    N_("the hosts left over, under the same approval"), false},
	{"as", "PERSON", N_("who runs it (default: $HOSHU_PERSON, login name)"),
	    false}},
    .min_words = 1,
    .max_words = 1,
    .run = run_run,
};
