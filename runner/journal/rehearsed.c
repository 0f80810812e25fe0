/*
 * The journal of a rehearsal; see rehearsed.h. A queue and one transaction
 * under way, like append.c, but for the store and the thread.
 */
#include "journal/rehearsed.h"

#include <stdlib.h>

#include "journal/inside.h"

struct rehearsed {
	struct rehearsed_options o;
	struct append *batch; /* under way */
	struct loop_timer *timer;
	struct journal_watch *watch;
	bool dead;
};

static void rehearsed_start(struct journal *journal);

static bool
rehearsed_keep(struct journal *journal, const struct append *append)
{
	struct rehearsed *rehearsed = journal->rehearsed;

	for (size_t i = 0; i < append->part.count; i++) {
		struct record *record = &append->part.records[i];

		record->number = journal->count++;
		if (rehearsed->o.durable != NULL &&
		    !rehearsed->o.durable(rehearsed->o.arg, record))
			return false;
	}
	return true;
}

static void
rehearsed_die(struct journal *journal)
{
	journal->rehearsed->dead = true;
	loop_stop(journal->loop);
}

static void
rehearsed_committed(void *arg)
{
	struct journal *journal = arg;
	struct rehearsed *rehearsed = journal->rehearsed;
	struct append *append, *batch = rehearsed->batch;

	rehearsed->timer = NULL;
	for (append = batch; append != NULL; append = append->next)
		if (!rehearsed_keep(journal, append)) {
			rehearsed_die(journal);
			return;
		}
	rehearsed->batch = NULL;
	for (append = batch; append != NULL; append = append->next)
		append_tell(journal, append, NULL);
	append_free_all(batch);
	rehearsed_start(journal);
}

static void
rehearsed_start(struct journal *journal)
{
	struct rehearsed *rehearsed = journal->rehearsed;

	if (rehearsed->dead || rehearsed->timer != NULL ||
	    journal->queue == NULL)
		return;
	rehearsed->batch = journal->queue;
	journal->queue = NULL;
	journal->queue_end = &journal->queue;
	rehearsed->timer = loop_timer_start(journal->loop,
	    rehearsed->o.commit_ms, rehearsed_committed, journal);
}

struct journal *
journal_rehearse(const struct rehearsed_options *options)
{
	struct journal *journal = xcalloc(1, sizeof(*journal));

	journal->mode = JOURNAL_WRITE;
	journal->world = options->world;
	journal->loop = options->loop;
	journal->count = options->count;
	journal->queue_end = &journal->queue;
	journal->blobs.end = &journal->blobs.first;
	journal->rehearsed = xcalloc(1, sizeof(*journal->rehearsed));
	journal->rehearsed->o = *options;
	return journal;
}

void
rehearsed_append(struct journal *journal, struct append *append)
{
	*journal->queue_end = append;
	journal->queue_end = &append->next;
	rehearsed_start(journal);
}

void
rehearsed_watch(struct journal *journal, struct journal_watch *watch)
{
	journal->rehearsed->watch = watch;
}

void
journal_rehearse_said(struct journal *journal, struct record record)
{
	struct rehearsed *rehearsed = journal->rehearsed;

	if (rehearsed->dead)
		return;
	record.number = journal->count++;
	if (rehearsed->o.durable != NULL &&
	    !rehearsed->o.durable(rehearsed->o.arg, &record))
		rehearsed_die(journal);
	else if (rehearsed->watch != NULL)
		watch_tell(rehearsed->watch, &record);
}

void
rehearsed_close(struct journal *journal)
{
	struct rehearsed *rehearsed = journal->rehearsed;

	if (rehearsed == NULL)
		return;
	loop_timer_stop(rehearsed->timer);
	append_free_all(rehearsed->batch);
	append_free_all(journal->queue);
	free(rehearsed);
}

bool
journal_is_rehearsed(const struct journal *journal)
{
	return journal->rehearsed != NULL;
}
