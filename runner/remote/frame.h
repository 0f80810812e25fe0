/*
 * One framed answer on one stream, parsed as it comes:
 *
 *	\nNONCE<\n BODY \nNONCE>STATUS\n
 *
 * What stands before the opening mark is dropped (a login banner, a writer
 * that an earlier step left behind). The standard error of an answer has no
 * opening mark. Of a long body the tail is kept and the size counted.
 * Must not know: SSH, requests, what a status means.
 */
#ifndef HOSHU_REMOTE_FRAME_H
#define HOSHU_REMOTE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	FRAME_NONCE = 33, /* 32 hex digits and a NUL */
	FRAME_TAIL = 64 << 10,
	FRAME_STATUS_MAX = 128
};

enum frame_state {
	FRAME_CLOSED, /* before the opening mark */
	FRAME_BODY,
	FRAME_STATUS,
	FRAME_ENDED,
	FRAME_BAD, /* a status that is none: not our shell speaks here */
};

struct frame {
	enum frame_state state;
	char mark[FRAME_NONCE + 3]; /* "\nNONCE<\n" or "\nNONCE>" */
	size_t matched;		    /* bytes of mark seen and withheld */
	struct buf body;
	uint64_t size; /* of the whole body */
	char status[FRAME_STATUS_MAX];
	size_t status_len;
};

/* opens: the stream has an opening mark. Free with frame_free. */
void frame_start(struct frame *frame, const char *nonce, bool opens);
/* Take what belongs to this answer; returns how much that was, which is less
 * than len only when the frame is FRAME_ENDED or FRAME_BAD. */
size_t frame_feed(struct frame *frame, const char *data, size_t len);
/* At most FRAME_TAIL bytes, valid until the next call. */
struct bytes frame_tail(const struct frame *frame);
void frame_free(struct frame *frame);

#endif
