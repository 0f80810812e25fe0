/* hoshu list and hoshu status: the changes there are, and what waits. */
#include "base/i18n.h"
#include "base/text.h"
#include "cmd/context.h"
#include "cmd/judged.h"
#include "cmd/quarantine.h"
#include "cmd/settled.h"
#include "cmd/stand.h"
#include "cmd/table.h"

#include <string.h>

/* Folds of every change, without their shape. */
struct folds {
	const struct context *context;
	struct arena *arena;
	struct change_fold *list; /* [1..last] */
	int last;
	struct quarantine quarantine;
};

static int
folds_take(void *arg, const struct record *record, struct err *err)
{
	struct folds *folds = arg;
	int r = cmd_quarantine_record(
	    folds->context, &folds->quarantine, record, err);

	if (r < 0)
		return r;
	if (record->change < 1 || record->change > folds->last)
		return 0;
	return fold_record(&folds->list[record->change], record, err);
}

static int
folds_read(struct context *context, struct folds *folds, struct err *err)
{
	int r;

	folds->context = context;
	folds->arena = context->arena;
	quarantine_init(&folds->quarantine, context->arena);
	r = journal_last_change(context->journal, &folds->last, err);
	if (r < 0)
		return r;
	folds->list = arena_array(
	    context->arena, struct change_fold, (size_t)folds->last + 1);
	for (int i = 1; i <= folds->last; i++)
		fold_init(&folds->list[i], context->arena, i);
	return journal_read(context->journal, 0, 0, folds_take, folds, err);
}

/* What it waits for. Where its frozen bytes are needed for that and are not
 * what they were, show says so. */
static const char *
list_waits(struct context *context, const struct change_fold *fold)
{
	struct err err = ERR_INIT;
	char name[16];

	if (fold->state == CHANGE_SUBMITTED &&
	    context_load(context, change_name(fold->number, name), &err) == 0)
		return cmd_stand_next(context);
	return stand_next(context->arena, context->journal, fold);
}

/* The same; not for a person who has said his word. */
static int
list_next(struct context *context, const struct change_fold *fold,
    const char **next, struct gate_result *now, bool *settled, struct err *err)
{
	int r = cmd_settled_list(context, fold, settled, now, err);

	if (r < 0)
		return r;
	*next = *settled && now->status != err_exit_status(ERR_UNKNOWN)
		    ? NULL
		    : list_waits(context, fold);
	return 0;
}

/* All of them, or those that run or wait. */
static int
list_json(struct context *context, const struct folds *folds, bool all,
    struct err *err)
{
	struct arena *arena = context->arena;
	struct json *list = json_list(arena);
	struct buf text = BUF_INIT;

	for (int i = folds->last; i >= 1; i--) {
		const struct change_fold *fold = &folds->list[i];
		struct gate_result now;
		const char *next;
		struct json *map;
		bool settled;
		char name[16];

		if (list_next(context, fold, &next, &now, &settled, err) < 0)
			return -(int)err->code;
		if (!all && next == NULL)
			continue;
		map = json_add(arena, list, json_map(arena));
		json_put_text(arena, map, "change", change_name(i, name));
		json_put_text(arena, map, "title", fold->title);
		json_put_text(arena, map, "state", stand_word(fold));
		json_put_text(arena, map, "submitter", fold->submitter);
		json_put_int(arena, map, "submitted_ms", fold->submitted_ms);
		json_put_int(arena, map, "status", fold->status);
		if (settled) {
			json_put_text(arena, map, "now", now.word);
			json_put_int(arena, map, "now_status", now.status);
		}
		json_put_text(arena, map, "next", next != NULL ? next : "");
		if (fold->state != CHANGE_ENDED || fold->owed == 0)
			continue;
		json_put_int(arena, map, "owed", fold->owed);
		json_put_text(arena, map, "owed_hosts", fold->owed_hosts);
		json_put_int(arena, map, "owed_until_ms", fold->owed_until_ms);
	}
	for (size_t i = 0; !all && i < folds->quarantine.count; i++)
		json_add(arena, list,
		    cmd_quarantined_json(arena, &folds->quarantine.list[i]));
	json_write(&text, list);
	puts(buf_str(&text));
	buf_free(&text);
	return 0;
}

/* Columns for the words of how they stand. */
static int
list_columns(const struct folds *folds)
{
	int most = 10;

	for (int i = 1; i <= folds->last; i++) {
		int width = (int)text_width(_(stand_word(&folds->list[i])));

		most = width > most ? width : most;
	}
	return most;
}

static int
list_print(struct context *context, const struct folds *folds, struct err *err)
{
	int columns = list_columns(folds);

	for (int i = folds->last; i >= 1; i--) {
		const struct change_fold *fold = &folds->list[i];
		struct buf line = BUF_INIT;
		const char *word = _(stand_word(fold));
		struct gate_result now;
		bool settled;
		char name[16];

		if (cmd_settled_list(context, fold, &settled, &now, err) < 0)
			return -(int)err->code;
		text_put_time(&line, fold->submitted_ms);
		printf("%s  %-*s  %.16s  %-*s  %s", change_name(i, name),
		    text_pad(word, columns), word, buf_str(&line),
		    text_pad(fold->submitter, 10), fold->submitter,
		    fold->title);
		if (settled)
			printf(_("  (settled since: %s)"), _(now.word));
		putchar('\n');
		buf_free(&line);
	}
	if (folds->last == 0)
		printf(_("no change was submitted yet; next: hoshu submit "
			 "PLAN\n"));
	return 0;
}

static int
folds_open(struct cmd_call *call, struct context *context, struct folds *folds,
    struct err *err)
{
	int r;

	if ((r = context_open(context, call, err)) < 0 ||
	    (r = context_journal(context, JOURNAL_READ, err)) < 0)
		return r;
	return folds_read(context, folds, err);
}

static int
list_run(struct cmd_call *call, struct err *err)
{
	struct context context = {0};
	struct folds folds = {0};
	int r = folds_open(call, &context, &folds, err);

	if (r == 0 && call->json)
		r = list_json(&context, &folds, true, err);
	else if (r == 0)
		r = list_print(&context, &folds, err);
	context_close(&context);
	return r;
}

const struct cmd cmd_list = {
    .name = "list",
    .args = "",
    .summary = N_("every change, the newest first"),
    .examples = "  hoshu list\n  hoshu list --json | jq -r "
		"'.[] | select(.state==\"running\").change'\n",
    .run = list_run,
};

static int
status_print(
    struct context *context, const struct folds *folds, struct err *err)
{
	int shown = 0;

	for (int i = folds->last; i >= 1; i--) {
		const struct change_fold *fold = &folds->list[i];
		struct gate_result now;
		const char *next;
		bool settled;
		char name[16];

		if (list_next(context, fold, &next, &now, &settled, err) < 0)
			return -(int)err->code;
		if (next == NULL)
			continue;
		change_name(i, name);
		printf("%s  %s\n    %s\n", name, fold->title, next);
		shown++;
	}
	if (shown == 0)
		printf(_("nothing runs and nothing waits; next: hoshu submit "
			 "PLAN\n"));
	cmd_print_quarantine(&folds->quarantine,
	    folds->quarantine.count > 0 &&
		folds->list[folds->quarantine.list[0].change].state ==
		    CHANGE_ENDED);
	return 0;
}

static int
status_run(struct cmd_call *call, struct err *err)
{
	struct context context = {0};
	struct folds folds = {0};
	int r = folds_open(call, &context, &folds, err);

	if (r == 0 && call->json)
		r = list_json(&context, &folds, false, err);
	else if (r == 0)
		r = status_print(&context, &folds, err);
	context_close(&context);
	return r;
}

const struct cmd cmd_status = {
    .name = "status",
    .args = "",
    .summary = N_("what runs, what waits, and the next command to type"),
    .examples = "  hoshu status\n",
    .run = status_run,
};
