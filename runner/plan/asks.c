/*
 * ask: of a phase: a person's word before its first host. Knows nobody by
 * name: who holds a role, hoshu.yml says.
 */
#include "plan/parts.h"

#include "base/i18n.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define SECOND_MS ((int64_t)1000)
/* no wave begins with an approval that is older */
#define DAY_MS ((int64_t)86400000)

enum { ASK_SAY_MAX = 500 };

int
plan_read_ask(struct plan_reader *reader, struct phase *phase,
    const struct yaml *map, struct err *err)
{
	struct plan_ask *ask = arena_new_of(reader->arena, struct plan_ask);
	const struct yaml *say = NULL, *role = NULL;
	const struct yaml_field fields[] = {
	    {"say", YAML_NEED_TEXT, .text = &ask->say, .node = &say},
	    {"role", YAML_WANT_TEXT, .text = &ask->role, .node = &role},
	    {"within", YAML_WANT_DURATION, .num = &ask->within_ms},
	};
	int r;

	if (map == NULL)
		return 0;
	ask->place = map->place;
	if ((r = yaml_read(map, "ask", fields, COUNT(fields), err)) < 0 ||
	    (r = word_line(say, "say", ASK_SAY_MAX, err)) < 0 ||
	    (r = word_range(
		 map, "within", ask->within_ms, SECOND_MS, DAY_MS, err)) < 0)
		return r;
	if (yaml_get(map, "within") == NULL)
		return err_at(err, ERR_PLAN, map->place,
		    _("ask: within: is missing: how long to wait for the "
		      "answer before the change holds, such as 2h"));
	ask->say_place = say->place;
	if (role != NULL) {
		ask->role_place = role->place;
		if ((r = word_line(role, "role", PLAN_NAME_MAX, err)) < 0 ||
		    (r = word_plain(role, "role", err)) < 0)
			return r;
	}
	phase->ask = ask;
	return 0;
}

int
plan_refuse_ask(const struct yaml *node, struct err *err)
{
	if (node == NULL)
		return 0;
	return err_at(err, ERR_PLAN, node->place,
	    _("ask: is asked before the first host of a phase; make a phase "
	      "of what comes behind the question, and put it there"));
}
