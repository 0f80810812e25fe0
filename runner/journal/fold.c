/*
 * The fold, record by record. What a record means for the state of its change
 * stands here and nowhere else.
 *
 * Pure: no I/O, no clock.
 */
#include "journal/fold_inside.h"
#include "base/i18n.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fold_init(struct change_fold *fold, struct arena *arena, int number)
{
	memset(fold, 0, sizeof(*fold));
	fold->number = number;
	fold->arena = arena;
	fold->last_number = -1;
	fold->title = fold->submitter = fold->frozen = fold->result = "";
	fold->limit_text = fold->back_limit_text = fold->owed_hosts = "";
	fold->paused_by = fold->paused_because = "";
	fold->aborted_by = fold->aborted_because = fold->rejected_by = "";
}

static void
shape_part(
    struct change_fold *fold, struct part_fold *out, const struct part *part)
{
	struct host_fold *host = &fold->hosts[part->host];

	out->host = host;
	out->phase = part->phase;
	out->wave = part->wave;
	out->steps = host->steps;
	host->parts[part->phase] = out;
}

void
fold_shape(struct change_fold *fold, const struct fold_shape *shape)
{
	struct arena *arena = fold->arena;

	fold->step_count = shape->last_step;
	fold->act_count =
	    shape->last_act > 0 ? shape->last_act : shape->last_step;
	fold->step_phase = shape->step_phase;
	fold->phase_count = shape->phase_count;
	fold->wave_count = shape->wave_count;
	fold->waves =
	    arena_array(arena, enum wave_state, shape->wave_count + 1);
	fold->host_count = shape->host_count;
	fold->hosts =
	    arena_array(arena, struct host_fold, shape->host_count + 1);
	for (size_t i = 0; i < shape->host_count; i++) {
		struct host_fold *host = &fold->hosts[i];

		host->name = shape->hosts[i];
		host->steps = arena_array(
		    arena, struct step_fold, (size_t)fold->act_count + 1);
		host->parts =
		    arena_array(arena, struct part_fold *, shape->phase_count);
	}
	fold->part_count = shape->part_count;
	fold->parts =
	    arena_array(arena, struct part_fold, shape->part_count + 1);
	for (size_t i = 0; i < shape->part_count; i++)
		shape_part(fold, &fold->parts[i], &shape->parts[i]);
	fold_part_start(fold, shape);
}

static void
fold_submitted(struct change_fold *fold, const struct record *record,
    const struct json *body)
{
	struct arena *arena = fold->arena;

	fold->state = CHANGE_SUBMITTED;
	fold->title = arena_strdup(arena, json_get_text(body, "title", ""));
	fold->frozen = arena_strdup(arena, json_get_text(body, "frozen", ""));
	fold->submitter = arena_strdup(arena, record->actor);
	fold->submitted_ms = record->wall_ms;
	fold->preview_ms = json_get_int(body, "preview_ms", record->wall_ms);
}

static void
fold_approval(struct change_fold *fold, const struct record *record,
    const struct json *body)
{
	struct arena *arena = fold->arena;
	struct approval_fold *approval = arena_push(
	    arena, fold->approvals, fold->approval_count, fold->approval_cap);

	approval->rejects = record->kind == RECORD_REJECTED;
	if (approval->rejects) {
		fold->rejected = true;
		fold->rejected_by = arena_strdup(arena, record->actor);
	}
	approval->number = record->number;
	approval->wall_ms = record->wall_ms;
	approval->statement =
	    arena_strdup(arena, json_get_text(body, "statement", ""));
	approval->signature =
	    arena_strdup(arena, json_get_text(body, "signature", ""));
	approval->person =
	    arena_strdup(arena, json_get_text(body, "person", ""));
	approval->fingerprint =
	    arena_strdup(arena, json_get_text(body, "fingerprint", ""));
}

/* Restarts are met when they happened since the change came to the host, or
 * since the host began this life. */
static void
fold_opened(struct life_fold *life, const struct record *record,
    const struct json *body)
{
	if (strcmp(life->life, record->life) == 0)
		return;
	fold_copy(life->life, sizeof(life->life), record->life);
	fold_copy(life->opened, sizeof(life->opened),
	    json_get_text(body, "uptime", ""));
	life->opened_ms = record->wall_ms;
}

const char *
fold_place_opened_at(const struct change_fold *fold, const char *name)
{
	for (size_t i = 0; i < fold->place_count; i++)
		if (strcmp(fold->places[i].name, name) == 0)
			return fold->places[i].now.opened;
	return "";
}

static void
fold_place_opened(struct change_fold *fold, const struct record *record,
    const struct json *body)
{
	const char *name = json_get_text(body, "place", "");
	struct place_fold *place = NULL;

	for (size_t i = 0; i < fold->place_count && place == NULL; i++)
		if (strcmp(fold->places[i].name, name) == 0)
			place = &fold->places[i];
	if (place == NULL) {
		place = arena_push(fold->arena, fold->places, fold->place_count,
		    fold->place_cap);
		place->name = arena_strdup(fold->arena, name);
	}
	fold_opened(&place->now, record, body);
}

/* A host counts once. */
static void
fold_count(bool *flag, int *count)
{
	*count += !*flag;
	*flag = true;
}

/* true when the kind is about a host as a whole and was taken in. */
static bool
fold_part_record(struct change_fold *fold, struct part_fold *part,
    const struct record *record, const struct json *body)
{
	struct host_fold *host = part->host;

	switch ((int)record->kind) {
	case RECORD_HOST_STARTED:
		fold_part_set(fold, part, HOST_STARTED);
		return true;
	case RECORD_HOST_OPENED:
		part->was_lost = false;
		return true;
	case RECORD_HOST_ASKED:
		fold_copy(host->facts, sizeof(host->facts),
		    json_get_text(body, "facts", ""));
		fold_copy(host->plan_vars, sizeof(host->plan_vars),
		    json_get_text(body, "plan_vars", ""));
		return true;
	case RECORD_HOST_UNREACHABLE:
		fold_part_set(fold, part, HOST_UNREACHABLE);
		fold_count(&host->unreachable, &fold->unreachable);
		return true;
	case RECORD_HOST_EXCLUDED:
		fold_part_set(fold, part, HOST_EXCLUDED);
		fold_count(&host->excluded, &fold->excluded);
		return true;
	case RECORD_HOST_LOST: /* failed *and* unreachable */
		fold_part_set(fold, part, HOST_LOST);
		part->was_lost = true;
		fold_count(&host->lost, &fold->lost);
		fold_count(&host->failed, &fold->failed);
		fold_count(&host->unreachable, &fold->unreachable);
		return true;
	case RECORD_HOST_FAILED:
		fold_part_set(fold, part, HOST_FAILED);
		fold_count(&host->failed, &fold->failed);
		return true;
	case RECORD_HOST_DONE:
		fold_part_set(fold, part, HOST_DONE);
		return true;
	case RECORD_HOST_BACK:
		fold_part_back(fold, part);
		return true;
	case RECORD_HOST_REVERTED:
		fold_part_set(fold, part, HOST_REVERTED);
		part->not_back = false;
		return true;
	case RECORD_HOST_STUCK:
		fold_part_stuck(fold, part, record, body);
		return true;
	case RECORD_BACK_ASKED:
		host->asked = true;
		return true;
	default:
		return false;
	}
}

struct part_fold *
fold_part(const struct change_fold *fold, const struct host_fold *host,
    const struct record *record)
{
	bool of_host = record_kind_is_host(record->kind);
	struct part_fold *first = NULL;

	for (size_t p = 0; p < fold->phase_count; p++) {
		struct part_fold *part = host->parts[p];

		if (part == NULL)
			continue;
		if (first == NULL)
			first = part;
		if (of_host && part->wave == record->step)
			return part;
		if (!of_host && fold->step_phase != NULL && record->step >= 1 &&
		    record->step <= fold->act_count &&
		    fold->step_phase[record->step] == (int)p)
			return part;
	}
	return first;
}

/* A check's record names its wave, for a host may have a part in several. */
static void
fold_asking(struct change_fold *fold, struct part_fold *part,
    const struct record *record, const struct json *body)
{
	int64_t wave = json_get_int(body, "wave", 0);

	if (record->kind != RECORD_CHECK) {
		part->asking = false;
		return;
	}
	for (size_t p = 0; wave > 0 && p < fold->phase_count; p++)
		if (part->host->parts[p] != NULL &&
		    part->host->parts[p]->wave == wave)
			part = part->host->parts[p];
	part->asking =
	    strcmp(json_get_text(body, "result", ""), "inconclusive") == 0;
}

static void
fold_change_record(struct change_fold *fold, const struct record *record,
    const struct json *body)
{
	size_t wave = (size_t)record->step;
	bool known = wave >= 1 && wave <= fold->wave_count;

	switch ((int)record->kind) {
	case RECORD_APPROVED:
	case RECORD_REJECTED:
		fold_approval(fold, record, body);
		if (record->kind == RECORD_REJECTED &&
		    fold->state == CHANGE_SUBMITTED)
			fold->state = CHANGE_REJECTED;
		break;
	case RECORD_RUN_STARTED:
		fold_run_started(fold, record, body);
		break;
	case RECORD_RUN_ENDED:
		fold->state = CHANGE_ENDED;
		fold->settled = false;
		fold->ended_ms = record->wall_ms;
		fold->result = arena_strdup(
		    fold->arena, json_get_text(body, "result", ""));
		fold->status = (int)json_get_int(body, "status", 1);
		fold->owed = (int)json_get_int(body, "owed", 0);
		fold->owed_until_ms = json_get_int(body, "owed_until_ms", 0);
		fold->owed_hosts = arena_strdup(
		    fold->arena, json_get_text(body, "owed_hosts", ""));
		break;
	case RECORD_WAVE_STARTED:
		if (known)
			fold->waves[wave] = WAVE_STARTED;
		break;
	case RECORD_WAVE_SOAKING:
		if (known)
			fold->waves[wave] = WAVE_SOAKING;
		fold->soak_from_ms = record->mono_ms;
		break;
	case RECORD_WAVE_ENDED:
		if (known)
			fold->waves[wave] = WAVE_ENDED;
		break;
	case RECORD_LIMIT:
		fold->limit_reached = true;
		fold->limit_text =
		    arena_strdup(fold->arena, json_get_text(body, "text", ""));
		break;
	case RECORD_BACK_STARTED:
		fold->state = CHANGE_BACK;
		fold->back = true;
		break;
	case RECORD_BACK_ASKED:
		fold->asked_all = true;
		break;
	case RECORD_ASKED:
		fold_asked(fold, record, body);
		break;
	case RECORD_UNANSWERED:
		fold_unanswered(fold, record);
		break;
	case RECORD_BACK_LIMIT:
		fold->back_limit = true;
		fold->back_limit_text =
		    arena_strdup(fold->arena, json_get_text(body, "text", ""));
		break;
	default: /* check, refused, back-ended: for people */
		break;
	}
}

/* Steps go on between two moves of their part; the gate has no word in it. */
static bool
fold_moves(enum record_kind kind)
{
	return !record_kind_is_intent(kind) && !record_kind_is_outcome(kind) &&
	       kind != RECORD_STEP_SAME && kind != RECORD_STEP_SKIPPED &&
	       kind != RECORD_HOST_OPENED && kind != RECORD_PLACE_OPENED;
}

int
fold_record(
    struct change_fold *fold, const struct record *record, struct err *err)
{
	struct arena *scratch = arena_new();
	struct json *body = NULL;
	struct host_fold *host = NULL;
	struct part_fold *part;
	int r;

	r = json_parse(scratch, record->body, strlen(record->body),
	    "the body of a record", &body, err);
	if (r < 0)
		goto out;
	fold->moves += fold_moves(record->kind);
	fold->last_number = record->number > fold->last_number
				? record->number
				: fold->last_number;
	if (record->kind == RECORD_SUBMITTED) {
		fold_submitted(fold, record, body);
		goto out;
	}
	if (record->kind == RECORD_SETTLED && fold->state == CHANGE_ENDED)
		fold->settled = true;
	if (record->host[0] != '\0' && fold->hosts == NULL)
		goto out;
	if (record->host[0] != '\0') {
		host = fold_host(fold, record->host);
		if (host == NULL) {
			r = err_set(err, ERR_STORE,
			    "record %lld names the host %s, which the change "
			    "does not have",
			    (long long)record->number, record->host);
			goto out;
		}
	}
	if (record_kind_is_outside(record->kind) &&
	    record->kind > RECORD_REFUSED) {
		r = fold_control(fold, record, body, err);
		goto out;
	}
	part = host != NULL ? fold_part(fold, host, record) : NULL;
	if (record->kind == RECORD_HOST_OPENED && part != NULL)
		fold_opened(&part->now, record, body);
	else if (part != NULL)
		fold_asking(fold, part, record, body);
	if (record->kind == RECORD_PLACE_OPENED)
		fold_place_opened(fold, record, body);
	if (part == NULL || record->kind == RECORD_CHECK ||
	    record->kind == RECORD_PLACE_OPENED)
		fold_change_record(fold, record, body);
	else if (!fold_part_record(fold, part, record, body))
		r = fold_step(fold, part, record, body, err);
out:
	arena_free(scratch);
	return r;
}
