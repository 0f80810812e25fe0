/*
 * What persons are asked before a phase. The run says that it asks, and that
 * nobody answered in time; the answer comes from beside it (fold_control.c).
 * So neither may look at what the other did: the gate weighs them.
 *
 * Pure: no I/O, no clock.
 */
#include "journal/fold_inside.h"

#include <string.h>

const struct ask_fold *
fold_ask(const struct change_fold *fold, int phase)
{
	for (size_t i = 0; i < fold->ask_count; i++)
		if (fold->asks[i].phase == phase)
			return &fold->asks[i];
	return NULL;
}

const struct ask_fold *
fold_ask_open(const struct change_fold *fold)
{
	for (size_t i = 0; i < fold->ask_count; i++)
		if (fold->asks[i].answer == ASK_OPEN &&
		    fold->asks[i].times > 0 && fold->state == CHANGE_RUNNING)
			return &fold->asks[i];
	return NULL;
}

const struct ask_fold *
fold_ask_no(const struct change_fold *fold)
{
	for (size_t i = 0; i < fold->ask_count; i++)
		if (fold->asks[i].answer == ASK_NO)
			return &fold->asks[i];
	return NULL;
}

static struct ask_fold *
ask_of(struct change_fold *fold, const struct record *record)
{
	int phase = record->step - 1;
	struct ask_fold *ask = (struct ask_fold *)fold_ask(fold, phase);

	if (ask != NULL)
		return ask;
	ask =
	    arena_push(fold->arena, fold->asks, fold->ask_count, fold->ask_cap);
	ask->phase = phase;
	ask->name = ask->of = ask->say = ask->by = ask->because = "";
	return ask;
}

void
fold_asked(struct change_fold *fold, const struct record *record,
    const struct json *body)
{
	struct ask_fold *ask = ask_of(fold, record);
	struct arena *arena = fold->arena;

	ask->times++;
	ask->stands = true;
	ask->over = false;
	ask->asked_ms = record->wall_ms;
	ask->until_ms = record->wall_ms + json_get_int(body, "within_ms", 0);
	ask->name = arena_strdup(arena, json_get_text(body, "name", ""));
	ask->of = arena_strdup(arena, json_get_text(body, "of", ""));
	ask->say = arena_strdup(arena, json_get_text(body, "say", ""));
}

void
fold_unanswered(struct change_fold *fold, const struct record *record)
{
	ask_of(fold, record)->over = true;
}

void
fold_answered(struct change_fold *fold, const struct record *record,
    const struct json *body)
{
	struct ask_fold *ask = ask_of(fold, record);
	bool yes = strcmp(json_get_text(body, "answer", ""), "yes") == 0;

	if (ask->answer != ASK_OPEN)
		return; /* the first word counts */
	ask->answer = yes ? ASK_YES : ASK_NO;
	ask->answered_ms = record->wall_ms;
	ask->by = arena_strdup(fold->arena, record->actor);
	ask->because =
	    arena_strdup(fold->arena, json_get_text(body, "because", ""));
}

void
fold_asks_run(struct change_fold *fold, const struct record *record, bool anew)
{
	for (size_t i = 0; i < fold->ask_count; i++) {
		struct ask_fold *ask = &fold->asks[i];

		if (anew && ask->answer == ASK_NO)
			ask->answer = ASK_OPEN;
		if (!anew && !ask->over && record->wall_ms < ask->until_ms)
			continue;
		ask->stands = ask->over = false;
	}
}
