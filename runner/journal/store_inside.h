/*
 * What the files of the SQLite store share. Only store_sqlite*.c include it.
 */
#ifndef HOSHU_JOURNAL_STORE_INSIDE_H
#define HOSHU_JOURNAL_STORE_INSIDE_H

#include <sqlite3.h>

#include "journal/store_sqlite.h"

/* In the order in which they are bound and read. */
#define STORE_ROW_COLUMNS                                                      \
	"number, change, epoch, host, step, attempt, xid, life, kind, "        \
	"actor, wall_ms, mono_ms, bytes, leaf"
#define STORE_HEAD_COLUMNS                                                     \
	"number, count, blobs, wall_ms, root, frontier, chain"

/* Statements that an append needs each time, kept prepared. */
enum store_statement {
	STORE_BEGIN,
	STORE_COMMIT,
	STORE_MARK,
	STORE_KEEP,
	STORE_TAKE_BACK,
	STORE_PUT_ROW,
	STORE_PUT_HEAD,
	STORE_PUT_BLOB,
	STORE_LAST_HEAD,
	STORE_ROW_END,
	STORE_LAST_CHANGE,
	STORE_EPOCH,
	STORE_HOST_LAST,
	STORE_FIND_INTENT,
	STORE_HAS_BLOB,
	STORE_STATEMENTS,
};

struct store {
	sqlite3 *db;
	char *folder;
	char *copy; /* a temporary folder that is read instead, or NULL */
	int lock;   /* of STORE/lock; -1 when reading */
	int wal_pages;
	bool wrote;
	sqlite3_stmt *statements[STORE_STATEMENTS];
};

/* Take STORE/lock (how: LOCK_EX or LOCK_SH). After a few seconds it says on
 * stderr, once, who has it and what to do; it waits on. */
int store_lock(const char *folder, int lock, int how, struct err *err) MUST_USE;
/* An err of what SQLite last said; the code is ERR_STORE. */
int store_fail(struct store *store, struct err *err);
/* Prepared once, reset; NULL and err when it cannot be. */
sqlite3_stmt *store_statement(
    struct store *store, enum store_statement which, struct err *err);
/* Run to the end a statement that gives no rows. */
int store_run(
    struct store *store, sqlite3_stmt *statement, struct err *err) MUST_USE;

/* The one integer that a query gives; -1 when it gives no row. Resets it. */
int store_read_int(struct store *store, sqlite3_stmt *row, int64_t *value,
    struct err *err) MUST_USE;

/* store_sqlite_layout.c */
int store_layout_make(struct store *store, struct err *err) MUST_USE;
int store_layout_check(struct store *store, struct err *err) MUST_USE;

/* store_sqlite_copy.c: how to open the file for reading. Gives the URI. */
int store_reading_uri(
    struct store *store, struct buf *uri, struct err *err) MUST_USE;

#endif
