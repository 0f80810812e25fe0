/*
 * Handlers: who notifies whom. A handler is a step of its own in each segment
 * (a phase's steps up to a `flush: true` or the end) that notifies it, so that
 * a debt has one place where it is paid. Then the plan's steps are complete:
 * by_id, the modules used, and the order in which a host goes through.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

static const char *
near_handler(struct arena *arena, const struct yaml *map, const char *word)
{
	size_t count = map != NULL ? map->count : 0;
	const char **names = arena_array(arena, const char *, count + 1);

	for (size_t i = 0; i < count; i++)
		names[i] = map->keys[i]->text;
	return word_hint(arena, text_near(word, names, count));
}

/* notify: as a list of texts; refuses what is none. */
static int
notify_words(struct arena *arena, const struct step *step,
    const struct yaml ***words, size_t *count, struct err *err)
{
	const struct yaml *node = yaml_get(step->yaml, "notify");

	*count = 0;
	if (node == NULL || step->of_rollback)
		return 0;
	if (node->type == YAML_MAP)
		return err_at(err, ERR_PLAN, node->place,
		    _("notify: the name of a handler, or a list of names, "
		      "belongs here"));
	if (node->type == YAML_LIST && node->count == 0)
		return err_at(
		    err, ERR_PLAN, node->place, _("notify: the list is empty"));
	*count = node->type == YAML_TEXT ? 1 : node->count;
	*words = arena_array(arena, const struct yaml *, *count);
	for (size_t i = 0; i < *count; i++) {
		(*words)[i] = node->type == YAML_TEXT ? node : node->items[i];
		if ((*words)[i]->type != YAML_TEXT)
			return err_at(err, ERR_PLAN, (*words)[i]->place,
			    _("notify: the name of a handler belongs here"));
	}
	return 0;
}

static int
notify_one(struct plan_reader *reader, struct step *step,
    const struct yaml *map, const struct yaml *word, struct err *err)
{
	struct plan *plan = reader->plan;
	const struct step *handler = NULL;

	for (size_t i = 0; i < plan->handler_count; i++)
		if (plan->handlers[i].phase == step->phase &&
		    plan->handlers[i].segment == step->segment &&
		    strcmp(plan->handlers[i].name, word->text) == 0)
			handler = &plan->handlers[i];
	if (handler == NULL)
		return err_at(err, ERR_PLAN, word->place,
		    _("notify: there is no handler '%s'%s"), word->text,
		    near_handler(reader->arena, map, word->text));
	for (size_t i = 0; i < step->notify_count; i++)
		if (step->notify[i] == handler->id)
			return err_at(err, ERR_PLAN, word->place,
			    _("notify: '%s' is named twice"), word->text);
	step->notify[step->notify_count++] = handler->id;
	return 0;
}

static int
notify_step(struct plan_reader *reader, struct step *step,
    const struct yaml *map, struct err *err)
{
	const struct yaml **words = NULL;
	size_t count;
	int r;

	r = notify_words(reader->arena, step, &words, &count, err);
	if (r < 0 || count == 0)
		return r;
	step->notify = arena_array(reader->arena, int, count);
	for (size_t i = 0; i < count && r == 0; i++)
		r = notify_one(reader, step, map, words[i], err);
	return r;
}

static int
segment_notifies(struct plan_reader *reader, const struct phase *phase,
    int segment, const char *name, bool *notifies, struct err *err)
{
	const struct yaml **words = NULL;
	size_t count;
	int r;

	for (size_t i = 0; i < phase->step_count; i++) {
		if (phase->steps[i].segment != segment)
			continue;
		r = notify_words(
		    reader->arena, &phase->steps[i], &words, &count, err);
		if (r < 0)
			return r;
		for (size_t w = 0; w < count; w++)
			*notifies =
			    *notifies || strcmp(words[w]->text, name) == 0;
	}
	return 0;
}

static int
last_segment(const struct phase *phase)
{
	return phase->steps[phase->step_count - 1].segment;
}

static struct guard *
segment_guard(const struct phase *phase, int segment)
{
	for (size_t i = 0; i < phase->step_count; i++)
		if (phase->steps[i].segment == segment)
			return phase->steps[i].guard;
	return NULL;
}

/* The handlers that one segment notifies, in the order of the map. */
static int
read_segment(struct plan_reader *reader, int phase, int segment,
    const struct yaml *map, struct err *err)
{
	struct plan *plan = reader->plan;
	int r;

	for (size_t k = 0; k < map->count; k++) {
		struct step *handler = &plan->handlers[plan->handler_count];
		bool notifies = false;

		r = segment_notifies(reader, &plan->phases[phase], segment,
		    map->keys[k]->text, &notifies, err);
		if (r < 0)
			return r;
		if (!notifies)
			continue;
		r = plan_read_handler(
		    reader, handler, map->keys[k], map->items[k], err);
		if (r < 0)
			return r;
		handler->phase = phase;
		handler->segment = segment;
		handler->guard = segment_guard(&plan->phases[phase], segment);
		plan->handler_count++;
	}
	return 0;
}

static int
read_segments(
    struct plan_reader *reader, const struct yaml *map, struct err *err)
{
	struct plan *plan = reader->plan;
	size_t most = 0;
	int r;

	for (size_t p = 0; p < plan->phase_count; p++)
		most += (size_t)last_segment(&plan->phases[p]) + 1;
	plan->handlers =
	    arena_array(reader->arena, struct step, most * map->count + 1);
	for (size_t p = 0; p < plan->phase_count; p++)
		for (int s = 0; s <= last_segment(&plan->phases[p]); s++)
			if ((r = read_segment(reader, (int)p, s, map, err)) < 0)
				return r;
	return 0;
}

/* A handler that is no step anywhere was notified by none. */
static int
check_used(const struct plan *plan, const struct yaml *map, struct err *err)
{
	for (size_t k = 0; map != NULL && k < map->count; k++) {
		bool used = false;

		for (size_t i = 0; i < plan->handler_count; i++)
			used = used || strcmp(plan->handlers[i].name,
					   map->keys[k]->text) == 0;
		if (!used)
			return err_at(err, ERR_PLAN, map->keys[k]->place,
			    _("no step notifies the handler '%s', so it "
			      "never runs; add notify: or take it out"),
			    map->keys[k]->text);
	}
	return 0;
}

/* A name that could be none is told before who uses it. */
static int
check_names(const struct yaml *map, struct err *err)
{
	const char *what = _("a handler's name");
	int r;

	for (size_t i = 0; i < map->count; i++)
		if ((r = word_line(map->keys[i], what, PLAN_NAME_MAX, err)) <
			0 ||
		    (r = word_plain(map->keys[i], what, err)) < 0)
			return r;
	return 0;
}

static void
index_steps(struct plan *plan, struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		plan->by_id[steps[i].id] = &steps[i];
		index_steps(plan, steps[i].back_steps, steps[i].back_count);
	}
}

/* The modules used, sorted, each with its first place. */
static void
list_modules(struct arena *arena, struct plan *plan)
{
	size_t max = (size_t)plan->last_id, at, same;

	plan->modules = arena_array(arena, const char *, max);
	plan->module_places = arena_array(arena, struct place, max);
	for (size_t id = 1; id <= max; id++) {
		const struct step *step = plan->by_id[id];

		same = plan->module_count;
		for (at = 0; at < plan->module_count; at++) {
			int order = strcmp(plan->modules[at], step->module);

			if (order == 0)
				same = at;
			if (order >= 0)
				break;
		}
		if (same < plan->module_count)
			continue;
		memmove(&plan->modules[at + 1], &plan->modules[at],
		    (plan->module_count - at) * sizeof(*plan->modules));
		memmove(&plan->module_places[at + 1], &plan->module_places[at],
		    (plan->module_count - at) * sizeof(*plan->module_places));
		plan->modules[at] = step->module;
		plan->module_places[at] = word_place(step->yaml, step->module);
		plan->module_count++;
	}
}

/* Each segment's steps, then its handlers; what is entered comes first. */
static void
order_phase(struct arena *arena, struct plan *plan, int number)
{
	struct phase *phase = &plan->phases[number];

	phase->order = arena_array(arena, struct step *,
	    phase->enter_count + phase->step_count + plan->handler_count);
	for (size_t i = 0; i < phase->enter_count; i++)
		phase->order[phase->order_count++] = &phase->enter[i];
	for (int s = 0; s <= last_segment(phase); s++) {
		for (size_t i = 0; i < phase->step_count; i++)
			if (phase->steps[i].segment == s)
				phase->order[phase->order_count++] =
				    &phase->steps[i];
		for (size_t i = 0; i < plan->handler_count; i++)
			if (plan->handlers[i].phase == number &&
			    plan->handlers[i].segment == s)
				phase->order[phase->order_count++] =
				    &plan->handlers[i];
	}
}

int
plan_read_handlers(
    struct plan_reader *reader, const struct yaml *map, struct err *err)
{
	struct plan *plan = reader->plan;
	int r;

	if (map != NULL && ((r = check_names(map, err)) < 0 ||
			       (r = read_segments(reader, map, err)) < 0))
		return r;
	for (size_t p = 0; p < plan->phase_count; p++)
		for (size_t i = 0; i < plan->phases[p].step_count; i++)
			if ((r = notify_step(reader, &plan->phases[p].steps[i],
				 map, err)) < 0)
				return r;
	if ((r = check_used(plan, map, err)) < 0)
		return r;
	plan->by_id = arena_array(reader->arena, struct step *,
	    (size_t)plan->last_id + plan->guard_count * GUARD_ACTS + 1);
	for (size_t p = 0; p < plan->phase_count; p++) {
		struct phase *phase = &plan->phases[p];

		index_steps(plan, phase->enter, phase->enter_count);
		index_steps(plan, phase->steps, phase->step_count);
		index_steps(plan, phase->leave, phase->leave_count);
		order_phase(reader->arena, plan, (int)p);
	}
	index_steps(plan, plan->handlers, plan->handler_count);
	list_modules(reader->arena, plan);
	plan_number_guards(plan);
	return 0;
}
