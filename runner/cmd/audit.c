/* hoshu audit: the journal as it is, and whether it holds. */
#include "base/i18n.h"
#include "base/text.h"
#include "cmd/context.h"
#include "cmd/say.h"
#include "cmd/table.h"

#include <string.h>

static int
audit_line(void *arg, const struct record *record, struct err *err)
{
	const struct context *context = arg;
	struct buf bytes = BUF_INIT;

	(void)err;
	if (context->call->json) {
		record_write(&bytes, record);
		puts(buf_str(&bytes));
		buf_free(&bytes);
		return 0;
	}
	printf("%6lld ", (long long)record->number);
	say_record(stdout, record, NULL, true);
	return 0;
}

static int
audit_show(struct context *context, const char *word, struct err *err)
{
	int number = 0;

	if (word != NULL && (number = change_number(word)) == 0)
		return err_set(err, ERR_USAGE,
		    _("'%s' is no change; they are named like CHG-0007"), word);
	return journal_read(
	    context->journal, number, 0, audit_line, context, err);
}

static void
audit_found(void *arg, int64_t number, const char *text)
{
	const struct context *context = arg;
	FILE *out = context->call->json ? stderr : stdout;

	(void)number; /* the text names it */
	fprintf(out, "%s\n", text);
	fflush(out);
}

static int
audit_verify(struct context *context, struct err *err)
{
	int64_t faults = 0, count = 0;
	char root[65] = "";
	int r;

	r = journal_verify(
	    context->journal, audit_found, context, &faults, err);
	if (r < 0)
		return r;
	if (faults > 0)
		return err_set(err, ERR_EVIDENCE,
		    ngettext("audit verify: %lld fault: the journal was "
			     "changed after it was written; keep this copy and "
			     "compare it with one that left this machine",
			"audit verify: %lld faults: the journal was changed "
			"after it was written; keep this copy and compare it "
			"with one that left this machine",
			(unsigned long)faults),
		    (long long)faults);
	r = journal_root(context->journal, &count, root, err);
	if (r < 0)
		return r;
	if (context->call->json)
		printf("{\"faults\":0,\"records\":%lld,\"root\":\"%s\"}\n",
		    (long long)count, root);
	else
		printf(
		    _("%lld records hold; root %s\n"), (long long)count, root);
	return 0;
}

static int
audit_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	const char *what = call->words[0];
	const char *word = call->word_count > 1 ? call->words[1] : NULL;
	int r;

	if ((r = context_open(&context, call, err)) < 0)
		goto out;
	if (cmd_given(call, "store") != NULL)
		context.project->store = cmd_given(call, "store");
	if ((r = context_journal(&context, JOURNAL_READ, err)) < 0)
		goto out;
	if (strcmp(what, "show") == 0)
		r = audit_show(&context, word, err);
	else if (strcmp(what, "verify") == 0 && word == NULL)
		r = audit_verify(&context, err);
	else
		r = err_set(err, ERR_USAGE,
		    _("audit: wants `show [CHG]` or `verify`, not '%s'"),
		    word == NULL
			? what
			: arena_printf(call->arena, "%s %s", what, word));
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_audit = {
    .name = "audit",
    .args = "show [CHG] | verify",
    .summary = N_("the journal: every record; does the evidence hold?"),
    .text = N_("verify recomputes every digest of the journal's Merkle "
	       "tree and of every stored\nfile, and names the first record "
	       "that does not hold."),
    .examples = "  hoshu audit show CHG-0007\n  hoshu audit verify\n"
		"  hoshu audit verify --store /backup/hoshu\n",
    .options = {{"store", "DIR", N_("another store than the project's"),
	false}},
    .min_words = 1,
    .max_words = 2,
    .run = audit_run,
};
