/*
 * How fast the journal appends, folds back and verifies, on the disk under
 * $TMPDIR. Built by hand:
 *	make B=build/bench L="journal loop digest base" \
 *	    build/bench/unit/test_journal
 *	cc -O2 -D_GNU_SOURCE -Irunner tests/bench/journal.c \
 *	    build/bench/journal/[a-z]*.o build/bench/loop/[a-z]*.o \
 *	    build/bench/digest/[a-z]*.o build/bench/base/[a-z]*.o \
 *	    $(pkg-config --libs sqlite3 libuv jansson libcrypto) \
 *	    -o build/bench/run_journal
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "journal/journal.h"

enum { COMMITS = 2000, BATCH_MAX = 1000 };

static double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
must(int rc, const struct err *err)
{
	if (rc < 0) {
		fprintf(stderr, "%s\n", err->text);
		exit(1);
	}
}

/* Intents and outcomes as a run writes them. */
static void
fill(struct record *records, char (*xids)[40], size_t count, int64_t *next)
{
	size_t i;

	for (i = 0; i < count; i++) {
		bool intent = *next % 2 == 0;

		snprintf(xids[i], sizeof(xids[i]), "%032llx",
		    (long long)(*next)++ / 2);
		records[i] = (struct record){.change = 1,
		    .epoch = 1,
		    .host = "web17.example.net",
		    .step = 3,
		    .attempt = 1,
		    .xid = xids[i],
		    .life = "b0c2f1ce-6cb4-4a31-95d8-3d6d6d0f6a7e.1f2e",
		    .kind = intent ? RECORD_STEP_INTENT : RECORD_STEP_DONE,
		    .actor = "hoshu",
		    .body =
			intent
			    ? "{\"script\":\"6e340b9cffb37a989ca544e6bb780a2c78"
			      "901d3fb33738768511a30617afa01d\",\"seen\":"
			      "{\"state\":\"stopped\"}}"
			    : "{\"rc\":0,\"wall_ms\":12}"};
	}
}

static void
measure(struct journal *journal, size_t batch, int commits, int64_t *next)
{
	static struct record records[BATCH_MAX];
	static char xids[BATCH_MAX][40];
	static double took[COMMITS];
	struct err err = ERR_INIT;
	double start = now_s(), begin;
	int i;

	for (i = 0; i < commits; i++) {
		fill(records, xids, batch, next);
		begin = now_s();
		must(journal_append_now(journal, records, batch, NULL, &err),
		    &err);
		took[i] = now_s() - begin;
	}
	start = now_s() - start;
	qsort(took, (size_t)commits, sizeof(took[0]), by_size);
	printf("batch %4zu: %8.0f records/s, commit p50 %.2f ms, p99 %.2f ms, "
	       "max %.1f ms\n",
	    batch, (double)batch * commits / start, took[commits / 2] * 1e3,
	    took[commits * 99 / 100] * 1e3, took[commits - 1] * 1e3);
}

static int
count_one(void *arg, const struct record *record, struct err *err)
{
	(*(int64_t *)arg)++;
	return 0;
}

int
main(void)
{
	struct arena *arena = arena_new();
	struct record first = {.kind = RECORD_SUBMITTED};
	struct err err = ERR_INIT;
	struct journal *journal;
	int64_t next = 0, read = 0, faults = 0;
	char *folder;
	double start;
	int change;

	must(file_make_temporary(arena, &folder, &err), &err);
	must(journal_open(
		 folder, JOURNAL_WRITE, &world_real, NULL, &journal, &err),
	    &err);
	must(journal_append_new_change(journal, &first, &change, &err), &err);
	first = (struct record){
	    .kind = RECORD_RUN_STARTED, .change = 1, .epoch = 1};
	must(journal_append_now(journal, &first, 1, NULL, &err), &err);
	measure(journal, 1, COMMITS, &next);
	measure(journal, 10, COMMITS, &next);
	measure(journal, 100, 1000, &next);
	measure(journal, 1000, 80, &next);
	journal_close(journal);
	start = now_s();
	must(journal_open(
		 folder, JOURNAL_WRITE, &world_real, NULL, &journal, &err),
	    &err);
	printf("open for writing: %.2f ms\n", (now_s() - start) * 1e3);
	start = now_s();
	must(journal_read(journal, 1, 0, count_one, &read, &err), &err);
	printf("read %lld records: %.0f ms\n", (long long)read,
	    (now_s() - start) * 1e3);
	start = now_s();
	must(journal_verify(journal, NULL, NULL, &faults, &err), &err);
	printf("verify: %.0f ms, %lld faults\n", (now_s() - start) * 1e3,
	    (long long)faults);
	journal_close(journal);
	file_remove_tree(folder);
	arena_free(arena);
	return 0;
}
