/*
 * Where steps with on: run: for each host that goes through the step the one
 * host that its selector names. Places are chosen at submit, frozen, previewed
 * and approved like targets. Touches no host.
 */
#include "cmd/context.h"
#include "base/i18n.h"

#include <string.h>

struct places {
	struct context *context;
	const struct step *step;
	struct change_host *host;
	const char **selectors; /* already chosen, by text */
	int *chosen;
	size_t count, cap;
};

/* ${{ }} in on: knows the host and the inputs; nobody was asked yet. */
static int
places_text(struct places *places, const char **out, struct err *err)
{
	struct context *context = places->context;
	struct json *texts = json_list(context->arena), *values = NULL;
	struct buf data = BUF_INIT;
	struct err why = ERR_INIT;
	int r;

	*out = places->step->on;
	if (strstr(*out, "${{") == NULL)
		return 0;
	json_add(context->arena, texts, json_text(context->arena, *out));
	change_data(&data, context->change, places->host, bytes_of(""),
	    bytes_of(""), NULL, NULL, NULL, bytes_of(""));
	r = context_evaluate(context, texts, buf_str(&data), &values, &why);
	buf_free(&data);
	if (r == 0 && values->type == JSON_LIST && values->count == 1 &&
	    values->items[0]->type == JSON_TEXT) {
		*out = values->items[0]->text;
		return 0;
	}
	return err_at(err, ERR_PLAN, places->step->on_place,
	    _("on: of step \"%s\", for host %s: %s"), places->step->name,
	    places->host->name, r < 0 ? why.text : _("it is no text"));
}

/* The place that this host of the inventory is; made at its first use. */
static int
places_index(struct places *places, const struct host *host)
{
	struct change *change = places->context->change;
	struct change_host *place;

	for (size_t i = 0; i < change->place_count; i++)
		if (strcmp(change->places[i].name, host->name) == 0)
			return (int)i;
	place = &change->places[change->place_count];
	place->name = host->name;
	place->become = host->become;
	place->vars = host->vars;
	place->readonly = place->gaps = place->trouble = "";
	place->facts = place->plan_vars = "";
	return (int)change->place_count++;
}

/* One place, not some: a step has one verdict. */
static int
places_select(
    struct places *places, const char *selector, int *place, struct err *err)
{
	struct context *context = places->context;
	const struct host *hosts = context->inventory->hosts;
	struct err why = ERR_INIT;
	size_t count;
	int *ids;

	if (hosts_select(context->arena, context->inventory, selector,
		places->step->on_place, &ids, &count, &why) < 0)
		return err_set(err, ERR_PLAN, "%s\n%s", why.text,
		    arena_printf(context->arena,
			_("(on: of step \"%s\", for host %s)"),
			places->step->name, places->host->name));
	if (count > 1)
		return err_at(err, ERR_PLAN, places->step->on_place,
		    _("on: of step \"%s\", for host %s: '%s' matches %zu hosts "
		      "(%s, %s ...); a step runs at one place: write "
		      "first(%s), or a step for each"),
		    places->step->name, places->host->name, selector, count,
		    hosts[ids[0]].name, hosts[ids[1]].name, selector);
	*place = places_index(places, &hosts[ids[0]]);
	return 0;
}

static int
places_choose(struct places *places, struct err *err)
{
	struct change_step *step = &places->host->steps[places->step->id];
	struct arena *arena = places->context->arena;
	const char *selector;
	int r;

	if ((r = places_text(places, &selector, err)) < 0)
		return r;
	for (size_t i = 0; i < places->count; i++)
		if (strcmp(places->selectors[i], selector) == 0) {
			step->place = places->chosen[i];
			return 0;
		}
	if ((r = places_select(places, selector, &step->place, err)) < 0)
		return r;
	if (places->count == places->cap) {
		size_t cap = 2 * places->cap + 8;
		const char **selectors = arena_array(arena, const char *, cap);
		int *chosen = arena_array(arena, int, cap);

		for (size_t i = 0; i < places->count; i++) {
			selectors[i] = places->selectors[i];
			chosen[i] = places->chosen[i];
		}
		places->selectors = selectors;
		places->chosen = chosen;
		places->cap = cap;
	}
	places->selectors[places->count] = selector;
	places->chosen[places->count++] = step->place;
	return 0;
}

int
context_places(struct context *context, struct err *err)
{
	struct change *change = context->change;
	const struct plan *plan = change->plan;
	struct places places = {.context = context};
	int r;

	change->places = arena_array(
	    context->arena, struct change_host, context->inventory->count + 1);
	change->place_count = 0;
	change_blank_steps(context->arena, change);
	for (int id = 1; id <= plan->last_id; id++) {
		places.step = plan->by_id[id];
		for (size_t h = 0;
		     places.step->on != NULL && h < change->host_count; h++) {
			places.host = &change->hosts[h];
			if (!change_has_step(places.host, places.step))
				continue;
			/* reach and facts come later; expressions see "" */
			if ((r = places_choose(&places, err)) < 0)
				return r;
		}
	}
	return 0;
}
