/*
 * Steps against the descriptors of their modules: which keys there are, which
 * are missing, and the rules that only a descriptor can tell. After this a
 * plan is complete.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

enum { KEYS_MAX = 64 };

static const struct json *
find_module(const struct plan_module *modules, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(modules[i].name, name) == 0)
			return modules[i].descriptor;
	return NULL;
}

static bool
list_has(const struct json *list, const char *word)
{
	for (size_t i = 0; list != NULL && i < list->count; i++)
		if (list->items[i]->type == JSON_TEXT &&
		    strcmp(list->items[i]->text, word) == 0)
			return true;
	return false;
}

static int
unknown_param(struct bind *bind, const struct step *step,
    const struct json *params, const struct yaml *key, struct err *err)
{
	const char *names[KEYS_MAX], *known = "";
	size_t count = 0;

	for (size_t i = 0; params != NULL && i < params->count; i++) {
		if (count == KEYS_MAX)
			break;
		names[count] = params->keys[i];
		known = arena_printf(bind->arena, "%s%s%s", known,
		    count > 0 ? ", " : "", names[count]);
		count++;
	}
	return err_at(err, ERR_PLAN, key->place,
	    _("%s: unknown key '%s'%s; it knows %s"), step->module, key->text,
	    word_hint(bind->arena, text_near(key->text, names, count)), known);
}

static int
unknown_beside(struct bind *bind, const struct step *step,
    const struct json *beside, const struct yaml *key, struct err *err)
{
	const char *names[KEYS_MAX], *near;
	size_t count = 0;

	for (size_t i = 0; beside != NULL && i < beside->count; i++)
		if (beside->items[i]->type == JSON_TEXT && count < KEYS_MAX)
			names[count++] = beside->items[i]->text;
	near = text_near(key->text, names, count);
	if (near == NULL)
		near = step_key_near(key->text);
	return err_at(err, ERR_PLAN, key->place,
	    _("unknown key '%s' beside %s%s"), key->text, step->module,
	    word_hint(bind->arena, near));
}

static int
put_param(struct bind *bind, struct step *step, const struct json *params,
    const struct yaml *key, const char *name, const struct yaml *value,
    struct err *err)
{
	const struct json *param = json_get(params, name);
	struct json *made = NULL;
	const char *what;
	int r;

	if (param == NULL)
		return unknown_param(bind, step, params, key, err);
	what = arena_printf(bind->arena, "%s: %s", step->module, name);
	if (json_get(step->params, name) != NULL)
		return err_at(err, ERR_PLAN, key->place,
		    _("%s: stands there twice, in %s and beside it"), what,
		    step->module);
	r = bind_value(bind, step, name, param, value, what, &made, err);
	if (r < 0)
		return r;
	json_put(bind->arena, step->params, name, made);
	return 0;
}

/* What stands behind the module's key. */
static int
put_inside(struct bind *bind, struct step *step, const struct json *descriptor,
    struct err *err)
{
	const struct json *params = json_get(descriptor, "params");
	const char *brief = json_get_text(descriptor, "short", "");
	const struct yaml *value = step->module_yaml;
	int r = 0;

	if (value->type != YAML_MAP) {
		if (*brief == '\0' && (params == NULL || params->count == 0))
			return err_at(err, ERR_PLAN, value->place,
			    _("%s: it takes nothing: write %s: {}"),
			    step->module, step->module);
		if (*brief == '\0')
			return err_at(err, ERR_PLAN, value->place,
			    _("%s: a map of its params belongs here"),
			    step->module);
		return put_param(bind, step, params,
		    yaml_key(step->yaml, step->module), brief, value, err);
	}
	for (size_t i = 0; i < value->count && r == 0; i++)
		r = put_param(bind, step, params, value->keys[i],
		    value->keys[i]->text, value->items[i], err);
	return r;
}

/* What stands beside it. */
static int
put_beside(struct bind *bind, struct step *step, const struct json *descriptor,
    struct err *err)
{
	const struct json *params = json_get(descriptor, "params");
	const struct json *beside = json_get(descriptor, "beside");
	int r = 0;

	for (size_t i = 0; i < step->yaml->count && r == 0; i++) {
		const struct yaml *key = step->yaml->keys[i];

		if (step_key_known(key->text) ||
		    strcmp(key->text, step->module) == 0)
			continue;
		if (!list_has(beside, key->text))
			return unknown_beside(bind, step, beside, key, err);
		r = put_param(bind, step, params, key, key->text,
		    step->yaml->items[i], err);
	}
	return r;
}

static struct json *
copy_json(struct arena *arena, const struct json *from)
{
	struct json *to = arena_new_of(arena, struct json);

	switch (from->type) {
	case JSON_TEXT:
		return json_text_len(arena, from->text, from->len);
	case JSON_LIST:
		to = json_list(arena);
		for (size_t i = 0; i < from->count; i++)
			json_add(arena, to, copy_json(arena, from->items[i]));
		return to;
	case JSON_MAP:
		to = json_map(arena);
		for (size_t i = 0; i < from->count; i++)
			json_put(arena, to, arena_strdup(arena, from->keys[i]),
			    copy_json(arena, from->items[i]));
		return to;
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_INT:
		*to = *from;
		return to;
	}
	bug("JSON type %d", (int)from->type);
}

/* Defaults for what is missing; then what is needed must be there. */
static int
complete(struct bind *bind, struct step *step, const struct json *descriptor,
    struct err *err)
{
	const struct json *params = json_get(descriptor, "params"), *value;

	for (size_t i = 0; params != NULL && i < params->count; i++) {
		const char *name = params->keys[i];

		if (json_get(step->params, name) != NULL)
			continue;
		value = json_get(params->items[i], "default");
		if (value != NULL && value->type != JSON_NULL)
			json_put(bind->arena, step->params,
			    arena_strdup(bind->arena, name),
			    copy_json(bind->arena, value));
		else if (json_get_bool(params->items[i], "required", false))
			return err_at(err, ERR_PLAN,
			    word_place(step->yaml, step->module),
			    _("%s: the key '%s' is missing"), step->module,
			    name);
	}
	return 0;
}

/* A literal param, such as a person's shell text, goes to the host as it was
 * written and approved. */
static int
check_literal(
    const struct step *step, const struct json *descriptor, struct err *err)
{
	const struct json *params = json_get(descriptor, "params");
	const char *name, *text;

	for (size_t i = 0; params != NULL && i < params->count; i++) {
		name = params->keys[i];
		text = json_get_text(step->params, name, "");
		if (!json_get_bool(params->items[i], "literal", false) ||
		    !text_has_expression(text))
			continue;
		if (list_has(json_get(descriptor, "beside"), "env"))
			return err_at(err, ERR_PLAN,
			    word_place(step->yaml, step->module),
			    _("%s: ${{ }} is not evaluated in %s; give the "
			      "value by env: { V: \"${{ ... }}\" } and write "
			      "\"$V\""),
			    step->module, name);
		return err_at(err, ERR_PLAN,
		    word_place(step->yaml, step->module),
		    _("%s: ${{ }} is not evaluated in %s; write it out"),
		    step->module, name);
	}
	return 0;
}

static int
check_rules(const struct plan *plan, const struct step *step,
    const struct json *descriptor, struct err *err)
{
	const struct json *can = json_get(descriptor, "can");
	bool goes_back =
	    plan->host_failed != BACK_NONE || plan->limit != BACK_NONE;

	if (step->retry_times > 0 && step->blind)
		return err_at(err, ERR_PLAN, word_place(step->yaml, "retry"),
		    _("retry: nothing can tell whether %s was done already; "
		      "add unless: with a command that succeeds then"),
		    step->module);
	if (step->around != AROUND_NOT && step->blind)
		return err_at(err, ERR_PLAN,
		    word_place(step->yaml, step->module),
		    _("%s: nothing can tell on which side of around: the host "
		      "is; add unless: with a command that succeeds when this "
		      "was done already"),
		    step->module);
	if (step->back == STEP_BACK_DERIVED && !plan_runs_again(step) &&
	    !step->of_rollback && goes_back &&
	    !json_get_bool(can, "undo", true))
		return err_at(err, ERR_PLAN,
		    word_place(step->yaml, step->module),
		    _("%s: cannot be taken back by itself; add rollback: "
		      "[steps], or rollback: keep or stop with because:"),
		    step->module);
	return check_literal(step, descriptor, err);
}

static int
bind_step(struct bind *bind, const struct plan *plan, struct step *step,
    const struct json *descriptor, struct err *err)
{
	int r;

	step->params = json_map(bind->arena);
	step->reboots = json_get_bool(descriptor, "reboots", false);
	step->templates = NULL;
	step->template_count = 0;
	if ((r = put_inside(bind, step, descriptor, err)) < 0 ||
	    (r = put_beside(bind, step, descriptor, err)) < 0 ||
	    (r = complete(bind, step, descriptor, err)) < 0)
		return r;
	step->blind = list_has(json_get(descriptor, "beside"), "unless") &&
		      json_get(step->params, "unless") == NULL;
	return check_rules(plan, step, descriptor, err);
}

/* ca: names a file, the worker wants its text. */
static int
bind_check(struct bind *bind, struct check *check, struct err *err)
{
	const struct yaml *ca;
	const char *text = NULL;
	int r;

	if (check->kind != CHECK_HTTP || check->yaml->type != YAML_MAP)
		return 0;
	ca = yaml_get(check->yaml, "ca");
	if (ca == NULL)
		return 0;
	if ((r = bind_text(bind, ca, "ca", &text, err)) < 0)
		return r;
	json_put_text(bind->arena, check->spec, "ca", text);
	return 0;
}

int
plan_bind(struct arena *arena, struct plan *plan,
    const struct plan_module *modules, size_t count, const char *files_folder,
    int (*blob)(
	void *arg, const char *sha256, struct bytes content, struct err *err),
    void *arg, struct err *err)
{
	struct bind bind = {
	    .arena = arena,
	    .files_folder = files_folder,
	    .blob = blob,
	    .arg = arg,
	};
	int r = 0;

	for (int id = 1; id <= plan->last_id && r == 0; id++) {
		struct step *step = plan->by_id[id];
		const struct json *descriptor, *params;

		descriptor = find_module(modules, count, step->module);
		if (descriptor == NULL)
			return err_at(err, ERR_PLAN,
			    word_place(step->yaml, step->module),
			    _("there is no module '%s'"), step->module);
		/* a worker's word */
		params = json_get(descriptor, "params");
		if (params != NULL && params->type != JSON_MAP)
			return err_set(err, ERR_INTERNAL,
			    "module %s: its params are no map", step->module);
		r = bind_step(&bind, plan, step, descriptor, err);
	}
	for (size_t i = 0; i < plan->check_count && r == 0; i++)
		r = bind_check(&bind, &plan->checks[i], err);
	if (r < 0)
		return r;
	plan_name_steps(arena, plan, modules, count);
	return plan_check_changed(plan, err);
}
