/*
 * Verifying: everything is computed again from the stored bytes and compared
 * with what was recorded, transaction by transaction, so that a fault is said
 * of the record it is in. Trusts no column; writes nothing.
 */
#include "journal/journal.h"

#include <inttypes.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "journal/inside.h"

struct verify {
	struct store *store;
	void (*found)(void *arg, int64_t number, const char *text);
	void *arg;
	int64_t faults;
	struct store_cursor *rows;
	struct store_cursor *heads;
	struct store_cursor *blobs;
	struct tree tree; /* over the bytes read so far */
	int64_t blob_count;
	struct store_row row; /* the next one, not looked at yet */
	bool have_row;
	struct store_blob blob;
	bool have_blob;
};

static void fault(struct verify *v, int64_t number, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fault(struct verify *v, int64_t number, const char *fmt, ...)
{
	char line[512], clean[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	/* a tampered column may hold anything */
	text_cleanse(clean, sizeof(clean), line, strlen(line));
	v->faults++;
	if (v->found != NULL)
		v->found(v->arg, number, clean);
}

static void
file_fault(void *arg, int64_t number, const char *text)
{
	fault(arg, number, _("the file of the journal: %s"), text);
}

static int
next_row(struct verify *v, struct err *err)
{
	int rc = store_next_row(v->rows, &v->row, err);

	v->have_row = rc > 0;
	return rc < 0 ? rc : 0;
}

static int
next_blob(struct verify *v, struct err *err)
{
	int rc = store_next_blob(v->blobs, &v->blob, err);

	v->have_blob = rc > 0;
	return rc < 0 ? rc : 0;
}

static int
check_intent(struct verify *v, const struct record *r, struct err *err)
{
	int64_t intent;
	bool same;
	int rc;

	if (r->xid[0] == '\0') {
		if (record_kind_needs_xid(r->kind))
			fault(v, r->number,
			    _("record %" PRId64 ": %s without an xid"),
			    r->number, record_kind_word(r->kind));
		return 0;
	}
	if (!record_kind_is_outcome(r->kind))
		return 0;
	if ((rc = store_find_intent(v->store, r, &intent, &same, err)) < 0)
		return rc;
	if (intent < 0 || intent > r->number || !same)
		fault(v, r->number,
		    _("record %" PRId64 ": %s, and no intent before it"),
		    r->number, record_kind_word(r->kind));
	return 0;
}

/* Columns, bytes and leaf of one row must say the same. */
static int
check_row(
    struct verify *v, const unsigned char leaf[DIGEST_RAW], struct err *err)
{
	struct record columns = v->row.record, parsed;
	struct arena *arena = arena_new();
	struct buf text = BUF_INIT;
	struct err why = ERR_INIT;
	int64_t number = columns.number;
	int rc = 0;

	if (memcmp(leaf, v->row.leaf, DIGEST_RAW) != 0)
		fault(v, number,
		    _("record %" PRId64 " was changed: its bytes are not "
		      "those that were hashed"),
		    number);
	if (record_parse(arena, v->row.bytes, &parsed, &why) < 0)
		fault(v, number, _("record %" PRId64 ": %s"), number, why.text);
	else if (!v->row.well_formed ||
		 !record_take_body(&text, v->row.bytes, &columns))
		fault(v, number,
		    _("record %" PRId64 " was changed: its columns are not "
		      "what its bytes say"),
		    number);
	else
		rc = check_intent(v, &columns, err);
	buf_free(&text);
	arena_free(arena);
	return rc;
}

static void
report_missing(struct verify *v, int64_t from, int64_t to)
{
	if (from + 1 == to)
		fault(v, from, _("record %" PRId64 " is missing"), from);
	else
		fault(v, from,
		    _("records %" PRId64 " to %" PRId64 " are missing"), from,
		    to - 1);
}

/* The rows below head's count go into the tree. */
static int
take_rows(struct verify *v, const struct store_head *head, struct err *err)
{
	unsigned char leaf[DIGEST_RAW];
	int64_t expected = v->tree.count;
	int rc = 0;

	for (;
	     rc == 0 && v->have_row && v->row.record.number < head->tree.count;
	     rc = next_row(v, err)) {
		if (v->row.record.number < expected) {
			fault(v, v->row.record.number,
			    _("record %" PRId64 " was put in by another hand"),
			    v->row.record.number);
			continue;
		}
		if (v->row.record.number > expected)
			report_missing(v, expected, v->row.record.number);
		tree_leaf(v->row.bytes, leaf);
		if ((rc = check_row(v, leaf, err)) < 0)
			return rc;
		tree_append(&v->tree, leaf);
		expected = v->row.record.number + 1;
	}
	if (rc < 0)
		return rc;
	if (expected < head->tree.count)
		report_missing(v, expected, head->tree.count);
	return 0;
}

/* The blobs below head's count; shas: their digests, for the chain. */
static int
take_blobs(struct verify *v, const struct store_head *head, struct buf *shas,
    struct err *err)
{
	struct digest digest;
	int rc;

	for (; v->have_blob && v->blob.number < head->blobs; v->blob_count++) {
		digest_of(v->blob.bytes, &digest);
		if (strcmp(digest.hex, v->blob.sha256) != 0)
			fault(v, -1,
			    _("blob %s was changed: its bytes have digest %s"),
			    v->blob.sha256, digest.hex);
		buf_puts(shas, digest.hex);
		if (v->blob.number != v->blob_count)
			fault(v, -1, _("blob number %" PRId64 " is missing"),
			    v->blob_count);
		if ((rc = next_blob(v, err)) < 0)
			return rc;
	}
	if (v->blob_count < head->blobs)
		fault(v, -1,
		    _("%" PRId64 " blobs were recorded and %" PRId64
		      " are there"),
		    head->blobs, v->blob_count);
	v->blob_count = head->blobs;
	return 0;
}

/* Are the records of this transaction those that its root was made of? */
static void
check_root(struct verify *v, const struct store_head *head, int64_t first,
    int64_t faults)
{
	unsigned char ours[DIGEST_RAW], frontier[DIGEST_RAW];

	tree_root(&v->tree, ours);
	tree_root(&head->tree, frontier);
	if (!head->well_formed || memcmp(frontier, head->root, DIGEST_RAW) != 0)
		fault(v, -1,
		    _("head %" PRId64 " was changed: its root is not that of "
		      "its frontier"),
		    head->number);
	else if (memcmp(ours, head->root, DIGEST_RAW) != 0 &&
		 v->faults == faults)
		fault(v, first,
		    _("records %" PRId64 " to %" PRId64 " are not those that "
		      "were recorded: the root of the tree differs"),
		    first, head->tree.count - 1);
}

static int
check_head(struct verify *v, const struct store_head *previous,
    const struct store_head *head, struct err *err)
{
	int64_t first = v->tree.count, faults = v->faults;
	unsigned char chain[DIGEST_RAW];
	struct buf shas = BUF_INIT;
	int rc;

	if ((rc = take_rows(v, head, err)) < 0 ||
	    (rc = take_blobs(v, head, &shas, err)) < 0)
		goto out;
	check_root(v, head, first, faults);
	commit_chain(previous, head, buf_bytes(&shas), chain);
	if (memcmp(chain, head->chain, DIGEST_RAW) != 0)
		fault(v, -1,
		    _("head %" PRId64 " (%" PRId64 " records) was changed or "
		      "does not follow the one before it"),
		    head->number, head->tree.count);
	/* go on from what was recorded, so that one fault is said once */
	if (head->well_formed)
		v->tree = head->tree;
out:
	buf_free(&shas);
	return rc;
}

static int
check_heads(struct verify *v, struct err *err)
{
	struct store_head head = {0}, previous;
	int64_t expected = 0;
	bool any = false;
	int rc;

	if ((rc = next_row(v, err)) < 0 || (rc = next_blob(v, err)) < 0)
		return rc;
	while ((rc = store_next_head(v->heads, &head, err)) > 0) {
		if (head.number != expected)
			fault(
			    v, -1, _("head %" PRId64 " is missing"), expected);
		rc = check_head(v, any ? &previous : NULL, &head, err);
		if (rc < 0)
			return rc;
		if (head.number < INT64_MAX)
			expected = head.number + 1;
		previous = head;
		any = true;
	}
	if (rc == 0 && !any)
		fault(v, -1, _("the journal has lost all its heads"));
	return rc;
}

/* What no transaction has counted. */
static int
check_rest(struct verify *v, struct err *err)
{
	int64_t number;
	int rc = 0;

	while (rc == 0 && v->have_row) {
		fault(v, v->row.record.number,
		    _("record %" PRId64 " was put in by another hand: no "
		      "transaction counts it"),
		    v->row.record.number);
		rc = next_row(v, err);
	}
	while (rc == 0 && v->have_blob) {
		fault(v, -1, _("blob %s was put in by another hand"),
		    v->blob.sha256);
		rc = next_blob(v, err);
	}
	if (rc < 0 || (rc = store_find_double(v->store, &number, err)) < 0)
		return rc;
	if (number >= 0)
		fault(v, number,
		    _("record %" PRId64 " is a second intent of one xid"),
		    number);
	return 0;
}

int
journal_verify(struct journal *journal,
    void (*found)(void *arg, int64_t number, const char *text), void *arg,
    int64_t *faults, struct err *err)
{
	struct verify v = {.store = journal->reader, .found = found};
	struct err why = ERR_INIT;
	int rc;

	v.arg = arg;
	if ((rc = store_snapshot(v.store, err)) < 0)
		return rc;
	if ((rc = store_check_file(v.store, file_fault, &v, &why)) < 0 ||
	    (rc = store_rows(v.store, 0, INT64_MIN, &v.rows, &why)) < 0 ||
	    (rc = store_heads(v.store, &v.heads, &why)) < 0 ||
	    (rc = store_blobs(v.store, &v.blobs, &why)) < 0 ||
	    (rc = check_heads(&v, &why)) < 0 || (rc = check_rest(&v, &why)) < 0)
		goto out;
	*faults = v.faults;
out:
	/* pages that cannot be read are a fault among the others */
	if (rc < 0 && v.faults > 0) {
		fault(&v, -1, "%s", why.text);
		*faults = v.faults;
		rc = 0;
	} else if (rc < 0 && err != NULL)
		*err = why;
	store_cursor_close(v.rows);
	store_cursor_close(v.heads);
	store_cursor_close(v.blobs);
	store_snapshot_end(v.store);
	return rc;
}
