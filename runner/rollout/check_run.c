/*
 * Checks of one host, one after the other, with within, every and for: pass,
 * or the text of the first that does not.
 */
#include "rollout/inside.h"
#include "base/i18n.h"
#include "base/text.h"
#include "change/expand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check_run {
	LIST_ENTRY(check_run) next; /* of run->checks */
	struct host_run *host;
	enum check_when when;
	checks_done *done;
	size_t at;	   /* index of the check in hand */
	int64_t began_ms;  /* loop time of its first try */
	int64_t passed_ms; /* loop time of the first pass in a row; 0 = none */
	struct loop_timer *timer;
	struct arena *arena;
	struct json *spec; /* evaluated */
	int waiting;	   /* jobs under way that will come back */
	bool waits;	   /* for its round of the soak to begin */
	bool trouble;	   /* the last try of the check in hand did not pass */
	bool cancelled;
	char text[600];
};

static void check_try(void *arg);
static void check_begin(struct check_run *checks);

static const struct check *
check_now(const struct check_run *checks)
{
	const struct plan *plan = checks->host->run->o.change->plan;

	return checks->at < plan->check_count ? &plan->checks[checks->at]
					      : NULL;
}

static void
check_free(struct check_run *checks)
{
	LIST_REMOVE(checks, next);
	if (checks->timer != NULL)
		loop_timer_stop(checks->timer);
	arena_free(checks->arena);
	free(checks);
}

void
checks_free_all(struct run *run)
{
	while (!LIST_EMPTY(&run->checks))
		check_free(LIST_FIRST(&run->checks));
}

void
checks_cancel(struct check_run *checks)
{
	if (checks == NULL)
		return;
	checks->cancelled = true;
	if (checks->waiting == 0)
		check_free(checks);
}

static void
check_end(struct check_run *checks, enum check_result result)
{
	char text[sizeof(checks->text)];

	memcpy(text, checks->text, sizeof(text));
	checks->done(checks->host, result, text);
	check_free(checks);
}

static void
check_record(struct check_run *checks, const char *result, const char *text)
{
	const struct check *check = check_now(checks);
	struct json *body = json_map(checks->arena);

	json_put_text(checks->arena, body, "name", check->name);
	json_put_text(checks->arena, body, "when",
	    host_going_back(checks->host)  ? "back"
	    : checks->when == CHECK_BEFORE ? "before"
	    : checks->when == CHECK_AFTER  ? "after"
					   : "soak");
	json_put_text(checks->arena, body, "result", result);
	json_put_text(checks->arena, body, "text", text);
	json_put_int(checks->arena, body, "wave", checks->host->fold->wave);
	run_record(checks->host->run, checks->host, RECORD_CHECK, check->id, 0,
	    NULL, body, NULL, NULL);
}

/* After every:, or sooner where no more time than that is left. */
static void
check_again(struct check_run *checks, int64_t left_ms)
{
	int64_t every_ms = check_now(checks)->every_ms;

	checks->timer = loop_timer_start(checks->host->run->o.loop,
	    left_ms < every_ms ? left_ms : every_ms, check_try, checks);
}

static void
check_next(struct check_run *checks)
{
	checks->at++;
	check_begin(checks);
}

/* A try is over: pass on, try again, or give up. */
static void
check_tried(
    struct check_run *checks, enum check_result result, const char *text)
{
	static const char *const words[] = {
	    N_("pass"), N_("fail"), N_("inconclusive")};
	const struct check *check = check_now(checks);
	int64_t now_ms = loop_now_ms(checks->host->run->o.loop), left_ms;

	if (result == CHECK_PASS) {
		if (checks->passed_ms == 0)
			checks->passed_ms = now_ms;
		left_ms = checks->passed_ms + check->for_ms - now_ms;
		if (left_ms <= 0) {
			/* soaking says it once, when it fails, or when it
			 * was asked again */
			if (checks->when != CHECK_SOAK ||
			    checks->host->fold->asking)
				check_record(checks, words[result], text);
			check_next(checks);
			return;
		}
		check_again(checks, left_ms);
		return;
	}
	checks->passed_ms = 0;
	checks->trouble = true;
	left_ms = checks->began_ms + check->within_ms - now_ms;
	if (left_ms > 0) {
		check_again(checks, left_ms);
		return;
	}
	check_record(checks, words[result], text);
	snprintf(checks->text, sizeof(checks->text),
	    _("check \"%s\": %s: %.400s"), check->name, words[result], text);
	check_end(checks, result);
}

/* The connection went while a check was under way: the host (or, in a soak,
 * the run) connects again and the checks start over. */
static bool
check_lost(struct check_run *checks, const struct answer *answer)
{
	struct host_run *host = checks->host;

	if (answer->kind != ANSWER_FAILED ||
	    strcmp(answer->why, "connection") != 0)
		return false;
	host->checks = NULL;
	if (checks->when == CHECK_SOAK) {
		if (host->now.connected)
			fleet_disconnect(host->run->o.fleet, host->index);
		host->now.connected = false;
		run_soak_on(host);
	} else {
		host_lost_connection(host, answer);
	}
	check_free(checks);
	return true;
}

static void
check_answered(void *arg, const struct answer *answer)
{
	struct check_run *checks = arg;

	checks->waiting--;
	if (checks->cancelled) {
		check_free(checks);
		return;
	}
	if (check_lost(checks, answer))
		return;
	if (answer->kind == ANSWER_CHECKED)
		check_tried(checks, answer->check, answer->text);
	else
		check_tried(checks, CHECK_INCONCLUSIVE, answer->text);
}

static void
check_try(void *arg)
{
	struct check_run *checks = arg;
	struct host_run *host = checks->host;
	const struct check *check = check_now(checks);
	struct buf spec = BUF_INIT;

	checks->timer = NULL;
	json_write(&spec, checks->spec);
	checks->waiting++;
	fleet_check(host->run->o.fleet, host->index,
	    plan_check_kind_name(check->kind), buf_bytes(&spec),
	    check->timeout_ms, check_answered, checks);
	buf_free(&spec);
}

static void
check_valued(void *arg, const struct answer *answer)
{
	struct check_run *checks = arg;
	struct err err = ERR_INIT;

	checks->waiting--;
	if (checks->cancelled) {
		check_free(checks);
		return;
	}
	if (answer->kind != ANSWER_VALUE) {
		check_tried(checks, CHECK_INCONCLUSIVE, answer->text);
		return;
	}
	if (expand_values(checks->arena, check_now(checks)->spec, answer->json,
		&checks->spec, &err) < 0) {
		check_tried(checks, CHECK_INCONCLUSIVE, err.text);
		return;
	}
	check_try(checks);
}

/* Begin the next check that is due at this time, or end well. */
static void
check_begin(struct check_run *checks)
{
	struct host_run *host = checks->host;
	struct run *run = host->run;
	struct buf texts = BUF_INIT, data = BUF_INIT;
	const struct check *check;

	while ((check = check_now(checks)) != NULL &&
	       ((check->at & (int)checks->when) == 0 ||
		   (check->phase >= 0 && check->phase != host->fold->phase)))
		checks->at++;
	if (check == NULL) {
		checks->text[0] = '\0';
		check_end(checks, CHECK_PASS);
		return;
	}
	checks->began_ms = loop_now_ms(run->o.loop);
	checks->passed_ms = 0;
	checks->trouble = false;
	expand_texts(checks->arena, check->spec, &texts);
	change_data(&data, run->o.change, host->host, facts_of(host),
	    facts_vars(host), NULL, NULL, NULL, bytes_of(""));
	checks->waiting++;
	fleet_eval(run->o.fleet, buf_bytes(&texts), buf_bytes(&data), 10000,
	    check_valued, checks);
	buf_free(&texts);
	buf_free(&data);
}

static void
check_start(void *arg)
{
	struct check_run *checks = arg;

	checks->timer = NULL;
	checks->waits = false;
	check_begin(checks);
}

bool
checks_in_trouble(const struct check_run *checks)
{
	return checks != NULL && checks->trouble;
}

void
checks_begin_now(struct check_run *checks)
{
	if (checks == NULL || !checks->waits)
		return;
	loop_timer_stop(checks->timer);
	check_start(checks);
}

struct check_run *
checks_start(struct host_run *host, enum check_when when, checks_done *done)
{
	const struct plan *plan = host->run->o.change->plan;
	struct check_run *checks = xcalloc(1, sizeof(*checks));
	int64_t delay_ms = 0;

	checks->host = host;
	checks->when = when;
	checks->done = done;
	checks->arena = arena_new();
	LIST_INSERT_HEAD(&host->run->checks, checks, next);
	/* in a soak, `every` parts one round from the next */
	for (size_t i = 0; when == CHECK_SOAK && !run_soak_owed(host) &&
			   i < plan->check_count;
	     i++)
		if ((plan->checks[i].at & CHECK_SOAK) != 0 &&
		    (delay_ms == 0 || plan->checks[i].every_ms < delay_ms))
			delay_ms = plan->checks[i].every_ms;
	checks->waits = true;
	checks->timer =
	    loop_timer_start(host->run->o.loop, delay_ms, check_start, checks);
	return checks;
}
