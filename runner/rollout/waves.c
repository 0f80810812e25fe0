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

/* Take up to the wave's size of the hosts that are in no wave yet. */
static void
waves_fill(struct change *change, const struct wave *wave, const bool *of,
    struct change_wave *out)
{
	int size = waves_size(wave, change->host_count);
	int number = (int)(out - change->waves) + 1;

	for (size_t h = 0; h < change->host_count; h++) {
		if ((int)out->count == size)
			break;
		if (change->hosts[h].wave != 0 || (of != NULL && !of[h]))
			continue;
		change->hosts[h].wave = number;
		out->hosts[out->count++] = (int)h;
	}
}

int
waves_assign(struct arena *arena, struct change *change, const bool *const *of,
    struct err *err)
{
	const struct phase *phase = &change->plan->phases[0];
	size_t left = 0;

	change->waves =
	    arena_array(arena, struct change_wave, phase->wave_count);
	change->wave_count = 0;
	for (size_t w = 0; w < phase->wave_count; w++) {
		const struct wave *wave = &phase->waves[w];
		struct change_wave *out = &change->waves[change->wave_count];

		out->name = wave->name;
		out->soak_ms = wave->soak_ms;
		out->hosts = arena_array(arena, int, change->host_count);
		out->count = 0;
		waves_fill(change, wave, of[w], out);
		if (out->count == 0 && wave->of != NULL)
			return err_at(err, ERR_PLAN, wave->of_place,
			    _("wave \"%s\": `of: %s` matches no target that is "
			      "in no earlier wave"),
			    wave->name, wave->of);
		if (out->count == 0)
			continue;
		out->at_once =
		    wave->at_once > 0 && (size_t)wave->at_once < out->count
			? wave->at_once
			: (int)out->count;
		change->wave_count++;
	}
	for (size_t h = 0; h < change->host_count; h++)
		left += change->hosts[h].wave == 0;
	if (left > 0)
		return err_at(err, ERR_PLAN,
		    phase->waves[phase->wave_count - 1].place,
		    _("%zu of %zu hosts are in no wave; let the last wave say "
		      "`hosts: rest`"),
		    left, change->host_count);
	return 0;
}

const char *
waves_spread_value(const struct change_host *host, const char *key)
{
	return json_get_text(host->vars, key, "");
}

int
waves_limit(const struct limit *limit, const struct change *change)
{
	if (!limit->set)
		return 1;
	return plan_limit_hosts(limit, (int)change->host_count);
}

/* Hosts of one wave that one spread rule lets be in flight together. */
static int
waves_spread_bound(const struct change *change, const struct change_wave *wave,
    const struct spread *spread)
{
	int bound = 0;

	for (size_t i = 0; i < wave->count; i++) {
		const char *value = waves_spread_value(
		    &change->hosts[wave->hosts[i]], spread->key);
		int same = 0;

		/* count each value at its first `most` hosts */
		for (size_t j = 0; j < i; j++)
			same +=
			    strcmp(value, waves_spread_value(
					      &change->hosts[wave->hosts[j]],
					      spread->key)) == 0;
		bound += same < spread->most;
	}
	return bound;
}

int
waves_bound(const struct change *change)
{
	const struct plan *plan = change->plan;
	int bound = 0;

	for (size_t w = 0; w < change->wave_count; w++) {
		const struct change_wave *wave = &change->waves[w];
		int most = wave->at_once;

		for (size_t s = 0; s < plan->spread_count; s++) {
			int cut =
			    waves_spread_bound(change, wave, &plan->spreads[s]);

			most = cut < most ? cut : most;
		}
		bound = most > bound ? most : bound;
	}
	bound += waves_limit(&plan->failed, change) - 1;
	return bound < (int)change->host_count ? bound
					       : (int)change->host_count;
}
