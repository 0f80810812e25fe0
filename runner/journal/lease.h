/*
 * The lease: which process is the coordinator of a change.
 *
 * What each lock of hoshu covers:
 *	STORE/lock             one transaction or checkpoint of the journal, for
 *	                       milliseconds; every process that writes takes it
 *	STORE/run/CHG-7.lock   the change: held as an flock for as long as its
 *	                       coordinator lives, and renewed in it as a lease
 *	the epoch              of the change, in the journal: each run-started
 *	                       takes the next; records of an older one are refused
 *	the claim (an xid)     one launch on one host, in the host's spool: who
 *	                       creates the file may run; a settle that finds none
 *	                       seals it
 *
 * The flock ends with its process, whatever happens to it, so a coordinator
 * that died needs nobody. One that stands still (stopped, swapped out, hung)
 * keeps its flock: once it has not renewed for the lease, another may take the
 * change. The epoch is what makes the older one harmless: it can record
 * nothing more, so it gets no ticket; for the tickets that it has, it asks
 * lease_hold before every launch; and what slips through between the two was
 * claimed or sealed on the host before the newer one launches there.
 *
 *	lease_take(store, 7, 15000, &world_real, &lease, &err);
 *	... every third of the lease, and before each launch:
 *	if (lease_hold(lease, &err) < 0)
 *		another has it: launch nothing, end
 *	lease_release(lease);
 */
#ifndef HOSHU_JOURNAL_LEASE_H
#define HOSHU_JOURNAL_LEASE_H

#include "base/err.h"
#include "base/world.h"
#include "journal/journal.h"

struct lease;

/* ERR_REFUSED names the process that has the change, and since when it has
 * not been heard of. lease_ms: how long this holder may stand still. */
int lease_take(struct journal *journal, int change, int64_t lease_ms,
    struct lease **out, struct err *err) MUST_USE;
/* "process 4711, which had stood still for 23 s", or "" when nobody stood in
 * the way. Lives as long as the lease. */
const char *lease_taken_from(const struct lease *lease);
int64_t lease_length_ms(const struct lease *lease);
/*
 * Is it still ours? Renews it when a third has gone. ERR_REFUSED when another
 * process has it; then it never comes back. Cheap enough before every launch:
 * a clock, and three times a lease three system calls.
 */
int lease_hold(struct lease *lease, struct err *err) MUST_USE;
/* Who has a change, as far as can be seen without asking for it. false: no
 * process that lives. still: it has not renewed for longer than its lease. */
struct lease_seen {
	int64_t pid, silent_ms;
	bool still;
};
bool lease_look(
    const struct journal *journal, int change, struct lease_seen *seen);
void lease_release(struct lease *lease); /* NULL is allowed */

#endif
