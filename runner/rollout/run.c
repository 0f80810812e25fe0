/*
 * The change as a whole: asks the gate what is next, starts hosts, waits out
 * soaks, ends. Decides nothing itself.
 */
#include "rollout/inside.h"
#include "base/i18n.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void run_woken(void *arg);
static void run_soak_host(struct host_run *host);
static void run_soak_checks(struct run *run, int wave);
static bool run_soak_looked(const struct run *run, int wave);
static void run_soak_last(struct run *run, int wave);

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

void
run_wake(struct run *run)
{
	if (run->wake == NULL)
		run->wake = loop_timer_start(run->o.loop, 0, run_woken, run);
}

static void
run_timer(void *arg)
{
	struct run *run = arg;

	run->timer = NULL;
	run->again = true;
	run_wake(run);
}

/* Ask the gate again at that wall time. */
static void
run_wait_until(struct run *run, int64_t until_ms)
{
	int64_t wait_ms = until_ms - world_wall_ms(run->o.world);

	if (run->timer != NULL)
		loop_timer_stop(run->timer);
	run->timer = loop_timer_start(
	    run->o.loop, wait_ms > 0 ? wait_ms : 0, run_timer, run);
}

static bool
run_hosts_busy(const struct run *run)
{
	for (size_t i = 0; i < run->o.change->part_count; i++)
		if (run->hosts[i].busy)
			return true;
	return false;
}

static void
run_over(void *arg, struct ticket *ticket)
{
	struct run *run = arg;

	(void)ticket;
	run->ended = true;
}

/* Whom later: owes the change, and till when; not all names where they are
 * many: `show` has them. */
static void
run_say_owed(
    struct run *run, const struct gate_result *result, struct json *body)
{
	enum { NAMES_MAX = 20 };
	const struct change *change = run->o.change;
	bool *owed = arena_array(run->arena, bool, change->host_count + 1);
	struct buf names = BUF_INIT;
	int named = 0;

	if (result->owed == 0)
		return;
	(void)gate_owed(change, run->o.fold, owed);
	for (size_t h = 0; h < change->host_count && named < NAMES_MAX; h++) {
		if (!owed[h])
			continue;
		buf_printf(&names, "%s%s", named > 0 ? " " : "",
		    change->hosts[h].name);
		named++;
	}
	if (result->owed > named)
		buf_puts(&names, " ...");
	json_put_int(run->arena, body, "owed", result->owed);
	json_put_text(run->arena, body, "owed_hosts", buf_str(&names));
	json_put_int(run->arena, body, "owed_until_ms", run->o.owed_until_ms);
	buf_free(&names);
}

/* The end record; the loop stops once it is durable. */
static void
run_end(struct run *run)
{
	struct gate_result result;
	struct json *body = json_map(run->arena);

	gate_result_of(run->o.change, run->o.fold, &result);
	if (run->o.fold->state == CHANGE_BACK)
		run_record(
		    run, NULL, RECORD_BACK_ENDED, 0, 0, NULL, NULL, NULL, NULL);
	json_put_text(run->arena, body, "result", result.word);
	json_put_int(run->arena, body, "status", result.status);
	json_put_int(run->arena, body, "done", result.done);
	json_put_int(run->arena, body, "failed", result.failed);
	json_put_int(run->arena, body, "reverted", result.reverted);
	json_put_int(run->arena, body, "unknown", result.unknown);
	json_put_int(run->arena, body, "left", result.left);
	json_put_int(run->arena, body, "kept", result.kept);
	run_say_owed(run, &result, body);
	run_record(
	    run, NULL, RECORD_RUN_ENDED, 0, 0, NULL, body, run_over, run);
}

/* Where a change has phases people count its waves anew in each. */
static struct json *
run_wave_body(struct run *run, int wave)
{
	const struct change *change = run->o.change;
	const struct change_wave *w = &change->waves[wave - 1];
	const char *phase = change->plan->phases[w->phase].name;
	struct json *body = json_map(run->arena);
	int number = 1;

	if (phase[0] == '\0')
		return body;
	for (int i = wave - 2; i >= 0 && change->waves[i].phase == w->phase;
	     i--)
		number++;
	json_put_text(run->arena, body, "phase", phase);
	json_put_int(run->arena, body, "number", number);
	return body;
}

static void
run_start_wave(struct run *run, int wave)
{
	const struct change_wave *w = &run->o.change->waves[wave - 1];
	struct json *body = run_wave_body(run, wave);
	struct err err = ERR_INIT;

	if (run->o.permit != NULL && run->o.permit(run->o.arg, &err) < 0) {
		run_fail(run, &err);
		return;
	}
	json_put_text(run->arena, body, "name", w->name);
	json_put_int(run->arena, body, "hosts", (int64_t)w->count);
	json_put_int(run->arena, body, "at_once", w->at_once);
	run_record(
	    run, NULL, RECORD_WAVE_STARTED, wave, 0, NULL, body, NULL, NULL);
}

static int
run_phase_of(const struct run *run, int wave)
{
	return run->o.change->waves[wave - 1].phase;
}

/* A person's word is wanted; what there is to know of it stands in the record,
 * for whoever is asked may have nothing but that. */
static void
run_ask(struct run *run, int phase)
{
	const struct change_ask *ask = change_ask(run->o.change, phase);
	const struct phase *of = &run->o.change->plan->phases[phase];
	const struct ask_fold *asked = fold_ask(run->o.fold, phase);
	struct json *body = json_map(run->arena);
	struct buf whom = BUF_INIT;

	change_put_asked(&whom, ask);
	json_put_text(run->arena, body, "name", of->name);
	json_put_text(run->arena, body, "of", buf_str(&whom));
	json_put_text(run->arena, body, "say", ask->say);
	json_put_int(run->arena, body, "within_ms", of->ask->within_ms);
	run_record(run, NULL, RECORD_ASKED, phase + 1,
	    asked != NULL ? asked->times + 1 : 1, NULL, body, NULL, NULL);
	buf_free(&whom);
}

static void
run_end_wave(struct run *run, int wave)
{
	const struct change_wave *w = &run->o.change->waves[wave - 1];

	for (size_t i = 0; i < w->count; i++) {
		struct host_run *host = &run->hosts[w->parts[i]];

		if (host->checks != NULL)
			checks_cancel(host->checks);
		host->checks = NULL;
		host_disconnect(host);
	}
	run_record(run, NULL, RECORD_WAVE_ENDED, wave, 0, NULL,
	    run_wave_body(run, wave), NULL, NULL);
}

/* One thing that the gate says; false when there is nothing to do now. */
static bool
run_gate(struct run *run)
{
	struct gate gate;
	struct json *body;

	run->again = false;
	run->soaking = 0;
	run->moves = run->o.fold->moves;
	gate_decide(
	    run->o.change, run->o.fold, world_wall_ms(run->o.world), &gate);
	switch (gate.kind) {
	case GATE_WAIT:
		if (gate.until_ms != 0) {
			run_wait_until(run, gate.until_ms);
			run_soak_checks(run, gate.wave);
		}
		return false;
	case GATE_START_WAVE:
		run_start_wave(run, gate.wave);
		return run->error == 0;
	case GATE_START_HOST:
		run_record(run, &run->hosts[gate.part], RECORD_HOST_STARTED, 0,
		    0, NULL, NULL, NULL, NULL);
		return true;
	case GATE_SOAK:
		body = run_wave_body(run, gate.wave);
		json_put_int(run->arena, body, "soak_ms",
		    run->o.change->waves[gate.wave - 1].soak_ms);
		run_record(run, NULL, RECORD_WAVE_SOAKING, gate.wave, 0, NULL,
		    body, NULL, NULL);
		return true;
	case GATE_END_WAVE:
		if (run_soak_looked(run, gate.wave)) {
			run_end_wave(run, gate.wave);
			return true;
		}
		run_soak_last(run, gate.wave);
		run->again = true;
		return false;
	case GATE_LIMIT:
		body = json_map(run->arena);
		json_put_text(run->arena, body, "text", gate.text);
		run_record(
		    run, NULL, RECORD_LIMIT, 0, 0, NULL, body, NULL, NULL);
		return true;
	case GATE_BACK:
		run_record(run, NULL, RECORD_BACK_STARTED, 0, 0, NULL, NULL,
		    NULL, NULL);
		return true;
	case GATE_BACK_HOST:
		run->hosts[gate.part].connects = 0;
		run_record(run, &run->hosts[gate.part], RECORD_HOST_BACK, 0, 0,
		    NULL, NULL, NULL, NULL);
		return true;
	case GATE_BACK_LIMIT:
		body = json_map(run->arena);
		json_put_text(run->arena, body, "text", gate.text);
		run_record(
		    run, NULL, RECORD_BACK_LIMIT, 0, 0, NULL, body, NULL, NULL);
		return true;
	case GATE_ASK:
		run_ask(run, run_phase_of(run, gate.wave));
		return run->error == 0;
	case GATE_AWAIT:
		run_wait_until(run, gate.until_ms);
		return false;
	case GATE_UNANSWERED:
		run_record(run, NULL, RECORD_UNANSWERED,
		    run_phase_of(run, gate.wave) + 1, 0, NULL, NULL, NULL,
		    NULL);
		return true;
	case GATE_HOLD:
		run->again = true;
		if (run->appends > 0)
			return false; /* an answer may have come before it */
		run->stopping = true;
		run_wake(run);
		return false;
	case GATE_PAUSED:
		if (!run_hosts_busy(run) && run->appends == 0)
			control_stand(run);
		run->again = true;
		return false;
	case GATE_END:
		if (!run_hosts_busy(run) && run->appends == 0)
			run_end(run);
		run->again = true;
		return false;
	}
	bug("gate %d", (int)gate.kind);
}

/* The last durable word was said, or nothing more can be: leave the loop. */
static bool
run_is_over(struct run *run)
{
	if (run->ended)
		return true;
	return run->stopping && run->appends == 0 &&
	       (run->error != 0 || !run_hosts_busy(run));
}

/* Everybody who is in flight: who is not has nothing to do. Whom the gate
 * starts meanwhile is there in the next turn. */
static void
run_hosts(struct run *run)
{
	const struct change_fold *fold = run->o.fold;
	int count = fold->active_count;

	memcpy(run->turn, fold->active, (size_t)count * sizeof(*run->turn));
	for (int i = 0; i < count; i++)
		host_advance(&run->hosts[run->turn[i]]);
}

static void
run_advance(struct run *run)
{
	if (run_is_over(run)) {
		run->ended = true;
		loop_stop(run->o.loop);
		return;
	}
	if (run->o.fold->state == CHANGE_ENDED || run->error != 0)
		return;
	/* steps alone do not move the gate */
	while (!run->stopping && !run->asks &&
	       (run->again || run->moves != run->o.fold->moves) &&
	       run_gate(run))
		;
	run_hosts(run);
}

static void
run_woken(void *arg)
{
	struct run *run = arg;

	run->wake = NULL;
	run_advance(run);
}

/* One round is over, or its connection: the next, where the wave still soaks;
 * otherwise the gate may have waited for it. */
void
run_soak_on(struct host_run *host)
{
	struct run *run = host->run;

	if (run->soaking == host->fold->wave)
		run_soak_host(host);
	else
		run->again = true;
	run_wake(run);
}

static void
run_soak_checked(
    struct host_run *host, enum check_result result, const char *text)
{
	host->checks = NULL;
	if (host->fold->state != HOST_DONE)
		;
	else if (result == CHECK_PASS)
		host->soaked = true;
	else if (result == CHECK_INCONCLUSIVE && !host->run->o.fold->aborted)
		control_ask(host, text);
	else
		host_end(host, RECORD_HOST_FAILED, text);
	run_soak_on(host);
}

static bool
run_has_soak_checks(const struct run *run, const struct change_wave *wave)
{
	const struct plan *plan = run->o.change->plan;

	for (size_t i = 0; i < plan->check_count; i++)
		if ((plan->checks[i].at & CHECK_SOAK) != 0 &&
		    (plan->checks[i].phase < 0 ||
			plan->checks[i].phase == wave->phase))
			return true;
	return false;
}

bool
run_soak_owed(const struct host_run *host)
{
	return host->fold->state == HOST_DONE &&
	       (host->fold->asking ||
		   (!host->soaked && host->fold->wave == host->run->soak_wave));
}

/* Has nobody seen its checks pass, or were they about to say that they do not
 * when the time was over? A connection that goes is such a sign, too. */
static bool
run_soak_open(const struct host_run *host)
{
	return host->fold->state == HOST_DONE &&
	       (!host->soaked || host->busy || run_soak_owed(host) ||
		   checks_in_trouble(host->checks));
}

/* The soak is over: may the wave end? Not while a check of it has no answer. */
static bool
run_soak_looked(const struct run *run, int wave)
{
	const struct change_wave *w = &run->o.change->waves[wave - 1];

	if (w->soak_ms == 0 || !run_has_soak_checks(run, w))
		return true;
	for (size_t i = 0; i < w->count; i++)
		if (run_soak_open(&run->hosts[w->parts[i]]))
			return false;
	return true;
}

/* The soak is over: who was never looked at is, without waiting for a round. */
static void
run_soak_last(struct run *run, int wave)
{
	const struct change_wave *w = &run->o.change->waves[wave - 1];

	run_soak_checks(run, wave);
	for (size_t i = 0; i < w->count; i++)
		if (!run->hosts[w->parts[i]].soaked)
			checks_begin_now(run->hosts[w->parts[i]].checks);
}

static void
run_soak_host(struct host_run *host)
{
	if (host->fold->state != HOST_DONE || host->checks != NULL ||
	    host->busy || host->held)
		return;
	if (host->now.connected) {
		host->checks = checks_start(host, CHECK_SOAK, run_soak_checked);
		return;
	}
	host->busy = true;
	host_connect(host);
}

/* Keep the soak checks going on every host of the wave that is done. */
static void
run_soak_checks(struct run *run, int wave)
{
	const struct change_wave *w = &run->o.change->waves[wave - 1];
	bool any = run_has_soak_checks(run, w);

	run->soaking = any ? wave : 0;
	for (size_t i = 0; any && i < w->count; i++)
		run_soak_host(&run->hosts[w->parts[i]]);
}

/* A person or the system asks us to end: finish what is in hand, then stop. */
static void
run_interrupted(void *arg)
{
	struct run *run = arg;

	run->stopping = true;
	run_wake(run);
}

static const struct ask_fold *
run_unanswered(const struct change_fold *fold)
{
	const struct ask_fold *ask = fold_ask_open(fold);

	return ask != NULL && ask->over && !fold->aborted ? ask : NULL;
}

static int
run_say_unanswered(const struct change_fold *fold, struct err *err)
{
	const struct ask_fold *ask = run_unanswered(fold);
	char name[16];

	change_name(fold->number, name);
	return err_set(err, ERR_WAITING,
	    _("%s holds: nobody answered in time what phase %d asks of %s: %s "
	      "Nothing was started. `hoshu answer %s --yes` still counts, and "
	      "`hoshu run %s` then goes on; without it that asks again"),
	    name, ask->phase + 1, _(ask->of), ask->say, name, name);
}

int
run_change(const struct run_options *options, struct gate_result *result,
    struct err *err)
{
	struct run run = {.o = *options, .arena = arena_new()};
	struct loop_signal *interrupt, *terminate;
	size_t count = options->change->part_count;
	bool plain = i18n_plain(true); /* what is recorded is English */
	char name[16];

	run.hosts = arena_array(run.arena, struct host_run, count);
	run.turn = arena_array(run.arena, int, count + 1);
	run.again = true;
	run.places = places_new(&run);
	for (size_t i = 0; i < count; i++)
		host_init(&run.hosts[i], &run, (int)i);
	run.error = control_begin(&run, err);
	if (run.error < 0)
		goto out;
	run_wake(&run);
	interrupt =
	    loop_signal_start(options->loop, SIGINT, run_interrupted, &run);
	terminate =
	    loop_signal_start(options->loop, SIGTERM, run_interrupted, &run);
	loop_run(options->loop);
	loop_signal_stop(interrupt);
	loop_signal_stop(terminate);
	loop_timer_stop(run.timer);
	loop_timer_stop(run.wake);
	checks_free_all(&run);
	while (!LIST_EMPTY(&run.waits)) /* the run was given up */
		append_wait_free(LIST_FIRST(&run.waits));
	control_end(&run);
	i18n_plain(plain);
	gate_result_of(options->change, options->fold, result);
	if (run.error != 0)
		*err = run.err;
	else if (options->fold->back_limit &&
		 options->fold->state != CHANGE_ENDED)
		run.error = err_set(err, ERR_WAITING,
		    _("the way back pauses: %s. Look at those hosts first; "
		      "then `hoshu run %s` tries them again and goes on with "
		      "the others"),
		    options->fold->back_limit_text,
		    change_name(options->change->number, name));
	else if (run_unanswered(options->fold) != NULL)
		run.error = run_say_unanswered(options->fold, err);
	else if (options->fold->state != CHANGE_ENDED)
		run.error = err_set(err, ERR_WAITING,
		    _("interrupted; nothing is lost: the same command goes on "
		      "where it stands"));
out:
	i18n_plain(plain);
	for (size_t i = 0; i < count; i++)
		host_free(&run.hosts[i]);
	arena_free(run.arena);
	return run.error;
}
