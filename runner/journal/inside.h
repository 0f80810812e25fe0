/*
 * What the files of the journal share beyond their contract. Nothing outside
 * the folder includes it.
 */
#ifndef HOSHU_JOURNAL_INSIDE_H
#define HOSHU_JOURNAL_INSIDE_H

#include <pthread.h>

#include "journal/commit.h"
#include "journal/journal.h"

/* What waits for the next transaction, with whom to tell. */
struct append {
	struct append *next;
	struct arena *arena; /* holds this and the copied records */
	struct commit_part part;
	void (*done)(void *arg, struct ticket *const *tickets, size_t count,
	    const struct err *err);
	void *arg;
};

/* A transaction under way on another thread. */
struct batch {
	struct journal *journal; /* NULL: closed meanwhile, tell nobody */
	struct writer *writer;
	struct append *appends;
	struct blob *blobs;
	int64_t wall_ms;
	int64_t count;
	int rc;
	struct err err;
};

struct blob_list {
	struct blob *first;
	struct blob **end;
	size_t bytes;
};

/*
 * The writing connection: one thread at a time holds the mutex. Once a
 * transaction has failed, stopped holds why, and no other is tried: after an
 * fsync error the kernel may have dropped what it could not write.
 */
struct writer {
	pthread_mutex_t mutex;
	struct store *store;
	bool busy; /* a batch is with a thread */
	pthread_cond_t idle;
	struct err stopped;
};

struct journal {
	enum journal_mode mode;
	char *folder;
	const struct world *world;
	struct loop *loop;
	struct store *reader; /* used on the loop's thread alone */
	struct writer *writer;
	int64_t count;
	int64_t told; /* number of the first record that done is told of */
	struct append *queue;
	struct append **queue_end;
	struct batch *batch;
	struct blob_list blobs;
	struct ticket *tickets;
	struct rehearsed *rehearsed; /* NULL = a store */
};

/* Commit under the mutex, or say why the store has stopped. */
int writer_commit(struct writer *writer, struct commit_part *parts,
    const struct blob *blobs, int64_t wall_ms, int64_t *count,
    struct err *err) MUST_USE;

/* Take all blobs that wait; the caller frees them by blob_free_all. */
struct blob *blob_take_all(struct blob_list *list);
void blob_free_all(struct blob *blobs);
/* The one with this digest, or NULL. */
const struct blob *blob_find(const struct blob *blobs, const char *sha256);

/* Put what is queued and not yet with a thread into the store, at once, and
 * tell nobody: for closing. */
void append_flush(struct journal *journal);

/* Of appends, in append.c. err NULL = it is durable. */
void append_tell(
    struct journal *journal, struct append *append, const struct err *err);
void append_free_all(struct append *appends);

/* watch.c: a record that somebody else said, at a rehearsal. */
void watch_tell(struct journal_watch *watch, const struct record *record);
/* rehearsed.c: the one that is told, or NULL */
void rehearsed_watch(struct journal *journal, struct journal_watch *watch);
/* rehearsed.c: its part of journal_append and journal_close */
void rehearsed_append(struct journal *journal, struct append *append);
void rehearsed_close(struct journal *journal);

#endif
