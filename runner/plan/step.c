/*
 * One step, with the steps of its rollback: the keys that every step has. What
 * stands behind the module's key and beside it is kept as it is for plan_bind.
 * Knows no module, and nothing of the list that the step stands in.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SECOND_MS ((int64_t)1000)
#define DAY_MS ((int64_t)86400000)

enum { RETRY_MAX = 100, MODULE_NAME_MAX = 64 };

/* The keys of every step; what is behind `built` is refused by name. */
static const char *const step_keys[] = {"name", "when", "notify", "timeout",
    "retry", "rollback", "because", "on", "each", "use", "with",
    /* not built yet, or not of a step */
    "around", "ask", "secrets",
    /* stands alone */
    "flush", "guard",
    /* said of the whole plan */
    "later", "unpreviewed"};
enum { STEP_KEYS_BUILT = 11 };

/* Words that stand beside many modules' keys, so that they may also stand
 * before it and are never taken for the module. */
static const char *const beside_words[] = {"unless", "as", "env", "stdin"};

/* Those that people put here, and that stand at the top. */
static const char *const plan_words[] = {"later", "unpreviewed"};

bool
step_key_known(const char *key)
{
	for (size_t i = 0; i < COUNT(step_keys); i++)
		if (strcmp(key, step_keys[i]) == 0)
			return true;
	return false;
}

const char *
step_key_near(const char *key)
{
	return text_near(key, step_keys, STEP_KEYS_BUILT);
}

static bool
is_beside_word(const char *key)
{
	for (size_t i = 0; i < COUNT(beside_words); i++)
		if (strcmp(key, beside_words[i]) == 0)
			return true;
	return false;
}

/* A map with only those keys that every step knows. */
static struct yaml *
known_part(struct arena *arena, const struct yaml *map)
{
	struct yaml *part = arena_new_of(arena, struct yaml);

	*part = *map;
	part->count = 0;
	part->keys = arena_array(arena, struct yaml *, map->count + 1);
	part->items = arena_array(arena, struct yaml *, map->count + 1);
	for (size_t i = 0; i < map->count; i++) {
		if (!step_key_known(map->keys[i]->text))
			continue;
		part->keys[part->count] = map->keys[i];
		part->items[part->count++] = map->items[i];
	}
	return part;
}

/* The module's key: the first that is neither a step's nor stands beside. */
static int
find_module(struct step *step, const struct yaml *map, struct err *err)
{
	const struct yaml *key = NULL;
	const char *near;
	size_t others = 0;

	for (size_t i = 0; i < map->count; i++) {
		if (step_key_known(map->keys[i]->text))
			continue;
		others++;
		if (key != NULL || is_beside_word(map->keys[i]->text))
			continue;
		key = map->keys[i];
		step->module_yaml = map->items[i];
	}
	if (key == NULL)
		return err_at(err, ERR_PLAN, map->place,
		    _("this step names no module; write what it does, such "
		      "as file: { ... } or run: [ ... ]"));
	near = step_key_near(key->text);
	if (near != NULL && others > 1)
		return err_at(err, ERR_PLAN, key->place,
		    _("unknown key '%s' (did you mean '%s'?)"), key->text,
		    near);
	if (key->len > MODULE_NAME_MAX ||
	    strspn(key->text, "abcdefghijklmnopqrstuvwxyz0123456789_") !=
		key->len ||
	    strchr("0123456789_", key->text[0]) != NULL)
		return err_at(err, ERR_PLAN, key->place,
		    _("'%s' cannot be a module; modules have names like "
		      "'file'"),
		    key->text);
	step->module = key->text;
	return 0;
}

static int
read_retry(struct step *step, const struct yaml *map, struct err *err)
{
	int64_t times = 0;
	const struct yaml_field fields[] = {
	    {"times", YAML_WANT_INT, .num = &times, .min = 1, .max = RETRY_MAX},
	    {"every", YAML_WANT_DURATION, .num = &step->retry_every_ms},
	};
	int r;

	if (map == NULL)
		return 0;
	step->retry_every_ms = 10 * SECOND_MS;
	if ((r = yaml_read(map, "retry", fields, COUNT(fields), err)) < 0)
		return r;
	if (times == 0)
		return err_at(err, ERR_PLAN, map->place,
		    _("retry: times is missing; say how often, such as "
		      "{ times: 3, every: 10s }"));
	step->retry_times = (int)times;
	return word_range(
	    map, "every", step->retry_every_ms, SECOND_MS, DAY_MS, err);
}

/* What a handler or a step of a rollback may not say. */
static int
check_place(enum step_place where, const struct yaml *map, struct err *err)
{
	static const struct {
		enum step_place where;
		const char *key;
		const char *why;
	} rules[] = {
	    {STEP_HANDLER, "name",
		N_("name: a handler's name is its key; take this out")},
	    {STEP_HANDLER, "when",
		N_("when: a handler has none; it runs when a step that "
		   "notifies it changed something")},
	    {STEP_HANDLER, "notify",
		N_("notify: a handler cannot notify; let the step notify "
		   "both handlers")},
	    {STEP_HANDLER, "rollback",
		N_("rollback: a handler has none; it runs again after the "
		   "undo of the step that notifies it")},
	    {STEP_HANDLER, "because",
		N_("because: it explains rollback:, which a handler does not "
		   "have")},
	    {STEP_HANDLER, "on",
		N_("on: a handler runs on the host whose step notified it; "
		   "write a step with on: and when: changed(...) instead")},
	    {STEP_AROUND, "when",
		N_("when: what is entered must be left; a step of around: has "
		   "no condition")},
	    {STEP_AROUND, "notify",
		N_("notify: a step of around: cannot notify")},
	    {STEP_AROUND, "rollback",
		N_("rollback: the way back of around: is its other side")},
	    {STEP_AROUND, "because",
		N_("because: it explains rollback:, which a step of around: "
		   "does not have")},
	    {STEP_OF_ROLLBACK, "notify",
		N_("notify: a step of a rollback cannot notify; the handlers "
		   "of the step run again anyway")},
	    {STEP_OF_ROLLBACK, "rollback",
		N_("rollback: a step of a rollback has no rollback of its "
		   "own")},
	    {STEP_OF_ROLLBACK, "because",
		N_("because: it explains rollback:, which a step of a "
		   "rollback does not have")},
	};

	for (size_t i = 0; i < COUNT(rules); i++)
		if (rules[i].where == where &&
		    yaml_get(map, rules[i].key) != NULL)
			return err_at(err, ERR_PLAN,
			    word_place(map, rules[i].key), "%s",
			    _(rules[i].why));
	return 0;
}

/* rollback: with steps of its own. */
static int
read_back_steps(struct plan_reader *reader, struct step *step,
    const struct yaml *list, struct err *err)
{
	int r = 0;

	if ((r = word_list(list, "rollback", PLAN_STEPS_MAX, err)) < 0)
		return r;
	step->back = STEP_BACK_STEPS;
	step->back_steps = arena_array(reader->arena, struct step, list->count);
	step->back_count = list->count;
	for (size_t i = 0; i < list->count && r == 0; i++)
		r = step_read(reader, &step->back_steps[i], list->items[i],
		    STEP_OF_ROLLBACK,
		    arena_printf(reader->arena, _("rollback step %zu"), i + 1),
		    err);
	return r;
}

static int
read_back(struct plan_reader *reader, struct step *step, const struct yaml *map,
    const struct yaml *node, struct err *err)
{
	bool because = yaml_get(map, "because") != NULL;

	if (node == NULL) {
		if (!because)
			return 0;
		return err_at(err, ERR_PLAN, word_place(map, "because"),
		    _("because: it explains rollback:, which this step does "
		      "not have; add rollback: keep or stop, or take it "
		      "out"));
	}
	if (node->type == YAML_LIST)
		return read_back_steps(reader, step, node, err);
	if (node->type == YAML_TEXT && strcmp(node->text, "keep") == 0)
		step->back = STEP_BACK_KEEP;
	else if (node->type == YAML_TEXT && strcmp(node->text, "stop") == 0)
		step->back = STEP_BACK_STOP;
	else
		return err_at(err, ERR_PLAN, node->place,
		    _("rollback: of a step is keep, stop or a list of "
		      "steps"));
	if (!because)
		return err_at(err, ERR_PLAN, node->place,
		    _("rollback: %s needs because: with the reason why it "
		      "is safe or must stop there; the approver reads it"),
		    node->text);
	return 0;
}

int
step_check_when(const struct yaml *when, struct err *err)
{
	if (when != NULL && strspn(when->text, " \t\n") == when->len)
		return err_at(err, ERR_PLAN, when->place,
		    _("when: is empty; write an expression or take it out"));
	if (when != NULL && text_has_expression(when->text))
		return err_at(err, ERR_PLAN, when->place,
		    _("when: is an expression already; write it without "
		      "${{ }}"));
	return 0;
}

/* Values of one line, and durations that make sense. */
static int
check_values(const struct step *step, const struct yaml *map, struct err *err)
{
	const struct yaml *name = yaml_get(map, "name");
	const struct yaml *because = yaml_get(map, "because");
	int r;

	if (name != NULL &&
	    ((r = word_line(name, "name", PLAN_NAME_MAX, err)) < 0 ||
		(r = word_plain(name, "name", err)) < 0))
		return r;
	if (because != NULL &&
	    ((r = word_line(because, "because", PLAN_REASON_MAX, err)) < 0 ||
		(r = word_plain(because, "because", err)) < 0))
		return r;
	if ((r = step_check_when(yaml_get(map, "when"), err)) < 0)
		return r;
	return word_range(
	    map, "timeout", step->timeout_ms, SECOND_MS, 7 * DAY_MS, err);
}

int
step_read(struct plan_reader *reader, struct step *step, const struct yaml *map,
    enum step_place where, const char *what, struct err *err)
{
	const struct yaml *retry = NULL, *back = NULL, *when = NULL,
			  *notify = NULL, *on = NULL, *ask = NULL;
	const struct yaml_field fields[] = {
	    {"name", YAML_WANT_TEXT, .text = &step->name},
	    {"when", YAML_WANT_TEXT, .text = &step->when, .node = &when},
	    {"notify", YAML_WANT_ANY, .node = &notify},
	    {"timeout", YAML_WANT_DURATION, .num = &step->timeout_ms},
	    {"retry", YAML_WANT_MAP, .node = &retry},
	    {"rollback", YAML_WANT_ANY, .node = &back},
	    {"because", YAML_WANT_TEXT, .text = &step->because},
	    {"on", YAML_WANT_TEXT, .text = &step->on, .node = &on},
	    FIELD_NOT_YET("around"),
	    {"ask", YAML_WANT_ANY, .node = &ask},
	    FIELD_NOT_YET("secrets"),
	};
	int r;

	if (reader->plan->last_id >= PLAN_STEPS_MAX)
		return err_at(err, ERR_PLAN, map->place,
		    _("more than %d steps in one plan; split it"),
		    PLAN_STEPS_MAX);
	if (map->type != YAML_MAP)
		return err_at(err, ERR_PLAN, map->place,
		    _("%s: a map belongs here, such as file: { path: ... }"),
		    what);
	step->id = ++reader->plan->last_id;
	step->place = map->place;
	step->timeout_ms = 600 * SECOND_MS;
	step->handler = where == STEP_HANDLER;
	step->of_rollback = where == STEP_OF_ROLLBACK;
	step->yaml = map;
	if (yaml_get(map, "each") != NULL || yaml_get(map, "use") != NULL)
		return err_at(err, ERR_PLAN,
		    word_place(
			map, yaml_get(map, "each") != NULL ? "each" : "use"),
		    _("each: and use: stand among the steps of a phase, not "
		      "in a handler, a rollback or around:"));
	for (size_t i = 0; i < COUNT(plan_words); i++)
		if (yaml_get(map, plan_words[i]) != NULL)
			return err_at(err, ERR_PLAN,
			    word_place(map, plan_words[i]),
			    _("%s: is said of the whole plan, beside risk:"),
			    plan_words[i]);
	if (yaml_get(map, "flush") != NULL)
		return err_at(err, ERR_PLAN, word_place(map, "flush"),
		    _("flush: stands alone among the steps of a phase, as "
		      "`- flush: true`"));
	if ((r = plan_refuse_guard(map, err)) < 0 ||
	    (r = check_place(where, map, err)) < 0 ||
	    (r = yaml_read(known_part(reader->arena, map), what, fields,
		 COUNT(fields), err)) < 0 ||
	    (r = plan_refuse_ask(ask, err)) < 0 ||
	    (r = find_module(step, map, err)) < 0 ||
	    (r = check_values(step, map, err)) < 0 ||
	    (r = read_retry(step, retry, err)) < 0)
		return r;
	step->named = step->name != NULL;
	if (when != NULL)
		step->when_place = when->place;
	if (on != NULL) {
		step->on_place = on->place;
		if ((r = word_line(on, "on", PLAN_REASON_MAX, err)) < 0)
			return r;
	}
	return read_back(reader, step, map, back, err);
}

bool
plan_runs_again(const struct step *step)
{
	return step->handler || step->around != AROUND_NOT;
}
