/*
 * Checks: when each is asked, how long it may take, and what it is called;
 * check_specs.c reads what is asked. Times that would make a check say
 * nothing are refused. Runs nothing.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SECOND_MS ((int64_t)1000)
#define HOUR_MS ((int64_t)3600000)

static const char *const kind_words[] = {
    [CHECK_HTTP] = "http",
    [CHECK_TCP] = "tcp",
    [CHECK_COMMAND] = "command",
    [CHECK_SERVICE] = "service",
};

const char *
plan_check_kind_name(enum check_kind kind)
{
	return kind_words[kind];
}

static int
read_at(struct arena *arena, struct check *check, const struct yaml *node,
    struct err *err)
{
	static const char *const words[] = {"before", "after", "soak"};
	const char **texts = NULL;
	size_t count = 0;
	int r;

	check->at = CHECK_BEFORE | CHECK_AFTER | CHECK_SOAK;
	if (node == NULL)
		return 0;
	r = yaml_read_texts(arena, node, "at", &texts, &count, err);
	if (r < 0)
		return r;
	if (count == 0)
		return err_at(err, ERR_PLAN, node->place,
		    _("at: is empty, so the check never runs; write before, "
		      "after, soak"));
	check->at = 0;
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < COUNT(words) && strcmp(texts[i], words[at]) != 0)
			at++;
		if (at == COUNT(words))
			return err_at(err, ERR_PLAN, node->place,
			    _("at: '%s' is none of before, after, soak%s"),
			    texts[i],
			    word_hint(arena,
				text_near(texts[i], words, COUNT(words))));
		if ((check->at & (1 << at)) != 0)
			return err_at(err, ERR_PLAN, node->place,
			    _("at: '%s' stands there twice"), texts[i]);
		check->at |= 1 << at;
	}
	return 0;
}

/* Times that would make the check say nothing. */
static int
check_times(const struct check *check, const struct yaml *map, struct err *err)
{
	bool within = yaml_get(map, "within") != NULL;
	bool stays = yaml_get(map, "for") != NULL;
	int r;

	if ((r = word_range(map, "within", check->within_ms, SECOND_MS,
		 24 * HOUR_MS, err)) < 0 ||
	    (r = word_range(map, "every", check->every_ms, SECOND_MS,
		 24 * HOUR_MS, err)) < 0 ||
	    (r = word_range(map, "for", check->for_ms, SECOND_MS, 24 * HOUR_MS,
		 err)) < 0 ||
	    (r = word_range(
		 map, "timeout", check->timeout_ms, 100, HOUR_MS, err)) < 0)
		return r;
	if (within && stays && check->for_ms >= check->within_ms)
		return err_at(err, ERR_PLAN, word_place(map, "for"),
		    _("for: it must stay so for longer than within: gives "
		      "it, so it can never pass"));
	if (yaml_get(map, "every") == NULL || (check->at & CHECK_SOAK) != 0)
		return 0;
	if (!within && !stays)
		return err_at(err, ERR_PLAN, word_place(map, "every"),
		    _("every: the check is tried once; add within: or for:, "
		      "or take it out"));
	return 0;
}

/* "http https://shop/ready" */
static const char *
check_name(struct arena *arena, const struct check *check)
{
	const char *subject = "";
	const struct json *argv = json_get(check->spec, "command");

	switch (check->kind) {
	case CHECK_HTTP:
		subject = json_get_text(check->spec, "url", "");
		break;
	case CHECK_TCP:
		subject = json_get_text(check->spec, "port", NULL);
		if (subject == NULL)
			subject = arena_printf(arena, "%d",
			    (int)json_get_int(check->spec, "port", 0));
		break;
	case CHECK_COMMAND:
		for (size_t i = 0; i < argv->count && i < 8; i++)
			subject = arena_printf(arena, "%s%s%.60s", subject,
			    i > 0 ? " " : "", argv->items[i]->text);
		break;
	case CHECK_SERVICE:
		subject = json_get_text(check->spec, "name", "");
		break;
	}
	return arena_printf(arena, "%s %s", kind_words[check->kind], subject);
}

static int
find_kind(struct arena *arena, struct check *check, const struct yaml *map,
    const char *what, const struct yaml **node, struct err *err)
{
	for (size_t i = 0; i < COUNT(kind_words); i++) {
		const struct yaml *value = yaml_get(map, kind_words[i]);

		if (value == NULL)
			continue;
		if (*node != NULL)
			return err_at(err, ERR_PLAN,
			    word_place(map, kind_words[i]),
			    _("%s: is of two kinds, %s and %s; write two "
			      "checks"),
			    what, kind_words[check->kind], kind_words[i]);
		*node = value;
		check->kind = (enum check_kind)i;
	}
	if (*node == NULL)
		return err_at(err, ERR_PLAN, map->place,
		    _("%s: says nothing to check; add http:, tcp:, command: "
		      "or service:"),
		    what);
	return 0;
}

static int
read_check(struct plan_reader *reader, struct check *check,
    const struct yaml *map, struct err *err)
{
	struct arena *arena = reader->arena;
	const char *what = arena_printf(arena, _("check %d"), check->id);
	const struct yaml *node = NULL, *at = NULL, *name = NULL, *kinds[4];
	const struct yaml_field fields[] = {
	    {"http", YAML_WANT_ANY, .node = &kinds[0]},
	    {"tcp", YAML_WANT_ANY, .node = &kinds[1]},
	    {"command", YAML_WANT_ANY, .node = &kinds[2]},
	    {"service", YAML_WANT_ANY, .node = &kinds[3]},
	    {"name", YAML_WANT_TEXT, .text = &check->name, .node = &name},
	    {"at", YAML_WANT_ANY, .node = &at},
	    {"within", YAML_WANT_DURATION, .num = &check->within_ms},
	    {"every", YAML_WANT_DURATION, .num = &check->every_ms},
	    {"for", YAML_WANT_DURATION, .num = &check->for_ms},
	    {"timeout", YAML_WANT_DURATION, .num = &check->timeout_ms},
	    FIELD_NOT_YET("on"),
	};
	int r;

	check->place = map->place;
	check->every_ms = 5 * SECOND_MS;
	check->timeout_ms = 10 * SECOND_MS;
	if ((r = yaml_read(map, what, fields, COUNT(fields), err)) < 0 ||
	    (r = find_kind(arena, check, map, what, &node, err)) < 0 ||
	    (r = plan_read_spec(arena, check, node, err)) < 0 ||
	    (r = read_at(arena, check, at, err)) < 0 ||
	    (r = check_times(check, map, err)) < 0)
		return r;
	if (name == NULL) {
		check->name = check_name(arena, check);
		return 0;
	}
	if ((r = word_line(name, "name", PLAN_NAME_MAX, err)) < 0)
		return r;
	return word_plain(name, "name", err);
}

/* A check of the soak alone where nothing soaks. */
static bool
check_soaks(const struct plan *plan, const struct check *check)
{
	for (size_t p = 0; p < plan->phase_count; p++)
		for (size_t i = 0; i < plan->phases[p].wave_count; i++)
			if ((check->phase < 0 || check->phase == (int)p) &&
			    plan->phases[p].waves[i].soak_ms > 0)
				return true;
	return false;
}

int
plan_check_checks(const struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->check_count; i++)
		if (plan->checks[i].at == CHECK_SOAK &&
		    !check_soaks(plan, &plan->checks[i]))
			return err_at(err, ERR_PLAN, plan->checks[i].place,
			    _("no wave has a soak:, so this check never "
			      "runs; add one or change at:"));
	return 0;
}

int
plan_read_checks(struct plan_reader *reader, const struct yaml *list, int phase,
    struct err *err)
{
	struct plan *plan = reader->plan;
	struct check *all;
	int r;

	if (list == NULL)
		return 0;
	if ((r = word_list(list, "checks", PLAN_CHECKS_MAX, err)) < 0)
		return r;
	all = arena_array(
	    reader->arena, struct check, plan->check_count + list->count);
	if (plan->check_count > 0)
		memcpy(all, plan->checks, plan->check_count * sizeof(*all));
	plan->checks = all;
	for (size_t i = 0; i < list->count; i++) {
		struct check *check = &plan->checks[plan->check_count];

		check->id = (int)++plan->check_count;
		check->phase = phase;
		if ((r = read_check(reader, check, list->items[i], err)) < 0)
			return r;
	}
	return 0;
}
