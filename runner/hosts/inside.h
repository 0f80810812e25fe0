/*
 * Of hosts/ alone: the inventory while it is being read.
 */
#ifndef HOSHU_HOSTS_INSIDE_H
#define HOSHU_HOSTS_INSIDE_H

#include <stdbool.h>

#include "hosts/hosts.h"
#include "yaml/yaml.h"

/* What a file of 50,000 values could otherwise blow up to. */
enum {
	HOSTS_NAME_MAX = 128,
	HOSTS_VARS_MAX = 1000,		 /* of one host */
	HOSTS_MEMBERSHIPS_MAX = 1000000, /* hosts times their groups */
	HOSTS_MERGED_MAX = 1000000,	 /* hosts times their variables */
};

struct var {
	const char *name;
	struct json *value;
	struct place place;
};

struct vars {
	struct var *items;
	size_t count;
	size_t cap;
};

struct group {
	const char *name;
	struct place place;
	const struct yaml *hosts;  /* list, or NULL */
	const struct yaml *groups; /* list, or NULL */
	struct vars vars;
	int *parents;
	size_t parent_count, parent_cap;
};

struct host_draft {
	struct vars vars;
	int *groups; /* that name the host themselves */
	size_t group_count, group_cap;
};

struct become {
	int64_t way;
	const struct yaml *node; /* NULL = nothing is said */
	const char **password;	 /* argv of the command, or NULL */
};

struct draft {
	struct arena *arena;
	struct inventory *inventory;
	struct vars vars;
	struct become become;	   /* of hosts that do not say */
	const struct yaml *hosts;  /* map, or NULL */
	const struct yaml *groups; /* map, or NULL */
	struct group *group;	   /* sorted by name, like inventory->groups */
	struct host_draft *host;   /* as inventory->hosts */
};

/* A name that a host or a group may have; what is "host" or "group". */
int hosts_check_name(
    const struct yaml *name, const char *what, struct err *err) MUST_USE;
int hosts_read_vars(struct arena *arena, const struct yaml *map,
    const char *what, struct vars *vars, struct err *err) MUST_USE;

/* become.c: the field of become: in this map, and then the rest of it. */
struct yaml_field hosts_become_field(
    const struct yaml *map, struct become *become);
int hosts_read_become(struct arena *arena, const char *what,
    struct become *become, struct err *err) MUST_USE;
const char *hosts_become_way(const struct become *become);

/* groups.c: draft->group from draft->groups, with parents and no circle. */
int hosts_read_groups(struct draft *draft, struct err *err) MUST_USE;
/* The index of the group, or -1. */
int hosts_find_group(const struct draft *draft, const char *name);

/* merge.c: each host's groups and variables. */
int hosts_merge(struct draft *draft, struct err *err) MUST_USE;

#endif
