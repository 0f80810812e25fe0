/*
 * What persons are asked on the way: who may answer, how it is said before
 * approval, and its part of the frozen document. Asks nobody.
 */
#include "base/i18n.h"
#include "base/text.h"
#include "change/change.h"

#include <string.h>

const struct change_ask *
change_ask(const struct change *change, int phase)
{
	if (change->plan->phases[phase].ask == NULL)
		return NULL;
	if (change->asks == NULL)
		bug("phase %d asks, and nobody is known", phase);
	return &change->asks[phase];
}

bool
change_may_answer(const struct change *change, const struct change_ask *ask,
    const char *submitter, const char *person)
{
	if (!change->solo && strcmp(person, submitter) == 0)
		return false;
	for (size_t i = 0; i < ask->person_count; i++)
		if (strcmp(ask->persons[i], person) == 0)
			return true;
	return ask->role[0] == '\0';
}

void
change_put_asked(struct buf *out, const struct change_ask *ask)
{
	if (ask->role[0] == '\0') {
		buf_puts(out, "an approver");
		return;
	}
	buf_printf(out, "%s (", ask->role);
	for (size_t i = 0; i < ask->person_count; i++)
		buf_printf(out, "%s%s", i > 0 ? ", " : "", ask->persons[i]);
	buf_putc(out, ')');
}

const char *
change_asks(struct arena *arena, const struct change *change)
{
	const struct plan *plan = change->plan;
	struct buf text = BUF_INIT;
	const char *out = NULL;

	for (size_t p = 0; p < plan->phase_count; p++) {
		const struct change_ask *ask = change_ask(change, (int)p);

		if (ask == NULL)
			continue;
		buf_puts(&text, text.len > 0 ? "; " : "");
		if (plan->phases[p].name[0] != '\0')
			buf_printf(&text, "before phase %zu \"%s\", ", p + 1,
			    plan->phases[p].name);
		change_put_asked(&text, ask);
		buf_puts(&text, " within ");
		text_put_duration(&text, plan->phases[p].ask->within_ms);
		buf_printf(&text, ", or it holds; no stops it: %s", ask->say);
	}
	if (text.len > 0)
		out = arena_strdup(arena, buf_str(&text));
	buf_free(&text);
	return out;
}

struct json *
change_freeze_asks(struct arena *arena, const struct change *change)
{
	struct json *list = json_list(arena);

	for (size_t p = 0; p < change->plan->phase_count; p++) {
		const struct change_ask *ask = change_ask(change, (int)p);
		struct json *map, *persons = json_list(arena);

		if (ask == NULL)
			continue;
		map = json_add(arena, list, json_map(arena));
		json_put_int(arena, map, "phase", (int64_t)p);
		json_put_text(arena, map, "role", ask->role);
		json_put_text(arena, map, "say", ask->say);
		for (size_t i = 0; i < ask->person_count; i++)
			json_add(
			    arena, persons, json_text(arena, ask->persons[i]));
		json_put(arena, map, "persons", persons);
	}
	return list;
}

static bool
thaw_ask(struct arena *arena, const struct json *map, struct change_ask *ask)
{
	const struct json *persons = json_get(map, "persons");

	ask->role = json_get_text(map, "role", "");
	ask->say = json_get_text(map, "say", "");
	if (persons == NULL || persons->type != JSON_LIST)
		return false;
	ask->person_count = persons->count;
	ask->persons = arena_array(arena, const char *, persons->count + 1);
	for (size_t i = 0; i < persons->count; i++) {
		if (persons->items[i]->type != JSON_TEXT)
			return false;
		ask->persons[i] = persons->items[i]->text;
	}
	return ask->say[0] != '\0';
}

/* One for each phase that asks, in their order, and no other. */
int
change_thaw_asks(struct arena *arena, struct change *change,
    const struct json *list, struct err *err)
{
	const struct plan *plan = change->plan;
	size_t count =
	    list != NULL && list->type == JSON_LIST ? list->count : 0;
	size_t next = 0;
	bool whole = true;

	change->asks =
	    arena_array(arena, struct change_ask, plan->phase_count + 1);
	for (size_t p = 0; p < plan->phase_count && whole; p++) {
		if (plan->phases[p].ask == NULL)
			continue;
		whole = next < count &&
			json_get_int(list->items[next], "phase", -1) ==
			    (int64_t)p &&
			thaw_ask(arena, list->items[next], &change->asks[p]);
		next++;
	}
	if (whole && next == count)
		return 0;
	return err_set(err, ERR_STORE,
	    _("the frozen change %.12s... is not whole: %s; run `hoshu audit "
	      "verify`"),
	    change->digest, "asks");
}
