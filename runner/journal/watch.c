/*
 * Watching what others append to a change; see journal_watch_start. A look is
 * one indexed query; it costs some 20 us where nothing came.
 */
#include "journal/journal.h"

#include <stdlib.h>

#include "journal/inside.h"

enum { WATCH_EVERY_MS = 300 };

struct journal_watch {
	struct journal *journal;
	int change;
	int64_t next; /* the first number not yet looked at */
	int64_t epoch;
	int64_t every_ms;
	int64_t count; /* of the journal, at the last look */
	struct loop_timer *timer;
	void (*fn)(
	    void *arg, const struct record *record, const struct err *err);
	void *arg;
	bool looking, stopped, failed;
};

/* Non-zero ends the reading: fn stopped the watch. */
static int
watch_take(void *arg, const struct record *record, struct err *err)
{
	struct journal_watch *watch = arg;

	(void)err;
	watch->next = record->number + 1;
	if (record_kind_is_outside(record->kind) ||
	    record->epoch > watch->epoch)
		watch->fn(watch->arg, record, NULL);
	return watch->stopped;
}

/* false when the watch is no more. */
static bool
watch_look(struct journal_watch *watch)
{
	struct err err = ERR_INIT;
	bool stopped;
	int rc;

	watch->looking = true;
	rc = journal_read(watch->journal, watch->change, watch->next,
	    watch_take, watch, &err);
	if (rc < 0 && !watch->stopped) {
		watch->failed = true;
		watch->fn(watch->arg, NULL, &err);
	}
	watch->looking = false;
	watch->count = journal_count(watch->journal);
	stopped = watch->stopped;
	if (stopped)
		free(watch);
	return !stopped;
}

static void
watch_timer(void *arg)
{
	struct journal_watch *watch = arg;

	watch->timer = NULL;
	if (watch->failed || !watch_look(watch) || watch->failed)
		return;
	watch->timer = loop_timer_start(
	    watch->journal->loop, watch->every_ms, watch_timer, watch);
}

void
journal_watch_look(struct journal_watch *watch)
{
	if (watch->looking)
		bug("journal_watch_look from within its fn");
	if (watch->journal->rehearsed != NULL)
		return; /* nothing is there that was not told */
	if (!watch->failed && watch->count != journal_count(watch->journal))
		(void)watch_look(watch);
}

void
watch_tell(struct journal_watch *watch, const struct record *record)
{
	watch->looking = true;
	watch->fn(watch->arg, record, NULL);
	watch->looking = false;
	if (watch->stopped)
		free(watch);
}

struct journal_watch *
journal_watch_start(struct journal *journal, int change, int64_t from,
    int64_t epoch, int64_t every_ms,
    void (*fn)(void *arg, const struct record *record, const struct err *err),
    void *arg)
{
	struct journal_watch *watch = xcalloc(1, sizeof(*watch));

	watch->journal = journal;
	watch->change = change;
	watch->next = from;
	watch->epoch = epoch;
	watch->every_ms = every_ms > 0 ? every_ms : WATCH_EVERY_MS;
	watch->fn = fn;
	watch->arg = arg;
	watch->count = -1;
	if (journal->rehearsed != NULL)
		rehearsed_watch(journal, watch);
	else
		watch->timer =
		    loop_timer_start(journal->loop, 0, watch_timer, watch);
	return watch;
}

void
journal_watch_stop(struct journal_watch *watch)
{
	if (watch == NULL)
		return;
	watch->stopped = true;
	if (watch->journal->rehearsed != NULL)
		rehearsed_watch(watch->journal, NULL);
	if (watch->timer != NULL)
		loop_timer_stop(watch->timer);
	watch->timer = NULL;
	if (!watch->looking)
		free(watch);
}
