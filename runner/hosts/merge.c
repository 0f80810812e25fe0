/*
 * Which groups a host lies in, and what its variables are: host > nearest
 * group > everyone. Pure.
 */
#include "base/i18n.h"
#include "hosts/inside.h"

#include <stdlib.h>
#include <string.h>

/* A variable that has been found, and who said it. */
struct found {
	const struct var *var;
	int level; /* 0 the host, 1.. groups by distance, -1 everyone */
	int group;
};

/* Scratch for all hosts, so that a host costs no more than its groups. */
struct merge {
	struct draft *draft;
	struct found *found;
	size_t found_count;
	int *reached;  /* group indices, the nearest first */
	int *distance; /* of reached[i] */
	size_t reached_count;
	int *seen; /* host id + 1 that reached this group last */
	size_t memberships, merged;
};

static void
reach(struct merge *merge, int host, int group, int distance)
{
	if (merge->seen[group] == host + 1)
		return;
	merge->seen[group] = host + 1;
	merge->reached[merge->reached_count] = group;
	merge->distance[merge->reached_count++] = distance;
}

/* All groups of host, breadth first: so the distance is the shortest. */
static void
find_groups(struct merge *merge, int host)
{
	const struct host_draft *draft = &merge->draft->host[host];
	const struct group *group;

	merge->reached_count = 0;
	for (size_t i = 0; i < draft->group_count; i++)
		reach(merge, host, draft->groups[i], 1);
	for (size_t i = 0; i < merge->reached_count; i++) {
		group = &merge->draft->group[merge->reached[i]];
		for (size_t j = 0; j < group->parent_count; j++)
			reach(merge, host, group->parents[j],
			    merge->distance[i] + 1);
	}
}

static int
refuse_quarrel(const struct merge *merge, const struct host *host,
    const struct found *a, const struct var *b, int group, struct err *err)
{
	return err_at(err, ERR_PLAN, b->place,
	    _("host '%s': the groups '%s' and '%s' are equally near and "
	      "disagree on '%s' (%s:%d and here); set it on the host, or in "
	      "one of the two only"),
	    host->name, merge->draft->group[a->group].name,
	    merge->draft->group[group].name, b->name, a->var->place.file,
	    a->var->place.line);
}

/* Vars of one level join what nearer levels have said. */
static int
add_vars(struct merge *merge, const struct host *host, const struct vars *vars,
    int level, int group, struct err *err)
{
	for (size_t i = 0; i < vars->count; i++) {
		const struct var *var = &vars->items[i];
		struct found *f = merge->found;
		struct found *end = f + merge->found_count;

		while (f < end && strcmp(f->var->name, var->name) != 0)
			f++;
		if (f == end) {
			if (merge->found_count == HOSTS_VARS_MAX)
				return err_at(err, ERR_PLAN, var->place,
				    _("host '%s' has more than %d variables"),
				    host->name, HOSTS_VARS_MAX);
			*f = (struct found){var, level, group};
			merge->found_count++;
		} else if (level > 0 && f->level == level &&
			   !json_equal(f->var->value, var->value))
			return refuse_quarrel(merge, host, f, var, group, err);
	}
	return 0;
}

static int
merge_vars(struct merge *merge, struct host *host, struct err *err)
{
	struct draft *draft = merge->draft;
	int r;

	merge->found_count = 0;
	r = add_vars(merge, host, &draft->host[host->id].vars, 0, -1, err);
	for (size_t i = 0; r == 0 && i < merge->reached_count; i++)
		r = add_vars(merge, host, &draft->group[merge->reached[i]].vars,
		    merge->distance[i], merge->reached[i], err);
	if (r == 0)
		r = add_vars(merge, host, &draft->vars, -1, -1, err);
	if (r < 0)
		return r;
	merge->merged += merge->found_count;
	if (merge->merged > HOSTS_MERGED_MAX)
		return err_at(err, ERR_PLAN, host->place,
		    _("all hosts together have more than %d variables"),
		    HOSTS_MERGED_MAX);
	host->vars = json_map(draft->arena);
	for (size_t i = 0; i < merge->found_count; i++)
		json_put_new(draft->arena, host->vars,
		    merge->found[i].var->name, merge->found[i].var->value);
	return 0;
}

static int
compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

/* The groups' indices are in the order of their names. */
static int
keep_groups(struct merge *merge, struct host *host, struct err *err)
{
	struct draft *draft = merge->draft;
	size_t count = merge->reached_count;
	int *sorted;

	merge->memberships += count;
	if (merge->memberships > HOSTS_MEMBERSHIPS_MAX)
		return err_at(err, ERR_PLAN, host->place,
		    _("all hosts together are in more than %d groups"),
		    HOSTS_MEMBERSHIPS_MAX);
	sorted = xcalloc(count, sizeof(*sorted));
	if (count > 0) {
		memcpy(sorted, merge->reached, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), compare_ints);
	}
	host->groups = arena_array(draft->arena, const char *, count);
	for (size_t i = 0; i < count; i++)
		host->groups[i] = draft->group[sorted[i]].name;
	host->group_count = count;
	free(sorted);
	return 0;
}

int
hosts_merge(struct draft *draft, struct err *err)
{
	struct inventory *inventory = draft->inventory;
	size_t groups = inventory->group_count;
	struct arena *scratch = arena_new();
	struct merge merge = {.draft = draft};
	int r = 0;

	merge.found = arena_array(scratch, struct found, HOSTS_VARS_MAX);
	merge.reached = arena_array(scratch, int, groups);
	merge.distance = arena_array(scratch, int, groups);
	merge.seen = arena_array(scratch, int, groups);
	for (size_t i = 0; r == 0 && i < inventory->count; i++) {
		find_groups(&merge, (int)i);
		r = keep_groups(&merge, &inventory->hosts[i], err);
		if (r == 0)
			r = merge_vars(&merge, &inventory->hosts[i], err);
	}
	arena_free(scratch);
	return r;
}
