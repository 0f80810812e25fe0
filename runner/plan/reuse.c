/*
 * Steps written once: `each:` makes a step for each word of a list, `use:`
 * puts the steps of another file in its place. Both are done on the text's
 * tree before a step is read, so that whatever comes behind knows nothing of
 * them; places stay those of the file where a step was written.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum { EACH_MAX = 200, USE_DEPTH = 5 };

/* What ${{ NAME }} stands for; NAME is "each" or "with.KEY". */
struct words {
	const char *prefix;	   /* "each", or "with." */
	const struct yaml *values; /* the word, or the map of with: */
	bool *used;		   /* by the map's index */
};

struct reuse {
	struct plan_reader *reader;
	struct yaml **out;
	size_t count, cap;
	size_t steps; /* those under guards among them */
	int depth;
	bool guarded;
};

/* "${{ NAME }}" at text: its length and NAME, or 0. */
static size_t
word_at(const char *text, const char **name, size_t *len)
{
	const char *at = text, *end;

	if (strncmp(at, "${{", 3) != 0)
		return 0;
	at += 3 + strspn(at + 3, " \t");
	end = strstr(at, "}}");
	if (end == NULL)
		return 0;
	*name = at;
	*len = (size_t)(end - at);
	while (*len > 0 && strchr(" \t", at[*len - 1]) != NULL)
		(*len)--;
	return (size_t)(end + 2 - text);
}

/* The value of that name, NULL when it is none of these words. */
static int
word_value(const struct words *words, const char *name, size_t len,
    struct place place, const struct yaml **value, struct err *err)
{
	size_t prefix = strlen(words->prefix);
	bool whole = words->used == NULL;

	*value = NULL;
	if (len < prefix || strncmp(name, words->prefix, prefix) != 0 ||
	    (whole && len != prefix))
		return 0;
	if (whole) {
		*value = words->values;
		return 0;
	}
	for (size_t i = 0; words->values != NULL && i < words->values->count;
	     i++)
		if (words->values->keys[i]->len == len - prefix &&
		    strncmp(words->values->keys[i]->text, name + prefix,
			len - prefix) == 0) {
			words->used[i] = true;
			*value = words->values->items[i];
			return 0;
		}
	return err_at(err, ERR_PLAN, place,
	    _("${{ %.*s }}: the step that uses this file gives no such value "
	      "under with:"),
	    (int)len, name);
}

/* A text with its words replaced. */
static int
replace_text(struct arena *arena, const struct words *words, struct yaml *node,
    struct err *err)
{
	struct buf out = BUF_INIT;
	const char *at = node->text;
	int r = 0;

	if (strstr(at, "${{") == NULL)
		return 0;
	while (*at != '\0' && r == 0) {
		const struct yaml *value = NULL;
		const char *name;
		size_t name_len, len = word_at(at, &name, &name_len);

		if (len > 0)
			r = word_value(
			    words, name, name_len, node->place, &value, err);
		if (value == NULL) {
			buf_putc(&out, *at++);
			continue;
		}
		buf_put(&out, value->text, value->len);
		at += len;
	}
	if (r == 0) {
		node->text = arena_copy(arena, buf_str(&out), out.len);
		node->len = out.len;
	}
	buf_free(&out);
	return r;
}

/* A copy of the tree with its words replaced. */
static int
replace(struct arena *arena, const struct words *words, const struct yaml *node,
    struct yaml **out, struct err *err)
{
	struct yaml *copy = arena_new_of(arena, struct yaml);
	int r = 0;

	*copy = *node;
	*out = copy;
	if (node->type == YAML_TEXT)
		return replace_text(arena, words, copy, err);
	copy->items = arena_array(arena, struct yaml *, node->count + 1);
	for (size_t i = 0; i < node->count && r == 0; i++)
		r = replace(arena, words, node->items[i], &copy->items[i], err);
	return r;
}

/* The map without one key. */
static struct yaml *
without(struct arena *arena, const struct yaml *map, const char *key)
{
	struct yaml *copy = arena_new_of(arena, struct yaml);

	*copy = *map;
	copy->count = 0;
	copy->keys = arena_array(arena, struct yaml *, map->count + 1);
	copy->items = arena_array(arena, struct yaml *, map->count + 1);
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->keys[i]->text, key) == 0)
			continue;
		copy->keys[copy->count] = map->keys[i];
		copy->items[copy->count++] = map->items[i];
	}
	return copy;
}

static int reuse_step(struct reuse *reuse, struct yaml *step, struct err *err);

/* A value that is put in as it is: text, and fixed. */
static int
check_word(const struct yaml *word, const char *what, struct err *err)
{
	if (word->type != YAML_TEXT)
		return err_at(err, ERR_PLAN, word->place,
		    _("%s: a text belongs here"), what);
	return word_plain(word, what, err);
}

static int
reuse_each(struct reuse *reuse, const struct yaml *step,
    const struct yaml *list, struct err *err)
{
	struct arena *arena = reuse->reader->arena;
	const struct yaml *bare = without(arena, step, "each");
	int r;

	if (list->type != YAML_LIST)
		return err_at(err, ERR_PLAN, list->place,
		    _("each: a list of words belongs here, such as [a, b]"));
	if ((r = word_list(list, "each", EACH_MAX, err)) < 0)
		return r;
	for (size_t i = 0; i < list->count; i++) {
		const struct words words = {"each", list->items[i], NULL};
		struct yaml *one;

		if ((r = check_word(list->items[i], "each", err)) < 0 ||
		    (r = replace(arena, &words, bare, &one, err)) < 0 ||
		    (r = reuse_step(reuse, one, err)) < 0)
			return r;
	}
	return 0;
}

static int
check_with(const struct yaml *with, struct err *err)
{
	int r = 0;

	for (size_t i = 0; with != NULL && i < with->count && r == 0; i++)
		if ((r = word_name(with->keys[i], "with", err)) == 0)
			r = check_word(
			    with->items[i], with->keys[i]->text, err);
	return r;
}

/* The file's list of steps, as the words of with: make it. */
static int
use_list(struct reuse *reuse, const struct yaml *name, const char *text,
    size_t len, const struct yaml *with, struct yaml **list, struct err *err)
{
	struct arena *arena = reuse->reader->arena;
	bool *used =
	    arena_array(arena, bool, with != NULL ? with->count + 1 : 1);
	const struct words words = {"with.", with, used};
	struct yaml *root = NULL;
	int r;

	if ((r = yaml_parse(arena, plan_used_path(reuse->reader, name->text),
		 text, len, &root, err)) < 0)
		return r;
	if (root->type != YAML_LIST)
		return err_at(err, ERR_PLAN, root->place,
		    _("a file of steps is a list: `- file: { ... }`"));
	if ((r = word_list(
		 root, _("the steps of a file"), PLAN_STEPS_MAX, err)) < 0 ||
	    (r = replace(arena, &words, root, list, err)) < 0)
		return r;
	for (size_t i = 0; with != NULL && i < with->count; i++)
		if (!used[i])
			return err_at(err, ERR_PLAN, with->keys[i]->place,
			    _("with: %s does not speak of ${{ with.%s }}"),
			    name->text, with->keys[i]->text);
	return 0;
}

static int
reuse_use(struct reuse *reuse, const struct yaml *step, struct err *err)
{
	const struct yaml *name = NULL, *with = NULL;
	const struct yaml_field fields[] = {
	    {"use", YAML_NEED_TEXT, .node = &name},
	    {"with", YAML_WANT_MAP, .node = &with},
	};
	struct yaml *list = NULL;
	const char *text;
	size_t len;
	int r;

	if (reuse->depth >= USE_DEPTH)
		return err_at(err, ERR_PLAN, step->place,
		    _("use: files that use files, more than %d deep; does one "
		      "use itself?"),
		    USE_DEPTH);
	if ((r = yaml_read(step, _("a step that uses a file"), fields,
		 COUNT(fields), err)) < 0 ||
	    (r = word_line(name, "use", PLAN_NAME_MAX, err)) < 0 ||
	    (r = word_plain(name, "use", err)) < 0 ||
	    (r = check_with(with, err)) < 0 ||
	    (r = plan_used_text(reuse->reader, name, &text, &len, err)) < 0 ||
	    (r = use_list(reuse, name, text, len, with, &list, err)) < 0)
		return r;
	reuse->depth++;
	for (size_t i = 0; i < list->count && r == 0; i++)
		r = reuse_step(reuse, list->items[i], err);
	reuse->depth--;
	return r;
}

static int
reuse_list(struct reuse *reuse, const struct yaml *list, struct yaml **out,
    struct err *err)
{
	struct yaml *flat = arena_new_of(reuse->reader->arena, struct yaml);
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++)
		r = reuse_step(reuse, list->items[i], err);
	*flat = *list;
	flat->items = reuse->out;
	flat->count = reuse->count;
	*out = flat;
	return r;
}

/* The steps under a guard: the same, in their place. */
static int
reuse_guard(struct reuse *reuse, struct yaml **step, struct err *err)
{
	struct arena *arena = reuse->reader->arena;
	struct yaml *copy = arena_new_of(arena, struct yaml);
	struct reuse inner = {.reader = reuse->reader,
	    .steps = reuse->steps,
	    .depth = reuse->depth,
	    .guarded = true};
	int r = 0;

	*copy = **step;
	copy->items = arena_array(arena, struct yaml *, copy->count + 1);
	for (size_t i = 0; i < copy->count && r == 0; i++) {
		copy->items[i] = (*step)->items[i];
		if (strcmp(copy->keys[i]->text, "steps") == 0 &&
		    copy->items[i]->type == YAML_LIST)
			r = reuse_list(
			    &inner, (*step)->items[i], &copy->items[i], err);
	}
	reuse->steps = inner.steps;
	*step = copy;
	return r;
}

static int
reuse_step(struct reuse *reuse, struct yaml *step, struct err *err)
{
	struct arena *arena = reuse->reader->arena;
	const struct yaml *each =
	    step->type == YAML_MAP ? yaml_get(step, "each") : NULL;
	int r = 0;

	if (each != NULL)
		return reuse_each(reuse, step, each, err);
	if (step->type == YAML_MAP && yaml_get(step, "use") != NULL)
		return reuse_use(reuse, step, err);
	if (reuse->steps++ >= PLAN_STEPS_MAX)
		return err_at(err, ERR_PLAN, step->place,
		    _("more than %d steps in one plan; split it"),
		    PLAN_STEPS_MAX);
	if (reuse->guarded)
		r = plan_refuse_guard(step, err);
	else if (plan_guard_steps(step) > 0)
		r = reuse_guard(reuse, &step, err);
	*arena_push(arena, reuse->out, reuse->count, reuse->cap) = step;
	return r;
}

int
plan_reuse(struct plan_reader *reader, const struct yaml *list,
    struct yaml **out, struct err *err)
{
	struct reuse reuse = {.reader = reader};

	return reuse_list(&reuse, list, out, err);
}
