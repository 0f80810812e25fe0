/*
 * One step on the way there: is it met, may it run, launch it.
 */
#include "rollout/inside.h"
#include "base/i18n.h"

#include <stdio.h>
#include <string.h>

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

	/* what is left was entered by this very change */
	drift = judge_drift(previewed, &host->seen,
	    step->of_rollback || step->around == AROUND_LEAVE, &why);
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
	if (guard_arms(host))
		return;
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
	    !step->handler && host->place == NULL) {
		host->seen = host->first[id];
		step_decide(host);
		return;
	}
	if (step_take_ahead(host, step)) {
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
