/*
 * What a run writes: records, folded when they are made and told once they are
 * on the disk; and the bytes that they name.
 */
#include "rollout/inside.h"

/* A record under way to the disk; all of it lives in arena. */
struct append_wait {
	LIST_ENTRY(append_wait) next; /* of run->waits */
	struct arena *arena;
	struct run *run;
	struct record record;
	run_durable *done;
	void *arg;
};

static struct append_wait *
append_wait_new(struct run *run, const struct record *record)
{
	struct arena *arena = arena_new();
	struct append_wait *wait = arena_new_of(arena, struct append_wait);

	wait->arena = arena;
	wait->run = run;
	wait->record = *record;
	wait->record.host = arena_strdup(arena, record->host);
	wait->record.xid = arena_strdup(arena, record->xid);
	wait->record.life = arena_strdup(arena, record->life);
	wait->record.actor = arena_strdup(arena, record->actor);
	wait->record.body = arena_strdup(arena, record->body);
	LIST_INSERT_HEAD(&run->waits, wait, next);
	return wait;
}

static void
append_wait_free(struct append_wait *wait)
{
	LIST_REMOVE(wait, next);
	arena_free(wait->arena);
}

void
run_records_drop(struct run *run)
{
	while (!LIST_EMPTY(&run->waits))
		append_wait_free(LIST_FIRST(&run->waits));
}

static void
run_appended(void *arg, struct ticket *const *tickets, size_t count,
    const struct err *err)
{
	struct append_wait *wait = arg;
	struct run *run = wait->run;

	run->appends--;
	if (err == NULL)
		wait->record.number = journal_told(run->o.journal);
	/* what follows from this record knows all that stands before it */
	if (err == NULL && run->watch != NULL)
		journal_watch_look(run->watch);
	if (err != NULL)
		run_fail(run, err);
	/* said once it is stored: what a person has read stays true */
	else if (run->o.say != NULL)
		run->o.say(run->o.arg, &wait->record);
	if (err == NULL && wait->done != NULL && run->error == 0)
		wait->done(wait->arg, count > 0 ? tickets[0] : NULL);
	append_wait_free(wait);
	run_wake(run);
}

void
run_fail(struct run *run, const struct err *err)
{
	run->stopping = true;
	if (run->error == 0) {
		run->err = *err;
		run->error = -(int)err->code;
	}
	run_wake(run);
}

void
run_record(struct run *run, struct host_run *host, enum record_kind kind,
    int step, int attempt, const char *xid, struct json *body,
    run_durable *done, void *arg)
{
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	struct append_wait *wait;
	struct record record = {
	    .number = -1,
	    .change = run->o.change->number,
	    .epoch = run->o.fold->epoch,
	    .host = host != NULL ? host->host->name : "",
	    .step = step,
	    .attempt = attempt,
	    .xid = xid != NULL ? xid : "",
	    .life = host != NULL ? place_life(host) : "",
	    .kind = kind,
	    .actor = kind == RECORD_RUN_STARTED ? run->o.actor : "hoshu",
	    .wall_ms = world_wall_ms(run->o.world),
	    .mono_ms = world_mono_ms(run->o.world),
	};

	if (run->error != 0)
		return;
	if (kind == RECORD_RUN_STARTED)
		record.epoch++;
	if (host != NULL && record_kind_is_host(kind))
		record.step = host->fold->wave;
	if (body != NULL)
		json_write(&text, body);
	else
		buf_puts(&text, "{}");
	record.body = buf_str(&text);
	if (fold_record(run->o.fold, &record, &err) < 0) {
		run_fail(run, &err);
		buf_free(&text);
		return;
	}
	wait = append_wait_new(run, &record);
	wait->done = done;
	wait->arg = arg;
	run->appends++;
	journal_append(run->o.journal, &record, 1, run_appended, wait);
	buf_free(&text);
}

struct bytes
run_blob(struct run *run, const char *sha256)
{
	struct bytes data = {"", 0};
	struct err err = ERR_INIT;

	if (blobs_get(run->o.change->blobs, sha256, &data, &err) < 0)
		run_fail(run, &err);
	return data;
}

void
run_keep_blob(struct run *run, const char *sha256)
{
	struct err err = ERR_INIT;
	char stored[65];

	if (sha256[0] != '\0' && journal_put_blob(run->o.journal,
				     run_blob(run, sha256), stored, &err) < 0)
		run_fail(run, &err);
}
