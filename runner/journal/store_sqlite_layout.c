/*
 * The tables, and the check that a file has exactly these and no others: a
 * trigger or view put in by another hand would change what reading means.
 */
#include "journal/store_inside.h"

#include <string.h>

#include "base/i18n.h"

enum { APPLICATION = 0x68736875, LAYOUT = 1 };

struct object {
	const char *type;
	const char *name;
	const char *sql; /* NULL: SQLite makes it itself */
};

/* By name, as store_layout_check reads them. */
static const struct object layout[] = {
    {"table", "blob",
	"CREATE TABLE blob (number INTEGER PRIMARY KEY, "
	"sha256 TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT"},
    {"table", "head",
	"CREATE TABLE head (number INTEGER PRIMARY KEY, "
	"count INTEGER NOT NULL, blobs INTEGER NOT NULL, "
	"wall_ms INTEGER NOT NULL, root BLOB NOT NULL, "
	"frontier BLOB NOT NULL, chain BLOB NOT NULL) STRICT"},
    {"table", "record",
	"CREATE TABLE record (number INTEGER PRIMARY KEY, "
	"change INTEGER NOT NULL, epoch INTEGER NOT NULL, "
	"host TEXT NOT NULL, step INTEGER NOT NULL, "
	"attempt INTEGER NOT NULL, xid TEXT NOT NULL, "
	"life TEXT NOT NULL, kind TEXT NOT NULL, "
	"actor TEXT NOT NULL, wall_ms INTEGER NOT NULL, "
	"mono_ms INTEGER NOT NULL, bytes BLOB NOT NULL, "
	"leaf BLOB NOT NULL) STRICT"},
    {"index", "record_change", "CREATE INDEX record_change ON record (change)"},
    {"index", "record_intent",
	"CREATE UNIQUE INDEX record_intent ON record (xid) "
	"WHERE kind IN ('step-intent', 'undo-intent')"},
    {"index", "record_run",
	"CREATE INDEX record_run ON record (change, epoch) "
	"WHERE kind = 'run-started'"},
    {"index", "sqlite_autoindex_blob_1", NULL},
};
enum { OBJECTS = sizeof(layout) / sizeof(layout[0]) };

static int
pragma_int(struct store *store, const char *pragma, int *value, struct err *err)
{
	sqlite3_stmt *statement;
	int rc = 0;

	if (sqlite3_prepare_v2(store->db, pragma, -1, &statement, NULL) !=
		SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		rc = store_fail(store, err);
	else
		*value = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return rc;
}

int
store_layout_make(struct store *store, struct err *err)
{
	char pragma[64];
	size_t i;

	for (i = 0; i < OBJECTS; i++)
		if (layout[i].sql != NULL &&
		    sqlite3_exec(store->db, layout[i].sql, NULL, NULL, NULL) !=
			SQLITE_OK)
			return store_fail(store, err);
	snprintf(
	    pragma, sizeof(pragma), "PRAGMA application_id = %d", APPLICATION);
	if (sqlite3_exec(store->db, pragma, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(store, err);
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", LAYOUT);
	if (sqlite3_exec(store->db, pragma, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(store, err);
	return 0;
}

static bool
object_is(sqlite3_stmt *row, const struct object *object)
{
	const char *type = (const char *)sqlite3_column_text(row, 0);
	const char *name = (const char *)sqlite3_column_text(row, 1);
	const char *sql = (const char *)sqlite3_column_text(row, 2);

	if (type == NULL || name == NULL || strcmp(type, object->type) != 0 ||
	    strcmp(name, object->name) != 0)
		return false;
	if (sql == NULL || object->sql == NULL)
		return sql == object->sql;
	return strcmp(sql, object->sql) == 0;
}

int
store_layout_check(struct store *store, struct err *err)
{
	const char *query = "SELECT type, name, sql FROM sqlite_schema "
			    "ORDER BY name";
	sqlite3_stmt *row = NULL;
	int application, version, step, rc;
	size_t i = 0;

	if ((rc = pragma_int(
		 store, "PRAGMA application_id", &application, err)) < 0 ||
	    (rc = pragma_int(store, "PRAGMA user_version", &version, err)) < 0)
		goto out;
	if (application != APPLICATION) {
		rc = err_set(err, ERR_STORE,
		    _("%s/journal.db is no journal of hoshu: name another "
		      "store in hoshu.yml, or move the file away"),
		    store->folder);
		goto out;
	}
	if (version != LAYOUT) {
		rc = err_set(err, ERR_STORE,
		    _("%s/journal.db has layout %d and this hoshu reads %d: "
		      "use the hoshu that wrote it"),
		    store->folder, version, LAYOUT);
		goto out;
	}
	if (sqlite3_prepare_v2(store->db, query, -1, &row, NULL) != SQLITE_OK) {
		rc = store_fail(store, err);
		goto out;
	}
	while ((step = sqlite3_step(row)) == SQLITE_ROW && i < OBJECTS &&
	       object_is(row, &layout[i]))
		i++;
	if (step == SQLITE_ROW || (step == SQLITE_DONE && i < OBJECTS))
		rc = err_set(err, ERR_STORE,
		    _("%s/journal.db: the tables were changed by another "
		      "hand (%s): go back to a copy that was not touched"),
		    store->folder,
		    i < OBJECTS ? layout[i].name : "one too many");
	else if (step != SQLITE_DONE)
		rc = store_fail(store, err);
out:
	sqlite3_finalize(row);
	return rc;
}
