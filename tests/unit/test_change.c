/*
 * A change: frozen, thawed, and refused when one byte of it is another.
 * covers: P2 (what was approved is what runs)
 */
#include "change_place.h"

/* Frozen and put into a store; gives the digest. */
static const char *
store_change(struct scratch *s)
{
	struct journal *journal = open_store(s->store, JOURNAL_WRITE);
	struct change *change = make_change(s->arena, NULL);

	change_freeze(s->arena, change);
	assert_ok(blobs_store(change->blobs, journal, err));
	journal_close(journal);
	return change->digest;
}

static void
same_step(const struct change_step *a, const struct change_step *b)
{
	assert_int_equal(a->verdict, b->verdict);
	assert_string_equal(a->seen, b->seen);
	assert_string_equal(a->want, b->want);
	assert_string_equal(a->apply, b->apply);
	assert_string_equal(a->undo, b->undo);
	assert_string_equal(a->effects, b->effects);
	assert_string_equal(a->diff, b->diff);
	assert_string_equal(a->summary, b->summary);
	assert_string_equal(a->reason, b->reason);
}

static void
same_host(const struct change_host *a, const struct change_host *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->address, b->address);
	assert_string_equal(a->user, b->user);
	assert_string_equal(a->become, b->become);
	assert_int_equal(a->port, b->port);
	assert_true(json_equal(a->groups, b->groups));
	assert_true(json_equal(a->vars, b->vars));
	assert_string_equal(a->facts, b->facts);
	assert_string_equal(a->plan_vars, b->plan_vars);
	assert_string_equal(a->readonly, b->readonly);
	assert_string_equal(a->gaps, b->gaps);
	assert_int_equal(a->waves[0], b->waves[0]);
	for (int id = 1; id <= AGAIN; id++)
		same_step(&a->steps[id], &b->steps[id]);
}

static void
what_was_frozen_is_what_is_thawed(void **state)
{
	struct scratch *s = *state;
	struct change *change = make_change(s->arena, NULL), *back = NULL;
	const char *digest = store_change(s);
	struct journal *journal = open_store(s->store, JOURNAL_READ);
	struct blobs *blobs = blobs_new(s->arena, journal);

	assert_ok(change_thaw(s->arena, digest, blobs, &back, err));
	assert_string_equal(back->digest, digest);
	assert_string_equal(back->title, change->title);
	assert_string_equal(back->plan_sha256, change->plan_sha256);
	assert_string_equal(back->plan->file, "playbooks/web.yml");
	assert_int_equal(back->approvals, 2);
	assert_false(back->solo);
	assert_int_equal(back->in_flight, 2);
	/* not said in the plan, but approved: 3 hosts, not the first alone */
	assert_null(change->back_limits);
	assert_int_equal(back->back_limits[0], 2);
	back->back_limits[0] = 7; /* of a program with another default */
	assert_int_equal(change_back_limit(back, 0), 7);
	back->back_limits[0] = 2;
	assert_true(back->preview_ms == change->preview_ms);
	assert_true(json_equal(back->inputs, change->inputs));
	assert_true(json_equal(back->files, change->files));
	assert_int_equal(back->host_count, 3);
	for (size_t i = 0; i < 3; i++)
		same_host(&change->hosts[i], &back->hosts[i]);
	assert_int_equal(back->place_count, 1);
	assert_string_equal(back->places[0].name, "lb1");
	assert_int_equal(back->places[0].port, 22);
	assert_string_equal(
	    change_where(back, &back->hosts[1], back->plan->by_id[CUT])->name,
	    "lb1");
	assert_ptr_equal(
	    change_where(back, &back->hosts[1], back->plan->by_id[EDIT]),
	    &back->hosts[1]);
	assert_int_equal(back->wave_count, 2);
	assert_string_equal(back->waves[0].name, "canary");
	assert_true(back->waves[0].soak_ms == 10000);
	assert_int_equal(back->waves[0].count, 1);
	assert_int_equal(back->waves[1].at_once, 2);
	assert_int_equal(back->waves[1].count, 2);
	assert_int_equal(back->waves[1].parts[0], 1);
	assert_int_equal(back->waves[1].parts[1], 2);
	assert_int_equal(back->module_count, 1);
	assert_string_equal(back->modules[0].sha256, change->modules[0].sha256);
	/* as they were bound, not as the project's files are now */
	for (int id = 1; id <= AGAIN; id++)
		assert_true(json_equal(back->plan->by_id[id]->params,
		    change->plan->by_id[id]->params));
	assert_string_equal(
	    json_get_text(back->plan->checks[0].spec, "ca", ""), "-----BEGIN");

	/* and frozen again it is the same, to the byte */
	back->blobs = blobs_new(s->arena, NULL);
	change_freeze(s->arena, back);
	assert_string_equal(back->digest, digest);
	journal_close(journal);
}

/* ---- one byte ---- */

static void
overwrite(sqlite3 *db, const char *sha256, const void *bytes, size_t len)
{
	sqlite3_stmt *update;

	assert_int_equal(
	    sqlite3_prepare_v2(db, "UPDATE blob SET bytes = ? WHERE sha256 = ?",
		-1, &update, NULL),
	    SQLITE_OK);
	sqlite3_bind_blob(update, 1, bytes, (int)len, SQLITE_STATIC);
	sqlite3_bind_text(update, 2, sha256, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(update), SQLITE_DONE);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_finalize(update);
}

/* A host that was away is frozen as that: its steps are rules, whoever signs
 * reads its name, and its being away is part of what is signed. */
static void
a_host_that_was_away_is_frozen_as_that(void **state)
{
	struct scratch *s = *state;
	struct change *change = make_change(s->arena, NULL), *back = NULL;
	struct change_host *host = &change->hosts[1];
	struct statement said, before;

	change_freeze(s->arena, change);
	change_statement(s->arena, change, &before);
	assert_null(before.not_previewed);
	host->away = "web2: no route to host";
	host->facts = host->plan_vars = "";
	change_blank_steps(s->arena, change);
	change_away_steps(change, host);
	change_freeze(s->arena, change);
	change_statement(s->arena, change, &said);
	assert_string_equal(said.not_previewed, "1 host: web2");
	assert_string_not_equal(said.hosts_sha256, before.hosts_sha256);
	assert_string_not_equal(said.preview_sha256, before.preview_sha256);
	assert_non_null(strstr(said.not_taken_back, "not known of hosts"));
	assert_ok(
	    change_thaw(s->arena, change->digest, change->blobs, &back, err));
	assert_true(change_is_away(&back->hosts[1]));
	assert_false(change_is_away(&back->hosts[0]));
	assert_string_equal(back->hosts[1].away, "web2: no route to host");
	assert_int_equal(change_away_hosts(back), 1);
	for (int id = 1; id <= back->plan->last_id; id++)
		assert_int_equal(
		    back->hosts[1].steps[id].verdict, CHANGE_DEPENDS);
	change_statement(s->arena, back, &before);
	assert_string_equal(before.hosts_sha256, said.hosts_sha256);
}

/* Is it refused to thaw, or to read sha256, in the store as it stands? */
static bool
is_refused(struct journal *journal, const char *digest, const char *sha256)
{
	struct arena *arena = arena_new();
	struct blobs *blobs = blobs_new(arena, journal);
	struct change *change = NULL;
	struct err err = ERR_INIT;
	struct bytes data;
	int r;

	r = change_thaw(arena, digest, blobs, &change, &err);
	if (r == 0)
		r = blobs_get(blobs, sha256, &data, &err);
	arena_free(arena);
	if (r < 0) /* not merely lost or not whole: the evidence is wrong */
		assert_int_equal(err.code, ERR_EVIDENCE);
	return r < 0;
}

/* Change every byte of one blob, one at a time; also cut it and add to it. */
static void
tamper(struct journal *journal, sqlite3 *db, const char *digest,
    const char *sha256, size_t *changed)
{
	struct buf text = BUF_INIT;

	assert_ok(journal_get_blob(journal, sha256, &text, err));
	assert_true(text.len > 0);
	assert_false(is_refused(journal, digest, sha256));
	for (size_t i = 0; i < text.len; i++) {
		text.data[i] ^= (char)(1 << (i % 7));
		overwrite(db, sha256, text.data, text.len);
		if (!is_refused(journal, digest, sha256))
			fail_msg("byte %zu of %.12s is another and it runs", i,
			    sha256);
		text.data[i] ^= (char)(1 << (i % 7));
		++*changed;
	}
	overwrite(db, sha256, text.data, text.len - 1);
	assert_true(is_refused(journal, digest, sha256));
	buf_putc(&text, '\n');
	overwrite(db, sha256, text.data, text.len);
	assert_true(is_refused(journal, digest, sha256));
	overwrite(db, sha256, text.data, text.len - 1);
	assert_false(is_refused(journal, digest, sha256));
	buf_free(&text);
}

static void
every_changed_byte_is_refused(void **state)
{
	struct scratch *s = *state;
	const char *digest = store_change(s);
	struct change *change = make_change(s->arena, NULL);
	struct journal *journal = open_store(s->store, JOURNAL_READ);
	const struct change_step *step = &change->hosts[1].steps[EDIT];
	size_t changed = 0;
	sqlite3 *db = open_db(s->store);

	sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	tamper(journal, db, digest, digest, &changed);
	assert_true(changed > 4000); /* the document is no stub */
	tamper(journal, db, digest, change->plan_sha256, &changed);
	tamper(journal, db, digest, step->apply, &changed);
	tamper(journal, db, digest, step->undo, &changed);
	tamper(journal, db, digest, step->seen, &changed);
	tamper(journal, db, digest, change->modules[0].sha256, &changed);
	tamper(journal, db, digest, change->hosts[0].facts, &changed);
	tamper(journal, db, digest, change->hosts[0].plan_vars, &changed);
	sqlite3_close(db);
	journal_close(journal);
}

/* ---- what the digest covers ---- */

/* Change one thing of a change; false when there is none of that number. */
static bool
change_one(struct arena *arena, struct change *c, int number)
{
	struct change_host *host = &c->hosts[1];
	struct change_step *step = &host->steps[EDIT];
	const char **const texts[] = {&c->title, &c->plan_sha256, &host->name,
	    &host->address, &host->user, &host->become, &host->facts,
	    &host->plan_vars, &host->readonly, &host->gaps, &step->seen,
	    &step->want, &step->apply, &step->undo, &step->effects, &step->diff,
	    &step->summary, &step->reason, &c->waves[0].name,
	    &c->modules[0].name, &c->modules[0].sha256, &c->plan->file,
	    &c->plan->by_id[WARM]->name, &c->plan->by_id[AGAIN]->module,
	    &c->hosts[2].steps[AGAIN].undo, &c->places[0].name,
	    &c->places[0].address, &c->places[0].user, &c->places[0].become};
	int *const ints[] = {&host->port, &host->waves[0], &c->waves[1].at_once,
	    &c->approvals, &c->in_flight, &c->places[0].port,
	    &c->hosts[1].steps[CUT].place};
	struct json *const maps[] = {host->vars, c->inputs,
	    c->plan->by_id[UNMIGRATE]->params, c->plan->checks[0].spec};
	const int text_count = sizeof(texts) / sizeof(texts[0]);
	const int int_count = sizeof(ints) / sizeof(ints[0]);
	const int map_count = sizeof(maps) / sizeof(maps[0]);

	if (number < text_count) {
		*texts[number] = arena_printf(arena, "%sx", *texts[number]);
		return true;
	}
	if ((number -= text_count) < int_count) {
		(*ints[number])--;
		return true;
	}
	if ((number -= int_count) < map_count) {
		json_put_text(arena, maps[number], "more", "x");
		return true;
	}
	switch (number - map_count) {
	case 0:
		c->waves[0].soak_ms++;
		return true;
	case 1:
		c->preview_ms++;
		return true;
	case 2:
		c->solo = true;
		return true;
	case 3:
		step->verdict = CHANGE_CANNOT_TELL;
		return true;
	case 4:
		json_add(arena, host->groups, json_text(arena, "x"));
		return true;
	case 5:
		json_add(arena, c->files, json_map(arena));
		return true;
	case 6:
		c->host_count--;
		return true;
	}
	return false;
}

static void
nothing_that_decides_what_runs_is_left_out(void **state)
{
	struct arena *arena = arena_new();
	struct change *change = make_change(arena, NULL);
	const char *digest;
	int number = 0;

	change_freeze(arena, change);
	digest = change->digest;
	change = make_change(arena, NULL);
	change_freeze(arena, change);
	assert_string_equal(change->digest, digest);
	for (;; number++) {
		change = make_change(arena, NULL);
		if (!change_one(arena, change, number))
			break;
		change_freeze(arena, change);
		if (strcmp(change->digest, digest) == 0)
			fail_msg("change %d is not in the digest", number);
	}
	assert_int_equal(number, 29 + 7 + 4 + 7);
	arena_free(arena);
}

/* Which digests of the statement say so: h(osts) m(odules) s(cripts)
 * r(ollback) p(review). */
static void
statement_moved(struct arena *arena, const struct change *a,
    const struct change *b, char out[8])
{
	struct statement x, y;
	char *at = out;

	change_statement(arena, a, &x);
	change_statement(arena, b, &y);
	if (strcmp(x.hosts_sha256, y.hosts_sha256) != 0)
		*at++ = 'h';
	if (strcmp(x.modules_sha256, y.modules_sha256) != 0)
		*at++ = 'm';
	if (strcmp(x.scripts_sha256, y.scripts_sha256) != 0)
		*at++ = 's';
	if (strcmp(x.rollback_sha256, y.rollback_sha256) != 0)
		*at++ = 'r';
	if (strcmp(x.preview_sha256, y.preview_sha256) != 0)
		*at++ = 'p';
	*at = '\0';
}

static void
the_statement_says_what_is_another(void **state)
{
	struct arena *arena = arena_new();
	struct change *a = make_change(arena, NULL), *b;
	struct statement statement;
	char moved[8];

	statement_moved(arena, a, make_change(arena, NULL), moved);
	assert_string_equal(moved, "");
	b = make_change(arena, NULL);
	b->hosts[2].address = "192.0.2.99";
	statement_moved(arena, a, b, moved);
	assert_string_equal(moved, "h");
	b = make_change(arena, NULL);
	b->modules[0].sha256 = "x";
	statement_moved(arena, a, b, moved);
	assert_string_equal(moved, "m");
	b = make_change(arena, NULL);
	b->hosts[0].steps[CUT].apply = "x";
	statement_moved(arena, a, b, moved);
	assert_string_equal(moved, "s");
	b = make_change(arena, NULL);
	b->hosts[0].steps[EDIT].undo = "x";
	statement_moved(arena, a, b, moved);
	assert_string_equal(moved, "r");
	/* a rollback step's script is rollback */
	b = make_change(arena, NULL);
	b->hosts[0].steps[UNMIGRATE].apply = "x";
	statement_moved(arena, a, b, moved);
	assert_string_equal(moved, "r");
	b = make_change(arena, NULL);
	b->hosts[0].steps[EDIT].want = "x";
	statement_moved(arena, a, b, moved);
	assert_string_equal(moved, "p");

	a->number = 7;
	change_freeze(arena, a);
	change_statement(arena, a, &statement);
	assert_int_equal(statement.change, 7);
	assert_string_equal(statement.digest, a->digest);
	assert_string_equal(statement.plan_sha256, a->plan_sha256);
	assert_string_equal(statement.plan_file, "playbooks/web.yml");
	assert_int_equal(statement.hosts, 3);
	assert_int_equal(statement.in_flight, 2);
	arena_free(arena);
}

/* ---- documents that are not whole ---- */

/* Thaw text as if it were what was approved. */
static int
thaw_text(const char *text, size_t len, struct err *err)
{
	struct arena *arena = arena_new();
	struct change *change = make_change(arena, NULL), *back = NULL;
	const char *digest;
	struct bytes bytes = {text, len};
	int r;

	digest = blobs_put(change->blobs, bytes);
	r = change_thaw(arena, digest, change->blobs, &back, err);
	if (r == 0)
		assert_non_null(back);
	arena_free(arena);
	return r;
}

static void
replaced(struct buf *out, const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);

	if (at == NULL)
		fail_msg("no %s in the document", old);
	buf_reset(out);
	buf_put(out, text, (size_t)(at - text));
	buf_puts(out, new);
	buf_puts(out, at + strlen(old));
}

static void
a_document_that_is_not_whole_is_refused(void **state)
{
	static const char *const wrong[][2] = {
	    {"\"format\":\"hoshu-change/2\"", "\"format\":\"hoshu-change/1\""},
	    {"\"checks\":", "\"check\":"},
	    {"\"files\":", "\"file\":"},
	    {"\"hosts\":", "\"host\":"},
	    {"\"inputs\":", "\"input\":"},
	    {"\"modules\":", "\"module\":"},
	    {"\"plan\":", "\"plans\":"},
	    {"\"steps\":[{\"id\":1,\"module\":",
		"\"stepz\":[{\"id\":1,\"module\":"},
	    {"\"waves\":", "\"wave\":"},
	    {"\"groups\":", "\"group\":"},
	    {"\"name\":\"web1\"", "\"name\":\"\""},
	    {"\"vars\":", "\"var\":"},
	    {"\"waves\":[1]", "\"waves\":[0]"},
	    {"\"waves\":[1]", "\"waves\":[3]"},
	    {"\"verdict\":\"change\"", "\"verdict\":\"perhaps\""},
	    {"\"module\":\"file\"", "\"module\":\"shell\""},
	    {"\"params\":{\"bound\":\"edit\"}", "\"params\":[]"},
	    {"{\"id\":1,\"module\":\"file\",\"name\":\"edit\",\"params\":{"
	     "\"bound\":\"edit\"}},",
		""},
	    {"[{\"ca\":", "[[],{\"ca\":"},
	};
	struct arena *arena = arena_new();
	struct change *change = make_change(arena, NULL);
	struct buf text = BUF_INIT;
	struct bytes whole;
	char *copy;

	change_freeze(arena, change);
	assert_ok(blobs_get(change->blobs, change->digest, &whole, err));
	copy = arena_copy(arena, whole.data, whole.len);
	assert_ok(thaw_text(copy, whole.len, err));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = ERR_INIT;

		replaced(&text, copy, wrong[i][0], wrong[i][1]);
		if (thaw_text(text.data, text.len, &err) != -ERR_STORE)
			fail_msg("%s -> %s was taken: %s", wrong[i][0],
			    wrong[i][1], err.text);
		assert_non_null(strstr(err.text, "not whole"));
	}
	/* cut anywhere it is no document, and no crash */
	for (size_t len = 1; len < whole.len; len += 7)
		assert_true(thaw_text(copy, len, NULL) < 0);
	buf_free(&text);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    scratch_test(what_was_frozen_is_what_is_thawed),
	    scratch_test(a_host_that_was_away_is_frozen_as_that),
	    scratch_test(every_changed_byte_is_refused),
	    cmocka_unit_test(nothing_that_decides_what_runs_is_left_out),
	    cmocka_unit_test(the_statement_says_what_is_another),
	    cmocka_unit_test(a_document_that_is_not_whole_is_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
