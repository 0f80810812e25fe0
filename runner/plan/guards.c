/*
 * Guards: `- guard: 5m` among the steps of a phase, with steps of its own
 * below it. What stands within must have a way back that is known before:
 * the host takes it on its own, with nobody to ask.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SECOND_MS ((int64_t)1000)
#define DAY_MS ((int64_t)86400000)

enum { GUARD_STEPS_MAX = 100 };

size_t
plan_guard_steps(const struct yaml *map)
{
	const struct yaml *steps;

	if (map->type != YAML_MAP || yaml_get(map, "guard") == NULL)
		return 0;
	steps = yaml_get(map, "steps");
	return steps != NULL && steps->type == YAML_LIST && steps->count > 0
		   ? steps->count
		   : 1; /* of a guard that will be refused */
}

int
plan_refuse_guard(const struct yaml *map, struct err *err)
{
	if (plan_guard_steps(map) == 0)
		return 0;
	return err_at(err, ERR_PLAN, word_place(map, "guard"),
	    _("guard: stands round steps of a phase, as `- guard: 5m` with "
	      "steps: below it; there is none within another"));
}

/* What the host cannot do alone. */
static int
check_step(const struct step *step, struct err *err)
{
	if (step->back != STEP_BACK_DERIVED)
		return err_at(err, ERR_PLAN, word_place(step->yaml, "rollback"),
		    _("rollback: within guard: the host goes back by itself, "
		      "so each step needs the way back that its module "
		      "writes; take the step out of the guard"));
	if (step->on != NULL)
		return err_at(err, ERR_PLAN, word_place(step->yaml, "on"),
		    _("on: within guard: the host can take back only what is "
		      "done on itself; take the step out of the guard"));
	if (step->retry_times > 0)
		return err_at(err, ERR_PLAN, word_place(step->yaml, "retry"),
		    _("retry: within guard: the time runs; a step that fails "
		      "goes back at once"));
	return 0;
}

/* Its own condition, and the guard's before it. */
static void
add_when(struct arena *arena, struct step *step, const char *when,
    struct place place)
{
	if (when == NULL)
		return;
	if (step->when == NULL) {
		step->when = when;
		step->when_place = place;
		return;
	}
	/* a comment at the end of either ends with its line */
	step->when = arena_printf(arena, "(%s\n) and (%s\n)", when, step->when);
}

static void
make_acts(struct arena *arena, struct guard *guard)
{
	static const char *const words[] = {"arm", "ask", "confirm", "go back"};
	static const int64_t timeouts[] = {
	    60 * SECOND_MS, 120 * SECOND_MS, 120 * SECOND_MS, 120 * SECOND_MS};
	struct buf time = BUF_INIT;

	text_put_duration(&time, guard->time_ms);
	for (int act = 0; act < GUARD_ACTS; act++) {
		struct step *step = &guard->acts[act];

		step->place = guard->place;
		step->phase = guard->phase;
		step->segment = guard->segment;
		step->guard = guard;
		step->timeout_ms = timeouts[act];
		step->named = true;
		step->name = arena_printf(
		    arena, "dead-man %s: %s", buf_str(&time), words[act]);
	}
	buf_free(&time);
}

int
plan_read_guard(struct plan_reader *reader, int number, int segment,
    const struct yaml *map, struct err *err)
{
	struct phase *phase = &reader->plan->phases[number];
	struct guard *guard = arena_new_of(reader->arena, struct guard);
	const struct yaml *steps = NULL, *when = NULL;
	const char *condition = NULL;
	const struct yaml_field fields[] = {
	    {"guard", YAML_WANT_DURATION, .num = &guard->time_ms},
	    {"when", YAML_WANT_TEXT, .text = &condition, .node = &when},
	    {"steps", YAML_NEED_LIST, .node = &steps},
	};
	struct plan *plan = reader->plan;
	int r;

	if ((r = yaml_read(map, "guard", fields, COUNT(fields), err)) < 0 ||
	    (r = word_range(map, "guard", guard->time_ms, 10 * SECOND_MS,
		 DAY_MS, err)) < 0 ||
	    (r = word_list(steps, "steps", GUARD_STEPS_MAX, err)) < 0 ||
	    (r = step_check_when(when, err)) < 0)
		return r;
	guard->place = map->place;
	guard->number = (int)plan->guard_count;
	guard->phase = number;
	guard->segment = segment;
	make_acts(reader->arena, guard);
	*arena_push(reader->arena, plan->guards, plan->guard_count,
	    plan->guard_cap) = guard;
	for (size_t i = 0; i < steps->count; i++) {
		struct step *step = &phase->steps[phase->step_count];

		r = plan_read_step(
		    reader, number, segment, steps->items[i], err);
		if (r < 0 || (r = check_step(step, err)) < 0)
			return r;
		step->guard = guard;
		add_when(reader->arena, step, condition,
		    when != NULL ? when->place : guard->place);
	}
	return 0;
}

void
plan_number_guards(struct plan *plan)
{
	plan->last_act = plan->last_id;
	for (size_t g = 0; g < plan->guard_count; g++)
		for (int act = 0; act < GUARD_ACTS; act++) {
			struct step *step = &plan->guards[g]->acts[act];

			step->id = ++plan->last_act;
			plan->by_id[step->id] = step;
		}
}

bool
plan_is_guard_act(const struct step *step)
{
	return step->guard != NULL && step->module == NULL;
}

enum guard_act
plan_guard_act(const struct step *step)
{
	return (enum guard_act)(step - step->guard->acts);
}
