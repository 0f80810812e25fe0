/*
 * A journal for rehearsals: it has the calls that a run appends by, takes its
 * time on the loop's clock as the real one does on a disk, and keeps nothing.
 */
#ifndef HOSHU_JOURNAL_REHEARSED_H
#define HOSHU_JOURNAL_REHEARSED_H

#include "journal/journal.h"

struct rehearsed_options {
	struct loop *loop;
	const struct world *world;
	int64_t commit_ms; /* of a transaction; the next one waits for it */
	int64_t count;	   /* records that were there before: numbers go on */
	/* Told of each record as it becomes durable; may be NULL. false: here
	 * the coordinator dies. Nobody is told of anything any more and the
	 * loop stops. */
	bool (*durable)(void *arg, const struct record *record);
	void *arg;
};

/* For journal_append, journal_put_blob, the tickets, journal_watch_start and
 * journal_close. */
struct journal *journal_rehearse(const struct rehearsed_options *options);

/* What another says beside the run (record_kind_is_outside): durable at once,
 * and the run hears it. */
void journal_rehearse_said(struct journal *journal, struct record record);

/* Is it such a one? It has one user, and nothing can be read from it. */
bool journal_is_rehearsed(const struct journal *journal);

#endif
