/*
 * Tampering: every way in which one hand can change a stored journal is tried,
 * and verify has to find each and name the record.
 * covers: P9 P11
 */
#include "journal_store.h"

#include "journal/commit.h"
#include "journal/store_sqlite.h"

/* One that tampers, and one that verifies after each stroke. */
struct bench {
	struct scratch *s;
	sqlite3 *db;
	struct journal *journal;
	int mutants;
};

static struct bench
bench_open(struct scratch *s)
{
	struct bench bench = {.s = s};
	struct journal *j = open_store(s->store, JOURNAL_WRITE);

	fill(j);
	journal_close(j);
	assert_int_equal(verify(s->store).count, 0);
	bench.db = open_db(s->store);
	sqlite3_exec(bench.db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	bench.journal = open_store(s->store, JOURNAL_READ);
	return bench;
}

static struct faults
bench_verify(struct bench *bench)
{
	struct faults faults = {0, -1, ""};
	struct err err = ERR_INIT;
	int64_t count = 0;

	if (journal_verify(bench->journal, note_fault, &faults, &count, &err) <
	    0) {
		faults.count++;
		snprintf(faults.text, sizeof(faults.text), "%s", err.text);
	}
	return faults;
}

static void
bench_close(struct bench *bench)
{
	/* every stroke was taken back: what verify found were the strokes */
	assert_int_equal(bench_verify(bench).count, 0);
	journal_close(bench->journal);
	sqlite3_close(bench->db);
}

static void sql(struct bench *bench, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
sql(struct bench *bench, const char *fmt, ...)
{
	char text[1024], *message = NULL;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (sqlite3_exec(bench->db, text, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", text, message);
}

static int64_t
sql_int(struct bench *bench, const char *query)
{
	sqlite3_stmt *row;
	int64_t value;

	assert_int_equal(
	    sqlite3_prepare_v2(bench->db, query, -1, &row, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return value;
}

/* number < 0: a fault of no record in particular is enough. */
static void
must_be_found(struct bench *bench, int64_t number, const char *stroke)
{
	struct faults faults = bench_verify(bench);

	bench->mutants++;
	if (faults.count == 0)
		fail_msg("not found: %s", stroke);
	if (number >= 0 && faults.first != number)
		fail_msg("%s: record %lld was named, not %lld: %s", stroke,
		    (long long)faults.first, (long long)number, faults.text);
}

/* Begin with the store as it is, and come back to it. */
static void
keep(struct bench *bench)
{
	sql(bench, "ATTACH ':memory:' AS kept;"
		   "CREATE TABLE kept.record AS SELECT * FROM main.record;"
		   "CREATE TABLE kept.head AS SELECT * FROM main.head;"
		   "CREATE TABLE kept.blob AS SELECT * FROM main.blob");
}

static void
put_back(struct bench *bench)
{
	sql(bench, "BEGIN; DELETE FROM main.record; DELETE FROM main.head;"
		   "DELETE FROM main.blob;"
		   "INSERT INTO main.record SELECT * FROM kept.record;"
		   "INSERT INTO main.head SELECT * FROM kept.head;"
		   "INSERT INTO main.blob SELECT * FROM kept.blob; COMMIT");
}

static void
set_value(struct bench *bench, const char *table, const char *column,
    int64_t number, int type, struct bytes value)
{
	sqlite3_stmt *put;
	char text[256];

	snprintf(text, sizeof(text),
	    "UPDATE main.%s SET %s = ? WHERE number = ?", table, column);
	assert_int_equal(
	    sqlite3_prepare_v2(bench->db, text, -1, &put, NULL), SQLITE_OK);
	/* SQLite gives an empty value as NULL, and takes NULL for NULL */
	if (value.len == 0)
		value.data = "";
	if (type == SQLITE_TEXT)
		sqlite3_bind_text(
		    put, 1, value.data, (int)value.len, SQLITE_STATIC);
	else
		sqlite3_bind_blob(
		    put, 1, value.data, (int)value.len, SQLITE_STATIC);
	sqlite3_bind_int64(put, 2, number);
	if (sqlite3_step(put) != SQLITE_DONE)
		fail_msg("%s: %s", text, sqlite3_errmsg(bench->db));
	assert_int_equal(sqlite3_changes(bench->db), 1);
	sqlite3_finalize(put);
}

/* Each byte of one value by three flips; one byte less, one byte more. */
static void
flip_value(struct bench *bench, const char *table, const char *column,
    int64_t number, int type, struct bytes was)
{
	static const unsigned char flips[] = {0x01, 0x20, 0x80};
	bool record = strcmp(table, "record") == 0;
	int64_t named = record ? number : -1;
	struct buf now = BUF_INIT;
	char stroke[128];
	size_t i;

	for (i = 0; i < was.len * sizeof(flips); i++) {
		snprintf(stroke, sizeof(stroke), "%s %lld %s byte %zu ^ %02x",
		    table, (long long)number, column, i / sizeof(flips),
		    flips[i % sizeof(flips)]);
		buf_reset(&now);
		buf_put(&now, was.data, was.len);
		now.data[i / sizeof(flips)] ^= (char)flips[i % sizeof(flips)];
		set_value(bench, table, column, number, type, buf_bytes(&now));
		must_be_found(bench, named, stroke);
	}
	snprintf(stroke, sizeof(stroke), "%s %lld %s length", table,
	    (long long)number, column);
	buf_reset(&now);
	buf_put(&now, was.data, was.len);
	buf_put(&now, "", 1);
	set_value(bench, table, column, number, type, buf_bytes(&now));
	must_be_found(bench, named, stroke);
	if (was.len > 0) {
		set_value(bench, table, column, number, type,
		    (struct bytes){was.data, was.len - 1});
		must_be_found(bench, named, stroke);
		set_value(
		    bench, table, column, number, type, (struct bytes){"", 0});
		must_be_found(bench, named, stroke);
	}
	set_value(bench, table, column, number, type, was);
	buf_free(&now);
}

static void
change_number(struct bench *bench, const char *table, const char *column,
    int64_t number, int64_t was)
{
	const int64_t others[] = {was ^ 1, was + 256, -was - 1, INT64_MAX,
	    INT64_MIN, was + (INT64_C(1) << 32)};
	bool record = strcmp(table, "record") == 0;
	char stroke[128];
	size_t i;

	if (strcmp(column, "number") == 0)
		return; /* see moving, removing, putting in */
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(stroke, sizeof(stroke), "%s %lld %s = %lld", table,
		    (long long)number, column, (long long)others[i]);
		sql(bench, "UPDATE main.%s SET %s = %lld WHERE number = %lld",
		    table, column, (long long)others[i], (long long)number);
		must_be_found(bench, record ? number : -1, stroke);
	}
	sql(bench, "UPDATE main.%s SET %s = %lld WHERE number = %lld", table,
	    column, (long long)was, (long long)number);
}

/* Every column of every row of a table; rows from the untouched copy. */
static void
change_table(struct bench *bench, const char *table)
{
	sqlite3_stmt *row;
	char query[128];
	int i, type;

	snprintf(query, sizeof(query), "SELECT * FROM kept.%s ORDER BY number",
	    table);
	assert_int_equal(
	    sqlite3_prepare_v2(bench->db, query, -1, &row, NULL), SQLITE_OK);
	while (sqlite3_step(row) == SQLITE_ROW)
		for (i = 0; i < sqlite3_column_count(row); i++) {
			type = sqlite3_column_type(row, i);
			if (type == SQLITE_INTEGER)
				change_number(bench, table,
				    sqlite3_column_name(row, i),
				    sqlite3_column_int64(row, 0),
				    sqlite3_column_int64(row, i));
			else
				flip_value(bench, table,
				    sqlite3_column_name(row, i),
				    sqlite3_column_int64(row, 0), type,
				    (struct bytes){sqlite3_column_blob(row, i),
					(size_t)sqlite3_column_bytes(row, i)});
		}
	sqlite3_finalize(row);
}

/* covers: P9 P11 */
static void
any_changed_byte_of_any_column_is_found(void **state)
{
	struct bench bench = bench_open(*state);

	keep(&bench);
	change_table(&bench, "record");
	change_table(&bench, "head");
	change_table(&bench, "blob");
	print_message("# %d mutants\n", bench.mutants);
	assert_true(bench.mutants > 10000);
	bench_close(&bench);
}

/* covers: P9 */
static void
any_removed_row_is_found(void **state)
{
	static const char *const tables[] = {"record", "head", "blob"};
	struct bench bench = bench_open(*state);
	int64_t number, end;
	char query[64];
	size_t i;

	keep(&bench);
	for (i = 0; i < 3; i++) {
		snprintf(
		    query, sizeof(query), "SELECT count(*) FROM %s", tables[i]);
		end = sql_int(&bench, query);
		assert_true(end >= 2);
		for (number = 0; number < end; number++) {
			sql(&bench, "DELETE FROM main.%s WHERE number = %lld",
			    tables[i], (long long)number);
			must_be_found(&bench, i == 0 ? number : -1, "one row");
			/* and the ones behind it moved up */
			sql(&bench,
			    "UPDATE main.%s SET number = number - 1 "
			    "WHERE number > %lld",
			    tables[i], (long long)number);
			must_be_found(&bench, -1, "row and gap");
			put_back(&bench);
			sql(&bench, "DELETE FROM main.%s WHERE number >= %lld",
			    tables[i], (long long)number);
			must_be_found(&bench, i == 0 ? number : -1, "tail");
			put_back(&bench);
		}
	}
	bench_close(&bench);
}

/* covers: P9 */
static void
any_two_rows_in_each_others_place_are_found(void **state)
{
	static const char *const tables[] = {"record", "head", "blob"};
	struct bench bench = bench_open(*state);
	int64_t a, b, end;
	char query[64];
	size_t i;

	keep(&bench);
	for (i = 0; i < 3; i++) {
		snprintf(
		    query, sizeof(query), "SELECT count(*) FROM %s", tables[i]);
		end = sql_int(&bench, query);
		for (a = 0; a < end; a++)
			for (b = a + 1; b < end; b++) {
				sql(&bench,
				    "UPDATE main.%s SET number = -7 "
				    "WHERE number = %lld;"
				    "UPDATE main.%s SET number = %lld "
				    "WHERE number = %lld;"
				    "UPDATE main.%s SET number = %lld "
				    "WHERE number = -7",
				    tables[i], (long long)a, tables[i],
				    (long long)a, (long long)b, tables[i],
				    (long long)b);
				must_be_found(
				    &bench, i == 0 ? a : -1, "swapped");
				put_back(&bench);
			}
	}
	bench_close(&bench);
}

/* covers: P9 */
static void
any_row_put_in_is_found(void **state)
{
	static const int64_t places[] = {
	    FILLED, FILLED + 5, -1, INT64_MIN, INT64_MAX};
	struct bench bench = bench_open(*state);
	size_t i;

	keep(&bench);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		sql(&bench,
		    "INSERT INTO main.record SELECT %lld, change, epoch, "
		    "host, step, attempt, '', life, 'check', actor, wall_ms, "
		    "mono_ms, bytes, leaf FROM kept.record WHERE number = 5",
		    (long long)places[i]);
		must_be_found(&bench, -1, "a record more");
		put_back(&bench);
		sql(&bench,
		    "INSERT INTO main.head SELECT %lld, count, blobs, "
		    "wall_ms, root, frontier, chain FROM kept.head "
		    "ORDER BY number DESC LIMIT 1",
		    (long long)places[i]);
		must_be_found(&bench, -1, "a head more");
		put_back(&bench);
		sql(&bench,
		    "INSERT INTO main.blob SELECT %lld, '%s', x'' "
		    "FROM kept.blob LIMIT 1",
		    (long long)places[i], EMPTY_ROOT);
		must_be_found(&bench, -1, "a blob more");
		put_back(&bench);
	}
	bench_close(&bench);
}

static void
the_layout_is_part_of_the_evidence(void **state)
{
	static const char *const strokes[] = {
	    "CREATE TABLE extra (a)",
	    "CREATE VIEW zz AS SELECT 1",
	    "CREATE TRIGGER t AFTER INSERT ON record BEGIN SELECT 1; END",
	    "DROP INDEX record_intent",
	    "PRAGMA user_version = 2",
	    "PRAGMA application_id = 0",
	    "DROP TABLE blob",
	    "ALTER TABLE record ADD COLUMN more TEXT",
	};
	struct scratch *s = *state;
	struct bench bench = bench_open(s);
	char *copy = file_join(s->arena, s->folder, "copy");
	struct buf data = BUF_INIT;
	struct journal *j;
	size_t i;

	bench_close(&bench);
	assert_ok(file_read(
	    file_join(s->arena, s->store, "journal.db"), BUF_MAX, &data, err));
	for (i = 0; i < sizeof(strokes) / sizeof(strokes[0]); i++) {
		file_remove_tree(copy);
		assert_ok(file_make_folder(copy, 0700, err));
		assert_ok(file_write(file_join(s->arena, copy, "journal.db"),
		    buf_bytes(&data), 0600, err));
		assert_int_equal(verify(copy).count, 0);
		bench.db = open_db(copy);
		sql(&bench, "%s", strokes[i]);
		sqlite3_close(bench.db);
		if (verify(copy).count == 0)
			fail_msg("not found: %s", strokes[i]);
		assert_fails(ERR_STORE, journal_open(copy, JOURNAL_WRITE,
					    &world_real, NULL, &j, err));
	}
	buf_free(&data);
}

/* A careful hand: columns, bytes and leaf hash of a record all agree. */
static void
rewrite_record(struct bench *bench, int64_t number)
{
	struct arena *arena = arena_new();
	unsigned char leaf[DIGEST_RAW];
	struct buf bytes = BUF_INIT;
	struct record r;
	sqlite3_stmt *row;

	assert_int_equal(sqlite3_prepare_v2(bench->db,
			     "SELECT bytes FROM kept.record "
			     "WHERE number = ?",
			     -1, &row, NULL),
	    SQLITE_OK);
	sqlite3_bind_int64(row, 1, number);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	assert_ok(record_parse(arena,
	    (struct bytes){sqlite3_column_blob(row, 0),
		(size_t)sqlite3_column_bytes(row, 0)},
	    &r, err));
	sqlite3_finalize(row);
	r.actor = "mallory";
	record_write(&bytes, &r);
	tree_leaf(buf_bytes(&bytes), leaf);
	set_value(
	    bench, "record", "actor", number, SQLITE_TEXT, bytes_of("mallory"));
	set_value(
	    bench, "record", "bytes", number, SQLITE_BLOB, buf_bytes(&bytes));
	set_value(bench, "record", "leaf", number, SQLITE_BLOB,
	    (struct bytes){leaf, DIGEST_RAW});
	buf_free(&bytes);
	arena_free(arena);
}

/* covers: P9 */
static void
a_record_rewritten_with_its_hash_differs_from_the_root(void **state)
{
	/* the first record of the transaction that each is in */
	static const int64_t first[FILLED] = {0, 1, 2, 3, 3, 5, 5, 7, 8, 9};
	struct bench bench = bench_open(*state);
	struct faults faults;
	int64_t i;

	keep(&bench);
	for (i = 0; i < FILLED; i++) {
		rewrite_record(&bench, i);
		faults = bench_verify(&bench);
		/* said once, not again for every transaction after it */
		assert_int_equal(faults.count, 1);
		assert_int_equal(faults.first, first[i]);
		put_back(&bench);
	}
	bench_close(&bench);
}

static int
read_on(void *arg, const struct record *record, struct err *err)
{
	*(int64_t *)arg = record->number;
	return 0;
}

static void
reading_stops_at_a_column_that_was_changed(void **state)
{
	struct bench bench = bench_open(*state);
	int64_t last = -1;

	keep(&bench);
	sql(&bench, "UPDATE main.record SET host = 'web9' WHERE number = 5");
	assert_fails(ERR_EVIDENCE,
	    journal_read(bench.journal, 1, 0, read_on, &last, err));
	assert_int_equal(last, 4);
	put_back(&bench);
	bench_close(&bench);
}

/* Take the last transaction away with its head: what is left is honest by
 * itself. covers: P9 */
static void
a_cut_transaction_shows_against_a_checkpoint_that_left(void **state)
{
	struct bench bench = bench_open(*state);
	struct buf text = BUF_INIT;

	keep(&bench);
	assert_ok(journal_checkpoint_text(bench.journal, &text, err));
	sql(&bench, "DELETE FROM main.record WHERE number = 9;"
		    "DELETE FROM main.head "
		    "WHERE number = (SELECT max(number) FROM main.head)");
	assert_int_equal(bench_verify(&bench).count, 0);
	assert_fails(ERR_EVIDENCE,
	    journal_checkpoint_verify(bench.journal, text.data, err));
	put_back(&bench);
	assert_ok(journal_checkpoint_verify(bench.journal, text.data, err));
	buf_free(&text);
	bench_close(&bench);
}

/* covers: P3 P9 */
static void
nothing_is_appended_to_a_list_that_was_cut(void **state)
{
	struct scratch *s = *state;
	struct bench bench = bench_open(s);
	struct journal *late, *j = open_store(s->store, JOURNAL_WRITE);
	struct record r = make(RECORD_REFUSED, 0, 0);

	append(j, r);
	sql(&bench, "DELETE FROM main.record WHERE number = %d", FILLED);
	assert_fails(ERR_EVIDENCE, journal_append_now(j, &r, 1, NULL, err));
	assert_fails(ERR_EVIDENCE, journal_append_now(j, &r, 1, NULL, err));
	journal_close(j);
	assert_fails(ERR_EVIDENCE, journal_open(s->store, JOURNAL_WRITE,
				       &world_real, NULL, &late, err));
	assert_int_equal(bench_verify(&bench).first, FILLED);
	journal_close(bench.journal);
	sqlite3_close(bench.db);
}

/* A list whose hashes are all right but whose story is not: written past the
 * rules of appending, as a faulty hoshu would. */
static void
forge(const char *folder, const struct record *records, size_t count)
{
	struct store_head first, head;
	struct store *store;
	size_t i;

	commit_first_head(1, &first);
	assert_ok(store_open(folder, true, &first, &store, err));
	assert_ok(store_begin(store, err));
	head = first;
	head.number = 1;
	for (i = 0; i < count; i++) {
		struct store_row row = {.record = records[i]};
		struct buf bytes = BUF_INIT;

		row.record.number = (int64_t)i;
		record_write(&bytes, &row.record);
		row.bytes = buf_bytes(&bytes);
		tree_leaf(row.bytes, row.leaf);
		tree_append(&head.tree, row.leaf);
		assert_ok(store_put_row(store, &row, err));
		buf_free(&bytes);
	}
	tree_root(&head.tree, head.root);
	commit_chain(&first, &head, bytes_of(""), head.chain);
	assert_ok(store_put_head(store, &head, err));
	assert_ok(store_commit(store, err));
	store_close(store);
}

/* covers: P3 */
static void
an_outcome_without_its_intent_is_found(void **state)
{
	struct scratch *s = *state;
	struct record intent =
			  make_step(RECORD_STEP_INTENT, 1, 1, "web1", 1, "x1"),
		      done = make_step(RECORD_STEP_DONE, 1, 1, "web1", 1, "x1"),
		      elsewhere =
			  make_step(RECORD_STEP_DONE, 1, 1, "web2", 1, "x1"),
		      bare = make_step(RECORD_STEP_DONE, 1, 1, "web1", 1, "");
	const struct {
		struct record records[2];
		int64_t first;
	} table[] = {
	    {{intent, done}, -1},
	    {{done, intent}, 0},
	    {{intent, elsewhere}, 1},
	    {{intent, bare}, 1},
	    {{bare, intent}, 0},
	};
	struct faults faults;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		forge(s->store, table[i].records, 2);
		faults = verify(s->store);
		assert_int_equal(faults.count, table[i].first >= 0);
		assert_int_equal(faults.first, table[i].first);
		file_remove_tree(s->store);
	}
}

/* All that the tables hold, as one digest; "" when they cannot be read. */
static void
dump(const char *folder, struct digest *out)
{
	static const char *const queries[] = {
	    "SELECT * FROM record", "SELECT * FROM head", "SELECT * FROM blob"};
	struct buf all = BUF_INIT;
	sqlite3_stmt *row;
	sqlite3 *db = open_db(folder);
	int i, step = SQLITE_DONE;
	size_t q;

	for (q = 0; q < 3 && step == SQLITE_DONE; q++) {
		if (sqlite3_prepare_v2(db, queries[q], -1, &row, NULL) !=
		    SQLITE_OK) {
			step = SQLITE_ERROR;
			break;
		}
		while ((step = sqlite3_step(row)) == SQLITE_ROW)
			for (i = 0; i < sqlite3_column_count(row); i++) {
				buf_put_u32(&all,
				    (uint32_t)sqlite3_column_bytes(row, i));
				buf_put(&all, sqlite3_column_blob(row, i),
				    (size_t)sqlite3_column_bytes(row, i));
			}
		sqlite3_finalize(row);
	}
	sqlite3_close(db);
	digest_of(buf_bytes(&all), out);
	if (step != SQLITE_DONE)
		out->hex[0] = '\0';
	buf_free(&all);
}

/* Bytes of the file itself: found, or nothing that is evidence has changed.
 * covers: P9 P11 */
static void
a_flipped_byte_of_the_file_is_found_or_changes_nothing(void **state)
{
	enum { STRIDE = 11 };
	struct scratch *s = *state;
	struct bench bench = bench_open(s);
	char *copy = file_join(s->arena, s->folder, "copy"), *path, *shm;
	struct digest was, now;
	struct buf data = BUF_INIT;
	int found = 0, harmless = 0;
	size_t i;

	bench_close(&bench);
	assert_ok(file_read(
	    file_join(s->arena, s->store, "journal.db"), BUF_MAX, &data, err));
	assert_ok(file_make_folder(copy, 0700, err));
	path = file_join(s->arena, copy, "journal.db");
	shm = file_join(s->arena, copy, "journal.db-shm");
	dump(s->store, &was);
	for (i = 0; i < data.len; i += STRIDE) {
		FILE *f = fopen(path, "w");
		char kept = data.data[i];

		assert_non_null(f);
		data.data[i] ^= (char)(1 << (i % 8));
		assert_int_equal(fwrite(data.data, 1, data.len, f), data.len);
		fclose(f);
		data.data[i] = kept;
		if (verify(copy).count > 0)
			found++;
		else {
			dump(copy, &now);
			if (strcmp(was.hex, now.hex) != 0)
				fail_msg("byte %zu: not found", i);
			harmless++;
		}
		(void)!unlink(shm);
	}
	print_message("# %zu bytes, %d flips found, %d in unused space\n",
	    data.len, found, harmless);
	assert_true(found > 100);
	buf_free(&data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    scratch_test(any_changed_byte_of_any_column_is_found),
	    scratch_test(any_removed_row_is_found),
	    scratch_test(any_two_rows_in_each_others_place_are_found),
	    scratch_test(any_row_put_in_is_found),
	    scratch_test(the_layout_is_part_of_the_evidence),
	    scratch_test(
		a_record_rewritten_with_its_hash_differs_from_the_root),
	    scratch_test(reading_stops_at_a_column_that_was_changed),
	    scratch_test(
		a_cut_transaction_shows_against_a_checkpoint_that_left),
	    scratch_test(nothing_is_appended_to_a_list_that_was_cut),
	    scratch_test(an_outcome_without_its_intent_is_found),
	    scratch_test(
		a_flipped_byte_of_the_file_is_found_or_changes_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
