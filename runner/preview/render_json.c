/* The preview for programs: --json. */
#include "preview/inside.h"

static struct json *
render_json_host(struct arena *arena, const struct change *change,
    const struct change_host *host)
{
	struct json *map = json_map(arena), *steps = json_list(arena);
	struct json *waves = json_list(arena);

	for (size_t p = 0; p < change->plan->phase_count; p++)
		if (host->waves[p] > 0)
			json_add(arena, waves, json_int(arena, host->waves[p]));
	json_put_text(arena, map, "name", host->name);
	json_put_text(arena, map, "address", host->address);
	json_put(arena, map, "waves", waves);
	json_put_text(arena, map, "trouble", host->trouble);
	if (change_is_away(host))
		json_put_text(arena, map, "away", host->away);
	json_put_text(arena, map, "readonly", host->readonly);
	for (int id = 1;
	     host->trouble[0] == '\0' && id <= change->plan->last_id; id++) {
		const struct change_step *step = &host->steps[id];
		struct json *item;

		if (!change_has_step(host, change->plan->by_id[id]))
			continue;
		item = json_add(arena, steps, json_map(arena));
		json_put_int(arena, item, "id", id);
		json_put_text(
		    arena, item, "name", change->plan->by_id[id]->name);
		json_put_text(
		    arena, item, "verdict", change_verdict_word(step->verdict));
		json_put_text(arena, item, "summary", step->summary);
		json_put_text(arena, item, "reason", step->reason);
		json_put_text(arena, item, "apply", step->apply);
		json_put_text(arena, item, "undo", step->undo);
		if (step->place >= 0)
			json_put_text(arena, item, "on",
			    change->places[step->place].name);
	}
	json_put(arena, map, "steps", steps);
	return map;
}

/* As it is frozen, and what the plan says of it. */
static struct json *
render_json_asks(struct arena *arena, const struct change *change)
{
	struct json *list = change_freeze_asks(arena, change);

	for (size_t i = 0; i < list->count; i++) {
		int64_t number = json_get_int(list->items[i], "phase", 0);
		const struct phase *phase = &change->plan->phases[number];

		json_put_text(arena, list->items[i], "name", phase->name);
		json_put_int(arena, list->items[i], "phase", number + 1);
		json_put_int(
		    arena, list->items[i], "within_ms", phase->ask->within_ms);
	}
	return list;
}

struct json *
preview_json(struct arena *arena, const struct change *change)
{
	struct json *map = json_map(arena), *hosts = json_list(arena);
	struct json *waves = json_list(arena);

	json_put_text(arena, map, "title", change->title);
	json_put_text(arena, map, "reason", change->plan->reason);
	json_put_int(arena, map, "in_flight", change->in_flight);
	json_put_int(arena, map, "unreverted", render_back_limit(change));
	json_put_text(
	    arena, map, "not_taken_back", change_not_taken_back(arena, change));
	if (change->plan->unpreviewed)
		json_put_int(
		    arena, map, "not_previewed", change_away_hosts(change));
	if (change->plan->later_ms > 0)
		json_put_int(arena, map, "later_ms", change->plan->later_ms);
	if (change->plan->guard_count > 0)
		json_put_text(
		    arena, map, "dead_man", change_dead_man(arena, change));
	if (change_asks(arena, change) != NULL)
		json_put(arena, map, "asks", render_json_asks(arena, change));
	for (size_t w = 0; w < change->wave_count; w++) {
		struct json *wave = json_add(arena, waves, json_map(arena));

		json_put_text(arena, wave, "name", change->waves[w].name);
		json_put_int(
		    arena, wave, "hosts", (int64_t)change->waves[w].count);
	}
	for (size_t i = 0; i < change->host_count; i++)
		json_add(arena, hosts,
		    render_json_host(arena, change, &change->hosts[i]));
	json_put(arena, map, "waves", waves);
	json_put(arena, map, "hosts", hosts);
	return map;
}
