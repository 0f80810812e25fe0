/*
 * Where modules are: NAME/NAME.lua in the first folder that has it, so that
 * a project can put its own before a built-in one.
 */
#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "project/project.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MODULE_NAME_MAX = 64 };

/* A name that cannot lead out of its folder. */
static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > MODULE_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isascii((unsigned char)name[i]) ||
		    (!isalnum((unsigned char)name[i]) &&
			strchr("_-", name[i]) == NULL))
			return false;
	return true;
}

static const char *
path_in(struct arena *arena, const char *folder, const char *name)
{
	const char *path =
	    arena_printf(arena, "%s/%s/%s.lua", folder, name, name);

	return file_exists(path) ? path : NULL;
}

static int
refuse_module(struct arena *arena, const struct project *project,
    const char *name, struct place place, struct err *err)
{
	struct buf known = BUF_INIT;
	const char **names = NULL, *near;
	size_t count = 0;
	int r;

	r = project_modules(arena, project, &names, &count, err);
	if (r < 0)
		return r;
	near = text_near(name, names, count);
	if (near != NULL)
		return err_at(err, ERR_PLAN, place,
		    _("there is no module '%s' (did you mean '%s'?)"), name,
		    near);
	for (size_t i = 0; i < count; i++)
		buf_printf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
	if (count > 0)
		r = err_at(err, ERR_PLAN, place,
		    _("there is no module '%s'; there are %s"), name,
		    buf_str(&known));
	else
		r = err_at(err, ERR_PLAN, place,
		    _("there is no module '%s', nor any other in %s or %s; "
		      "install hoshu, or name its folder of modules in "
		      "hoshu.yml (modules: [/where/it/is/modules])"),
		    name, project->module_folders[0],
		    project->module_folders[project->module_folder_count - 1]);
	buf_free(&known);
	return r;
}

int
project_module_path(struct arena *arena, const struct project *project,
    const char *name, struct place place, const char **path, struct err *err)
{
	const char *found = NULL;

	for (size_t i = 0;
	     is_name(name) && found == NULL && i < project->module_folder_count;
	     i++)
		found = path_in(arena, project->module_folders[i], name);
	if (found == NULL)
		return refuse_module(arena, project, name, place, err);
	*path = found;
	return 0;
}

struct names {
	const char **items;
	size_t count, cap;
};

/* Add the folder's modules; one that is not there has none. */
static int
list_folder(struct arena *arena, const char *folder, struct names *names,
    struct err *err)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (dir == NULL && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (dir == NULL)
		return err_errno(err, _("%s: cannot be listed"), folder);
	while ((entry = readdir(dir)) != NULL)
		if (is_name(entry->d_name) &&
		    path_in(arena, folder, entry->d_name) != NULL)
			*arena_push(arena, names->items, names->count,
			    names->cap) = arena_strdup(arena, entry->d_name);
	closedir(dir);
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
project_modules(struct arena *arena, const struct project *project,
    const char ***names, size_t *count, struct err *err)
{
	struct names found = {NULL, 0, 0};
	size_t kept = 0;
	int r;

	for (size_t i = 0; i < project->module_folder_count; i++) {
		r = list_folder(arena, project->module_folders[i], &found, err);
		if (r < 0)
			return r;
	}
	if (found.count > 0)
		qsort(found.items, found.count, sizeof(*found.items),
		    compare_names);
	for (size_t i = 0; i < found.count; i++)
		if (kept == 0 ||
		    strcmp(found.items[kept - 1], found.items[i]) != 0)
			found.items[kept++] = found.items[i];
	*names = found.items;
	*count = kept;
	return 0;
}
