/* hoshu rehearse: how would the rollout go, where so many hosts fail? */
#include "rehearse/rehearse.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cmd/context.h"
#include "cmd/table.h"
#include "rehearse/copies.h"
#include "rehearse/stage_plan.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REHEARSE_HOSTS_MAX = 100000, REHEARSE_SEEDS_MAX = 100000 };

/* The rates that a person may give, in the order in which they are shown. */
static const struct {
	const char *name;
	size_t at; /* in struct sim_rates */
	const char *means;
	double usual; /* when none is given at all */
} rates_known[] = {
#define RATE(name, field, means, usual)                                        \
	{                                                                      \
		name, offsetof(struct sim_rates, field), means, usual          \
	}
    RATE("unreachable", unreachable, N_("never answer"), 1),
    RATE("drift", drift, N_("are not as previewed"), 0),
    RATE("fail", fail, N_("fail a step"), 1),
    RATE("hang", hang, N_("hang in a step"), 0),
    RATE("late", late, N_("are twenty times as slow in a step"), 0),
    RATE("lose", lose, N_("lose the connection in a step"), 1),
    RATE("reboot", reboot, N_("restart in a step"), 0),
    RATE("gone", gone, N_("die in a step, for good"), 0),
    RATE("check", after, N_("fail the checks after the change"), 0),
    RATE("soak", soak, N_("fail the checks some minutes later"), 0),
    RATE("cut", cut, N_("are locked by what is under a guard"), 0),
    RATE("stuck", stuck, N_("cannot be taken back"), 0),
#undef RATE
};

enum { RATES = sizeof(rates_known) / sizeof(rates_known[0]) };

struct rehearsing {
	struct context context;
	struct rehearse_options options;
	uint64_t seed;
	int seeds;
};

/* ---- what was given ---- */

static double *
rate_of(struct sim_rates *rates, size_t i)
{
	return (double *)((char *)rates + rates_known[i].at);
}

/* "2%" or "0.5%" */
static int
read_rate(const char *name, const char *text, double *rate, struct err *err)
{
	char *end;

	*rate = strtod(text, &end);
	if (end == text || strcmp(end, "%") != 0 || !(*rate >= 0) ||
	    *rate > 100 || strspn(text, "0123456789.") != (size_t)(end - text))
		return err_set(err, ERR_USAGE,
		    _("--%s %s: give a part of the hosts, like 2%% or 0.5%%"),
		    name, text);
	return 0;
}

static int
read_rates(
    const struct cmd_call *call, struct sim_rates *rates, struct err *err)
{
	bool any = false;
	int r;

	for (size_t i = 0; i < RATES; i++) {
		const char *text = cmd_given(call, rates_known[i].name);

		if (text == NULL)
			continue;
		any = true;
		r = read_rate(
		    rates_known[i].name, text, rate_of(rates, i), err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < RATES && !any; i++)
		*rate_of(rates, i) = rates_known[i].usual;
	return 0;
}

static int
read_number(const struct cmd_call *call, const char *name, int64_t most,
    int64_t *number, struct err *err)
{
	const char *text = cmd_given(call, name);

	if (text == NULL || text_int(text, 1, most, number))
		return 0;
	return err_set(err, ERR_USAGE,
	    _("--%s %s: give a number from 1 to %lld"), name, text,
	    (long long)most);
}

static int
read_time(
    const struct cmd_call *call, const char *name, int64_t *ms, struct err *err)
{
	const char *text = cmd_given(call, name);

	if (text == NULL || (text_duration(text, ms) && *ms > 0))
		return 0;
	return err_set(err, ERR_USAGE,
	    _("--%s %s: give a time, like 20s or 2m"), name, text);
}

static int
read_all(struct rehearsing *now, int64_t *hosts, struct err *err)
{
	const struct cmd_call *call = now->context.call;
	struct sim_times *times = &now->options.times;
	int64_t seed = 1, seeds = 0;
	int r;

	*times = (struct sim_times){.connect_ms = 400,
	    .round_ms = 50,
	    .step_ms = 10 * 1000,
	    .reboot_ms = 90 * 1000};
	if ((r = read_rates(call, &now->options.rates, err)) < 0 ||
	    (r = read_number(call, "hosts", REHEARSE_HOSTS_MAX, hosts, err)) <
		0 ||
	    (r = read_number(call, "seed", INT64_MAX / 2, &seed, err)) < 0 ||
	    (r = read_number(call, "seeds", REHEARSE_SEEDS_MAX, &seeds, err)) <
		0 ||
	    (r = read_time(call, "step", &times->step_ms, err)) < 0 ||
	    (r = read_time(call, "restart", &times->reboot_ms, err)) < 0)
		return r;
	now->seed = (uint64_t)seed;
	now->seeds = (int)seeds;
	return 0;
}

/* ---- the plan, and a fleet for it ---- */

static int
rehearse_prepare(struct rehearsing *now, struct err *err)
{
	struct context *context = &now->context;
	struct change *change;
	int64_t hosts = 0;
	bool *unprobed;
	int r;

	if ((r = read_all(now, &hosts, err)) < 0 ||
	    (r = context_plan(context, context->call->words[0], err)) < 0)
		return r;
	change = context->change;
	if (hosts > 0 && (r = copies_make(context->arena, change,
			      context->choices, (int)hosts, err)) < 0)
		return r;
	/* a thousand hosts take a moment each time */
	if (now->seeds == 0)
		now->seeds = change->host_count <= 200	  ? 100
			     : change->host_count <= 2000 ? 50
							  : 10;
	unprobed = arena_array(
	    context->arena, bool, (size_t)change->plan->last_id + 1);
	for (int id = 1; id <= change->plan->last_id; id++)
		unprobed[id] = change->plan->by_id[id]->blind;
	now->options.change = change;
	now->options.unprobed = unprobed;
	stage_plan(context->arena, change);
	return 0;
}

/* ---- for people ---- */

static void
print_assumed(const struct rehearsing *now)
{
	const struct change *change = now->context.change;
	struct sim_rates rates = now->options.rates;
	struct buf step = BUF_INIT;
	bool any = false;

	printf(
	    _("%s on %zu simulated hosts in %zu waves, at most %d in flight\n"),
	    change->title, change->host_count, change->wave_count,
	    change->in_flight);
	printf(_("assumed: of 100 hosts"));
	for (size_t i = 0; i < RATES; i++) {
		if (*rate_of(&rates, i) == 0)
			continue;
		printf("%s %g %s", any ? "," : "", *rate_of(&rates, i),
		    _(rates_known[i].means));
		any = true;
	}
	text_put_duration(&step, now->options.times.step_ms);
	if (!any)
		printf(_(" none fails"));
	printf(_("; a step takes about %s\n"), buf_str(&step));
	buf_free(&step);
}

static void
print_tick(void *arg, int done)
{
	const struct rehearsing *now = arg;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%d/%d%s", done, now->seeds,
		    done == now->seeds ? "\r\033[K" : "");
}

/* What the change would do if it were bad itself: the same for every seed. */
static int
rehearse_bad(
    struct rehearsing *now, bool later, struct rehearsal *out, struct err *err)
{
	struct rehearse_options bad = now->options;

	memset(&bad.rates, 0, sizeof(bad.rates));
	if (later)
		bad.rates.soak = 100;
	else
		bad.rates.after = 100;
	return rehearse_once(now->context.arena, &bad, now->seed, out, err);
}

static void
print_bad(
    const struct rehearsing *now, const char *what, const struct rehearsal *bad)
{
	const struct change *change = now->context.change;

	if (bad->stop_ms < 0)
		printf(_("%s: NOT STOPPED, %d of %zu hosts have it at the "
			 "end\n"),
		    what,
		    bad->result.done + bad->result.unknown + bad->result.failed,
		    change->host_count);
	else
		printf(_("%s: stopped when %d of %zu hosts had it; the end: "
			 "%s, %d reverted\n"),
		    what, bad->touched_at_stop, change->host_count,
		    _(bad->result.word), bad->result.reverted);
}

/* Words for what the numbers mean, where they call for any. */
static void
print_advice(const struct rehearsing *now, const struct rehearse_sum *sum,
    const struct rehearsal *later)
{
	const struct change *change = now->context.change;
	const struct plan *plan = change->plan;
	double unreachable =
	    now->options.rates.unreachable / 100 * (double)change->host_count;
	bool checks = false;

	for (size_t i = 0; i < plan->check_count; i++)
		checks = checks || (plan->checks[i].at & CHECK_SOAK) != 0;
	if (plan->check_count == 0)
		printf(_("* The plan has no checks: a change that breaks a "
			 "host without failing a step is not seen.\n"));
	else if (!checks)
		printf(_("* No check is for the soak (at: soak): what breaks "
			 "later is not seen.\n"));
	else if (later->stop_ms < 0 ||
		 later->touched_at_stop > (int)change->host_count / 2)
		printf(_("* What breaks some minutes later reaches most hosts "
			 "before it is seen: let the first waves be small and "
			 "soak longer.\n"));
	if (sum->stopped * 2 > sum->count && plan->unreachable.set &&
	    !plan->unreachable.percent &&
	    unreachable >= plan->unreachable.amount)
		printf(_("* About %.0f hosts are unreachable on an ordinary "
			 "day and limits: unreachable is %d, so most rollouts "
			 "stop: give it in percent.\n"),
		    unreachable, plan->unreachable.amount);
	if (sum->broken.worst > change->in_flight)
		printf(_("* At worst %lld hosts were broken at once, more than "
			 "the %d that are in flight: they failed in the soak, "
			 "after their wave was through.\n"),
		    (long long)sum->broken.worst, change->in_flight);
}

static int
rehearse_show(struct rehearsing *now, struct err *err)
{
	const struct change *change = now->context.change;
	struct rehearsal one, at_once, later;
	struct rehearse_sum sum;
	int r;

	print_assumed(now);
	r = rehearse_once(
	    now->context.arena, &now->options, now->seed, &one, err);
	if (r < 0)
		return r;
	printf(_("\nOne of them, seed %llu:\n"), (unsigned long long)now->seed);
	rehearse_print_timeline(stdout, change, &one);
	putchar('\n');
	if ((r = rehearse_many(&now->options, now->seed, now->seeds, print_tick,
		 now, &sum, err)) < 0 ||
	    (r = rehearse_bad(now, false, &at_once, err)) < 0 ||
	    (r = rehearse_bad(now, true, &later, err)) < 0)
		return r;
	rehearse_print_sum(stdout, change, &sum);
	printf(_("\nIf the change itself were bad:\n"));
	print_bad(now, _("  it breaks every host at once"), &at_once);
	print_bad(now, _("  it breaks every host within ten minutes"), &later);
	print_advice(now, &sum, &later);
	return 0;
}

/* ---- for programs ---- */

static int
rehearse_show_json(struct rehearsing *now, struct err *err)
{
	const struct change *change = now->context.change;
	struct arena *arena = now->context.arena;
	struct json *map = json_map(arena), *rates = json_map(arena);
	struct rehearsal one, at_once, later;
	struct rehearse_sum sum;
	struct buf text = BUF_INIT;
	int r;

	if ((r = rehearse_once(arena, &now->options, now->seed, &one, err)) <
		0 ||
	    (r = rehearse_many(&now->options, now->seed, now->seeds, NULL, NULL,
		 &sum, err)) < 0 ||
	    (r = rehearse_bad(now, false, &at_once, err)) < 0 ||
	    (r = rehearse_bad(now, true, &later, err)) < 0)
		return r;
	for (size_t i = 0; i < RATES; i++)
		json_put_text(arena, rates, rates_known[i].name,
		    arena_printf(
			arena, "%g%%", *rate_of(&now->options.rates, i)));
	json_put(arena, map, "assumed", rates);
	json_put_int(arena, map, "hosts", (int64_t)change->host_count);
	json_put_int(arena, map, "in_flight", change->in_flight);
	json_put_int(arena, map, "step_ms", now->options.times.step_ms);
	json_put_int(arena, map, "waves", (int64_t)change->wave_count);
	json_put(arena, map, "one", rehearse_json(arena, change, &one));
	json_put(arena, map, "all", rehearse_sum_json(arena, &sum));
	json_put(
	    arena, map, "bad_at_once", rehearse_json(arena, change, &at_once));
	json_put(arena, map, "bad_later", rehearse_json(arena, change, &later));
	json_write(&text, map);
	puts(buf_str(&text));
	buf_free(&text);
	return 0;
}

static int
rehearse_run(struct cmd_call *call, struct err *err)
{
	struct rehearsing now = {0};
	int r;

	if ((r = context_open(&now.context, call, err)) == 0 &&
	    (r = rehearse_prepare(&now, err)) == 0)
		r = call->json ? rehearse_show_json(&now, err)
			       : rehearse_show(&now, err);
	context_close(&now.context);
	return r;
}

const struct cmd cmd_rehearse = {
    .name = "rehearse",
    .args = "PLAN",
    .summary = N_("how would it go where so many hosts fail? (simulated)"),
    .text = N_("Rolls the plan out on a simulated fleet, with a clock that "
	       "jumps: its waves, limits\nand ways back as they are, the hosts "
	       "made up. Shows one rollout from its seed, then\nwhat many came "
	       "to: the usual and the worst. Touches no host and needs no "
	       "approval."),
    .examples = "  hoshu rehearse playbooks/motd.yml\n"
		"  hoshu rehearse playbooks/motd.yml --hosts 10000 --fail 2% "
		"--unreachable 1%\n",
    .options = {{"set", "NAME=VALUE", N_("a value for an input"), true},
	{"hosts", "N", N_("so many hosts, in the shape of the inventory"),
	    false},
	{"seed", "N", N_("the rollout to show (default 1)"), false},
	{"seeds", "N", N_("so many rollouts from there on"), false},
	{"step", "TIME", N_("what a step takes (default 10s)"), false},
	{"restart", "TIME", N_("what a restart takes (default 90s)"), false},
	{"unreachable", "PART", N_("of the hosts never answer"), false},
	{"drift", "PART", N_("are not as previewed"), false},
	{"fail", "PART", N_("fail a step"), false},
	{"hang", "PART", N_("hang in a step"), false},
	{"late", "PART", N_("are twenty times as slow in a step"), false},
	{"lose", "PART", N_("lose the connection in a step"), false},
	{"reboot", "PART", N_("restart in a step"), false},
	{"gone", "PART", N_("die in a step, for good"), false},
	{"check", "PART", N_("fail the checks after the change"), false},
	{"soak", "PART", N_("fail the checks some minutes later"), false},
	{"cut", "PART", N_("are locked by what is under a guard"), false},
	{"stuck", "PART", N_("cannot be taken back"), false}},
    .min_words = 1,
    .max_words = 1,
    .run = rehearse_run,
};
