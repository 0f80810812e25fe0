/*
 * The files that a plan uses: read through the caller at submit, kept with the
 * plan, and given back from there when a frozen change is read again.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"

const char *
plan_used_path(const struct plan_reader *reader, const char *name)
{
	const char *slash = strrchr(reader->plan->file, '/');

	if (slash == NULL)
		return arena_strdup(reader->arena, name);
	return arena_printf(reader->arena, "%.*s/%s",
	    (int)(slash - reader->plan->file), reader->plan->file, name);
}

/* Below the plan's folder, whatever else the name says. */
static bool
used_is_below(const char *name)
{
	if (name[0] == '/' || name[0] == '\0')
		return false;
	for (const char *at = name; at != NULL; at = strchr(at, '/')) {
		at += *at == '/';
		if (strncmp(at, "..", 2) == 0 &&
		    (at[2] == '/' || at[2] == '\0'))
			return false;
	}
	return true;
}

int
plan_used_text(struct plan_reader *reader, const struct yaml *name,
    const char **text, size_t *len, struct err *err)
{
	struct plan *plan = reader->plan;
	struct err why = ERR_INIT;
	struct bytes bytes;
	struct plan_used *used;
	size_t cap = plan->used_count;

	for (size_t i = 0; i < plan->used_count; i++)
		if (strcmp(plan->used[i].name, name->text) == 0) {
			*text = plan->used[i].text.data;
			*len = plan->used[i].text.len;
			return 0;
		}
	if (reader->uses == NULL || !used_is_below(name->text))
		return err_at(err, ERR_PLAN, name->place,
		    _("use: '%s' is no file below the plan's own folder"),
		    name->text);
	if (reader->uses(reader->uses_arg, name->text,
		plan_used_path(reader, name->text), &bytes, &why) < 0)
		return err_at(
		    err, why.code, name->place, _("use: %s"), why.text);
	used = arena_array(reader->arena, struct plan_used, cap + 1);
	if (cap > 0)
		memcpy(used, plan->used, cap * sizeof(*used));
	used[cap].name = name->text;
	used[cap].text.data = arena_copy(reader->arena, bytes.data, bytes.len);
	used[cap].text.len = bytes.len;
	plan->used = used;
	plan->used_count = cap + 1;
	*text = used[cap].text.data;
	*len = used[cap].text.len;
	return 0;
}
