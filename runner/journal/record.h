/*
 * A record: one thing that happened. The columns are what the fold reads; the
 * body is canonical JSON for people. The stored bytes (record_write) are what
 * is hashed as a leaf of the journal's Merkle tree (RFC 6962: SHA-256(0x00 ||
 * bytes)). Fields of the bytes, canonical JSON:
 *   {"actor","attempt","body","change","epoch","host","kind","life",
 *    "mono_ms","number","step","wall_ms","xid"}
 * Limits: bytes <= 65,535 (larger things enter as sha256 + size of a blob).
 */
#ifndef HOSHU_JOURNAL_RECORD_H
#define HOSHU_JOURNAL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* name, the word stored; "intent" kinds open a ticket */
#define RECORD_KINDS(X)                                                        \
	X(RECORD_SUBMITTED, "submitted") /* body: frozen, title, ... */        \
	X(RECORD_APPROVED, "approved")	 /* body: statement, signature */      \
	X(RECORD_REJECTED, "rejected")                                         \
	X(RECORD_REFUSED, "refused")	     /* an approval or run refused */  \
	X(RECORD_RUN_STARTED, "run-started") /* epoch + 1 */                   \
	X(RECORD_RUN_ENDED, "run-ended")     /* body: result, exit status */   \
	X(RECORD_WAVE_STARTED, "wave-started") /* step = wave, from 1 */       \
	X(RECORD_WAVE_SOAKING, "wave-soaking")                                 \
	X(RECORD_WAVE_ENDED, "wave-ended")                                     \
	X(RECORD_HOST_STARTED, "host-started")                                 \
	X(RECORD_HOST_OPENED, "host-opened") /* life */                        \
	X(RECORD_HOST_UNREACHABLE, "host-unreachable")                         \
	X(RECORD_HOST_EXCLUDED, "host-excluded") /* check before, or drift */  \
	X(RECORD_HOST_LOST, "host-lost")	 /* after its first intent */  \
	X(RECORD_HOST_FAILED, "host-failed")                                   \
	X(RECORD_HOST_DONE, "host-done")                                       \
	X(RECORD_HOST_BACK, "host-back") /* starts to go back */               \
	X(RECORD_HOST_REVERTED, "host-reverted")                               \
	X(RECORD_HOST_STUCK, "host-stuck") /* not proved back; body: why */    \
	X(RECORD_STEP_SAME, "step-same")   /* unchanged, met before */         \
	X(RECORD_STEP_SKIPPED, "step-skipped")                                 \
	X(RECORD_STEP_INTENT, "step-intent") /* opens a ticket */              \
	X(RECORD_STEP_DONE, "step-done")                                       \
	X(RECORD_STEP_FAILED, "step-failed")                                   \
	X(RECORD_STEP_UNKNOWN, "step-unknown")                                 \
	X(RECORD_STEP_SEALED, "step-sealed") /* never ran and never will */    \
	X(RECORD_UNDO_INTENT, "undo-intent") /* opens a ticket */              \
	X(RECORD_UNDO_DONE, "undo-done")     /* proved back */                 \
	X(RECORD_UNDO_FAILED, "undo-failed") /* ran, or not; not proved */     \
	X(RECORD_UNDO_UNKNOWN, "undo-unknown")                                 \
	X(RECORD_UNDO_SEALED, "undo-sealed")                                   \
	X(RECORD_UNDO_KEPT, "undo-kept")       /* rollback: keep */            \
	X(RECORD_UNDO_STOPPED, "undo-stopped") /* rollback: stop */            \
	X(RECORD_UNDO_CONFLICT, "undo-conflict")                               \
	X(RECORD_CHECK, "check") /* body: result, when, text */                \
	X(RECORD_LIMIT, "limit-reached")                                       \
	X(RECORD_BACK_STARTED, "back-started") /* the change goes back */      \
	X(RECORD_BACK_ENDED, "back-ended")                                     \
	X(RECORD_BACK_ASKED, "back-asked") /* by a person; host, or all */     \
	X(RECORD_BACK_LIMIT, "back-limit-reached")                             \
	/* what persons say of a running change; also hoshu, where it asks */  \
	X(RECORD_PAUSED, "paused")   /* body: because */                       \
	X(RECORD_RESUMED, "resumed") /* body: because */                       \
	X(RECORD_ABORTED, "aborted") /* body: because */                       \
	X(RECORD_SETTLED, "settled") /* host, step, xid; body: outcome, ... */ \
	/* step with on:; life is the place's */                               \
	X(RECORD_PLACE_OPENED, "place-opened")                                 \
	X(RECORD_RELEASED, "released") /* host; body: because, statement */    \
	/* the term of later: is over; body: hosts, still untouched */         \
	X(RECORD_LATER_OVER, "later-over")                                     \
	/* a phase's question; step = the phase, from 1 */                     \
	X(RECORD_ASKED, "asked")	   /* attempt; body: say, of, ... */   \
	X(RECORD_UNANSWERED, "unanswered") /* in time: the change holds */     \
	X(RECORD_ANSWERED, "answered")	   /* body: answer, statement, ... */  \
	/* a host without a preview; body: facts, plan_vars, fixed by then */  \
	X(RECORD_HOST_ASKED, "host-asked")

enum record_kind {
	RECORD_NONE,
#define X(name, word) name,
	RECORD_KINDS(X)
#undef X
};

enum {
	RECORD_KIND_COUNT = 1
#define X(name, word) +1
	RECORD_KINDS(X)
#undef X
};

struct record {
	int64_t number;	  /* leaf index, from 0, gapless; set by append */
	int change;	  /* 7 = CHG-0007; 0 = the store itself */
	int64_t epoch;	  /* of the change: counts its runs */
	const char *host; /* "" = none */
	int step;
	int attempt;
	const char *xid; /* "" = none */
	const char *life;
	enum record_kind kind;
	const char *actor; /* person or "hoshu" */
	int64_t wall_ms;   /* set by append where it is 0 */
	int64_t mono_ms;   /* the same */
	const char *body;  /* canonical JSON map, "{}" when empty */
};

enum { RECORD_MAX = 65535 }; /* bytes of one record, C2SP tlog-tiles */

const char *record_kind_word(enum record_kind kind);
/* RECORD_NONE when there is none. */
enum record_kind record_kind_of(const char *word);
/* Of a host as a whole: `step` is the number of its part's wave. */
bool record_kind_is_host(enum record_kind kind);
/* The kinds that open a ticket, and those that tell how one ended. */
bool record_kind_is_intent(enum record_kind kind);
bool record_kind_is_outcome(enum record_kind kind);
/* An outcome that cannot be without an intent: it must carry its xid. The
 * others (failed, undo done) may also be said of what was never launched. */
bool record_kind_needs_xid(enum record_kind kind);
/*
 * Kinds that are said beside a run, by whoever has the store open: no run's
 * epoch binds them, and a running coordinator folds them when it reads them
 * back, in the order of the list, its own among them (journal_watch). All
 * others are said by the one coordinator that has the epoch, which folds them
 * as it appends them. What one sort does to the fold must be the same before
 * and after any of the other: tests/unit/test_fold_order.c.
 */
bool record_kind_is_outside(enum record_kind kind);

/* The bytes that are hashed. The texts are UTF-8 (see record_encode). */
void record_write(struct buf *out, const struct record *record);
/* The same for what is to be stored; refuses fields out of range, texts that
 * are not UTF-8, a body that is not canonical JSON, and more than RECORD_MAX
 * bytes (ERR_INTERNAL: whoever made the record is at fault). */
int record_encode(
    struct buf *out, const struct record *record, struct err *err) MUST_USE;
/* The other way; everything lives in arena. Takes only what record_write
 * would write again byte for byte. */
int record_parse(struct arena *arena, struct bytes bytes, struct record *record,
    struct err *err) MUST_USE;
/* Are these the bytes of this record, all fields but the body? Sets
 * record->body to the one in bytes; it lives in text until text is used again.
 * Much cheaper than record_parse; the body itself is not looked at. */
bool record_take_body(
    struct buf *text, struct bytes bytes, struct record *record);

#endif
