/*
 * The stage; see stage.h. Knows how the parts are put together, nothing of
 * what a rollout is for.
 */
#include "rehearse/stage.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "journal/rehearsed.h"
#include "preview/preview.h"
#include "rehearse/stage_plan.h"
#include "rollout/run.h"

const int64_t stage_epoch_ms = 1767225600000; /* 2026-01-01 */

/* A person who was asked and has not answered yet. */
struct stage_asked {
	LIST_ENTRY(stage_asked) next;
	struct stage *stage;
	int phase;
	bool yes;
	struct loop_timer *timer;
};

struct stage {
	struct stage_options o;
	struct arena *arena;
	struct loop *loop;
	struct world world;
	struct sim *sim;
	struct fleet_host *reach;
	struct record *records; /* durable so far, where they are kept */
	size_t count, cap;
	bool died;
	LIST_HEAD(, stage_asked) asked;
	struct journal *journal; /* of the one that runs, or NULL */
	bool *back_again; /* of a run for hosts that were away, or NULL */
	struct arena *run_arena; /* of one coordinator */
	struct change_fold fold;
};

static int64_t
stage_mono_ms(void *state)
{
	const struct stage *stage = state;

	return loop_now_ms(stage->loop);
}

static int64_t
stage_wall_ms(void *state)
{
	return stage_epoch_ms + stage_mono_ms(state);
}

static void
stage_random(void *state, void *out, size_t len)
{
	unsigned char *bytes = out;

	(void)state;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)i;
}

/* ---- opening ---- */

/* The fleet of the seed, as it stands before anybody came. */
static struct sim *
stage_fleet(struct stage *stage)
{
	const struct stage_options *o = &stage->o;
	struct sim_options options = {
	    .loop = stage->loop,
	    .seed = o->seed,
	    .hosts = (int)o->change->host_count,
	    .places = (int)o->change->place_count,
	    .steps =
		stage_plan_steps(stage->arena, o->change->plan, o->unprobed),
	    .last_step = o->change->plan->last_id,
	    .guards = (int)o->change->plan->guard_count,
	    .rates = o->rates,
	    .times = o->times,
	    .met = o->met,
	    .skip = o->skip,
	    .prints = o->prints,
	    .watch = o->watch,
	    .arg = o->arg,
	};

	return sim_new(&options);
}

/* Of a fleet and on a clock that are dropped afterwards: a rollout is the same
 * whether it was previewed just now or before. */
static int
stage_preview(struct stage *stage, struct err *err)
{
	struct sim *sim = stage_fleet(stage);
	struct preview_options options = {
	    .loop = stage->loop,
	    .fleet = sim_fleet(sim),
	    .world = &stage->world,
	    .hosts = stage->reach,
	};
	int r = preview_ask(&options, stage->o.change, err);

	fleet_close(options.fleet);
	sim_free(sim);
	loop_close(stage->loop);
	stage->loop = loop_open_virtual();
	return r;
}

int
stage_open(
    const struct stage_options *options, struct stage **out, struct err *err)
{
	const struct change *change = options->change;
	struct arena *arena = arena_new();
	struct stage *stage = arena_new_of(arena, struct stage);
	int r = 0;

	stage->o = *options;
	stage->arena = arena;
	stage->loop = loop_open_virtual();
	stage->world =
	    (struct world){stage_wall_ms, stage_mono_ms, stage_random, stage};
	stage->reach = arena_array(arena, struct fleet_host,
	    change->host_count + change->place_count + 1);
	if (change->preview_ms == 0 || options->met > 0 || options->skip > 0)
		r = stage_preview(stage, err);
	if (r < 0) {
		stage_close(stage);
		return r;
	}
	stage->sim = stage_fleet(stage);
	sim_begin(stage->sim);
	*out = stage;
	return 0;
}

void
stage_close(struct stage *stage)
{
	struct stage_asked *asked;

	if (stage == NULL)
		return;
	LIST_FOREACH(asked, &stage->asked, next)
	loop_timer_stop(asked->timer);
	sim_free(stage->sim);
	loop_close(stage->loop);
	arena_free(stage->run_arena);
	arena_free(stage->arena);
}

/* ---- persons ---- */

static void
stage_answer(void *arg)
{
	struct stage_asked *asked = arg;
	struct stage *stage = asked->stage;
	struct record record = {
	    .change = stage->o.change->number,
	    .epoch = stage->fold.epoch,
	    .step = asked->phase,
	    .kind = RECORD_ANSWERED,
	    .host = "",
	    .xid = "",
	    .life = "",
	    .actor = "rehearsal",
	    .wall_ms = stage_wall_ms(stage),
	    .body = asked->yes ? "{\"answer\":\"yes\"}" : "{\"answer\":\"no\"}",
	};

	asked->timer = NULL;
	LIST_REMOVE(asked, next);
	/* as `hoshu answer` would, it takes none where nothing is asked */
	if (stage->journal != NULL && fold_ask_open(&stage->fold) != NULL)
		journal_rehearse_said(stage->journal, record);
}

static void
stage_ask(struct stage *stage, const struct record *record)
{
	struct stage_asked *asked;
	int64_t after_ms = 0;
	bool yes = true;

	if (stage->o.answer != NULL &&
	    !stage->o.answer(
		stage->o.arg, record->step, record->attempt, &yes, &after_ms))
		return;
	asked = arena_new_of(stage->arena, struct stage_asked);
	asked->stage = stage;
	asked->phase = record->step;
	asked->yes = yes;
	LIST_INSERT_HEAD(&stage->asked, asked, next);
	asked->timer =
	    loop_timer_start(stage->loop, after_ms, stage_answer, asked);
}

/* ---- a coordinator ---- */

static bool
stage_durable(void *arg, const struct record *record)
{
	struct stage *stage = arg;
	struct record *kept;

	if (stage->o.keep) {
		kept = arena_push(
		    stage->arena, stage->records, stage->count, stage->cap);
		*kept = *record;
		kept->host = arena_strdup(stage->arena, record->host);
		kept->xid = arena_strdup(stage->arena, record->xid);
		kept->life = arena_strdup(stage->arena, record->life);
		kept->actor = arena_strdup(stage->arena, record->actor);
		kept->body = arena_strdup(stage->arena, record->body);
	}
	if (record->kind == RECORD_ASKED)
		stage_ask(stage, record);
	if (stage->o.durable == NULL || stage->o.durable(stage->o.arg, record))
		return true;
	stage->died = true;
	return false;
}

/* What the one before left, from its records and from nothing else. */
static int
stage_refold(struct stage *stage, struct err *err)
{
	struct fold_shape shape;
	int r = 0;

	arena_free(stage->run_arena);
	stage->run_arena = arena_new();
	fold_init(&stage->fold, stage->run_arena, stage->o.change->number);
	change_shape(stage->run_arena, stage->o.change, &shape);
	fold_shape(&stage->fold, &shape);
	for (size_t i = 0; i < stage->count && r == 0; i++)
		r = fold_record(&stage->fold, &stage->records[i], err);
	return r;
}

static int
stage_run_once(struct stage *stage, struct gate_result *result, struct err *err)
{
	struct rehearsed_options journal = {
	    .loop = stage->loop,
	    .world = &stage->world,
	    .commit_ms = stage->o.commit_ms,
	    .count = (int64_t)stage->count,
	    .durable = stage_durable,
	    .arg = stage,
	};
	struct run_options options = {
	    .loop = stage->loop,
	    .fleet = sim_fleet(stage->sim),
	    .journal = journal_rehearse(&journal),
	    .world = &stage->world,
	    .change = stage->o.change,
	    .fold = &stage->fold,
	    .hosts = stage->reach,
	    .actor = "rehearsal",
	    .way = stage->back_again != NULL ? "later" : NULL,
	    .back_again = stage->back_again,
	};
	int r;

	stage->back_again = NULL; /* the next one goes on */
	stage->journal = options.journal;
	r = run_change(&options, result, err);
	stage->journal = NULL;
	fleet_close(options.fleet);
	journal_close(options.journal);
	return stage->died ? STAGE_DIED : r;
}

/* Where a check could not tell, the person who is asked lifts the pause. */
static int
stage_resume(struct stage *stage, struct err *err)
{
	struct record record = {
	    .number = stage->fold.last_number + 1,
	    .change = stage->o.change->number,
	    .epoch = stage->fold.epoch,
	    .kind = RECORD_RESUMED,
	    .host = "",
	    .xid = "",
	    .life = "",
	    .actor = "rehearsal",
	    .wall_ms = stage_wall_ms(stage),
	    .body = "{}",
	};
	int r = fold_record(&stage->fold, &record, err);

	if (r == 0)
		(void)stage_durable(stage, &record);
	return r;
}

static bool
stage_is_unanswered(const struct stage *stage)
{
	for (size_t i = 0; i < stage->fold.ask_count; i++)
		if (stage->fold.asks[i].over && !stage->fold.paused)
			return true;
	return false;
}

/* From where the fold stands to the end. */
static int
stage_goes_on(struct stage *stage, struct gate_result *result, struct err *err)
{
	int r;

	for (;;) {
		struct err why = ERR_INIT;

		r = stage_run_once(stage, result, &why);
		if (r == -(int)ERR_WAITING &&
		    (stage->fold.back_limit || stage_is_unanswered(stage)))
			return STAGE_PAUSED;
		if (r != -(int)ERR_WAITING || !stage->fold.paused) {
			if (r < 0)
				*err = why;
			return r;
		}
		if ((r = stage_resume(stage, err)) < 0)
			return r;
		if (stage->died)
			return STAGE_DIED;
	}
}

static void
stage_waited(void *arg)
{
	loop_stop(arg);
}

void
stage_wait(struct stage *stage, int64_t ms)
{
	(void)loop_timer_start(stage->loop, ms, stage_waited, stage->loop);
	loop_run(stage->loop);
}

int
stage_run(struct stage *stage, struct gate_result *result, struct err *err)
{
	int r;

	stage->died = false;
	r = stage_refold(stage, err);
	return r < 0 ? r : stage_goes_on(stage, result, err);
}

/* Who of the hosts owed answers? */
static int
stage_knock(struct stage *stage, struct err *err)
{
	const struct change *change = stage->o.change;
	bool *owed =
	    arena_array(stage->run_arena, bool, change->host_count + 1);
	struct fleet *fleet = sim_fleet(stage->sim);
	int r;

	(void)gate_owed(change, &stage->fold, owed);
	stage->back_again =
	    arena_array(stage->run_arena, bool, change->host_count + 1);
	r = run_knock(stage->loop, fleet, change, stage->reach, NULL, owed,
	    stage->back_again, err);
	fleet_close(fleet);
	return r;
}

int
stage_later(struct stage *stage, const bool *back, struct gate_result *result,
    struct err *err)
{
	const struct change *change = stage->o.change;
	bool any = false;
	char why[256];
	int r;

	stage->died = false;
	r = stage_refold(stage, err);
	if (r < 0)
		return r;
	if (gate_owed(change, &stage->fold, NULL) == 0 ||
	    !gate_may_later(change, &stage->fold, why))
		return STAGE_NOBODY;
	for (size_t h = 0; h < change->host_count; h++)
		if (back[h])
			sim_wake(stage->sim, (int)h);
	if ((r = stage_knock(stage, err)) < 0)
		return r;
	for (size_t h = 0; h < change->host_count; h++)
		any = any || stage->back_again[h];
	if (any)
		return stage_goes_on(stage, result, err);
	stage->back_again = NULL;
	return STAGE_NOBODY;
}

const struct sim *
stage_sim(const struct stage *stage)
{
	return stage->sim;
}

const struct change_fold *
stage_fold(const struct stage *stage)
{
	return &stage->fold;
}
