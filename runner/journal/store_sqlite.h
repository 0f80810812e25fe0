/*
 * The embedded store: rows in one SQLite file. One struct store is one
 * connection, used by one thread at a time; it knows tables and transactions
 * but not what a record means nor how the tree is hashed.
 *
 * WAL + synchronous=FULL. SQLite before 3.51.3 can damage a WAL when two
 * connections write or checkpoint at once, so every transaction and
 * checkpoint is inside one flock on STORE/lock, also between processes.
 */
#ifndef HOSHU_JOURNAL_STORE_SQLITE_H
#define HOSHU_JOURNAL_STORE_SQLITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "journal/record.h"
#include "journal/tree.h"

struct store;

/* A record as stored. */
struct store_row {
	struct record record; /* body is "" when read; see record_take_body */
	struct bytes bytes;
	unsigned char leaf[DIGEST_RAW];
	bool well_formed; /* columns hold what columns of a record may hold */
};

/* One head a transaction: what the list was after it. The chain hashes tie
 * each to the one before, so that none can be taken out. */
struct store_head {
	int64_t number; /* from 0: the empty store */
	int64_t blobs;
	int64_t wall_ms;
	struct tree tree; /* with the count of records */
	unsigned char root[DIGEST_RAW];
	unsigned char chain[DIGEST_RAW];
	bool well_formed; /* the stored frontier fits the count */
};

struct store_blob {
	int64_t number; /* from 0 */
	const char *sha256;
	struct bytes bytes;
};

/* Writing makes what is not there yet, with first as its head 0. Reading works
 * in a folder that cannot be written, too. */
int store_open(const char *folder, bool write, const struct store_head *first,
    struct store **out, struct err *err) MUST_USE;
/* Empties the WAL into the file when this connection has written. */
void store_close(struct store *store);

/* A write transaction: flock, then BEGIN IMMEDIATE. Commit = durable. After a
 * failed commit the transaction is gone; end it with rollback all the same. */
int store_begin(struct store *store, struct err *err) MUST_USE;
int store_commit(struct store *store, struct err *err) MUST_USE;
void store_rollback(struct store *store);
/* Copy the WAL into the file when it has grown; in a flock of its own. */
int store_tidy(struct store *store, struct err *err) MUST_USE;
/* A part of a transaction that can be taken back alone. */
int store_mark(struct store *store, struct err *err) MUST_USE;
int store_keep(struct store *store, struct err *err) MUST_USE;
int store_take_back(struct store *store, struct err *err) MUST_USE;
/* A snapshot: reads until store_snapshot_end see one moment. */
int store_snapshot(struct store *store, struct err *err) MUST_USE;
void store_snapshot_end(struct store *store);

int store_put_row(
    struct store *store, const struct store_row *row, struct err *err) MUST_USE;
int store_put_head(struct store *store, const struct store_head *head,
    struct err *err) MUST_USE;
int store_put_blob(struct store *store, const struct store_blob *blob,
    struct err *err) MUST_USE;

int store_last_head(
    struct store *store, struct store_head *head, struct err *err) MUST_USE;
/* Rows in the table, by its largest number (0 when empty). */
int store_row_end(struct store *store, int64_t *end, struct err *err) MUST_USE;
int store_last_change(
    struct store *store, int64_t *change, struct err *err) MUST_USE;
/* The highest epoch a run of the change has started with, or 0. */
int store_epoch(
    struct store *store, int change, int64_t *epoch, struct err *err) MUST_USE;
/* The number of the change's last record about the host, or -1. */
int store_host_last(struct store *store, int change, const char *host,
    int64_t *number, struct err *err) MUST_USE;
/* The intent with this xid: *number is -1 when there is none. *same: it is of
 * this change and host. */
int store_find_intent(struct store *store, const struct record *outcome,
    int64_t *number, bool *same, struct err *err) MUST_USE;
int store_has_blob(struct store *store, const char *sha256, bool *has,
    struct err *err) MUST_USE;
/* Appended to out; ERR_STORE when there is none. Not checked. */
int store_get_blob(struct store *store, const char *sha256, struct buf *out,
    struct err *err) MUST_USE;

/*
 * Cursors: next returns 1 with the next one, 0 at the end. What it gives
 * lives until the next call on the same cursor.
 */
struct store_cursor;
int store_rows(struct store *store, int change, int64_t from,
    struct store_cursor **out, struct err *err) MUST_USE;
int store_heads(
    struct store *store, struct store_cursor **out, struct err *err) MUST_USE;
int store_blobs(
    struct store *store, struct store_cursor **out, struct err *err) MUST_USE;
int store_next_row(struct store_cursor *cursor, struct store_row *row,
    struct err *err) MUST_USE;
int store_next_head(struct store_cursor *cursor, struct store_head *head,
    struct err *err) MUST_USE;
int store_next_blob(struct store_cursor *cursor, struct store_blob *blob,
    struct err *err) MUST_USE;
void store_cursor_close(struct store_cursor *cursor); /* NULL is allowed */

/* For verify: layout and pages of the file itself; found once a fault. */
int store_check_file(struct store *store,
    void (*found)(void *arg, int64_t number, const char *text), void *arg,
    struct err *err) MUST_USE;
/* An xid with two intents: number of the second. -1 = none. */
int store_find_double(
    struct store *store, int64_t *number, struct err *err) MUST_USE;

#endif
