/*
 * Approvals: a person's SSHSIG over a one-screen statement of exactly what
 * will run. Persons are counted, not keys, roles or signatures; the submitter
 * never counts (but under `approvals: solo`); the threshold is at least 1; an
 * approval made before the preview existed does not count.
 *
 * statement text (each line ends with \n, fixed order, fixed words):
 *	hoshu-statement/1
 *	decision: approve | reject
 *	change: CHG-0007
 *	title: Patch OpenSSL on the web tier
 *	digest: sha256 HEX           (of the frozen change)
 *	plan: sha256 HEX FILE
 *	hosts: 6, sha256 HEX
 *	modules: sha256 HEX
 *	scripts: sha256 HEX          (apply, of every host and step)
 *	rollback: sha256 HEX         (undo, the same)
 *	preview: sha256 HEX
 *	at most: 3 hosts in flight
 *	not taken back: none | STEP NAMES
 *	dead-man: 5m round STEP                         (where there is one)
 *	asks: before phase 2 "NAME", of ROLE (...): ... (where somebody is)
 *	not previewed: 2 hosts: web3 web4
 *	later: 7d, so hosts that are away may be changed until 2026-11-29T18:20:00.000Z without another approval
 *	person: alice
 *	not before: 2026-11-22T18:20:00.000Z
 *	not after: 2026-11-23T18:20:00.000Z
 *	nonce: HEX
 */
#ifndef HOSHU_APPROVAL_APPROVAL_H
#define HOSHU_APPROVAL_APPROVAL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/world.h"

/* What a statement says; all borrowed. */
struct statement {
	const char *decision; /* "approve" or "reject" */
	int change;
	const char *title;
	const char *digest;
	const char *plan_sha256, *plan_file;
	int hosts;
	const char *hosts_sha256, *modules_sha256, *scripts_sha256,
	    *rollback_sha256, *preview_sha256;
	int in_flight;
	const char *not_taken_back; /* "none" or names */
	const char *dead_man; /* "5m round STEP; STEP", or NULL: no such line */
	const char *asks;     /* who is asked what on the way, or NULL */
	const char *not_previewed; /* "2 hosts: web3 web4", or NULL */
	int64_t later_ms; /* counted from not before; 0: no such line */
	const char *person;
	int64_t not_before_ms, not_after_ms;
	const char *nonce;
};

void statement_write(struct buf *out, const struct statement *statement);
/* Strict: the exact form above or ERR_APPROVAL. Lives in arena. */
int statement_parse(struct arena *arena, struct bytes text,
    struct statement *out, struct err *err) MUST_USE;

/* One approval as the journal has it (body of RECORD_APPROVED / _REJECTED:
 * {"statement","signature","person","fingerprint"}). */
struct approval {
	struct bytes statement;
	struct bytes signature;
	int64_t wall_ms; /* when it was recorded */
};

struct approval_rule {
	const char *allowed_signers;
	int needed; /* >= 1 */
	bool solo;
	const char *submitter;		/* person, "" = not known as a signer */
	const struct statement *change; /* what must be said: all but decision,
					   person, times and nonce */
	int64_t preview_wall_ms;	/* when the preview existed */
	int64_t now_ms;
	bool later; /* it is about hosts that later: owes: their term counts,
		       not when the approval ends */
};

/* How one approval was judged, for `show`. */
struct approval_verdict {
	bool counts;
	bool rejects;
	const char *person;
	const char *fingerprint;
	const char *why_not; /* "" when it counts */
};

/*
 * Judge all. Gives a verdict each (in arena) and the number of persons that
 * count. 0 = enough and nobody rejects; otherwise ERR_APPROVAL saying what is
 * missing and the command that gives it.
 */
int approval_judge(struct arena *arena, const struct approval_rule *rule,
    const struct approval *approvals, size_t count,
    struct approval_verdict **verdicts, int *persons, struct err *err);

/*
 * Until when hosts that were away may be changed (later:): as long as enough
 * persons have signed that they may. Whether that is over is not judged here.
 * ERR_APPROVAL when there are not enough, whatever the time.
 */
int approval_later_until(struct arena *arena, const struct approval_rule *rule,
    const struct approval *approvals, size_t count, int64_t *until_ms,
    struct err *err) MUST_USE;

/* The permit: made by approval_permit alone, from a judged rule; valid for
 * one wave. Nothing rolls out without one. */
struct permit;
int approval_permit(struct arena *arena, const struct approval_rule *rule,
    const struct approval *approvals, size_t count, struct permit **out,
    struct err *err) MUST_USE;
int permit_persons(const struct permit *permit);

#endif
