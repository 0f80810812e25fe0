/* Who holds a role. Whether their keys are any good is for approval/ to say. */
#include "project/project.h"
#include "base/i18n.h"
#include "base/text.h"

#include <string.h>

int
project_role(struct arena *arena, const struct project *project,
    const char *name, struct place place, const struct project_role **role,
    struct err *err)
{
	const char **names =
	    arena_array(arena, const char *, project->role_count + 1);
	const char *near;

	for (size_t i = 0; i < project->role_count; i++) {
		names[i] = project->roles[i].name;
		if (strcmp(names[i], name) != 0)
			continue;
		*role = &project->roles[i];
		return 0;
	}
	near = text_near(name, names, project->role_count);
	if (near != NULL)
		return err_at(err, ERR_PLAN, place,
		    _("role: hoshu.yml has no role '%s' (did you mean '%s'?)"),
		    name, near);
	return err_at(err, ERR_PLAN, place,
	    _("role: hoshu.yml has no role '%s'; say who holds it there: "
	      "roles: { %s: [alice, bob] }"),
	    name, name);
}
