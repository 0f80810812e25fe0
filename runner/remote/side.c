/*
 * Further channels of the same connection, each for one command with its own
 * input: what must not go through the framed shell. Only one can be opening
 * at a time (libssh2 keeps one such state a session). What a command printed
 * is its answer; an exit status is none.
 */
#include "remote/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/world.h"

struct side *
side_start(struct remote *remote,
    void (*done)(struct remote *remote, struct side *side))
{
	struct side *side = xcalloc(1, sizeof(*side)), **end = &remote->sides;

	while (*end != NULL)
		end = &(*end)->next;
	*end = side;
	side->remote = remote;
	side->done = done;
	gate_start(remote, &side->gate);
	side->out.max = side->err.max = SIDE_ANSWER_MAX;
	world_random_hex(&world_real, side->nonce, (FRAME_NONCE - 1) / 2);
	remote_wake(remote);
	return side;
}

bool
side_busy(const struct remote *remote, const char *key)
{
	for (const struct side *s = remote->sides; s != NULL; s = s->next)
		if (strcmp(s->key, key) == 0)
			return true;
	return false;
}

static void
side_fail(struct side *side)
{
	side->failed = true;
	side->state = SIDE_CLOSES;
}

static void
side_open(struct side *side)
{
	struct remote *remote = side->remote;

	if (remote->opening != NULL && remote->opening != side)
		return;
	remote->opening = side;
	side->state = SIDE_OPENS;
	side->channel = libssh2_channel_open_session(remote->session);
	if (side->channel == NULL &&
	    libssh2_session_last_errno(remote->session) == LIBSSH2_ERROR_EAGAIN)
		return;
	remote->opening = NULL;
	if (side->channel == NULL)
		side_fail(side); /* MaxSessions, most likely */
	else
		side->state = SIDE_RUNS;
}

static void
side_exec(struct side *side)
{
	uint64_t before = side->remote->wire.queued;
	int rc;

	if (side->accepted)
		return;
	rc = libssh2_channel_process_startup(side->channel, "exec", 4,
	    side->command.data, (unsigned int)side->command.len);
	if (side->remote->wire.queued != before)
		side->asked = true;
	if (rc == 0)
		side->accepted = side->asked = true;
	else if (rc != LIBSSH2_ERROR_EAGAIN)
		side_fail(side);
}

static void
side_write(struct side *side)
{
	if (!side->asked ||
	    !gate_pass(side->remote, &side->gate, side->channel))
		return;
	while (side->input_at < side->input.len &&
	       wire_has_room(&side->remote->wire)) {
		ssize_t n = libssh2_channel_write(side->channel,
		    side->input.data + side->input_at,
		    side->input.len - side->input_at);

		if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
			return;
		if (n < 0) {
			side_fail(side);
			return;
		}
		side->input_at += (size_t)n;
	}
	if (side->accepted && !side->all_sent &&
	    side->input_at == side->input.len &&
	    libssh2_channel_send_eof(side->channel) != LIBSSH2_ERROR_EAGAIN)
		side->all_sent = true;
}

static void
side_read(struct side *side, int stream, struct buf *kept)
{
	char data[4096];
	ssize_t n;

	while ((n = libssh2_channel_read_ex(
		    side->channel, stream, data, sizeof(data))) > 0) {
		size_t used =
		    gate_feed(side->remote, &side->gate, stream != 0, data, n);

		buf_put(kept, data + used, (size_t)n - used);
	}
	if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
		side_fail(side);
}

/* true when it is over and gone. */
static bool
side_work(struct side *side)
{
	struct remote *remote = side->remote;

	if (side->state == SIDE_WAITS || side->state == SIDE_OPENS)
		side_open(side);
	if (side->state == SIDE_RUNS)
		side_exec(side);
	if (side->state == SIDE_RUNS)
		side_write(side);
	if (side->state == SIDE_RUNS && side->asked) {
		side_read(side, 0, &side->out);
		side_read(side, SSH_EXTENDED_DATA_STDERR, &side->err);
	}
	if (side->state == SIDE_RUNS && side->accepted &&
	    libssh2_channel_eof(side->channel) == 1) {
		gate_ended(remote, &side->gate);
		side->state = SIDE_CLOSES;
	}
	if (side->state != SIDE_CLOSES || remote->why != NULL)
		return false;
	return side->channel == NULL ||
	       libssh2_channel_free(side->channel) != LIBSSH2_ERROR_EAGAIN;
}

static void
side_free(struct side *side)
{
	gate_free(&side->gate);
	buf_free(&side->command);
	buf_wipe(&side->input);
	buf_free(&side->out);
	buf_free(&side->err);
	free(side);
}

void
sides_work(struct remote *remote)
{
	struct side **at = &remote->sides, *side;

	if (remote->state != STATE_READY)
		return;
	while ((side = *at) != NULL && remote->why == NULL) {
		if (!side_work(side)) {
			at = &side->next;
			continue;
		}
		*at = side->next;
		side->done(remote, side);
		side_free(side);
		/* done may have started others (they are at the end), or
		 * cleared the way for a request */
		remote_wake(remote);
	}
}

void
sides_free(struct remote *remote)
{
	while (remote->sides != NULL) {
		struct side *side = remote->sides;

		remote->sides = side->next;
		side_free(side);
	}
}
