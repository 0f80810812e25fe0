/*
 * Blobs: bytes that records name by SHA-256. They wait in memory for the next
 * transaction, so that a record never names what is not there.
 */
#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "journal/inside.h"

/* What may wait in memory before a transaction of its own takes it. */
enum { WAITING_MAX = 8 << 20 };

struct blob *
blob_take_all(struct blob_list *list)
{
	struct blob *blobs = list->first;

	list->first = NULL;
	list->end = &list->first;
	list->bytes = 0;
	return blobs;
}

void
blob_free_all(struct blob *blobs)
{
	struct blob *next;

	for (; blobs != NULL; blobs = next) {
		next = blobs->next;
		free(blobs);
	}
}

const struct blob *
blob_find(const struct blob *blobs, const char *sha256)
{
	while (blobs != NULL && strcmp(blobs->sha256, sha256) != 0)
		blobs = blobs->next;
	return blobs;
}

/* Waiting, on its way, or NULL. */
static const struct blob *
find_in_memory(struct journal *journal, const char *sha256)
{
	const struct blob *blob = blob_find(journal->blobs.first, sha256);

	if (blob == NULL && journal->batch != NULL)
		blob = blob_find(journal->batch->blobs, sha256);
	return blob;
}

static int
put_waiting(struct journal *journal, struct err *err)
{
	struct blob *blobs = blob_take_all(&journal->blobs);
	int64_t count;
	int rc;

	rc = writer_commit(journal->writer, NULL, blobs,
	    world_wall_ms(journal->world), &count, err);
	blob_free_all(blobs);
	return rc;
}

int
journal_put_blob(struct journal *journal, struct bytes data, char sha256[65],
    struct err *err)
{
	struct digest digest;
	struct blob *blob;
	bool has = true;
	int rc = 0;

	if (journal->rehearsed != NULL) {
		digest_of(data, &digest);
		memcpy(sha256, digest.hex, sizeof(digest.hex));
		return 0;
	}
	if (journal->writer == NULL)
		bug("journal_put_blob needs a journal for writing");
	if (data.len > BUF_MAX)
		return err_set(err, ERR_STORE,
		    _("%zu bytes are too many for one file in the journal "
		      "(%zu at most)"),
		    data.len, BUF_MAX);
	digest_of(data, &digest);
	if (find_in_memory(journal, digest.hex) == NULL &&
	    (rc = store_has_blob(journal->reader, digest.hex, &has, err)) < 0)
		return rc;
	if (!has) {
		blob = xmalloc(sizeof(*blob) + data.len);
		blob->next = NULL;
		memcpy(blob->sha256, digest.hex, sizeof(blob->sha256));
		blob->len = data.len;
		if (data.len > 0)
			memcpy(blob->data, data.data, data.len);
		*journal->blobs.end = blob;
		journal->blobs.end = &blob->next;
		journal->blobs.bytes += data.len;
		if (journal->blobs.bytes > WAITING_MAX)
			rc = put_waiting(journal, err);
	}
	if (rc == 0)
		memcpy(sha256, digest.hex, sizeof(digest.hex));
	return rc;
}

int
journal_get_blob(struct journal *journal, const char *sha256, struct buf *out,
    struct err *err)
{
	const struct blob *blob = find_in_memory(journal, sha256);
	struct buf found = BUF_INIT;
	struct digest digest;
	int rc = 0;

	if (blob != NULL) {
		buf_put(out, blob->data, blob->len);
		goto out;
	}
	if ((rc = store_get_blob(journal->reader, sha256, &found, err)) < 0)
		goto out;
	digest_of(buf_bytes(&found), &digest);
	if (found.full || strcmp(digest.hex, sha256) != 0) {
		rc = err_set(err, ERR_EVIDENCE,
		    _("blob %s was changed by another hand: its bytes have "
		      "another digest; run `hoshu audit verify`"),
		    sha256);
		goto out;
	}
	buf_put(out, found.data, found.len);
out:
	buf_free(&found);
	if (rc == 0 && out->full)
		rc = err_set(err, ERR_STORE,
		    _("blob %s is larger than can be read here"), sha256);
	return rc;
}
