/*
 * One transaction: the blobs and records that are waiting become rows, leaves
 * and a head. The rules of the list (numbers, epochs, intents) are held here,
 * inside the flock, because another process may have appended since.
 */
#ifndef HOSHU_JOURNAL_COMMIT_H
#define HOSHU_JOURNAL_COMMIT_H

#include "journal/store_sqlite.h"

/* Records that are taken together or not at all. */
struct commit_part {
	struct commit_part *next;
	struct record *records; /* number is set */
	size_t count;
	bool new_change; /* one record, of a change that gets its number */
	bool if_last;	 /* one record, refused when its host has one above */
	int64_t last;	 /* ... this number */
	int rc;		 /* 0, or refused: the others go on */
	struct err err;
};

/* A blob on its way; the list is in the order of putting. */
struct blob {
	struct blob *next;
	char sha256[DIGEST_HEX];
	size_t len;
	unsigned char data[];
};

/* Fills head 0, of the empty store. */
void commit_first_head(int64_t wall_ms, struct store_head *head);
/* The chain hash of head behind previous; shas: the digests (hex) of its new
 * blobs, one behind the other. */
void commit_chain(const struct store_head *previous,
    const struct store_head *head, struct bytes shas,
    unsigned char chain[DIGEST_RAW]);

/* Is head sound, and are the rows those it counts? Cheap; verify proves it. */
int commit_check_head(struct store *store, const struct store_head *head,
    struct err *err) MUST_USE;

/* 0: what was not refused is durable, *count records are in the list. An
 * error: nothing of it is acknowledged, and the store must not be used for
 * writing any more. */
int commit_run(struct store *store, struct commit_part *parts,
    const struct blob *blobs, int64_t wall_ms, int64_t *count,
    struct err *err) MUST_USE;

#endif
