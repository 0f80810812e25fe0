/*
 * Has a later change touched what a rollback would take back? Read from the
 * journal: every intent there is. What the present state of a host says is
 * looked at besides, when the undo probes.
 */
#include "base/i18n.h"
#include "base/text.h"
#include "change/resource.h"
#include "cmd/rollback.h"

#include <string.h>

struct launched {
	struct launched *next; /* at the same place */
	int where;	       /* see later_where */
	const char *host;      /* whom it was for */
	int step, change;
	int64_t number, wall_ms;
	const char *script; /* digest, then the title */
};

struct later {
	struct context *context;
	const bool *asked;
	struct launched *ours, *theirs;
	size_t our_count, our_cap, their_count, their_cap;
};

/* Where a script ran: our hosts, then our places; -1 = where none of ours did.
 * A place may be a host of ours, too. */
static int
later_where(const struct later *later, const char *name)
{
	struct context *context = later->context;
	const struct change *change = context->change;
	const struct host_fold *host = fold_host(&context->fold, name);

	if (host != NULL)
		return (int)(host - context->fold.hosts);
	for (size_t p = 0; p < change->place_count; p++)
		if (strcmp(change->places[p].name, name) == 0)
			return (int)(change->host_count + p);
	return -1;
}

/* Add it to the list, if it ran where one of ours did. */
static int
later_take(struct later *later, const struct record *record,
    struct launched **list, size_t *count, size_t *cap, struct err *err)
{
	struct arena *arena = later->context->arena, *scratch = arena_new();
	struct json *body = NULL;
	struct launched *out;
	int where, r;

	r = json_parse(scratch, record->body, strlen(record->body),
	    "the body of a record", &body, err);
	if (r < 0)
		goto out;
	where = later_where(later, json_get_text(body, "place", record->host));
	if (where < 0)
		goto out;
	out = arena_push(arena, *list, *count, *cap);
	out->where = where;
	out->host = arena_strdup(arena, record->host);
	out->step = record->step;
	out->change = record->change;
	out->number = record->number;
	out->wall_ms = record->wall_ms;
	out->script = arena_strdup(arena, json_get_text(body, "script", ""));
out:
	arena_free(scratch);
	return r;
}

/* Our own intents that the rollback would undo. */
static int
later_ours(void *arg, const struct record *record, struct err *err)
{
	struct later *later = arg;
	const struct context *context = later->context;
	const struct plan *plan = context->change->plan;
	const struct host_fold *host;
	const struct step_fold *step;

	if (record->kind != RECORD_STEP_INTENT || record->step < 1 ||
	    record->step > plan->last_id)
		return 0;
	host = fold_host(&later->context->fold, record->host);
	if (host == NULL ||
	    (later->asked != NULL && !later->asked[host - context->fold.hosts]))
		return 0;
	step = &host->steps[record->step];
	if (step->undo == UNDO_DONE || step->undo == UNDO_KEPT ||
	    plan->by_id[record->step]->back == STEP_BACK_KEEP ||
	    plan->by_id[record->step]->of_rollback ||
	    plan_runs_again(plan->by_id[record->step]))
		return 0;
	return later_take(later, record, &later->ours, &later->our_count,
	    &later->our_cap, err);
}

static int
later_theirs(void *arg, const struct record *record, struct err *err)
{
	struct later *later = arg;

	if (record->kind != RECORD_STEP_INTENT ||
	    record->change == later->context->change->number)
		return 0;
	return later_take(later, record, &later->theirs, &later->their_count,
	    &later->their_cap, err);
}

static int
later_titles(
    struct later *later, struct launched *list, size_t count, struct err *err)
{
	struct context *context = later->context;

	for (size_t i = 0; i < count; i++) {
		struct bytes script;
		int r = blobs_get(context->blobs, list[i].script, &script, err);

		if (r < 0)
			return r;
		list[i].script = resource_title(context->arena, script);
	}
	return 0;
}

/* Does what that launch did still stand? */
static int
later_stands(const struct later *later, const struct launched *theirs,
    bool *stands, struct err *err)
{
	struct context other = *later->context;
	const struct step_fold *step;
	char name[16];
	int r;

	r = context_load(&other, change_name(theirs->change, name), err);
	if (r < 0)
		return r;
	step = &fold_host(&other.fold, theirs->host)->steps[theirs->step];
	*stands =
	    step->undo != UNDO_DONE &&
	    (step->state == STEP_OPEN || step->state == STEP_DONE ||
		step->state == STEP_FAILED || step->state == STEP_UNKNOWN);
	return 0;
}

static int
later_refuse(const struct later *later, const struct launched *ours,
    const struct launched *theirs, struct err *err)
{
	const struct change *change = later->context->change;
	const struct change_host *there =
	    change_reached(change, (size_t)ours->where);
	char own[16], other[16];
	struct buf when = BUF_INIT;
	int r;

	change_name(change->number, own);
	change_name(theirs->change, other);
	text_put_time(&when, theirs->wall_ms);
	r = err_set(err, ERR_REFUSED,
	    _("%s is not taken back: %s has touched the same on %s since "
	      "(\"%s\", %s).\n"
	      "Take that back first: hoshu rollback %s --hosts %s\n"
	      "or leave the host out with --hosts"),
	    own, other, there->name, theirs->script, buf_str(&when), other,
	    theirs->host);
	buf_free(&when);
	return r;
}

/* One launch of theirs, against ours on that host. */
static int
later_look(const struct later *later, const struct launched *ours,
    const struct launched *theirs, struct err *err)
{
	for (; ours != NULL; ours = ours->next) {
		bool stands;
		int r;

		if (ours->number > theirs->number ||
		    !resource_same(ours->script, theirs->script))
			continue;
		if ((r = later_stands(later, theirs, &stands, err)) < 0)
			return r;
		if (stands)
			return later_refuse(later, ours, theirs, err);
	}
	return 0;
}

int
cmd_refuse_later(struct context *context, const bool *asked, struct err *err)
{
	struct later later = {.context = context, .asked = asked};
	struct launched **at; /* ours, by where */
	int r;

	r = journal_read(context->journal, context->change->number, 0,
	    later_ours, &later, err);
	if (r < 0 || later.our_count == 0)
		return r;
	if ((r = journal_read(context->journal, 0, later.ours[0].number,
		 later_theirs, &later, err)) < 0 ||
	    (r = later_titles(&later, later.ours, later.our_count, err)) < 0 ||
	    (r = later_titles(&later, later.theirs, later.their_count, err)) <
		0)
		return r;
	at = arena_array(context->arena, struct launched *,
	    context->change->host_count + context->change->place_count);
	for (size_t i = later.our_count; i-- > 0;) {
		struct launched **head = &at[later.ours[i].where];

		later.ours[i].next = *head;
		*head = &later.ours[i];
	}
	for (size_t i = 0; i < later.their_count && r == 0; i++)
		r = later_look(
		    &later, at[later.theirs[i].where], &later.theirs[i], err);
	return r;
}
