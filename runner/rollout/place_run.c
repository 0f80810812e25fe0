/*
 * Places: where steps with on: run. One connection a place, shared by all the
 * hosts whose steps run there, one step at a time; a host whose place is taken
 * waits without anything under way. Limits belong to the host, the connection
 * and its life to the place.
 */
#include "rollout/inside.h"
#include "base/i18n.h"

#include <stdio.h>
#include <string.h>

struct place_run {
	int index; /* in the fleet */
	const struct change_host *host;
	const struct fleet_host *how;
	bool connected;
	char life[128];
	const struct host_run *user; /* whose step is under way */
};

struct place_run *
places_new(struct run *run)
{
	const struct change *change = run->o.change;
	struct place_run *places =
	    arena_array(run->arena, struct place_run, change->place_count + 1);

	for (size_t i = 0; i < change->place_count; i++) {
		places[i].index = (int)(change->host_count + i);
		places[i].host = &change->places[i];
		places[i].how = &run->o.hosts[places[i].index];
	}
	return places;
}

/* The first step at a place, from `from` on, whose host was touched there. */
static int
place_unsynced(const struct host_run *host, int from)
{
	const struct plan *plan = host->run->o.change->plan;

	for (int id = from; id <= plan->last_id; id++) {
		const struct step_fold *fold = &host->fold->steps[id];

		if (plan->by_id[id]->phase == host->fold->phase &&
		    host->host->steps[id].place >= 0 &&
		    (fold->attempts > 0 || fold->undo_attempts > 0))
			return id;
	}
	return 0;
}

int
place_step(const struct host_run *host)
{
	switch (host->act.kind) {
	case ACT_SETTLE:
	case ACT_STEP:
	case ACT_UNDO:
	case ACT_PROVE:
		/* what a guard tells a host it tells the host itself */
		return host->act.step <= host->run->o.change->plan->last_id
			   ? host->act.step
			   : 0;
	case ACT_SYNC:
		return place_unsynced(host, host->synced_to + 1);
	case ACT_CONNECT:
	case ACT_CHECK_BEFORE:
	case ACT_DRIFT:
	case ACT_CHECK_AFTER:
	case ACT_DONE:
	case ACT_FAIL:
	case ACT_KEEP:
	case ACT_STOP:
	case ACT_REVERTED:
	case ACT_STUCK:
	case ACT_GUARD:
	case ACT_LOGIN:
	case ACT_CHECK_GUARD:
		return 0;
	}
	bug("act %d", (int)host->act.kind);
}

bool
place_take(struct host_run *host)
{
	int step = place_step(host);
	int at = step > 0 ? host->host->steps[step].place : -1;
	struct place_run *place = at >= 0 ? &host->run->places[at] : NULL;

	if (place != NULL && place->user != NULL && place->user != host)
		return false;
	host->place = place;
	if (place != NULL)
		place->user = host;
	return true;
}

void
place_leave(struct host_run *host)
{
	if (host->place != NULL && host->place->user == host)
		host->place->user = NULL;
	host->place = NULL;
}

bool
place_connected(const struct host_run *host)
{
	return host->place != NULL ? host->place->connected
				   : host->now.connected;
}

int
place_index(const struct host_run *host)
{
	return host->place != NULL ? host->place->index : host->index;
}

const char *
place_life(const struct host_run *host)
{
	return host->place != NULL ? host->place->life : host->life;
}

const char *
place_opened_at(const struct host_run *host)
{
	return host->place != NULL ? fold_place_opened_at(host->run->o.fold,
					 host->place->host->name)
				   : host->fold->now.opened;
}

void
place_cut(struct host_run *host)
{
	if (!place_connected(host))
		return;
	fleet_disconnect(host->run->o.fleet, place_index(host));
	if (host->place != NULL)
		host->place->connected = false;
	else
		host->now.connected = false;
}

static void
place_recorded(void *arg, struct ticket *ticket)
{
	(void)ticket;
	host_next(arg);
}

static void
place_opened(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;
	struct place_run *place = host->place;
	struct arena *arena;
	struct json *body;
	char text[1200];

	if (answer->kind != ANSWER_OPENED) {
		snprintf(text, sizeof(text), _("at %s: %s"), place->host->name,
		    answer->text);
		host_not_opened(host, answer->why, text);
		return;
	}
	place->connected = true;
	snprintf(place->life, sizeof(place->life), "%s", answer->life);
	arena = arena_new();
	body = json_map(arena);
	json_put_text(arena, body, "place", place->host->name);
	json_put_text(arena, body, "address", place->host->address);
	json_put_int(arena, body, "port", place->host->port);
	json_put_int(arena, body, "clock_ms", answer->clock_ms);
	json_put_text(arena, body, "uptime", answer->uptime);
	run_record(host->run, host, RECORD_PLACE_OPENED, 0, 0, NULL, body,
	    place_recorded, host);
	arena_free(arena);
}

void
place_connect(struct host_run *host)
{
	fleet_connect(host->run->o.fleet, host->place->index, host->place->how,
	    FLEET_PLAIN, place_opened, host);
}
