/*
 * Freezing: a change as one canonical JSON document. What is in it is what an
 * approval covers; nothing that decides what runs may be left out.
 */
#include "change/change.h"
#include "digest/digest.h"

#include <stdlib.h>
#include <string.h>

#define FREEZE_FORMAT "hoshu-change/2"

static struct json *
freeze_steps(struct arena *arena, const struct plan *plan,
    const struct change_host *host)
{
	struct json *list = json_list(arena);

	for (int id = 1; id <= plan->last_id; id++) {
		const struct change_step *step = &host->steps[id];
		struct json *map = json_add(arena, list, json_map(arena));

		json_put_int(arena, map, "id", id);
		json_put_text(
		    arena, map, "verdict", change_verdict_word(step->verdict));
		json_put_text(arena, map, "seen", step->seen);
		json_put_text(arena, map, "want", step->want);
		json_put_text(arena, map, "apply", step->apply);
		json_put_text(arena, map, "undo", step->undo);
		json_put_text(arena, map, "effects", step->effects);
		json_put_text(arena, map, "diff", step->diff);
		json_put_text(arena, map, "summary", step->summary);
		json_put_text(arena, map, "reason", step->reason);
		if (step->place >= 0)
			json_put_int(arena, map, "place", step->place);
	}
	return list;
}

static void
freeze_guards(struct arena *arena, const struct plan *plan,
    const struct change_host *host, struct json *map)
{
	struct json *list = json_list(arena);

	for (size_t g = 0; g < plan->guard_count; g++)
		json_add(arena, list, json_text(arena, host->guards[g]));
	if (plan->guard_count > 0)
		json_put(arena, map, "guards", list);
}

static struct json *
freeze_host_waves(struct arena *arena, const struct plan *plan,
    const struct change_host *host)
{
	struct json *list = json_list(arena);

	for (size_t p = 0; p < plan->phase_count; p++)
		json_add(arena, list, json_int(arena, host->waves[p]));
	return list;
}

static struct json *
freeze_places(struct arena *arena, const struct change *change)
{
	struct json *list = json_list(arena);

	for (size_t i = 0; i < change->place_count; i++) {
		const struct change_host *place = &change->places[i];
		struct json *map = json_add(arena, list, json_map(arena));

		json_put_text(arena, map, "name", place->name);
		json_put_text(arena, map, "address", place->address);
		json_put_int(arena, map, "port", place->port);
		json_put_text(arena, map, "user", place->user);
		json_put_text(arena, map, "become", place->become);
		json_put_text(arena, map, "readonly", place->readonly);
		json_put_text(arena, map, "gaps", place->gaps);
	}
	return list;
}

static struct json *
freeze_hosts(struct arena *arena, const struct change *change, bool steps)
{
	struct json *list = json_list(arena);

	for (size_t i = 0; i < change->host_count; i++) {
		const struct change_host *host = &change->hosts[i];
		struct json *map = json_add(arena, list, json_map(arena));

		json_put_text(arena, map, "name", host->name);
		json_put_text(arena, map, "address", host->address);
		json_put_int(arena, map, "port", host->port);
		json_put_text(arena, map, "user", host->user);
		json_put_text(arena, map, "become", host->become);
		json_put(arena, map, "groups", host->groups);
		json_put(arena, map, "vars", host->vars);
		json_put_text(arena, map, "facts", host->facts);
		json_put_text(arena, map, "plan_vars", host->plan_vars);
		json_put(arena, map, "waves",
		    freeze_host_waves(arena, change->plan, host));
		if (change_is_away(host))
			json_put_text(arena, map, "away", host->away);
		if (!steps)
			continue;
		json_put_text(arena, map, "readonly", host->readonly);
		json_put_text(arena, map, "gaps", host->gaps);
		json_put(arena, map, "steps",
		    freeze_steps(arena, change->plan, host));
		freeze_guards(arena, change->plan, host, map);
	}
	return list;
}

/* What every step was bound to: files and templates by what they held. */
static struct json *
freeze_plan_steps(struct arena *arena, const struct plan *plan)
{
	struct json *list = json_list(arena);

	for (int id = 1; id <= plan->last_id; id++) {
		const struct step *step = plan->by_id[id];
		struct json *map = json_add(arena, list, json_map(arena));

		json_put_int(arena, map, "id", id);
		json_put_text(arena, map, "name", step->name);
		json_put_text(arena, map, "module", step->module);
		json_put(arena, map, "params", step->params);
		if (step->reboots)
			json_put_bool(arena, map, "reboots", true);
	}
	return list;
}

/* What every check was bound to (a CA by its text, not by its file). */
static struct json *
freeze_checks(struct arena *arena, const struct plan *plan)
{
	struct json *list = json_list(arena);

	for (size_t i = 0; i < plan->check_count; i++)
		json_add(arena, list, plan->checks[i].spec);
	return list;
}

static struct json *
freeze_waves(struct arena *arena, const struct change *change)
{
	struct json *list = json_list(arena);

	for (size_t i = 0; i < change->wave_count; i++) {
		const struct change_wave *wave = &change->waves[i];
		struct json *map = json_add(arena, list, json_map(arena));

		json_put_text(arena, map, "name", wave->name);
		json_put_int(arena, map, "phase", wave->phase);
		json_put_int(arena, map, "at_once", wave->at_once);
		json_put_int(arena, map, "soak_ms", wave->soak_ms);
	}
	return list;
}

/* What was not said too: it is approved as it is now. */
static struct json *
freeze_back_limits(struct arena *arena, const struct change *change)
{
	struct json *list = json_list(arena);

	for (size_t p = 0; p < change->plan->phase_count; p++)
		json_add(arena, list,
		    json_int(arena, change_back_limit(change, (int)p)));
	return list;
}

static struct json *
freeze_modules(struct arena *arena, const struct change *change)
{
	struct json *list = json_list(arena);

	for (size_t i = 0; i < change->module_count; i++) {
		struct json *map = json_add(arena, list, json_map(arena));

		json_put_text(arena, map, "name", change->modules[i].name);
		json_put_text(arena, map, "sha256", change->modules[i].sha256);
	}
	return list;
}

/* Files of steps that the plan uses. */
static struct json *
freeze_used(struct arena *arena, struct change *change)
{
	struct json *list = json_list(arena);

	for (size_t i = 0; i < change->plan->used_count; i++) {
		const struct plan_used *used = &change->plan->used[i];
		struct json *map = json_add(arena, list, json_map(arena));

		json_put_text(arena, map, "name", used->name);
		json_put_text(
		    arena, map, "sha256", blobs_put(change->blobs, used->text));
	}
	return list;
}

void
change_freeze(struct arena *arena, struct change *change)
{
	struct json *doc = json_map(arena);
	struct json *plan = json_map(arena);
	struct buf text = BUF_INIT;

	json_put_text(arena, doc, "format", FREEZE_FORMAT);
	json_put_text(arena, doc, "title", change->title);
	json_put_text(arena, plan, "file", change->plan->file);
	json_put_text(arena, plan, "sha256", change->plan_sha256);
	json_put(arena, plan, "used", freeze_used(arena, change));
	json_put(arena, doc, "plan", plan);
	json_put(arena, doc, "inputs", change->inputs);
	json_put(arena, doc, "hosts", freeze_hosts(arena, change, true));
	json_put(arena, doc, "places", freeze_places(arena, change));
	json_put(arena, doc, "waves", freeze_waves(arena, change));
	json_put(arena, doc, "modules", freeze_modules(arena, change));
	json_put(arena, doc, "files", change->files);
	if (change_asks(arena, change) != NULL)
		json_put(arena, doc, "asks", change_freeze_asks(arena, change));
	json_put(arena, doc, "steps", freeze_plan_steps(arena, change->plan));
	json_put(arena, doc, "checks", freeze_checks(arena, change->plan));
	json_put_int(arena, doc, "approvals", change->approvals);
	json_put_bool(arena, doc, "solo", change->solo);
	json_put_int(arena, doc, "in_flight", change->in_flight);
	json_put(arena, doc, "unreverted", freeze_back_limits(arena, change));
	json_put_int(arena, doc, "preview_ms", change->preview_ms);
	json_write(&text, doc);
	change->digest = blobs_put(change->blobs, buf_bytes(&text));
	buf_free(&text);
}

/* The digest of what pick says of every host and step, a line each. */
static const char *
freeze_digest_steps(struct arena *arena, const struct change *change,
    void (*pick)(struct buf *out, const struct step *step,
	const struct change_step *previewed),
    bool guards)
{
	struct buf text = BUF_INIT;
	struct digest digest;

	for (size_t i = 0; i < change->host_count; i++)
		for (int id = 1; id <= change->plan->last_id; id++) {
			buf_printf(&text, "%s %d ", change->hosts[i].name, id);
			pick(&text, change->plan->by_id[id],
			    &change->hosts[i].steps[id]);
			buf_putc(&text, '\n');
		}
	for (size_t i = 0; guards && i < change->host_count; i++)
		for (size_t g = 0; g < change->plan->guard_count; g++)
			buf_printf(&text, "%s guard %zu %s\n",
			    change->hosts[i].name, g,
			    change->hosts[i].guards[g]);
	digest_of(buf_bytes(&text), &digest);
	buf_free(&text);
	return arena_strdup(arena, digest.hex);
}

static void
pick_script(struct buf *out, const struct step *step,
    const struct change_step *previewed)
{
	if (!step->of_rollback)
		buf_puts(out, previewed->apply);
}

static void
pick_rollback(struct buf *out, const struct step *step,
    const struct change_step *previewed)
{
	buf_printf(out, "%d %s", (int)step->back,
	    step->of_rollback ? previewed->apply : previewed->undo);
}

static void
pick_preview(struct buf *out, const struct step *step,
    const struct change_step *previewed)
{
	(void)step;
	buf_printf(out, "%s %s %s %s %s %s",
	    change_verdict_word(previewed->verdict), previewed->seen,
	    previewed->want, previewed->effects, previewed->diff,
	    previewed->summary);
}

static const char *
freeze_digest_json(struct arena *arena, const struct json *value)
{
	struct buf text = BUF_INIT;
	struct digest digest;

	json_write(&text, value);
	digest_of(buf_bytes(&text), &digest);
	buf_free(&text);
	return arena_strdup(arena, digest.hex);
}

void
change_statement(struct arena *arena, const struct change *change,
    struct statement *statement)
{
	struct json *hosts;

	memset(statement, 0, sizeof(*statement));
	statement->change = change->number;
	statement->title = change->title;
	statement->digest = change->digest;
	statement->plan_sha256 = change->plan_sha256;
	statement->plan_file = change->plan->file;
	statement->hosts = (int)change->host_count;
	hosts = freeze_hosts(arena, change, false);
	if (change->place_count > 0) /* places are approved like hosts */
		json_add(arena, hosts, freeze_places(arena, change));
	statement->hosts_sha256 = freeze_digest_json(arena, hosts);
	statement->modules_sha256 =
	    freeze_digest_json(arena, freeze_modules(arena, change));
	statement->scripts_sha256 =
	    freeze_digest_steps(arena, change, pick_script, false);
	statement->rollback_sha256 =
	    freeze_digest_steps(arena, change, pick_rollback, true);
	statement->preview_sha256 =
	    freeze_digest_steps(arena, change, pick_preview, false);
	statement->in_flight = change->in_flight;
	statement->not_taken_back = change_not_taken_back(arena, change);
	statement->dead_man = change_dead_man(arena, change);
	statement->asks = change_asks(arena, change);
	statement->not_previewed = change_not_previewed(arena, change);
	statement->later_ms = change->plan->later_ms;
}
