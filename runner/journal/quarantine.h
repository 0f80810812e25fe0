/*
 * Quarantine: hosts that a change left failed, lost or not proved back. Other
 * changes leave them alone until their own change has taken them back, or a
 * person releases them. Made from the records of every change.
 * Pure: no I/O, no clock.
 */
#ifndef HOSHU_JOURNAL_QUARANTINE_H
#define HOSHU_JOURNAL_QUARANTINE_H

#include "base/arena.h"
#include "journal/record.h"

struct quarantined {
	const char *host;
	int change;
	int wave;	       /* of the part that is meant */
	enum record_kind kind; /* HOST_FAILED, HOST_LOST or HOST_STUCK */
	int64_t wall_ms;
};

struct quarantine {
	struct arena *arena; /* borrowed */
	struct quarantined *list;
	size_t count, cap;
	int64_t next; /* number of the next record to take in */
};

void quarantine_init(struct quarantine *quarantine, struct arena *arena);
/* Take one record in, of whatever change, in their order. */
void quarantine_record(
    struct quarantine *quarantine, const struct record *record);
/* The first that holds the host, but for those of one change (0 = none is left
 * out); NULL when it is free. */
const struct quarantined *quarantine_of(
    const struct quarantine *quarantine, const char *host, int but_change);
/* "failed", "lost", "not proved back" */
const char *quarantined_word(const struct quarantined *quarantined);

#endif
