/*
 * The journal's bytes, tree, rules, blobs, locks and reading.
 * covers: P3 P9 P11
 */
#include "journal_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <signal.h>
#include <sys/wait.h>

#include "journal/tree.h"
#include "loop/loop.h"

static void
record_bytes_are_canonical_json(void **state)
{
	struct record r =
	    make_step(RECORD_STEP_INTENT, 7, 2, "web1\n", 3, "abc");
	struct buf out = BUF_INIT;

	r.number = 12;
	r.wall_ms = 1700000000000;
	r.mono_ms = 5;
	r.body = "{\"a\":[1]}";
	record_write(&out, &r);
	assert_string_equal(buf_str(&out),
	    "{\"actor\":\"hoshu\",\"attempt\":1,\"body\":{\"a\":[1]},"
	    "\"change\":7,\"epoch\":2,\"host\":\"web1\\n\","
	    "\"kind\":\"step-intent\",\"life\":\"boot.spool\","
	    "\"mono_ms\":5,\"number\":12,\"step\":3,"
	    "\"wall_ms\":1700000000000,\"xid\":\"abc\"}");
	buf_free(&out);
}

static void
every_kind_survives_writing_and_parsing(void **state)
{
	struct buf out = BUF_INIT, again = BUF_INIT;
	struct arena *arena = arena_new();
	struct record r, back;
	int kind, count = 0;

	for (kind = RECORD_NONE + 1; kind < RECORD_KIND_COUNT; kind++) {
		r = make_step((enum record_kind)kind, 1, 1, "h\"\\", 1, "x");
		r.body = "{\"t\":\"\\u0001\"}";
		buf_reset(&out);
		buf_reset(&again);
		assert_ok(record_encode(&out, &r, err));
		assert_ok(record_parse(arena, buf_bytes(&out), &back, err));
		record_write(&again, &back);
		assert_string_equal(buf_str(&again), buf_str(&out));
		assert_int_equal(
		    record_kind_of(record_kind_word(r.kind)), r.kind);
		count++;
	}
	assert_true(count > 30);
	assert_int_equal(record_kind_of("step-don"), RECORD_NONE);
	assert_int_equal(record_kind_of(""), RECORD_NONE);
	arena_free(arena);
	buf_free(&out);
	buf_free(&again);
}

/* covers: P11 */
static void
a_cut_or_changed_record_does_not_parse_to_the_same(void **state)
{
	struct record r = make_step(RECORD_STEP_DONE, 7, 2, "web1", 3, "ab");
	struct buf out = BUF_INIT, copy = BUF_INIT, again = BUF_INIT;
	struct arena *arena = arena_new();
	struct record back;
	size_t i;

	r.body = "{\"a\":{\"b\":null}}";
	assert_ok(record_encode(&out, &r, err));
	for (i = 0; i < out.len; i++)
		assert_true(record_parse(arena, (struct bytes){out.data, i},
				&back, NULL) < 0);
	for (i = 0; i < out.len * 255; i++) {
		buf_reset(&copy);
		buf_put(&copy, out.data, out.len);
		copy.data[i / 255] ^= (char)(i % 255 + 1);
		if (record_parse(arena, buf_bytes(&copy), &back, NULL) < 0)
			continue;
		/* another record, but then an honest one */
		buf_reset(&again);
		record_write(&again, &back);
		assert_true(bytes_equal(buf_bytes(&again), buf_bytes(&copy)));
		if (i % 1000 == 0) {
			arena_free(arena);
			arena = arena_new();
		}
	}
	arena_free(arena);
	buf_free(&out);
	buf_free(&copy);
	buf_free(&again);
}

static void
what_cannot_be_stored_is_refused_and_the_store_goes_on(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_store(s->store, JOURNAL_WRITE);
	struct record r = make(RECORD_REFUSED, 0, 0);
	char *large = arena_alloc(s->arena, 70000);

	r.body = "{\"b\":1,\"a\":2}";
	assert_fails(ERR_INTERNAL, journal_append_now(j, &r, 1, NULL, err));
	r.body = "[]";
	assert_fails(ERR_INTERNAL, journal_append_now(j, &r, 1, NULL, err));
	r.body = "";
	assert_fails(ERR_INTERNAL, journal_append_now(j, &r, 1, NULL, err));
	r.body = "{}";
	r.host = "\xff";
	assert_fails(ERR_INTERNAL, journal_append_now(j, &r, 1, NULL, err));
	memset(large, 'a', 69999);
	r.host = large;
	assert_fails(ERR_INTERNAL, journal_append_now(j, &r, 1, NULL, err));
	r.host = "ok";
	r.step = -1;
	assert_fails(ERR_INTERNAL, journal_append_now(j, &r, 1, NULL, err));
	r.step = 0;
	assert_int_equal(journal_count(j), 0);
	assert_ok(journal_append_now(j, &r, 1, NULL, err));
	assert_int_equal(journal_count(j), 1);
	journal_close(j);
	assert_int_equal(verify(s->store).count, 0);
}

/* The leaves and roots of the certificate-transparency test vectors. */
static void
tree_roots_are_those_of_rfc_6962(void **state)
{
	static const struct {
		const char *leaf;
		size_t len;
		const char *root;
	} table[] = {
	    {"", 0,
		"6e340b9cffb37a989ca544e6bb780a2c"
		"78901d3fb33738768511a30617afa01d"},
	    {"\0", 1,
		"fac54203e7cc696cf0dfcb42c92a1d9d"
		"baf70ad9e621f4bd8d98662f00e3c125"},
	    {"\x10", 1,
		"aeb6bcfe274b70a14fb067a5e5578264"
		"db0fa9b51af5e0ba159158f329e06e77"},
	    {"\x20\x21", 2,
		"d37ee418976dd95753c1c73862b9398f"
		"a2a2cf9b4ff0fdfe8b30cd95209614b7"},
	    {"\x30\x31", 2,
		"4e3bbb1f7b478dcfe71fb631631519a3"
		"bca12c9aefca1612bfce4c13a86264d4"},
	    {"\x40\x41\x42\x43", 4,
		"76e67dadbcdf1e10e1b74ddc608abd2f"
		"98dfb16fbce75277b5232a127f2087ef"},
	    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
		"ddb89be403809e325750d3d263cd7892"
		"9c2942b7942a34b77e122c9594a74c8c"},
	    {"\x60\x61\x62\x63\x64\x65\x66\x67"
	     "\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
		16,
		"5dc9da79a70659a9ad559cb701ded9a2"
		"ab9d823aad2f4960cfe370eff4604328"},
	};
	unsigned char hash[DIGEST_RAW];
	struct tree tree = {0};
	struct digest hex;
	size_t i;

	tree_root(&tree, hash);
	digest_to_hex(hash, &hex);
	assert_string_equal(hex.hex, EMPTY_ROOT);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		tree_leaf((struct bytes){table[i].leaf, table[i].len}, hash);
		tree_append(&tree, hash);
		tree_root(&tree, hash);
		digest_to_hex(hash, &hex);
		assert_string_equal(hex.hex, table[i].root);
	}
}

/* covers: P9 */
static void
a_proof_holds_for_its_leaf_and_no_other(void **state)
{
	enum { COUNT = 70 };
	unsigned char leaves[COUNT][DIGEST_RAW], root[DIGEST_RAW];
	unsigned char again[DIGEST_RAW];
	struct buf proof = BUF_INIT, saved = BUF_INIT;
	struct tree tree = {0}, loaded;
	int64_t count, i;
	size_t b;

	for (i = 0; i < COUNT; i++)
		tree_leaf((struct bytes){&i, sizeof(i)}, leaves[i]);
	for (count = 1; count <= COUNT; count++) {
		tree_append(&tree, leaves[count - 1]);
		tree_root(&tree, root);
		for (i = 0; i < count; i++) {
			buf_reset(&proof);
			tree_prove(leaves, count, i, &proof);
			assert_true(tree_proof_holds(
			    leaves[i], i, count, buf_bytes(&proof), root));
			assert_false(tree_proof_holds(leaves[(i + 1) % COUNT],
			    i, count, buf_bytes(&proof), root));
			assert_false(tree_proof_holds(
			    leaves[i], count, count, buf_bytes(&proof), root));
			for (b = 0; b < proof.len; b += 7) {
				proof.data[b] ^= 1;
				assert_false(tree_proof_holds(leaves[i], i,
				    count, buf_bytes(&proof), root));
				proof.data[b] ^= 1;
			}
		}
		buf_reset(&saved);
		tree_save(&tree, &saved);
		assert_true(tree_load(&loaded, count, buf_bytes(&saved)));
		tree_root(&loaded, again);
		assert_memory_equal(root, again, DIGEST_RAW);
		assert_false(tree_load(
		    &loaded, count, (struct bytes){saved.data, saved.len - 1}));
		assert_false(
		    tree_load(&loaded, count | 128, buf_bytes(&saved)));
	}
	assert_false(tree_load(&loaded, -1, buf_bytes(&saved)));
	assert_false(tree_load(&loaded, INT64_MAX, buf_bytes(&saved)));
	buf_free(&proof);
	buf_free(&saved);
}

static int
count_record(void *arg, const struct record *record, struct err *err)
{
	int64_t *expected = arg;

	assert_int_equal(record->number, *expected);
	(*expected)++;
	return 0;
}

static int
stop_at_intent(void *arg, const struct record *record, struct err *err)
{
	if (record->kind != RECORD_STEP_INTENT)
		return 0;
	assert_string_equal(record->host, "web1");
	assert_string_equal(record->life, "boot.spool");
	assert_string_equal(record->body, "{}");
	assert_int_equal(record->step, 1);
	assert_true(record->wall_ms > 1700000000000);
	assert_true(record->mono_ms > 0);
	return 42;
}

static void
what_was_appended_is_read_in_order(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_store(s->store, JOURNAL_WRITE);
	struct record other = make(RECORD_SUBMITTED, 0, 0);
	int64_t number = 0, count;
	char root[65], at[65];
	int change;

	assert_ok(journal_root(j, &count, root, err));
	assert_int_equal(count, 0);
	assert_string_equal(root, EMPTY_ROOT);
	assert_ok(journal_last_change(j, &change, err));
	assert_int_equal(change, 0);
	fill(j);
	assert_ok(journal_append_new_change(j, &other, &change, err));
	assert_int_equal(change, 2);
	assert_ok(journal_read(j, 0, 0, count_record, &number, err));
	assert_int_equal(number, FILLED + 1);
	number = 4;
	assert_ok(journal_read(j, 1, 4, count_record, &number, err));
	assert_int_equal(number, FILLED);
	assert_int_equal(journal_read(j, 1, 0, stop_at_intent, NULL, NULL), 42);
	assert_int_equal(journal_count(j), FILLED + 1);
	assert_ok(journal_root(j, &count, root, err));
	assert_ok(journal_root_at(j, count, at, err));
	assert_int_equal(count, FILLED + 1);
	assert_string_equal(root, at);
	journal_close(j);
	assert_int_equal(verify(s->store).count, 0);
}

static void
reading_before_the_first_change_says_so(void **state)
{
	struct scratch *s = *state;
	struct journal *j;

	assert_fails(ERR_STORE,
	    journal_open(s->store, JOURNAL_READ, &world_real, NULL, &j, err));
	assert_false(file_exists(s->store));
}

static void
a_record_of_an_older_run_is_refused(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_store(s->store, JOURNAL_WRITE);
	struct record r = make(RECORD_SUBMITTED, 0, 0), both[2];
	int change;

	assert_ok(journal_append_new_change(j, &r, &change, err));
	r = make(RECORD_RUN_STARTED, change, 2);
	assert_fails(ERR_REFUSED, journal_append_now(j, &r, 1, NULL, err));
	append(j, make(RECORD_RUN_STARTED, change, 1));
	append(j, make(RECORD_WAVE_STARTED, change, 1));
	r.epoch = 1; /* started twice with one number: only one can win */
	assert_fails(ERR_REFUSED, journal_append_now(j, &r, 1, NULL, err));
	append(j, make(RECORD_RUN_STARTED, change, 2));
	r = make_step(RECORD_STEP_INTENT, change, 1, "web1", 1, "x1");
	assert_fails(ERR_REFUSED, journal_append_now(j, &r, 1, NULL, err));
	r.epoch = 3;
	assert_fails(ERR_REFUSED, journal_append_now(j, &r, 1, NULL, err));
	/* all or nothing */
	both[0] = make_step(RECORD_STEP_INTENT, change, 2, "web1", 1, "x1");
	both[1] = make_step(RECORD_STEP_INTENT, change, 1, "web1", 2, "x2");
	assert_fails(ERR_REFUSED, journal_append_now(j, both, 2, NULL, err));
	assert_int_equal(journal_count(j), 4);
	append(j, make(RECORD_APPROVED, change, 0));
	append(j, make(RECORD_REJECTED, change, 9));
	append(j, make(RECORD_REFUSED, change, 1));
	append(j, make_step(RECORD_STEP_INTENT, change, 2, "web1", 1, "x1"));
	assert_int_equal(journal_count(j), 8);
	/* a new run inside one append opens its epoch at once */
	both[0] = make(RECORD_RUN_STARTED, change, 3);
	both[1] = make(RECORD_WAVE_STARTED, change, 3);
	assert_ok(journal_append_now(j, both, 2, NULL, err));
	journal_close(j);
	assert_int_equal(verify(s->store).count, 0);
}

/* covers: P3 */
static void
an_intent_comes_once_and_before_its_outcome(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_store(s->store, JOURNAL_WRITE);
	struct record r = make(RECORD_SUBMITTED, 0, 0);
	int change;

	assert_ok(journal_append_new_change(j, &r, &change, err));
	append(j, make(RECORD_RUN_STARTED, change, 1));
	r = make_step(RECORD_STEP_DONE, change, 1, "web1", 1, "x1");
	assert_fails(ERR_INTERNAL, journal_append_now(j, &r, 1, NULL, err));
	append(j, make_step(RECORD_STEP_INTENT, change, 1, "web1", 1, "x1"));
	r = make_step(RECORD_STEP_INTENT, change, 1, "web1", 1, "x1");
	assert_fails(ERR_REFUSED, journal_append_now(j, &r, 1, NULL, err));
	r = make_step(RECORD_UNDO_INTENT, change, 1, "web2", 9, "x1");
	assert_fails(ERR_REFUSED, journal_append_now(j, &r, 1, NULL, err));
	r = make_step(RECORD_STEP_DONE, change, 1, "web2", 1, "x1");
	assert_fails(ERR_INTERNAL, journal_append_now(j, &r, 1, NULL, err));
	r = make_step(RECORD_STEP_DONE, change, 1, "web1", 1, "");
	assert_fails(ERR_INTERNAL, journal_append_now(j, &r, 1, NULL, err));
	r = make_step(RECORD_STEP_INTENT, change, 1, "web1", 1, "");
	assert_fails(ERR_INTERNAL, journal_append_now(j, &r, 1, NULL, err));
	append(j, make_step(RECORD_STEP_DONE, change, 1, "web1", 1, "x1"));
	/* failed before anything was launched */
	append(j, make_step(RECORD_STEP_FAILED, change, 1, "web1", 2, ""));
	journal_close(j);
	assert_int_equal(verify(s->store).count, 0);
}

static void
blobs_are_kept_once_and_checked(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_store(s->store, JOURNAL_WRITE);
	size_t large_len = (size_t)9 << 20;
	char *large = arena_alloc(s->arena, large_len), a[65], b[65], c[65];
	struct buf out = BUF_INIT;

	assert_ok(journal_put_blob(j, (struct bytes){"a\0b", 3}, a, err));
	assert_ok(journal_put_blob(j, (struct bytes){"a\0b", 3}, b, err));
	assert_string_equal(a, b);
	/* waits in memory and can be read all the same */
	assert_ok(journal_get_blob(j, a, &out, err));
	assert_int_equal(out.len, 3);
	assert_ok(journal_put_blob(j, (struct bytes){"", 0}, b, err));
	assert_string_equal(b, EMPTY_ROOT);
	append(j, make(RECORD_REFUSED, 0, 0));
	assert_ok(journal_put_blob(j, (struct bytes){"a\0b", 3}, b, err));
	/* too much to wait: a transaction of its own */
	assert_ok(
	    journal_put_blob(j, (struct bytes){large, large_len}, c, err));
	assert_ok(journal_put_blob(j, bytes_of("last"), b, err));
	journal_close(j);

	j = open_store(s->store, JOURNAL_READ);
	buf_reset(&out);
	assert_ok(journal_get_blob(j, a, &out, err));
	assert_memory_equal(out.data, "a\0b", 3);
	assert_ok(journal_get_blob(j, EMPTY_ROOT, &out, err));
	assert_int_equal(out.len, 3);
	assert_ok(journal_get_blob(j, b, &out, err));
	assert_string_equal(out.data + 3, "last");
	buf_reset(&out);
	assert_ok(journal_get_blob(j, c, &out, err));
	assert_int_equal(out.len, large_len);
	a[0] = a[0] == 'f' ? '0' : 'f';
	assert_fails(ERR_STORE, journal_get_blob(j, a, &out, err));
	assert_fails(ERR_STORE, journal_get_blob(j, "' or 1", &out, err));
	journal_close(j);
	buf_free(&out);
	assert_int_equal(verify(s->store).count, 0);
}

/* covers: P9 */
static void
a_checkpoint_shows_a_cut_and_a_rewritten_list(void **state)
{
	struct scratch *s = *state;
	char *other = file_join(s->arena, s->folder, "other");
	struct journal *j = open_store(s->store, JOURNAL_WRITE);
	struct buf early = BUF_INIT, late = BUF_INIT, empty = BUF_INIT;

	assert_ok(journal_checkpoint_text(j, &empty, err));
	fill(j);
	assert_ok(journal_checkpoint_text(j, &early, err));
	append(j, make(RECORD_REFUSED, 1, 0));
	assert_ok(journal_checkpoint_text(j, &late, err));
	assert_memory_equal(late.data, "hoshu\n11\n", 9);
	assert_int_equal(late.len, 9 + 44 + 1);
	buf_puts(&late, "\n\xe2\x80\x94 key c2lnbmF0dXJl\n");
	assert_ok(journal_checkpoint_verify(j, empty.data, err));
	assert_ok(journal_checkpoint_verify(j, early.data, err));
	assert_ok(journal_checkpoint_verify(j, late.data, err));
	journal_close(j);

	/* honest by itself, and shorter, or of other records */
	j = open_store(other, JOURNAL_WRITE);
	append(j, make(RECORD_REFUSED, 0, 0));
	assert_fails(
	    ERR_EVIDENCE, journal_checkpoint_verify(j, early.data, err));
	while (journal_count(j) < 20)
		append(j, make(RECORD_REFUSED, 0, 0));
	assert_fails(
	    ERR_EVIDENCE, journal_checkpoint_verify(j, early.data, err));
	assert_ok(journal_checkpoint_verify(j, empty.data, err));
	assert_fails(
	    ERR_EVIDENCE, journal_checkpoint_verify(j, "hoshu\n-1\n\n", err));
	assert_fails(ERR_EVIDENCE, journal_checkpoint_verify(j, "", err));
	journal_close(j);
	assert_int_equal(verify(other).count, 0);
	buf_free(&early);
	buf_free(&late);
	buf_free(&empty);
}

static void
copy_files(struct scratch *s, const char *to)
{
	static const char *const names[] = {"journal.db", "journal.db-wal"};
	struct buf data = BUF_INIT;
	size_t i;

	assert_ok(file_make_folder(to, 0700, err));
	for (i = 0; i < 2; i++) {
		buf_reset(&data);
		if (!file_exists(file_join(s->arena, s->store, names[i])))
			continue;
		assert_ok(file_read(file_join(s->arena, s->store, names[i]),
		    BUF_MAX, &data, err));
		assert_ok(file_write(file_join(s->arena, to, names[i]),
		    buf_bytes(&data), 0400, err));
	}
	buf_free(&data);
}

/* As another user, because root may write where nobody may. */
static int
verify_as_nobody(const char *folder, int64_t want)
{
	struct journal *j;
	struct err err = ERR_INIT;
	int64_t faults = 1, count = 0;
	char root[65];
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(7);
		if (access(folder, W_OK) == 0)
			_exit(8);
		if (journal_open(folder, JOURNAL_READ, &world_real, NULL, &j,
			&err) < 0 ||
		    journal_verify(j, NULL, NULL, &faults, &err) < 0 ||
		    journal_root(j, &count, root, &err) < 0)
			fprintf(stderr, "%s\n", err.text);
		else
			journal_close(j);
		_exit(faults != 0 ? 1 : count != want ? 2 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

/* covers: P9 */
static void
a_read_only_copy_can_be_read_with_and_without_its_wal(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_store(s->store, JOURNAL_WRITE);
	char *copy = file_join(s->arena, s->folder, "a copy%41?#");
	char *late = file_join(s->arena, s->folder, "late");
	static const char *const names[] = {"journal.db", "journal.db-wal"};
	size_t i;

	fill(j);
	/* while a writer has the store open, its last records are in the WAL */
	copy_files(s, copy);
	assert_true(file_exists(file_join(s->arena, copy, "journal.db-wal")));
	append(j, make(RECORD_REFUSED, 0, 0));
	journal_close(j);
	copy_files(s, late);
	assert_ok(chmod(s->folder, 0755));
	for (i = 0; i < 2; i++) {
		(void)!chmod(file_join(s->arena, copy, names[i]), 0444);
		(void)!chmod(file_join(s->arena, late, names[i]), 0444);
	}
	assert_ok(chmod(copy, 0555));
	assert_ok(chmod(late, 0555));
	assert_int_equal(verify_as_nobody(copy, FILLED), 0);
	assert_int_equal(verify_as_nobody(late, FILLED + 1), 0);
	assert_false(file_exists(file_join(s->arena, copy, "journal.db-shm")));
	assert_ok(chmod(copy, 0755));
	assert_ok(chmod(late, 0755));
}

static void
a_store_that_is_no_store_is_refused(void **state)
{
	struct scratch *s = *state;
	char *path = file_join(s->arena, s->store, "journal.db");
	struct journal *j;
	sqlite3 *db;

	assert_ok(file_make_folder(s->store, 0700, err));
	assert_ok(file_write(path,
	    bytes_of("this is a text of more than a hundred bytes, which no "
		     "one would take for a data base, but for its name; so "
		     "it is refused."),
	    0600, err));
	assert_fails(ERR_STORE,
	    journal_open(s->store, JOURNAL_READ, &world_real, NULL, &j, err));
	assert_fails(ERR_STORE,
	    journal_open(s->store, JOURNAL_WRITE, &world_real, NULL, &j, err));
	assert_ok(unlink(path));
	db = open_db(s->store);
	assert_int_equal(
	    sqlite3_exec(db, "CREATE TABLE record (a)", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	assert_fails(ERR_STORE,
	    journal_open(s->store, JOURNAL_READ, &world_real, NULL, &j, err));
	assert_fails(ERR_STORE,
	    journal_open(s->store, JOURNAL_WRITE, &world_real, NULL, &j, err));
}

/* A person's word on a host is taken only when nothing came from it since. */
static void
a_word_on_a_host_that_moved_is_refused(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_store(s->store, JOURNAL_WRITE);
	struct record r;
	int64_t count;

	fill(j); /* records 3 to 6 are web1's and web2's: intents, outcomes */
	count = journal_count(j);
	r = make_step(RECORD_SETTLED, 1, 1, "web2", 1, "x2");
	assert_fails(ERR_REFUSED, journal_append_if_last(j, &r, 5, err));
	assert_int_equal(journal_count(j), count);
	assert_ok(journal_append_if_last(j, &r, 6, err));
	assert_int_equal(journal_count(j), count + 1);
	/* its own is above 6 now */
	assert_fails(ERR_REFUSED, journal_append_if_last(j, &r, 6, err));
	r.host = "web3";
	assert_ok(journal_append_if_last(j, &r, -1, err));
	journal_close(j);
}

/* What a run sees of its appends, told by the loop. */
struct told {
	struct journal *journal;
	struct loop *loop;
	int durable;
	int refused;
	int tickets;
	int left; /* to append from within done */
	int order;
	bool close;
};

static void
heard(void *arg, struct ticket *const *tickets, size_t count,
    const struct err *err)
{
	struct told *told = arg;
	struct record r;
	char xid[32];
	size_t i;

	if (err != NULL) {
		assert_int_equal(err->code, ERR_REFUSED);
		for (i = 0; i < count; i++)
			assert_null(tickets[i]);
		told->refused++;
	} else
		told->durable++;
	for (i = 0; i < count; i++) {
		if (tickets[i] == NULL)
			continue;
		assert_string_equal(ticket_host(tickets[i]), "web1");
		assert_string_equal(ticket_life(tickets[i]), "boot.spool");
		assert_true(ticket_xid(tickets[i])[0] == 'x');
		told->tickets++;
		if (told->tickets % 2 == 0)
			journal_ticket_close(told->journal, tickets[i]);
	}
	if (told->close) {
		journal_close(told->journal);
		told->journal = NULL;
		told->close = false;
	} else if (told->left > 0) {
		snprintf(xid, sizeof(xid), "x%d", told->left--);
		r = make_step(RECORD_STEP_INTENT, 1, 1, "web1", 1, xid);
		journal_append(told->journal, &r, 1, heard, told);
	}
}

static void
appends_off_the_loop_are_batched_and_give_tickets(void **state)
{
	struct scratch *s = *state;
	struct told told = {.left = 50};
	struct record r[3];
	int64_t count;
	char root[65];
	int change, i;

	assert_ok(loop_open(&told.loop, err));
	assert_ok(journal_open(s->store, JOURNAL_WRITE, &world_real, told.loop,
	    &told.journal, err));
	r[0] = make(RECORD_SUBMITTED, 0, 0);
	assert_ok(journal_append_new_change(told.journal, r, &change, err));
	r[0] = make(RECORD_RUN_STARTED, 1, 1);
	journal_append(told.journal, r, 1, heard, &told);
	for (i = 0; i < 100; i++) {
		char a[32], b[32];

		snprintf(a, sizeof(a), "xa%d", i);
		snprintf(b, sizeof(b), "xb%d", i);
		r[0] = make_step(RECORD_STEP_INTENT, 1, 1, "web1", i, a);
		r[1] = make(RECORD_CHECK, 1, 1);
		r[2] = make_step(RECORD_STEP_INTENT, 1, 1, "web1", i, b);
		journal_append(told.journal, r, 3, heard, &told);
		/* the same again is refused, and only it */
		journal_append(told.journal, r, 1, heard, &told);
		r[0].epoch = 2;
		journal_append(told.journal, r, 1, heard, &told);
	}
	assert_int_equal(told.durable, 0); /* never told from within append */
	loop_run(told.loop);
	assert_int_equal(told.durable, 1 + 100 + 50);
	assert_int_equal(told.refused, 200);
	assert_int_equal(told.tickets, 250);
	assert_int_equal(journal_count(told.journal), 1 + 1 + 300 + 50);
	assert_ok(journal_root(told.journal, &count, root, err));
	assert_int_equal(count, 352);
	journal_close(told.journal);
	loop_close(told.loop);
	assert_int_equal(verify(s->store).count, 0);
}

static void
closing_keeps_what_was_queued_and_tells_nobody(void **state)
{
	struct scratch *s = *state;
	struct told told = {0};
	struct record r = make(RECORD_REFUSED, 0, 0);
	struct journal *j;
	int i;

	assert_ok(loop_open(&told.loop, err));
	assert_ok(journal_open(s->store, JOURNAL_WRITE, &world_real, told.loop,
	    &told.journal, err));
	for (i = 0; i < 5; i++)
		journal_append(told.journal, &r, 1, heard, &told);
	journal_close(told.journal);
	loop_run(told.loop);
	assert_int_equal(told.durable, 0);
	/* closed by the first one that is told */
	assert_ok(journal_open(s->store, JOURNAL_WRITE, &world_real, told.loop,
	    &told.journal, err));
	told.close = true;
	for (i = 0; i < 5; i++)
		journal_append(told.journal, &r, 1, heard, &told);
	loop_run(told.loop);
	assert_int_equal(told.durable, 1);
	loop_close(told.loop);
	j = open_store(s->store, JOURNAL_READ);
	assert_int_equal(journal_count(j), 10);
	journal_close(j);
	assert_int_equal(verify(s->store).count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(record_bytes_are_canonical_json),
	    cmocka_unit_test(every_kind_survives_writing_and_parsing),
	    cmocka_unit_test(
		a_cut_or_changed_record_does_not_parse_to_the_same),
	    scratch_test(
		what_cannot_be_stored_is_refused_and_the_store_goes_on),
	    cmocka_unit_test(tree_roots_are_those_of_rfc_6962),
	    cmocka_unit_test(a_proof_holds_for_its_leaf_and_no_other),
	    scratch_test(what_was_appended_is_read_in_order),
	    scratch_test(reading_before_the_first_change_says_so),
	    scratch_test(a_record_of_an_older_run_is_refused),
	    scratch_test(an_intent_comes_once_and_before_its_outcome),
	    scratch_test(blobs_are_kept_once_and_checked),
	    scratch_test(a_checkpoint_shows_a_cut_and_a_rewritten_list),
	    scratch_test(a_read_only_copy_can_be_read_with_and_without_its_wal),
	    scratch_test(a_store_that_is_no_store_is_refused),
	    scratch_test(a_word_on_a_host_that_moved_is_refused),
	    scratch_test(appends_off_the_loop_are_batched_and_give_tickets),
	    scratch_test(closing_keeps_what_was_queued_and_tells_nobody),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
