/*
 * Checks while a wave soaks: on every host of it that is done, round after
 * round, until nobody's last word is missing.
 */
#include "rollout/inside.h"

static void run_soak_host(struct host_run *host);

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

bool
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

void
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

void
run_soak_checks(struct run *run, int wave)
{
	const struct change_wave *w = &run->o.change->waves[wave - 1];
	bool any = run_has_soak_checks(run, w);

	run->soaking = any ? wave : 0;
	for (size_t i = 0; any && i < w->count; i++)
		run_soak_host(&run->hosts[w->parts[i]]);
}
