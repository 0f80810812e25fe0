/*
 * The journal as others see it: opening, closing, reading. Appending is in
 * append.c, blobs in blobs.c, verifying in verify.c.
 */
#include "journal/journal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "journal/inside.h"

static int
open_writer(struct journal *journal, struct err *err)
{
	struct writer *writer = xcalloc(1, sizeof(*writer));
	struct store_head first;
	int rc;

	commit_first_head(world_wall_ms(journal->world), &first);
	rc = store_open(journal->folder, true, &first, &writer->store, err);
	if (rc < 0) {
		free(writer);
		return rc;
	}
	pthread_mutex_init(&writer->mutex, NULL);
	pthread_cond_init(&writer->idle, NULL);
	journal->writer = writer;
	return 0;
}

static void
close_writer(struct writer *writer)
{
	if (writer == NULL)
		return;
	store_close(writer->store);
	pthread_cond_destroy(&writer->idle);
	pthread_mutex_destroy(&writer->mutex);
	free(writer);
}

/* Never append to a list that does not fit its own head. Reading goes on: it
 * is how the fault is looked at. */
static int
look_at_head(struct journal *journal, struct err *err)
{
	struct store_head head;
	int rc;

	if ((rc = store_snapshot(journal->reader, err)) < 0)
		return rc;
	rc = store_row_end(journal->reader, &journal->count, err);
	if (rc == 0 && journal->mode == JOURNAL_WRITE &&
	    (rc = store_last_head(journal->reader, &head, err)) == 0)
		rc = commit_check_head(journal->reader, &head, err);
	store_snapshot_end(journal->reader);
	return rc;
}

int
journal_open(const char *folder, enum journal_mode mode,
    const struct world *world, struct loop *loop, struct journal **out,
    struct err *err)
{
	struct journal *journal = xcalloc(1, sizeof(*journal));
	int rc = 0;

	journal->mode = mode;
	journal->folder = xstrdup(folder);
	journal->world = world;
	journal->loop = loop;
	journal->queue_end = &journal->queue;
	journal->blobs.end = &journal->blobs.first;
	if (mode == JOURNAL_WRITE && (rc = open_writer(journal, err)) < 0)
		goto out;
	rc = store_open(folder, false, NULL, &journal->reader, err);
	if (rc < 0 || (rc = look_at_head(journal, err)) < 0)
		goto out;
	*out = journal;
	journal = NULL;
out:
	journal_close(journal);
	return rc;
}

void
journal_close(struct journal *journal)
{
	if (journal == NULL)
		return;
	rehearsed_close(journal);
	if (journal->writer != NULL)
		append_flush(journal);
	blob_free_all(blob_take_all(&journal->blobs));
	while (journal->tickets != NULL)
		journal_ticket_close(journal, journal->tickets);
	store_close(journal->reader);
	close_writer(journal->writer);
	free(journal->folder);
	free(journal);
}

/* Only a record whose columns are proved equal to its bytes is given out. */
static int
check_row(struct store_row *row, struct buf *text, struct err *err)
{
	if (row->well_formed && row->record.number != INT64_MAX &&
	    record_take_body(text, row->bytes, &row->record))
		return 0;
	return err_set(err, ERR_EVIDENCE,
	    _("record %lld was changed by another hand: its columns are not "
	      "what its bytes say; run `hoshu audit verify`"),
	    (long long)row->record.number);
}

int
journal_read(struct journal *journal, int change, int64_t from,
    int (*fn)(void *arg, const struct record *record, struct err *err),
    void *arg, struct err *err)
{
	struct store_cursor *cursor = NULL;
	struct buf text = BUF_INIT;
	struct store_row row;
	int rc;

	rc = store_rows(journal->reader, change, from, &cursor, err);
	if (rc < 0)
		return rc;
	while ((rc = store_next_row(cursor, &row, err)) > 0) {
		if ((rc = check_row(&row, &text, err)) < 0 ||
		    (rc = fn(arg, &row.record, err)) != 0)
			break;
		if (row.record.number >= journal->count)
			journal->count = row.record.number + 1;
	}
	store_cursor_close(cursor);
	buf_free(&text);
	return rc;
}

int
journal_last_change(struct journal *journal, int *change, struct err *err)
{
	int64_t last;
	int rc;

	if ((rc = store_last_change(journal->reader, &last, err)) < 0)
		return rc;
	if (last < 0 || last > INT_MAX)
		return err_set(err, ERR_EVIDENCE,
		    _("change %lld cannot be: the journal was changed by "
		      "another hand, run `hoshu audit verify`"),
		    (long long)last);
	*change = (int)last;
	return 0;
}

int64_t
journal_count(struct journal *journal)
{
	return journal->count;
}

int
journal_root(
    struct journal *journal, int64_t *count, char root[65], struct err *err)
{
	struct store_head head;
	struct digest hex;
	int rc;

	if ((rc = store_last_head(journal->reader, &head, err)) < 0)
		return rc;
	digest_to_hex(head.root, &hex);
	memcpy(root, hex.hex, sizeof(hex.hex));
	journal->count = head.tree.count;
	*count = head.tree.count;
	return 0;
}
