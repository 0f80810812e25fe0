/*
 * A person's signed word on an unknown step: what it says, in one form. It
 * stands in the journal with its signature (namespace settle@hoshu), and is
 * held against its record before anybody goes by it.
 *
 * text (each line ends with \n, fixed order, fixed words):
 *	hoshu-settle/1
 *	change: CHG-0007
 *	title: Patch OpenSSL on the web tier
 *	digest: sha256 HEX           (of the frozen change)
 *	host: web3
 *	step: 2 Restart nginx
 *	direction: apply | undo
 *	launch: XID
 *	outcome: done | not-done
 *	because: looked at /var/log/dpkg.log
 *	person: alice
 *	at: 2026-11-22T18:20:00.000Z
 *	nonce: HEX
 *
 * Pure: no clock, no file, no process.
 */
#ifndef HOSHU_APPROVAL_SETTLE_H
#define HOSHU_APPROVAL_SETTLE_H

#include "approval/word.h"

/* All borrowed. */
struct settle {
	int change;
	const char *title, *digest;
	const char *host;
	int step;
	const char *step_name;
	bool undo;
	const char *xid;
	const char *outcome; /* "done" or "not-done" */
	struct word by;
};

void settle_write(struct buf *out, const struct settle *settle);
/* The body of its record, not signed yet: that of a word, and {"outcome",
 * "undo"}. */
struct json *settle_body(struct arena *arena, const struct settle *settle);
/* The other way: settle has what the change, the plan and the record's columns
 * say; takes the rest from the body. false: the statement in it is not that. */
bool settle_take(struct settle *settle, const struct json *body);

#endif
