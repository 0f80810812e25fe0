/*
 * Where steps stand: in a phase, with what is flushed between them, as the two
 * sides of around:, or as a handler. A step itself is step.c's.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"

int
plan_read_handler(struct plan_reader *reader, struct step *step,
    const struct yaml *key, const struct yaml *map, struct err *err)
{
	int r = step_read(reader, step, map, STEP_HANDLER,
	    arena_printf(reader->arena, _("handler \"%s\""), key->text), err);

	step->name = key->text;
	step->named = true;
	step->place = key->place;
	return r;
}

static void
place_steps(struct step *steps, size_t count, int phase, int segment)
{
	for (size_t i = 0; i < count; i++) {
		steps[i].phase = phase;
		steps[i].segment = segment;
		place_steps(
		    steps[i].back_steps, steps[i].back_count, phase, segment);
	}
}

/* "- flush: true": handlers that are owed run here. */
static int
read_flush(const struct yaml *map, bool *flush, struct err *err)
{
	const struct yaml *node =
	    map->type == YAML_MAP ? yaml_get(map, "flush") : NULL;

	*flush = node != NULL;
	if (node == NULL)
		return 0;
	if (map->count == 1 && node->type == YAML_TEXT &&
	    strcmp(node->text, "true") == 0)
		return 0;
	return err_at(err, ERR_PLAN, map->place,
	    _("flush: stands alone, as `- flush: true`: the handlers that "
	      "are owed run there"));
}

int
plan_read_step(struct plan_reader *reader, int number, int segment,
    const struct yaml *map, struct err *err)
{
	struct phase *phase = &reader->plan->phases[number];
	struct step *step = &phase->steps[phase->step_count];
	int r = step_read(reader, step, map, STEP_FORWARD,
	    arena_printf(reader->arena, _("step %zu"), phase->step_count + 1),
	    err);

	if (r < 0)
		return r;
	place_steps(step, 1, number, segment);
	phase->step_count++;
	return 0;
}

int
plan_read_steps(struct plan_reader *reader, int number, const struct yaml *list,
    struct err *err)
{
	struct phase *phase = &reader->plan->phases[number];
	struct yaml *flat = NULL;
	size_t most = 0;
	int segment = 0, r = 0;
	bool flush;

	if ((r = word_list(list, "steps", PLAN_STEPS_MAX, err)) < 0 ||
	    (r = plan_reuse(reader, list, &flat, err)) < 0)
		return r;
	list = flat;
	for (size_t i = 0; i < list->count; i++)
		most += 1 + plan_guard_steps(list->items[i]);
	phase->steps = arena_array(reader->arena, struct step, most);
	for (size_t i = 0; i < list->count && r == 0; i++) {
		const struct yaml *map = list->items[i];

		if ((r = read_flush(map, &flush, err)) < 0)
			return r;
		if (flush) {
			segment++;
		} else if (plan_guard_steps(map) > 0) {
			r = plan_read_guard(
			    reader, number, segment + 1, map, err);
			segment += 2;
		} else {
			r = plan_read_step(reader, number, segment, map, err);
		}
	}
	if (r == 0 && phase->step_count == 0)
		return err_at(err, ERR_PLAN, list->place,
		    _("steps: there is nothing to do; write a step"));
	return r;
}

int
plan_read_around(struct plan_reader *reader, int number, const struct yaml *map,
    enum step_around side, struct err *err)
{
	struct phase *phase = &reader->plan->phases[number];
	bool enter = side == AROUND_ENTER;
	const char *word = enter ? "enter" : "leave";
	struct step **steps = enter ? &phase->enter : &phase->leave;
	size_t *count = enter ? &phase->enter_count : &phase->leave_count;
	const struct yaml *list = yaml_get(map, word);
	int r;

	if ((r = word_list(list, word, PLAN_STEPS_MAX, err)) < 0)
		return r;
	*steps = arena_array(reader->arena, struct step, list->count);
	*count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		struct step *step = &(*steps)[i];

		r = step_read(reader, step, list->items[i], STEP_AROUND,
		    arena_printf(reader->arena,
			enter ? _("enter %zu") : _("leave %zu"), i + 1),
		    err);
		if (r < 0)
			return r;
		step->around = side;
		place_steps(step, 1, number, 0);
	}
	return 0;
}
