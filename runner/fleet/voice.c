/*
 * What a worker says on stderr: a bug's last words, a sanitizer's report. It
 * comes through a pipe and is cleansed, because a worker that a host has
 * taken over must not steer the terminal, and bounded for the same reason.
 */
#include "fleet/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/text.h"

enum {
	VOICE_MAX = 64 * 1024, /* of one process; the rest is dropped */
	PIECE = 2048,
};

/* Whole lines, or all of it at the end. */
static void
voice_print(struct hand *hand, bool all)
{
	const char *at = hand->voice.data, *end = at + hand->voice.len;
	char line[4 * PIECE + 1];

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);

		if (stop == NULL && !all && len < PIECE)
			break;
		if (len > PIECE) {
			len = PIECE;
			stop = NULL;
		}
		(void)text_cleanse(line, sizeof(line), at, len);
		fprintf(stderr, "hoshu: worker %d says: %s\n", hand->index + 1,
		    line);
		at += len + (stop != NULL);
	}
	buf_eat(&hand->voice, (size_t)(at - (const char *)hand->voice.data));
}

/* false when there will be no more. */
static bool
voice_read(struct hand *hand)
{
	char data[PIECE];
	ssize_t n;

	for (int i = 0; i < 64; i++) {
		n = read(hand->voice_fd, data, sizeof(data));
		if (n == 0)
			return false;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (hand->voice_bytes > VOICE_MAX)
			continue;
		hand->voice_bytes += (size_t)n;
		buf_put(&hand->voice, data, (size_t)n);
		if (hand->voice_bytes > VOICE_MAX)
			buf_puts(&hand->voice, _("\n(the rest is dropped)\n"));
		voice_print(hand, false);
	}
	return true;
}

static void
voice_ready(void *arg, int events)
{
	struct hand *hand = arg;

	(void)events;
	if (!voice_read(hand)) {
		loop_watch_stop(hand->voice_watch);
		hand->voice_watch = NULL;
	}
}

int
voice_start(struct hand *hand, int *fd, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(
		    err, _("cannot make a pipe for a worker's words"));
	/* ours alone: the worker waits until it has said what it must */
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	hand->voice_fd = ends[0];
	hand->voice_bytes = 0;
	hand->voice_watch = loop_watch_start(
	    hand->fleet->loop, ends[0], LOOP_READ, voice_ready, hand);
	*fd = ends[1];
	return 0;
}

void
voice_end(struct hand *hand)
{
	if (hand->voice_fd < 0)
		return;
	(void)voice_read(hand);
	voice_print(hand, true);
	loop_watch_stop(hand->voice_watch);
	hand->voice_watch = NULL;
	close(hand->voice_fd);
	hand->voice_fd = -1;
	buf_free(&hand->voice);
}
