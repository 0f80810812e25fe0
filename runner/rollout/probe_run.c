/*
 * Asking a host about one step: what the question is made of, and what the
 * answer leaves behind.
 */
#include "rollout/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What went before on this host, for changed("..."): one char a step id. Asked
 * about the step behind an open one, that one is taken for done: where it is
 * not, the answer is dropped (step_take_ahead). */
static char *
step_changed(struct host_run *host, const struct step *step)
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
		case STEP_OPEN:
			changed[id] = step != host->step ? 'y' : '-';
			break;
		case STEP_WAITING:
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
	change_data(&data, run->o.change, host->host, facts_of(host),
	    facts_vars(host), &shown, step_changed(host, step), before, pin);
	fleet_probe(run->o.fleet, place_index(host), step->module,
	    buf_bytes(&params), buf_bytes(&data), behind_ms + PROBE_TIMEOUT_MS,
	    done, host);
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

/* Is the boot of this life another than that of the life now? */
static bool
step_other_boot(const char *then, const char *life)
{
	size_t boot = strcspn(life, " ");

	return boot > 0 && then[0] != '\0' &&
	       (strcspn(then, " ") != boot || strncmp(then, life, boot) != 0);
}

/* What ended at a place while its host was in another boot, as far as was
 * known: did the host boot since, or before that, unnoticed? It did since, too,
 * where the handler was launched after it and in another boot. */
static const char *
step_ended_there(const struct host_run *host, const struct step_fold *fold,
    const struct step_fold *handler)
{
	const struct life_fold *now = &host->fold->now;
	int64_t boot_ms =
	    now->opened_ms - (int64_t)(strtod(now->opened, NULL) * 1000);
	bool since = fold->ended_ms < boot_ms ||
		     (handler->launched_ms >= fold->ended_ms &&
			 step_other_boot(handler->life, host->life));

	return since ? "0" : now->opened;
}

/* When the step ended, by the uptime of the boot that runs now on its host,
 * wherever it was launched: "0" where that was before this boot, "" where
 * nobody knows. */
static const char *
step_ended(const struct host_run *host, int id, const struct step *handler)
{
	const struct step_fold *fold = &host->fold->steps[id];
	bool there = host->host->steps[id].place >= 0;

	if (!step_other_boot(there ? fold->boot : fold->life, host->life))
		return fold->uptime;
	return there ? step_ended_there(
			   host, fold, &host->fold->steps[handler->id])
		     : "0";
}

const char *
step_before(const struct host_run *host, const struct step *step, bool back)
{
	const struct plan *plan = host->run->o.change->plan;
	const char *latest = NULL;

	/* launched in an earlier boot: this boot is younger than that */
	if (!step->handler &&
	    step_other_boot(host->fold->steps[step->id].life, place_life(host)))
		return "0";
	if (!step->handler)
		return place_opened_at(host)[0] != '\0' ? place_opened_at(host)
							: NULL;
	for (int id = 1; id <= plan->last_id; id++) {
		const struct step_fold *fold = &host->fold->steps[id];
		const struct step *other = plan->by_id[id];
		const char *ended = step_ended(host, id, step);

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

void
step_put_name(const struct host_run *host, struct arena *arena,
    struct json *body, const struct step *step)
{
	const struct change_host *where =
	    plan_is_guard_act(step)
		? host->host
		: change_where(host->run->o.change, host->host, step);

	json_put_text(arena, body, "name", step->name);
	if (where != host->host)
		json_put_text(arena, body, "place", where->name);
}

struct json *
step_body(struct host_run *host)
{
	struct json *body = json_map(host->arena);

	step_put_name(host, host->arena, body, host->step);
	return body;
}
