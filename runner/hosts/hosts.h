/*
 * The inventory: hosts, groups of groups, variables; and selectors over it.
 *
 *	ssh_config: lab/ssh_config     # optional; ssh -G -F, relative to this file
 *	become: { method: sudo, password: { command: [pass, show, ops] } }
 *	                               # of every host that does not say
 *	vars: { zone: tokyo }          # of every host, weakest
 *	groups:
 *	  web:  { hosts: [web1, web2], vars: { tier: front } }
 *	  shop: { groups: [web, db] }
 *	hosts:
 *	  web1: { address: 10.0.0.1, port: 22, user: ops, become: sudo,
 *	          vars: { rack: a } }
 *
 * A host is listed under hosts:, or just named by a group. Variables: host >
 * nearest group > `vars`; two groups equally near that disagree are an error
 * naming both places. Names of variables are [A-Za-z_][A-Za-z0-9_]*, values are
 * typed as yaml_to_json does. The order of hosts is that of the text (hosts: first,
 * then by first mention in groups), and is the order of waves.
 */
#ifndef HOSHU_HOSTS_HOSTS_H
#define HOSHU_HOSTS_HOSTS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

struct host {
	int id;		     /* index into inventory->hosts */
	const char *name;    /* [A-Za-z0-9][A-Za-z0-9._-]*, <= 128 */
	const char *address; /* NULL = what ssh -G says for name */
	int port;	     /* 0 = what ssh -G says */
	const char *user;    /* NULL = what ssh -G says */
	const char *become;  /* "none" or "sudo" */
	/* The command that prints sudo's password, or NULL: sudo must not ask. */
	const char *const *password;
	const char **groups; /* sorted, with the groups of groups */
	size_t group_count;
	struct json *vars; /* map, merged */
	struct place place;
};

struct inventory {
	const char *file;
	const char *ssh_config; /* absolute, or NULL; may not be there */
	struct place ssh_config_place;
	struct host *hosts;
	size_t count;
	const char **groups; /* all names, sorted */
	size_t group_count;
	int *by_name; /* host ids, sorted by name */
};

int inventory_load(struct arena *arena, const char *path,
    struct inventory **out, struct err *err) MUST_USE;
/* The host of that name, or NULL. */
const struct host *inventory_host(
    const struct inventory *inventory, const char *name);

/*
 * Selectors: names of hosts or groups, `all`, `~regex` over host names (found
 * anywhere in the name; ends at a blank or at a bracket that it did not open),
 * `&` (and), `|` or `,` (or), `!` (not), parentheses, first(...). `!` binds
 * strongest, then `&`, then `|`. Every name, every ~regex, every side of a `|`
 * and the whole must match something: otherwise ERR_PLAN with the place (col
 * of the word within the text, which begins at place) and the near word (P8).
 * Gives host ids in the inventory's order.
 */
int hosts_select(struct arena *arena, const struct inventory *inventory,
    const char *selector, struct place place, int **ids, size_t *count,
    struct err *err) MUST_USE;

#endif
