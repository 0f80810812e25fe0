/*
 * Names: what steps are called, and whether changed("X") speaks of a step that
 * can have changed by then.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

/* A character has 4 bytes at most. */
enum { SUBJECT_CHARS = 40, SUBJECT_MAX = 4 * SUBJECT_CHARS };

const struct step *
plan_step_named(const struct plan *plan, const char *name)
{
	for (int id = 1; id <= plan->last_id; id++)
		if (plan->by_id[id]->name != NULL &&
		    strcmp(plan->by_id[id]->name, name) == 0)
			return plan->by_id[id];
	return NULL;
}

/* A text, or the texts of a list with blanks between; "" for a map. */
static const char *
subject_text(struct arena *arena, const struct yaml *node)
{
	const char *text = "";

	if (node->type == YAML_TEXT)
		return node->text;
	if (node->type != YAML_LIST)
		return "";
	for (size_t i = 0; i < node->count && strlen(text) < SUBJECT_MAX; i++)
		if (node->items[i]->type == YAML_TEXT)
			text = arena_printf(arena, "%s%s%.*s", text,
			    *text != '\0' ? " " : "", SUBJECT_MAX,
			    node->items[i]->text);
	return text;
}

/* Cut to one line of SUBJECT_CHARS characters. */
static const char *
subject_cut(struct arena *arena, const char *text)
{
	char *cut;
	size_t len = 0, chars = 0;

	text += strspn(text, " \t\n");
	cut = arena_strdup(arena, text);
	for (; cut[len] != '\0' && cut[len] != '\n'; len++) {
		if (((unsigned char)cut[len] & 0xc0) != 0x80 &&
		    chars++ == SUBJECT_CHARS)
			break;
		if ((unsigned char)cut[len] < 0x20 || cut[len] == 0x7f)
			cut[len] = ' ';
	}
	while (len > 0 && cut[len - 1] == ' ')
		len--;
	cut[len] = '\0';
	return cut;
}

/* Whom the step is about: what stands alone behind the module, else the
 * descriptor's subject, else the first required string (or list) param, else
 * the first text. */
static const char *
step_subject(
    struct arena *arena, const struct step *step, const struct json *descriptor)
{
	const struct json *params = json_get(descriptor, "params");
	const struct yaml *map = step->module_yaml, *node;
	const char *type, *text;

	if (map->type != YAML_MAP)
		return subject_text(arena, map);
	node = yaml_get(map, json_get_text(descriptor, "subject", ""));
	if (node != NULL)
		return subject_text(arena, node);
	for (size_t i = 0; params != NULL && i < params->count; i++) {
		type = json_get_text(params->items[i], "type", "");
		node = yaml_get(map, params->keys[i]);
		if (node != NULL && node->type != YAML_MAP &&
		    json_get_bool(params->items[i], "required", false) &&
		    (strcmp(type, "string") == 0 || strcmp(type, "list") == 0))
			return subject_text(arena, node);
	}
	for (size_t i = 0; i < map->count; i++) {
		text = subject_text(arena, map->items[i]);
		if (*text != '\0')
			return text;
	}
	return "";
}

/* "MODULE SUBJECT" */
static const char *
step_base(
    struct arena *arena, const struct step *step, const struct json *descriptor)
{
	const char *subject;

	subject = subject_cut(arena, step_subject(arena, step, descriptor));
	if (*subject == '\0')
		return step->module;
	return arena_printf(arena, "%s %s", step->module, subject);
}

static const struct json *
find_descriptor(
    const struct plan_module *modules, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(modules[i].name, name) == 0)
			return modules[i].descriptor;
	return NULL;
}

void
plan_name_steps(struct arena *arena, struct plan *plan,
    const struct plan_module *modules, size_t count)
{
	size_t ids = (size_t)plan->last_id + 1;
	const char **bases = arena_array(arena, const char *, ids);

	for (int id = 1; id <= plan->last_id; id++)
		if (!plan->by_id[id]->named)
			plan->by_id[id]->name = NULL;
	for (int id = 1; id <= plan->last_id; id++) {
		struct step *step = plan->by_id[id];
		const char *name;
		int n = 1;

		if (step->named)
			continue;
		name = bases[id] = step_base(
		    arena, step, find_descriptor(modules, count, step->module));
		for (int other = 1; other < id; other++)
			n += bases[other] != NULL &&
			     strcmp(bases[other], name) == 0;
		if (n > 1)
			name = arena_printf(arena, "%s (%d)", bases[id], n);
		while (plan_step_named(plan, name) != NULL)
			name = arena_printf(arena, "%s (%d)", bases[id], ++n);
		step->name = name;
	}
}

int
plan_check_names(const struct plan *plan, struct err *err)
{
	for (int id = 1; id <= plan->last_id; id++) {
		const struct step *step = plan->by_id[id], *first;

		if (!step->named)
			continue;
		/* a statement says "not taken back: none" */
		if (strcmp(step->name, "none") == 0)
			return err_at(err, ERR_PLAN, step->place,
			    _("a step cannot be called 'none': in an "
			      "approval this word means that no step is "
			      "kept"));
		first = plan_step_named(plan, step->name);
		/* a handler is a step in each segment that notifies it */
		if (first != step && !(first->handler && step->handler))
			return err_at(err, ERR_PLAN, step->place,
			    _("the name '%s' is taken by line %d; names are "
			      "unique in a plan"),
			    step->name, first->place.line);
	}
	return 0;
}

/* The next changed("X") in a Lua text: X into name, gives what is behind it.
 * A name that is not a plain literal is left to the worker. */
static const char *
next_changed(struct arena *arena, const char *text, const char **name)
{
	static const char word[] = "changed";
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM"
				      "NOPQRSTUVWXYZ0123456789_";
	const char *start = text, *end;
	char quote;

	while ((text = strstr(text, word)) != NULL) {
		bool whole = text == start || strchr(letters, text[-1]) == NULL;

		text += sizeof(word) - 1;
		if (!whole)
			continue;
		end = text + strspn(text, " \t\n");
		end += *end == '(';
		end += strspn(end, " \t\n");
		quote = *end;
		if (quote != '"' && quote != '\'')
			continue;
		text = end + 1;
		end = strchr(text, quote);
		if (end == NULL || memchr(text, '\\', (size_t)(end - text)))
			continue;
		*name = arena_copy(arena, text, (size_t)(end - text));
		return end + 1;
	}
	return NULL;
}

static const char *
near_step(struct arena *arena, const struct plan *plan, const char *word)
{
	const char **names;
	size_t count = 0;

	names = arena_array(arena, const char *, (size_t)plan->last_id + 1);
	for (int id = 1; id <= plan->last_id; id++)
		names[count++] = plan->by_id[id]->name;
	return word_hint(arena, text_near(word, names, count));
}

int
plan_check_changed(const struct plan *plan, struct err *err)
{
	struct arena *arena = arena_new();
	int r = 0;

	for (int id = 1; id <= plan->last_id && r == 0; id++) {
		const struct step *step = plan->by_id[id], *other;
		const char *text = step->when, *name = NULL;

		while (r == 0 && text != NULL &&
		       (text = next_changed(arena, text, &name)) != NULL) {
			other = plan_step_named(plan, name);
			if (other == NULL)
				r = err_at(err, ERR_PLAN, step->when_place,
				    _("when: changed(\"%s\"): there is no "
				      "step of this name%s"),
				    name, near_step(arena, plan, name));
			else if (other->id >= step->id || other->handler ||
				 (other->of_rollback && !step->of_rollback))
				r = err_at(err, ERR_PLAN, step->when_place,
				    _("when: changed(\"%s\"): that step does "
				      "not come before this one"),
				    name);
		}
	}
	arena_free(arena);
	return r;
}
