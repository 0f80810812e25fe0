/*
 * From waiting records to rows, leaves and a head, in one transaction. Knows
 * no loop, no queue and no clock.
 */
#include "journal/commit.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/i18n.h"

enum { CHAIN_PREFIX = 2 }; /* 0 and 1 are RFC 6962's */

void
commit_chain(const struct store_head *previous, const struct store_head *head,
    struct bytes shas, unsigned char chain[DIGEST_RAW])
{
	static const unsigned char none[DIGEST_RAW];
	const unsigned char *before = previous != NULL ? previous->chain : none;
	struct buf rest = BUF_INIT;

	buf_put_u64(&rest, (uint64_t)head->number);
	buf_put_u64(&rest, (uint64_t)head->tree.count);
	buf_put_u64(&rest, (uint64_t)head->blobs);
	buf_put_u64(&rest, (uint64_t)head->wall_ms);
	buf_put(&rest, head->root, DIGEST_RAW);
	buf_put(&rest, shas.data, shas.len);
	digest_node(CHAIN_PREFIX, (struct bytes){before, DIGEST_RAW},
	    buf_bytes(&rest), chain);
	buf_free(&rest);
}

void
commit_first_head(int64_t wall_ms, struct store_head *head)
{
	memset(head, 0, sizeof(*head));
	head->wall_ms = wall_ms;
	tree_root(&head->tree, head->root);
	commit_chain(NULL, head, (struct bytes){"", 0}, head->chain);
	head->well_formed = true;
}

int
commit_check_head(
    struct store *store, const struct store_head *head, struct err *err)
{
	unsigned char root[DIGEST_RAW];
	int64_t end;
	int rc;

	if ((rc = store_row_end(store, &end, err)) < 0)
		return rc;
	tree_root(&head->tree, root);
	if (!head->well_formed || end != head->tree.count ||
	    memcmp(root, head->root, DIGEST_RAW) != 0)
		return err_set(err, ERR_EVIDENCE,
		    _("the journal was changed by another hand: it holds "
		      "%" PRId64 " records and its last head counts %" PRId64
		      "; nothing is recorded until a good copy is back, run "
		      "`hoshu audit verify`"),
		    end, head->tree.count);
	return 0;
}

static int
check_epoch(struct store *store, const struct record *r, struct err *err)
{
	int64_t epoch;
	int rc;

	if (record_kind_is_outside(r->kind))
		return 0;
	if ((rc = store_epoch(store, r->change, &epoch, err)) < 0)
		return rc;
	if (r->kind == RECORD_RUN_STARTED) {
		if (r->epoch == epoch + 1)
			return 0;
		return err_set(err, ERR_REFUSED,
		    _("CHG-%04d: run %" PRId64 " cannot start behind run "
		      "%" PRId64 ": another coordinator took the change; "
		      "look at `hoshu show CHG-%04d`"),
		    r->change, r->epoch, epoch, r->change);
	}
	if (r->epoch == epoch)
		return 0;
	return err_set(err, ERR_REFUSED,
	    _("CHG-%04d: a %s record of run %" PRId64 " is refused, the "
	      "change is in run %" PRId64 ": another coordinator took it; "
	      "this one stops"),
	    r->change, record_kind_word(r->kind), r->epoch, epoch);
}

static int
check_intent(struct store *store, const struct record *r, struct err *err)
{
	int64_t intent;
	bool same;
	int rc;

	if (r->xid[0] == '\0' && record_kind_needs_xid(r->kind))
		return err_set(err, ERR_INTERNAL,
		    _("CHG-%04d: a %s record without an xid"), r->change,
		    record_kind_word(r->kind));
	if (r->xid[0] == '\0' || !(record_kind_is_intent(r->kind) ||
				     record_kind_is_outcome(r->kind)))
		return 0;
	if ((rc = store_find_intent(store, r, &intent, &same, err)) < 0)
		return rc;
	if (record_kind_is_intent(r->kind)) {
		if (intent < 0)
			return 0;
		return err_set(err, ERR_REFUSED,
		    _("CHG-%04d %s: record %" PRId64 " already is the intent "
		      "of %s: nothing is launched twice"),
		    r->change, r->host, intent, r->xid);
	}
	if (intent >= 0 && same)
		return 0;
	return err_set(err, ERR_INTERNAL,
	    _("CHG-%04d %s: a %s record without an intent for %s"), r->change,
	    r->host, record_kind_word(r->kind), r->xid);
}

/* *refused: the rules say no; otherwise an error is the store's. */
static int
put_record(struct store *store, struct store_head *head, struct record *r,
    bool *refused, struct err *err)
{
	struct store_row row = {.well_formed = true};
	struct buf bytes = BUF_INIT;
	int rc;

	r->number = head->tree.count;
	if ((rc = record_encode(&bytes, r, err)) < 0 ||
	    (rc = check_epoch(store, r, err)) < 0 ||
	    (rc = check_intent(store, r, err)) < 0) {
		*refused = rc != -(int)ERR_STORE;
		goto out;
	}
	row.record = *r;
	row.bytes = buf_bytes(&bytes);
	tree_leaf(row.bytes, row.leaf);
	if ((rc = store_put_row(store, &row, err)) < 0)
		goto out;
	tree_append(&head->tree, row.leaf);
out:
	buf_free(&bytes);
	return rc;
}

static int
take_change_number(struct store *store, struct record *r, struct err *err)
{
	int64_t last;
	int rc;

	if ((rc = store_last_change(store, &last, err)) < 0)
		return rc;
	if (last < 0 || last >= INT_MAX)
		return err_set(err, ERR_STORE,
		    _("the highest change has number %" PRId64
		      ": run `hoshu audit verify`"),
		    last);
	r->change = (int)last + 1;
	return 0;
}

/* Nothing of its host came since the record's maker looked. */
static int
check_last(struct store *store, const struct commit_part *part, bool *refused,
    struct err *err)
{
	const struct record *r = &part->records[0];
	int64_t last;
	int rc;

	rc = store_host_last(store, r->change, r->host, &last, err);
	if (rc < 0 || last <= part->last)
		return rc;
	*refused = true;
	return err_set(err, ERR_REFUSED,
	    _("CHG-%04d %s: something happened there meanwhile; look again: "
	      "`hoshu show CHG-%04d`"),
	    r->change, r->host, r->change);
}

/* A refused part leaves no trace: rows and tree are as before it. */
static int
put_part(struct store *store, struct store_head *head, struct commit_part *part,
    struct err *err)
{
	struct tree before = head->tree;
	bool refused = false;
	size_t i;
	int rc;

	if ((rc = store_mark(store, err)) < 0)
		return rc;
	if (part->new_change &&
	    (rc = take_change_number(store, &part->records[0], err)) < 0)
		return rc;
	if (part->if_last)
		rc = check_last(store, part, &refused, &part->err);
	for (i = 0; i < part->count && rc == 0; i++)
		rc = put_record(
		    store, head, &part->records[i], &refused, &part->err);
	if (rc == 0)
		return store_keep(store, err);
	if (!refused) {
		*err = part->err;
		return rc;
	}
	part->rc = rc;
	head->tree = before;
	return store_take_back(store, err);
}

static int
put_blobs(struct store *store, struct store_head *head,
    const struct blob *blobs, struct buf *shas, struct err *err)
{
	struct store_blob row;
	const struct blob *blob;
	bool has;
	int rc;

	for (blob = blobs; blob != NULL; blob = blob->next) {
		if ((rc = store_has_blob(store, blob->sha256, &has, err)) < 0)
			return rc;
		if (has)
			continue;
		row.number = head->blobs;
		row.sha256 = blob->sha256;
		row.bytes = (struct bytes){blob->data, blob->len};
		if ((rc = store_put_blob(store, &row, err)) < 0)
			return rc;
		head->blobs++;
		buf_puts(shas, blob->sha256);
	}
	return 0;
}

static int
put_all(struct store *store, struct commit_part *parts,
    const struct blob *blobs, int64_t wall_ms, int64_t *count, struct err *err)
{
	struct store_head last, head;
	struct buf shas = BUF_INIT;
	struct commit_part *part;
	int rc;

	if ((rc = store_last_head(store, &last, err)) < 0 ||
	    (rc = commit_check_head(store, &last, err)) < 0)
		goto out;
	head = last;
	head.number++;
	head.wall_ms = wall_ms;
	if ((rc = put_blobs(store, &head, blobs, &shas, err)) < 0)
		goto out;
	for (part = parts; part != NULL; part = part->next)
		if ((rc = put_part(store, &head, part, err)) < 0)
			goto out;
	*count = head.tree.count;
	if (head.tree.count == last.tree.count && head.blobs == last.blobs)
		goto out;
	tree_root(&head.tree, head.root);
	commit_chain(&last, &head, buf_bytes(&shas), head.chain);
	rc = store_put_head(store, &head, err);
out:
	buf_free(&shas);
	return rc;
}

int
commit_run(struct store *store, struct commit_part *parts,
    const struct blob *blobs, int64_t wall_ms, int64_t *count, struct err *err)
{
	int64_t now = 0;
	int rc;

	if ((rc = store_begin(store, err)) < 0)
		return rc;
	if ((rc = put_all(store, parts, blobs, wall_ms, &now, err)) < 0 ||
	    (rc = store_commit(store, err)) < 0) {
		store_rollback(store);
		return rc;
	}
	*count = now;
	return 0;
}
