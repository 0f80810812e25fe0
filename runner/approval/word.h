/*
 * A person's signed word, beside approvals: on an unknown step (settle.h), to
 * what a phase asks (answer.h), on a host in quarantine (release.h). What all
 * of them say, write and take back from the journal in one way.
 *
 * text: one line a value, fixed order, fixed words. The first line names the
 * kind and its version; the last ones are
 *	because: looked at /var/log/dpkg.log
 *	person: alice
 *	at: 2026-11-22T18:20:00.000Z
 *	nonce: HEX
 *
 * Pure: no clock, no file, no process.
 */
#ifndef HOSHU_APPROVAL_WORD_H
#define HOSHU_APPROVAL_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

/* All borrowed. */
struct word {
	const char *because, *person, *nonce;
	int64_t at_ms;
};

/* "KEY: WORDS\n". A line's end is the end of its value: nothing that a plan or
 * a person wrote may begin a line of its own. */
void word_put(struct buf *out, const char *key, const char *words);
/* "NUMBER NAME\n", the same. */
void word_put_number(
    struct buf *out, const char *key, int number, const char *name);
void word_put_time(struct buf *out, const char *key, int64_t wall_ms);
void word_put_end(struct buf *out, const struct word *word);

/* The body of its record: {"at_ms","because","nonce","person","statement"}, to
 * which its kind adds what is its own. */
struct json *word_body(
    struct arena *arena, const struct word *word, const struct buf *text);
/* And {"fingerprint","signature"} once it is signed; returns body. */
struct json *word_sign(struct arena *arena, struct json *body,
    struct bytes signature, const char *fingerprint);
/* The other way. */
void word_take(struct word *word, const struct json *body);
/* Is the statement in the body this text? */
bool word_is(const struct json *body, const struct buf *text);

#endif
