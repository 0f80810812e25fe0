/* hoshu submit: preview once more, freeze, number. */
#include "preview/preview.h"
#include "base/i18n.h"
#include "cmd/context.h"
#include "cmd/previewed.h"
#include "cmd/quarantine.h"
#include "cmd/table.h"

/* The targets: of the first phase that the host is in. */
static const char *
submit_targets(const struct change *change, const struct change_host *host)
{
	size_t p = 0;

	while (p + 1 < change->plan->phase_count && host->waves[p] == 0)
		p++;
	return change->plan->phases[p].targets;
}

static int
submit_whole(const struct context *context, struct err *err)
{
	const struct change *change = context->change;

	for (size_t i = 0; i < change->host_count; i++)
		if (change->hosts[i].trouble[0] != '\0')
			return err_set(err, ERR_REFUSED,
			    _("not submitted: %s could not be previewed: %s\n"
			      "Mend it, or leave it out: targets: (%s) & !%s"),
			    change->hosts[i].name, change->hosts[i].trouble,
			    submit_targets(change, &change->hosts[i]),
			    change->hosts[i].name);
	return 0;
}

static int
submit_record(struct context *context, const char *person, struct err *err)
{
	struct change *change = context->change;
	struct json *body = json_map(context->arena);
	struct buf text = BUF_INIT;
	struct record record = {
	    .host = "", .xid = "", .life = "", .kind = RECORD_SUBMITTED};
	int r;

	change_freeze(context->arena, change);
	r = blobs_store(context->blobs, context->journal, err);
	if (r < 0)
		return r;
	json_put_text(context->arena, body, "title", change->title);
	json_put_text(context->arena, body, "frozen", change->digest);
	json_put_text(context->arena, body, "plan", change->plan->file);
	json_put_int(context->arena, body, "hosts", (int)change->host_count);
	json_put_int(context->arena, body, "waves", (int)change->wave_count);
	json_put_int(context->arena, body, "preview_ms", change->preview_ms);
	json_write(&text, body);
	record.actor = person;
	record.body = buf_str(&text);
	r = journal_append_new_change(
	    context->journal, &record, &change->number, err);
	buf_free(&text);
	return r;
}

/* A question that only its submitter might answer would hold it for ever. */
static int
submit_answerable(
    const struct context *context, const char *submitter, struct err *err)
{
	const struct change *change = context->change;

	for (size_t p = 0; p < change->plan->phase_count; p++) {
		const struct change_ask *ask = change_ask(change, (int)p);
		bool any = ask == NULL || ask->role[0] == '\0';

		for (size_t i = 0; ask != NULL && i < ask->person_count; i++)
			any = any || change_may_answer(change, ask, submitter,
					 ask->persons[i]);
		if (!any)
			return err_at(err, ERR_PLAN,
			    change->plan->phases[p].ask->role_place,
			    _("role: nobody but %s, who submits the change, "
			      "holds the role '%s', and cannot answer it; add "
			      "somebody to it in hoshu.yml"),
			    submitter, ask->role);
	}
	return 0;
}

static void
submit_print(const struct context *context)
{
	const struct change *change = context->change;
	char name[16];

	change_name(change->number, name);
	if (context->call->json) {
		printf("{\"change\":\"%s\",\"digest\":\"%s\"}\n", name,
		    change->digest);
		return;
	}
	printf(_("\n%s submitted, digest %s\n"), name, change->digest);
	if (change->solo)
		printf(_("next: hoshu approve %s   (self-approval is allowed "
			 "in this project)\n"),
		    name);
	else
		printf(ngettext("next: %d person approves: hoshu approve %s\n",
			   "next: %d persons approve: hoshu approve %s\n",
			   (unsigned long)change->approvals),
		    change->approvals, name);
}

static int
submit_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	int r;

	/* context_plan must not look for its blobs in the journal, so the
	 * journal is opened after it. */
	if ((r = context_open(&context, call, err)) == 0 &&
	    (r = context_plan(&context, call->words[0], err)) == 0 &&
	    (r = submit_answerable(&context, cmd_person(call), err)) == 0 &&
	    (r = cmd_ask_hosts(&context, err)) == 0 &&
	    (call->json ||
		(r = cmd_print_preview(&context, false, err)) == 0) &&
	    (r = cmd_print_held_targets(&context, err)) == 0 &&
	    (r = submit_whole(&context, err)) == 0) {
		struct blobs *blobs = context.blobs;

		r = context_journal(&context, JOURNAL_WRITE, err);
		context.blobs = blobs;
		if (r == 0)
			r = submit_record(&context, cmd_person(call), err);
	}
	if (r == 0)
		submit_print(&context);
	context_close(&context);
	return r;
}

const struct cmd cmd_submit = {
    .name = "submit",
    .args = "PLAN",
    .summary = N_("freeze the plan as a change, to be approved"),
    .text = N_("Asks every host once more and freezes what it found: plan, "
	       "hosts, variables,\nmodules, files, preview and the very "
	       "scripts. What is approved is what runs."),
    .examples = "  hoshu submit playbooks/motd.yml\n"
		"  hoshu submit playbooks/app-config.yml --set "
		"version=2.4.1\n",
    .options = {{"set", "NAME=VALUE", N_("a value for an input"), true},
	{"as", "PERSON", N_("who submits (default: $HOSHU_PERSON, login name)"),
	    false}},
    .min_words = 1,
    .max_words = 1,
    .run = submit_run,
};
