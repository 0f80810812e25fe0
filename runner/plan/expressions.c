/*
 * Every text of a plan that Lua will see, with its place, so that all of them
 * can be compiled before anything is asked of a host. Evaluates nothing.
 */
#include "plan/parts.h"

#include <string.h>

struct walk {
	int (*fn)(void *arg, const char *text, bool bare, struct place place,
	    struct err *err);
	void *arg;
	struct err *err;
};

static int
walk_text(const struct walk *walk, const char *text, struct place place)
{
	if (text == NULL || !text_has_expression(text))
		return 0;
	return walk->fn(walk->arg, text, false, place, walk->err);
}

static int
walk_yaml(const struct walk *walk, const struct yaml *node)
{
	int r = 0;

	if (node->type == YAML_TEXT)
		return walk_text(walk, node->text, node->place);
	for (size_t i = 0; i < node->count && r == 0; i++)
		r = walk_yaml(walk, node->items[i]);
	return r;
}

static size_t
count_words(const char *text, size_t len, const char *word)
{
	size_t count = 0, size = strlen(word);

	for (size_t i = 0; i + size <= len; i++)
		count += memcmp(text + i, word, size) == 0;
	return count;
}

/* A template line by line, for the sake of the place; as a whole when an
 * expression spans lines. */
static int
walk_template(const struct walk *walk, const struct template *template)
{
	struct place place = {template->file, 1, 1};
	struct arena *arena = arena_new();
	const char *line = template->text;
	size_t len;
	int r = 0;

	for (; *line != '\0'; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		if (count_words(line, len, "${{") >
		    count_words(line, len, "}}"))
			break;
	}
	if (*line != '\0') {
		r = walk_text(walk, template->text, place);
		goto out;
	}
	for (line = template->text; *line != '\0' && r == 0;
	     line += len + (line[len] == '\n'), place.line++) {
		const char *text;

		len = strcspn(line, "\n");
		if (count_words(line, len, "${{") == 0)
			continue;
		text = arena_copy(arena, line, len);
		place.col = (int)(strstr(text, "${{") - text) + 1;
		r = walk_text(walk, text, place);
	}
out:
	arena_free(arena);
	return r;
}

static int
walk_step(const struct walk *walk, const struct step *step)
{
	int r = 0;

	if (step->when != NULL)
		r = walk->fn(
		    walk->arg, step->when, true, step->when_place, walk->err);
	if (r == 0)
		r = walk_text(walk, step->on, step->on_place);
	for (size_t i = 0; i < step->yaml->count && r == 0; i++)
		if (!step_key_known(step->yaml->keys[i]->text))
			r = walk_yaml(walk, step->yaml->items[i]);
	for (size_t i = 0; i < step->template_count && r == 0; i++)
		r = walk_template(walk, &step->templates[i]);
	return r;
}

int
plan_expressions(const struct plan *plan,
    int (*fn)(void *arg, const char *text, bool bare, struct place place,
	struct err *err),
    void *arg, struct err *err)
{
	const struct walk walk = {fn, arg, err};
	int r;

	r = walk_text(&walk, plan->change, plan->change_place);
	for (size_t p = 0; p < plan->phase_count && r == 0; p++)
		if (plan->phases[p].ask != NULL)
			r = walk_text(&walk, plan->phases[p].ask->say,
			    plan->phases[p].ask->say_place);
	for (size_t i = 0; i < plan->var_count && r == 0; i++)
		r = walk_text(&walk, plan->vars[i].text, plan->vars[i].place);
	for (size_t i = 0; i < plan->check_count && r == 0; i++)
		r = walk_yaml(&walk, plan->checks[i].yaml);
	for (int id = 1; id <= plan->last_id && r == 0; id++)
		r = walk_step(&walk, plan->by_id[id]);
	return r;
}
