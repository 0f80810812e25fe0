/*
 * One launch: intent, ticket, script with a probe behind it in one round trip,
 * then the judge. And the other way to an outcome: settling an open ticket.
 */
#include "rollout/inside.h"
#include "base/i18n.h"
#include "base/secret.h"
#include "base/text.h"
#include "digest/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAIL_MAX = 2000 }; /* into a record: the end says why it failed */

/* The key of one launch: change, host, step, direction, attempt. */
void
step_xid(
    const struct host_run *host, int step, bool undo, int attempt, char out[33])
{
	struct buf text = BUF_INIT;
	struct digest digest;

	buf_printf(&text, "%s %d %s %d %s %d", host->run->o.change->digest,
	    host->run->o.change->number, host->host->name, step,
	    undo ? "undo" : "apply", attempt);
	digest_of(buf_bytes(&text), &digest);
	memcpy(out, digest.hex, 32);
	out[32] = '\0';
	buf_free(&text);
}

/* Put into the journal what a record is about to name. */
void
step_keep_blob(struct host_run *host, const char *sha256)
{
	bool act = plan_is_guard_act(host->step);
	const struct change_step *frozen =
	    act ? NULL : &host->host->steps[host->step->id];

	/* what the change froze was stored with it */
	if (!act && (strcmp(sha256, frozen->seen) == 0 ||
			strcmp(sha256, frozen->want) == 0 ||
			strcmp(sha256, frozen->apply) == 0 ||
			strcmp(sha256, frozen->undo) == 0))
		return;
	run_keep_blob(host->run, sha256);
}

static void
step_tell(struct host_run *host, const struct judgement *judged)
{
	struct json *body = host->told;
	struct arena *arena = host->arena;

	if (judged->why[0] != '\0')
		json_put_text(arena, body, "why", judged->why);
	if (host->seen.seen[0] != '\0') {
		json_put_text(arena, body, "seen", host->seen.seen);
		step_keep_blob(host, host->seen.seen);
	}
	json_put_text(arena, body, "uptime", host->uptime);
	if (judge_runs_on(&host->outcome)) /* to be asked again first of all */
		json_put_bool(arena, body, "unasked", true);
}

void
step_recorded(void *arg, struct ticket *ticket)
{
	struct host_run *host = arg;

	(void)ticket;
	host_next(host);
}

static void
step_judge(struct host_run *host)
{
	const struct step_fold *fold = &host->fold->steps[host->step->id];
	struct judgement judged;

	if (host->ticket != NULL)
		journal_ticket_close(host->run->o.journal, host->ticket);
	host->ticket = NULL;
	host->first = NULL;
	host->connects = 0;
	host->now.synced = false;
	if (host->undoing) {
		undo_judge(host);
		return;
	}
	if (plan_is_guard_act(host->step)) {
		guard_told(host);
		return;
	}
	judge_step(&host->outcome, &host->seen, &judged);
	if (judged.kind != RECORD_STEP_DONE)
		host->ahead = NULL;
	else if (host->step->reboots) /* that it ended by that is no news */
		judged.why = N_("it is up again");
	if (judged.kind == RECORD_STEP_SEALED) /* by a dead-man, perhaps */
		host->now.guard_asked = false;
	step_tell(host, &judged);
	run_record(host->run, host, judged.kind, host->step->id, fold->attempts,
	    fold->xid, host->told, step_recorded, host);
}

/* It is on its way down: what was to reboot it was ended by that, and the
 * host still answers. */
static bool
step_goes_down(struct host_run *host)
{
	bool met = host->seen.have && host->seen.verdict == SEEN_SAME;

	if (!host->step->reboots || met || !host->outcome.known ||
	    host->outcome.verdict != VERDICT_LOST || !host_wait_for_boot(host))
		return false;
	place_cut(host);
	return true;
}

static void
step_answered(struct host_run *host)
{
	if (--host->answers > 0)
		return;
	if (place_connected(host) && step_goes_down(host))
		return;
	if (!place_connected(host)) /* the next connection settles it */
		host_next(host);
	else if (!host->outcome.known && !host->settled)
		step_settle(host, host->step->id);
	else
		output_keep(host, step_judge);
}

/* Both answers of a launch come whatever happens; the connection's end is
 * noted by the first and acted on after the last. */
bool
step_gone(struct host_run *host, const struct answer *answer)
{
	if (answer->kind != ANSWER_FAILED ||
	    strcmp(answer->why, "connection") != 0)
		return false;
	host->connects += place_connected(host);
	place_cut(host);
	return true;
}

static void
step_after_seen(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;

	if (answer->kind == ANSWER_SEEN) {
		step_take_seen(host, answer, &host->seen);
	} else if (!step_gone(host, answer)) {
		/* it could be asked before, so this is no proof of anything */
		json_put_text(host->arena, host->told, "probe", answer->text);
		host->seen.have = true;
		host->seen.verdict = SEEN_CHANGE;
	}
	step_answered(host);
}

static void
step_tail(struct host_run *host, const char *key, struct bytes tail)
{
	struct buf text = BUF_LIMIT(8192);
	char end[TAIL_MAX + SECRET_MAX];
	size_t len = tail.len < sizeof(end) ? tail.len : sizeof(end);
	size_t cut = len > TAIL_MAX ? len - TAIL_MAX : 0;

	if (len == 0)
		return;
	memcpy(end, (const char *)tail.data + tail.len - len, len);
	output_mask(host, end, len);
	text_cleanse_to(&text, end + cut, len - cut, false);
	json_put_text(host->arena, host->told, key, buf_str(&text));
	buf_free(&text);
}

/* When it ended, by its host's clock. A script that was killed does not say so,
 * one at a place says it by another clock; then it ended by now, whatever ran
 * in between. */
static void
step_take_uptime(struct host_run *host, const struct answer *answer)
{
	int64_t since_ms = loop_now_ms(host->run->o.loop) - host->opened_ms;

	if (host->place != NULL ||
	    (answer->uptime[0] == '\0' && answer->verdict == VERDICT_LOST))
		snprintf(host->uptime, sizeof(host->uptime), "%.2f",
		    host->opened_uptime + (double)since_ms / 1000);
	else
		snprintf(
		    host->uptime, sizeof(host->uptime), "%s", answer->uptime);
}

static void
step_take_verdict(struct host_run *host, const struct answer *answer)
{
	struct json *told = host->told;
	struct arena *arena = host->arena;
	static const char *const words[] = {"notrun", "sealed", "claimed",
	    "running", "done", "lost", "otherlife"};

	host->outcome.known = true;
	host->outcome.verdict = answer->verdict;
	host->outcome.rc = answer->rc;
	step_take_uptime(host, answer);
	json_put_text(arena, told, "verdict", words[answer->verdict]);
	if (answer->verdict == VERDICT_DONE)
		json_put_int(arena, told, "rc", answer->rc);
	json_put_int(arena, told, "wall_ms", answer->wall_ms);
	json_put_int(arena, told, "out_size", (int64_t)answer->out_size);
	json_put_int(arena, told, "err_size", (int64_t)answer->errors_size);
	output_take(host, answer);
	step_tail(host, "out", answer->out);
	step_tail(host, "err", answer->errors);
}

static void
step_verdict(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;

	if (answer->kind == ANSWER_VERDICT)
		step_take_verdict(host, answer);
	else if (!step_gone(host, answer) &&
		 strcmp(answer->why, "deadline") == 0) {
		/* still at it: end it, then ask what became of it */
		host->outcome.stopped = true;
		if (control_holds(host->run))
			fleet_stop(host->run->o.fleet, place_index(host),
			    host->fold->steps[host->step->id].xid,
			    STOP_GRACE_MS);
	}
	step_answered(host);
}

/* ---- the probe of the next step, in the same flight ---- */

static void
step_ahead_seen(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;

	if (answer->kind == ANSWER_SEEN) {
		step_take_seen(host, answer, &host->ahead_seen);
	} else {
		/* whatever it is, it is asked again and said then */
		(void)step_gone(host, answer);
		host->ahead = NULL;
	}
	step_answered(host);
}

/* Ask about the step behind this one, if it is one that was not begun. */
static void
step_ask_ahead(struct host_run *host)
{
	const struct phase *phase = host->phase;
	const struct step *next = NULL;

	for (size_t i = 0; i + 1 < phase->order_count; i++)
		if (phase->order[i] == host->step)
			next = phase->order[i + 1];
	if (next == NULL || next->handler || host->place != NULL ||
	    host->host->steps[next->id].place >= 0 ||
	    host->fold->steps[next->id].state != STEP_WAITING)
		return;
	host->ahead = next;
	host->answers++;
	step_probe(host, next, true, step_before(host, next, false),
	    bytes_of(""), host->step->timeout_ms, step_ahead_seen);
}

bool
step_take_ahead(struct host_run *host, const struct step *step)
{
	bool good = host->ahead == step;

	host->ahead = NULL;
	if (good)
		host->seen = host->ahead_seen;
	return good;
}

static void
step_launched(void *arg, struct ticket *ticket)
{
	struct host_run *host = arg;
	struct run *run = host->run;
	const struct step *step = host->step;
	struct bytes pin = run_blob(run, host->seen.want);
	struct bytes script = run_blob(run, host->seen.apply);
	const char *before = step_before(host, step, host_going_back(host));
	bool probe = host->seen.have;

	host->ticket = ticket;
	if (!control_holds(run))
		return;
	if (!plan_is_guard_act(step))
		host->now.fresh = host->now.guard_ok = false;
	memset(&host->seen, 0, sizeof(host->seen));
	host->answers = probe ? 2 : 1;
	fleet_launch(run->o.fleet, place_index(host), ticket, script,
	    step->timeout_ms, step_verdict, host);
	if (probe)
		step_probe(host, step, false, before, pin, step->timeout_ms,
		    step_after_seen);
	host->ahead = NULL;
	if (!host_going_back(host))
		step_ask_ahead(host);
}

void
step_launch(
    struct host_run *host, bool undo, const char *script, struct json *body)
{
	const struct step_fold *fold = &host->fold->steps[host->step->id];
	int attempt = 1 + (undo ? fold->undo_attempts : fold->attempts);
	char xid[33];

	host->now.synced = false;
	host->synced_to = 0;
	step_xid(host, host->step->id, undo, attempt, xid);
	json_put_text(host->arena, body, "script", script);
	memmove(host->seen.apply, script, strlen(script) + 1);
	memset(&host->outcome, 0, sizeof(host->outcome));
	output_take(host, NULL);
	host->reboot_ends_ms = 0;
	host->settled = host->runs_on = false;
	host->undoing = undo;
	host->told = step_body(host);
	step_keep_blob(host, script);
	run_record(host->run, host,
	    undo ? RECORD_UNDO_INTENT : RECORD_STEP_INTENT, host->step->id,
	    attempt, xid, body, step_launched, host);
}

/* ---- settling an open ticket ---- */

static void step_settle_ask(void *arg);

/* It runs: ask again soon. Past its deadline it is told to end, and again,
 * because the connection that carried the word may have been cut, which can
 * leave it standing still; false when that has not helped. */
static bool
step_wait(struct host_run *host)
{
	struct run *run = host->run;
	int64_t now_ms = loop_now_ms(run->o.loop);

	if (now_ms >= host->step_ends_ms) {
		host->runs_on = host->stops >= STOPS_MAX;
		if (host->runs_on)
			return false;
		if (!control_holds(run))
			return true;
		host->stops++;
		host->outcome.stopped = true;
		host->step_ends_ms = now_ms + (int64_t)2 * STOP_GRACE_MS;
		fleet_stop(run->o.fleet, place_index(host),
		    host->fold->steps[host->step->id].xid, STOP_GRACE_MS);
	}
	host->timer = loop_timer_start(
	    run->o.loop, SETTLE_EVERY_MS, step_settle_ask, host);
	return true;
}

static void
step_settled(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;
	struct run *run = host->run;
	const struct step_fold *fold = &host->fold->steps[host->step->id];
	const struct step *step = host->step;

	if (host_lost_connection(host, answer))
		return;
	if (answer->kind == ANSWER_VERDICT)
		step_take_verdict(host, answer);
	if (host->outcome.known && host->outcome.verdict == VERDICT_RUNNING &&
	    step_wait(host))
		return;
	host->answers = 1;
	memset(&host->seen, 0, sizeof(host->seen));
	if (fold->seen[0] == '\0' && !plan_runs_again(step)) {
		step_answered(host);
		return;
	}
	step_probe(host, step, false,
	    step_before(host, step, host_going_back(host)),
	    run_blob(run, fold->want), 0, step_after_seen);
}

static void
step_settle_ask(void *arg)
{
	struct host_run *host = arg;
	const struct step_fold *fold = &host->fold->steps[host->step->id];

	host->timer = NULL;
	fleet_settle(host->run->o.fleet, place_index(host), fold->xid,
	    fold->life, step_settled, host);
}

void
step_settle(struct host_run *host, int id)
{
	bool ours =
	    host->step != NULL && host->step->id == id && host->outcome.stopped;

	arena_free(host->arena);
	host->arena = arena_new();
	host->first = NULL;
	host->ahead = NULL;
	host->step = host->run->o.change->plan->by_id[id];
	host->told = step_body(host);
	memset(&host->outcome, 0, sizeof(host->outcome));
	output_take(host, NULL);
	host->outcome.stopped = ours;
	host->step_ends_ms = loop_now_ms(host->run->o.loop) +
			     (ours ? 0 : host->step->timeout_ms);
	host->runs_on = ours && host->runs_on;
	host->stops = host->runs_on ? STOPS_MAX : 0;
	host->settled = true;
	host->undoing = host->fold->steps[id].undo == UNDO_OPEN;
	step_settle_ask(host);
}
