/*
 * One host's part: does what the machine says is next, connects again when a
 * connection goes, ends with one word.
 */
#include "rollout/guard.h"
#include "rollout/inside.h"
#include "base/i18n.h"

#include <stdio.h>

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

void
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

	step_put_name(host, arena, body, step);
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

/* Why another change holds a place of its steps in quarantine, or NULL. */
static const char *
host_place_held(struct host_run *host, struct err *err)
{
	struct run *run = host->run;
	const struct change *change = run->o.change;
	int last = -1;

	for (int id = 1; id <= change->plan->last_id; id++) {
		int place = host->host->steps[id].place;
		const char *why;

		if (place < 0 || place == last ||
		    change->plan->by_id[id]->phase != host->fold->phase)
			continue;
		last = place;
		why = run->o.held(
		    run->o.arg, (int)change->host_count + place, err);
		if (why != NULL)
			return arena_printf(host->arena, _("at %s: %s"),
			    change->places[place].name, why);
		if (err->code != ERR_NONE)
			break;
	}
	return NULL;
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
	if (why == NULL && err.code == ERR_NONE)
		why = host_place_held(host, &err);
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
