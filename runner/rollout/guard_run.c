/*
 * Telling a host about its dead-man: each word is a launch with an intent and
 * a ticket, and the host's answer is the verdict.
 */
#include "rollout/guard.h"
#include "base/i18n.h"
#include "rollout/inside.h"

#include <stdlib.h>
#include <string.h>

enum {
	GUARD_LAUNCHES = 5, /* attempts of a step that may be sealed */
	GUARD_PATIENCE_MS = 60 * 1000, /* beyond its time: boot and way back */
	GUARD_RECONNECT_MS = 3000,
};

/* The keys of all that may still be launched under the guard. */
static size_t
guard_xids(
    const struct host_run *host, const struct guard *guard, char (*xids)[33])
{
	size_t count = 0;

	for (size_t i = 0; i < host->phase->order_count; i++) {
		const struct step *step = host->phase->order[i];

		if (step->guard != guard)
			continue;
		for (int n = 1; n <= GUARD_LAUNCHES; n++)
			step_xid(host, step->id, false,
			    host->fold->steps[step->id].attempts + n,
			    xids[count++]);
	}
	return count;
}

void
guard_tell(struct host_run *host, int id)
{
	struct run *run = host->run;
	const struct step *act = run->o.change->plan->by_id[id];
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	const char *script;
	char(*xids)[33];
	size_t count;

	arena_free(host->arena);
	host->arena = arena_new();
	host->first = NULL;
	host->ahead = NULL;
	host->step = act;
	memset(&host->seen, 0, sizeof(host->seen));
	xids = arena_alloc(host->arena,
	    (host->phase->order_count + 1) * GUARD_LAUNCHES * sizeof(*xids));
	count = guard_xids(host, act->guard, xids);
	if (change_guard_script(&text, run->o.change, host->host, act,
		(const char(*)[33])xids, count, &err) < 0) {
		run_fail(run, &err);
	} else {
		script = blobs_put(run->o.change->blobs, buf_bytes(&text));
		step_launch(host, false, script, step_body(host));
	}
	buf_free(&text);
}

bool
guard_arms(struct host_run *host)
{
	const struct guard *guard = host->step->guard;

	if (guard == NULL ||
	    host->fold->steps[guard->acts[GUARD_ARM].id].state != STEP_WAITING)
		return false;
	guard_tell(host, guard->acts[GUARD_ARM].id);
	return true;
}

void
guard_told(struct host_run *host)
{
	const struct step *act = host->step;
	const struct step_fold *fold = &host->fold->steps[act->id];
	struct guard_judgement answer;

	guard_judge(plan_guard_act(act), &host->outcome, &answer);
	if (answer.judged.kind == RECORD_STEP_DONE)
		host->now.guard_asked = true;
	json_put_text(host->arena, host->told, "guard", answer.word);
	if (answer.judged.why[0] != '\0')
		json_put_text(
		    host->arena, host->told, "why", answer.judged.why);
	json_put_text(host->arena, host->told, "uptime", host->uptime);
	guard_wait(host);
	run_record(host->run, host, answer.judged.kind, act->id, fold->attempts,
	    fold->xid, host->told, step_recorded, host);
}

void
guard_wait(struct host_run *host)
{
	const struct plan *plan = host->run->o.change->plan;
	int64_t most = 0;

	for (size_t g = 0; g < plan->guard_count; g++)
		if (plan->guards[g]->time_ms > most)
			most = plan->guards[g]->time_ms;
	host->guard_until_ms =
	    loop_now_ms(host->run->o.loop) + most + GUARD_PATIENCE_MS;
}

int64_t
guard_patience(struct host_run *host)
{
	if (guard_of_part(host->run->o.change->plan, host->fold) == NULL)
		return 0;
	if (host->guard_until_ms == 0)
		guard_wait(host);
	return loop_now_ms(host->run->o.loop) < host->guard_until_ms
		   ? GUARD_RECONNECT_MS
		   : 0;
}
