/*
 * Appending: records wait in a queue; one transaction is under way off the
 * loop, and what comes meanwhile is the next one. Tickets are born here, after
 * the commit and nowhere else.
 */
#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "journal/inside.h"

struct ticket {
	struct ticket *next;
	struct ticket *previous;
	char *xid;
	char *host;
	char *life;
};

const char *
ticket_xid(const struct ticket *ticket)
{
	return ticket->xid;
}

const char *
ticket_host(const struct ticket *ticket)
{
	return ticket->host;
}

const char *
ticket_life(const struct ticket *ticket)
{
	return ticket->life;
}

static struct ticket *
ticket_open(struct journal *journal, const struct record *intent)
{
	struct ticket *ticket = xcalloc(1, sizeof(*ticket));

	ticket->xid = xstrdup(intent->xid);
	ticket->host = xstrdup(intent->host);
	ticket->life = xstrdup(intent->life);
	ticket->next = journal->tickets;
	if (ticket->next != NULL)
		ticket->next->previous = ticket;
	journal->tickets = ticket;
	return ticket;
}

void
journal_ticket_close(struct journal *journal, struct ticket *ticket)
{
	if (ticket == NULL)
		return;
	if (ticket->next != NULL)
		ticket->next->previous = ticket->previous;
	if (ticket->previous != NULL)
		ticket->previous->next = ticket->next;
	else
		journal->tickets = ticket->next;
	free(ticket->xid);
	free(ticket->host);
	free(ticket->life);
	free(ticket);
}

/* After a failure the transaction may or may not be on the disk; it was not
 * acknowledged, and nothing after it will be. */
int
writer_commit(struct writer *writer, struct commit_part *parts,
    const struct blob *blobs, int64_t wall_ms, int64_t *count, struct err *err)
{
	struct err why = ERR_INIT;
	int rc;

	pthread_mutex_lock(&writer->mutex);
	if (writer->stopped.code != ERR_NONE) {
		why = writer->stopped;
		rc = -(int)why.code;
		goto out;
	}
	rc = commit_run(writer->store, parts, blobs, wall_ms, count, &why);
	if (rc < 0)
		writer->stopped = why;
	else
		/* a fault here fills stopped: this commit holds, the next
		 * one is not tried */
		(void)!store_tidy(writer->store, &writer->stopped);
out:
	pthread_mutex_unlock(&writer->mutex);
	if (rc < 0 && err != NULL)
		*err = why;
	return rc;
}

static const char *
copy_text(struct arena *arena, const char *text, const char *otherwise)
{
	return text != NULL ? arena_strdup(arena, text) : otherwise;
}

static struct record *
copy_records(struct journal *journal, struct arena *arena,
    const struct record *records, size_t count)
{
	struct record *copies = arena_array(arena, struct record, count);
	int64_t wall_ms = world_wall_ms(journal->world);
	int64_t mono_ms = world_mono_ms(journal->world);
	size_t i;

	for (i = 0; i < count; i++) {
		copies[i] = records[i];
		copies[i].host = copy_text(arena, records[i].host, "");
		copies[i].xid = copy_text(arena, records[i].xid, "");
		copies[i].life = copy_text(arena, records[i].life, "");
		copies[i].actor = copy_text(arena, records[i].actor, "");
		copies[i].body = copy_text(arena, records[i].body, "{}");
		if (copies[i].wall_ms == 0)
			copies[i].wall_ms = wall_ms;
		if (copies[i].mono_ms == 0)
			copies[i].mono_ms = mono_ms;
	}
	return copies;
}

static struct append *
append_new(struct journal *journal, const struct record *records, size_t count)
{
	struct arena *arena = arena_new();
	struct append *append = arena_new_of(arena, struct append);

	append->arena = arena;
	append->part.records = copy_records(journal, arena, records, count);
	append->part.count = count;
	return append;
}

/* The parts of a list of appends, chained for commit_run. */
static struct commit_part *
chain_parts(struct append *appends)
{
	struct append *a;

	for (a = appends; a != NULL; a = a->next)
		a->part.next = a->next != NULL ? &a->next->part : NULL;
	return appends != NULL ? &appends->part : NULL;
}

void
append_free_all(struct append *appends)
{
	struct append *next;

	for (; appends != NULL; appends = next) {
		next = appends->next;
		arena_free(appends->arena);
	}
}

/* On another thread: the batch owns all that it points to. */
static void
batch_work(void *arg)
{
	struct batch *batch = arg;
	struct writer *writer = batch->writer;

	batch->rc = writer_commit(writer, chain_parts(batch->appends),
	    batch->blobs, batch->wall_ms, &batch->count, &batch->err);
	pthread_mutex_lock(&writer->mutex);
	writer->busy = false;
	pthread_cond_signal(&writer->idle);
	pthread_mutex_unlock(&writer->mutex);
}

/* done may append, close tickets, or close the journal. */
void
append_tell(
    struct journal *journal, struct append *append, const struct err *err)
{
	size_t i, count = append->part.count;
	struct ticket **tickets =
	    arena_array(append->arena, struct ticket *, count);

	for (i = 0; i < count && err == NULL; i++)
		if (record_kind_is_intent(append->part.records[i].kind))
			tickets[i] =
			    ticket_open(journal, &append->part.records[i]);
	journal->told =
	    err == NULL && count > 0 ? append->part.records[0].number : -1;
	if (append->done != NULL)
		append->done(append->arg, tickets, count, err);
}

int64_t
journal_told(const struct journal *journal)
{
	return journal->told;
}

static void
tell(struct batch *batch, struct append *append)
{
	const struct err *err = NULL;

	if (batch->rc < 0)
		err = &batch->err;
	else if (append->part.rc < 0)
		err = &append->part.err;
	append_tell(batch->journal, append, err);
}

static void batch_start(struct journal *journal);

static void
batch_done(void *arg)
{
	struct batch *batch = arg;
	struct append *append;

	if (batch->journal != NULL && batch->rc == 0)
		batch->journal->count = batch->count;
	for (append = batch->appends; append != NULL && batch->journal != NULL;
	     append = append->next)
		tell(batch, append);
	if (batch->journal != NULL) {
		batch->journal->batch = NULL;
		batch_start(batch->journal);
	}
	append_free_all(batch->appends);
	blob_free_all(batch->blobs);
	free(batch);
}

static void
batch_start(struct journal *journal)
{
	struct batch *batch;

	if (journal->batch != NULL || journal->queue == NULL)
		return;
	batch = xcalloc(1, sizeof(*batch));
	batch->journal = journal;
	batch->writer = journal->writer;
	batch->appends = journal->queue;
	batch->blobs = blob_take_all(&journal->blobs);
	batch->wall_ms = world_wall_ms(journal->world);
	journal->queue = NULL;
	journal->queue_end = &journal->queue;
	journal->batch = batch;
	journal->writer->busy = true;
	loop_work(journal->loop, batch_work, batch_done, batch);
}

void
journal_append(struct journal *journal, const struct record *records,
    size_t count,
    void (*done)(void *arg, struct ticket *const *tickets, size_t count,
	const struct err *err),
    void *arg)
{
	struct append *append;

	if ((journal->writer == NULL && journal->rehearsed == NULL) ||
	    journal->loop == NULL)
		bug("journal_append needs a journal for writing and a loop");
	append = append_new(journal, records, count);
	append->done = done;
	append->arg = arg;
	if (journal->rehearsed != NULL) {
		rehearsed_append(journal, append);
		return;
	}
	*journal->queue_end = append;
	journal->queue_end = &append->next;
	batch_start(journal);
}

void
append_flush(struct journal *journal)
{
	struct writer *writer = journal->writer;
	struct blob *blobs = blob_take_all(&journal->blobs);
	struct err dropped = ERR_INIT;
	int64_t count;

	pthread_mutex_lock(&writer->mutex);
	while (writer->busy)
		pthread_cond_wait(&writer->idle, &writer->mutex);
	pthread_mutex_unlock(&writer->mutex);
	if (journal->batch != NULL)
		journal->batch->journal = NULL;
	if (journal->queue != NULL || blobs != NULL)
		(void)!writer_commit(writer, chain_parts(journal->queue), blobs,
		    world_wall_ms(journal->world), &count, &dropped);
	append_free_all(journal->queue);
	blob_free_all(blobs);
}

/* One part at once; the blobs that wait go with it. */
static int
commit_now(struct journal *journal, struct append *append, struct err *err)
{
	struct blob *blobs = blob_take_all(&journal->blobs);
	int64_t count;
	int rc;

	rc = writer_commit(journal->writer, &append->part, blobs,
	    world_wall_ms(journal->world), &count, err);
	if (rc == 0)
		journal->count = count;
	if (rc == 0 && append->part.rc < 0) {
		if (err != NULL)
			*err = append->part.err;
		rc = append->part.rc;
	}
	blob_free_all(blobs);
	return rc;
}

int
journal_append_now(struct journal *journal, const struct record *records,
    size_t count, int64_t *number, struct err *err)
{
	struct append *append;
	int rc;

	if (journal->writer == NULL)
		bug("journal_append_now needs a journal for writing");
	append = append_new(journal, records, count);
	rc = commit_now(journal, append, err);
	if (rc == 0 && number != NULL)
		*number =
		    count > 0 ? append->part.records[0].number : journal->count;
	append_free_all(append);
	return rc;
}

int
journal_append_if_last(struct journal *journal, const struct record *record,
    int64_t last, struct err *err)
{
	struct append *append;
	int rc;

	if (journal->writer == NULL)
		bug("journal_append_if_last needs a journal for writing");
	append = append_new(journal, record, 1);
	append->part.if_last = true;
	append->part.last = last;
	rc = commit_now(journal, append, err);
	append_free_all(append);
	return rc;
}

int
journal_append_new_change(struct journal *journal, struct record *record,
    int *change, struct err *err)
{
	struct append *append;
	int rc;

	if (journal->writer == NULL || record->kind != RECORD_SUBMITTED)
		bug("a new change begins with a submitted record");
	append = append_new(journal, record, 1);
	append->part.new_change = true;
	rc = commit_now(journal, append, err);
	if (rc == 0) {
		record->change = append->part.records[0].change;
		record->number = append->part.records[0].number;
		*change = record->change;
	}
	append_free_all(append);
	return rc;
}
