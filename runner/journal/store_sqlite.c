/*
 * The SQLite store: connection, transactions, flock and checkpoints. Rows are
 * in store_sqlite_rows.c, tables in store_sqlite_layout.c.
 */
#include "journal/store_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"

/* Pages in the WAL before it is copied into the file: 4 MiB. */
enum { WAL_PAGES = 1000, BUSY_MS = 5000 };
/* Larger than the largest blob (BUF_MAX) with its row. */
enum { VALUE_MAX = 80 << 20 };

int
store_fail(struct store *store, struct err *err)
{
	int code =
	    store->db != NULL ? sqlite3_errcode(store->db) : SQLITE_NOMEM;

	if (code == SQLITE_BUSY)
		return err_set(err, ERR_STORE,
		    _("%s/journal.db: another program holds the journal "
		      "(sqlite3?): close it, then run the command again"),
		    store->folder);
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return err_set(err, ERR_STORE,
		    _("%s/journal.db is damaged (%s): go back to a copy of "
		      "it, and compare with the checkpoints sent away"),
		    store->folder, sqlite3_errmsg(store->db));
	return err_set(err, ERR_STORE,
	    _("%s/journal.db: %s (%d): nothing more is recorded; see to the "
	      "disk, then run the command again"),
	    store->folder,
	    store->db != NULL ? sqlite3_errmsg(store->db) : "no memory",
	    store->db != NULL ? sqlite3_extended_errcode(store->db) : 0);
}

static int
take_lock(struct store *store, struct err *err)
{
	return store_lock(store->folder, store->lock, LOCK_EX, err);
}

static void
drop_lock(struct store *store)
{
	if (flock(store->lock, LOCK_UN) < 0)
		bug("unlock %s: %s", store->folder, strerror(errno));
}

/* Called after each commit; also switches SQLite's own checkpoints off. */
static int
note_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *store = arg;

	store->wal_pages = pages;
	return SQLITE_OK;
}

/* SQLite keeps the old mode without an error where it cannot have a WAL. */
static int
use_wal(struct store *store, struct err *err)
{
	sqlite3_stmt *row = NULL;
	const char *mode;
	int rc = 0;

	if (sqlite3_prepare_v2(store->db, "PRAGMA journal_mode=WAL", -1, &row,
		NULL) != SQLITE_OK ||
	    sqlite3_step(row) != SQLITE_ROW)
		rc = store_fail(store, err);
	else {
		mode = (const char *)sqlite3_column_text(row, 0);
		if (mode == NULL || strcmp(mode, "wal") != 0)
			rc = err_set(err, ERR_STORE,
			    _("%s: this file system cannot hold the journal "
			      "(no shared memory for its WAL): put the store "
			      "on a local disk"),
			    store->folder);
	}
	sqlite3_finalize(row);
	return rc;
}

static int
set_up(struct store *store, bool write, struct err *err)
{
	const char *settings =
	    write ? "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
		    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON"
		  : "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF;"
		    "PRAGMA cell_size_check=ON";
	int off;

	sqlite3_busy_timeout(store->db, BUSY_MS);
	sqlite3_extended_result_codes(store->db, 0);
	sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	/* closing would checkpoint outside the flock */
	if (sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
		&off) != SQLITE_OK ||
	    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &off) !=
		SQLITE_OK ||
	    sqlite3_exec(store->db, settings, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(store, err);
	if (!write)
		return 0;
	sqlite3_wal_hook(store->db, note_wal, store);
	return use_wal(store, err);
}

/* The file, private from its first moment (the WAL takes its mode). */
static int
make_files(struct store *store, struct err *err)
{
	struct arena *arena = arena_new();
	int fd, rc;

	if ((rc = file_make_folder(store->folder, 0700, err)) < 0)
		goto out;
	store->lock = open(file_join(arena, store->folder, "lock"),
	    O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock < 0) {
		rc = err_errno(err, "%s/lock", store->folder);
		goto out;
	}
	if ((rc = take_lock(store, err)) < 0)
		goto out;
	fd = open(file_join(arena, store->folder, "journal.db"),
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	else if (errno != EEXIST)
		rc = err_errno(err, "%s/journal.db", store->folder);
	drop_lock(store);
out:
	arena_free(arena);
	return rc;
}

static int
sync_folder(struct store *store, struct err *err)
{
	int fd = open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 || fsync(fd) < 0)
		rc = err_errno(err, "%s", store->folder);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Has the file any table yet? A store whose making was interrupted has not. */
static int
is_empty(struct store *store, bool *empty, struct err *err)
{
	const char *query = "SELECT count(*) FROM sqlite_schema";
	sqlite3_stmt *row = NULL;
	int rc = 0;

	if (sqlite3_prepare_v2(store->db, query, -1, &row, NULL) != SQLITE_OK ||
	    sqlite3_step(row) != SQLITE_ROW)
		rc = store_fail(store, err);
	else
		*empty = sqlite3_column_int(row, 0) == 0;
	sqlite3_finalize(row);
	return rc;
}

static int
open_for_writing(
    struct store *store, const struct store_head *first, struct err *err)
{
	struct buf path = BUF_INIT;
	bool empty;
	int rc;

	if ((rc = make_files(store, err)) < 0)
		return rc;
	if ((rc = take_lock(store, err)) < 0)
		return rc;
	buf_printf(&path, "%s/journal.db", store->folder);
	if (sqlite3_open_v2(path.data, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		rc = store_fail(store, err);
	else
		rc = set_up(store, true, err);
	buf_free(&path);
	drop_lock(store);
	if (rc < 0 || (rc = store_begin(store, err)) < 0)
		return rc;
	if ((rc = is_empty(store, &empty, err)) < 0 || !empty ||
	    (rc = store_layout_make(store, err)) < 0 ||
	    (rc = store_put_head(store, first, err)) < 0 ||
	    (rc = store_commit(store, err)) < 0)
		store_rollback(store);
	else
		rc = sync_folder(store, err);
	return rc < 0 ? rc : store_layout_check(store, err);
}

static int
nothing_yet(struct store *store, struct err *err)
{
	return err_set(err, ERR_STORE,
	    _("%s: no change was submitted yet; `hoshu submit PLAN` submits "
	      "the first"),
	    store->folder);
}

static int
open_for_reading(struct store *store, struct err *err)
{
	struct buf path = BUF_INIT, uri = BUF_INIT;
	bool empty = false;
	int rc;

	buf_printf(&path, "%s/journal.db", store->folder);
	if (!file_exists(path.data)) {
		rc = nothing_yet(store, err);
		goto out;
	}
	if ((rc = store_reading_uri(store, &uri, err)) < 0)
		goto out;
	if (sqlite3_open_v2(uri.data, &store->db,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK) {
		rc = store_fail(store, err);
		goto out;
	}
	if ((rc = set_up(store, false, err)) < 0 ||
	    (rc = is_empty(store, &empty, err)) < 0)
		goto out;
	rc = empty ? nothing_yet(store, err) : store_layout_check(store, err);
out:
	buf_free(&path);
	buf_free(&uri);
	return rc;
}

int
store_open(const char *folder, bool write, const struct store_head *first,
    struct store **out, struct err *err)
{
	struct store *store = xcalloc(1, sizeof(*store));
	int rc;

	store->folder = xstrdup(folder);
	store->lock = -1;
	rc = write ? open_for_writing(store, first, err)
		   : open_for_reading(store, err);
	if (rc < 0) {
		store_close(store);
		return rc;
	}
	*out = store;
	return 0;
}

static void
checkpoint_all(struct store *store)
{
	struct err dropped = ERR_INIT;

	if (!store->wrote || take_lock(store, &dropped) < 0)
		return;
	/* best effort: a reader may still need the WAL, which stays valid */
	sqlite3_busy_timeout(store->db, 100);
	(void)sqlite3_wal_checkpoint_v2(
	    store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	drop_lock(store);
}

void
store_close(struct store *store)
{
	size_t i;

	if (store == NULL)
		return;
	for (i = 0; i < STORE_STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	checkpoint_all(store);
	if (sqlite3_close(store->db) != SQLITE_OK)
		bug("a statement of %s is still open", store->folder);
	if (store->lock >= 0)
		close(store->lock);
	if (store->copy != NULL)
		file_remove_tree(store->copy);
	free(store->copy);
	free(store->folder);
	free(store);
}

int
store_begin(struct store *store, struct err *err)
{
	sqlite3_stmt *begin = store_statement(store, STORE_BEGIN, err);
	int rc;

	if (begin == NULL)
		return -(int)ERR_STORE;
	if ((rc = take_lock(store, err)) < 0)
		return rc;
	if ((rc = store_run(store, begin, err)) < 0)
		drop_lock(store);
	return rc;
}

int
store_commit(struct store *store, struct err *err)
{
	sqlite3_stmt *commit = store_statement(store, STORE_COMMIT, err);
	int rc;

	if (commit == NULL)
		return -(int)ERR_STORE;
	if ((rc = store_run(store, commit, err)) < 0)
		return rc;
	store->wrote = true;
	drop_lock(store);
	return 0;
}

void
store_rollback(struct store *store)
{
	bool open = !sqlite3_get_autocommit(store->db);

	/* an I/O error may have rolled back by itself */
	if (open)
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	drop_lock(store);
}

int
store_tidy(struct store *store, struct err *err)
{
	int code, rc;

	if (store->wal_pages < WAL_PAGES)
		return 0;
	if ((rc = take_lock(store, err)) < 0)
		return rc;
	code = sqlite3_wal_checkpoint_v2(
	    store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (code != SQLITE_OK && code != SQLITE_BUSY)
		rc = store_fail(store, err);
	store->wal_pages = 0;
	drop_lock(store);
	return rc;
}

int
store_mark(struct store *store, struct err *err)
{
	sqlite3_stmt *mark = store_statement(store, STORE_MARK, err);

	return mark == NULL ? -(int)ERR_STORE : store_run(store, mark, err);
}

int
store_keep(struct store *store, struct err *err)
{
	sqlite3_stmt *keep = store_statement(store, STORE_KEEP, err);

	return keep == NULL ? -(int)ERR_STORE : store_run(store, keep, err);
}

int
store_take_back(struct store *store, struct err *err)
{
	sqlite3_stmt *back = store_statement(store, STORE_TAKE_BACK, err);
	int rc;

	if (back == NULL)
		return -(int)ERR_STORE;
	rc = store_run(store, back, err);
	return rc < 0 ? rc : store_keep(store, err);
}

int
store_snapshot(struct store *store, struct err *err)
{
	if (sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(store, err);
	return 0;
}

void
store_snapshot_end(struct store *store)
{
	(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}
