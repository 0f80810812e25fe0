/*
 * Asks the hosts: one read-only connection each, facts, the plan's variables,
 * then a probe a step in order. Changes nothing, anywhere.
 */
#include "base/i18n.h"
#include "preview/preview.h"

#include <stdio.h>
#include <string.h>

enum {
	ASK_PROBE_MS = 120 * 1000,
	ASK_EVAL_MS = 10 * 1000,
	ASK_AGAIN_MAX = 3, /* connections lost amid the questions */
};

struct ask;

struct ask_host {
	struct ask *ask;
	int index;
	struct change_host *host;
	int step; /* id in hand */
	int again;
	char *changed; /* foretold so far, by step id */
	struct json *params;
};

struct ask_place {
	struct ask *ask;
	int index; /* in the fleet */
	struct change_host *place;
};

struct ask {
	struct preview_options o;
	struct change *change;
	struct arena *arena;
	struct ask_host *hosts;
	size_t left; /* hosts to come */
	struct ask_place *places;
	size_t places_left; /* connecting */
};

static void ask_connect(struct ask_host *host);
static void ask_step(struct ask_host *host);

static void
ask_over(struct ask_host *host)
{
	struct ask *ask = host->ask;

	fleet_disconnect(ask->o.fleet, host->index);
	if (--ask->left == 0)
		loop_stop(ask->o.loop);
}

static void
ask_trouble(struct ask_host *host, const char *text)
{
	host->host->trouble = arena_strdup(host->ask->arena, text);
	ask_over(host);
}

/* The connection, or the worker that had it, is gone, perhaps because of another
 * host: ask on over a new one. */
static bool
ask_again(struct ask_host *host, const struct answer *answer)
{
	if (answer->kind != ANSWER_FAILED ||
	    strcmp(answer->why, "connection") != 0 ||
	    host->again >= ASK_AGAIN_MAX)
		return false;
	host->again++;
	fleet_disconnect(host->ask->o.fleet, host->index);
	ask_connect(host);
	return true;
}

static const char *
ask_keep(struct ask_host *host, struct bytes text)
{
	return blobs_put(host->ask->change->blobs, text);
}

static struct bytes
ask_blob(struct ask_host *host, const char *sha256)
{
	struct bytes data = {"", 0};
	struct err err = ERR_INIT;

	if (blobs_get(host->ask->change->blobs, sha256, &data, &err) < 0)
		bug("%s", err.text);
	return data;
}

static void
ask_data(struct ask_host *host, const struct step *step, struct buf *out)
{
	change_data(out, host->ask->change, host->host,
	    ask_blob(host, host->host->facts),
	    ask_blob(host, host->host->plan_vars), step, host->changed, NULL,
	    bytes_of(""));
}

static enum change_verdict
ask_verdict(enum seen_verdict verdict)
{
	switch (verdict) {
	case SEEN_SAME:
		return CHANGE_SAME;
	case SEEN_CHANGE:
		return CHANGE_CHANGES;
	case SEEN_SKIP:
		return CHANGE_SKIP;
	case SEEN_DEPENDS:
		return CHANGE_DEPENDS;
	case SEEN_CANNOT_TELL:
		return CHANGE_CANNOT_TELL;
	}
	bug("verdict %d", (int)verdict);
}

/* Does any step that will (or may) change something notify this handler? */
static bool
ask_notified(const struct ask_host *host, int handler)
{
	const struct plan *plan = host->ask->change->plan;

	for (int id = 1; id <= plan->last_id; id++) {
		const struct step *step = plan->by_id[id];

		if (host->changed[id] != 'y' && host->changed[id] != '?')
			continue;
		for (size_t i = 0; i < step->notify_count; i++)
			if (step->notify[i] == handler)
				return true;
	}
	return false;
}

/* A fault in a module has its place there; another has the step's. */
static void
ask_step_trouble(
    struct ask_host *host, const struct step *step, const struct answer *answer)
{
	char text[1400];

	if (answer->file != NULL && answer->file[0] != '\0')
		snprintf(text, sizeof(text), _("%s:%d: step \"%s\": %s"),
		    answer->file, answer->line, step->name, answer->text);
	else
		snprintf(text, sizeof(text),
		    _("%s:%d:%d: step \"%s\", module %s: %s"), step->place.file,
		    step->place.line, step->place.col, step->name, step->module,
		    answer->text);
	ask_trouble(host, text);
}

static const char *
ask_line(struct ask_host *host, struct bytes text)
{
	return arena_copy(host->ask->arena, text.data, text.len);
}

static void
ask_seen(void *arg, const struct answer *answer)
{
	struct ask_host *host = arg;
	const struct step *step = host->ask->change->plan->by_id[host->step];
	struct change_step *out = &host->host->steps[host->step];

	if (ask_again(host, answer))
		return;
	if (answer->kind != ANSWER_SEEN) {
		ask_step_trouble(host, step, answer);
		return;
	}
	out->verdict = ask_verdict(answer->seen_verdict);
	out->seen = ask_keep(host, answer->seen);
	out->want = ask_keep(host, answer->want);
	out->apply = ask_keep(host, answer->apply);
	out->undo = ask_keep(host, answer->undo);
	out->effects = ask_keep(host, answer->effects);
	out->diff = ask_keep(host, answer->diff);
	out->summary = ask_line(host, answer->summary);
	out->reason = ask_line(host, answer->reason);
	if (step->handler && !ask_notified(host, step->id)) {
		out->verdict = CHANGE_SKIP;
		out->reason = N_("nothing that notifies it will change");
	}
	if (step->around == AROUND_LEAVE && out->verdict == CHANGE_SAME) {
		out->verdict = CHANGE_DEPENDS;
		out->reason = N_("met now; not any more once the host has been "
				 "entered");
	}
	if (!step->of_rollback)
		host->changed[step->id] = change_foretold(out->verdict);
	host->step++;
	ask_step(host);
}

/* What the host would take back by itself must be known now. */
static void
ask_guards(struct ask_host *host)
{
	struct err err = ERR_INIT;

	if (change_make_guards(host->ask->change, host->host, &err) < 0)
		ask_trouble(host, err.text);
	else
		ask_over(host);
}

static void
ask_place_trouble(struct ask_host *host, const struct step *step,
    const struct change_host *where)
{
	char text[1400];

	snprintf(text, sizeof(text), _("step \"%s\", on %s: %s"), step->name,
	    where->name, where->trouble);
	ask_trouble(host, text);
}

/* Whom to ask, by its number in the fleet. */
static int
ask_index(const struct ask_host *host, const struct step *step)
{
	int place = host->host->steps[step->id].place;

	return place >= 0 ? (int)host->ask->change->host_count + place
			  : host->index;
}

static void
ask_step(struct ask_host *host)
{
	struct ask *ask = host->ask;
	struct buf params = BUF_INIT, data = BUF_INIT;
	const struct change_host *where;
	const struct step *step;

	while (
	    host->step <= ask->change->plan->last_id &&
	    !change_has_step(host->host, ask->change->plan->by_id[host->step]))
		host->step++;
	if (host->step > ask->change->plan->last_id) {
		ask_guards(host);
		return;
	}
	step = ask->change->plan->by_id[host->step];
	where = change_where(ask->change, host->host, step);
	if (where->trouble[0] != '\0') {
		ask_place_trouble(host, step, where);
		return;
	}
	json_write(&params, step->params);
	ask_data(host, step, &data);
	fleet_probe(ask->o.fleet, ask_index(host, step), step->module,
	    buf_bytes(&params), buf_bytes(&data), ASK_PROBE_MS, ask_seen, host);
	buf_free(&params);
	buf_free(&data);
}

static void
ask_valued(void *arg, const struct answer *answer)
{
	struct ask_host *host = arg;
	const struct plan *plan = host->ask->change->plan;
	struct arena *arena = host->ask->arena;
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;

	if (ask_again(host, answer))
		return;
	if (answer->kind != ANSWER_VALUE) {
		ask_trouble(host, answer->text);
		return;
	}
	if (change_vars_map(arena, plan, answer->json, &text, &err) < 0) {
		buf_free(&text);
		ask_trouble(host, err.text);
		return;
	}
	host->host->plan_vars = ask_keep(host, buf_bytes(&text));
	buf_free(&text);
	host->step = 1;
	ask_step(host);
}

/* One value a host, fixed now. */
static void
ask_vars(struct ask_host *host)
{
	const struct plan *plan = host->ask->change->plan;
	struct arena *arena = host->ask->arena;
	struct json *list = json_list(arena);
	struct buf texts = BUF_INIT, data = BUF_INIT;

	for (size_t i = 0; i < plan->var_count; i++)
		json_add(arena, list, json_text(arena, plan->vars[i].text));
	json_write(&texts, list);
	ask_data(host, NULL, &data);
	fleet_eval(host->ask->o.fleet, buf_bytes(&texts), buf_bytes(&data),
	    ASK_EVAL_MS, ask_valued, host);
	buf_free(&texts);
	buf_free(&data);
}

static void
ask_facts(void *arg, const struct answer *answer)
{
	struct ask_host *host = arg;

	if (ask_again(host, answer))
		return;
	if (answer->kind != ANSWER_SEEN) {
		ask_trouble(host, answer->text);
		return;
	}
	host->host->facts = ask_keep(host, answer->seen);
	ask_vars(host);
}

/* Only who is not there; who has another key, or shuts us out, is mended. */
static bool
ask_is_away(const struct ask_host *host, const char *why)
{
	return host->ask->change->plan->unpreviewed && host->step == 0 &&
	       strcmp(why, "hostkey") != 0 && strcmp(why, "auth") != 0;
}

static void
ask_away(struct ask_host *host, const char *text)
{
	host->host->away = arena_strdup(host->ask->arena, text);
	change_away_steps(host->ask->change, host->host);
	ask_over(host);
}

static void
ask_opened(void *arg, const struct answer *answer)
{
	struct ask_host *host = arg;
	struct ask *ask = host->ask;
	struct buf data = BUF_INIT;

	if (answer->kind != ANSWER_OPENED) {
		if (ask_is_away(host, answer->why))
			ask_away(host, answer->text);
		else
			ask_trouble(host, answer->text);
		return;
	}
	host->host->readonly = arena_strdup(ask->arena, answer->readonly);
	host->host->gaps = arena_strdup(ask->arena, answer->gaps);
	if (host->step > 0) {
		ask_step(host);
		return;
	}
	ask_data(host, NULL, &data);
	fleet_probe(ask->o.fleet, host->index, "facts", bytes_of("{}"),
	    buf_bytes(&data), ASK_PROBE_MS, ask_facts, host);
	buf_free(&data);
}

static void
ask_connect(struct ask_host *host)
{
	struct ask *ask = host->ask;

	fleet_connect(ask->o.fleet, host->index, &ask->o.hosts[host->index],
	    FLEET_READONLY, ask_opened, host);
}

static void
ask_begin(struct ask *ask, size_t index)
{
	struct ask_host *host = &ask->hosts[index];
	size_t steps = (size_t)ask->change->plan->last_id + 1;

	host->ask = ask;
	host->index = (int)index;
	host->host = &ask->change->hosts[index];
	host->changed = arena_alloc(ask->arena, steps);
	memset(host->changed, '-', steps);
	host->host->facts = host->host->plan_vars = "";
	host->host->readonly = host->host->gaps = host->host->trouble = "";
	host->host->away = "";
	host->host->guards = arena_array(
	    ask->arena, const char *, ask->change->plan->guard_count + 1);
	for (size_t g = 0; g < ask->change->plan->guard_count; g++)
		host->host->guards[g] = "";
	ask_connect(host);
}

/* Places are opened before any host: they are few, and hosts wait for them. */
static void
ask_place_opened(void *arg, const struct answer *answer)
{
	struct ask_place *place = arg;
	struct ask *ask = place->ask;

	if (answer->kind == ANSWER_OPENED) {
		place->place->readonly =
		    arena_strdup(ask->arena, answer->readonly);
		place->place->gaps = arena_strdup(ask->arena, answer->gaps);
	} else {
		place->place->trouble = arena_strdup(ask->arena, answer->text);
	}
	if (--ask->places_left > 0)
		return;
	for (size_t i = 0; i < ask->change->host_count; i++)
		ask_begin(ask, i);
}

static void
ask_places(struct ask *ask)
{
	struct change *change = ask->change;

	ask->places =
	    arena_array(ask->arena, struct ask_place, change->place_count + 1);
	ask->places_left = change->place_count;
	for (size_t i = 0; i < change->place_count; i++) {
		struct ask_place *place = &ask->places[i];
		size_t index = change->host_count + i;

		place->ask = ask;
		place->index = (int)index;
		place->place = &change->places[i];
		fleet_connect(ask->o.fleet, place->index, &ask->o.hosts[index],
		    FLEET_READONLY, ask_place_opened, place);
	}
}

int
preview_ask(const struct preview_options *options, struct change *change,
    struct err *err)
{
	struct ask ask = {.o = *options, .change = change};

	/* what the answers say lives as long as the change's blobs do */
	ask.arena = blobs_arena(change->blobs);
	ask.hosts = arena_array(ask.arena, struct ask_host, change->host_count);
	ask.left = change->host_count;
	if (change->host_count > 0 && change->hosts[0].steps == NULL)
		change_blank_steps(ask.arena, change);
	ask_places(&ask);
	for (size_t i = 0; change->place_count == 0 && i < change->host_count;
	     i++)
		ask_begin(&ask, i);
	if (ask.left > 0)
		loop_run(options->loop);
	for (size_t i = 0; i < change->place_count; i++)
		if (change->places[i].trouble[0] == '\0')
			fleet_disconnect(options->fleet, ask.places[i].index);
	change->preview_ms = world_wall_ms(options->world);
	if (ask.left > 0)
		return err_set(err, ERR_INTERNAL,
		    _("the preview ended with %zu hosts unanswered"), ask.left);
	return 0;
}
