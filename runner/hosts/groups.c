/*
 * Groups, and groups of groups. Pure.
 */
#include "base/i18n.h"
#include "base/text.h"
#include "hosts/inside.h"

#include <stdlib.h>
#include <string.h>

static int
compare_groups(const void *a, const void *b)
{
	return strcmp(
	    ((const struct group *)a)->name, ((const struct group *)b)->name);
}

int
hosts_find_group(const struct draft *draft, const char *name)
{
	struct group key = {.name = name};
	const struct group *found;

	if (draft->inventory->group_count == 0)
		return -1;
	found = bsearch(&key, draft->group, draft->inventory->group_count,
	    sizeof(key), compare_groups);
	return found != NULL ? (int)(found - draft->group) : -1;
}

static int
read_group(struct draft *draft, const struct yaml *key,
    const struct yaml *value, struct group *group, struct err *err)
{
	const struct yaml *vars = NULL;
	const struct yaml_field fields[] = {
	    {"hosts", YAML_WANT_LIST, .node = &group->hosts},
	    {"groups", YAML_WANT_LIST, .node = &group->groups},
	    {"vars", YAML_WANT_MAP, .node = &vars},
	};
	const char *what =
	    arena_printf(draft->arena, _("group '%s'"), key->text);
	int r;

	r = hosts_check_name(key, N_("group"), err);
	if (r < 0)
		return r;
	group->name = key->text;
	group->place = key->place;
	r = yaml_read(
	    value, what, fields, sizeof(fields) / sizeof(fields[0]), err);
	if (r < 0)
		return r;
	return hosts_read_vars(draft->arena, vars, what, &group->vars, err);
}

static int
refuse_group(const struct draft *draft, const struct group *group,
    const struct yaml *name, struct err *err)
{
	const struct inventory *inventory = draft->inventory;
	const char *near =
	    text_near(name->text, inventory->groups, inventory->group_count);

	if (near != NULL)
		return err_at(err, ERR_PLAN, name->place,
		    _("group '%s': there is no group '%s' (did you mean "
		      "'%s'?)"),
		    group->name, name->text, near);
	return err_at(err, ERR_PLAN, name->place,
	    _("group '%s': there is no group '%s'; add it under groups:, or "
	      "list it under hosts: if it is a host"),
	    group->name, name->text);
}

/* Enter group as a parent of each group that it lists. */
static int
link_children(struct draft *draft, int at, struct err *err)
{
	const struct group *group = &draft->group[at];
	size_t count = group->groups != NULL ? group->groups->count : 0;
	struct group *child;
	int index;

	for (size_t i = 0; i < count; i++) {
		const struct yaml *name = group->groups->items[i];

		if (name->type != YAML_TEXT)
			return err_at(err, ERR_PLAN, name->place,
			    _("group '%s': groups: holds names of groups only"),
			    group->name);
		index = hosts_find_group(draft, name->text);
		if (index < 0)
			return refuse_group(draft, group, name, err);
		child = &draft->group[index];
		if (child->parent_count > 0 &&
		    child->parents[child->parent_count - 1] == at)
			return err_at(err, ERR_PLAN, name->place,
			    _("group '%s': '%s' is listed twice; keep one"),
			    group->name, name->text);
		*arena_push(draft->arena, child->parents, child->parent_count,
		    child->parent_cap) = at;
	}
	return 0;
}

static int
first_left_parent(const struct group *group, const bool *peeled)
{
	for (size_t i = 0; i < group->parent_count; i++)
		if (!peeled[group->parents[i]])
			return group->parents[i];
	return -1;
}

/* Takes away, again and again, the groups that lie in no group that is left.
 * What cannot be taken away lies in a circle or below one; walking up from
 * there as often as there are groups ends inside the circle. */
static int
check_circles(const struct draft *draft, struct err *err)
{
	int count = (int)draft->inventory->group_count, at = -1, next;
	bool *peeled = arena_array(draft->arena, bool, (size_t)count);
	bool moved = true;

	/* the rounds are as many as levels; those are bounded */
	for (int round = 0; moved && round < HOSTS_NAME_MAX; round++) {
		moved = false;
		at = -1;
		for (int i = 0; i < count; i++) {
			if (peeled[i])
				continue;
			if (first_left_parent(&draft->group[i], peeled) < 0) {
				peeled[i] = true;
				moved = true;
			} else
				at = i;
		}
	}
	if (at < 0)
		return 0;
	if (moved)
		return err_at(err, ERR_PLAN, draft->group[at].place,
		    _("group '%s' lies more than %d groups deep; make it "
		      "flatter"),
		    draft->group[at].name, HOSTS_NAME_MAX);
	for (int i = 0; i < count; i++)
		at = first_left_parent(&draft->group[at], peeled);
	next = first_left_parent(&draft->group[at], peeled);
	return err_at(err, ERR_PLAN, draft->group[at].place,
	    _("group '%s' contains itself, by way of '%s'; take it out of "
	      "one groups: list"),
	    draft->group[at].name, draft->group[next].name);
}

int
hosts_read_groups(struct draft *draft, struct err *err)
{
	struct inventory *inventory = draft->inventory;
	size_t count = draft->groups != NULL ? draft->groups->count : 0;
	int r;

	draft->group = arena_array(draft->arena, struct group, count);
	inventory->groups = arena_array(draft->arena, const char *, count);
	for (size_t i = 0; i < count; i++) {
		r = read_group(draft, draft->groups->keys[i],
		    draft->groups->items[i], &draft->group[i], err);
		if (r < 0)
			return r;
	}
	if (count > 0)
		qsort(
		    draft->group, count, sizeof(*draft->group), compare_groups);
	for (size_t i = 0; i < count; i++)
		inventory->groups[i] = draft->group[i].name;
	inventory->group_count = count;
	for (size_t i = 0; i < count; i++) {
		r = link_children(draft, (int)i, err);
		if (r < 0)
			return r;
	}
	return check_circles(draft, err);
}
