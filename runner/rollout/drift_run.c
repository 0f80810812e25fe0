/*
 * Drift, once a host before its first step: every step is probed and held
 * against the preview, in one round trip.
 */
#include "rollout/inside.h"
#include "base/i18n.h"

#include <stdio.h>
#include <string.h>

/* Any difference counts, also one that looks like the work done: what else
 * whoever did it did (or left undone: a restart) nobody approved. */
static bool
step_as_previewed(const struct change_step *previewed, const struct seen *now)
{
	static const enum change_verdict of[] = {CHANGE_SAME, CHANGE_CHANGES,
	    CHANGE_SKIP, CHANGE_DEPENDS, CHANGE_CANNOT_TELL};

	if (previewed->verdict == CHANGE_DEPENDS)
		return true;
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
	/* also where the connection went with it, as it does with a probe that
	 * hangs: another would hang as long */
	if (host->drift_text[0] != '\0') {
		host_end(host, RECORD_HOST_EXCLUDED, host->drift_text);
	} else if (!host->now.connected) {
		host_next(host);
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
	const struct phase *phase = host->phase;
	struct buf params = BUF_INIT, data = BUF_INIT;
	char *changed;

	arena_free(host->arena);
	host->arena = arena_new();
	host->drift_text[0] = '\0';
	host->first =
	    arena_array(host->arena, struct seen, (size_t)plan->last_id + 1);
	host->first_left = 1; /* till all are asked */
	/* as the preview asked: with what it foretold of the steps before */
	changed = arena_alloc(host->arena, (size_t)plan->last_id + 1);
	memset(changed, '-', (size_t)plan->last_id + 1);
	for (int id = 1; id <= plan->last_id; id++) {
		const struct step *step = plan->by_id[id];

		if (step->phase < host->fold->phase && !step->of_rollback &&
		    change_has_step(host->host, step))
			changed[id] =
			    change_foretold(host->host->steps[id].verdict);
	}
	for (size_t i = 0; i < phase->step_count; i++) {
		const struct step *step = &phase->steps[i];
		struct drift_wait *wait =
		    arena_new_of(host->arena, struct drift_wait);

		if (host->host->steps[step->id].place >= 0) {
			/* judged when its turn comes, at its place */
			changed[step->id] = change_foretold(
			    host->host->steps[step->id].verdict);
			continue;
		}
		host->first_left++;
		wait->host = host;
		wait->step = step;
		buf_reset(&params);
		buf_reset(&data);
		json_write(&params, step->params);
		change_data(&data, run->o.change, host->host, facts_of(host),
		    facts_vars(host), step, changed, NULL, bytes_of(""));
		fleet_probe(run->o.fleet, host->index, step->module,
		    buf_bytes(&params), buf_bytes(&data), PROBE_TIMEOUT_MS,
		    step_drift_seen, wait);
		changed[step->id] =
		    change_foretold(host->host->steps[step->id].verdict);
	}
	buf_free(&params);
	buf_free(&data);
	step_drift_over(host);
}
