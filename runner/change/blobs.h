/*
 * Bytes by their SHA-256, in memory, with the journal behind them: a preview
 * collects them, submit puts them all into the journal, a loaded change reads
 * them back on demand.
 */
#ifndef HOSHU_CHANGE_BLOBS_H
#define HOSHU_CHANGE_BLOBS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct blobs;
struct journal;

/* journal (borrowed) may be NULL: then only what was put is there. */
struct blobs *blobs_new(struct arena *arena, struct journal *journal);
struct arena *blobs_arena(const struct blobs *blobs);
/* Copies data; gives its digest (in the arena). Empty data is "" and is not
 * kept. */
const char *blobs_put(struct blobs *blobs, struct bytes data);
/* The bytes (live as long as the arena); "" is empty. */
int blobs_get(struct blobs *blobs, const char *sha256, struct bytes *data,
    struct err *err) MUST_USE;
/* Put all that were put here into the journal. */
int blobs_store(
    struct blobs *blobs, struct journal *journal, struct err *err) MUST_USE;

#endif
