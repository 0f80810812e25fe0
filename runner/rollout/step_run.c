/*
 * One step on one host: probe, intent, launch, probe again, judge. The launch
 * and the probe behind it go out together: one round trip.
 */
#include "rollout/inside.h"
#include "base/i18n.h"
#include "base/text.h"
#include "digest/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What went before on this host, for changed("..."): one char a step id. */
static char *
step_changed(struct host_run *host)
{
	const struct plan *plan = host->run->o.change->plan;
	char *changed = arena_alloc(host->arena, (size_t)plan->last_id + 1);

	for (int id = 1; id <= plan->last_id; id++) {
		switch (host->fold->steps[id].state) {
		case STEP_SAME:
		case STEP_SKIPPED:
			changed[id] = 'n';
			break;
		case STEP_DONE:
		case STEP_FAILED:
		case STEP_UNKNOWN:
			changed[id] = 'y';
			break;
		case STEP_WAITING:
		case STEP_OPEN:
			changed[id] = '-';
			break;
		}
	}
	return changed;
}

void
step_probe(struct host_run *host, const struct step *step, bool when,
    const char *before, struct bytes pin, int64_t behind_ms, fleet_done *done)
{
	struct run *run = host->run;
	struct step shown = *step;
	struct buf params = BUF_INIT, data = BUF_INIT;

	if (!when) /* it was decided before; now only its state counts */
		shown.when = NULL;
	json_write(&params, step->params);
	change_data(&data, run->o.change, host->host,
	    run_blob(run, host->host->facts),
	    run_blob(run, host->host->plan_vars), &shown, step_changed(host),
	    before, pin);
	fleet_probe(run->o.fleet, host->index, step->module, buf_bytes(&params),
	    buf_bytes(&data), behind_ms + PROBE_TIMEOUT_MS, done, host);
	buf_free(&params);
	buf_free(&data);
}

void
step_take_seen(
    struct host_run *host, const struct answer *answer, struct seen *seen)
{
	struct blobs *blobs = host->run->o.change->blobs;

	memset(seen, 0, sizeof(*seen));
	seen->have = answer->seen_verdict != SEEN_CANNOT_TELL;
	seen->verdict = answer->seen_verdict;
	snprintf(seen->seen, sizeof(seen->seen), "%s",
	    blobs_put(blobs, answer->seen));
	snprintf(seen->want, sizeof(seen->want), "%s",
	    blobs_put(blobs, answer->want));
	snprintf(seen->apply, sizeof(seen->apply), "%s",
	    blobs_put(blobs, answer->apply));
	snprintf(seen->undo, sizeof(seen->undo), "%s",
	    blobs_put(blobs, answer->undo));
	seen->summary =
	    arena_copy(host->arena, answer->summary.data, answer->summary.len);
	seen->reason =
	    arena_copy(host->arena, answer->reason.data, answer->reason.len);
}

/* When the step ended, by the uptime of the boot that runs now: "0" where that
 * was before this boot, "" where nobody knows. */
static const char *
step_ended(const struct host_run *host, const struct step_fold *fold)
{
	size_t boot = strcspn(host->life, " ");

	if (boot > 0 && fold->life[0] != '\0' &&
	    (strcspn(fold->life, " ") != boot ||
		strncmp(fold->life, host->life, boot) != 0))
		return "0";
	return fold->uptime;
}

const char *
step_before(const struct host_run *host, const struct step *step, bool back)
{
	const struct plan *plan = host->run->o.change->plan;
	const char *latest = NULL;

	if (!step->handler)
		return host->fold->opened[0] != '\0' ? host->fold->opened
						    : NULL;
	for (int id = 1; id <= plan->last_id; id++) {
		const struct step_fold *fold = &host->fold->steps[id];
		const struct step *other = plan->by_id[id];
		const char *ended = step_ended(host, fold);

		if (ended[0] == '\0' ||
		    (back ? fold->undo != UNDO_DONE : fold->state != STEP_DONE))
			continue;
		for (size_t i = 0; i < other->notify_count; i++)
			if (other->notify[i] == step->id &&
			    (latest == NULL ||
				strtod(ended, NULL) > strtod(latest, NULL)))
				latest = ended;
	}
	return latest;
}

/* The key of one launch: change, host, step, direction, attempt. */
static void
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

struct json *
step_body(struct host_run *host)
{
	struct json *body = json_map(host->arena);

	json_put_text(host->arena, body, "name", host->step->name);
	return body;
}

static void
step_failed_early(struct host_run *host, const char *text)
{
	const struct step *step = host->step;
	char line[1200];

	snprintf(line, sizeof(line), _("step \"%s\": %s"),
	    step != NULL ? step->name : "", text);
	if (host_going_back(host))
		host_end(host, RECORD_HOST_STUCK, line);
	else if (!host->fold->touched)
		host_end(host, RECORD_HOST_EXCLUDED, line);
	else
		host_end(host, RECORD_HOST_FAILED, line);
}

/* Put into the journal what a record is about to name. */
static void
step_keep_blob(struct host_run *host, const char *sha256)
{
	struct run *run = host->run;
	struct err err = ERR_INIT;
	char stored[65];

	if (sha256[0] != '\0' && journal_put_blob(run->o.journal,
				     run_blob(run, sha256), stored, &err) < 0)
		run_fail(run, &err);
}

/* ---- after the launch ---- */

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
}

static void
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
	if (fold->undo == UNDO_OPEN) {
		undo_judge(host);
		return;
	}
	judge_step(&host->outcome, &host->seen, &judged);
	step_tell(host, &judged);
	run_record(host->run, host, judged.kind, host->step->id, fold->attempts,
	    fold->xid, host->told, step_recorded, host);
}

static void
step_answered(struct host_run *host)
{
	if (--host->answers > 0)
		return;
	if (!host->now.connected) /* the next connection settles it */
		host_next(host);
	else if (!host->outcome.known && !host->settled)
		step_settle(host, host->step->id);
	else
		step_judge(host);
}

/* Both answers of a launch come whatever happens; the connection's end is
 * noted by the first and acted on after the last. */
static bool
step_gone(struct host_run *host, const struct answer *answer)
{
	if (answer->kind != ANSWER_FAILED ||
	    strcmp(answer->why, "connection") != 0)
		return false;
	if (host->now.connected) {
		fleet_disconnect(host->run->o.fleet, host->index);
		host->connects++;
	}
	host->now.connected = false;
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
	const char *from = tail.data;
	size_t len = tail.len;

	if (len == 0)
		return;
	if (len > 2000) { /* the end says why it failed */
		from += len - 2000;
		len = 2000;
	}
	text_cleanse_to(&text, from, len, false);
	json_put_text(host->arena, host->told, key, buf_str(&text));
	buf_free(&text);
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
	snprintf(host->uptime, sizeof(host->uptime), "%s", answer->uptime);
	json_put_text(arena, told, "verdict", words[answer->verdict]);
	if (answer->verdict == VERDICT_DONE)
		json_put_int(arena, told, "rc", answer->rc);
	json_put_int(arena, told, "wall_ms", answer->wall_ms);
	json_put_int(arena, told, "out_size", (int64_t)answer->out_size);
	json_put_int(arena, told, "err_size", (int64_t)answer->errors_size);
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
		fleet_stop(host->run->o.fleet, host->index,
		    host->fold->steps[host->step->id].xid, STOP_GRACE_MS);
	}
	step_answered(host);
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
	memset(&host->seen, 0, sizeof(host->seen));
	host->answers = probe ? 2 : 1;
	fleet_launch(run->o.fleet, host->index, ticket, script,
	    step->timeout_ms, step_verdict, host);
	if (probe)
		step_probe(host, step, false, before, pin, step->timeout_ms,
		    step_after_seen);
}

void
step_launch(
    struct host_run *host, bool undo, const char *script, struct json *body)
{
	const struct step_fold *fold = &host->fold->steps[host->step->id];
	int attempt = 1 + (undo ? fold->undo_attempts : fold->attempts);
	char xid[33];

	step_xid(host, host->step->id, undo, attempt, xid);
	json_put_text(host->arena, body, "script", script);
	memmove(host->seen.apply, script, strlen(script) + 1);
	memset(&host->outcome, 0, sizeof(host->outcome));
	host->settled = false;
	host->told = step_body(host);
	step_keep_blob(host, script);
	run_record(host->run, host,
	    undo ? RECORD_UNDO_INTENT : RECORD_STEP_INTENT, host->step->id,
	    attempt, xid, body, step_launched, host);
}

/* ---- before the launch ---- */

static void
step_say(struct host_run *host, enum record_kind kind)
{
	run_record(host->run, host, kind, host->step->id, 0, NULL,
	    step_body(host), step_recorded, host);
}

/* Met before anything was done, or met after attempts that failed. */
static void
step_met(struct host_run *host)
{
	const struct step_fold *fold = &host->fold->steps[host->step->id];

	if (fold->attempts == fold->sealed) {
		step_say(host, host->seen.verdict == SEEN_SKIP
				   ? RECORD_STEP_SKIPPED
				   : RECORD_STEP_SAME);
		return;
	}
	host->told = step_body(host);
	json_put_text(host->arena, host->told, "why",
	    N_("met when it was looked at again before another attempt"));
	json_put_text(host->arena, host->told, "seen", host->seen.seen);
	step_keep_blob(host, host->seen.seen);
	run_record(host->run, host, RECORD_STEP_DONE, host->step->id,
	    fold->attempts, fold->xid, host->told, step_recorded, host);
}

static void
step_decide(struct host_run *host)
{
	const struct step *step = host->step;
	const struct change_step *previewed = &host->host->steps[step->id];
	struct json *body = step_body(host);
	const char *why;
	enum drift drift;

	drift = judge_drift(previewed, &host->seen, step->of_rollback, &why);
	switch (drift) {
	case DRIFT_MET:
		step_met(host);
		return;
	case DRIFT_FOUND:
		step_failed_early(host, _(why));
		return;
	case DRIFT_DEPENDS:
		json_put_text(host->arena, body, "rule",
		    N_("its script was approved as a rule and made at run "
		       "time"));
		break;
	case DRIFT_NONE:
		break;
	}
	if (host->seen.apply[0] == '\0') {
		step_failed_early(host, _("its module wrote no script"));
		return;
	}
	json_put_text(host->arena, body, "seen", host->seen.seen);
	json_put_text(host->arena, body, "want", host->seen.want);
	json_put_text(host->arena, body, "undo", host->seen.undo);
	json_put_text(host->arena, body, "summary", host->seen.summary);
	step_keep_blob(host, host->seen.seen);
	step_keep_blob(host, host->seen.want);
	step_keep_blob(host, host->seen.undo);
	step_launch(host, false, host->seen.apply, body);
}

static void
step_seen(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;

	if (host_lost_connection(host, answer))
		return;
	if (answer->kind != ANSWER_SEEN) {
		step_failed_early(host, answer->text);
		return;
	}
	step_take_seen(host, answer, &host->seen);
	step_decide(host);
}

static void
step_begin(void *arg)
{
	struct host_run *host = arg;

	const struct step_fold *fold = &host->fold->steps[host->step->id];

	host->timer = NULL;
	/* whether it is wanted at all was settled before its first attempt */
	step_probe(host, host->step, fold->attempts == fold->sealed,
	    step_before(host, host->step, host_going_back(host)), bytes_of(""),
	    0, step_seen);
}

void
step_start(struct host_run *host, int id)
{
	const struct step *step = host->run->o.change->plan->by_id[id];
	const struct step_fold *fold = &host->fold->steps[id];

	host->step = step;
	if (host->first != NULL && host->first[id].summary != NULL &&
	    !step->handler) {
		host->seen = host->first[id];
		step_decide(host);
		return;
	}
	arena_free(host->arena);
	host->arena = arena_new();
	host->first = NULL;
	if (fold->state == STEP_FAILED) /* another attempt, later */
		host->timer = loop_timer_start(
		    host->run->o.loop, step->retry_every_ms, step_begin, host);
	else
		step_begin(host);
}

/* ---- settling an open ticket ---- */

static void step_settle_ask(void *arg);

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
	if (host->outcome.known && host->outcome.verdict == VERDICT_RUNNING) {
		if (loop_now_ms(run->o.loop) >= host->step_ends_ms &&
		    !host->outcome.stopped) {
			host->outcome.stopped = true;
			fleet_stop(run->o.fleet, host->index, fold->xid,
			    STOP_GRACE_MS);
		}
		host->timer = loop_timer_start(
		    run->o.loop, SETTLE_EVERY_MS, step_settle_ask, host);
		return;
	}
	host->answers = 1;
	memset(&host->seen, 0, sizeof(host->seen));
	if (fold->seen[0] == '\0' && !step->handler) {
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
	fleet_settle(host->run->o.fleet, host->index, fold->xid, fold->life,
	    step_settled, host);
}

void
step_settle(struct host_run *host, int id)
{
	bool ours =
	    host->step != NULL && host->step->id == id && host->outcome.stopped;

	arena_free(host->arena);
	host->arena = arena_new();
	host->first = NULL;
	host->step = host->run->o.change->plan->by_id[id];
	host->told = step_body(host);
	memset(&host->outcome, 0, sizeof(host->outcome));
	host->outcome.stopped = ours;
	host->step_ends_ms = loop_now_ms(host->run->o.loop) +
			     (ours ? 0 : host->step->timeout_ms);
	host->settled = true;
	step_settle_ask(host);
}

/* ---- drift, once a host before its first step ---- */

static bool
step_as_previewed(const struct change_step *previewed, const struct seen *now)
{
	static const enum change_verdict of[] = {CHANGE_SAME, CHANGE_CHANGES,
	    CHANGE_SKIP, CHANGE_DEPENDS, CHANGE_CANNOT_TELL};
	const char *why;

	if (previewed->verdict == CHANGE_DEPENDS)
		return true;
	if (judge_drift(previewed, now, false, &why) == DRIFT_MET)
		return true; /* somebody did it already: nothing to do */
	return of[now->verdict] == previewed->verdict &&
	       strcmp(previewed->seen, now->seen) == 0 &&
	       strcmp(previewed->want, now->want) == 0 &&
	       strcmp(previewed->apply, now->apply) == 0;
}

struct drift_wait {
	struct host_run *host;
	const struct step *step;
};

static void
step_drift_over(struct host_run *host)
{
	if (--host->first_left > 0)
		return;
	if (!host->now.connected) {
		host_next(host);
	} else if (host->drift_text[0] != '\0') {
		host_end(host, RECORD_HOST_EXCLUDED, host->drift_text);
	} else {
		host->now.drift_ok = true;
		host_next(host);
	}
}

static void
step_drift_seen(void *arg, const struct answer *answer)
{
	struct drift_wait *wait = arg;
	struct host_run *host = wait->host;
	const struct step *step = wait->step;
	struct seen *seen = &host->first[step->id];

	if (answer->kind == ANSWER_SEEN) {
		step_take_seen(host, answer, seen);
		if (!step_as_previewed(&host->host->steps[step->id], seen))
			snprintf(host->drift_text, sizeof(host->drift_text),
			    _("step \"%s\": the host is no longer as it was "
			      "previewed (drift); submit the plan again"),
			    step->name);
	} else if (!step_gone(host, answer)) {
		snprintf(host->drift_text, sizeof(host->drift_text),
		    _("step \"%s\": %.300s"), step->name, answer->text);
	}
	step_drift_over(host);
}

void
step_drift(struct host_run *host)
{
	struct run *run = host->run;
	const struct plan *plan = run->o.change->plan;
	const struct phase *phase = &plan->phases[0];
	struct buf params = BUF_INIT, data = BUF_INIT;
	char *changed;

	arena_free(host->arena);
	host->arena = arena_new();
	host->drift_text[0] = '\0';
	host->first =
	    arena_array(host->arena, struct seen, (size_t)plan->last_id + 1);
	host->first_left = (int)phase->step_count;
	/* as the preview asked: with what it foretold of the steps before */
	changed = arena_alloc(host->arena, (size_t)plan->last_id + 1);
	memset(changed, '-', (size_t)plan->last_id + 1);
	for (size_t i = 0; i < phase->step_count; i++) {
		const struct step *step = &phase->steps[i];
		struct drift_wait *wait =
		    arena_new_of(host->arena, struct drift_wait);

		wait->host = host;
		wait->step = step;
		buf_reset(&params);
		buf_reset(&data);
		json_write(&params, step->params);
		change_data(&data, run->o.change, host->host,
		    run_blob(run, host->host->facts),
		    run_blob(run, host->host->plan_vars), step, changed, NULL,
		    bytes_of(""));
		fleet_probe(run->o.fleet, host->index, step->module,
		    buf_bytes(&params), buf_bytes(&data), PROBE_TIMEOUT_MS,
		    step_drift_seen, wait);
		changed[step->id] =
		    change_foretold(host->host->steps[step->id].verdict);
	}
	buf_free(&params);
	buf_free(&data);
}
