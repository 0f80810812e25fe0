/*
 * The connection of a host: made, waited for, lost, and what its loss comes to.
 */
#include "rollout/inside.h"
#include "base/i18n.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_RECONNECT_MS = 1000, HOST_BOOT_MS = 2000 };

bool
host_lost_connection(struct host_run *host, const struct answer *answer)
{
	if (answer->kind != ANSWER_FAILED ||
	    strcmp(answer->why, "connection") != 0)
		return false;
	place_cut(host);
	host->connects++;
	host_next(host);
	return true;
}

/* An open ticket whose host cannot be asked any more: unknown. */
static void
host_mark_unknown(struct host_run *host)
{
	const struct plan *plan = host->run->o.change->plan;
	struct arena *arena = arena_new();

	for (int id = 1; id <= plan->last_act; id++) {
		const struct step_fold *step = &host->fold->steps[id];
		struct json *body;
		bool undo = step->undo == UNDO_OPEN;

		if (plan->by_id[id]->phase != host->fold->phase ||
		    (step->state != STEP_OPEN && !undo))
			continue;
		body = json_map(arena);
		step_put_name(host, arena, body, plan->by_id[id]);
		json_put_text(arena, body, "why",
		    json_get(body, "place") != NULL
			? _("its place can not be reached to ask what became "
			    "of it")
			: _("the host can not be reached to ask what became "
			    "of it"));
		json_put_bool(arena, body, "unasked", true);
		run_record(host->run, host,
		    undo ? RECORD_UNDO_UNKNOWN : RECORD_STEP_UNKNOWN, id,
		    undo ? step->undo_attempts : step->attempts, step->xid,
		    body, NULL, NULL);
	}
	arena_free(arena);
}

/* Lost is who had a first step, in whichever phase that was. */
static bool
host_was_touched(const struct host_run *host)
{
	const struct change_fold *fold = host->run->o.fold;

	for (size_t p = 0; p < fold->phase_count; p++)
		if (host->fold->host->parts[p] != NULL &&
		    host->fold->host->parts[p]->touched)
			return true;
	return false;
}

void
host_unreachable(struct host_run *host, const char *text)
{
	if (!host_was_touched(host)) {
		host_end(host, RECORD_HOST_UNREACHABLE, text);
		return;
	}
	host_mark_unknown(host);
	host->gone = true;
	if (host_going_back(host))
		host_end(host, RECORD_HOST_STUCK, text);
	else
		host_end(host, RECORD_HOST_LOST, text);
}

static void
host_timer(void *arg)
{
	struct host_run *host = arg;

	host->timer = NULL;
	host_next(host);
}

/* May another try help? A refused key or a wrong user will not change. */
static bool
host_worth_another(const struct host_run *host, const char *why)
{
	if (!host->fold->touched || host->connects >= HOST_CONNECTS_MAX)
		return false;
	return strcmp(why, "hostkey") != 0 && strcmp(why, "auth") != 0 &&
	       strcmp(why, "password") != 0;
}

/* A connection for checks of a soak that has ended meanwhile. */
static bool
host_soak_over(const struct host_run *host)
{
	return host->fold->state == HOST_DONE &&
	       host->run->o.fold->waves[host->fold->wave] == WAVE_ENDED;
}

/* The step of an open ticket that reboots the host, or NULL. */
static const struct step *
host_rebooting(const struct host_run *host)
{
	const struct plan *plan = host->run->o.change->plan;

	for (int id = 1; id <= plan->last_id; id++) {
		const struct step_fold *step = &host->fold->steps[id];

		if (plan->by_id[id]->reboots &&
		    plan->by_id[id]->phase == host->fold->phase &&
		    (step->state == STEP_OPEN || step->undo == UNDO_OPEN))
			return plan->by_id[id];
	}
	return NULL;
}

/* A host that reboots is away as long as its step may take; whatever its sshd
 * says meanwhile (nobody may log in yet) is no last word. */
bool
host_wait_for_boot(struct host_run *host)
{
	const struct step *step = host_rebooting(host);
	int64_t now_ms = loop_now_ms(host->run->o.loop);

	if (step == NULL) {
		host->reboot_ends_ms = 0;
		return false;
	}
	if (host->reboot_ends_ms == 0)
		host->reboot_ends_ms = now_ms + step->timeout_ms;
	if (now_ms >= host->reboot_ends_ms)
		return false;
	host->connects = 0;
	host->timer =
	    loop_timer_start(host->run->o.loop, HOST_BOOT_MS, host_timer, host);
	return true;
}

void
host_not_opened(struct host_run *host, const char *why, const char *text)
{
	int64_t patience = guard_patience(host);

	if (host_wait_for_boot(host))
		return;
	/* what locked us out is about to be taken back */
	if (patience > 0) {
		host->timer = loop_timer_start(
		    host->run->o.loop, patience, host_timer, host);
		return;
	}
	host->connects++;
	if (host_soak_over(host))
		host_next(host);
	else if (!host_worth_another(host, why))
		host_unreachable(host, text);
	else
		host->timer = loop_timer_start(host->run->o.loop,
		    (int64_t)HOST_RECONNECT_MS << host->connects, host_timer,
		    host);
}

static void
host_connected(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;
	struct json *body;
	struct arena *arena;

	if (answer->kind != ANSWER_OPENED) {
		host_not_opened(host, answer->why, answer->text);
		return;
	}
	host->now.connected = true;
	host->now.fresh = true;
	host->now.guard_asked = false;
	host->now.guard_ok = false;
	guard_wait(host);
	/* what was probed may be of another life: before the first touch the
	 * whole host is looked at again */
	host->ahead = NULL;
	host->first = NULL;
	host->now.drift_ok = false;
	snprintf(host->life, sizeof(host->life), "%s", answer->life);
	host->opened_uptime = strtod(answer->uptime, NULL);
	host->opened_ms = loop_now_ms(host->run->o.loop);
	arena = arena_new();
	body = json_map(arena);
	json_put_text(arena, body, "address", host->host->address);
	json_put_int(arena, body, "port", host->host->port);
	json_put_int(arena, body, "clock_ms", answer->clock_ms);
	json_put_text(arena, body, "uptime", answer->uptime);
	if (answer->gaps[0] != '\0')
		json_put_text(arena, body, "gaps", answer->gaps);
	run_record(host->run, host, RECORD_HOST_OPENED, 0, 0, NULL, body,
	    host_ended, host);
	arena_free(arena);
}

/* A host has one connection. Its part in another phase may still hold it: it
 * stands done in a soak, or failed. */
static void
host_take_connection(struct host_run *host)
{
	struct run *run = host->run;
	const struct change_fold *fold = run->o.fold;

	for (size_t p = 0; p < fold->phase_count; p++) {
		const struct part_fold *part = host->fold->host->parts[p];
		struct host_run *other;

		if (part == NULL || part == host->fold)
			continue;
		other = &run->hosts[part - fold->parts];
		checks_cancel(other->checks);
		other->checks = NULL;
		host_disconnect(other);
	}
}

void
host_connect(struct host_run *host)
{
	struct run *run = host->run;

	/* Counted from the last step that came to an outcome. */
	if (host->connects > HOST_CONNECTS_MAX && guard_patience(host) == 0) {
		host_unreachable(host,
		    _("its connection was lost again and again; look at its "
		      "sshd log"));
		return;
	}
	host_take_connection(host);
	fleet_connect(run->o.fleet, host->index, &run->o.hosts[host->index],
	    FLEET_PLAIN, host_connected, host);
}
