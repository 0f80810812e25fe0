/*
 * Links: one a host, made when it is first asked for, holding what its state
 * holds and letting go of it; and their places among the dials. Knows nothing
 * of how a host is connected.
 */
#include "fleet/inside.h"

#include <stdlib.h>
#include <string.h>

struct link *
link_find(const struct fleet *fleet, int host)
{
	return (size_t)host < fleet->link_size ? fleet->links[host] : NULL;
}

struct link *
link_get(struct fleet *fleet, int host)
{
	size_t size = fleet->link_size;
	struct link *link;

	if (host < 0 || host >= HOSTS_MAX)
		bug("fleet: host number %d", host);
	if ((size_t)host >= size) {
		while (size <= (size_t)host)
			size = size == 0 ? 64 : size * 2;
		fleet->links = xrealloc(
		    fleet->links, arena_size_of(sizeof(*fleet->links), size));
		memset(fleet->links + fleet->link_size, 0,
		    (size - fleet->link_size) * sizeof(*fleet->links));
		fleet->link_size = size;
	}
	link = fleet->links[host];
	if (link == NULL) {
		link = xcalloc(1, sizeof(*link));
		link->fleet = fleet;
		link->host = host;
		TAILQ_INIT(&link->jobs);
		TAILQ_INIT(&link->dials);
		fleet->links[host] = link;
	}
	return link;
}

void
link_reset(struct link *link)
{
	struct fleet *fleet = link->fleet;

	switch (link->state) {
	case LINK_IDLE:
	case LINK_RETRY:
	case LINK_OPEN:
		break;
	case LINK_WAITING:
		TAILQ_REMOVE(&fleet->waiting, link, next);
		break;
	case LINK_DIALLING:
	case LINK_OPENING:
		fleet->dialling--;
		links_pump(fleet);
		break;
	}
	password_reset(link);
	loop_timer_stop(link->again);
	link->again = NULL;
	if (link->dialling != NULL)
		loop_dial_stop(link->dialling);
	link->dialling = NULL;
	loop_child_kill(link->jump);
	link->jump = NULL;
	if (link->hand != NULL)
		link->hand->links--;
	link->hand = NULL;
	link->state = LINK_IDLE;
	link->busy_until = 0;
	link->dial++; /* what is said of the old one is not meant for us */
}

void
link_forget(struct link *link)
{
	link_reset(link);
	arena_free(link->arena);
	link->arena = NULL;
	link->keys = NULL;
	link->auth_key = NULL;
	free(link->root_spool);
	link->root_spool = NULL;
}

void
link_free(struct link *link)
{
	struct job *job;

	if (link == NULL)
		return;
	link_forget(link);
	if (link->connect != NULL)
		job_drop(link->connect);
	while ((job = TAILQ_FIRST(&link->jobs)) != NULL)
		job_drop(job);
	while ((job = TAILQ_FIRST(&link->dials)) != NULL)
		job_drop(job);
	free(link->blamed);
	free(link);
}

void
link_wait(struct link *link)
{
	link->state = LINK_WAITING;
	TAILQ_INSERT_TAIL(&link->fleet->waiting, link, next);
	links_pump(link->fleet);
}

static void
pump(void *arg)
{
	struct fleet *fleet = arg;

	fleet->pump = NULL;
	while (fleet->dialling < fleet->dials_at_once &&
	       !TAILQ_EMPTY(&fleet->waiting))
		link_start(TAILQ_FIRST(&fleet->waiting));
}

void
links_pump(struct fleet *fleet)
{
	if (fleet->pump == NULL && !TAILQ_EMPTY(&fleet->waiting))
		fleet->pump = loop_timer_start(fleet->loop, 0, pump, fleet);
}
