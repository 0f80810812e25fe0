/*
 * For the journal's tests: a throwaway store, records that are easy to write,
 * and verify as one number. They play the attacker too, so they use sqlite3.h
 * where runner/ would not.
 */
#ifndef HOSHU_TESTS_JOURNAL_STORE_H
#define HOSHU_TESTS_JOURNAL_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/file.h"
#include "journal/journal.h"

#define EMPTY_ROOT                                                             \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct scratch {
	struct arena *arena;
	char *folder;
	char *store;
};

static inline int
scratch_make(void **state)
{
	struct arena *arena = arena_new();
	struct scratch *s = arena_new_of(arena, struct scratch);
	struct err err = ERR_INIT;

	s->arena = arena;
	if (file_make_temporary(arena, &s->folder, &err) < 0)
		return -1;
	s->store = file_join(arena, s->folder, "store");
	*state = s;
	return 0;
}

static inline int
scratch_remove(void **state)
{
	struct scratch *s = *state;

	file_remove_tree(s->folder);
	arena_free(s->arena);
	return 0;
}

#define scratch_test(test)                                                     \
	cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

#define assert_ok(call)                                                        \
	do {                                                                   \
		struct err err_ = ERR_INIT, *err = &err_;                      \
		if ((call) != 0)                                               \
			fail_msg("%s: %s", #call, err->text);                  \
	} while (0)
#define assert_fails(code_, call)                                              \
	do {                                                                   \
		struct err err_ = ERR_INIT, *err = &err_;                      \
		int rc_ = (call);                                              \
		if (rc_ != -(int)(code_))                                      \
			fail_msg("%s: %d: %s", #call, rc_, err->text);         \
		assert_int_equal(err->code, (code_));                          \
		assert_true(err->text[0] != '\0');                             \
	} while (0)

static inline struct journal *
open_store(const char *folder, enum journal_mode mode)
{
	struct journal *journal = NULL;

	assert_ok(journal_open(folder, mode, &world_real, NULL, &journal, err));
	return journal;
}

static inline struct record
make(enum record_kind kind, int change, int64_t epoch)
{
	return (struct record){.kind = kind,
	    .change = change,
	    .epoch = epoch,
	    .host = "",
	    .xid = "",
	    .life = "",
	    .actor = "hoshu",
	    .body = "{}"};
}

static inline struct record
make_step(enum record_kind kind, int change, int64_t epoch, const char *host,
    int step, const char *xid)
{
	struct record record = make(kind, change, epoch);

	record.host = host;
	record.step = step;
	record.attempt = 1;
	record.xid = xid;
	record.life = "boot.spool";
	return record;
}

static inline void
append(struct journal *journal, struct record record)
{
	assert_ok(journal_append_now(journal, &record, 1, NULL, err));
}

/* CHG-0001: submitted, approved, run, two hosts with a step each. 10 records,
 * 2 blobs, several transactions. */
static inline void
fill(struct journal *journal)
{
	struct record r = make(RECORD_SUBMITTED, 0, 0), pair[2];
	char sha[65];
	int change;

	assert_ok(journal_put_blob(journal, bytes_of("plan: a\n"), sha, err));
	r.actor = "mizuki";
	r.body = "{\"title\":\"Patch \xe4\xbf\x9d\xe5\xae\x88\"}";
	assert_ok(journal_append_new_change(journal, &r, &change, err));
	r = make(RECORD_APPROVED, change, 0);
	r.actor = "ren";
	append(journal, r);
	append(journal, make(RECORD_RUN_STARTED, change, 1));
	assert_ok(journal_put_blob(journal, bytes_of("#!/bin/sh\n"), sha, err));
	pair[0] = make_step(RECORD_STEP_INTENT, change, 1, "web1", 1, "x1");
	pair[1] = make_step(RECORD_STEP_INTENT, change, 1, "web2", 1, "x2");
	assert_ok(journal_append_now(journal, pair, 2, NULL, err));
	pair[0] = make_step(RECORD_STEP_DONE, change, 1, "web1", 1, "x1");
	pair[0].body = "{\"rc\":0}";
	pair[1] = make_step(RECORD_STEP_UNKNOWN, change, 1, "web2", 1, "x2");
	assert_ok(journal_append_now(journal, pair, 2, NULL, err));
	append(journal, make(RECORD_HOST_DONE, change, 1));
	append(journal, make(RECORD_HOST_STUCK, change, 1));
	append(journal, make(RECORD_RUN_ENDED, change, 1));
}
enum { FILLED = 10, FILLED_BLOBS = 2 };

struct faults {
	int64_t count;
	int64_t first; /* number of the first with one, else -1 */
	char text[2048];
};

static inline void
note_fault(void *arg, int64_t number, const char *text)
{
	struct faults *faults = arg;

	if (faults->count++ == 0)
		snprintf(faults->text, sizeof(faults->text), "%s", text);
	if (faults->first < 0)
		faults->first = number;
}

/* Faults of the store in folder; a store that cannot even be opened or read
 * counts as one. */
static inline struct faults
verify(const char *folder)
{
	struct faults faults = {0, -1, ""};
	struct journal *journal = NULL;
	struct err err = ERR_INIT;
	int64_t count = 0;

	if (journal_open(
		folder, JOURNAL_READ, &world_real, NULL, &journal, &err) < 0 ||
	    journal_verify(journal, note_fault, &faults, &count, &err) < 0) {
		faults.count++;
		snprintf(faults.text, sizeof(faults.text), "%s", err.text);
	} else
		assert_int_equal(count, faults.count);
	journal_close(journal);
	return faults;
}

static inline sqlite3 *
open_db(const char *folder)
{
	char path[4096];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/journal.db", folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

#endif
