/*
 * What an append needs of the SQLite store: its statements, kept prepared;
 * putting rows, and the questions that the rules ask.
 */
#include "journal/store_inside.h"

#define IS_INTENT "kind IN ('step-intent', 'undo-intent')"

static const char *const queries[STORE_STATEMENTS] = {
    [STORE_BEGIN] = "BEGIN IMMEDIATE",
    [STORE_COMMIT] = "COMMIT",
    [STORE_MARK] = "SAVEPOINT part",
    [STORE_KEEP] = "RELEASE part",
    [STORE_TAKE_BACK] = "ROLLBACK TO part",
    [STORE_PUT_ROW] = "INSERT INTO record (" STORE_ROW_COLUMNS ") "
		      "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [STORE_PUT_HEAD] = "INSERT INTO head (" STORE_HEAD_COLUMNS ") "
		       "VALUES (?,?,?,?,?,?,?)",
    [STORE_PUT_BLOB] = "INSERT INTO blob (number, sha256, bytes) "
		       "VALUES (?,?,?)",
    [STORE_LAST_HEAD] = "SELECT " STORE_HEAD_COLUMNS " FROM head "
			"ORDER BY number DESC LIMIT 1",
    [STORE_ROW_END] = "SELECT ifnull(max(number) + 1, 0) FROM record",
    [STORE_LAST_CHANGE] = "SELECT ifnull(max(change), 0) FROM record",
    [STORE_EPOCH] = "SELECT ifnull(max(epoch), 0) FROM record "
		    "WHERE kind = 'run-started' AND change = ?",
    [STORE_HOST_LAST] = "SELECT ifnull(max(number), -1) FROM record "
			"WHERE change = ? AND host = ?",
    [STORE_FIND_INTENT] = "SELECT number, change = ? AND host = ? "
			  "FROM record WHERE xid = ? AND " IS_INTENT,
    [STORE_HAS_BLOB] = "SELECT 1 FROM blob WHERE sha256 = ?",
};

sqlite3_stmt *
store_statement(
    struct store *store, enum store_statement which, struct err *err)
{
	sqlite3_stmt **statement = &store->statements[which];

	if (*statement == NULL &&
	    sqlite3_prepare_v3(store->db, queries[which], -1,
		SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
		store_fail(store, err);
	return *statement;
}

int
store_run(struct store *store, sqlite3_stmt *statement, struct err *err)
{
	int step = sqlite3_step(statement);
	int rc = step == SQLITE_DONE ? 0 : store_fail(store, err);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return rc;
}

static void
bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static void
bind_blob(sqlite3_stmt *statement, int at, const void *data, size_t len)
{
	/* a NULL pointer would bind NULL, not an empty blob */
	sqlite3_bind_blob64(
	    statement, at, len > 0 ? data : "", len, SQLITE_STATIC);
}

int
store_put_row(struct store *store, const struct store_row *row, struct err *err)
{
	sqlite3_stmt *put = store_statement(store, STORE_PUT_ROW, err);
	const struct record *r = &row->record;

	if (put == NULL)
		return -(int)ERR_STORE;
	sqlite3_bind_int64(put, 1, r->number);
	sqlite3_bind_int(put, 2, r->change);
	sqlite3_bind_int64(put, 3, r->epoch);
	bind_text(put, 4, r->host);
	sqlite3_bind_int(put, 5, r->step);
	sqlite3_bind_int(put, 6, r->attempt);
	bind_text(put, 7, r->xid);
	bind_text(put, 8, r->life);
	bind_text(put, 9, record_kind_word(r->kind));
	bind_text(put, 10, r->actor);
	sqlite3_bind_int64(put, 11, r->wall_ms);
	sqlite3_bind_int64(put, 12, r->mono_ms);
	bind_blob(put, 13, row->bytes.data, row->bytes.len);
	bind_blob(put, 14, row->leaf, DIGEST_RAW);
	return store_run(store, put, err);
}

int
store_put_head(
    struct store *store, const struct store_head *head, struct err *err)
{
	sqlite3_stmt *put = store_statement(store, STORE_PUT_HEAD, err);
	struct buf frontier = BUF_INIT;
	int rc;

	if (put == NULL)
		return -(int)ERR_STORE;
	tree_save(&head->tree, &frontier);
	sqlite3_bind_int64(put, 1, head->number);
	sqlite3_bind_int64(put, 2, head->tree.count);
	sqlite3_bind_int64(put, 3, head->blobs);
	sqlite3_bind_int64(put, 4, head->wall_ms);
	bind_blob(put, 5, head->root, DIGEST_RAW);
	bind_blob(put, 6, frontier.data, frontier.len);
	bind_blob(put, 7, head->chain, DIGEST_RAW);
	rc = store_run(store, put, err);
	buf_free(&frontier);
	return rc;
}

int
store_put_blob(
    struct store *store, const struct store_blob *blob, struct err *err)
{
	sqlite3_stmt *put = store_statement(store, STORE_PUT_BLOB, err);

	if (put == NULL)
		return -(int)ERR_STORE;
	sqlite3_bind_int64(put, 1, blob->number);
	bind_text(put, 2, blob->sha256);
	bind_blob(put, 3, blob->bytes.data, blob->bytes.len);
	return store_run(store, put, err);
}

/* The one integer that a query gives; -1 when it gives no row. */
int
store_read_int(
    struct store *store, sqlite3_stmt *row, int64_t *value, struct err *err)
{
	int step = sqlite3_step(row);
	int rc = 0;

	if (step == SQLITE_ROW)
		*value = sqlite3_column_int64(row, 0);
	else if (step == SQLITE_DONE)
		*value = -1;
	else
		rc = store_fail(store, err);
	sqlite3_reset(row);
	sqlite3_clear_bindings(row);
	return rc;
}

int
store_row_end(struct store *store, int64_t *end, struct err *err)
{
	sqlite3_stmt *row = store_statement(store, STORE_ROW_END, err);

	return row == NULL ? -(int)ERR_STORE
			   : store_read_int(store, row, end, err);
}

int
store_last_change(struct store *store, int64_t *change, struct err *err)
{
	sqlite3_stmt *row = store_statement(store, STORE_LAST_CHANGE, err);

	return row == NULL ? -(int)ERR_STORE
			   : store_read_int(store, row, change, err);
}

int
store_epoch(struct store *store, int change, int64_t *epoch, struct err *err)
{
	sqlite3_stmt *row = store_statement(store, STORE_EPOCH, err);

	if (row == NULL)
		return -(int)ERR_STORE;
	sqlite3_bind_int(row, 1, change);
	return store_read_int(store, row, epoch, err);
}

int
store_host_last(struct store *store, int change, const char *host,
    int64_t *number, struct err *err)
{
	sqlite3_stmt *row = store_statement(store, STORE_HOST_LAST, err);

	if (row == NULL)
		return -(int)ERR_STORE;
	sqlite3_bind_int(row, 1, change);
	bind_text(row, 2, host);
	return store_read_int(store, row, number, err);
}

int
store_find_intent(struct store *store, const struct record *outcome,
    int64_t *number, bool *same, struct err *err)
{
	sqlite3_stmt *row = store_statement(store, STORE_FIND_INTENT, err);
	int step, rc = 0;

	if (row == NULL)
		return -(int)ERR_STORE;
	sqlite3_bind_int(row, 1, outcome->change);
	bind_text(row, 2, outcome->host);
	bind_text(row, 3, outcome->xid);
	step = sqlite3_step(row);
	if (step == SQLITE_ROW) {
		*number = sqlite3_column_int64(row, 0);
		*same = sqlite3_column_int(row, 1) != 0;
	} else if (step == SQLITE_DONE)
		*number = -1;
	else
		rc = store_fail(store, err);
	sqlite3_reset(row);
	sqlite3_clear_bindings(row);
	return rc;
}

int
store_has_blob(
    struct store *store, const char *sha256, bool *has, struct err *err)
{
	sqlite3_stmt *row = store_statement(store, STORE_HAS_BLOB, err);
	int64_t found = -1;
	int rc;

	if (row == NULL)
		return -(int)ERR_STORE;
	bind_text(row, 1, sha256);
	if ((rc = store_read_int(store, row, &found, err)) == 0)
		*has = found >= 0;
	return rc;
}
