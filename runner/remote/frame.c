/*
 * The parser of framed answers. A mark begins with a newline and holds no
 * other but at its very end, so that a mismatch can only start again at the
 * byte in hand.
 */
#include "remote/frame.h"

#include <string.h>

void
frame_start(struct frame *frame, const char *nonce, bool opens)
{
	memset(frame, 0, sizeof(*frame));
	frame->mark[0] = '\n';
	memcpy(frame->mark + 1, nonce, FRAME_NONCE - 1);
	strcpy(frame->mark + FRAME_NONCE, opens ? "<\n" : ">");
	frame->state = opens ? FRAME_CLOSED : FRAME_BODY;
}

void
frame_free(struct frame *frame)
{
	buf_free(&frame->body);
}

struct bytes
frame_tail(const struct frame *frame)
{
	struct bytes tail = buf_bytes(&frame->body);

	if (tail.len > FRAME_TAIL) {
		tail.data = frame->body.data + (tail.len - FRAME_TAIL);
		tail.len = FRAME_TAIL;
	}
	return tail;
}

static void
frame_keep(struct frame *frame, const char *data, size_t len)
{
	if (frame->state != FRAME_BODY)
		return;
	frame->size += len;
	if (len > FRAME_TAIL) {
		data += len - FRAME_TAIL;
		len = FRAME_TAIL;
	}
	if (frame->body.len + len >
	    2 * FRAME_TAIL) /* seldom: a move of 64 KiB */
		buf_eat(&frame->body, frame->body.len - FRAME_TAIL);
	buf_put(&frame->body, data, len);
}

/* A byte within, or just behind, what looked like a mark. */
static void
frame_match(struct frame *frame, char c)
{
	bool opening = frame->state == FRAME_CLOSED;

	if (c == frame->mark[frame->matched]) {
		frame->matched++;
		if (frame->mark[frame->matched] != '\0')
			return;
		frame->matched = 0;
		frame->state = opening ? FRAME_BODY : FRAME_STATUS;
		strcpy(frame->mark + FRAME_NONCE, ">");
		return;
	}
	frame_keep(frame, frame->mark, frame->matched);
	frame->matched = 0;
	if (c == '\n')
		frame->matched = 1;
	else
		frame_keep(frame, &c, 1);
}

static void
frame_status(struct frame *frame, char c)
{
	if (c == '\n')
		frame->state = FRAME_ENDED;
	else if (c < ' ' || c > '~' ||
		 frame->status_len + 1 >= sizeof(frame->status))
		frame->state = FRAME_BAD;
	else
		frame->status[frame->status_len++] = c;
}

size_t
frame_feed(struct frame *frame, const char *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		switch (frame->state) {
		case FRAME_CLOSED:
		case FRAME_BODY:
			if (frame->matched == 0) {
				const char *end =
				    memchr(data + at, '\n', len - at);
				size_t plain = end != NULL
						   ? (size_t)(end - data) - at
						   : len - at;

				frame_keep(frame, data + at, plain);
				at += plain;
				if (at == len)
					return at;
			}
			frame_match(frame, data[at++]);
			break;
		case FRAME_STATUS:
			frame_status(frame, data[at++]);
			break;
		case FRAME_ENDED:
		case FRAME_BAD:
			return at;
		}
	}
	return at;
}
