/*
 * What must hold in every simulated rollout, whatever happens: looked at as
 * each record becomes durable and as each thing happens on a host, and at the
 * end. It reads the records and the truth of the hosts, and counts by itself:
 * nothing of the fold, the gate or the machine is asked.
 * covers: P3, P4, P5, P7
 */
#ifndef HOSHU_TEST_SIMULATED_RULES_H
#define HOSHU_TEST_SIMULATED_RULES_H

#include <limits.h>

#include "simulated_guards.h"
#include "simulated_plan.h"

enum part_is {
	PART_WAITS,
	PART_ACTIVE, /* on its way there */
	PART_BACK,   /* on its way back */
	PART_DONE,
	PART_FAILED,
	PART_LOST,
	PART_UNREACHABLE,
	PART_EXCLUDED,
	PART_REVERTED,
	PART_STUCK,
};

/* One launch: an intent, and what came of it. */
struct rule_launch {
	struct rule_launch *next;
	char xid[33];
	int host, step;
	bool undo;
	bool claimed, running, sealed;
	int rc;	     /* of the one that ran to its end */
	bool killed; /* it did not */
};

enum rule_step_is {
	STEP_IS_NOT_BEGUN,
	STEP_IS_MET,
	STEP_IS_DONE,
	STEP_IS_FAILED,
	STEP_IS_UNKNOWN,
};

struct rule_step {
	enum rule_step_is is;
	enum { BACK_NOT, BACK_DONE, BACK_KEPT, BACK_BAD } back;
	struct rule_launch *open;
	struct rule_launch *unasked; /* given up: nobody could be asked */
	int ran; /* launches on the way there that were claimed */
	int undo_ran;
	bool undone; /* by us: its undo, or its rollback steps, ran */
};

struct rule_host {
	bool failed, unreachable, excluded, lost;
	bool asked;	 /* without a preview, before it was touched */
	bool back_again; /* this run is of hosts that were away, and of it */
	bool hung;	 /* a probe of it, and nothing was said of that yet */
	enum part_is parts[MADE_PHASES];
	int tries[MADE_PHASES]; /* at going back */
	bool touched[MADE_PHASES];
	struct rule_step steps[MADE_STEPS];
	struct rule_guard guards[RULE_GUARDS];
};

enum wave_is { WAVE_IS_AHEAD, WAVE_IS_ON, WAVE_SOAKS, WAVE_IS_OVER };

struct rules {
	struct made *made;
	const struct sim *sim;
	const struct plan *plan;
	const struct change *change;
	struct rule_host hosts[MADE_HOSTS];
	int running[MADE_HOSTS + MADE_PLACES]; /* scripts on each now */
	struct rule_launch *launches;
	enum wave_is waves[32]; /* from 1 */
	int64_t soak_from;
	struct rule_ask {
		int times;
		int64_t until_ms;
		bool open, over, no, yes; /* the first word counts */
	} asks[MADE_PHASES];
	bool refused;				 /* somebody said no */
	int failed, unreachable, excluded, lost; /* hosts */
	bool later; /* this run is of hosts that were away */
	int laters; /* how many were */
	bool stopped, back, ended;
	enum back_scope scope;
	int wave_at_back; /* the one that was on when the change went back */
	int64_t epoch;
	int64_t now_ms;
	int status;		   /* of run-ended */
	int called_off, went_back; /* dead-men */
	struct buf log;
	int64_t kinds[RECORD_KIND_COUNT];
};

static void __attribute__((format(printf, 2, 3), noreturn))
rules_fail(const struct rules *rules, const char *fmt, ...)
{
	const char *log = rules->log.data != NULL ? rules->log.data : "";
	size_t len = strlen(log),
	       most = getenv("SEED") != NULL ? SIZE_MAX : 6000;
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	print_message("# the plan:\n%s# the last records:\n%s",
	    rules->made->text, len > most ? log + len - most : log);
	fail_msg("%s (replay: SEED=%llu build/MODE/unit/test_simulated)", why,
	    (unsigned long long)rules->made->seed);
	abort();
}

static void
rules_hold(const struct rules *rules, int host, const char *wrong)
{
	if (wrong != NULL)
		rules_fail(rules, "h%d: %s", host, wrong);
}

/* ---- who is who ---- */

static int
rules_host_of(const struct rules *rules, const char *name)
{
	for (size_t h = 0; h < rules->change->host_count; h++)
		if (strcmp(rules->change->hosts[h].name, name) == 0)
			return (int)h;
	rules_fail(rules, "a record of the host %s, which is none", name);
}

static int
rules_phase_of(const struct rules *rules, int wave)
{
	if (wave < 1 || wave > (int)rules->change->wave_count)
		rules_fail(rules, "a record of wave %d, which is none", wave);
	return rules->change->waves[wave - 1].phase;
}

static bool
rules_active(enum part_is is)
{
	return is == PART_ACTIVE || is == PART_BACK;
}

/* Rule 7: failed, unknown and drained hosts keep their slot. */
static bool
rules_holds(enum part_is is)
{
	return rules_active(is) || is == PART_FAILED || is == PART_LOST ||
	       is == PART_STUCK;
}

static const char *
rules_rack(const struct rules *rules, size_t host)
{
	return json_get_text(rules->change->hosts[host].vars, "rack", "");
}

/* Parts that are so: of that wave (0 = any), of that rack (NULL = any). */
static int
rules_count(const struct rules *rules, bool (*is)(enum part_is), int wave,
    const char *rack)
{
	int count = 0;

	for (size_t h = 0; h < rules->change->host_count; h++) {
		if (rack != NULL && strcmp(rack, rules_rack(rules, h)) != 0)
			continue;
		for (size_t p = 0; p < rules->plan->phase_count; p++)
			count += is(rules->hosts[h].parts[p]) &&
				 (wave == 0 ||
				     rules->change->hosts[h].waves[p] == wave);
	}
	return count;
}

/* ---- rule 7, 8: limits ---- */

static int
rules_limit(const struct rules *rules, const struct limit *limit, int phase)
{
	int hosts = 0, most;

	if (!limit->set)
		return 1;
	if (!limit->percent)
		return limit->amount;
	for (size_t h = 0; h < rules->change->host_count; h++)
		hosts += rules->change->hosts[h].waves[phase] > 0;
	most = hosts * limit->amount / 100;
	return most > 1 ? most : 1;
}

static bool
rules_limit_reached(const struct rules *rules)
{
	const struct plan *plan = rules->plan;
	int phase = (int)plan->phase_count - 1;

	for (size_t w = rules->change->wave_count; w >= 1; w--)
		if (rules->waves[w] != WAVE_IS_OVER)
			phase = rules->change->waves[w - 1].phase;
	return rules->failed >= rules_limit(rules, &plan->failed, phase) ||
	       (plan->later_ms > 0 ? rules->lost : rules->unreachable) >=
		   rules_limit(rules, &plan->unreachable, phase) ||
	       rules->excluded >= rules_limit(rules, &plan->excluded, phase);
}

static void
rules_counts(bool *flag, int *count)
{
	*count += !*flag;
	*flag = true;
}

/* ---- P7: what is in flight ---- */

static void
rules_in_flight(const struct rules *rules, int host, int wave)
{
	const struct change_wave *w = &rules->change->waves[wave - 1];
	int in_flight = rules_count(rules, rules_active, 0, NULL), own = 0;

	if (in_flight > rules->change->in_flight)
		rules_fail(rules, "%d in flight, the bound is %d", in_flight,
		    rules->change->in_flight);
	if (rules_count(rules, rules_active, wave, NULL) > w->at_once)
		rules_fail(rules, "more in flight than at_once %d", w->at_once);
	for (size_t s = 0; s < rules->plan->spread_count; s++)
		if (rules_count(rules, rules_active, 0,
			rules_rack(rules, (size_t)host)) >
		    rules->plan->spreads[s].most)
			rules_fail(rules, "too many of a rack in flight");
	for (size_t p = 0; p < rules->plan->phase_count; p++)
		own += rules_active(rules->hosts[host].parts[p]);
	if (own > 1)
		rules_fail(rules, "two phases of h%d are in flight", host);
}

static void
rules_host_starts(const struct rules *rules, int host, int wave)
{
	const struct rule_host *h = &rules->hosts[host];
	int phase = rules_phase_of(rules, wave);

	if (rules->stopped || rules->back || rules_limit_reached(rules))
		rules_fail(rules, "h%d starts after the stop rule", host);
	if (rules->plan->phases[phase].ask != NULL && !rules->asks[phase].yes)
		rules_fail(rules, "h%d starts, nobody said yes", host);
	if (rules->refused)
		rules_fail(rules, "h%d starts after a no", host);
	if (rules->later && !h->back_again)
		rules_fail(rules, "h%d starts, it was not away", host);
	if (rules->waves[wave] != WAVE_IS_ON)
		rules_fail(rules, "h%d starts, its wave is not on", host);
	if (rules->change->hosts[host].waves[phase] != wave)
		rules_fail(rules, "h%d starts in a wave of others", host);
	for (int p = 0; p < phase; p++)
		if (rules->change->hosts[host].waves[p] > 0 &&
		    h->parts[p] != PART_DONE)
			rules_fail(rules,
			    "h%d starts, it did not come well through phase %d",
			    host, p);
	if (rules_count(rules, rules_holds, 0, NULL) >
	    rules->change->waves[wave - 1].at_once)
		rules_fail(rules, "a place of at_once was not kept");
	for (size_t s = 0; s < rules->plan->spread_count; s++)
		if (rules_count(rules, rules_holds, 0,
			rules_rack(rules, (size_t)host)) >
		    rules->plan->spreads[s].most)
			rules_fail(rules, "a place of spread was not kept");
	rules_in_flight(rules, host, wave);
}

static void
rules_wave(struct rules *rules, enum record_kind kind, int wave)
{
	const struct change_wave *w = &rules->change->waves[wave - 1];
	int phase = rules_phase_of(rules, wave);
	bool start = kind == RECORD_WAVE_STARTED;
	bool soak = kind == RECORD_WAVE_SOAKING;

	if (rules->stopped || rules->back || (start && rules->refused))
		rules_fail(rules, "wave %d moves after the stop rule", wave);
	for (int before = 1; before < wave; before++)
		if (rules->waves[before] != WAVE_IS_OVER)
			rules_fail(
			    rules, "wave %d before %d is over", wave, before);
	if (rules->waves[wave] != (start     ? WAVE_IS_AHEAD
				      : soak ? WAVE_IS_ON
					     : WAVE_SOAKS))
		rules_fail(rules, "wave %d moves in a wrong order", wave);
	if (rules_count(rules, rules_active, 0, NULL) > 0)
		rules_fail(rules, "wave %d moves, a host is in flight", wave);
	for (size_t h = 0; !start && h < rules->change->host_count; h++) {
		bool barred = false;

		if (rules->change->hosts[h].waves[phase] != wave ||
		    rules->hosts[h].parts[phase] != PART_WAITS)
			continue;
		for (int p = 0; p < phase; p++)
			barred = barred ||
				 (rules->change->hosts[h].waves[p] > 0 &&
				     rules->hosts[h].parts[p] != PART_DONE);
		if (!barred)
			rules_fail(rules, "wave %d forgets h%zu", wave, h);
	}
	if (kind == RECORD_WAVE_ENDED &&
	    rules->now_ms < rules->soak_from + w->soak_ms)
		rules_fail(rules, "wave %d ends before its soak", wave);
	if (soak)
		rules->soak_from = rules->now_ms;
	rules->waves[wave] = start  ? WAVE_IS_ON
			     : soak ? WAVE_SOAKS
				    : WAVE_IS_OVER;
}

/* ---- a person's word before a phase ---- */

static void
rules_ask(struct rules *rules, const struct record *record)
{
	int phase = record->step - 1;
	struct rule_ask *ask = &rules->asks[phase];

	if (phase < 0 || (size_t)phase >= rules->plan->phase_count ||
	    rules->plan->phases[phase].ask == NULL)
		rules_fail(rules, "phase %d asks, who wants that?", phase + 1);
	switch ((int)record->kind) {
	case RECORD_ASKED:
		if (rules->stopped || rules->back || rules->refused)
			rules_fail(rules, "it asks, and may not go on");
		if (rules_count(rules, rules_active, 0, NULL) > 0)
			rules_fail(rules, "it asks, a host is in flight");
		if (ask->open && !ask->over && rules->now_ms < ask->until_ms)
			rules_fail(rules, "it asks twice");
		for (size_t w = 1; w <= rules->change->wave_count; w++)
			if ((rules_phase_of(rules, (int)w) < phase) !=
			    (rules->waves[w] == WAVE_IS_OVER))
				rules_fail(rules, "no barrier before it asks");
		if (record->attempt != ++ask->times)
			rules_fail(rules, "asked %d times, not %d",
			    record->attempt, ask->times);
		ask->open = true;
		ask->over = false;
		ask->until_ms =
		    rules->now_ms + rules->plan->phases[phase].ask->within_ms;
		return;
	case RECORD_UNANSWERED:
		if (!ask->open || rules->now_ms < ask->until_ms)
			rules_fail(rules, "given up before its time");
		ask->over = true;
		return;
	case RECORD_ANSWERED:
		if (!ask->open)
			rules_fail(rules, "an answer, nobody asked");
		if (ask->yes || ask->no)
			return;
		ask->yes = strstr(record->body, "\"yes\"") != NULL;
		ask->no = !ask->yes;
		rules->refused = rules->refused || ask->no;
		return;
	}
}

/* ---- P5: the way back ---- */

/* Did anything of it run that the way back must look at? */
static bool
rules_acted(const struct rules *rules, size_t host, size_t phase)
{
	for (int id = 1; id <= rules->plan->last_id; id++)
		if (rules->plan->by_id[id]->phase == (int)phase &&
		    (rules->hosts[host].steps[id].is >= STEP_IS_DONE ||
			rules->hosts[host].steps[id].open != NULL))
			return true;
	return false;
}

/* With scope wave: the hosts of the wave, in its phase and those before. */
static bool
rules_is_of_wave(const struct rules *rules, size_t host, size_t phase, int wave)
{
	const int *waves = rules->change->hosts[host].waves;
	size_t last = (size_t)rules->change->waves[wave - 1].phase;

	return waves[last] == wave && phase <= last;
}

/* Must this part go back, now that the change does? */
static bool
rules_goes_back(const struct rules *rules, size_t host, size_t phase)
{
	int wave = rules->change->hosts[host].waves[phase];

	return wave > 0 && rules_acted(rules, host, phase) &&
	       (rules->scope != BACK_WAVE ||
		   rules_is_of_wave(rules, host, phase, rules->wave_at_back));
}

/* A later phase of the host stands in the way: it is stuck, or not back. */
static bool
rules_later_stands(const struct rules *rules, size_t host, size_t phase)
{
	for (size_t p = phase + 1; p < rules->plan->phase_count; p++) {
		enum part_is is = rules->hosts[host].parts[p];

		if (rules->change->hosts[host].waves[p] == 0)
			continue;
		if (rules_holds(is) ||
		    (is == PART_DONE && rules_acted(rules, host, p)))
			return true;
	}
	return false;
}

static void
rules_waits_behind(
    const struct rules *rules, int host, int wave, size_t h, size_t p)
{
	enum part_is is = rules->hosts[h].parts[p];
	int its = rules->change->hosts[h].waves[p];
	bool failed = is == PART_FAILED || is == PART_LOST;
	bool waits = (failed || is == PART_DONE) &&
		     rules_goes_back(rules, h, p) &&
		     !rules_later_stands(rules, h, p);

	if (its > wave && rules->scope == BACK_CHANGE &&
	    (waits || rules_active(is)))
		rules_fail(rules,
		    "h%d of wave %d goes back, h%zu of wave %d is not yet",
		    host, wave, h, its);
	if (its == wave && failed && waits && rules->plan->spread_count == 0)
		rules_fail(
		    rules, "h%d goes back before half-done h%zu", host, h);
}

/* The part was was, and goes back now. */
static void
rules_host_back(const struct rules *rules, int host, int wave, enum part_is was)
{
	size_t phase = (size_t)rules_phase_of(rules, wave);

	if (was == PART_ACTIVE && !rules->back)
		rules_fail(rules, "h%d goes back from the middle", host);
	if (was != PART_ACTIVE && was != PART_DONE && was != PART_FAILED &&
	    was != PART_LOST && was != PART_STUCK)
		rules_fail(rules, "h%d goes back, it is at %d", host, was);
	rules_in_flight(rules, host, wave);
	if (rules_later_stands(rules, (size_t)host, phase))
		rules_fail(rules, "h%d goes back, a later phase is not", host);
	if (rules->back && was == PART_DONE &&
	    !rules_goes_back(rules, (size_t)host, phase))
		rules_fail(rules, "h%d goes back, it should stay", host);
	for (size_t h = 0;
	     rules->back && was == PART_DONE && h < rules->change->host_count;
	     h++)
		for (size_t p = 0; p < rules->plan->phase_count; p++)
			if ((int)h != host || p != phase)
				rules_waits_behind(rules, host, wave, h, p);
}

static bool
rules_by_itself(const struct rule_host *h, const struct step *step)
{
	return step->guard != NULL &&
	       h->guards[step->guard->number].is >= GOES_BACK;
}

/* "Reverted": every step that ran is as it was, but for those kept, and every
 * handler has run for what is there now. */
static void
rules_reverted(const struct rules *rules, int host, int phase)
{
	const struct rule_host *h = &rules->hosts[host];

	if (rules->running[host] > 0)
		rules_fail(rules, "h%d is reverted, a script runs on it", host);
	for (size_t g = 0; g < rules->plan->guard_count; g++)
		if (rules->plan->guards[g]->phase == phase)
			rules_hold(
			    rules, host, rule_guard_reverted(&h->guards[g]));
	for (int id = 1; id <= rules->plan->last_id; id++) {
		const struct step *step = rules->plan->by_id[id];
		const struct rule_step *is = &h->steps[id];
		char what = sim_what(rules->sim, host, id);

		if (step->phase != phase || step->of_rollback || is->ran == 0)
			continue;
		for (size_t i = 0; i < step->notify_count; i++)
			if (is->back == BACK_DONE &&
			    (is->undone || rules_by_itself(h, step)) &&
			    !sim_handled(
				rules->sim, host, step->notify[i], id) &&
			    !sim_touched_by_others(rules->sim, host, id))
				rules_fail(rules,
				    "h%d: step %d is undone, handler %d does "
				    "not know",
				    host, id, step->notify[i]);
		if (step->handler || is->back == BACK_KEPT)
			continue;
		if (is->back != BACK_DONE)
			rules_fail(
			    rules, "h%d is reverted, step %d is not", host, id);
		if (what != sim_what_before(rules->sim, host, id))
			rules_fail(rules,
			    "h%d is reverted, step %d left a trace: %c", host,
			    id, what);
	}
}

static void
rules_done_step(const struct rules *rules, int host, const struct step *step)
{
	const struct rule_step *is = &rules->hosts[host].steps[step->id];
	bool others = sim_touched_by_others(rules->sim, host, step->id);

	if (is->open != NULL || is->is == STEP_IS_FAILED ||
	    is->is == STEP_IS_UNKNOWN)
		rules_fail(rules, "h%d is done, step %d is not: %d", host,
		    step->id, is->is);
	if (step->handler)
		return;
	if (is->is == STEP_IS_NOT_BEGUN)
		rules_fail(
		    rules, "h%d is done, without step %d", host, step->id);
	if (is->is == STEP_IS_DONE && !others &&
	    sim_what(rules->sim, host, step->id) != 'a')
		rules_fail(
		    rules, "h%d is done, step %d is not", host, step->id);
	for (size_t i = 0; i < step->notify_count; i++)
		if (is->is == STEP_IS_DONE && !others &&
		    !sim_handled(rules->sim, host, step->notify[i], step->id))
			rules_fail(rules,
			    "h%d is done, handler %d did not run for %d", host,
			    step->notify[i], step->id);
}

static void
rules_done(const struct rules *rules, int host, int phase)
{
	if (rules->running[host] > 0)
		rules_fail(rules, "h%d is done, a script runs on it", host);
	for (size_t g = 0; g < rules->plan->guard_count; g++)
		if (rules->plan->guards[g]->phase == phase)
			rules_hold(rules, host,
			    rule_guard_done(&rules->hosts[host].guards[g]));
	for (int id = 1; id <= rules->plan->last_id; id++) {
		const struct step *step = rules->plan->by_id[id];

		if (step->phase == phase && !step->of_rollback)
			rules_done_step(rules, host, step);
	}
}

/* ---- P3, P4: launches and what is said of them ---- */

static struct rule_launch *
rules_launch_of(const struct rules *rules, const char *xid)
{
	struct rule_launch *launch = rules->launches;

	while (launch != NULL && strcmp(launch->xid, xid) != 0)
		launch = launch->next;
	return launch;
}

/* Backwards, then the handlers: other must be behind us. */
static void
rules_undone_before(const struct rules *rules, int host,
    const struct step *step, const struct step *other)
{
	const struct rule_step *is = &rules->hosts[host].steps[other->id];

	if (other->handler || other->of_rollback ||
	    other->phase != step->phase || is->ran == 0)
		return;
	if (is->back == BACK_NOT)
		rules_fail(rules, "h%d: %d goes back before %d", host, step->id,
		    other->id);
}

static void
rules_order_back(const struct rules *rules, int host, const struct step *step)
{
	const struct plan *plan = rules->plan;

	for (int id = 1; id <= plan->last_id; id++) {
		const struct step *other = plan->by_id[id];
		int of = 0;

		/* a rollback step belongs where its step is */
		for (int i = 1; i <= plan->last_id; i++)
			for (size_t b = 0; b < plan->by_id[i]->back_count; b++)
				if (plan->by_id[i]->back_steps[b].id ==
				    step->id)
					of = i;
		if (step->handler ? !other->handler
				  : id > (of > 0 ? of : step->id))
			rules_undone_before(rules, host, step, other);
	}
}

static bool
rules_of_way_back(const struct step *step)
{
	return step->of_rollback ||
	       (plan_is_guard_act(step) && plan_guard_act(step) == GUARD_BACK);
}

static void
rules_intent(struct rules *rules, const struct record *record, int host)
{
	struct rule_host *h = &rules->hosts[host];
	const struct step *step = rules->plan->by_id[record->step];
	struct rule_step *is = &h->steps[step->id];
	enum part_is part = h->parts[step->phase];
	bool undo = record->kind == RECORD_UNDO_INTENT;
	bool act = plan_is_guard_act(step);
	struct rule_launch *launch;

	for (int id = 1; id <= rules->plan->last_act; id++)
		if (h->steps[id].open != NULL)
			rules_fail(rules,
			    "h%d: an intent of %d, the ticket of %d is open",
			    host, step->id, id);
	if (rules_launch_of(rules, record->xid) != NULL)
		rules_fail(rules, "two intents with the key %s", record->xid);
	if (!rules_active(part))
		rules_fail(rules, "an intent on h%d, not in flight", host);
	if (undo && part != PART_BACK)
		rules_fail(rules, "h%d: an undo on the way there", host);
	if (!undo && (part == PART_BACK) != rules_of_way_back(step))
		rules_fail(
		    rules, "h%d: %d in the wrong direction", host, step->id);
	if (act && step == &step->guard->acts[GUARD_ARM] &&
	    is->is == STEP_IS_DONE)
		rules_fail(rules, "h%d is armed again", host);
	if (!undo && !act &&
	    (is->is == STEP_IS_DONE || is->is == STEP_IS_UNKNOWN ||
		is->is == STEP_IS_MET))
		rules_fail(rules, "h%d: step %d once more, it is at %d", host,
		    step->id, is->is);
	if (!undo && !act && is->ran > step->retry_times &&
	    !(step->of_rollback && h->tries[step->phase] > 1))
		rules_fail(rules, "h%d: step %d runs %d times", host, step->id,
		    is->ran + 1);
	if (part == PART_BACK && !act)
		rules_order_back(rules, host, step);
	if (rules->made->away[host] && !h->asked)
		rules_fail(rules, "h%d is touched, nobody asked it", host);
	h->touched[step->phase] = true;
	launch = arena_new_of(rules->made->arena, struct rule_launch);
	launch->next = rules->launches;
	rules->launches = launch;
	snprintf(launch->xid, sizeof(launch->xid), "%s", record->xid);
	launch->host = host;
	launch->step = step->id;
	launch->undo = undo;
	is->open = launch;
}

/* Nobody could be asked: asked it is when the host goes back, before all. */
static void
rules_given_up(struct rule_step *is, const struct rule_launch *launch,
    const struct record *record)
{
	if (strstr(record->body, "\"unasked\":true") != NULL)
		is->unasked = (struct rule_launch *)launch;
}

/* What a forward outcome says, held against what happened. */
static void
rules_outcome(struct rules *rules, const struct record *record, int host)
{
	const struct step *step = rules->plan->by_id[record->step];
	struct rule_step *is = &rules->hosts[host].steps[step->id];
	const struct rule_launch *launch = is->open;
	char what = sim_what(rules->sim, host, step->id);
	bool others = sim_touched_by_others(rules->sim, host, step->id);
	bool probed =
	    !step->handler && !rules->made->options.unprobed[step->id];

	is->open = NULL;
	switch ((int)record->kind) {
	case RECORD_STEP_SEALED:
		if (launch == NULL || launch->claimed)
			rules_fail(rules, "a lie: sealed, but %d ran on h%d",
			    step->id, host);
		return;
	case RECORD_STEP_DONE:
		if (launch == NULL && is->is != STEP_IS_FAILED)
			rules_fail(rules, "h%d: %d is done without an intent",
			    host, step->id);
		/* the undo of a step that its probe cannot tell about */
		/* or what the host has taken back since */
		if (probed && !others && what != 'a' &&
		    !rules_by_itself(&rules->hosts[host], step))
			rules_fail(rules, "a lie: done, but %d of h%d is %c",
			    step->id, host, what);
		if (!probed && launch != NULL && !step->handler &&
		    (!launch->claimed || launch->killed || launch->rc != 0))
			rules_fail(rules,
			    "a lie: done, but %d of h%d ended badly", step->id,
			    host);
		is->is = STEP_IS_DONE;
		return;
	case RECORD_STEP_FAILED:
		if (launch == NULL || !launch->claimed)
			rules_fail(
			    rules, "a lie: failed, but %d never ran", step->id);
		/* where the probe did not answer, it is not proved */
		if (!launch->killed && launch->rc == 0 && probed && !others &&
		    what == 'a' && rules->made->options.rates.probe == 0)
			rules_fail(rules, "a lie: failed, but %d of h%d is met",
			    step->id, host);
		is->is = STEP_IS_FAILED;
		return;
	case RECORD_STEP_UNKNOWN:
		if (launch == NULL)
			rules_fail(rules, "unknown without an intent");
		rules_given_up(is, launch, record);
		is->is = STEP_IS_UNKNOWN;
		return;
	}
}

/* What a host answered about its dead-man. */
static void
rules_guard_outcome(struct rules *rules, const struct record *record, int host)
{
	const struct step *act = rules->plan->by_id[record->step];
	struct rule_step *is = &rules->hosts[host].steps[act->id];
	const struct rule_launch *launch = is->open;

	is->open = NULL;
	if (launch == NULL)
		rules_fail(rules, "h%d: an answer, nothing was asked", host);
	if (record->kind == RECORD_STEP_SEALED) {
		if (launch->claimed)
			rules_fail(
			    rules, "a lie: sealed, but told to h%d", host);
		return;
	}
	if (record->kind == RECORD_STEP_UNKNOWN)
		rules_given_up(is, launch, record);
	else
		rules_hold(rules, host,
		    rule_guard_said(
			&rules->hosts[host].guards[act->guard->number],
			record->body));
	is->is = record->kind == RECORD_STEP_DONE     ? STEP_IS_DONE
		 : record->kind == RECORD_STEP_FAILED ? STEP_IS_FAILED
						      : STEP_IS_UNKNOWN;
}

static bool
rules_back_ran(const struct rules *rules, int host, const struct step *step)
{
	if (rules->hosts[host].steps[step->id].undo_ran > 0)
		return true;
	for (size_t i = 0; i < step->back_count; i++)
		if (rules->hosts[host].steps[step->back_steps[i].id].ran > 0)
			return true;
	return false;
}

static void
rules_undo_outcome(struct rules *rules, const struct record *record, int host)
{
	const struct step *step = rules->plan->by_id[record->step];
	struct rule_step *is = &rules->hosts[host].steps[step->id];
	const struct rule_launch *launch = is->open;

	is->open = NULL;
	switch ((int)record->kind) {
	case RECORD_UNDO_SEALED:
		if (launch == NULL || launch->claimed)
			rules_fail(rules, "a lie: the undo of %d ran on h%d",
			    step->id, host);
		return;
	case RECORD_UNDO_DONE:
		if (!step->handler &&
		    !rules->made->options.unprobed[step->id] &&
		    sim_what(rules->sim, host, step->id) !=
			sim_what_before(rules->sim, host, step->id))
			rules_fail(rules, "a lie: %d of h%d is not back",
			    step->id, host);
		is->back = BACK_DONE;
		is->undone = rules_back_ran(rules, host, step);
		return;
	case RECORD_UNDO_KEPT:
		if (step->back != STEP_BACK_KEEP)
			rules_fail(rules, "%d is kept, who said so?", step->id);
		is->back = BACK_KEPT;
		return;
	case RECORD_UNDO_UNKNOWN:
		rules_given_up(is, launch, record);
		is->back = BACK_BAD;
		return;
	default:
		is->back = BACK_BAD;
		return;
	}
}

/* ---- records ---- */

static enum part_is
rules_part_of(enum record_kind kind)
{
	switch ((int)kind) {
	case RECORD_HOST_STARTED:
		return PART_ACTIVE;
	case RECORD_HOST_UNREACHABLE:
		return PART_UNREACHABLE;
	case RECORD_HOST_EXCLUDED:
		return PART_EXCLUDED;
	case RECORD_HOST_LOST:
		return PART_LOST;
	case RECORD_HOST_FAILED:
		return PART_FAILED;
	case RECORD_HOST_DONE:
		return PART_DONE;
	case RECORD_HOST_BACK:
		return PART_BACK;
	case RECORD_HOST_REVERTED:
		return PART_REVERTED;
	default:
		return PART_STUCK;
	}
}

static void
rules_host_record(struct rules *rules, const struct record *record, int host)
{
	struct rule_host *h = &rules->hosts[host];
	int phase = rules_phase_of(rules, record->step);
	enum part_is was = h->parts[phase];
	enum record_kind kind = record->kind;

	h->parts[phase] = rules_part_of(kind);
	if (kind == RECORD_HOST_FAILED || kind == RECORD_HOST_LOST)
		rules_counts(&h->failed, &rules->failed);
	if (kind == RECORD_HOST_UNREACHABLE || kind == RECORD_HOST_LOST)
		rules_counts(&h->unreachable, &rules->unreachable);
	if (kind == RECORD_HOST_LOST)
		rules_counts(&h->lost, &rules->lost);
	if (kind == RECORD_HOST_EXCLUDED)
		rules_counts(&h->excluded, &rules->excluded);
	if ((kind == RECORD_HOST_UNREACHABLE || kind == RECORD_HOST_EXCLUDED) &&
	    h->touched[phase])
		rules_fail(rules, "h%d was touched, and is called %s", host,
		    record_kind_word(kind));
	for (int id = 1; id <= rules->plan->last_act; id++)
		if (kind != RECORD_HOST_STARTED && kind != RECORD_HOST_BACK &&
		    h->steps[id].open != NULL)
			rules_fail(rules, "h%d ends with %d open", host, id);
	for (int id = 1; id <= rules->plan->last_act; id++)
		if (kind == RECORD_HOST_BACK && h->steps[id].unasked != NULL &&
		    rules->plan->by_id[id]->phase == phase) {
			h->steps[id].open = h->steps[id].unasked;
			h->steps[id].unasked = NULL;
		}
	h->tries[phase] += kind == RECORD_HOST_BACK;
	if (kind == RECORD_HOST_STARTED)
		rules_host_starts(rules, host, record->step);
	else if (kind == RECORD_HOST_BACK)
		rules_host_back(rules, host, record->step, was);
	else if (kind == RECORD_HOST_REVERTED)
		rules_reverted(rules, host, phase);
	else if (kind == RECORD_HOST_DONE)
		rules_done(rules, host, phase);
}

/* Where the way back pauses: as it is said, or at half of them, and never at
 * the first alone. */
static int
rules_back_limit(const struct rules *rules, int phase)
{
	int hosts = 0;

	if (rules->plan->unreverted.set)
		return rules_limit(rules, &rules->plan->unreverted, phase);
	for (size_t h = 0; h < rules->change->host_count; h++)
		hosts += rules->change->hosts[h].waves[phase] > 0;
	return hosts < 6 ? 2 : hosts / 2;
}

/* The way back pauses when it has reached its limit, not before. */
static void
rules_back_pauses(const struct rules *rules)
{
	int stuck = 0, least = INT_MAX;

	for (size_t h = 0; h < rules->change->host_count; h++) {
		bool is = false;

		for (size_t p = 0; p < rules->plan->phase_count; p++)
			is = is || rules->hosts[h].parts[p] == PART_STUCK;
		stuck += is;
	}
	for (size_t p = 0; p < rules->plan->phase_count; p++) {
		int limit = rules_back_limit(rules, (int)p);

		least = limit < least ? limit : least;
	}
	if (stuck < least)
		rules_fail(rules, "the way back pauses, %d are stuck", stuck);
}

/* A run of hosts that were away, after the end: they alone begin again. */
static void
rules_back_again(struct rules *rules, const struct record *record)
{
	struct arena *arena = arena_new();
	struct json *body = NULL;
	const struct json *names;

	if (json_parse(arena, record->body, strlen(record->body), "body", &body,
		NULL) < 0)
		rules_fail(rules, "a body that is none");
	if (!rules->ended || rules->stopped || rules->back ||
	    rules->plan->later_ms == 0)
		rules_fail(rules, "who is away is tried, nobody may");
	names = json_get(body, "hosts");
	rules->ended = false;
	rules->later = true;
	rules->laters++;
	for (size_t h = 0; h < rules->change->host_count; h++)
		rules->hosts[h].back_again = false;
	for (size_t i = 0; i < names->count; i++) {
		int h = rules_host_of(rules, names->items[i]->text);
		struct rule_host *host = &rules->hosts[h];

		for (size_t p = 0; p < rules->plan->phase_count; p++) {
			if (host->parts[p] == PART_UNREACHABLE)
				host->back_again = true;
			if (!host->back_again ||
			    rules->change->hosts[h].waves[p] == 0)
				continue;
			if (host->touched[p])
				rules_fail(rules, "h%d was touched", h);
			host->parts[p] = PART_WAITS;
			rules->waves[rules->change->hosts[h].waves[p]] =
			    WAVE_IS_AHEAD;
		}
		if (!host->back_again)
			rules_fail(rules, "h%d is tried, it was not away", h);
		rules->unreachable -= host->unreachable;
		host->unreachable = false;
	}
	arena_free(arena);
}

static void
rules_change_record(struct rules *rules, const struct record *record)
{
	switch ((int)record->kind) {
	case RECORD_RUN_STARTED:
		if (record->epoch != ++rules->epoch)
			rules_fail(rules, "epoch %lld after %lld",
			    (long long)record->epoch,
			    (long long)rules->epoch - 1);
		if (strstr(record->body, "\"way\":\"later\"") != NULL)
			rules_back_again(rules, record);
		return;
	case RECORD_WAVE_STARTED:
	case RECORD_WAVE_SOAKING:
	case RECORD_WAVE_ENDED:
		rules_wave(rules, record->kind, record->step);
		return;
	case RECORD_LIMIT:
		if (!rules_limit_reached(rules))
			rules_fail(rules, "the stop rule without a reason");
		rules->stopped = true;
		return;
	case RECORD_BACK_STARTED:
		rules->back = true;
		rules->scope = rules->stopped && rules->plan->limit != BACK_HOST
				   ? rules->plan->limit
				   : rules->plan->host_failed;
		for (size_t w = rules->change->wave_count; w >= 1; w--)
			if (rules->waves[w] != WAVE_IS_OVER)
				rules->wave_at_back = (int)w;
		if (rules->scope != BACK_WAVE && rules->scope != BACK_CHANGE)
			rules_fail(
			    rules, "the change goes back, it should not");
		return;
	case RECORD_BACK_LIMIT:
		rules_back_pauses(rules);
		return;
	case RECORD_ASKED:
	case RECORD_UNANSWERED:
	case RECORD_ANSWERED:
		rules_ask(rules, record);
		return;
	case RECORD_RUN_ENDED:
		rules->ended = true;
		return;
	}
}

static void
rules_log(struct rules *rules, const struct record *record)
{
	buf_printf(&rules->log, "# %8lld %s %s %d %.8s %.150s\n",
	    (long long)(record->wall_ms - stage_epoch_ms),
	    record_kind_word(record->kind), record->host, record->step,
	    record->xid, record->body[2] != '\0' ? record->body : "");
}

/* What a host without a preview is like is fixed before it is touched. */
static void
rules_asked(struct rules *rules, int host, int wave)
{
	struct rule_host *h = &rules->hosts[host];

	if (!rules->made->away[host])
		rules_fail(rules, "h%d is asked, it was previewed", host);
	if (h->parts[rules_phase_of(rules, wave)] != PART_ACTIVE)
		rules_fail(rules, "h%d is asked, it is not its turn", host);
	for (size_t p = 0; p < rules->plan->phase_count; p++)
		if (h->touched[p])
			rules_fail(rules, "h%d is asked, it was touched", host);
	h->asked = true;
}

/* A host that was not touched and does not answer is not waited for again and
 * again: that would hold up the others. */
static void
rules_hung(struct rules *rules, const struct record *record, int host)
{
	struct rule_host *h = host >= 0 ? &rules->hosts[host] : NULL;

	if (record->kind == RECORD_RUN_STARTED)
		for (size_t i = 0; i < rules->change->host_count; i++)
			rules->hosts[i].hung = false;
	if (h == NULL)
		return;
	for (size_t p = 0; p < rules->plan->phase_count; p++)
		if (h->touched[p])
			h->hung = false;
	if (h->hung && record->kind == RECORD_HOST_OPENED)
		rules_fail(
		    rules, "h%d gave no answer and is asked again", host);
	h->hung = false;
}

static void
rules_record(struct rules *rules, const struct record *record)
{
	int host = -1;

	rules_log(rules, record);
	if (strstr(record->body, ": \",") != NULL ||
	    strstr(record->body, ": \"}") != NULL)
		rules_fail(rules, "a reason without an end: %s", record->body);
	rules->kinds[record->kind]++;
	rules->now_ms = record->wall_ms;
	if (rules->ended && record->kind != RECORD_RUN_STARTED)
		rules_fail(rules, "a record after the end");
	if (record->host[0] != '\0')
		host = rules_host_of(rules, record->host);
	rules_hung(rules, record, host);
	if (record->kind == RECORD_HOST_OPENED)
		for (size_t g = 0; g < rules->plan->guard_count; g++)
			rules->hosts[host].guards[g].touched = false;
	if (record->kind == RECORD_CHECK || record->kind == RECORD_HOST_OPENED)
		return;
	if (record->kind == RECORD_HOST_ASKED) {
		rules_asked(rules, host, record->step);
		return;
	}
	if (host < 0) {
		rules_change_record(rules, record);
	} else if (record_kind_is_intent(record->kind)) {
		rules_intent(rules, record, host);
	} else if (record->step > rules->plan->last_id &&
		   !record_kind_is_host(record->kind)) {
		rules_guard_outcome(rules, record, host);
	} else if (record_kind_is_host(record->kind)) {
		rules_host_record(rules, record, host);
	} else if (record->kind == RECORD_STEP_SAME ||
		   record->kind == RECORD_STEP_SKIPPED) {
		if (rules->hosts[host].steps[record->step].ran > 0)
			rules_fail(rules, "unchanged, but %d ran on h%d",
			    record->step, host);
		rules->hosts[host].steps[record->step].is = STEP_IS_MET;
	} else if (record->kind >= RECORD_UNDO_DONE &&
		   record->kind <= RECORD_UNDO_CONFLICT) {
		rules_undo_outcome(rules, record, host);
	} else {
		rules_outcome(rules, record, host);
	}
}

/* ---- what happens on hosts ---- */

static void
rules_guard_event(struct rules *rules, const struct sim_event *event,
    const struct rule_launch *launch)
{
	struct rule_host *h = &rules->hosts[event->host];
	const struct plan *plan = rules->plan;

	if (event->kind == SIM_ARMED) {
		if (launch == NULL ||
		    !plan_is_guard_act(plan->by_id[launch->step]))
			rules_fail(rules, "h%d is armed, no intent is durable",
			    event->host);
		snprintf(h->guards[plan->by_id[launch->step]->guard->number].id,
		    sizeof(h->guards[0].id), "%s", event->guard);
	}
	for (size_t g = 0; g < plan->guard_count; g++)
		if (strcmp(h->guards[g].id, event->guard) == 0) {
			int act = plan->guards[g]->acts[GUARD_CONFIRM].id;

			rules_hold(rules, event->host,
			    rule_guard_event(&h->guards[g], event->kind,
				h->steps[act].open != NULL));
			rules->went_back += event->kind == SIM_GOES_BACK;
			rules->called_off += event->kind == SIM_CONFIRMED;
			return;
		}
	rules_fail(rules, "a dead-man of h%d that nobody armed", event->host);
}

static void
rules_event(struct rules *rules, const struct sim_event *event)
{
	int *running = &rules->running[event->host];
	struct rule_launch *launch = rules_launch_of(rules, event->xid);
	const struct step *step;
	struct rule_host *h;

	if (event->kind == SIM_HUNG) {
		if (event->host < (int)rules->change->host_count)
			rules->hosts[event->host].hung = true;
		return;
	}
	if (event->guard != NULL) {
		rules_guard_event(rules, event, launch);
		return;
	}
	if (event->kind == SIM_SEALED) {
		if (launch != NULL)
			launch->sealed = true;
		return;
	}
	/* P3: no action without a record */
	if (launch == NULL)
		rules_fail(rules, "%d is launched on h%d, no intent is durable",
		    event->step, event->host);
	step = rules->plan->by_id[launch->step];
	if (launch->host != event->of ||
	    (!plan_is_guard_act(step) && launch->step != event->step) ||
	    (plan_is_guard_act(step) && event->step != 0))
		rules_fail(rules, "the key of %d on h%d launches %d on h%d",
		    launch->step, launch->host, event->step, event->host);
	h = &rules->hosts[event->of];
	if (event->kind == SIM_CLAIMED) {
		if (launch->claimed || launch->sealed)
			rules_fail(rules, "%d runs twice under one key on h%d",
			    event->step, event->host);
		if (*running > 0)
			rules_fail(rules,
			    "%d is launched on h%d beside another", event->step,
			    event->host);
		if (h->steps[step->id].open != launch)
			rules_fail(rules,
			    "%d is launched on h%d, its ticket is not open",
			    step->id, event->host);
		if (step->guard != NULL && !plan_is_guard_act(step) &&
		    !launch->undo)
			rules_hold(rules, event->of,
			    rule_guard_claimed(
				&h->guards[step->guard->number]));
		launch->claimed = launch->running = true;
		++*running;
		if (launch->undo)
			h->steps[step->id].undo_ran++;
		else
			h->steps[step->id].ran++;
		return;
	}
	if (!launch->running)
		rules_fail(
		    rules, "%d ends twice on h%d", event->step, event->host);
	launch->running = false;
	launch->killed = event->kind == SIM_KILLED;
	launch->rc = event->rc;
	--*running;
}

/* ---- the end ---- */

/* The worst word of a host's parts; design.md: 8 > 6 > 7 > 9. */
static int
rules_host_status(const struct rules *rules, size_t host)
{
	const struct rule_host *h = &rules->hosts[host];
	bool unknown = false, failed = false, reverted = false, left = false;

	for (size_t p = 0; p < rules->plan->phase_count; p++) {
		bool doubt = false;

		if (rules->change->hosts[host].waves[p] == 0)
			continue;
		for (int id = 1; id <= rules->plan->last_id; id++)
			doubt =
			    doubt || (rules->plan->by_id[id]->phase == (int)p &&
					 h->steps[id].is == STEP_IS_UNKNOWN &&
					 h->steps[id].back != BACK_DONE &&
					 h->steps[id].back != BACK_KEPT);
		switch (h->parts[p]) {
		case PART_ACTIVE:
		case PART_BACK:
			rules_fail(rules, "the end, h%zu is in flight", host);
		case PART_LOST:
		case PART_STUCK:
			unknown = true;
			break;
		case PART_FAILED:
			unknown = unknown || doubt;
			failed = true;
			break;
		case PART_REVERTED: /* where nothing was, nothing is */
			if (h->touched[p] || h->failed)
				reverted = true;
			else
				left = true;
			break;
		case PART_WAITS:
		case PART_UNREACHABLE:
		case PART_EXCLUDED:
			left = true;
			break;
		case PART_DONE:
			break;
		}
	}
	return unknown ? 8 : failed ? 6 : reverted ? 7 : left ? 9 : 0;
}

/* Who was away is owed, where nothing went back; and nothing else is. */
static void
rules_owed(const struct rules *rules, const struct gate_result *result)
{
	int owed = 0;

	for (size_t h = 0; h < rules->change->host_count; h++) {
		bool is = false;

		for (size_t p = 0; p < rules->plan->phase_count; p++)
			is = is || rules->hosts[h].parts[p] == PART_UNREACHABLE;
		owed += is && rules->plan->later_ms > 0 && !rules->back &&
			!rules->refused;
	}
	if (result->owed != owed)
		rules_fail(
		    rules, "%d are owed, should be %d", result->owed, owed);
	if ((owed > 0 && result->status == 9) !=
	    (strcmp(result->word, "owed") == 0))
		rules_fail(rules, "%d owed, it is %s", owed, result->word);
}

/* "reverted" is said where nothing that the change did stands. */
static void
rules_stands(const struct rules *rules, const struct gate_result *result)
{
	bool stands = false;

	for (size_t h = 0; h < rules->change->host_count; h++)
		for (size_t p = 0; p < rules->plan->phase_count; p++)
			stands =
			    stands || (rules->hosts[h].parts[p] == PART_DONE &&
					  rules_acted(rules, h, p));
	if ((strcmp(result->word, "reverted") == 0 && stands) ||
	    (strcmp(result->word, "reverted in part") == 0 && !stands))
		rules_fail(rules, "some %s, it is %s",
		    stands ? "stands" : "does not stand", result->word);
}

static void
rules_end(const struct rules *rules, const struct gate_result *result)
{
	int count[16] = {0}, status;

	for (size_t h = 0; h < rules->change->host_count; h++)
		count[rules_host_status(rules, h)]++;
	status = count[8] > 0	  ? 8
		 : count[6] > 0	  ? 6
		 : count[7] > 0	  ? 7
		 : rules->stopped ? 6
		 : count[9] > 0	  ? 9
				  : 0;
	if (!rules->ended)
		rules_fail(rules, "no end is recorded");
	if (result->status != status)
		rules_fail(rules, "status %d (%s), should be %d",
		    result->status, result->word, status);
	if (result->done + result->failed + result->reverted + result->unknown +
		result->left !=
	    (int)rules->change->host_count)
		rules_fail(rules, "the result forgets a host");
	rules_owed(rules, result);
	rules_stands(rules, result);
	/* a dead-man whose time is too short is trouble of the plan's own */
	if (rules->made->trouble == 0 && result->status != 0 &&
	    rules->went_back == 0)
		rules_fail(rules, "nothing went wrong, it is %s", result->word);
	for (size_t h = 0; rules->back && h < rules->change->host_count; h++)
		for (size_t p = 0; p < rules->plan->phase_count; p++) {
			enum part_is is = rules->hosts[h].parts[p];

			if (rules_goes_back(rules, h, p) &&
			    is != PART_REVERTED && is != PART_STUCK &&
			    is != PART_LOST && !rules_later_stands(rules, h, p))
				rules_fail(rules,
				    "the change went back, h%zu did not", h);
		}
}

#endif
