/*
 * Reading rows of the SQLite store. What is read may have been changed by
 * another hand: nothing here trusts a type or a length.
 */
#include "journal/store_inside.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

#define IS_INTENT "kind IN ('step-intent', 'undo-intent')"

static struct bytes
column_blob(sqlite3_stmt *row, int at)
{
	const void *data = sqlite3_column_blob(row, at);
	int len = sqlite3_column_bytes(row, at);

	return (struct bytes){len > 0 ? data : "", (size_t)len};
}

static bool
column_hash(sqlite3_stmt *row, int at, unsigned char hash[DIGEST_RAW])
{
	struct bytes bytes = column_blob(row, at);

	memset(hash, 0, DIGEST_RAW);
	if (bytes.len != DIGEST_RAW)
		return false;
	memcpy(hash, bytes.data, DIGEST_RAW);
	return true;
}

/* "" and false when it is no UTF-8 text or holds a NUL. */
static const char *
column_text(sqlite3_stmt *row, int at, bool *ok)
{
	const char *text = (const char *)sqlite3_column_text(row, at);
	size_t len = (size_t)sqlite3_column_bytes(row, at);

	if (text == NULL || strlen(text) != len || !text_is_utf8(text, len)) {
		*ok = false;
		return "";
	}
	return text;
}

static int
column_int(sqlite3_stmt *row, int at, bool *ok)
{
	int64_t value = sqlite3_column_int64(row, at);

	if (value < 0 || value > INT_MAX) {
		*ok = false;
		return 0;
	}
	return (int)value;
}

static void
read_row(sqlite3_stmt *from, struct store_row *row)
{
	struct record *r = &row->record;
	bool ok = true;

	r->number = sqlite3_column_int64(from, 0);
	r->change = column_int(from, 1, &ok);
	r->epoch = sqlite3_column_int64(from, 2);
	r->host = column_text(from, 3, &ok);
	r->step = column_int(from, 4, &ok);
	r->attempt = column_int(from, 5, &ok);
	r->xid = column_text(from, 6, &ok);
	r->life = column_text(from, 7, &ok);
	r->kind = record_kind_of(column_text(from, 8, &ok));
	r->actor = column_text(from, 9, &ok);
	r->wall_ms = sqlite3_column_int64(from, 10);
	r->mono_ms = sqlite3_column_int64(from, 11);
	r->body = "";
	row->bytes = column_blob(from, 12);
	if (!column_hash(from, 13, row->leaf))
		ok = false;
	row->well_formed = ok && r->kind != RECORD_NONE;
}

static void
read_head(sqlite3_stmt *from, struct store_head *head)
{
	int64_t count = sqlite3_column_int64(from, 1);
	bool ok = true;

	memset(head, 0, sizeof(*head));
	head->number = sqlite3_column_int64(from, 0);
	head->blobs = sqlite3_column_int64(from, 2);
	head->wall_ms = sqlite3_column_int64(from, 3);
	if (!column_hash(from, 4, head->root) ||
	    !tree_load(&head->tree, count, column_blob(from, 5)) ||
	    !column_hash(from, 6, head->chain))
		ok = false;
	head->tree.count = count;
	head->well_formed = ok;
}

int
store_last_head(struct store *store, struct store_head *head, struct err *err)
{
	sqlite3_stmt *row = store_statement(store, STORE_LAST_HEAD, err);
	int step, rc = 0;

	if (row == NULL)
		return -(int)ERR_STORE;
	step = sqlite3_step(row);
	if (step == SQLITE_ROW)
		read_head(row, head);
	else if (step == SQLITE_DONE)
		rc = err_set(err, ERR_STORE,
		    _("%s/journal.db has lost its heads: run `hoshu audit "
		      "verify`"),
		    store->folder);
	else
		rc = store_fail(store, err);
	sqlite3_reset(row);
	return rc;
}

int
store_get_blob(
    struct store *store, const char *sha256, struct buf *out, struct err *err)
{
	const char *query = "SELECT bytes FROM blob WHERE sha256 = ?";
	sqlite3_stmt *row = NULL;
	struct bytes bytes;
	int step, rc = 0;

	if (sqlite3_prepare_v2(store->db, query, -1, &row, NULL) != SQLITE_OK) {
		rc = store_fail(store, err);
		goto out;
	}
	sqlite3_bind_text(row, 1, sha256, -1, SQLITE_STATIC);
	step = sqlite3_step(row);
	if (step == SQLITE_ROW) {
		bytes = column_blob(row, 0);
		buf_put(out, bytes.data, bytes.len);
	} else if (step == SQLITE_DONE)
		rc = err_set(err, ERR_STORE,
		    _("%s holds no blob %s: run `hoshu audit verify`"),
		    store->folder, sha256);
	else
		rc = store_fail(store, err);
out:
	sqlite3_finalize(row);
	return rc;
}

struct store_cursor {
	struct store *store;
	sqlite3_stmt *row;
};

static int
cursor_open(struct store *store, const char *query, struct store_cursor **out,
    struct err *err)
{
	struct store_cursor *cursor;
	sqlite3_stmt *row;

	if (sqlite3_prepare_v2(store->db, query, -1, &row, NULL) != SQLITE_OK)
		return store_fail(store, err);
	cursor = xcalloc(1, sizeof(*cursor));
	cursor->store = store;
	cursor->row = row;
	*out = cursor;
	return 0;
}

int
store_rows(struct store *store, int change, int64_t from,
    struct store_cursor **out, struct err *err)
{
	int rc = cursor_open(store,
	    change == 0 ? "SELECT " STORE_ROW_COLUMNS " FROM record "
			  "WHERE number >= ? ORDER BY number"
			: "SELECT " STORE_ROW_COLUMNS " FROM record "
			  "WHERE number >= ? AND change = ? ORDER BY number",
	    out, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64((*out)->row, 1, from);
	if (change != 0)
		sqlite3_bind_int((*out)->row, 2, change);
	return 0;
}

int
store_heads(struct store *store, struct store_cursor **out, struct err *err)
{
	return cursor_open(store,
	    "SELECT " STORE_HEAD_COLUMNS " FROM head ORDER BY number", out,
	    err);
}

int
store_blobs(struct store *store, struct store_cursor **out, struct err *err)
{
	return cursor_open(store,
	    "SELECT number, sha256, bytes FROM blob ORDER BY number", out, err);
}

static int
cursor_step(struct store_cursor *cursor, struct err *err)
{
	int step = sqlite3_step(cursor->row);

	if (step == SQLITE_ROW)
		return 1;
	return step == SQLITE_DONE ? 0 : store_fail(cursor->store, err);
}

int
store_next_row(
    struct store_cursor *cursor, struct store_row *row, struct err *err)
{
	int rc = cursor_step(cursor, err);

	if (rc > 0)
		read_row(cursor->row, row);
	return rc;
}

int
store_next_head(
    struct store_cursor *cursor, struct store_head *head, struct err *err)
{
	int rc = cursor_step(cursor, err);

	if (rc > 0)
		read_head(cursor->row, head);
	return rc;
}

int
store_next_blob(
    struct store_cursor *cursor, struct store_blob *blob, struct err *err)
{
	bool ok = true;
	int rc = cursor_step(cursor, err);

	if (rc > 0) {
		blob->number = sqlite3_column_int64(cursor->row, 0);
		blob->sha256 = column_text(cursor->row, 1, &ok);
		blob->bytes = column_blob(cursor->row, 2);
	}
	return rc;
}

void
store_cursor_close(struct store_cursor *cursor)
{
	if (cursor == NULL)
		return;
	sqlite3_finalize(cursor->row);
	free(cursor);
}

int
store_check_file(struct store *store,
    void (*found)(void *arg, int64_t number, const char *text), void *arg,
    struct err *err)
{
	sqlite3_stmt *row = NULL;
	const char *text;
	int step, rc = 0;

	if (sqlite3_prepare_v2(store->db, "PRAGMA integrity_check", -1, &row,
		NULL) != SQLITE_OK) {
		rc = store_fail(store, err);
		goto out;
	}
	while ((step = sqlite3_step(row)) == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(row, 0);
		if (text == NULL || strcmp(text, "ok") != 0)
			found(arg, -1, text != NULL ? text : "?");
	}
	if (step != SQLITE_DONE)
		rc = store_fail(store, err);
out:
	sqlite3_finalize(row);
	return rc;
}

int
store_find_double(struct store *store, int64_t *number, struct err *err)
{
	const char *query = "SELECT max(number) FROM record NOT INDEXED "
			    "WHERE " IS_INTENT " "
			    "GROUP BY xid HAVING count(*) > 1 LIMIT 1";
	sqlite3_stmt *row = NULL;
	int rc;

	if (sqlite3_prepare_v2(store->db, query, -1, &row, NULL) != SQLITE_OK)
		rc = store_fail(store, err);
	else
		rc = store_read_int(store, row, number, err);
	sqlite3_finalize(row);
	return rc;
}
