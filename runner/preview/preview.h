/*
 * The preview: ask every host, read-only, what each step would do; group the
 * hosts with equal impacts; show it.
 */
#ifndef HOSHU_PREVIEW_PREVIEW_H
#define HOSHU_PREVIEW_PREVIEW_H

#include <stdio.h>

#include "base/world.h"
#include "change/change.h"
#include "fleet/fleet.h"

struct preview_options {
	struct loop *loop;
	struct fleet *fleet; /* modules (and `facts`) and blobs are in it */
	const struct world *world;
	const struct fleet_host *hosts; /* how to reach each, by index */
};

/*
 * Fill facts, plan_vars, readonly and the steps of every host of the change;
 * a host that could not be asked gets its `trouble`, or, where it is away and
 * the plan allows that, is `away`. Runs the loop. Sets
 * preview_ms. Only an internal fault is an error.
 */
int preview_ask(const struct preview_options *options, struct change *change,
    struct err *err) MUST_USE;

/* Hosts with the same impact, step for step, but for their own names. */
struct preview_group {
	int *hosts; /* indices, in order */
	size_t count;
	bool named; /* their own names are in it */
};
/* Groups in the order of their first host. */
void preview_group(struct arena *arena, const struct change *change,
    struct preview_group **groups, size_t *count);

/* For people: the plan, waves, bound, what cannot be taken back, then a block
 * a group. scripts also shows the exact scripts, there and back. */
int preview_render(FILE *out, const struct change *change, bool scripts,
    struct err *err) MUST_USE;
/* Of that the lines that say why, where, how and how many. */
void preview_render_brief(FILE *out, const struct change *change);
struct json *preview_json(struct arena *arena, const struct change *change);

/* How many steps of how many will be changed / cannot be told. */
struct preview_counts {
	int hosts, troubled, away, changing, unchanged;
	int steps_change, steps_cannot_tell, steps_depend;
	int enforced; /* hosts on which read-only was enforced */
};
void preview_count(const struct change *change, struct preview_counts *counts);

#endif
