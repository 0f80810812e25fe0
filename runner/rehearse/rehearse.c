/*
 * One rehearsal, watched through its records: what began when, how many hosts
 * stood how; and many of them. Decides nothing.
 */
#include "rehearse/rehearse.h"

#include <stdlib.h>
#include <string.h>

struct watch {
	struct arena *arena;
	const struct rehearse_options *options;
	struct stage *stage;
	struct rehearsal *out;
	bool *touched, *broken;	 /* by host */
	enum record_kind *parts; /* by part: its last word */
	int broken_now, in_flight;
	bool stopped;
};

static bool
watch_active(enum record_kind word)
{
	return word == RECORD_HOST_STARTED || word == RECORD_HOST_BACK;
}

static void
watch_count(struct rehearse_counts *counts, enum record_kind word)
{
	counts->in_flight += watch_active(word);
	switch ((int)word) {
	case RECORD_HOST_DONE:
		counts->done++;
		break;
	case RECORD_HOST_FAILED:
	case RECORD_HOST_LOST:
		counts->failed++;
		break;
	case RECORD_HOST_UNREACHABLE:
		counts->unreachable++;
		break;
	case RECORD_HOST_EXCLUDED:
		counts->excluded++;
		break;
	case RECORD_HOST_REVERTED:
		counts->reverted++;
		break;
	case RECORD_HOST_STUCK:
		counts->stuck++;
		break;
	}
}

static void
watch_event(struct watch *watch, const struct record *record, int wave,
    const char *text)
{
	const struct change *change = watch->options->change;
	struct rehearsal *out = watch->out;
	struct rehearse_event *event = arena_push(
	    watch->arena, out->events, out->event_count, out->event_cap);

	memset(event, 0, sizeof(*event));
	event->at_ms = record->wall_ms - stage_epoch_ms;
	event->kind = record->kind;
	event->wave = wave;
	event->text = arena_strdup(watch->arena, text);
	event->counts.touched = out->touched;
	for (size_t i = 0; i < change->part_count; i++)
		if (wave == 0 || change->parts[i].wave == wave)
			watch_count(&event->counts, watch->parts[i]);
}

static void
watch_stop(struct watch *watch, const struct record *record)
{
	if (watch->stopped)
		return;
	watch->stopped = true;
	watch->out->stop_ms = record->wall_ms - stage_epoch_ms;
	watch->out->touched_at_stop = watch->out->touched;
}

static void
watch_change(struct watch *watch, const struct record *record)
{
	const struct change_fold *fold = stage_fold(watch->stage);

	switch ((int)record->kind) {
	case RECORD_WAVE_STARTED:
	case RECORD_WAVE_SOAKING:
	case RECORD_WAVE_ENDED:
		watch_event(watch, record, record->step, "");
		return;
	case RECORD_LIMIT:
		watch_stop(watch, record);
		watch_event(watch, record, 0, fold->limit_text);
		return;
	case RECORD_BACK_STARTED:
		watch_stop(watch, record);
		watch_event(watch, record, 0, "");
		return;
	case RECORD_RUN_ENDED:
		watch->out->takes_ms = record->wall_ms - stage_epoch_ms;
		watch_event(watch, record, 0, "");
		return;
	}
}

/* A host is broken from its failure until it is proved back. */
static void
watch_broken(struct watch *watch, int host, enum record_kind kind)
{
	bool breaks = kind == RECORD_HOST_FAILED || kind == RECORD_HOST_LOST ||
		      kind == RECORD_HOST_STUCK;
	bool mends = kind == RECORD_HOST_REVERTED;

	if (breaks && !watch->broken[host])
		watch->broken_now++;
	if (mends && watch->broken[host])
		watch->broken_now--;
	watch->broken[host] = breaks || (watch->broken[host] && !mends);
	if (watch->broken_now > watch->out->broken_most)
		watch->out->broken_most = watch->broken_now;
}

static void
watch_part(
    struct watch *watch, const struct part_fold *part, enum record_kind kind)
{
	const struct change_fold *fold = stage_fold(watch->stage);
	enum record_kind *word = &watch->parts[part - fold->parts];

	watch->in_flight += watch_active(kind) - watch_active(*word);
	*word = kind;
	if (watch->in_flight > watch->out->in_flight_most)
		watch->out->in_flight_most = watch->in_flight;
	if (kind == RECORD_HOST_STARTED)
		watch->out->late_starts += watch->stopped;
	watch_broken(watch, (int)(part->host - fold->hosts), kind);
}

static bool
watch_record(void *arg, const struct record *record)
{
	struct watch *watch = arg;
	struct change_fold *fold =
	    (struct change_fold *)stage_fold(watch->stage);
	struct host_fold *host;

	if (record->host[0] == '\0') {
		watch_change(watch, record);
		return true;
	}
	host = fold_host(fold, record->host);
	if (record->kind == RECORD_STEP_INTENT) {
		watch->out->touched += !watch->touched[host - fold->hosts];
		watch->touched[host - fold->hosts] = true;
	} else if (record_kind_is_host(record->kind) &&
		   record->kind != RECORD_HOST_OPENED) {
		for (size_t p = 0; p < fold->phase_count; p++)
			if (host->parts[p] != NULL &&
			    host->parts[p]->wave == record->step)
				watch_part(watch, host->parts[p], record->kind);
	}
	return true;
}

int
rehearse_once(struct arena *arena, const struct rehearse_options *options,
    uint64_t seed, struct rehearsal *out, struct err *err)
{
	const struct change *change = options->change;
	struct watch watch = {.arena = arena, .options = options, .out = out};
	struct stage_options stage = {
	    .change = options->change,
	    .seed = seed,
	    .rates = options->rates,
	    .times = options->times,
	    .unprobed = options->unprobed,
	    .commit_ms = 1,
	    .durable = watch_record,
	    .arg = &watch,
	};
	int r;

	memset(out, 0, sizeof(*out));
	out->seed = seed;
	out->stop_ms = -1;
	watch.touched = arena_array(arena, bool, change->host_count + 1);
	watch.broken = arena_array(arena, bool, change->host_count + 1);
	watch.parts =
	    arena_array(arena, enum record_kind, change->part_count + 1);
	r = stage_open(&stage, &watch.stage, err);
	if (r < 0)
		return r;
	r = stage_run(watch.stage, &out->result, err);
	stage_close(watch.stage);
	return r;
}

/* ---- many ---- */

struct sums {
	struct rehearse_measure *measure;
	int64_t *values;
};

static int
compare_values(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void
sum_add(struct rehearse_measure *measure, int64_t *values, int at,
    uint64_t seed, int64_t value)
{
	values[at] = value;
	if (at == 0 || value > measure->worst) {
		measure->worst = value;
		measure->seed = seed;
	}
}

static void
sum_usual(struct rehearse_measure *measure, int64_t *values, int count)
{
	if (count == 0)
		return;
	qsort(values, (size_t)count, sizeof(*values), compare_values);
	measure->usual = values[count / 2];
}

int
rehearse_many(const struct rehearse_options *options, uint64_t first, int count,
    void (*tick)(void *arg, int done), void *arg, struct rehearse_sum *out,
    struct err *err)
{
	enum { MEASURES = 5 };
	struct rehearse_measure *measures[MEASURES] = {&out->takes_ms,
	    &out->broken, &out->in_flight, &out->not_back,
	    &out->touched_at_stop};
	int64_t *values[MEASURES];
	struct arena *all = arena_new();
	int r = 0;

	memset(out, 0, sizeof(*out));
	out->first = first;
	for (int m = 0; m < MEASURES; m++)
		values[m] = arena_array(all, int64_t, (size_t)count + 1);
	for (int i = 0; i < count && r == 0; i++) {
		struct arena *arena = arena_new();
		struct rehearsal one;

		r = rehearse_once(
		    arena, options, first + (uint64_t)i, &one, err);
		if (r == 0) {
			const int64_t said[] = {one.takes_ms, one.broken_most,
			    one.in_flight_most, one.result.unknown};

			for (int m = 0; m < MEASURES - 1; m++)
				sum_add(measures[m], values[m], i, one.seed,
				    said[m]);
			if (one.stop_ms >= 0)
				sum_add(&out->touched_at_stop,
				    values[MEASURES - 1], out->stopped++,
				    one.seed, one.touched_at_stop);
			out->late_starts += one.late_starts;
			out->status[one.result.status]++;
			out->count++;
		}
		arena_free(arena);
		if (tick != NULL)
			tick(arg, i + 1);
	}
	for (int m = 0; m < MEASURES; m++)
		sum_usual(measures[m], values[m],
		    m == MEASURES - 1 ? out->stopped : out->count);
	arena_free(all);
	return r;
}
