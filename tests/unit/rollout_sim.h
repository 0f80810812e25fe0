/*
 * A simulated fleet: made-up plans and hosts, everything from one seed. What a
 * host really is stands here (the world), apart from what was recorded of it,
 * so that a record can be held against the truth.
 */
#ifndef HOSHU_TEST_ROLLOUT_SIM_H
#define HOSHU_TEST_ROLLOUT_SIM_H

#include "rollout_place.h"

#include "rollout/judge.h"

enum { SIM_HOSTS = 40, SIM_IDS = 24 };

/* What became of a launched script, whoever knows. */
enum sim_truth {
	SIM_NEVER, /* the connection went before it was claimed */
	SIM_OK,
	SIM_FAILS,
	SIM_KILLED,    /* at its deadline */
	SIM_OTHERLIFE, /* the host restarted in the middle */
};

struct sim_step {
	char
	    first; /* what its probe saw before the change: 'b', or 'a' = met */
	char world; /* what it would see now; 'h' half, 'x' somebody else's */
	bool ran;   /* an apply of ours really ran */
	bool skip;
	bool unprobed; /* its module has no probe */
	bool without_undo;
	bool touched_by_others;
	char loaded[SIM_IDS]; /* of a handler: the worlds it was last run for */
};

struct sim_host {
	struct host_now now;
	bool dead; /* answers no more */
	int flaky; /* percent of connects that fail */
	int connects;
	bool launched;	      /* its answer is to come */
	enum sim_truth truth; /* of the open ticket */
	int open;	      /* step with an open ticket; 0 = none */
	int unasked;	      /* the same, while it is given up */
	bool ever_failed, ever_unreachable, ever_excluded;
	struct sim_step steps[SIM_IDS];
};

struct sim_record {
	enum record_kind kind;
	int host, step;
	int64_t wall_ms, epoch;
	const char *body;
};

struct sim {
	uint64_t seed, random;
	int trouble; /* 0 = nothing fails, nothing is lost */
	struct arena *arena;
	const char *text; /* of the plan */
	struct plan *plan;
	struct change *change;
	struct change_fold fold;
	struct sim_host hosts[SIM_HOSTS];
	int64_t now_ms;
	int bound; /* in flight */
	int64_t epoch;
	int holds; /* the way back has paused so often */
	bool limit_seen, back_seen;
	enum back_scope scope; /* of the change going back */
	struct sim_record *log;
	size_t count, cap;
	bool trace;
};

static uint64_t
sim_random(struct sim *sim)
{
	uint64_t z = (sim->random += 0x9e3779b97f4a7c15u); /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* 0 .. below - 1 */
static int
sim_pick(struct sim *sim, int below)
{
	return (int)(sim_random(sim) % (uint64_t)below);
}

static bool
sim_chance(struct sim *sim, int percent)
{
	return sim_pick(sim, 100) < percent;
}

/* Something bad: never without trouble, often with much of it. */
static bool
sim_bad(struct sim *sim, int percent)
{
	return sim->trouble > 0 && sim_pick(sim, 200) < percent * sim->trouble;
}

static void
sim_say(const struct sim *sim, const struct sim_record *record)
{
	print_message("# %s%s%s", record_kind_word(record->kind),
	    record->host >= 0 ? " " : "",
	    record->host >= 0 ? sim->change->hosts[record->host].name : "");
	if (record->step > 0)
		print_message(" %d", record->step);
	print_message(" at=%lld %s\n", (long long)record->wall_ms,
	    record->body[2] != '\0' ? record->body : "");
}

/* Ends the test: why, the plan, the last records, and how to see them all. */
static void __attribute__((format(printf, 2, 3), noreturn))
sim_fail(const struct sim *sim, const char *fmt, ...)
{
	size_t from = sim->count > 40 && !sim->trace ? sim->count - 40 : 0;
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	print_message("# the plan:\n%s", sim->text);
	for (size_t i = from; i < sim->count; i++)
		sim_say(sim, &sim->log[i]);
	fail_msg("%s (replay: SEED=%llu build/MODE/unit/test_rollout)", why,
	    (unsigned long long)sim->seed);
	abort();
}

/* ---- plans ---- */

static void
sim_put_step(struct sim *sim, struct buf *out, int number, int handlers)
{
	buf_printf(out, "  - name: s%d\n    run: [a]\n", number);
	if (handlers > 0 && (number <= handlers || sim_chance(sim, 50)))
		buf_printf(out, "    notify: h%d\n",
		    number <= handlers ? number : 1 + sim_pick(sim, handlers));
	if (sim_chance(sim, 30))
		buf_printf(out, "    retry: { times: %d, every: 1s }\n",
		    1 + sim_pick(sim, 2));
	switch (sim_pick(sim, 8)) {
	case 0:
		buf_puts(out, "    rollback: keep\n    because: r\n");
		break;
	case 1:
		buf_puts(out, "    rollback: stop\n    because: r\n");
		break;
	case 2:
		buf_printf(out,
		    "    rollback: [{ name: b%d, run: [b] }]\n"
		    "    because: r\n",
		    number);
		break;
	case 3:
		buf_printf(out,
		    "    rollback: [{ name: b%d, run: [b] }, "
		    "{ name: c%d, run: [c] }]\n    because: r\n",
		    number, number);
		break;
	}
}

static void
sim_put_waves(struct sim *sim, struct buf *out)
{
	int waves = sim_pick(sim, 5), percent = 0;

	buf_puts(out, "waves:\n");
	for (int i = 0; i <= waves; i++) {
		if (i == waves)
			buf_puts(out, "  - { hosts: rest");
		else if (percent < 75 && sim_chance(sim, 30)) {
			buf_puts(out, "  - { hosts: 25%");
			percent += 25;
		} else
			buf_printf(
			    out, "  - { hosts: %d", 1 + sim_pick(sim, 4));
		if (sim_chance(sim, 60))
			buf_printf(out, ", at_once: %d", 1 + sim_pick(sim, 5));
		if (sim_chance(sim, 50))
			buf_printf(out, ", soak: %ds", 1 + sim_pick(sim, 20));
		buf_puts(out, " }\n");
	}
}

static void
sim_put_rules(struct sim *sim, struct buf *out)
{
	static const char *const limits[] = {
	    "failed", "unreachable", "excluded"};
	static const char *const scopes[] = {
	    "host", "host", "wave", "change", "change", "hold"};
	bool any = false;

	for (int i = 0; i < 3; i++) {
		if (sim_chance(sim, 30))
			continue;
		buf_printf(out, "%s%s: %d%s", any ? ", " : "limits: { ",
		    limits[i], 1 + sim_pick(sim, 6),
		    sim_chance(sim, 30) ? "0%" : "");
		any = true;
	}
	if (any)
		buf_puts(out, " }\n");
	buf_printf(
	    out, "rollback: { host_failed: %s", scopes[sim_pick(sim, 6)]);
	if (any)
		buf_printf(out, ", limit: %s", scopes[sim_pick(sim, 6)]);
	buf_puts(out, " }\n");
	if (sim_chance(sim, 40))
		buf_printf(out, "spread: { rack: %d }\n", 1 + sim_pick(sim, 2));
}

static void
sim_make_plan(struct sim *sim)
{
	int steps = 1 + sim_pick(sim, 4), handlers = sim_pick(sim, 3);
	struct buf out = BUF_INIT;

	if (handlers > steps)
		handlers = steps;
	buf_puts(&out, "change: t\nreason: t\ntargets: all\n");
	sim_put_waves(sim, &out);
	sim_put_rules(sim, &out);
	if (handlers > 0)
		buf_puts(&out, "handlers:\n");
	for (int i = 1; i <= handlers; i++)
		buf_printf(&out, "  h%d: { run: [h] }\n", i);
	buf_puts(&out, "steps:\n");
	for (int i = 1; i <= steps; i++)
		sim_put_step(sim, &out, i, handlers);
	sim->text = arena_strdup(sim->arena, buf_str(&out));
	buf_free(&out);
	sim->plan = place_plan(sim->arena, sim->text);
	assert_true(sim->plan->last_id < SIM_IDS);
}

/* ---- hosts ---- */

/* The worlds that a handler acts for. */
static void
sim_load(struct sim *sim, struct sim_host *host, int handler)
{
	for (int id = 1; id <= sim->plan->last_id; id++)
		host->steps[handler].loaded[id] = host->steps[id].world;
}

static bool
sim_notifies(const struct step *step, int handler)
{
	for (size_t i = 0; i < step->notify_count; i++)
		if (step->notify[i] == handler)
			return true;
	return false;
}

static bool
sim_is_loaded(const struct sim *sim, const struct sim_host *host, int handler)
{
	for (int id = 1; id <= sim->plan->last_id; id++)
		if (sim_notifies(sim->plan->by_id[id], handler) &&
		    host->steps[handler].loaded[id] != host->steps[id].world)
			return false;
	return true;
}

static void
sim_make_host(struct sim *sim, struct sim_host *host)
{
	host->dead = sim_bad(sim, 4);
	host->flaky = sim_bad(sim, 10) ? 50 : 0;
	for (int id = 1; id <= sim->plan->last_id; id++) {
		struct sim_step *step = &host->steps[id];
		const struct step *planned = sim->plan->by_id[id];
		bool forward = !planned->handler && !planned->of_rollback;

		step->first = 'b';
		step->skip = forward && sim_chance(sim, 5);
		step->unprobed = !planned->handler && sim_chance(sim, 5);
		if (forward && !step->unprobed && sim_chance(sim, 20))
			step->first = 'a';
		step->without_undo = sim_bad(sim, 2);
		step->world = step->first;
	}
	for (int id = 1; id <= sim->plan->last_id; id++)
		if (sim->plan->by_id[id]->handler)
			sim_load(sim, host, id);
}

static void
sim_make(struct sim *sim, uint64_t seed)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN";
	char racks[SIM_HOSTS + 1] = "", names[SIM_HOSTS + 1];
	int hosts, kinds;

	memset(sim, 0, sizeof(*sim));
	sim->seed = sim->random = seed;
	sim->arena = arena_new();
	sim->trouble = sim_pick(sim, 4);
	sim_make_plan(sim);
	hosts = 1 + sim_pick(sim, sim_chance(sim, 15) ? SIM_HOSTS : 8);
	kinds = 1 + sim_pick(sim, 5);
	snprintf(names, sizeof(names), "%.*s", hosts, letters);
	for (int i = 0; i < hosts; i++)
		racks[i] = (char)('p' + sim_pick(sim, kinds));
	sim->change = place_change(sim->arena, sim->plan, names, racks);
	place_fold(sim->arena, sim->change, &sim->fold);
	sim->bound = waves_bound(sim->change);
	for (int i = 0; i < hosts; i++)
		sim_make_host(sim, &sim->hosts[i]);
}

#endif
