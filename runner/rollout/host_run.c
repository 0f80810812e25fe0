/*
 * One host's part: does what the machine says is next, connects again when a
 * connection goes, ends with one word.
 */
#include "rollout/guard.h"
#include "rollout/inside.h"
#include "base/i18n.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_CONNECTS_MAX = 4, HOST_RECONNECT_MS = 1000, HOST_BOOT_MS = 2000 };

void
host_init(struct host_run *host, struct run *run, int part)
{
	const struct change *change = run->o.change;

	host->run = run;
	host->index = change->parts[part].host;
	host->host = &change->hosts[host->index];
	host->phase = &change->plan->phases[change->parts[part].phase];
	host->fold = &run->o.fold->parts[part];
	host->arena = arena_new();
}

void
host_free(struct host_run *host)
{
	if (host->timer != NULL)
		loop_timer_stop(host->timer);
	output_free(host);
	arena_free(host->arena);
}

bool
host_going_back(const struct host_run *host)
{
	return host->fold->state == HOST_BACK;
}

void
host_next(struct host_run *host)
{
	place_leave(host);
	host->busy = false;
	if (host->fold->state == HOST_DONE)
		run_soak_on(host);
	run_wake(host->run);
}

void
host_disconnect(struct host_run *host)
{
	if (!host->now.connected)
		return;
	host->now.connected = false;
	fleet_disconnect(host->run->o.fleet, host->index);
}

static void
host_ended(void *arg, struct ticket *ticket)
{
	(void)ticket;
	host_next(arg);
}

/* Steps that are proved back. */
static int
host_undone(const struct host_run *host)
{
	const struct plan *plan = host->run->o.change->plan;
	int count = 0;

	for (int id = 1; id <= plan->last_id; id++)
		count += plan->by_id[id]->phase == host->fold->phase &&
			 !plan_runs_again(plan->by_id[id]) &&
			 host->fold->steps[id].undo == UNDO_DONE;
	return count;
}

/* And no probe could say so of one of them. */
static bool
host_unproved(const struct host_run *host)
{
	const struct plan *plan = host->run->o.change->plan;

	for (int id = 1; id <= plan->last_id; id++)
		if (plan->by_id[id]->phase == host->fold->phase &&
		    host->fold->steps[id].undo == UNDO_DONE &&
		    host->fold->steps[id].unproved)
			return true;
	return false;
}

void
host_end(struct host_run *host, enum record_kind kind, const char *text)
{
	struct arena *arena = arena_new();
	struct json *body = json_map(arena);
	bool keep = kind == RECORD_HOST_FAILED || kind == RECORD_HOST_BACK;

	json_put_text(arena, body, "text", text);
	if (host->fold->kept > 0)
		json_put_int(arena, body, "kept", host->fold->kept);
	if (kind == RECORD_HOST_REVERTED)
		json_put_int(arena, body, "undone", host_undone(host));
	if (kind == RECORD_HOST_REVERTED && host_unproved(host))
		json_put_bool(arena, body, "unproved", true);
	if (host->gone)
		json_put_bool(arena, body, "gone", true);
	host->gone = false;
	host->busy = true;
	host->now.after_ok = false;
	host->now.synced = false;
	host->synced_to = 0;
	run_record(host->run, host, kind, 0, 0, NULL, body, host_ended, host);
	/* a wave that soaks checks its hosts on: they stay connected */
	if (kind == RECORD_HOST_DONE)
		keep =
		    host->run->o.change->waves[host->fold->wave - 1].soak_ms >
		    0;
	if (!keep)
		host_disconnect(host);
	arena_free(arena);
}

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
		json_put_text(arena, body, "why",
		    _("the host can not be reached to ask what became of it"));
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

static void
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

static void
host_checked(struct host_run *host, enum check_result result, const char *text)
{
	bool before = host->act.kind == ACT_CHECK_BEFORE;

	host->checks = NULL;
	if (result == CHECK_INCONCLUSIVE && !host->run->o.fold->aborted) {
		control_ask(host, text);
		return;
	}
	if (result == CHECK_PASS) {
		if (before)
			host->now.before_ok = true;
		else if (host->act.kind == ACT_CHECK_GUARD)
			host->now.guard_ok = true;
		else
			host->now.after_ok = true;
		host_next(host);
	} else if (before) {
		host_end(host, RECORD_HOST_EXCLUDED, text);
	} else if (host_going_back(host)) {
		host_end(host, RECORD_HOST_STUCK, text);
	} else {
		host_end(host, RECORD_HOST_FAILED, text);
	}
}

static void
host_synced(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;

	if (host_lost_connection(host, answer))
		return;
	if (answer->kind == ANSWER_VERDICT && answer->verdict == VERDICT_DONE &&
	    answer->rc == 0) {
		if (host->place != NULL)
			host->synced_to = place_step(host);
		else
			host->now.synced = true;
		host_next(host);
		return;
	}
	host_end(host,
	    host_going_back(host) ? RECORD_HOST_STUCK : RECORD_HOST_FAILED,
	    _("`sync` failed: what was written may not be on the disk; look "
	      "at its disk and kernel log"));
}

static void
host_kept(struct host_run *host, int id)
{
	const struct step *step = host->run->o.change->plan->by_id[id];
	struct arena *arena = arena_new();
	struct json *body = json_map(arena);

	json_put_text(arena, body, "name", step->name);
	json_put_text(
	    arena, body, "because", step->because != NULL ? step->because : "");
	run_record(host->run, host, RECORD_UNDO_KEPT, id, 0, NULL, body,
	    host_ended, host);
	arena_free(arena);
}

static void
host_fail(struct host_run *host, int id, bool stuck)
{
	const struct step *step = host->run->o.change->plan->by_id[id];
	const struct step_fold *fold = &host->fold->steps[id];
	char text[512];

	if (plan_is_guard_act(step))
		snprintf(text, sizeof(text), "%s: %s", step->name,
		    _(guard_trouble(step, fold)));
	else if (stuck && fold->undo == UNDO_KEPT)
		snprintf(text, sizeof(text),
		    _("step \"%s\" is kept, but whether it took effect is not "
		      "known"),
		    step->name);
	else if (stuck && fold->unasked)
		snprintf(text, sizeof(text),
		    _("step \"%s\" runs on, although it was told to end; "
		      "nothing is undone beside it"),
		    step->name);
	else if (stuck && step->handler && fold->undo == UNDO_WAITING &&
		 fold->undo_sealed == 0)
		snprintf(text, sizeof(text),
		    _("whether handler \"%s\" took effect is not known, and "
		      "it is not run again: what owed it is kept"),
		    step->name);
	else if (stuck && step->of_rollback && fold->state != STEP_WAITING)
		/* of it nothing is undone: it did not do its work */
		snprintf(text, sizeof(text), _("rollback step \"%s\": %s"),
		    step->name, step_state_word(fold->state));
	else if (stuck && fold->undo != UNDO_WAITING)
		snprintf(text, sizeof(text),
		    _("step \"%s\" is not proved back: %s"), step->name,
		    undo_state_word(fold->undo));
	else if (stuck || fold->state == STEP_WAITING)
		snprintf(text, sizeof(text),
		    _("step \"%s\": the host said %d times that it never ran; "
		      "look at the host's spool and its disk"),
		    step->name,
		    fold->state == STEP_WAITING ? fold->sealed
						: fold->undo_sealed);
	else
		snprintf(text, sizeof(text), _("step \"%s\": %s"), step->name,
		    step_state_word(fold->state));
	host_end(host, stuck ? RECORD_HOST_STUCK : RECORD_HOST_FAILED, text);
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

static void
host_act(struct host_run *host)
{
	struct run *run = host->run;
	const struct plan *plan = run->o.change->plan;
	int step = host->act.step;

	switch (host->act.kind) {
	case ACT_CONNECT:
		host_connect(host);
		return;
	case ACT_SETTLE:
		step_settle(host, step);
		return;
	case ACT_CHECK_BEFORE:
		if (facts_wanted(host)) {
			facts_ask(host);
			return;
		}
		host->checks = checks_start(host, CHECK_BEFORE, host_checked);
		return;
	case ACT_DRIFT:
		if (facts_wanted(host))
			facts_ask(host);
		else
			step_drift(host);
		return;
	case ACT_STEP:
		step_start(host, step);
		return;
	case ACT_SYNC:
		fleet_sync(run->o.fleet, place_index(host), host_synced, host);
		return;
	case ACT_CHECK_AFTER:
		/* On the way back: what held before must hold again. A check
		 * that is not asked before may be about the new state only. */
		host->checks = checks_start(host,
		    host_going_back(host) ? CHECK_BEFORE : CHECK_AFTER,
		    host_checked);
		return;
	case ACT_DONE:
		host_end(host, RECORD_HOST_DONE, "");
		return;
	case ACT_FAIL:
		host_fail(host, step, false);
		return;
	case ACT_UNDO:
		undo_start(host, step);
		return;
	case ACT_PROVE:
		undo_prove(host, step);
		return;
	case ACT_KEEP:
		host_kept(host, step);
		return;
	case ACT_STOP:
		undo_stop(host, step);
		return;
	case ACT_REVERTED:
		host_end(host, RECORD_HOST_REVERTED, "");
		return;
	case ACT_STUCK:
		host_fail(host, step, true);
		return;
	case ACT_GUARD:
		guard_tell(host, step);
		return;
	case ACT_LOGIN:
		host_disconnect(host);
		host_next(host);
		return;
	case ACT_CHECK_GUARD:
		/* With steps to come, only what held before must hold. */
		host->checks = checks_start(host,
		    guard_is_last(plan, plan->by_id[step]->guard)
			? CHECK_AFTER
			: CHECK_BEFORE,
		    host_checked);
		return;
	}
}

/* The place of the act is not connected, or the host is not: as where a host
 * goes back that need not be reached. */
static void
host_open(struct host_run *host)
{
	if (host->place == NULL)
		host_act(host);
	else if (host->connects > HOST_CONNECTS_MAX)
		host_unreachable(host,
		    _("the connection to the place of its step was lost again "
		      "and again; look at the sshd log there"));
	else
		place_connect(host);
}

/* Before its first touch: does another change hold it in quarantine? */
static bool
host_is_let(struct host_run *host)
{
	struct run *run = host->run;
	struct err err = ERR_INIT;
	const char *why;

	if (host->let || host->fold->touched || host_going_back(host) ||
	    run->o.held == NULL)
		return true;
	why = run->o.held(run->o.arg, host->index, &err);
	host->let = why == NULL;
	if (err.code != ERR_NONE)
		run_fail(run, &err);
	else if (why != NULL)
		host_end(host, RECORD_HOST_EXCLUDED, why);
	return host->let && err.code == ERR_NONE;
}

void
host_advance(struct host_run *host)
{
	struct run *run = host->run;

	if (host->busy || host->held || run->stopping || run->error != 0)
		return;
	if (host->fold->state != HOST_STARTED && host->fold->state != HOST_BACK)
		return;
	host->busy = true;
	if (host->checks != NULL) { /* a soak check of a host that goes back */
		checks_cancel(host->checks);
		host->checks = NULL;
	}
	/* The change went back while this host was on its way there. */
	if (run->o.fold->state == CHANGE_BACK &&
	    host->fold->state == HOST_STARTED) {
		host->connects = 0;
		host_end(host, RECORD_HOST_BACK, "");
		return;
	}
	if (!host_is_let(host))
		return;
	machine_next(run->o.change->plan, host->fold, &host->now,
	    host_going_back(host), &host->act);
	if (!place_take(host))
		host->busy = false;
	else if (!place_connected(host) && host->act.kind != ACT_CONNECT)
		host_open(host);
	else
		host_act(host);
}
