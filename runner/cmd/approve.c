/* hoshu approve and hoshu reject: a person's signed word on a change. */
#include "preview/preview.h"
#include "base/i18n.h"
#include "cmd/context.h"
#include "cmd/judged.h"
#include "cmd/sign.h"
#include "cmd/table.h"

#include <string.h>

enum { APPROVAL_LIFE_MS = 24 * 3600 * 1000 };

static int
approve_record(struct context *context, enum record_kind kind,
    const struct statement *said, const char *text, struct bytes signature,
    const char *fingerprint, struct err *err)
{
	struct json *body = json_map(context->arena);
	struct buf bytes = BUF_INIT;
	struct record record = {
	    .change = said->change,
	    .host = "",
	    .xid = "",
	    .life = "",
	    .kind = kind,
	    .actor = said->person,
	    .epoch = context->fold.epoch,
	};
	int r;

	json_put_text(context->arena, body, "statement", text);
	json_put(context->arena, body, "signature",
	    json_text_len(context->arena, signature.data, signature.len));
	json_put_text(context->arena, body, "person", said->person);
	json_put_text(context->arena, body, "fingerprint", fingerprint);
	json_write(&bytes, body);
	record.body = buf_str(&bytes);
	r = journal_append_now(context->journal, &record, 1, NULL, err);
	buf_free(&bytes);
	return r;
}

/* What the digests of the statement stand for, for whoever signs it. */
static void
approve_brief(const struct context *context)
{
	char name[16];

	change_name(context->change->number, name);
	printf(_("%s, in short; hoshu show %s shows all of it:\n"), name, name);
	preview_render_brief(stdout, context->change);
	fputc('\n', stdout);
	fflush(stdout);
}

/* Sign, check that the signature would count as that person's, record. */
static int
approve_sign(
    struct context *context, const struct statement *said, struct err *err)
{
	bool approve = strcmp(said->decision, "approve") == 0;
	const char *space = approve ? "approve@hoshu" : "reject@hoshu";
	const char *fingerprint = NULL;
	struct buf text = BUF_INIT, signature = BUF_INIT;
	int r;

	statement_write(&text, said);
	if (!context->call->json) {
		approve_brief(context);
		printf("%s", buf_str(&text));
	}
	r = cmd_sign(context, space, said->person, buf_bytes(&text),
	    said->not_before_ms, &signature, &fingerprint, err);
	if (r < 0)
		goto out;
	r = approve_record(context, approve ? RECORD_APPROVED : RECORD_REJECTED,
	    said, buf_str(&text), buf_bytes(&signature), fingerprint, err);
out:
	buf_free(&text);
	buf_free(&signature);
	return r;
}

static void
approve_print(struct context *context, const char *decision)
{
	struct approval_rule rule;
	struct approval *approvals;
	struct approval_verdict *verdicts;
	struct err why = ERR_INIT;
	size_t count;
	int persons = 0, r;
	char name[16];

	change_name(context->change->number, name);
	if (context->call->json) {
		printf("{\"change\":\"%s\",\"decision\":\"%s\"}\n", name,
		    decision);
		return;
	}
	cmd_approval_rule(context, &rule, &approvals, &count);
	r = approval_judge(
	    context->arena, &rule, approvals, count, &verdicts, &persons, &why);
	cmd_print_solo(&rule);
	if (r == 0)
		printf(_("%s is approved (%d of %d persons)\nnext: hoshu run "
			 "%s\n"),
		    name, persons, rule.needed, name);
	else
		printf("%s\n", why.text);
}

static int
approve_any(struct cmd_call *call, const char *decision, struct err *err)
{
	struct context context;
	struct statement said;
	char nonce[33];
	int r;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = context_journal(&context, JOURNAL_WRITE, err)) < 0 ||
	    (r = context_load(&context, call->words[0], err)) < 0)
		goto out;
	if (context.fold.state != CHANGE_SUBMITTED) {
		char name[16];

		r = err_set(err, ERR_REFUSED,
		    _("%s is %s; only a submitted change is approved or "
		      "rejected"),
		    change_name(context.change->number, name),
		    _(change_state_word(context.fold.state)));
		goto out;
	}
	change_statement(call->arena, context.change, &said);
	world_random_hex(&world_real, nonce, 16);
	said.decision = decision;
	said.person = cmd_person(call);
	said.nonce = nonce;
	said.not_before_ms = world_wall_ms(&world_real);
	said.not_after_ms = said.not_before_ms + APPROVAL_LIFE_MS;
	if (strcmp(decision, "approve") == 0 &&
	    strcmp(said.person, context.fold.submitter) == 0 &&
	    !(context.change->solo && context.project->solo)) {
		r = err_set(err, ERR_APPROVAL,
		    _("%s submitted this change and cannot approve it; "
		      "somebody else has to (or say --as who you are)"),
		    said.person);
		goto out;
	}
	if ((r = approve_sign(&context, &said, err)) == 0 &&
	    (r = context_load(&context, call->words[0], err)) == 0)
		approve_print(&context, decision);
out:
	context_close(&context);
	return r;
}

static int
approve_run(struct cmd_call *call, struct err *err)
{
	return approve_any(call, "approve", err);
}

static int
reject_run(struct cmd_call *call, struct err *err)
{
	return approve_any(call, "reject", err);
}

const struct cmd cmd_approve = {
    .name = "approve",
    .args = "CHG",
    .summary = N_("sign the change, so that it may run"),
    .text = N_("Prints a one-screen statement of exactly what will run and "
	       "signs it with your ssh\nkey (a file, or a .pub whose "
	       "private half is in the agent). Good for 24 hours.\nLook at "
	       "`hoshu show CHG` first."),
    .examples = "  hoshu approve CHG-0007\n"
		"  hoshu approve CHG-0007 --as alice --key "
		"~/.ssh/id_ed25519_sk\n",
    .options = {{"as", "PERSON",
		    N_("who signs (default: $HOSHU_PERSON, login name)"),
		    false},
	{"key", "FILE", N_("the ssh key to sign with"), false}},
    .min_words = 1,
    .max_words = 1,
    .run = approve_run,
};

const struct cmd cmd_reject = {
    .name = "reject",
    .args = "CHG",
    .summary = N_("sign that the change must not run"),
    .examples = "  hoshu reject CHG-0007\n",
    .options = {{"as", "PERSON",
		    N_("who signs (default: $HOSHU_PERSON, login name)"),
		    false},
	{"key", "FILE", N_("the ssh key to sign with"), false}},
    .min_words = 1,
    .max_words = 1,
    .run = reject_run,
};
