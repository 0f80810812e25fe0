/*
 * Whom a plan is for: each phase's hosts, their waves, and whether they have
 * what spread: counts by. Touches no host.
 */
#include "cmd/context.h"
#include "base/i18n.h"
#include "preview/preview.h"
#include "rollout/waves.h"

#include <string.h>

static struct json *
plan_groups(struct arena *arena, const struct host *host)
{
	struct json *list = json_list(arena);

	for (size_t i = 0; i < host->group_count; i++)
		json_add(arena, list, json_text(arena, host->groups[i]));
	return list;
}

static void
plan_host(
    struct context *context, const struct host *host, struct change_host *out)
{
	out->name = host->name;
	out->become = host->become;
	out->vars = host->vars;
	out->groups = plan_groups(context->arena, host);
	out->readonly = out->gaps = out->trouble = "";
	out->facts = out->plan_vars = "";
}

/* Which hosts of the inventory a selector matches, by their number there. */
static int
plan_select(struct context *context, const char *selector, struct place place,
    bool **chosen, struct err *err)
{
	const struct inventory *inventory = context->inventory;
	size_t count;
	int *ids, r;

	r = hosts_select(
	    context->arena, inventory, selector, place, &ids, &count, err);
	if (r < 0)
		return r;
	*chosen = arena_array(context->arena, bool, inventory->count + 1);
	for (size_t i = 0; i < count; i++)
		(*chosen)[ids[i]] = true;
	return 0;
}

/* From flags by the inventory's number to flags by the change's. */
static const bool *
plan_of_change(struct context *context, const bool *chosen, const int *numbers)
{
	struct change *change = context->change;
	bool *out = arena_array(context->arena, bool, change->host_count + 1);

	for (size_t h = 0; h < change->host_count; h++)
		out[h] = chosen[numbers[h]];
	return out;
}

/* The hosts of all phases, in the inventory's order. */
static int
plan_targets(
    struct context *context, bool **targets, int **numbers, struct err *err)
{
	const struct inventory *inventory = context->inventory;
	struct change *change = context->change;
	const struct plan *plan = change->plan;
	int r;

	for (size_t p = 0; p < plan->phase_count; p++)
		if ((r = plan_select(context, plan->phases[p].targets,
			 plan->phases[p].targets_place, &targets[p], err)) < 0)
			return r;
	change->hosts = arena_array(
	    context->arena, struct change_host, inventory->count + 1);
	*numbers = arena_array(context->arena, int, inventory->count + 1);
	for (size_t i = 0; i < inventory->count; i++) {
		bool any = false;

		for (size_t p = 0; p < plan->phase_count; p++)
			any = any || targets[p][i];
		if (!any)
			continue;
		(*numbers)[change->host_count] = (int)i;
		plan_host(context, &inventory->hosts[i],
		    &change->hosts[change->host_count++]);
	}
	return 0;
}

static int
plan_waves_of(struct context *context, const struct phase *phase,
    const int *numbers, const bool ***of, struct err *err)
{
	bool *chosen;
	int r;

	*of = arena_array(context->arena, const bool *, phase->wave_count);
	for (size_t w = 0; w < phase->wave_count; w++) {
		if (phase->waves[w].of == NULL)
			continue;
		r = plan_select(context, phase->waves[w].of,
		    phase->waves[w].of_place, &chosen, err);
		if (r < 0)
			return r;
		(*of)[w] = plan_of_change(context, chosen, numbers);
	}
	return 0;
}

static int
plan_waves(struct context *context, struct err *err)
{
	struct change *change = context->change;
	size_t phases = change->plan->phase_count;
	struct waves_choice *choices =
	    arena_array(context->arena, struct waves_choice, phases);
	bool **targets = arena_array(context->arena, bool *, phases);
	int *numbers, r;

	if ((r = plan_targets(context, targets, &numbers, err)) < 0)
		return r;
	for (size_t p = 0; p < phases; p++) {
		const bool **of;

		r = plan_waves_of(
		    context, &change->plan->phases[p], numbers, &of, err);
		if (r < 0)
			return r;
		choices[p].in = plan_of_change(context, targets[p], numbers);
		choices[p].of = of;
	}
	context->choices = choices;
	return waves_assign(context->arena, change, choices, err);
}

static int
plan_spread(const struct change_host *host, const struct spread *spread,
    struct err *err)
{
	const struct json *value = json_get(host->vars, spread->key);

	if (waves_spread_value(host, spread->key)[0] != '\0')
		return 0;
	if (value != NULL && value->type != JSON_TEXT)
		return err_at(err, ERR_PLAN, spread->place,
		    _("spread: '%s' of host %s is no text; put it in quotes "
		      "in the inventory"),
		    spread->key, host->name);
	return err_at(err, ERR_PLAN, spread->place,
	    _("spread: host %s has no variable '%s' in the inventory"),
	    host->name, spread->key);
}

/* A spread over a variable that a host lacks would bound nothing. */
static int
plan_spreads(struct context *context, struct err *err)
{
	const struct change *change = context->change;
	const struct plan *plan = change->plan;
	int r;

	for (size_t s = 0; s < plan->spread_count; s++)
		for (size_t h = 0; h < change->host_count; h++) {
			r = plan_spread(
			    &change->hosts[h], &plan->spreads[s], err);
			if (r < 0)
				return r;
		}
	return 0;
}

/* per: of a variable that a host lacks would group nothing. */
static int
plan_per(struct context *context, const struct wave *wave, int phase,
    struct err *err)
{
	const struct change *change = context->change;

	if (wave->per == NULL || strcmp(wave->per, "impact") == 0)
		return 0;
	for (size_t h = 0; h < change->host_count; h++)
		if (change->hosts[h].waves[phase] > 0 &&
		    waves_spread_value(&change->hosts[h], wave->per)[0] == '\0')
			return err_at(err, ERR_PLAN, wave->per_place,
			    _("per: host %s has no text '%s' in the inventory; "
			      "per: takes `impact` or a variable that every "
			      "host has"),
			    change->hosts[h].name, wave->per);
	return 0;
}

static int
plan_pers(struct context *context, struct err *err)
{
	const struct plan *plan = context->change->plan;
	int r = 0;

	for (size_t p = 0; p < plan->phase_count; p++)
		for (size_t w = 0; w < plan->phases[p].wave_count && r == 0;
		     w++)
			r = plan_per(
			    context, &plan->phases[p].waves[w], (int)p, err);
	return r;
}

/* Does a wave take so many hosts of each group of equal previews? */
static bool
plan_per_impact(const struct plan *plan)
{
	for (size_t p = 0; p < plan->phase_count; p++)
		for (size_t w = 0; w < plan->phases[p].wave_count; w++) {
			const char *per = plan->phases[p].waves[w].per;

			if (per != NULL && strcmp(per, "impact") == 0)
				return true;
		}
	return false;
}

int
context_impacts(struct context *context, struct err *err)
{
	struct change *change = context->change;
	struct preview_group *groups;
	size_t count;
	int *impact, r;

	if (!plan_per_impact(change->plan))
		return 0;
	impact = arena_array(context->arena, int, change->host_count + 1);
	preview_group(context->arena, change, &groups, &count);
	for (size_t g = 0; g < count; g++)
		for (size_t i = 0; i < groups[g].count; i++)
			impact[groups[g].hosts[i]] = (int)g;
	for (size_t p = 0; p < change->plan->phase_count; p++)
		context->choices[p].impact = impact;
	r = waves_assign(context->arena, change, context->choices, err);
	if (r == 0)
		change->in_flight = waves_bound(change);
	return r;
}

int
context_targets(struct context *context, struct err *err)
{
	int r = plan_waves(context, err);

	if (r == 0)
		r = plan_pers(context, err);
	return r < 0 ? r : plan_spreads(context, err);
}
