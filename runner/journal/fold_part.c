/*
 * Parts as they move, and hosts by their names: what is counted here is not
 * counted again for each question.
 *
 * Pure: no I/O, no clock.
 */
#include "base/text.h"
#include "journal/fold_inside.h"

#include <string.h>

bool
fold_is_active(enum host_state state)
{
	return state == HOST_STARTED || state == HOST_BACK;
}

bool
fold_holds_place(enum host_state state)
{
	switch (state) {
	case HOST_STARTED:
	case HOST_FAILED:
	case HOST_LOST:
	case HOST_BACK:
	case HOST_STUCK:
		return true;
	case HOST_WAITING:
	case HOST_DONE:
	case HOST_UNREACHABLE:
	case HOST_EXCLUDED:
	case HOST_REVERTED:
		return false;
	}
	bug("host state %d", (int)state);
}

static void
part_list(struct change_fold *fold, struct part_fold *part, bool in)
{
	if (in) {
		part->active_at = fold->active_count;
		fold->active[fold->active_count++] = (int)(part - fold->parts);
	} else { /* the last takes its place */
		int last = fold->active[--fold->active_count];

		fold->active[part->active_at] = last;
		fold->parts[last].active_at = part->active_at;
	}
}

void
fold_part_set(
    struct change_fold *fold, struct part_fold *part, enum host_state state)
{
	int active = fold_is_active(state) - fold_is_active(part->state);
	int held = fold_holds_place(state) - fold_holds_place(part->state);
	size_t host = (size_t)(part->host - fold->hosts);

	fold->states[part->state]--;
	fold->states[state]++;
	part->state = state;
	for (size_t s = 0; s < fold->spread_count; s++) {
		struct fold_spread *spread = &fold->spreads[s];

		spread->held[spread->group_of[host]] += held;
		spread->active[spread->group_of[host]] += active;
	}
	if (active != 0)
		part_list(fold, part, active > 0);
}

static void
start_names(struct change_fold *fold)
{
	size_t size = 16;

	while (size < fold->host_count * 2)
		size *= 2;
	fold->name_mask = size - 1;
	fold->by_name = arena_array(fold->arena, int, size);
	for (size_t i = 0; i < fold->host_count; i++) {
		size_t at = text_hash(fold->hosts[i].name) & fold->name_mask;

		while (fold->by_name[at] != 0)
			at = (at + 1) & fold->name_mask;
		fold->by_name[at] = (int)i + 1;
	}
}

void
fold_part_start(struct change_fold *fold, const struct fold_shape *shape)
{
	struct arena *arena = fold->arena;
	size_t groups = shape->host_count + 1;

	start_names(fold);
	memset(fold->states, 0, sizeof(fold->states));
	fold->states[HOST_WAITING] = (int)fold->part_count;
	fold->active = arena_array(arena, int, fold->part_count + 1);
	fold->active_count = 0;
	fold->spread_count = shape->spread_count;
	fold->spreads =
	    arena_array(arena, struct fold_spread, shape->spread_count + 1);
	for (size_t s = 0; s < shape->spread_count; s++) {
		fold->spreads[s].group_of = shape->spread_of[s];
		fold->spreads[s].held = arena_array(arena, int, groups);
		fold->spreads[s].active = arena_array(arena, int, groups);
	}
}

struct host_fold *
fold_host(struct change_fold *fold, const char *name)
{
	size_t at;

	if (fold->by_name == NULL)
		return NULL;
	at = text_hash(name) & fold->name_mask;
	for (; fold->by_name[at] != 0; at = (at + 1) & fold->name_mask) {
		struct host_fold *host = &fold->hosts[fold->by_name[at] - 1];

		if (strcmp(host->name, name) == 0)
			return host;
	}
	return NULL;
}
