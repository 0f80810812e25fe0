/*
 * Worker processes: started from our own program, one seam and one shared
 * page each; what is left when one ends, and the next one in its place.
 */
#include "fleet/inside.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/i18n.h"

enum {
	AT_ONCE = 64,	 /* messages taken a turn */
	QUICK_MS = 1000, /* an end so soon after the start is no accident */
	AGAIN_MAX_MS = 5000,
	QUIT_MS = 1000,
};

static void hand_again(void *arg);

static bool
hand_runs(const struct hand *hand)
{
	return hand->seam != NULL && hand->doom == DOOM_NONE;
}

void
hand_send(struct hand *hand, enum seam_type type, int host, uint32_t job,
    int fd, const struct bytes *fields, size_t count)
{
	seam_send(hand->seam, type, (uint32_t)host, job, fd, fields, count);
	if (hand->watch != NULL && seam_waiting(hand->seam))
		loop_watch_change(hand->watch, LOOP_READ | LOOP_WRITE);
}

void
hand_doom(struct hand *hand, enum doom doom)
{
	if (hand->child == NULL || hand->doom != DOOM_NONE)
		return;
	hand->doom = doom;
	loop_watch_stop(hand->watch);
	hand->watch = NULL;
	/* not loop_child_kill: `ended` is to be called */
	(void)kill(loop_child_pid(hand->child), SIGKILL);
}

/* Take what the worker has sent; -1 when there will be no more. */
static int
hand_receive(struct hand *hand, int most)
{
	struct seam_message message;
	struct err err = ERR_INIT;
	int r = 0;

	for (int i = 0; i < most && hand->doom == DOOM_NONE; i++) {
		r = seam_recv(hand->seam, &message, &err);
		if (r <= 0)
			break;
		if (message.fd >= 0) /* the table has none this way */
			close(message.fd);
		r = receive_message(hand, &message, &err);
		if (r < 0)
			break;
	}
	if (r < 0) {
		hand->why = err;
		hand_doom(
		    hand, r == -ERR_INTERNAL ? DOOM_MALFORMED : DOOM_GONE);
		return -1;
	}
	return 0;
}

static void
hand_ready(void *arg, int events)
{
	struct hand *hand = arg;

	if (hand_receive(hand, AT_ONCE) < 0 || hand->watch == NULL)
		return;
	if (seam_flush(hand->seam, NULL) < 0) {
		hand_doom(hand, DOOM_GONE);
		return;
	}
	loop_watch_change(hand->watch,
	    LOOP_READ | (seam_waiting(hand->seam) ? LOOP_WRITE : 0));
}

static void
hand_let_go(struct hand *hand)
{
	loop_watch_stop(hand->watch);
	seam_free(hand->seam);
	seam_page_free(hand->page);
	voice_end(hand);
	hand->watch = NULL;
	hand->seam = NULL;
	hand->page = NULL;
}

static void
hand_ended(void *arg, int status, int signal)
{
	struct hand *hand = arg;
	struct fleet *fleet = hand->fleet;
	struct link *culprit;
	int64_t lived_ms = loop_now_ms(fleet->loop) - hand->started_at;
	int64_t wait_ms = 0;

	hand->child = NULL; /* reaped: its pid may be another's by now */
	/* it may have answered before it died */
	(void)hand_receive(hand, 1 << 20);
	culprit = fault_judge(hand, signal);
	hand_let_go(hand);
	for (size_t i = 0; i < fleet->link_size; i++) {
		struct link *link = fleet->links[i];

		if (link != NULL && link->hand == hand)
			link_orphaned(link, culprit != NULL && culprit != link);
	}
	jobs_fail_all(&hand->jobs, "connection",
	    _("the worker process ended; hoshu started another"));
	hand->quick_deaths = lived_ms < QUICK_MS ? hand->quick_deaths + 1 : 0;
	if (hand->quick_deaths > 0) {
		wait_ms = 100
			  << (hand->quick_deaths < 6 ? hand->quick_deaths : 6);
		if (wait_ms > AGAIN_MAX_MS)
			wait_ms = AGAIN_MAX_MS;
	}
	hand->again = loop_timer_start(fleet->loop, wait_ms, hand_again, hand);
}

static void
hand_give_all(struct hand *hand)
{
	struct given *given;

	STAILQ_FOREACH(given, &hand->fleet->given, next)
	{
		struct bytes fields[] = {
		    bytes_of(given->name), buf_bytes(&given->content)};

		hand_send(hand, given->type, 0, 0, -1, fields, 2);
	}
}

static int
hand_start(struct hand *hand, struct err *err)
{
	struct fleet *fleet = hand->fleet;
	const char *argv[] = {fleet->program, "worker", NULL};
	struct seam_page *page = NULL;
	int pair[2] = {-1, -1}, page_fd = -1, voice = -1, r;

	r = seam_pair(pair, err);
	if (r < 0)
		goto out;
	r = seam_page_new(&page, &page_fd, err);
	if (r < 0)
		goto out;
	r = voice_start(hand, &voice, err);
	if (r < 0)
		goto out;
	{
		int fds[] = {-1, -1, voice, pair[1], page_fd};

		r = loop_spawn(fleet->loop, argv, fds, 5, hand_ended, hand,
		    &hand->child, err);
	}
	if (r < 0)
		goto out;
	hand->page = page;
	page = NULL;
	hand->seam = seam_new(pair[0], SEAM_ANSWER_MAX);
	hand->watch =
	    loop_watch_start(fleet->loop, pair[0], LOOP_READ, hand_ready, hand);
	pair[0] = -1;
	hand->started_at = loop_now_ms(fleet->loop);
	hand->ping_at = 0;
	hand->doom = DOOM_NONE;
	hand_give_all(hand);
out:
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			close(pair[i]);
	}
	if (page_fd >= 0)
		close(page_fd);
	if (voice >= 0)
		close(voice);
	if (r < 0)
		voice_end(hand);
	seam_page_free(page);
	return r;
}

static void
hand_again(void *arg)
{
	struct hand *hand = arg;

	hand->again = NULL;
	if (hand_start(hand, NULL) < 0)
		hand->again = loop_timer_start(
		    hand->fleet->loop, AGAIN_MAX_MS, hand_again, hand);
}

/* Hosts whose module or bytes have ended a worker are tried again here, away
 * from those that did nothing. Started when the first of them comes. */
static struct hand *
hand_apart(struct fleet *fleet)
{
	return &fleet->hands[fleet->hand_count - 1];
}

int
hands_start(struct fleet *fleet, int count, struct err *err)
{
	int all = count + 1; /* with the one apart */

	fleet->hands = xcalloc((size_t)all, sizeof(*fleet->hands));
	fleet->hand_count = all;
	for (int i = 0; i < all; i++) {
		fleet->hands[i].fleet = fleet;
		fleet->hands[i].index = i;
		fleet->hands[i].voice_fd = -1;
		fleet->hands[i].voice = (struct buf)BUF_INIT;
		TAILQ_INIT(&fleet->hands[i].jobs);
	}
	for (int i = 0; i < count; i++) {
		int r = hand_start(&fleet->hands[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Wait until the process has ended, without reaping it. */
static void
hand_wait(const struct hand *hand, int timeout_ms)
{
	struct pollfd end = {.events = POLLIN};

	end.fd = (int)syscall(SYS_pidfd_open, loop_child_pid(hand->child), 0);
	if (end.fd < 0)
		return;
	(void)poll(&end, 1, timeout_ms);
	close(end.fd);
}

void
hands_stop(struct fleet *fleet)
{
	struct job *job;

	for (int i = 0; i < fleet->hand_count; i++) {
		struct hand *hand = &fleet->hands[i];

		if (hand->seam != NULL)
			hand_send(hand, SEAM_QUIT, 0, 0, -1, NULL, 0);
		hand_let_go(hand);
		loop_timer_stop(hand->again);
	}
	for (int i = 0; i < fleet->hand_count; i++) {
		struct hand *hand = &fleet->hands[i];

		if (hand->child != NULL) {
			hand_wait(hand, QUIT_MS);
			loop_child_kill(hand->child);
		}
		while ((job = TAILQ_FIRST(&hand->jobs)) != NULL)
			job_drop(job);
	}
	free(fleet->hands);
}

struct hand *
hands_for_link(struct fleet *fleet, const struct link *link)
{
	struct hand *best = NULL, *apart = hand_apart(fleet);

	if (fault_is_suspect(link)) {
		if (apart->child == NULL && apart->again == NULL &&
		    hand_start(apart, NULL) < 0)
			return NULL;
		return hand_runs(apart) ? apart : NULL;
	}
	for (struct hand *hand = fleet->hands; hand < apart; hand++) {
		if (hand_runs(hand) &&
		    (best == NULL || hand->links < best->links))
			best = hand;
	}
	return best;
}

struct hand *
hands_for_job(struct fleet *fleet)
{
	int count = fleet->hand_count - 1;

	for (int i = 0; i < count; i++) {
		struct hand *hand = &fleet->hands[fleet->turn++ % count];

		if (hand_runs(hand))
			return hand;
	}
	return NULL;
}

int
fleet_worker_pid(const struct fleet *fleet, int worker)
{
	const struct loop_child *child =
	    worker < fleet->hand_count ? fleet->hands[worker].child : NULL;

	return child != NULL ? loop_child_pid(child) : 0;
}
