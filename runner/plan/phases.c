/*
 * Phases: each with its targets, waves, steps and checks, and barriers between
 * them. A plan with plain steps: is one phase without a name. Knows no
 * inventory.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* targets: of a plan or a phase. */
static int
phase_targets(struct phase *phase, const struct yaml *node, struct err *err)
{
	int r;

	if ((r = word_line(node, "targets", PLAN_REASON_MAX, err)) < 0 ||
	    (r = word_plain(node, "targets", err)) < 0)
		return r;
	phase->targets = node->text;
	phase->targets_place = node->place;
	return 0;
}

static int
phase_name(const struct plan *plan, struct phase *phase,
    const struct yaml *node, struct err *err)
{
	int r;

	if ((r = word_line(node, "name", PLAN_NAME_MAX, err)) < 0 ||
	    (r = word_plain(node, "name", err)) < 0)
		return r;
	phase->name = node->text;
	for (const struct phase *p = plan->phases; p < phase; p++)
		if (strcmp(p->name, phase->name) == 0)
			return err_at(err, ERR_PLAN, node->place,
			    _("the name '%s' is taken by the phase in line "
			      "%d; names are unique in a plan"),
			    phase->name, p->place.line);
	return 0;
}

/* around: { enter: [...], leave: [...] } and, between them, the steps. */
static int
phase_steps(struct plan_reader *reader, int number, const struct yaml *around,
    const struct yaml *steps, struct err *err)
{
	const struct yaml *enter = NULL, *leave = NULL;
	const struct yaml_field fields[] = {
	    {"enter", YAML_NEED_LIST, .node = &enter},
	    {"leave", YAML_NEED_LIST, .node = &leave},
	};
	int r;

	if (around == NULL)
		return plan_read_steps(reader, number, steps, err);
	if ((r = yaml_read(around, "around", fields, COUNT(fields), err)) < 0 ||
	    (r = plan_read_around(reader, number, around, AROUND_ENTER, err)) <
		0 ||
	    (r = plan_read_steps(reader, number, steps, err)) < 0)
		return r;
	return plan_read_around(reader, number, around, AROUND_LEAVE, err);
}

static int
read_phase(struct plan_reader *reader, size_t number, const struct yaml *map,
    const char *targets_of_all, struct err *err)
{
	struct phase *phase = &reader->plan->phases[number];
	const struct yaml *name = NULL, *targets = NULL, *waves = NULL,
			  *steps = NULL, *checks = NULL, *around = NULL,
			  *ask = NULL;
	const struct yaml_field fields[] = {
	    {"name", YAML_NEED_TEXT, .node = &name},
	    {"targets", YAML_WANT_TEXT, .node = &targets},
	    {"waves", YAML_WANT_LIST, .node = &waves},
	    {"steps", YAML_NEED_LIST, .node = &steps},
	    {"checks", YAML_WANT_LIST, .node = &checks},
	    {"around", YAML_WANT_MAP, .node = &around},
	    {"ask", YAML_WANT_MAP, .node = &ask},
	};
	const char *what =
	    arena_printf(reader->arena, _("phase %zu"), number + 1);
	int r;

	phase->place = map->place;
	if ((r = yaml_read(map, what, fields, COUNT(fields), err)) < 0 ||
	    (r = phase_name(reader->plan, phase, name, err)) < 0)
		return r;
	if (targets == NULL && targets_of_all == NULL)
		return err_at(err, ERR_PLAN, map->place,
		    _("phase \"%s\": targets: is missing, here and at the top "
		      "of the plan"),
		    phase->name);
	if (targets != NULL && (r = phase_targets(phase, targets, err)) < 0)
		return r;
	if ((r = plan_read_ask(reader, phase, ask, err)) < 0 ||
	    (r = plan_read_waves(reader, phase, waves, err)) < 0 ||
	    (r = phase_steps(reader, (int)number, around, steps, err)) < 0)
		return r;
	return plan_read_checks(reader, checks, (int)number, err);
}

/* With phases: the plan's own targets: is what a phase has that says none;
 * waves: and steps: belong to phases. */
static int
read_list(
    struct plan_reader *reader, const struct plan_parts *parts, struct err *err)
{
	const struct yaml *list = parts->phases;
	struct plan *plan = reader->plan;
	const struct yaml *stray = parts->steps != NULL	   ? parts->steps
				   : parts->waves != NULL  ? parts->waves
				   : parts->around != NULL ? parts->around
							   : parts->ask;
	struct phase top = {.name = ""};
	int r;

	if (stray != NULL)
		return err_at(err, ERR_PLAN, stray->place,
		    _("steps:, waves:, around: and ask: belong into the phases "
		      "of a plan that has phases:"));
	if ((r = word_list(list, "phases", PLAN_PHASES_MAX, err)) < 0 ||
	    (parts->targets != NULL &&
		(r = phase_targets(&top, parts->targets, err)) < 0))
		return r;
	plan->phases = arena_array(reader->arena, struct phase, list->count);
	for (size_t i = 0; i < list->count; i++) {
		plan->phase_count = i + 1;
		plan->phases[i].targets = top.targets;
		plan->phases[i].targets_place = top.targets_place;
		r = read_phase(reader, i, list->items[i], top.targets, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
read_one(struct plan_reader *reader, const struct yaml *root,
    const struct plan_parts *parts, struct err *err)
{
	struct plan *plan = reader->plan;
	struct phase *phase = arena_new_of(reader->arena, struct phase);
	int r;

	plan->phases = phase;
	plan->phase_count = 1;
	phase->name = "";
	phase->place = root->place;
	if ((r = phase_targets(phase, parts->targets, err)) < 0 ||
	    (r = plan_read_ask(reader, phase, parts->ask, err)) < 0 ||
	    (r = plan_read_waves(reader, phase, parts->waves, err)) < 0)
		return r;
	return phase_steps(reader, 0, parts->around, parts->steps, err);
}

int
plan_read_phases(struct plan_reader *reader, const struct yaml *root,
    const struct plan_parts *parts, struct err *err)
{
	int r;

	r = parts->phases != NULL ? read_list(reader, parts, err)
				  : read_one(reader, root, parts, err);
	if (r < 0 ||
	    (r = plan_read_checks(reader, parts->checks, -1, err)) < 0 ||
	    (r = plan_check_checks(reader->plan, err)) < 0)
		return r;
	return plan_read_handlers(reader, parts->handlers, err);
}
