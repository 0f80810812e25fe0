/*
 * Made-up plans and fleets for test_simulated.c, everything from one seed:
 * waves, percent, spread, limits, scopes of the way back, kept and stopped
 * steps, rollback steps, handlers, retries, phases, flushes, checks.
 */
#ifndef HOSHU_TEST_SIMULATED_PLAN_H
#define HOSHU_TEST_SIMULATED_PLAN_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "rehearse/stage.h"
#include "rehearse/stage_plan.h"
#include "rollout/waves.h"

enum { MADE_HOSTS = 40, MADE_STEPS = 120, MADE_PHASES = 3, MADE_PLACES = 3 };

struct made {
	uint64_t seed, random;
	int trouble; /* 0 = nothing goes wrong */
	struct arena *arena;
	const char *text; /* of the plan */
	struct plan *plan;
	struct change *change;
	struct stage_options options;
	bool away[MADE_HOSTS]; /* when it is previewed */
};

static uint64_t
made_random(struct made *made)
{
	uint64_t z = (made->random += 0x9e3779b97f4a7c15u); /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* 0 .. below - 1 */
static int
made_pick(struct made *made, int below)
{
	return (int)(made_random(made) % (uint64_t)below);
}

static bool
made_chance(struct made *made, int percent)
{
	return made_pick(made, 100) < percent;
}

static void
made_put_step(
    struct made *made, struct buf *out, const char *name, int handlers)
{
	buf_printf(out, "  - name: s%s\n    run: [a]\n", name);
	if (handlers > 0 && made_chance(made, 60))
		buf_printf(
		    out, "    notify: h%d\n", 1 + made_pick(made, handlers));
	if (made_chance(made, 30))
		buf_printf(out, "    retry: { times: %d, every: %ds }\n",
		    1 + made_pick(made, 2), 1 + made_pick(made, 5));
	if (made_chance(made, 50))
		buf_printf(out, "    timeout: %ds\n", 20 + made_pick(made, 60));
	if (made_chance(made, 20))
		buf_puts(out, "    when: facts.some\n");
	switch (made_pick(made, 9)) {
	case 0:
		buf_puts(out, "    rollback: keep\n    because: r\n");
		break;
	case 1:
		buf_puts(out, "    rollback: stop\n    because: r\n");
		break;
	case 2:
		buf_printf(out,
		    "    rollback: [{ name: b%s, run: [b] }]\n"
		    "    because: r\n",
		    name);
		break;
	case 3:
		buf_printf(out,
		    "    rollback: [{ name: b%s, run: [b] }, "
		    "{ name: c%s, run: [c] }]\n    because: r\n",
		    name, name);
		break;
	}
}

/* The host has to know their way back: none of another kind, and none that its
 * module cannot tell about. */
static void
made_put_guard(
    struct made *made, struct buf *out, const char *name, int handlers)
{
	int steps = 1 + made_pick(made, 3);

	buf_printf(out, "  - guard: %ds\n", 10 + made_pick(made, 120));
	if (made_chance(made, 20))
		buf_puts(out, "    when: facts.some\n");
	buf_puts(out, "    steps:\n");
	for (int i = 1; i <= steps; i++) {
		buf_printf(
		    out, "      - name: g%s%d\n        run: [a]\n", name, i);
		if (handlers > 0 && made_chance(made, 60))
			buf_printf(out, "        notify: h%d\n",
			    1 + made_pick(made, handlers));
		if (made_chance(made, 50))
			buf_printf(out, "        timeout: %ds\n",
			    20 + made_pick(made, 60));
		if (made_chance(made, 20))
			buf_puts(out, "        when: facts.some\n");
	}
}

static void
made_put_waves(struct made *made, struct buf *out)
{
	int waves = made_pick(made, 4), percent = 0;

	buf_puts(out, "waves:\n");
	for (int i = 0; i <= waves; i++) {
		if (i == waves)
			buf_puts(out, "  - { hosts: rest");
		else if (percent < 75 && made_chance(made, 30)) {
			buf_puts(out, "  - { hosts: 25%");
			percent += 25;
		} else
			buf_printf(
			    out, "  - { hosts: %d", 1 + made_pick(made, 4));
		if (made_chance(made, 60))
			buf_printf(
			    out, ", at_once: %d", 1 + made_pick(made, 5));
		if (made_chance(made, 50))
			buf_printf(
			    out, ", soak: %ds", 1 + made_pick(made, 900));
		buf_puts(out, " }\n");
	}
}

static void
made_put_steps(struct made *made, struct buf *out, int phase, int handlers)
{
	int steps = 1 + made_pick(made, 4);

	buf_puts(out, "steps:\n");
	for (int i = 1; i <= steps; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d%d", phase, i);
		if (made_chance(made, 12))
			made_put_guard(made, out, name, handlers);
		else
			made_put_step(made, out, name, handlers);
		if (handlers > 0 && i < steps && made_chance(made, 15))
			buf_puts(out, "  - flush: true\n");
	}
}

static void
made_put_checks(struct made *made, struct buf *out)
{
	static const char *const at[] = {"", ", at: before", ", at: after",
	    ", at: [after, soak]", ", at: [before, after]"};
	int checks = made_pick(made, 3);

	if (checks > 0)
		buf_puts(out, "checks:\n");
	for (int i = 0; i < checks; i++) {
		buf_printf(out, "  - { name: k%d, command: [c]%s", i,
		    at[made_pick(made, 5)]);
		if (made_chance(made, 50))
			buf_printf(out, ", within: %ds, every: %ds",
			    10 + made_pick(made, 30), 1 + made_pick(made, 9));
		buf_puts(out, " }\n");
	}
}

static void
made_put_rules(struct made *made, struct buf *out)
{
	static const char *const limits[] = {
	    "failed", "unreachable", "excluded", "unreverted"};
	static const char *const scopes[] = {
	    "host", "host", "wave", "change", "change", "hold"};
	bool any = false, stops = false;

	for (int i = 0; i < 4; i++) {
		if (made_chance(made, i < 3 ? 30 : 70))
			continue;
		buf_printf(out, "%s%s: %d%s", any ? ", " : "limits: { ",
		    limits[i], 1 + made_pick(made, 6),
		    made_chance(made, 30) ? "0%" : "");
		any = true;
		stops = stops || i < 3;
	}
	if (any)
		buf_puts(out, " }\n");
	buf_printf(
	    out, "rollback: { host_failed: %s", scopes[made_pick(made, 6)]);
	if (stops)
		buf_printf(out, ", limit: %s", scopes[made_pick(made, 6)]);
	buf_puts(out, " }\n");
	if (made_chance(made, 40))
		buf_printf(
		    out, "spread: { rack: %d }\n", 1 + made_pick(made, 2));
}

static void
made_put_ask(struct made *made, struct buf *out, const char *margin)
{
	buf_printf(out, "%sask: { say: sure?, within: %ds }\n", margin,
	    1 + made_pick(made, 600));
}

/* One phase of a plan with phases: the lines of a plain plan, moved in. */
static void
made_put_phase(struct made *made, struct buf *out, int phase, int handlers)
{
	struct buf inner = BUF_INIT;
	char *line, *at;

	if (made_chance(made, 80))
		made_put_waves(made, &inner);
	made_put_steps(made, &inner, phase, handlers);
	buf_printf(out, "  - name: p%d\n", phase);
	if (made_chance(made, 35))
		made_put_ask(made, out, "    ");
	for (at = (char *)buf_str(&inner); (line = strsep(&at, "\n")) != NULL;)
		if (line[0] != '\0')
			buf_printf(out, "    %s\n", line);
	buf_free(&inner);
}

static void
made_put_plan(struct made *made, struct buf *out)
{
	int handlers = made_pick(made, 3);
	int phases = made_chance(made, 35) ? 2 + made_pick(made, 2) : 0;
	struct buf work = BUF_INIT;
	bool emergency = false;

	buf_puts(out, "change: t\nreason: t\ntargets: all\n");
	if (made_chance(made, 25))
		emergency = true;
	made_put_rules(made, out);
	made_put_checks(made, out);
	if (phases == 0) {
		if (made_chance(made, 15))
			made_put_ask(made, &work, "");
		made_put_waves(made, &work);
		made_put_steps(made, &work, 1, handlers);
	} else {
		buf_puts(&work, "phases:\n");
	}
	for (int p = 1; p <= phases; p++)
		made_put_phase(made, &work, p, handlers);
	if (emergency) /* a guard needs its preview */
		buf_printf(out, "risk: emergency\nlater: 7d\n%s",
		    strstr(buf_str(&work), "guard: ") == NULL
			? "unpreviewed: allow\n"
			: "");
	if (handlers > 0 && strstr(buf_str(&work), "notify: ") != NULL)
		buf_puts(out, "handlers:\n");
	for (int i = 1; i <= handlers; i++) {
		char notify[16];

		snprintf(notify, sizeof(notify), "notify: h%d", i);
		if (strstr(buf_str(&work), notify) != NULL)
			buf_printf(out, "  h%d: { run: [h] }\n", i);
	}
	buf_puts(out, buf_str(&work));
	buf_free(&work);
}

static void
made_plan_read(struct made *made)
{
	struct err err = ERR_INIT;

	if (plan_read(made->arena, "made.yml", made->text, strlen(made->text),
		&made->plan, &err) < 0)
		fail_msg("%s (seed %llu)\n%s", err.text,
		    (unsigned long long)made->seed, made->text);
	assert_true(made->plan->last_act < MADE_STEPS);
}

static void
made_plan(struct made *made)
{
	struct buf out = BUF_INIT;

	made_put_plan(made, &out);
	made->text = arena_strdup(made->arena, buf_str(&out));
	buf_free(&out);
	made_plan_read(made);
}

static void
made_asks(struct made *made)
{
	struct change_ask *asks = arena_array(
	    made->arena, struct change_ask, made->plan->phase_count);

	for (size_t p = 0; p < made->plan->phase_count; p++)
		asks[p] = (struct change_ask){.role = "", .say = "sure?"};
	made->change->asks = asks;
}

static void
made_hosts(struct made *made, int count)
{
	struct change *change = made->change;
	int kinds = 1 + made_pick(made, 5);

	change->host_count = (size_t)count;
	change->hosts =
	    arena_array(made->arena, struct change_host, change->host_count);
	for (size_t i = 0; i < change->host_count; i++) {
		struct change_host *host = &change->hosts[i];

		host->name = arena_printf(made->arena, "h%zu", i);
		host->groups = json_list(made->arena);
		host->vars = json_map(made->arena);
		host->become = "none";
		json_put_text(made->arena, host->vars, "rack",
		    arena_printf(made->arena, "r%d", made_pick(made, kinds)));
	}
}

/* Each phase takes some of the hosts; every host takes part in one. */
static void
made_waves(struct made *made)
{
	struct change *change = made->change;
	struct waves_choice choices[MADE_PHASES];
	const bool *none[16] = {NULL};
	struct err err = ERR_INIT;

	for (size_t p = 0; p < made->plan->phase_count; p++) {
		bool all = p == 0 || made_chance(made, 50);
		bool *in =
		    arena_array(made->arena, bool, change->host_count + 1);

		for (size_t h = 0; h < change->host_count; h++)
			in[h] = all || made_chance(made, 70);
		in[0] = true;
		choices[p] = (struct waves_choice){in, none, NULL};
	}
	if (waves_assign(made->arena, change, choices, &err) < 0)
		fail_msg("%s", err.text);
	change->in_flight = waves_bound(change);
}

static double
made_rate(struct made *made, int most)
{
	if (made->trouble == 0 || made_chance(made, 50))
		return 0;
	return (double)(made_pick(made, most * 10) * made->trouble) / 30;
}

static void
made_trouble(struct made *made)
{
	struct stage_options *o = &made->options;

	o->rates = (struct sim_rates){
	    .unreachable = made_rate(made, 15),
	    .fail = made_rate(made, 40),
	    .hang = made_rate(made, 20),
	    .reboot = made_rate(made, 20),
	    .gone = made_rate(made, 10),
	    .lose = made_rate(made, 40),
	    .late = made_rate(made, 30),
	    .drift = made_rate(made, 10),
	    .before = made_rate(made, 10),
	    .after = made_rate(made, 20),
	    .soak = made_rate(made, 20),
	    .stuck = made_rate(made, 10),
	    .others = made_rate(made, 15),
	    .flaky = made_rate(made, 20),
	    .probe = made_rate(made, 8),
	    .disk = made_rate(made, 5),
	    .cut = made_rate(made, 60),
	    .again = made_chance(made, 60) ? 80 : 0,
	};
	o->times = (struct sim_times){
	    .connect_ms = 300,
	    .round_ms = 40,
	    .step_ms = 1000 + made_pick(made, 9000),
	    .reboot_ms = 5000 + made_pick(made, 20000),
	    .warm_ms = made->trouble > 0 && made_chance(made, 20) ? 4000 : 0,
	};
	o->met = made_chance(made, 50) ? 20 : 0;
	o->skip = 30;
	o->commit_ms = 1 + made_pick(made, 20);
}

/* Persons: most say yes in time, some no, late, or nothing; of the seed, not of
 * when they are asked. Where nothing goes wrong nobody says no. */
static bool
made_answer(
    const struct made *made, int phase, int times, bool *yes, int64_t *after_ms)
{
	struct made own = {.random = made->seed * 64 + (uint64_t)phase * 8 +
				     (uint64_t)times % 8};
	int64_t within_ms = made->plan->phases[phase - 1].ask->within_ms;
	int pick = made_pick(&own, 100);

	*yes = made->trouble == 0 || pick >= 8 || times > 3;
	*after_ms = made_pick(&own, (int)within_ms);
	if (times > 3 || pick < 8)
		return true;
	if (pick < 20) /* when it holds, or the next run asks again */
		*after_ms += within_ms;
	return pick >= 28;
}

/* All but the plan and the trouble. */
static void
made_change(struct made *made, int hosts)
{
	struct change *change = arena_new_of(made->arena, struct change);

	made->change = change;
	change->number = 1;
	change->digest = "made";
	change->title = "t";
	change->plan = made->plan;
	change->inputs = json_map(made->arena);
	change->files = json_list(made->arena);
	change->blobs = blobs_new(made->arena, NULL);
	made_asks(made);
	made_hosts(made, hosts);
	made_waves(made);
	stage_plan(made->arena, change);
	made->options.change = change;
	made->options.seed = made->seed;
	made->options.keep = true;
}

static void
made_begin(struct made *made, uint64_t seed)
{
	memset(made, 0, sizeof(*made));
	made->seed = seed;
	made->random = seed;
	made->arena = arena_new();
}

static void
made_make(struct made *made, uint64_t seed)
{
	bool *unprobed;

	made_begin(made, seed);
	made->trouble = made_pick(made, 4);
	made_plan(made);
	made_change(
	    made, 1 + made_pick(made, made_chance(made, 15) ? MADE_HOSTS : 8));
	made_trouble(made);
	for (size_t h = 0; h < made->change->host_count; h++)
		made->away[h] =
		    made->plan->unpreviewed && made_chance(made, 20);
	unprobed = arena_array(made->arena, bool, MADE_STEPS);
	for (int id = 1; id <= made->plan->last_id; id++)
		unprobed[id] = made->plan->by_id[id]->guard == NULL &&
			       !made->plan->by_id[id]->handler &&
			       made_chance(made, 8);
	made->options.unprobed = unprobed;
	made->options.prints = seed % 3 == 0;
}

/* ---- plans that a fault was found with: tests/bugs/NNN-*.yml ---- */

/* "# simulate: hosts=3 seeds=60 fail=100" */
static double
made_said(const struct made *made, const char *name)
{
	const char *line = strstr(made->text, "# simulate:"), *at;
	char key[32];

	snprintf(key, sizeof(key), " %s=", name);
	at = line != NULL ? strstr(line, key) : NULL;
	if (at == NULL || memchr(line, '\n', (size_t)(at - line)) != NULL)
		return 0;
	return strtod(at + strlen(key), NULL);
}

static void
made_read(struct made *made, uint64_t seed, const char *file)
{
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	made_begin(made, seed);
	made->trouble = 1;
	if (file_read(file, 1 << 20, &text, &err) < 0)
		fail_msg("%s", err.text);
	made->text = arena_strdup(made->arena, buf_str(&text));
	buf_free(&text);
	made_plan_read(made);
	made_change(made, (int)made_said(made, "hosts"));
	made->options.times = (struct sim_times){300, 40, 3000, 20000, 0};
	made->options.rates.fail = made_said(made, "fail");
	made->options.rates.hang = made_said(made, "hang");
	made->options.rates.again = made_said(made, "again");
	made->options.rates.reboot = made_said(made, "reboot");
	made->options.rates.cut = made_said(made, "cut");
	made->options.rates.gone = made_said(made, "gone");
	made->options.rates.probe = made_said(made, "probe");
	made->options.met = made_said(made, "met");
	made->options.commit_ms = 3;
	made->options.unprobed = arena_array(made->arena, bool, MADE_STEPS);
}

#endif
