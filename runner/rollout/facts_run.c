/*
 * A host that was away at the preview (unpreviewed: allow): its facts and the
 * plan's vars: of it are fixed when it is back, once, before it is touched;
 * from then on they are in the journal as a preview's are in the change.
 */
#include "base/i18n.h"
#include "rollout/inside.h"

#include <stdio.h>

enum { FACTS_EVAL_MS = 10000 };

struct bytes
facts_of(struct host_run *host)
{
	return run_blob(host->run, change_is_away(host->host)
				       ? host->fold->host->facts
				       : host->host->facts);
}

struct bytes
facts_vars(struct host_run *host)
{
	return run_blob(host->run, change_is_away(host->host)
				       ? host->fold->host->plan_vars
				       : host->host->plan_vars);
}

bool
facts_wanted(const struct host_run *host)
{
	const struct change_fold *fold = host->run->o.fold;

	if (!change_is_away(host->host) || host->asked)
		return false;
	for (size_t p = 0; p < fold->phase_count; p++)
		if (host->fold->host->parts[p] != NULL &&
		    host->fold->host->parts[p]->touched)
			return false;
	return true;
}

static void
facts_data(struct host_run *host, struct bytes facts, struct buf *out)
{
	change_data(out, host->run->o.change, host->host, facts, bytes_of(""),
	    NULL, NULL, NULL, bytes_of(""));
}

static const char *
facts_keep(struct host_run *host, struct bytes text)
{
	struct run *run = host->run;
	const char *sha256 = blobs_put(run->o.change->blobs, text);

	run_keep_blob(run, sha256);
	return sha256;
}

static void
facts_record(struct host_run *host, struct bytes vars)
{
	struct arena *arena = arena_new();
	struct json *body = json_map(arena);

	host->asked = true;
	json_put_text(arena, body, "facts", host->asked_facts);
	json_put_text(arena, body, "plan_vars", facts_keep(host, vars));
	run_record(host->run, host, RECORD_HOST_ASKED, 0, 0, NULL, body,
	    step_recorded, host);
	arena_free(arena);
}

static void
facts_valued(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct buf vars = BUF_INIT;

	if (host_lost_connection(host, answer))
		;
	else if (answer->kind != ANSWER_VALUE)
		host_end(host, RECORD_HOST_EXCLUDED, answer->text);
	else if (change_vars_map(arena, host->run->o.change->plan, answer->json,
		     &vars, &err) < 0)
		host_end(host, RECORD_HOST_EXCLUDED, err.text);
	else
		facts_record(host, buf_bytes(&vars));
	buf_free(&vars);
	arena_free(arena);
}

static void
facts_seen(void *arg, const struct answer *answer)
{
	struct host_run *host = arg;
	const struct plan *plan = host->run->o.change->plan;
	struct arena *arena;
	struct json *list;
	struct buf texts = BUF_INIT, data = BUF_INIT;

	if (host_lost_connection(host, answer))
		return;
	if (answer->kind != ANSWER_SEEN) {
		host_end(host, RECORD_HOST_EXCLUDED, answer->text);
		return;
	}
	snprintf(host->asked_facts, sizeof(host->asked_facts), "%s",
	    facts_keep(host, answer->seen));
	arena = arena_new();
	list = json_list(arena);
	for (size_t i = 0; i < plan->var_count; i++)
		json_add(arena, list, json_text(arena, plan->vars[i].text));
	json_write(&texts, list);
	facts_data(host, run_blob(host->run, host->asked_facts), &data);
	fleet_eval(host->run->o.fleet, buf_bytes(&texts), buf_bytes(&data),
	    FACTS_EVAL_MS, facts_valued, host);
	buf_free(&texts);
	buf_free(&data);
	arena_free(arena);
}

void
facts_ask(struct host_run *host)
{
	struct buf data = BUF_INIT;

	facts_data(host, bytes_of(""), &data);
	fleet_probe(host->run->o.fleet, host->index, "facts", bytes_of("{}"),
	    buf_bytes(&data), PROBE_TIMEOUT_MS, facts_seen, host);
	buf_free(&data);
}
