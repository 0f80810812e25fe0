/*
 * The change as a whole: asks the gate what is next, starts hosts, waits out
 * soaks, ends. Decides nothing itself.
 */
#include "rollout/inside.h"
#include "base/i18n.h"

#include <signal.h>
#include <string.h>

static void run_woken(void *arg);

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

/* Ask the gate again by then. */
static void
run_wait(struct run *run, int64_t wait_ms)
{
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
	struct gate_now now = {
	    world_wall_ms(run->o.world), world_mono_ms(run->o.world)};
	struct gate gate;
	struct json *body;

	run->again = false;
	run->soaking = 0;
	run->moves = run->o.fold->moves;
	gate_decide(run->o.change, run->o.fold, now, &gate);
	switch (gate.kind) {
	case GATE_WAIT:
		if (gate.until_ms != 0) {
			run_wait(run, gate.until_ms - now.mono_ms);
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
		run_wait(run, gate.until_ms - now.wall_ms);
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
	run_records_drop(&run);
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
