/*
 * Hosts that were away when the others were previewed (unpreviewed: allow):
 * the plan, its modules and its files are fixed for them too, what they give
 * is not. Asks no host.
 */
#include "change/change.h"
#include "base/i18n.h"

enum { NAMES_MAX = 50 };

bool
change_is_away(const struct change_host *host)
{
	return host->away != NULL && host->away[0] != '\0';
}

int
change_away_hosts(const struct change *change)
{
	int count = 0;

	for (size_t h = 0; h < change->host_count; h++)
		count += change_is_away(&change->hosts[h]);
	return count;
}

const char *
change_not_previewed(struct arena *arena, const struct change *change)
{
	int count = change_away_hosts(change), named = 0;
	struct buf names = BUF_INIT;
	const char *text;

	if (count == 0)
		return NULL;
	buf_printf(&names, "%d %s:", count, count == 1 ? "host" : "hosts");
	for (size_t h = 0; h < change->host_count && named < NAMES_MAX; h++) {
		if (!change_is_away(&change->hosts[h]))
			continue;
		buf_printf(&names, " %s", change->hosts[h].name);
		named++;
	}
	if (named < count)
		buf_printf(&names, " and %d more", count - named);
	text = arena_strdup(arena, buf_str(&names));
	buf_free(&names);
	return text;
}

void
change_away_steps(const struct change *change, struct change_host *host)
{
	for (int id = 1; id <= change->plan->last_id; id++) {
		struct change_step *step = &host->steps[id];

		if (!change_has_step(host, change->plan->by_id[id]))
			continue;
		step->verdict = CHANGE_DEPENDS;
		step->reason = N_("the host was away; what is to do is found "
				  "out when it is back");
	}
}

int
change_vars_map(struct arena *arena, const struct plan *plan,
    struct bytes values, struct buf *out, struct err *err)
{
	struct json *list = NULL, *map = json_map(arena);
	int r;

	r = json_parse(arena, values.data, values.len, "values", &list, err);
	if (r < 0)
		return r;
	if (list->type != JSON_LIST || list->count != plan->var_count)
		return err_set(err, ERR_INTERNAL,
		    _("the worker gave no values for vars:"));
	for (size_t i = 0; i < plan->var_count; i++)
		json_put(arena, map, plan->vars[i].name, list->items[i]);
	json_write(out, map);
	return 0;
}
