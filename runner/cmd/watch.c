/* hoshu watch: follow a run from another terminal, line by line. */
#include "base/i18n.h"
#include "cmd/running.h"
#include "cmd/say.h"
#include "cmd/stand.h"
#include "cmd/table.h"

#include <string.h>
#include <unistd.h>

/* How often it is looked whether a process still runs the change; it must be
 * found gone twice, for a run may be about to begin. */
enum { WATCH_LOOK_MS = 500, WATCH_GONE = 2 };

struct watching {
	struct context *context;
	struct journal_watch *watch;
	struct loop_timer *timer;
	int gone;
	bool line; /* a line of progress stands at the cursor */
	struct err err;
	int r;
};

static bool
watch_is_active(const struct change_fold *fold)
{
	return fold->state == CHANGE_RUNNING || fold->state == CHANGE_BACK;
}

/* On a terminal, under the last record: how far it is. */
static void
watch_progress(struct watching *w, bool show)
{
	const struct change_fold *fold = &w->context->fold;
	int flight = 0, done = 0, back = 0;

	if (w->context->call->json || !isatty(STDOUT_FILENO))
		return;
	if (w->line)
		fputs("\r\033[K", stdout);
	w->line = show && watch_is_active(fold);
	for (size_t i = 0; i < fold->part_count; i++) {
		enum host_state state = fold->parts[i].state;

		flight += state == HOST_STARTED || state == HOST_BACK;
		done += state == HOST_DONE;
		back += state == HOST_REVERTED;
	}
	if (w->line)
		printf(_("%s: %d in flight, %d done, %d reverted, %d failed, "
			 "%zu in all"),
		    _(stand_word(fold)), flight, done, back, fold->failed,
		    fold->part_count);
	fflush(stdout);
}

static void
watch_print(struct watching *w, const struct record *record)
{
	struct buf bytes = BUF_INIT;

	if (!w->context->call->json) {
		say_record(stdout, record, w->context->change->plan, false);
		return;
	}
	record_write(&bytes, record);
	puts(buf_str(&bytes));
	fflush(stdout);
	buf_free(&bytes);
}

static void
watch_end(struct watching *w, int r)
{
	w->r = r;
	journal_watch_stop(w->watch);
	w->watch = NULL;
	loop_timer_stop(w->timer);
	w->timer = NULL;
	loop_stop(w->context->loop);
}

static void
watch_heard(void *arg, const struct record *record, const struct err *err)
{
	struct watching *w = arg;

	if (err != NULL) {
		w->err = *err;
		watch_end(w, -(int)err->code);
		return;
	}
	watch_progress(w, false);
	watch_print(w, record);
	if (fold_record(&w->context->fold, record, &w->err) < 0)
		watch_end(w, -(int)w->err.code);
	else if (w->context->fold.state == CHANGE_ENDED)
		watch_end(w, w->context->fold.status);
	else
		watch_progress(w, true);
}

/* A run that was killed says nothing any more. */
static void
watch_look(void *arg)
{
	struct watching *w = arg;
	struct lease_seen seen;
	bool gone = watch_is_active(&w->context->fold) &&
		    !cmd_is_run(w->context, &seen);

	w->gone = gone ? w->gone + 1 : 0;
	w->timer = NULL;
	if (w->gone < WATCH_GONE)
		w->timer = loop_timer_start(
		    w->context->loop, WATCH_LOOK_MS, watch_look, w);
	else
		watch_end(w, err_exit_status(ERR_WAITING));
}

/* ---- what was said before ---- */

struct past {
	struct watching *w;
	int64_t from, until; /* numbers, of the last run */
};

static int
past_find(void *arg, const struct record *record, struct err *err)
{
	struct past *past = arg;

	if (record->kind == RECORD_RUN_STARTED)
		past->from = record->number;
	return 0;
}

static int
past_print(void *arg, const struct record *record, struct err *err)
{
	struct past *past = arg;

	if (record->number > past->until)
		return 1;
	watch_print(past->w, record);
	return 0;
}

static int
watch_past(struct watching *w, struct err *err)
{
	struct context *context = w->context;
	struct past past = {w, -1, context->fold.last_number};
	int number = context->change->number, r;

	r = journal_read(context->journal, number, 0, past_find, &past, err);
	if (r < 0 || past.from < 0)
		return r;
	r = journal_read(
	    context->journal, number, past.from, past_print, &past, err);
	return r < 0 ? r : 0;
}

static int
watch_follow(struct watching *w, struct err *err)
{
	struct context *context = w->context;

	w->watch =
	    journal_watch_start(context->journal, context->change->number,
		context->fold.last_number + 1, -1, 0, watch_heard, w);
	w->timer =
	    loop_timer_start(context->loop, WATCH_LOOK_MS, watch_look, w);
	watch_progress(w, true);
	loop_run(context->loop);
	watch_progress(w, false);
	if (w->r < 0)
		*err = w->err;
	return w->r;
}

static int
watch_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	struct watching w = {.context = &context, .err = ERR_INIT};
	const char *next;
	int r;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = context_journal(&context, JOURNAL_READ, err)) < 0 ||
	    (r = context_load(&context, call->words[0], err)) < 0 ||
	    (r = watch_past(&w, err)) < 0)
		goto out;
	if (context.fold.state == CHANGE_ENDED)
		r = context.fold.status;
	else if (context.fold.state == CHANGE_REJECTED)
		r = err_exit_status(ERR_APPROVAL);
	else
		r = watch_follow(&w, err);
	next = stand_next(call->arena, context.journal, &context.fold);
	if (r >= 0 && !call->json && next != NULL)
		printf("\n%s\n", next);
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_watch = {
    .name = "watch",
    .args = "CHG",
    .summary = N_("follow a run from another terminal"),
    .text = N_("Shows what the last run did, then what happens, until it "
	       "ends; on a terminal with a line\nof progress. It may be "
	       "stopped at any time: it only looks.\n"
	       "Exit status: the change's; 10 when it waits for a person or "
	       "no process runs it."),
    .examples = "  hoshu watch CHG-0007\n"
		"  hoshu watch CHG-0007 --json | jq .kind\n",
    .min_words = 1,
    .max_words = 1,
    .run = watch_run,
};
