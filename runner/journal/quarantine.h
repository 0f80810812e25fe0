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
	int64_t number;	 /* of the record that says so */
	int64_t refused; /* of a release that nobody goes by; 0 = none */
};

struct quarantine {
	struct arena *arena; /* borrowed */
	struct quarantined *list;
	size_t count, cap;
	int64_t next;	 /* number of the next record to take in */
	bool has_signed; /* a signed release was gone by: an unsigned one after
			    it is none (whoever takes records in sets it) */
};

void quarantine_init(struct quarantine *quarantine, struct arena *arena);
/* Take one record in, of whatever change, in their order. */
void quarantine_record(
    struct quarantine *quarantine, const struct record *record);
/* The same for a release whose signature does not hold: it lifts nothing. */
void quarantine_refuse(
    struct quarantine *quarantine, const struct record *record);
/* Does that record (its number) still hold the host? */
bool quarantine_holds(const struct quarantine *quarantine, int change,
    const char *host, int64_t number);
/* The first that holds the host, but for those of one change (0 = none is left
 * out); NULL when it is free. */
const struct quarantined *quarantine_of(
    const struct quarantine *quarantine, const char *host, int but_change);
/* "failed", "lost", "not proved back" */
const char *quarantined_word(const struct quarantined *quarantined);

#endif
