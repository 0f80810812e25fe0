/* Copies of hosts; see copies.h. Pure: no I/O, no clock. */
#include "rehearse/copies.h"
#include "base/i18n.h"

#include <string.h>

/* Its variables, but for those that spread: counts by. */
static struct json *
copies_vars(struct arena *arena, const struct change *change,
    const struct change_host *host, int round)
{
	const struct plan *plan = change->plan;
	struct json *vars = json_map(arena);

	for (size_t i = 0; i < host->vars->count; i++)
		json_put(
		    arena, vars, host->vars->keys[i], host->vars->items[i]);
	for (size_t s = 0; s < plan->spread_count; s++)
		json_put_text(arena, vars, plan->spreads[s].key,
		    arena_printf(arena, "%s~%d",
			waves_spread_value(host, plan->spreads[s].key), round));
	return vars;
}

static const bool *
copies_flags(
    struct arena *arena, const bool *of, size_t from, size_t to, bool also)
{
	bool *flags = arena_array(arena, bool, to + 1);

	for (size_t h = 0; h < to; h++)
		flags[h] = of[h % from] && (h < from || also);
	return flags;
}

static void
copies_choice(struct arena *arena, const struct phase *phase,
    const struct waves_choice *choice, size_t from, size_t to,
    struct waves_choice *out)
{
	bool one = strstr(phase->targets, "first(") != NULL;
	const bool **of = arena_array(arena, const bool *, phase->wave_count);

	for (size_t w = 0; w < phase->wave_count; w++)
		if (choice->of[w] != NULL)
			of[w] =
			    copies_flags(arena, choice->of[w], from, to, true);
	out->in = copies_flags(arena, choice->in, from, to, !one);
	out->of = of;
	out->impact = NULL;
}

/* A host that no phase is left for is none of the change. */
static size_t
copies_drop_idle(struct change *change, struct waves_choice *choices)
{
	size_t phases = change->plan->phase_count, kept = 0;

	for (size_t h = 0; h < change->host_count; h++) {
		bool any = false;

		for (size_t p = 0; p < phases; p++)
			any = any || choices[p].in[h];
		if (!any)
			continue;
		change->hosts[kept] = change->hosts[h];
		for (size_t p = 0; p < phases; p++) {
			const struct phase *phase = &change->plan->phases[p];

			((bool *)choices[p].in)[kept] = choices[p].in[h];
			for (size_t w = 0; w < phase->wave_count; w++)
				if (choices[p].of[w] != NULL)
					((bool *)choices[p].of[w])[kept] =
					    choices[p].of[w][h];
		}
		kept++;
	}
	return kept;
}

int
copies_make(struct arena *arena, struct change *change,
    const struct waves_choice *choices, int hosts, struct err *err)
{
	size_t from = change->host_count, to = (size_t)hosts;
	size_t phases = change->plan->phase_count;
	struct waves_choice *out =
	    arena_array(arena, struct waves_choice, phases);
	size_t steps = (size_t)change->plan->last_id + 1;
	struct change_host *all;
	int r;

	if (to < from)
		return err_set(err, ERR_USAGE,
		    _("--hosts %d: the plan's targets are %zu hosts already; "
		      "leave it out, or give a larger fleet"),
		    hosts, from);
	all = arena_array(arena, struct change_host, to + 1);
	for (size_t h = 0; h < to; h++) {
		int round = (int)(h / from) + 1;

		all[h] = change->hosts[h % from];
		if (round == 1)
			continue;
		all[h].name = arena_printf(arena, "%s~%d", all[h].name, round);
		all[h].vars = copies_vars(arena, change, &all[h], round);
		/* where its steps run is the original's; the rest is asked */
		all[h].steps = arena_array(arena, struct change_step, steps);
		memcpy(all[h].steps, change->hosts[h % from].steps,
		    steps * sizeof(*all[h].steps));
	}
	for (size_t p = 0; p < phases; p++)
		copies_choice(arena, &change->plan->phases[p], &choices[p],
		    from, to, &out[p]);
	change->hosts = all;
	change->host_count = to;
	change->host_count = copies_drop_idle(change, out);
	r = waves_assign(arena, change, out, err);
	if (r == 0)
		change->in_flight = waves_bound(change);
	return r;
}
