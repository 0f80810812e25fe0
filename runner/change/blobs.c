/*
 * An open-addressed table of digests; see blobs.h.
 */
#include "change/blobs.h"
#include "base/arena.h"
#include "digest/digest.h"
#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

struct blob {
	const char *sha256;
	struct bytes data;
};

struct blobs {
	struct arena *arena;
	struct journal *journal;
	struct blob *table; /* cap entries, cap a power of two */
	size_t count, cap;
};

struct blobs *
blobs_new(struct arena *arena, struct journal *journal)
{
	struct blobs *blobs = arena_new_of(arena, struct blobs);

	blobs->arena = arena;
	blobs->journal = journal;
	blobs->cap = 64;
	blobs->table = arena_array(arena, struct blob, blobs->cap);
	return blobs;
}

struct arena *
blobs_arena(const struct blobs *blobs)
{
	return blobs->arena;
}

/* The entry of sha256, or the free one where it belongs. Digests are evenly
 * spread, so their first digits are hash enough. */
static struct blob *
blobs_find(struct blob *table, size_t cap, const char *sha256)
{
	char head[9];
	size_t at;

	memcpy(head, sha256, 8);
	head[8] = '\0';
	at = (size_t)strtoul(head, NULL, 16) & (cap - 1);
	while (
	    table[at].sha256 != NULL && strcmp(table[at].sha256, sha256) != 0)
		at = (at + 1) & (cap - 1);
	return &table[at];
}

static void
blobs_grow(struct blobs *blobs)
{
	size_t cap = blobs->cap * 2;
	struct blob *table = arena_array(blobs->arena, struct blob, cap);

	for (size_t i = 0; i < blobs->cap; i++)
		if (blobs->table[i].sha256 != NULL)
			*blobs_find(table, cap, blobs->table[i].sha256) =
			    blobs->table[i];
	blobs->table = table;
	blobs->cap = cap;
}

static const char *
blobs_keep(struct blobs *blobs, const char *sha256, struct bytes data)
{
	struct blob *blob = blobs_find(blobs->table, blobs->cap, sha256);

	if (blob->sha256 != NULL)
		return blob->sha256;
	blob->sha256 = arena_strdup(blobs->arena, sha256);
	blob->data.data = arena_copy(blobs->arena, data.data, data.len);
	blob->data.len = data.len;
	sha256 = blob->sha256;
	if (++blobs->count * 2 > blobs->cap)
		blobs_grow(blobs);
	return sha256;
}

const char *
blobs_put(struct blobs *blobs, struct bytes data)
{
	struct digest digest;

	if (data.len == 0)
		return "";
	digest_of(data, &digest);
	return blobs_keep(blobs, digest.hex, data);
}

int
blobs_get(struct blobs *blobs, const char *sha256, struct bytes *data,
    struct err *err)
{
	struct buf buf = BUF_INIT;
	struct blob *blob;
	int r;

	if (sha256[0] == '\0') {
		*data = bytes_of("");
		return 0;
	}
	if (strlen(sha256) != DIGEST_HEX - 1)
		return err_set(err, ERR_STORE, "'%s' is no digest", sha256);
	blob = blobs_find(blobs->table, blobs->cap, sha256);
	if (blob->sha256 == NULL) {
		if (blobs->journal == NULL)
			return err_set(err, ERR_INTERNAL,
			    "no bytes are known for %s", sha256);
		r = journal_get_blob(blobs->journal, sha256, &buf, err);
		if (r < 0) {
			buf_free(&buf);
			return r;
		}
		blobs_keep(blobs, sha256, buf_bytes(&buf));
		buf_free(&buf);
		blob = blobs_find(blobs->table, blobs->cap, sha256);
	}
	*data = blob->data;
	return 0;
}

int
blobs_store(struct blobs *blobs, struct journal *journal, struct err *err)
{
	char sha256[DIGEST_HEX];
	int r;

	for (size_t i = 0; i < blobs->cap; i++) {
		if (blobs->table[i].sha256 == NULL)
			continue;
		r = journal_put_blob(
		    journal, blobs->table[i].data, sha256, err);
		if (r < 0)
			return r;
	}
	return 0;
}
