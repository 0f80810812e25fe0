/*
 * The fold, record by record. What a record means for the state of its change
 * stands here and nowhere else.
 *
 * Pure: no I/O, no clock.
 */
#include "journal/fold.h"
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
	fold->limit_text = "";
}

struct host_fold *
fold_host(struct change_fold *fold, const char *name)
{
	for (size_t i = 0; i < fold->host_count; i++)
		if (strcmp(fold->hosts[i].name, name) == 0)
			return &fold->hosts[i];
	return NULL;
}

static int
fold_count(const struct change_fold *fold, size_t offset)
{
	int count = 0;

	for (size_t i = 0; i < fold->host_count; i++)
		count +=
		    *(const bool *)((const char *)&fold->hosts[i] + offset);
	return count;
}

int
fold_count_failed(const struct change_fold *fold)
{
	return fold_count(fold, offsetof(struct host_fold, failed));
}

int
fold_count_unreachable(const struct change_fold *fold)
{
	return fold_count(fold, offsetof(struct host_fold, unreachable));
}

int
fold_count_excluded(const struct change_fold *fold)
{
	return fold_count(fold, offsetof(struct host_fold, excluded));
}

void
fold_shape(struct change_fold *fold, const char *const *hosts,
    const int *host_waves, size_t host_count, size_t wave_count, int last_step)
{
	struct arena *arena = fold->arena;

	fold->step_count = last_step;
	fold->wave_count = wave_count;
	fold->waves = arena_array(arena, enum wave_state, wave_count + 1);
	fold->host_count = host_count;
	fold->hosts = arena_array(arena, struct host_fold, host_count + 1);
	for (size_t i = 0; i < host_count; i++) {
		fold->hosts[i].name = hosts[i];
		fold->hosts[i].wave = host_waves[i];
		fold->hosts[i].steps =
		    arena_array(arena, struct step_fold, (size_t)last_step + 1);
	}
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

static void
copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text != NULL ? text : "");
}

/* Settle before launch: one open ticket a host. */
static int
fold_check_open(const struct change_fold *fold, const struct host_fold *host,
    const struct record *record, struct err *err)
{
	for (int id = 1; id <= fold->step_count; id++)
		if (host->steps[id].state == STEP_OPEN ||
		    host->steps[id].undo == UNDO_OPEN)
			return err_set(err, ERR_STORE,
			    "record %lld: %s of step %d on %s while step %d is "
			    "open",
			    (long long)record->number,
			    record_kind_word(record->kind), record->step,
			    record->host, id);
	return 0;
}

static void
fold_intent(struct step_fold *step, struct host_fold *host,
    const struct record *record, const struct json *body)
{
	bool undo = record->kind == RECORD_UNDO_INTENT;

	host->touched = true;
	if (host->state == HOST_WAITING)
		host->state = HOST_STARTED;
	copy_text(step->xid, sizeof(step->xid), record->xid);
	copy_text(step->life, sizeof(step->life), record->life);
	if (undo) {
		step->undo = UNDO_OPEN;
		step->undo_attempts++;
		return;
	}
	step->state = STEP_OPEN;
	step->attempts++;
	copy_text(
	    step->want, sizeof(step->want), json_get_text(body, "want", ""));
	if (step->attempts - step->sealed > 1)
		return; /* the way back leads to before the first that ran */
	copy_text(
	    step->seen, sizeof(step->seen), json_get_text(body, "seen", ""));
	copy_text(step->undo_script, sizeof(step->undo_script),
	    json_get_text(body, "undo", ""));
}

/* When it ended. Where nobody could say, what is to be younger than it must be
 * younger than the last thing that ended on this host, or than our coming. */
static void
fold_take_uptime(const struct change_fold *fold, const struct host_fold *host,
    struct step_fold *step, const struct json *body)
{
	const char *given = json_get_text(body, "uptime", "");
	const char *last = given[0] != '\0' ? given : host->opened;

	for (int id = 1; given[0] == '\0' && id <= fold->step_count; id++) {
		const char *uptime = host->steps[id].uptime;

		if (strtod(uptime, NULL) > strtod(last, NULL))
			last = uptime;
	}
	if (last != step->uptime)
		copy_text(step->uptime, sizeof(step->uptime), last);
}

/* Outcomes of a step; the intent must stand open. */
static int
fold_outcome(const struct change_fold *fold, const struct host_fold *host,
    struct step_fold *step, const struct record *record,
    const struct json *body, struct err *err)
{
	bool open = step->state == STEP_OPEN;

	if (!open && !(record->kind == RECORD_STEP_DONE && step->attempts > 0))
		return err_set(err, ERR_STORE,
		    "record %lld: %s of step %d on %s without an open intent",
		    (long long)record->number, record_kind_word(record->kind),
		    record->step, record->host);
	if (record->kind == RECORD_STEP_DONE) {
		step->state = STEP_DONE;
		copy_text(step->after, sizeof(step->after),
		    json_get_text(body, "seen", ""));
	} else if (record->kind == RECORD_STEP_FAILED) {
		step->state = STEP_FAILED;
	} else if (record->kind == RECORD_STEP_UNKNOWN) {
		step->state = STEP_UNKNOWN;
	} else { /* sealed: it never ran; an attempt before it may have */
		step->sealed++;
		step->state =
		    step->attempts > step->sealed ? STEP_FAILED : STEP_WAITING;
		return 0;
	}
	fold_take_uptime(fold, host, step, body);
	return 0;
}

/* Found met, or not to be done. What ran before stays in the undo list. */
static int
fold_passed(struct step_fold *step, const struct record *record,
    enum step_state state, struct err *err)
{
	if (step->attempts > step->sealed)
		return err_set(err, ERR_STORE,
		    "record %lld: %s of step %d on %s, which was launched",
		    (long long)record->number, record_kind_word(record->kind),
		    record->step, record->host);
	step->state = state;
	return 0;
}

static int
fold_undo_outcome(const struct change_fold *fold, struct step_fold *step,
    struct host_fold *host, const struct record *record,
    const struct json *body, struct err *err)
{
	enum record_kind kind = record->kind;

	if (kind == RECORD_UNDO_KEPT) {
		step->undo = UNDO_KEPT;
		host->kept++;
		return 0;
	}
	if (kind == RECORD_UNDO_STOPPED || kind == RECORD_UNDO_CONFLICT) {
		step->undo =
		    kind == RECORD_UNDO_STOPPED ? UNDO_STOPPED : UNDO_CONFLICT;
		return 0;
	}
	/* A step that never took effect is proved back by its probe alone. */
	if (step->undo != UNDO_OPEN &&
	    !(kind == RECORD_UNDO_DONE && step->undo == UNDO_WAITING))
		return err_set(err, ERR_STORE,
		    "record %lld: %s of step %d on %s without an open intent",
		    (long long)record->number, record_kind_word(kind),
		    record->step, record->host);
	if (kind == RECORD_UNDO_DONE) {
		step->undo = UNDO_DONE;
		fold_take_uptime(fold, host, step, body);
	} else if (kind == RECORD_UNDO_FAILED) {
		step->undo = UNDO_FAILED;
	} else if (kind == RECORD_UNDO_UNKNOWN) {
		step->undo = UNDO_UNKNOWN;
	} else {
		step->undo = UNDO_WAITING;
	}
	return 0;
}

static int
fold_step(struct change_fold *fold, struct host_fold *host,
    const struct record *record, const struct json *body, struct err *err)
{
	struct step_fold *step;

	if (record->step < 1 || record->step > fold->step_count)
		return err_set(err, ERR_STORE, "record %lld: no step %d",
		    (long long)record->number, record->step);
	step = &host->steps[record->step];
	switch ((int)record->kind) {
	case RECORD_STEP_SAME:
		return fold_passed(step, record, STEP_SAME, err);
	case RECORD_STEP_SKIPPED:
		return fold_passed(step, record, STEP_SKIPPED, err);
	case RECORD_STEP_INTENT:
	case RECORD_UNDO_INTENT:
		if (fold_check_open(fold, host, record, err) < 0)
			return -ERR_STORE;
		fold_intent(step, host, record, body);
		return 0;
	case RECORD_STEP_DONE:
	case RECORD_STEP_FAILED:
	case RECORD_STEP_UNKNOWN:
	case RECORD_STEP_SEALED:
		return fold_outcome(fold, host, step, record, body, err);
	case RECORD_UNDO_DONE:
	case RECORD_UNDO_FAILED:
	case RECORD_UNDO_UNKNOWN:
	case RECORD_UNDO_SEALED:
	case RECORD_UNDO_KEPT:
	case RECORD_UNDO_STOPPED:
	case RECORD_UNDO_CONFLICT:
		return fold_undo_outcome(fold, step, host, record, body, err);
	default:
		return err_set(err, ERR_STORE,
		    "record %lld: %s is not about a step",
		    (long long)record->number, record_kind_word(record->kind));
	}
}

/* Restarts are met when they happened since the change came to the host, or
 * since the host began this life. */
static void
fold_opened(struct host_fold *host, const struct record *record,
    const struct json *body)
{
	if (strcmp(host->life, record->life) == 0)
		return;
	copy_text(host->life, sizeof(host->life), record->life);
	copy_text(host->opened, sizeof(host->opened),
	    json_get_text(body, "uptime", ""));
}

/* true when the kind is about a host as a whole and was taken in. */
static bool
fold_host_record(struct host_fold *host, enum record_kind kind)
{
	switch ((int)kind) {
	case RECORD_HOST_STARTED:
		host->state = HOST_STARTED;
		return true;
	case RECORD_HOST_OPENED:
		return true;
	case RECORD_HOST_UNREACHABLE:
		host->state = HOST_UNREACHABLE;
		host->unreachable = true;
		return true;
	case RECORD_HOST_EXCLUDED:
		host->state = HOST_EXCLUDED;
		host->excluded = true;
		return true;
	case RECORD_HOST_LOST: /* failed *and* unreachable */
		host->state = HOST_LOST;
		host->failed = host->unreachable = true;
		return true;
	case RECORD_HOST_FAILED:
		host->state = HOST_FAILED;
		host->failed = true;
		return true;
	case RECORD_HOST_DONE:
		host->state = HOST_DONE;
		return true;
	case RECORD_HOST_BACK:
		host->state = HOST_BACK;
		return true;
	case RECORD_HOST_REVERTED:
		host->state = HOST_REVERTED;
		return true;
	case RECORD_HOST_STUCK:
		host->state = HOST_STUCK;
		return true;
	default:
		return false;
	}
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
		fold->epoch = record->epoch;
		if (fold->state != CHANGE_BACK) /* back stays back */
			fold->state = CHANGE_RUNNING;
		if (fold->started_ms == 0)
			fold->started_ms = record->wall_ms;
		break;
	case RECORD_RUN_ENDED:
		fold->state = CHANGE_ENDED;
		fold->ended_ms = record->wall_ms;
		fold->result = arena_strdup(
		    fold->arena, json_get_text(body, "result", ""));
		fold->status = (int)json_get_int(body, "status", 1);
		break;
	case RECORD_WAVE_STARTED:
		if (known)
			fold->waves[wave] = WAVE_STARTED;
		break;
	case RECORD_WAVE_SOAKING:
		if (known)
			fold->waves[wave] = WAVE_SOAKING;
		fold->soak_from_ms = record->wall_ms;
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
		break;
	default: /* check, refused, back-ended: for people */
		break;
	}
}

int
fold_record(
    struct change_fold *fold, const struct record *record, struct err *err)
{
	struct arena *scratch = arena_new();
	struct json *body = NULL;
	struct host_fold *host = NULL;
	int r;

	r = json_parse(scratch, record->body, strlen(record->body),
	    "the body of a record", &body, err);
	if (r < 0)
		goto out;
	fold->last_number = record->number > fold->last_number
				? record->number
				: fold->last_number;
	if (record->kind == RECORD_SUBMITTED) {
		fold_submitted(fold, record, body);
		goto out;
	}
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
	if (record->kind == RECORD_HOST_OPENED && host != NULL)
		fold_opened(host, record, body);
	if (host == NULL || record->kind == RECORD_CHECK)
		fold_change_record(fold, record, body);
	else if (!fold_host_record(host, record->kind))
		r = fold_step(fold, host, record, body, err);
out:
	arena_free(scratch);
	return r;
}
