/*
 * Finds and reads hoshu.yml. Whether what it names is any good is for those
 * who open it to say.
 */
#include "project/project.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "yaml/yaml.h"

#include <stdlib.h>
#include <string.h>

enum { PROJECT_APPROVALS_MAX = 20, PROJECT_WORKERS_MAX = 64 };
enum { PROJECT_LEASE_MIN_MS = 1000, PROJECT_LEASE_MAX_MS = 3600 * 1000 };

/* The folder with hoshu.yml, from start upwards; start is absolute. */
static int
find_folder(struct arena *arena, const char *start, const char **folder,
    struct err *err)
{
	const char *at = start;

	for (;;) {
		if (file_exists(file_join(arena, at, "hoshu.yml"))) {
			*folder = at;
			return 0;
		}
		if (strcmp(at, "/") == 0)
			break;
		at = file_folder(arena, at);
	}
	return err_set(err, ERR_PLAN,
	    _("no hoshu.yml in %s or above; go to a project's folder, or "
	      "start one with `hoshu init`"),
	    start);
}

static int
read_approvals(
    const struct yaml *value, struct project *project, struct err *err)
{
	int64_t persons = 0;

	if (value == NULL)
		return 0;
	if (value->type == YAML_TEXT && strcmp(value->text, "solo") == 0) {
		project->solo = true;
		project->approvals = 1;
		return 0;
	}
	if (value->type != YAML_TEXT ||
	    !text_int(value->text, 1, PROJECT_APPROVALS_MAX, &persons))
		return err_at(err, ERR_PLAN, value->place,
		    _("hoshu.yml: 'approvals' must be a number of persons "
		      "from 1 to %d, or solo"),
		    PROJECT_APPROVALS_MAX);
	project->approvals = (int)persons;
	return 0;
}

static int
read_role(struct arena *arena, const struct yaml *key, const struct yaml *value,
    struct project_role *role, struct err *err)
{
	int r;

	role->name = key->text;
	r = yaml_read_texts(arena, value,
	    arena_printf(arena, _("hoshu.yml: the role '%s'"), key->text),
	    &role->persons, &role->count, err);
	if (r == 0 && role->count == 0)
		r = err_at(err, ERR_PLAN, value->place,
		    _("hoshu.yml: the role '%s' names nobody; give each "
		      "person as the file of approvers does"),
		    key->text);
	return r;
}

static int
read_roles(struct arena *arena, const struct yaml *map, struct project *project,
    struct err *err)
{
	int r = 0;

	if (map == NULL)
		return 0;
	project->role_count = map->count;
	project->roles = arena_array(arena, struct project_role, map->count);
	for (size_t i = 0; i < map->count && r == 0; i++)
		r = read_role(arena, map->keys[i], map->items[i],
		    &project->roles[i], err);
	return r;
}

/* The project's own folders, then the built-in one. A default that is not
 * there is fine; what a person named must be. */
static int
read_module_folders(struct arena *arena, const struct yaml *value,
    struct project *project, struct err *err)
{
	static const char *const otherwise[] = {"modules"};
	const char **names = NULL, **folders;
	const struct yaml *item;
	size_t count = 1;
	int r;

	if (value != NULL) {
		r = yaml_read_texts(arena, value, _("hoshu.yml: 'modules'"),
		    &names, &count, err);
		if (r < 0)
			return r;
	}
	folders = arena_array(arena, const char *, count + 1);
	for (size_t i = 0; i < count; i++) {
		folders[i] = file_join(arena, project->folder,
		    names != NULL ? names[i] : otherwise[i]);
		if (value == NULL || file_exists(folders[i]))
			continue;
		item = value->type == YAML_LIST ? value->items[i] : value;
		return err_at(err, ERR_PLAN, item->place,
		    _("modules: there is no folder '%s'; make it, or take it "
		      "out of the list"),
		    folders[i]);
	}
	folders[count] = HOSHU_DATA "/modules";
	project->module_folders = folders;
	project->module_folder_count = count + 1;
	return 0;
}

static int
check_paths(const struct yaml *root, struct err *err)
{
	static const char *const keys[] = {
	    "inventory", "store", "approvers", "files"};
	const struct yaml *value;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		value = yaml_get(root, keys[i]);
		if (value != NULL && value->len == 0)
			return err_at(err, ERR_PLAN, value->place,
			    _("hoshu.yml: '%s' is empty; name a path, or "
			      "leave it out"),
			    keys[i]);
	}
	return 0;
}

static int
read_settings(struct arena *arena, const struct yaml *root,
    struct project *project, struct err *err)
{
	const char *inventory = "inventory/hosts.yml", *store = ".hoshu";
	const char *approvers = NULL, *files = "files";
	const struct yaml *approvals = NULL, *modules = NULL, *roles = NULL;
	int64_t workers = 2, lease_ms = 15000;
	const struct yaml_field fields[] = {
	    {"inventory", YAML_WANT_TEXT, .text = &inventory},
	    {"store", YAML_WANT_TEXT, .text = &store},
	    {"approvals", YAML_WANT_ANY, .node = &approvals},
	    {"approvers", YAML_WANT_TEXT, .text = &approvers},
	    {"roles", YAML_WANT_MAP, .node = &roles},
	    {"modules", YAML_WANT_ANY, .node = &modules},
	    {"files", YAML_WANT_TEXT, .text = &files},
	    {"workers", YAML_WANT_INT, .num = &workers, .min = 1,
		.max = PROJECT_WORKERS_MAX},
	    {"lease", YAML_WANT_DURATION, .num = &lease_ms},
	    {.key = "policy", .want = YAML_NOT_YET},
	    {.key = "notify", .want = YAML_NOT_YET},
	};
	bool empty = root->type == YAML_TEXT && root->plain && root->len == 0;
	int r = 0;

	if (!empty)
		r = yaml_read(root, "hoshu.yml", fields,
		    sizeof(fields) / sizeof(fields[0]), err);
	if (r == 0)
		r = check_paths(root, err);
	if (r < 0)
		return r;
	project->inventory = file_join(arena, project->folder, inventory);
	project->store = file_join(arena, project->folder, store);
	project->files = file_join(arena, project->folder, files);
	project->approvers =
	    approvers != NULL
		? file_join(arena, project->folder, approvers)
		: file_join(arena, project->store, "allowed_signers");
	project->approvals = 2;
	project->workers = (int)workers;
	project->lease_ms = lease_ms;
	if (lease_ms < PROJECT_LEASE_MIN_MS || lease_ms > PROJECT_LEASE_MAX_MS)
		return err_at(err, ERR_PLAN, yaml_get(root, "lease")->place,
		    _("hoshu.yml: 'lease' must be from 1s to 1h"));
	if ((r = read_approvals(approvals, project, err)) < 0 ||
	    (r = read_roles(arena, roles, project, err)) < 0)
		return r;
	return read_module_folders(arena, modules, project, err);
}

int
project_load(struct arena *arena, const char *folder, struct project **out,
    struct err *err)
{
	struct project *project = arena_new_of(arena, struct project);
	struct yaml *root = NULL;
	char *start;
	int r;

	start = realpath(folder != NULL ? folder : ".", NULL);
	if (start == NULL)
		return err_errno(err, "%s", folder != NULL ? folder : ".");
	r = find_folder(
	    arena, arena_strdup(arena, start), &project->folder, err);
	free(start);
	if (r < 0)
		return r;
	r = yaml_load(
	    arena, file_join(arena, project->folder, "hoshu.yml"), &root, err);
	if (r == 0)
		r = read_settings(arena, root, project, err);
	if (r == 0)
		*out = project;
	return r;
}
