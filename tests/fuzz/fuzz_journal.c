/* A journal's file that somebody changed: it is found, or what is read is what
 * was written. Input: patches {place, length, bytes} to a store made here. */
#include "base/file.h"
#include "fuzz.h"
#include "journal/journal.h"

#include <unistd.h>

enum { RECORDS = 6 };

static int64_t
fixed_ms(void *state)
{
	return 1700000000000;
}

static void
no_random(void *state, void *out, size_t len)
{
	memset(out, 7, len);
}

static const struct world world = {fixed_ms, fixed_ms, no_random, NULL};

/* Made once: the bytes of a store, and what stands in it. */
static struct {
	char folder[256];
	struct buf file;
	struct buf said;
} base;

static int
say(void *arg, const struct record *record, struct err *err)
{
	record_write(arg, record);
	buf_putc(arg, '\n');
	return 0;
}

static void
leave_nothing(void)
{
	file_remove_tree(base.folder);
}

static void
base_make(void)
{
	struct journal *journal;
	struct err err = ERR_INIT;
	struct record record = {.kind = RECORD_SUBMITTED,
	    .actor = "alice",
	    .body = "{\"title\":\"x\"}"};
	struct arena *arena = arena_new();
	char sha[65], *folder, *path;
	int change;

	/* where a sync costs nothing */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	if (file_make_temporary(arena, &folder, &err) < 0)
		abort();
	snprintf(base.folder, sizeof(base.folder), "%s", folder);
	atexit(leave_nothing);
	fuzz_check(journal_open(folder, JOURNAL_WRITE, &world, NULL, &journal,
		       &err) == 0);
	fuzz_check(
	    journal_put_blob(journal, bytes_of("a blob"), sha, &err) == 0);
	fuzz_check(
	    journal_append_new_change(journal, &record, &change, &err) == 0);
	for (int i = 1; i < RECORDS; i++) {
		record.change = change;
		record.kind = i == 1 ? RECORD_APPROVED : RECORD_REFUSED;
		fuzz_check(
		    journal_append_now(journal, &record, 1, NULL, &err) == 0);
	}
	fuzz_check(journal_read(journal, 0, 0, say, &base.said, &err) == 0);
	journal_close(journal);
	path = file_join(arena, folder, "journal.db");
	fuzz_check(file_read(path, 1 << 24, &base.file, &err) == 0);
	arena_free(arena);
}

static void
write_patched(const char *path, struct fuzz_input *in)
{
	struct buf file = BUF_INIT;
	size_t at, len;
	FILE *out;

	buf_put(&file, base.file.data, base.file.len);
	while (in->size > 0) {
		at = fuzz_take(in, 3) % (file.len + 1);
		len = fuzz_take(in, 1) % 64;
		if (len == 0) { /* the file ends here */
			if (at < file.len && at > 0)
				file.len = at;
			continue;
		}
		for (; len > 0 && at < file.len; len--, at++)
			file.data[at] = (char)fuzz_take(in, 1);
	}
	out = fopen(path, "w");
	fuzz_check(out != NULL);
	fuzz_check(fwrite(file.data, 1, file.len, out) == file.len);
	fclose(out);
	buf_free(&file);
}

static void
found(void *arg, int64_t number, const char *text)
{
	fuzz_check(text[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct arena *arena = arena_new();
	struct journal *journal = NULL;
	struct buf said = BUF_INIT;
	struct err err = ERR_INIT;
	int64_t faults = 0, number;
	struct record record = {.kind = RECORD_REFUSED, .actor = "bob"};
	char *path, *wal, *shm;

	if (base.file.len == 0)
		base_make();
	path = file_join(arena, base.folder, "journal.db");
	wal = file_join(arena, base.folder, "journal.db-wal");
	shm = file_join(arena, base.folder, "journal.db-shm");
	write_patched(path, &in);
	(void)unlink(wal);
	(void)unlink(shm);
	if (journal_open(
		base.folder, JOURNAL_READ, &world, NULL, &journal, &err) == 0) {
		bool whole =
		    journal_verify(journal, found, NULL, &faults, &err) == 0 &&
		    faults == 0;

		if (journal_read(journal, 0, 0, say, &said, &err) == 0 && whole)
			fuzz_check(bytes_equal(
			    buf_bytes(&said), buf_bytes(&base.said)));
		journal_close(journal);
	}
	if (journal_open(base.folder, JOURNAL_WRITE, &world, NULL, &journal,
		&err) == 0) {
		(void)!journal_append_now(journal, &record, 1, &number, &err);
		journal_close(journal);
	}
	buf_free(&said);
	arena_free(arena);
	return 0;
}
