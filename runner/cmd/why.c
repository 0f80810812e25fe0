/*
 * Why parts of a change are not well: the journal says it in the records of
 * hosts, which are read once more; the fold keeps states only.
 */
#include "cmd/why.h"
#include "base/i18n.h"
#include "base/said.h"

#include <string.h>

struct whys {
	struct context *context;
	const char **failed, **stuck; /* by part */
};

/* Records of a host have the number of its wave where others have the step. */
static const struct part_fold *
why_part(const struct change_fold *fold, const struct host_fold *host, int wave)
{
	for (size_t p = 0; host != NULL && p < fold->phase_count; p++)
		if (host->parts[p] != NULL && host->parts[p]->wave == wave)
			return host->parts[p];
	return NULL;
}

static const char *
why_text(struct arena *arena, const struct record *record)
{
	struct buf text = BUF_INIT;
	struct json *body = NULL;
	const char *out, *said;

	if (json_parse(arena, record->body, strlen(record->body), "body", &body,
		NULL) < 0)
		return NULL;
	said = json_get_text(body, "text", "");
	if (said[0] == '\0')
		said = json_get_text(body, "why", "");
	if (said[0] == '\0')
		return NULL;
	said_put(&text, said);
	out = arena_strdup(arena, buf_str(&text));
	buf_free(&text);
	return out;
}

static int
why_take(void *arg, const struct record *record, struct err *err)
{
	struct whys *whys = arg;
	struct change_fold *fold = &whys->context->fold;
	const struct part_fold *part;
	const char *text;

	(void)err;
	if (record->kind < RECORD_HOST_STARTED ||
	    record->kind > RECORD_HOST_STUCK)
		return 0;
	part = why_part(fold, fold_host(fold, record->host), record->step);
	if (part == NULL)
		return 0;
	text = why_text(whys->context->arena, record);
	if (record->kind == RECORD_HOST_STUCK)
		whys->stuck[part - fold->parts] = text;
	/* what it failed by stays said when it has gone back */
	else if (text != NULL || record->kind == RECORD_HOST_DONE ||
		 record->kind == RECORD_HOST_STARTED)
		whys->failed[part - fold->parts] = text;
	return 0;
}

int
cmd_why(struct context *context, const char ***why, struct err *err)
{
	const struct change_fold *fold = &context->fold;
	struct whys whys = {.context = context};
	int r;

	whys.failed =
	    arena_array(context->arena, const char *, fold->part_count + 1);
	whys.stuck =
	    arena_array(context->arena, const char *, fold->part_count + 1);
	r = journal_read(
	    context->journal, context->change->number, 0, why_take, &whys, err);
	for (size_t i = 0; i < fold->part_count; i++)
		if (fold->parts[i].state == HOST_STUCK)
			whys.failed[i] = whys.stuck[i];
	*why = whys.failed;
	return r;
}

const char *
cmd_part_word(const struct change_fold *fold, const struct part_fold *part)
{
	bool undone = false;

	if (part->state != HOST_REVERTED)
		return host_state_word(part->state);
	for (int id = 1; id <= fold->step_count; id++)
		undone =
		    undone || (part->steps[id].undo == UNDO_DONE &&
				  fold_step_part(fold, part->host, id) == part);
	if (undone)
		return part->kept > 0 ? N_("reverted but for what is kept")
				      : host_state_word(part->state);
	return part->kept > 0 ? N_("kept as it is") : N_("not changed");
}
