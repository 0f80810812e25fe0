/*
 * A hoshu project: the folder with hoshu.yml, and what is set there.
 *
 *	inventory: inventory/hosts.yml
 *	store: .hoshu                       # journal and keys of this project
 *	approvals: 2                        # persons needed; or `solo`
 *	approvers: .hoshu/allowed_signers   # as OpenSSH has it; default: this
 *	                                    # name in the store
 *	modules: [modules]                  # folders, before the built-in ones
 *	files: files
 *	roles: { dba: [carol, dave] }       # who answers what a plan asks of them
 *	workers: 2
 *	lease: 15s                          # how long a coordinator may stand
 *	                                    # still before another takes over
 *
 * hoshu.yml is looked for in the working folder and upwards, like .git. What
 * is written above is what holds when a key is left out; an empty file is a
 * project. `policy` and `notify` are refused as not built yet.
 */
#ifndef HOSHU_PROJECT_PROJECT_H
#define HOSHU_PROJECT_PROJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct project_role {
	const char *name;
	const char **persons;
	size_t count;
};

struct project {
	const char *folder;    /* absolute */
	const char *inventory; /* absolute paths from here on */
	const char *store;
	const char *approvers;
	const char *files;
	const char **module_folders; /* searched in order; built-in ones last */
	size_t module_folder_count;
	int approvals; /* persons needed, >= 1 */
	bool solo;     /* approvals: solo */
	struct project_role *roles;
	size_t role_count;
	int workers;
	int64_t lease_ms;
};

/* Find and read hoshu.yml from folder (NULL = working folder) upwards. Lives
 * in arena. */
int project_load(struct arena *arena, const char *folder, struct project **out,
    struct err *err) MUST_USE;
/* The role of that name, or ERR_PLAN naming the near word; place is where the
 * plan names it. */
int project_role(struct arena *arena, const struct project *project,
    const char *name, struct place place, const struct project_role **role,
    struct err *err) MUST_USE;
/* The module's file ("modules/service/service.lua"), or ERR_PLAN naming the
 * near word among all modules; place is where the plan names it. */
int project_module_path(struct arena *arena, const struct project *project,
    const char *name, struct place place, const char **path,
    struct err *err) MUST_USE;
/* Every module's name, sorted. */
int project_modules(struct arena *arena, const struct project *project,
    const char ***names, size_t *count, struct err *err) MUST_USE;

#endif
