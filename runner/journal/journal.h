/*
 * The journal: one gapless append-only list of records, leaves of an RFC 6962
 * Merkle tree, and the blobs that records name by digest. SQLite, WAL +
 * synchronous=FULL; one flock round every transaction and checkpoint, readers
 * mode=ro. An fsync or disk error ends the store: every later append fails.
 *
 * Intent before effect: append an intent record; once it is durable, done
 * gets its ticket; fleet_launch takes nothing else.
 */
#ifndef HOSHU_JOURNAL_JOURNAL_H
#define HOSHU_JOURNAL_JOURNAL_H

#include <stdbool.h>

#include "base/world.h"
#include "journal/record.h"
#include "loop/loop.h"

struct journal;

enum journal_mode { JOURNAL_READ, JOURNAL_WRITE };

/* folder: the project's store; made (0700) when writing. ERR_STORE when it is
 * not there for reading ("no change was submitted yet"). loop may be NULL:
 * then only journal_append_now appends. */
int journal_open(const char *folder, enum journal_mode mode,
    const struct world *world, struct loop *loop, struct journal **out,
    struct err *err) MUST_USE;
void journal_close(struct journal *journal);

/* The proof of a durable intent. Owned by the journal; valid until
 * journal_ticket_close or journal_close. */
struct ticket;
const char *ticket_xid(const struct ticket *ticket);
const char *ticket_host(const struct ticket *ticket);
const char *ticket_life(const struct ticket *ticket);
void journal_ticket_close(struct journal *journal, struct ticket *ticket);

/*
 * Append records in one transaction, off the loop; batches whatever comes
 * while one is in flight. The records are copied. number is set, wall_ms and
 * mono_ms where they are 0. done: err NULL = durable; tickets[i] belongs to records[i], NULL
 * where its kind opens none. Records of an older epoch than the change has are
 * refused (ERR_REFUSED): another coordinator took over. A run-started record
 * must carry the next epoch; kinds said beside runs (record.h) carry any. A second intent with the same xid is refused; an outcome whose
 * intent is not there is ERR_INTERNAL. Refused records leave the store usable;
 * any other error ends it.
 *
 * NULL texts count as "", a NULL body as "{}". tickets holds count NULLs on an
 * error. done may append, close tickets and close the journal. Closing waits
 * for what is in flight and puts in what is queued, but calls no done.
 */
void journal_append(struct journal *journal, const struct record *records,
    size_t count,
    void (*done)(void *arg, struct ticket *const *tickets, size_t count,
	const struct err *err),
    void *arg);
/* Within done: the number that the first of its records got. */
int64_t journal_told(const struct journal *journal);
/* The same at once, for commands; no tickets. *number gets the first one's
 * (may be NULL). It overtakes what journal_append has queued. */
int journal_append_now(struct journal *journal, const struct record *records,
    size_t count, int64_t *number, struct err *err) MUST_USE;
/* The same for one record about a host, if none of that host stands behind
 * number last; ERR_REFUSED otherwise: who made it has not seen all. */
int journal_append_if_last(struct journal *journal, const struct record *record,
    int64_t last, struct err *err) MUST_USE;
/* A new change: its number (from 1) is taken and the record (kind SUBMITTED;
 * change is set) appended in one transaction. */
int journal_append_new_change(struct journal *journal, struct record *record,
    int *change, struct err *err) MUST_USE;

/* Blobs by SHA-256; durable with the next append of this journal (or at once
 * when none follows by journal_close). Same bytes twice is fine. */
int journal_put_blob(struct journal *journal, struct bytes data,
    char sha256[65], struct err *err) MUST_USE;
/* Checks the digest as it reads. */
int journal_get_blob(struct journal *journal, const char *sha256,
    struct buf *out, struct err *err) MUST_USE;

/* Read records in order, of one change (0 = all) from number on; fn returning
 * non-zero stops. The record is borrowed. */
int journal_read(struct journal *journal, int change, int64_t from,
    int (*fn)(void *arg, const struct record *record, struct err *err),
    void *arg, struct err *err) MUST_USE;
/* The highest change number, 0 when there is none. */
int journal_last_change(
    struct journal *journal, int *change, struct err *err) MUST_USE;
int64_t journal_count(struct journal *journal); /* records, as of the last
						   transaction or read */

/* The tree head over all records: count and root (hex). */
int journal_root(struct journal *journal, int64_t *count, char root[65],
    struct err *err) MUST_USE;
/* The root over the first count records, from their stored bytes. */
int journal_root_at(struct journal *journal, int64_t count, char root[65],
    struct err *err) MUST_USE;

/*
 * A checkpoint: the bytes that fix count and root, to be signed and sent away
 * (the body of a C2SP signed note: "hoshu\nCOUNT\nBASE64 OF ROOT\n"). Only
 * one that has left the machine shows that the end of the list was cut off or
 * the whole of it rewritten.
 */
int journal_checkpoint_text(
    struct journal *journal, struct buf *out, struct err *err) MUST_USE;
/* Is the list still the one that text was made of, perhaps longer? Signature
 * lines behind an empty line are passed over. ERR_EVIDENCE when it is not. */
int journal_checkpoint_verify(
    struct journal *journal, const char *text, struct err *err) MUST_USE;

/*
 * Verify everything: numbers gapless, columns equal to the stored bytes, leaf
 * hashes, the frontier and root of every transaction and the chain of these,
 * every blob's digest, an outcome never without its intent, one intent a xid,
 * the tables and pages of the file. found is called for each fault with a
 * line for people (number -1: no one record is meant); *faults counts them.
 */
int journal_verify(struct journal *journal,
    void (*found)(void *arg, int64_t number, const char *text), void *arg,
    int64_t *faults, struct err *err) MUST_USE;

/*
 * What other processes append to a change while it runs: fn is called on the
 * loop, in the order of the list, for every record of the change from number
 * on that is said beside runs (record.h), whoever appended it, and for
 * records of a run above epoch: another coordinator took the change. The store
 * is looked at every every_ms (0 = 300) and by journal_watch_look.
 * err: it could not be read; fn is not called again. fn may stop the watch.
 */
struct journal_watch;
struct journal_watch *journal_watch_start(struct journal *journal, int change,
    int64_t from, int64_t epoch, int64_t every_ms,
    void (*fn)(void *arg, const struct record *record, const struct err *err),
    void *arg);
/* Look now, unless nothing was committed by this journal since the last look:
 * for the done of an append, so that what follows from a record knows all that
 * stands before it. Not from within fn. */
void journal_watch_look(struct journal_watch *watch);
void journal_watch_stop(struct journal_watch *watch); /* NULL is allowed */

#endif
