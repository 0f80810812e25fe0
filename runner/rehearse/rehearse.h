/*
 * A rehearsal: how would this plan go on a fleet of which so many hosts fail?
 * One rollout with its timeline, or many for the worst that was seen.
 *
 *	rehearse_once(arena, &options, 7, &rehearsal, &err);
 *	rehearse_many(arena, &options, 7, 100, &sum, &err);
 */
#ifndef HOSHU_REHEARSE_REHEARSE_H
#define HOSHU_REHEARSE_REHEARSE_H

#include <stdio.h>

#include "change/change.h"
#include "rehearse/stage.h"

struct rehearse_options {
	struct change *change; /* as for stage.h, stage_plan was called */
	struct sim_rates rates;
	struct sim_times times;
	const bool *unprobed;
};

/* How many hosts are (or, of a wave, became) what. */
struct rehearse_counts {
	int touched, done, failed, unreachable, excluded, reverted, stuck;
	int in_flight;
};

/* One line of the timeline: what began, and how things stood. */
struct rehearse_event {
	int64_t at_ms;
	enum record_kind kind;
	int wave;		       /* from 1; 0 = of the change */
	struct rehearse_counts counts; /* of the wave, or of all */
	const char *text;
};

struct rehearsal {
	uint64_t seed;
	struct gate_result result;
	int64_t takes_ms;
	int64_t stop_ms; /* -1 = nothing stopped it */
	int touched, touched_at_stop;
	int broken_most; /* failed and not back yet, at once */
	int in_flight_most;
	int late_starts; /* hosts started after the stop */
	struct rehearse_event *events;
	size_t event_count, event_cap;
};

int rehearse_once(struct arena *arena, const struct rehearse_options *options,
    uint64_t seed, struct rehearsal *out, struct err *err) MUST_USE;

/* What a measure came to: the middle of all, and the worst with its seed. */
struct rehearse_measure {
	int64_t usual, worst;
	uint64_t seed;
};

struct rehearse_sum {
	uint64_t first; /* seed */
	int count;
	int status[16]; /* rollouts by exit status */
	int stopped;
	int late_starts; /* of all */
	struct rehearse_measure takes_ms, touched_at_stop, broken, in_flight,
	    not_back;
};

/* Seeds first, first + 1, ... tick is called after each; may be NULL. */
int rehearse_many(const struct rehearse_options *options, uint64_t first,
    int count, void (*tick)(void *arg, int done), void *arg,
    struct rehearse_sum *out, struct err *err) MUST_USE;

/* ---- render.c: for people, and for programs ---- */
void rehearse_print_timeline(
    FILE *out, const struct change *change, const struct rehearsal *rehearsal);
void rehearse_print_sum(
    FILE *out, const struct change *change, const struct rehearse_sum *sum);
struct json *rehearse_json(struct arena *arena, const struct change *change,
    const struct rehearsal *rehearsal);
struct json *rehearse_sum_json(
    struct arena *arena, const struct rehearse_sum *sum);

#endif
