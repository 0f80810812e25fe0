/*
 * What stands beside a run: the lease, the fence in the journal, and what
 * others say of the change while it runs. Decides nothing itself.
 */
#include "rollout/inside.h"
#include "base/i18n.h"
#include "journal/rehearsed.h"

#include <string.h>

static int
control_fold(void *arg, const struct record *record, struct err *err)
{
	struct run *run = arg;
	int r = fold_record(run->o.fold, record, err);

	if (r == 0 && run->o.say != NULL)
		run->o.say(run->o.arg, record);
	return r;
}

static void
control_answered(struct run *run, const struct record *record)
{
	enum record_kind kind = record->kind;

	if (kind == RECORD_PAUSED)
		run->asks = false;
	for (size_t i = 0; i < run->o.change->part_count; i++) {
		struct host_run *host = &run->hosts[i];

		if (kind == RECORD_RESUMED || kind == RECORD_ABORTED)
			host->held = false;
		/* settled, it is tried to be reached anew */
		if (kind == RECORD_SETTLED &&
		    strcmp(host->host->name, record->host) == 0)
			host->connects = 0;
	}
}

/* Something was appended by others, or said by us beside the run. */
static void
control_heard(void *arg, const struct record *record, const struct err *err)
{
	struct run *run = arg;
	struct err why = ERR_INIT;

	if (err != NULL) {
		run_fail(run, err);
		return;
	}
	if (!record_kind_is_outside(record->kind)) {
		(void)!err_set(&why, ERR_REFUSED,
		    _("CHG-%04d: another coordinator took the change over "
		      "(run %lld); this one launches nothing more: `hoshu "
		      "show CHG-%04d` says how far the other is"),
		    record->change, (long long)record->epoch, record->change);
		run_fail(run, &why);
		return;
	}
	if (run->error != 0)
		return;
	if ((run->o.heard != NULL &&
		run->o.heard(run->o.arg, record, &why) < 0) ||
	    control_fold(run, record, &why) < 0)
		run_fail(run, &why);
	control_answered(run, record);
	run_wake(run);
}

static void
control_asked(void *arg, struct ticket *const *tickets, size_t count,
    const struct err *err)
{
	struct run *run = arg;

	run->appends--;
	if (err != NULL)
		run_fail(run, err);
	else
		journal_watch_look(run->watch);
	run_wake(run);
}

/* What is said beside a run is folded when it is read back, our own, too. */
static void
control_pause(struct run *run, const char *because)
{
	struct json *body = json_map(run->arena);
	struct buf text = BUF_INIT;
	struct record record = {
	    .change = run->o.change->number,
	    .epoch = run->o.fold->epoch,
	    .kind = RECORD_PAUSED,
	    .actor = "hoshu",
	};

	json_put_text(run->arena, body, "because", because);
	if (journal_is_rehearsed(run->o.journal)) {
		run_record(
		    run, NULL, RECORD_PAUSED, 0, 0, NULL, body, NULL, NULL);
		return;
	}
	json_write(&text, body);
	record.body = buf_str(&text);
	run->asks = true;
	run->appends++;
	journal_append(run->o.journal, &record, 1, control_asked, run);
	buf_free(&text);
}

void
control_ask(struct host_run *host, const char *text)
{
	struct run *run = host->run;

	host->held = true;
	host->busy = false;
	if (!run->o.fold->paused && !run->asks && run->error == 0)
		control_pause(run,
		    arena_printf(run->arena, "%s: %s", host->host->name, text));
	run_wake(run);
}

void
control_stand(struct run *run)
{
	const struct change_fold *fold = run->o.fold;
	struct err err = ERR_INIT;
	bool plain = i18n_plain(false); /* it is for the person */

	if (!fold->paused)
		(void)!err_set(&err, ERR_APPROVAL,
		    _("CHG-%04d was rejected by %s: nothing new starts; "
		      "nothing is in flight any more. `hoshu abort CHG-%04d` "
		      "ends it"),
		    fold->number, fold->rejected_by, fold->number);
	else
		(void)!err_set(&err, ERR_WAITING,
		    _("CHG-%04d is paused by %s: %s; nothing is in flight any "
		      "more. `hoshu resume CHG-%04d` goes on, `hoshu abort "
		      "CHG-%04d` ends it"),
		    fold->number, fold->paused_by, fold->paused_because,
		    fold->number, fold->number);
	i18n_plain(plain);
	run_fail(run, &err);
}

bool
control_holds(struct run *run)
{
	struct err err = ERR_INIT;

	if (run->o.lease == NULL || lease_hold(run->o.lease, &err) == 0)
		return true;
	run_fail(run, &err);
	return false;
}

static void
control_renew(void *arg)
{
	struct run *run = arg;

	run->renewing = NULL;
	if (control_holds(run))
		run->renewing = loop_timer_start(run->o.loop,
		    lease_length_ms(run->o.lease) / 3, control_renew, run);
}

static void
control_say_way(struct run *run, struct json *body)
{
	enum { NAMES_BYTES = 32768 }; /* a record is RECORD_MAX */
	const struct change *change = run->o.change;
	struct json *hosts = json_list(run->arena);
	size_t size = 0;

	if (run->o.way == NULL || run->o.way[0] == '\0')
		return;
	json_put_text(run->arena, body, "way", run->o.way);
	if (run->o.back_again == NULL)
		return;
	/* those behind are tried the next time */
	for (size_t h = 0; h < change->host_count && size < NAMES_BYTES; h++) {
		if (!run->o.back_again[h])
			continue;
		json_add(run->arena, hosts,
		    json_text(run->arena, change->hosts[h].name));
		size += strlen(change->hosts[h].name) + 3;
	}
	json_put(run->arena, body, "hosts", hosts);
}

/* A run's first records. */
struct begin {
	struct record *records;
	size_t count, cap;
};

static struct record *
begin_add(struct run *run, struct begin *begin, enum record_kind kind,
    const char *actor, struct json *body)
{
	struct buf text = BUF_INIT;
	struct record *record =
	    arena_push(run->arena, begin->records, begin->count, begin->cap);

	if (body != NULL)
		json_write(&text, body);
	record->change = run->o.change->number;
	record->epoch = run->o.fold->epoch + 1;
	record->kind = kind;
	record->actor = actor;
	record->body = arena_strdup(run->arena, body ? buf_str(&text) : "{}");
	buf_free(&text);
	return record;
}

/* A person asked for the way back: who, why and for whom. One with the run's
 * beginning: a part of it, or none, would be another wish. */
static void
begin_back(struct run *run, struct begin *begin)
{
	const struct change *change = run->o.change;
	struct json *body = json_map(run->arena);

	if (run->o.way == NULL || strcmp(run->o.way, "back") != 0)
		return;
	json_put_text(run->arena, body, "because", run->o.because);
	if (run->o.asked == NULL) {
		begin_add(run, begin, RECORD_BACK_ASKED, run->o.actor, body);
		begin_add(run, begin, RECORD_BACK_STARTED, "hoshu", NULL);
		return;
	}
	for (size_t h = 0; h < change->host_count; h++)
		if (run->o.asked[h])
			begin_add(
			    run, begin, RECORD_BACK_ASKED, run->o.actor, body)
			    ->host = change->hosts[h].name;
}

/*
 * The fence: behind these records the journal takes nothing more of an older
 * run. Only then is read what the older one had said until here.
 */
static int
control_fence(struct run *run, struct err *err)
{
	struct json *body = json_map(run->arena);
	struct begin begin = {0};
	int r;

	control_say_way(run, body);
	if (run->o.lease != NULL && lease_taken_from(run->o.lease)[0] != '\0')
		json_put_text(run->arena, body, "text",
		    arena_printf(run->arena, _("taken over from %s"),
			lease_taken_from(run->o.lease)));
	begin_add(run, &begin, RECORD_RUN_STARTED, run->o.actor, body);
	begin_back(run, &begin);
	r = journal_append_now(
	    run->o.journal, begin.records, begin.count, NULL, err);
	if (r < 0)
		return r;
	return journal_read(run->o.journal, run->o.change->number,
	    run->o.fold->last_number + 1, control_fold, run, err);
}

int
control_begin(struct run *run, struct err *err)
{
	struct json *body;
	int r;

	if (journal_is_rehearsed(run->o.journal)) { /* nobody runs it else */
		body = json_map(run->arena);
		control_say_way(run, body);
		run_record(run, NULL, RECORD_RUN_STARTED, 0, 0, NULL, body,
		    NULL, NULL);
		run->watch =
		    journal_watch_start(run->o.journal, run->o.change->number,
			0, run->o.fold->epoch, 0, control_heard, run);
		return 0;
	}
	if ((r = control_fence(run, err)) < 0)
		return r;
	for (size_t w = 1; w <= run->o.fold->wave_count; w++)
		if (run->o.fold->waves[w] == WAVE_SOAKING)
			run->soak_wave = (int)w;
	run->watch = journal_watch_start(run->o.journal, run->o.change->number,
	    run->o.fold->last_number + 1, run->o.fold->epoch, 0, control_heard,
	    run);
	if (run->o.lease != NULL)
		run->renewing =
		    loop_timer_start(run->o.loop, 0, control_renew, run);
	return 0;
}

void
control_end(struct run *run)
{
	journal_watch_stop(run->watch);
	run->watch = NULL;
	loop_timer_stop(run->renewing);
	run->renewing = NULL;
}
