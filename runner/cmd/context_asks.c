/*
 * Its part of context_plan: what persons are asked on the way, with the inputs
 * put in, and who holds each role by hoshu.yml.
 */
#include "base/i18n.h"
#include "cmd/context.h"

#include <string.h>

static int
asks_say(struct context *context, const struct plan_ask *from,
    struct change_ask *ask, struct err *err)
{
	struct arena *arena = context->arena;
	struct json *texts = json_list(arena), *values = NULL;
	struct err why = ERR_INIT;
	int r;

	json_add(arena, texts, json_text(arena, from->say));
	r = context_evaluate_inputs(context, texts, &values, &why);
	if (r < 0)
		return err_at(err, ERR_PLAN, from->say_place, "%s", why.text);
	if (values->type != JSON_LIST || values->count != 1 ||
	    values->items[0]->type != JSON_TEXT ||
	    values->items[0]->text[0] == '\0')
		return err_at(
		    err, ERR_PLAN, from->say_place, _("say: is no text"));
	ask->say = values->items[0]->text;
	return 0;
}

static int
asks_role(struct context *context, const struct plan_ask *from,
    struct change_ask *ask, struct err *err)
{
	const struct project_role *role;
	int r;

	ask->role = "";
	if (from->role == NULL)
		return 0;
	r = project_role(context->arena, context->project, from->role,
	    from->role_place, &role, err);
	if (r < 0)
		return r;
	ask->role = role->name;
	ask->persons = role->persons;
	ask->person_count = role->count;
	return 0;
}

int
context_asks(struct context *context, struct err *err)
{
	struct change *change = context->change;
	const struct plan *plan = change->plan;
	int r = 0;

	change->asks = arena_array(
	    context->arena, struct change_ask, plan->phase_count + 1);
	for (size_t p = 0; p < plan->phase_count && r == 0; p++) {
		const struct plan_ask *ask = plan->phases[p].ask;

		if (ask == NULL)
			continue;
		if ((r = asks_role(context, ask, &change->asks[p], err)) == 0)
			r = asks_say(context, ask, &change->asks[p], err);
	}
	return r;
}
