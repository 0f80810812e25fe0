/*
 * A person's signed answer to what a plan asks before a phase: what it says,
 * in one form. It stands in the journal with its signature (namespace
 * answer@hoshu), and is held against its record before anybody goes by it.
 *
 * text (each line ends with \n, fixed order, fixed words):
 *	hoshu-answer/1
 *	change: CHG-0007
 *	title: Shop 2.4.1
 *	digest: sha256 HEX           (of the frozen change)
 *	phase: 2 Migrate once
 *	asked of: dba (carol, dave)
 *	question: Tonight's backup verified?
 *	answer: yes | no
 *	because: looked at it        (may be empty)
 *	person: carol
 *	at: 2026-11-22T18:20:00.000Z
 *	nonce: HEX
 *
 * Pure: no clock, no file, no process.
 */
#ifndef HOSHU_APPROVAL_ANSWER_H
#define HOSHU_APPROVAL_ANSWER_H

#include "approval/word.h"

/* All borrowed. */
struct answer_said {
	int change;
	const char *title, *digest;
	int phase;	  /* from 1 */
	const char *name; /* its name, or "" */
	const char *of, *say;
	bool yes;
	struct word by;
};

void answer_write(struct buf *out, const struct answer_said *said);
/* The body of its record, not signed yet: that of a word, and {"answer",
 * "name"}. */
struct json *answer_body(struct arena *arena, const struct answer_said *said);
/* The other way: said has what the change and the record's columns say; takes
 * the rest from the body. false: the statement in it is not that. */
bool answer_take(struct answer_said *said, const struct json *body);

#endif
