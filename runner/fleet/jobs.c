/*
 * Jobs: numbers, places, and the one answer each gets. A number is a slot and
 * a generation, so that a late answer finds nobody.
 */
#include "fleet/inside.h"

#include <stdlib.h>
#include <string.h>

enum {
	SLOT_BITS = 18,
	SLOT_MASK = (1 << SLOT_BITS) - 1,
	SLOTS_FIRST = 256,
	/* how long a worker may hold a shell behind a late launch */
	BUSY_MS = 7000,
};

struct job *
job_new(struct fleet *fleet, enum seam_type type, int host, int64_t timeout_ms,
    fleet_done *done, void *arg)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->fleet = fleet;
	job->type = type;
	job->host = host;
	job->timeout_ms = timeout_ms;
	job->done = done;
	job->arg = arg;
	return job;
}

/* Slot 0 is never used: a job's number is never 0. */
static void
slot_take(struct job *job)
{
	struct fleet *fleet = job->fleet;
	size_t count = fleet->slot_count, at = fleet->slot_free;

	for (size_t i = 0; i < count; i++, at++) {
		if (at >= count)
			at = 1;
		if (at > 0 && fleet->slots[at] == NULL)
			break;
	}
	if (count == 0 || at >= count || at == 0 || fleet->slots[at] != NULL) {
		size_t size = count == 0 ? SLOTS_FIRST : count * 2;

		if (size > SLOT_MASK)
			bug("fleet: %zu jobs at once", count);
		fleet->slots = xrealloc(
		    fleet->slots, arena_size_of(sizeof(*fleet->slots), size));
		memset(fleet->slots + count, 0,
		    (size - count) * sizeof(*fleet->slots));
		fleet->slot_count = size;
		at = count == 0 ? 1 : count;
	}
	fleet->slots[at] = job;
	fleet->slot_free = at + 1;
	fleet->generation++;
	job->id = fleet->generation << SLOT_BITS | (uint32_t)at;
}

struct job *
job_of(const struct fleet *fleet, uint32_t id)
{
	size_t slot = id & SLOT_MASK;
	struct job *job = slot < fleet->slot_count ? fleet->slots[slot] : NULL;

	return job != NULL && job->id == id ? job : NULL;
}

/* Of a list that a host works off in order, only the first has a deadline. */
static void
first_starts(struct job_list *list)
{
	struct job *job = TAILQ_FIRST(list);
	struct link *link;
	int64_t from;

	if (job == NULL || job->deadline_at != 0 || job->hand == NULL)
		return;
	from = loop_now_ms(job->fleet->loop);
	link = job->host >= 0 ? link_find(job->fleet, job->host) : NULL;
	if (link != NULL && link->busy_until > from)
		from = link->busy_until;
	job->deadline_at = from + job->timeout_ms;
}

void
job_place(struct job *job, struct job_list *list, struct hand *hand)
{
	job->hand = hand;
	job->list = list;
	TAILQ_INSERT_TAIL(list, job, next);
	if (hand == NULL)
		return;
	slot_take(job);
	if (list == &hand->jobs) /* each on its own */
		job->deadline_at =
		    loop_now_ms(job->fleet->loop) + job->timeout_ms;
	else
		first_starts(list);
}

static void
job_unlink(struct job *job)
{
	struct job_list *list = job->list;

	if (job->id != 0)
		job->fleet->slots[job->id & SLOT_MASK] = NULL;
	job->id = 0;
	job->list = NULL;
	job->hand = NULL;
	if (list != NULL) {
		TAILQ_REMOVE(list, job, next);
		first_starts(list);
	}
	if (job->dial != NULL)
		loop_dial_stop(job->dial);
	job->dial = NULL;
}

void
job_drop(struct job *job)
{
	job_unlink(job);
	free(job->module);
	free(job->xid);
	free(job->spec);
	free(job->late_text);
	free(job);
}

void
job_finish(struct job *job, const struct answer *answer)
{
	if (job->type == SEAM_LAUNCH && answer->kind == ANSWER_FAILED) {
		struct link *link = link_find(job->fleet, job->host);

		if (link != NULL)
			link->busy_until =
			    loop_now_ms(job->fleet->loop) + BUSY_MS;
	}
	job_unlink(job);
	job->done(job->arg, answer);
	job_drop(job);
}

void
job_fail(struct job *job, const char *why, const char *text)
{
	struct answer answer = {
	    .kind = ANSWER_FAILED,
	    .why = why,
	    .text = text,
	    .file = "",
	    .fingerprint = "",
	};

	if (job->type == SEAM_OPEN)
		answer.kind = ANSWER_CLOSED;
	job_finish(job, &answer);
}

static void
late_answer(void *arg)
{
	struct fleet *fleet = arg;
	struct job_list now = TAILQ_HEAD_INITIALIZER(now);
	struct job *job;

	fleet->late_timer = NULL;
	/* what is put off meanwhile waits for the turn after */
	TAILQ_CONCAT(&now, &fleet->late, next);
	TAILQ_FOREACH(job, &now, next)
	job->list = &now;
	while ((job = TAILQ_FIRST(&now)) != NULL)
		job_fail(job, job->late_why, job->late_text);
}

void
job_fail_later(struct job *job, const char *why, const char *text)
{
	struct fleet *fleet = job->fleet;

	job_unlink(job);
	job->late_why = why;
	job->late_text = xstrdup(text);
	job->list = &fleet->late;
	TAILQ_INSERT_TAIL(&fleet->late, job, next);
	if (fleet->late_timer == NULL)
		fleet->late_timer =
		    loop_timer_start(fleet->loop, 0, late_answer, fleet);
}

void
jobs_fail_all(struct job_list *list, const char *why, const char *text)
{
	struct job *job;

	while ((job = TAILQ_FIRST(list)) != NULL)
		job_fail(job, why, text);
}

void
jobs_fail_all_later(struct job_list *list, const char *why, const char *text)
{
	struct job *job;

	while ((job = TAILQ_FIRST(list)) != NULL)
		job_fail_later(job, why, text);
}
