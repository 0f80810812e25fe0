/* hoshu rollback: take a change back, or some of its hosts, because a person
 * says so; also one that has ended well. */
#include "cmd/rollback.h"
#include "base/i18n.h"
#include "cmd/running.h"
#include "cmd/table.h"
#include "rollout/machine.h"

#include <stdlib.h>
#include <string.h>

static int
compare_hosts(const void *a, const void *b, void *arg)
{
	const struct host *hosts = arg;

	return strcmp(hosts[*(const int *)a].name, hosts[*(const int *)b].name);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The change's hosts as an inventory, with the groups that were frozen: what
 * --hosts names must be of the change. */
static struct inventory *
rollback_inventory(const struct context *context)
{
	const struct change *change = context->change;
	struct arena *arena = context->arena;
	struct inventory *made = arena_new_of(arena, struct inventory);
	size_t cap = 0;

	made->file = "--hosts";
	made->count = change->host_count;
	made->hosts = arena_array(arena, struct host, made->count + 1);
	made->by_name = arena_array(arena, int, made->count + 1);
	for (size_t i = 0; i < made->count; i++) {
		const struct change_host *from = &change->hosts[i];
		struct host *to = &made->hosts[i];

		to->id = made->by_name[i] = (int)i;
		to->name = from->name;
		to->vars = from->vars;
		to->group_count = from->groups->count;
		to->groups =
		    arena_array(arena, const char *, to->group_count + 1);
		for (size_t g = 0; g < to->group_count; g++) {
			const char *group = from->groups->items[g]->text;
			bool known = false;

			to->groups[g] = group;
			for (size_t k = 0; k < made->group_count; k++)
				known = known ||
					strcmp(made->groups[k], group) == 0;
			if (!known)
				*arena_push(arena, made->groups,
				    made->group_count, cap) = group;
		}
	}
	if (made->group_count > 1)
		qsort(made->groups, made->group_count, sizeof(*made->groups),
		    compare_names);
	qsort_r(made->by_name, made->count, sizeof(*made->by_name),
	    compare_hosts, made->hosts);
	return made;
}

static int
rollback_hosts(struct context *context, const bool **asked, struct err *err)
{
	const char *selector = cmd_given(context->call, "hosts");
	struct place place = {"--hosts", 1, 1};
	bool *set;
	size_t count;
	int *ids, r;

	*asked = NULL;
	if (selector == NULL)
		return 0;
	r = hosts_select(context->arena, rollback_inventory(context), selector,
	    place, &ids, &count, err);
	if (r < 0)
		return r;
	set = arena_array(context->arena, bool, context->change->host_count);
	for (size_t i = 0; i < count; i++)
		set[ids[i]] = true;
	*asked = set;
	return 0;
}

/* Is anything of it left to take back? */
static bool
rollback_stands(const struct context *context, const bool *asked)
{
	const struct change *change = context->change;

	for (size_t i = 0; i < change->part_count; i++) {
		const struct part_fold *part = &context->fold.parts[i];

		if ((asked == NULL || asked[change->parts[i].host]) &&
		    part->state != HOST_REVERTED &&
		    (machine_has_way_back(change->plan, part) ||
			part->state == HOST_STARTED))
			return true;
	}
	return false;
}

static int
rollback_refuse(
    const struct context *context, const bool *asked, struct err *err)
{
	enum change_state state = context->fold.state;
	char name[16];

	change_name(context->change->number, name);
	if (state == CHANGE_SUBMITTED || state == CHANGE_REJECTED)
		return err_set(err, ERR_REFUSED,
		    _("%s was never run: there is nothing to take back"), name);
	if (asked != NULL && state != CHANGE_ENDED)
		return err_set(err, ERR_REFUSED,
		    _("%s has not ended: only the whole of it can be taken "
		      "back now. `hoshu abort %s` ends it; then --hosts goes"),
		    name, name);
	if (!rollback_stands(context, asked))
		return err_set(err, ERR_REFUSED,
		    _("nothing of %s stands on %s: `hoshu show %s` says what "
		      "became of each host"),
		    name, asked == NULL ? _("any host") : _("those hosts"),
		    name);
	return 0;
}

static int
rollback_prepare(struct context *context, struct cmd_way *way, struct err *err)
{
	int r;

	way->way = "back";
	if ((r = cmd_because(context->call, false, &way->because, err)) < 0 ||
	    (r = rollback_hosts(context, &way->asked, err)) < 0 ||
	    (r = rollback_refuse(context, way->asked, err)) < 0)
		return r;
	return cmd_refuse_later(context, way->asked, err);
}

static int
rollback_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	int r;

	if ((r = context_open(&context, call, err)) == 0 &&
	    (r = context_journal(&context, JOURNAL_WRITE, err)) == 0 &&
	    (r = context_load(&context, call->words[0], err)) == 0)
		r = cmd_run_change_by(&context, rollback_prepare, err);
	context_close(&context);
	return r;
}

const struct cmd cmd_rollback = {
    .name = "rollback",
    .args = "CHG",
    .summary = N_("take a change back, or some of its hosts"),
    .text = N_("Also one that has ended well. Later waves and phases first, "
	       "each step proved back; the\nplan's limits hold for what can "
	       "not be brought back. Refused where a later change has\n"
	       "touched the same thing on the same host. Interrupted, `hoshu "
	       "run CHG` goes on.\n"
	       "Exit status: 7 every host is proved back, 8 not all, 10 it "
	       "paused at a limit."),
    .examples = "  hoshu rollback CHG-0007 --because 'pages are slow'\n"
		"  hoshu rollback CHG-0007 --hosts 'web & !web1'\n",
    .options = {{"hosts", "SELECTOR", N_("only these hosts of the change"),
		    false},
	{"because", "TEXT", N_("why; it stands in the journal"), false},
	{"as", "PERSON", N_("who says so (default: $HOSHU_PERSON, login name)"),
	    false}},
    .min_words = 1,
    .max_words = 1,
    .run = rollback_run,
};
