/*
 * Parts: a host in a phase. Made from the hosts' waves, so that a frozen
 * change need not say them twice. Pure.
 */
#include "base/text.h"
#include "change/change.h"

#include <string.h>

const struct change_host *
change_part_host(const struct change *change, int part)
{
	return &change->hosts[change->parts[part].host];
}

int
change_phase_hosts(const struct change *change, int phase)
{
	int hosts = 0;

	if (change->phase_hosts != NULL) /* parts are made */
		return change->phase_hosts[phase];
	for (size_t h = 0; h < change->host_count; h++)
		hosts += change->hosts[h].waves[phase] > 0;
	return hosts;
}

/* Not said, it is half of them, and never the first alone: that one host can
 * not be brought back must not leave all others on the new state. */
int
change_back_limit(const struct change *change, int phase)
{
	const struct limit *limit = &change->plan->unreverted;
	int hosts = change_phase_hosts(change, phase);

	if (change->back_limits != NULL)
		return change->back_limits[phase];
	if (limit->set)
		return plan_limit_hosts(limit, hosts);
	return hosts / 2 > 2 ? hosts / 2 : 2;
}

void
change_blank_steps(struct arena *arena, struct change *change)
{
	size_t steps = (size_t)change->plan->last_id + 1;

	for (size_t h = 0; h < change->host_count; h++) {
		struct change_host *host = &change->hosts[h];

		host->steps = arena_array(arena, struct change_step, steps);
		for (size_t id = 0; id < steps; id++)
			host->steps[id] = (struct change_step){
			    CHANGE_SKIP, "", "", "", "", "", "", "", "", -1};
	}
}

const struct change_host *
change_where(const struct change *change, const struct change_host *host,
    const struct step *step)
{
	int place = host->steps[step->id].place;

	return place >= 0 ? &change->places[place] : host;
}

const struct change_host *
change_reached(const struct change *change, size_t index)
{
	return index < change->host_count
		   ? &change->hosts[index]
		   : &change->places[index - change->host_count];
}

bool
change_has_step(const struct change_host *host, const struct step *step)
{
	return host->waves[step->phase] > 0;
}

/* Number hosts by the value of a variable. */
static const int *
parts_group(struct arena *arena, const struct change *change, const char *key)
{
	int *group_of = arena_array(arena, int, change->host_count + 1);
	size_t size = 16, count = 0;
	const char **values;
	int *groups;

	while (size < change->host_count * 2)
		size *= 2;
	values = arena_array(arena, const char *, size);
	groups = arena_array(arena, int, size);
	for (size_t h = 0; h < change->host_count; h++) {
		const char *value =
		    json_get_text(change->hosts[h].vars, key, "");
		size_t at = text_hash(value) & (size - 1);

		while (values[at] != NULL && strcmp(values[at], value) != 0)
			at = (at + 1) & (size - 1);
		if (values[at] == NULL) {
			values[at] = value;
			groups[at] = (int)count++;
		}
		group_of[h] = groups[at];
	}
	return group_of;
}

static void
parts_spreads(struct arena *arena, struct change *change)
{
	const struct plan *plan = change->plan;

	change->spread_of =
	    arena_array(arena, const int *, plan->spread_count + 1);
	for (size_t s = 0; s < plan->spread_count; s++)
		change->spread_of[s] =
		    parts_group(arena, change, plan->spreads[s].key);
}

void
change_make_parts(struct arena *arena, struct change *change)
{
	size_t phases = change->plan->phase_count, most;
	int *phase_hosts = arena_array(arena, int, phases + 1);

	most = phases * change->host_count;
	change->parts = arena_array(arena, struct part, most + 1);
	change->part_count = 0;
	for (size_t w = 0; w < change->wave_count; w++) {
		change->waves[w].parts =
		    arena_array(arena, int, change->host_count + 1);
		change->waves[w].count = 0;
	}
	for (size_t p = 0; p < phases; p++)
		for (size_t h = 0; h < change->host_count; h++) {
			int number = change->hosts[h].waves[p];
			struct change_wave *wave;

			if (number == 0)
				continue;
			wave = &change->waves[number - 1];
			wave->parts[wave->count++] = (int)change->part_count;
			phase_hosts[p]++;
			change->parts[change->part_count++] =
			    (struct part){(int)h, (int)p, number};
		}
	change->phase_hosts = phase_hosts;
	parts_spreads(arena, change);
}

void
change_shape(
    struct arena *arena, const struct change *change, struct fold_shape *shape)
{
	const struct plan *plan = change->plan;
	const char **names =
	    arena_array(arena, const char *, change->host_count + 1);
	int *phases = arena_array(arena, int, (size_t)plan->last_act + 1);

	for (size_t i = 0; i < change->host_count; i++)
		names[i] = change->hosts[i].name;
	for (int id = 1; id <= plan->last_act; id++)
		phases[id] = plan->by_id[id]->phase;
	*shape = (struct fold_shape){
	    .hosts = names,
	    .host_count = change->host_count,
	    .spread_of = change->spread_of,
	    .spread_count = plan->spread_count,
	    .parts = change->parts,
	    .part_count = change->part_count,
	    .phase_count = plan->phase_count,
	    .wave_count = change->wave_count,
	    .last_step = plan->last_id,
	    .last_act = plan->last_act,
	    .step_phase = phases,
	};
}
