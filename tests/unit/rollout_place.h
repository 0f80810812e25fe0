/*
 * For the rollout's tests: plans from text without modules, changes without
 * hosts, and records written as words ("intent 1, done 1, undo-intent 1"),
 * folded as they come. A word is a kind of record/record.h, its front left out
 * where a step's number (step-, wave-) or none (host-) tells it; a letter is
 * the host (otherwise "a"), KEY=VALUE goes into the body (yes is true, but for
 * an answer), epoch=N is the run, at=MS is the time, wave=N says which part of
 * the host is meant (otherwise its first), xid=KEY the launch.
 */
#ifndef HOSHU_TEST_ROLLOUT_PLACE_H
#define HOSHU_TEST_ROLLOUT_PLACE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "journal/fold.h"
#include "plan/plan.h"
#include "rollout/gate.h"
#include "rollout/machine.h"
#include "rollout/waves.h"
#include "table.h"

/* A plan as plan_bind would leave it, but for the params: {}. */
static inline struct plan *
place_plan(struct arena *arena, const char *text)
{
	struct plan *plan = NULL;
	struct err err = ERR_INIT;

	if (plan_read(arena, "test.yml", text, strlen(text), &plan, &err) < 0)
		fail_msg("%s\n%s", err.text, text);
	for (int id = 1; id <= plan->last_id; id++)
		plan->by_id[id]->params = json_map(arena);
	return plan;
}

/* Hosts named by the letters of names (a to z, then A to Z), each with the
 * letter of racks as its variable rack; in their waves. */
static inline struct change *
place_change(struct arena *arena, struct plan *plan, const char *names,
    const char *racks)
{
	struct change *change = arena_new_of(arena, struct change);
	const bool *of[64] = {NULL};
	bool *in = arena_array(arena, bool, strlen(names) + 1);
	struct waves_choice choices[8];
	struct err err = ERR_INIT;

	memset(in, 1, strlen(names));
	for (int p = 0; p < 8; p++)
		choices[p] = (struct waves_choice){in, of, NULL};
	change->number = 1;
	change->plan = plan;
	change->host_count = strlen(names);
	change->hosts =
	    arena_array(arena, struct change_host, change->host_count);
	for (size_t i = 0; i < change->host_count; i++) {
		change->hosts[i].name = arena_printf(arena, "%c", names[i]);
		change->hosts[i].vars = json_map(arena);
		json_put_text(arena, change->hosts[i].vars, "rack",
		    arena_printf(
			arena, "%c", racks[0] == '\0' ? 'r' : racks[i]));
	}
	if (waves_assign(arena, change, choices, &err) < 0)
		fail_msg("%s", err.text);
	return change;
}

static inline void
place_fold(
    struct arena *arena, const struct change *change, struct change_fold *fold)
{
	struct fold_shape shape;

	fold_init(fold, arena, change->number);
	change_shape(arena, change, &shape);
	fold_shape(fold, &shape);
}

static inline enum record_kind
place_kind(const char *word, bool numbered)
{
	static const char *const fronts[2][3] = {
	    {"", "host-", "run-"}, {"", "step-", "wave-"}};
	enum record_kind kind = RECORD_NONE;
	char text[64];

	for (int i = 0; i < 3 && kind == RECORD_NONE; i++) {
		snprintf(text, sizeof(text), "%s%s", fronts[numbered][i], word);
		kind = record_kind_of(text);
	}
	if (kind == RECORD_NONE)
		fail_msg("'%s' is no kind of record", word);
	return kind;
}

/* A host is a letter. */
static inline struct json *
place_names(struct arena *arena, const char *letters)
{
	struct json *list = json_list(arena);

	for (; *letters != '\0'; letters++)
		json_add(arena, list,
		    json_text(arena, arena_printf(arena, "%c", *letters)));
	return list;
}

/* One record in words. */
static inline int
place_record(struct change_fold *fold, char *text, struct err *err)
{
	struct arena *arena = arena_new();
	struct json *body = json_map(arena);
	struct buf bytes = BUF_INIT;
	struct record record = {.number = fold->last_number + 1,
	    .change = 1,
	    .epoch = 1,
	    .attempt = 1,
	    .xid = "xid",
	    .life = "life",
	    .actor = "hoshu"};
	char *word = strtok(text, " "), *next, *value;
	bool numbered = false;
	int r;

	while ((next = strtok(NULL, " ")) != NULL) {
		if ((value = strchr(next, '=')) != NULL) {
			*value++ = '\0';
			if (strcmp(next, "at") == 0)
				record.wall_ms = record.mono_ms = atoll(value);
			else if (strcmp(next, "epoch") == 0)
				record.epoch = atoll(value);
			else if (strcmp(next, "within_ms") == 0)
				json_put_int(arena, body, next, atoll(value));
			else if (strcmp(value, "yes") == 0 &&
				 strcmp(next, "answer") != 0)
				json_put_bool(arena, body, next, true);
			else if (strcmp(next, "wave") == 0)
				record.step = atoi(value);
			else if (strcmp(next, "xid") == 0)
				record.xid = value;
			else if (strcmp(next, "hosts") == 0)
				json_put(arena, body, next,
				    place_names(arena, value));
			else
				json_put_text(arena, body, next, value);
		} else if (isdigit((unsigned char)next[0])) {
			record.step = atoi(next);
			numbered = true;
		} else {
			record.host = next;
		}
	}
	record.kind = place_kind(word, numbered);
	if (record.host == NULL)
		record.host = record.kind >= RECORD_HOST_STARTED &&
				      record.kind < RECORD_LIMIT
				  ? "a"
				  : "";
	json_write(&bytes, body);
	record.body = buf_str(&bytes);
	r = fold_record(fold, &record, err);
	buf_free(&bytes);
	arena_free(arena);
	return r;
}

/* Records in words, parted by commas. Stops at the first that is refused. */
static inline int
place_records(struct change_fold *fold, const char *text, struct err *err)
{
	char copy[TABLE_LINE], *at = copy, *end;
	int r;

	snprintf(copy, sizeof(copy), "%s", text);
	while (at != NULL && strspn(at, " ") < strlen(at)) {
		end = strchr(at, ',');
		if (end != NULL)
			*end++ = '\0';
		if ((r = place_record(fold, at, err)) < 0)
			return r;
		at = end;
	}
	return 0;
}

#endif
