/*
 * One step on the way back: probe (is now what we left?), intent, the undo
 * script fixed when the step was launched, probe again, proof.
 */
#include "rollout/inside.h"
#include "base/i18n.h"

#include <stdio.h>
#include <string.h>

static void
undo_recorded(void *arg, struct ticket *ticket)
{
	(void)ticket;
	host_next(arg);
}

/* What tells readers of the journal that nothing was undone here. */
static const char *
undo_again_word(const struct step *step)
{
	return step->handler ? "handler" : "around";
}

static void
undo_record(struct host_run *host, enum record_kind kind, const char *why)
{
	const struct step_fold *fold = &host->fold->steps[host->step->id];
	struct json *body = step_body(host);

	if (why[0] != '\0')
		json_put_text(host->arena, body, "why", why);
	if (plan_runs_again(host->step))
		json_put_bool(
		    host->arena, body, undo_again_word(host->step), true);
	run_record(host->run, host, kind, host->step->id, fold->undo_attempts,
	    fold->xid, body, undo_recorded, host);
}

static void
undo_go(struct host_run *host)
{
	const struct step *step = host->step;
	const struct step_fold *fold = &host->fold->steps[step->id];
	struct json *body = step_body(host);
	const char *script =
	    plan_runs_again(step) ? host->seen.apply : fold->undo_script;
	char copy[65];

	snprintf(copy, sizeof(copy), "%s", script);
	if (copy[0] == '\0') {
		undo_record(host, RECORD_UNDO_STOPPED,
		    N_("its module wrote no way back"));
		return;
	}
	json_put_text(host->arena, body, "seen", host->seen.seen);
	/* what the probe behind it compares with: the step's own want */
	if (!plan_runs_again(step))
		snprintf(
		    host->seen.want, sizeof(host->seen.want), "%s", fold->want);
	json_put_text(host->arena, body, "want", host->seen.want);
	step_launch(host, true, copy, body);
}

static void
undo_seen(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;
	const struct step_fold *fold = &host->fold->steps[host->step->id];

	if (host_lost_connection(host, answer))
		return;
	if (answer->kind != ANSWER_SEEN) {
		char line[1200];

		snprintf(line, sizeof(line), _("step \"%s\": %s"),
		    host->step->name, answer->text);
		host_end(host, RECORD_HOST_STUCK, line);
		return;
	}
	step_take_seen(host, answer, &host->seen);
	if (plan_runs_again(host->step) && host->seen.verdict == SEEN_SAME) {
		undo_record(host, RECORD_UNDO_DONE,
		    host->step->handler
			? N_("met already: it happened after the undo")
			: N_("met already"));
		return;
	}
	if (plan_runs_again(host->step)) {
		undo_go(host);
		return;
	}
	switch (judge_undo_start(fold, &host->seen)) {
	case UNDO_START_GO:
		undo_go(host);
		return;
	case UNDO_START_BACK_ALREADY:
		undo_record(host, RECORD_UNDO_DONE,
		    N_("it is as it was before already"));
		return;
	case UNDO_START_CONFLICT:
		undo_record(host, RECORD_UNDO_CONFLICT,
		    N_("somebody else changed it since; a person must look"));
		return;
	}
}

static void
undo_probe(struct host_run *host, int id, fleet_done *done)
{
	const struct plan *plan = host->run->o.change->plan;
	const struct step_fold *fold = &host->fold->steps[id];

	arena_free(host->arena);
	host->arena = arena_new();
	host->first = NULL;
	host->ahead = NULL;
	host->step = plan->by_id[id];
	step_probe(host, host->step, false, step_before(host, host->step, true),
	    plan_runs_again(host->step) ? bytes_of("")
					: run_blob(host->run, fold->want),
	    0, done);
}

void
undo_start(struct host_run *host, int id)
{
	undo_probe(host, id, undo_seen);
}

void
undo_judge(struct host_run *host)
{
	const struct step_fold *fold = &host->fold->steps[host->step->id];
	struct judgement judged;

	if (plan_runs_again(host->step))
		judge_handler_again(&host->outcome, &host->seen, &judged);
	else
		judge_undo(&host->outcome, &host->seen, fold->seen, &judged);
	if (judged.why[0] != '\0')
		json_put_text(host->arena, host->told, "why", judged.why);
	json_put_text(host->arena, host->told, "seen", host->seen.seen);
	json_put_text(host->arena, host->told, "uptime", host->uptime);
	if (!host->seen.have)
		json_put_bool(host->arena, host->told, "blind", true);
	if (judge_runs_on(&host->outcome))
		json_put_bool(host->arena, host->told, "unasked", true);
	if (plan_runs_again(host->step))
		json_put_bool(
		    host->arena, host->told, undo_again_word(host->step), true);
	run_record(host->run, host, judged.kind, host->step->id,
	    fold->undo_attempts, fold->xid, host->told, undo_recorded, host);
}

/* ---- rollback: [steps] ---- */

static void
undo_unproved(struct host_run *host)
{
	const struct step_fold *fold = &host->fold->steps[host->step->id];
	struct json *body = step_body(host);

	json_put_text(host->arena, body, "why",
	    N_("its rollback steps ended well; it has no probe that could "
	       "prove more"));
	json_put_bool(host->arena, body, "unproved", true);
	run_record(host->run, host, RECORD_UNDO_DONE, host->step->id,
	    fold->undo_attempts, fold->xid, body, undo_recorded, host);
}

static void
undo_prove_seen(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;
	const struct step_fold *fold = &host->fold->steps[host->step->id];

	if (host_lost_connection(host, answer))
		return;
	if (answer->kind == ANSWER_SEEN)
		step_take_seen(host, answer, &host->seen);
	if (answer->kind == ANSWER_SEEN && !host->seen.have) {
		undo_unproved(host);
		return;
	}
	if (answer->kind == ANSWER_SEEN &&
	    strcmp(host->seen.seen, fold->seen) == 0) {
		undo_record(host, RECORD_UNDO_DONE, "");
		return;
	}
	undo_record(host, RECORD_UNDO_CONFLICT,
	    N_("its rollback steps ended well but the probe afterwards does "
	       "not show the state before"));
}

void
undo_prove(struct host_run *host, int id)
{
	const struct step_fold *fold = &host->fold->steps[id];

	if (fold->seen[0] != '\0') {
		undo_probe(host, id, undo_prove_seen);
		return;
	}
	host->step = host->run->o.change->plan->by_id[id];
	undo_unproved(host);
}

/* ---- rollback: stop ---- */

static void
undo_stopped(struct host_run *host)
{
	const char *because = host->step->because;

	undo_record(host, RECORD_UNDO_STOPPED, because != NULL ? because : "");
}

static void
undo_stop_seen(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;
	const struct step_fold *fold = &host->fold->steps[host->step->id];

	if (host_lost_connection(host, answer))
		return;
	if (answer->kind == ANSWER_SEEN)
		step_take_seen(host, answer, &host->seen);
	if (answer->kind == ANSWER_SEEN && host->seen.have &&
	    strcmp(host->seen.seen, fold->seen) == 0)
		undo_record(host, RECORD_UNDO_DONE,
		    N_("it is as it was before already"));
	else
		undo_stopped(host);
}

void
undo_stop(struct host_run *host, int id)
{
	if (host->fold->steps[id].seen[0] != '\0') {
		undo_probe(host, id, undo_stop_seen);
		return;
	}
	host->step = host->run->o.change->plan->by_id[id];
	undo_stopped(host);
}
