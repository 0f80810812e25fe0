/*
 * Waves; see waves.h. Pure: no I/O, no clock.
 */
#include "rollout/waves.h"
#include "base/i18n.h"

#include <string.h>

static int
waves_size(const struct wave *wave, size_t hosts)
{
	int size;

	switch (wave->size) {
	case WAVE_COUNT:
		return wave->amount;
	case WAVE_PERCENT:
		size = (int)((int64_t)hosts * wave->amount / 100);
		return size > 0 ? size : 1;
	case WAVE_REST:
		return (int)hosts;
	}
	bug("wave size %d", (int)wave->size);
}

/* Are two hosts of one group of the wave's `per:`? */
static bool
waves_same_group(const struct change *change, const struct wave *wave,
    const struct waves_choice *choice, size_t a, size_t b)
{
	if (strcmp(wave->per, "impact") == 0)
		return choice->impact == NULL ||
		       choice->impact[a] == choice->impact[b];
	return strcmp(waves_spread_value(&change->hosts[a], wave->per),
		   waves_spread_value(&change->hosts[b], wave->per)) == 0;
}

/* How many of this host's group the wave has already. */
static int
waves_of_group(const struct change *change, int phase, const struct wave *wave,
    const struct waves_choice *choice, size_t host, int number)
{
	int count = 0;

	for (size_t h = 0; h < host; h++)
		count += change->hosts[h].waves[phase] == number &&
			 waves_same_group(change, wave, choice, h, host);
	return count;
}

/* Take up to the wave's size (of each group, where it says per:) of the
 * phase's hosts that are in none yet. */
static size_t
waves_fill(struct change *change, int phase, size_t w,
    const struct waves_choice *choice, int hosts)
{
	const struct wave *wave = &change->plan->phases[phase].waves[w];
	const bool *of = choice->of[w];
	int size = waves_size(wave, (size_t)hosts);
	int number = (int)change->wave_count + 1, count = 0;

	for (size_t h = 0; h < change->host_count; h++) {
		int *mine = &change->hosts[h].waves[phase];

		if (wave->per == NULL && count >= size)
			break;
		if (!choice->in[h] || *mine != 0 || (of != NULL && !of[h]) ||
		    (wave->per != NULL && waves_of_group(change, phase, wave,
					      choice, h, number) >= size))
			continue;
		*mine = number;
		count++;
	}
	return (size_t)count;
}

static int
waves_assign_phase(struct change *change, int number,
    const struct waves_choice *choice, struct err *err)
{
	const struct phase *phase = &change->plan->phases[number];
	int hosts = 0, left = 0;

	for (size_t h = 0; h < change->host_count; h++)
		hosts += choice->in[h];
	for (size_t w = 0; w < phase->wave_count; w++) {
		const struct wave *wave = &phase->waves[w];
		struct change_wave *out = &change->waves[change->wave_count];
		size_t count = waves_fill(change, number, w, choice, hosts);

		if (count == 0 && wave->of != NULL)
			return err_at(err, ERR_PLAN, wave->of_place,
			    _("wave \"%s\": `of: %s` matches no target that is "
			      "in no earlier wave"),
			    wave->name, wave->of);
		if (count == 0)
			continue;
		out->name = wave->name;
		out->phase = number;
		out->soak_ms = wave->soak_ms;
		out->at_once =
		    wave->at_once > 0 && (size_t)wave->at_once < count
			? wave->at_once
			: (int)count;
		change->wave_count++;
	}
	for (size_t h = 0; h < change->host_count; h++)
		left += choice->in[h] && change->hosts[h].waves[number] == 0;
	if (left > 0)
		return err_at(err, ERR_PLAN,
		    phase->waves[phase->wave_count - 1].place,
		    _("%d of %d hosts are in no wave; let the last wave say "
		      "`hosts: rest`"),
		    left, hosts);
	return 0;
}

int
waves_assign(struct arena *arena, struct change *change,
    const struct waves_choice *phases, struct err *err)
{
	const struct plan *plan = change->plan;
	size_t most = 0;
	int r = 0;

	for (size_t p = 0; p < plan->phase_count; p++)
		most += plan->phases[p].wave_count;
	change->waves = arena_array(arena, struct change_wave, most);
	change->wave_count = 0;
	change->phase_hosts = NULL; /* as they will be */
	for (size_t h = 0; h < change->host_count; h++)
		change->hosts[h].waves =
		    arena_array(arena, int, plan->phase_count);
	for (size_t p = 0; p < plan->phase_count && r == 0; p++)
		r = waves_assign_phase(change, (int)p, &phases[p], err);
	if (r == 0)
		change_make_parts(arena, change);
	return r;
}

const char *
waves_spread_value(const struct change_host *host, const char *key)
{
	return json_get_text(host->vars, key, "");
}

int
waves_limit(const struct limit *limit, const struct change *change, int phase)
{
	if (!limit->set)
		return 1;
	return plan_limit_hosts(limit, change_phase_hosts(change, phase));
}

/* Hosts of one wave that one spread rule lets be in flight together: of each
 * group its first `most`. */
static int
waves_spread_bound(struct arena *arena, const struct change *change,
    const struct change_wave *wave, size_t rule)
{
	const int *group_of = change->spread_of[rule];
	int *same = arena_array(arena, int, change->host_count + 1);
	int bound = 0;

	for (size_t i = 0; i < wave->count; i++)
		bound += same[group_of[change->parts[wave->parts[i]].host]]++ <
			 change->plan->spreads[rule].most;
	return bound;
}

int
waves_bound(const struct change *change)
{
	const struct plan *plan = change->plan;
	struct arena *arena = arena_new();
	int bound = 0;

	for (size_t w = 0; w < change->wave_count; w++) {
		const struct change_wave *wave = &change->waves[w];
		int most = wave->at_once;

		for (size_t s = 0; s < plan->spread_count; s++) {
			int cut = waves_spread_bound(arena, change, wave, s);

			most = cut < most ? cut : most;
		}
		most += waves_limit(&plan->failed, change, wave->phase) - 1;
		bound = most > bound ? most : bound;
	}
	arena_free(arena);
	return bound < (int)change->host_count ? bound
					       : (int)change->host_count;
}
