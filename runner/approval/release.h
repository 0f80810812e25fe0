/*
 * A person's signed word that a host may be touched by other changes again:
 * what it says, in one form. It stands in the journal with its signature
 * (namespace release@hoshu), and is held against its record before anybody
 * goes by it. Journals from before it was signed have words without it.
 *
 * text (each line ends with \n, fixed order, fixed words):
 *	hoshu-release/1
 *	change: CHG-0007             (that left the host so)
 *	host: web3
 *	was: failed, record 123      (the one that says so)
 *	because: reinstalled
 *	person: alice
 *	at: 2026-11-22T18:20:00.000Z
 *	nonce: HEX
 *
 * Pure: no clock, no file, no process.
 */
#ifndef HOSHU_APPROVAL_RELEASE_H
#define HOSHU_APPROVAL_RELEASE_H

#include "approval/word.h"

/* All borrowed. */
struct release_said {
	int change;
	const char *host;
	const char *was; /* the word of that record's kind */
	int64_t record;
	struct word by;
};

void release_write(struct buf *out, const struct release_said *said);
/* The body of its record, not signed yet: that of a word, and {"record",
 * "was"}. */
struct json *release_body(struct arena *arena, const struct release_said *said);
/* Was it signed at all? */
bool release_is_signed(const struct json *body);
/* The other way: said has what the record's columns say (change, host); takes
 * the rest from the body. false: the statement in it is not that. */
bool release_take(struct release_said *said, const struct json *body);

#endif
