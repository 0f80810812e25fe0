/*
 * The watchdog: a worker that loops does not answer a PING within two seconds,
 * nor a job soon after its deadline, and is killed. One that only gets no
 * processor, among many sshd, is left in peace: killing it would cost more.
 */
#include "fleet/inside.h"

#include <time.h>

static bool
overdue(const struct job_list *list, int64_t now)
{
	const struct job *job;

	TAILQ_FOREACH(job, list, next)
	{
		if (job->deadline_at != 0 && now > job->deadline_at + LATE_MS)
			return true;
	}
	return false;
}

static void
links_look(struct fleet *fleet, int64_t now)
{
	for (size_t i = 0; i < fleet->link_size; i++) {
		struct link *link = fleet->links[i];

		if (link == NULL || link->hand == NULL)
			continue;
		if (overdue(&link->jobs, now) ||
		    (link->connect != NULL && link->connect->deadline_at != 0 &&
			now > link->connect->deadline_at + LATE_MS))
			hand_doom(link->hand, DOOM_SILENT);
	}
}

static int64_t
cpu_ms(const struct hand *hand)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(loop_child_pid(hand->child), &clock) != 0 ||
	    clock_gettime(clock, &used) < 0)
		return 0;
	return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static bool
silent(const struct hand *hand, int64_t now)
{
	int64_t waited_ms = now - hand->ping_at;

	if (waited_ms > PONG_LATEST_MS)
		return true;
	return waited_ms > PONG_WITHIN_MS &&
	       cpu_ms(hand) - hand->ping_cpu_ms > PONG_CPU_MS;
}

static void
hand_look(struct hand *hand, int64_t now, bool we_slept)
{
	struct number number;
	struct bytes field;

	if (hand->seam == NULL || hand->doom != DOOM_NONE)
		return;
	if (overdue(&hand->jobs, now)) {
		hand_doom(hand, DOOM_SILENT);
		return;
	}
	if (hand->ping_at == 0) {
		field = number_field(&number, ++hand->ping_number);
		hand->ping_at = now;
		hand->ping_cpu_ms = cpu_ms(hand);
		hand_send(hand, SEAM_PING, 0, 0, -1, &field, 1);
	} else if (we_slept) {
		hand->ping_at = now; /* its answer may lie before us */
	} else if (silent(hand, now)) {
		hand_doom(hand, DOOM_SILENT);
	}
}

static void
watchdog_tick(void *arg)
{
	struct fleet *fleet = arg;
	int64_t now = loop_now_ms(fleet->loop);
	bool we_slept = now > fleet->tick_at + 2 * PING_EVERY_MS;

	for (int i = 0; i < fleet->hand_count; i++)
		hand_look(&fleet->hands[i], now, we_slept);
	if (!we_slept)
		links_look(fleet, now);
	watchdog_start(fleet);
}

void
watchdog_start(struct fleet *fleet)
{
	fleet->tick_at = loop_now_ms(fleet->loop);
	fleet->tick =
	    loop_timer_start(fleet->loop, PING_EVERY_MS, watchdog_tick, fleet);
}
