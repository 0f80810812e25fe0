/*
 * A loop whose clock is its own: nothing but timers, and when nothing is due
 * the clock jumps to the next one. Hours of soaks pass in milliseconds, and
 * the same timers fire in the same order each time. Knows nothing of libuv.
 */
#include <stdlib.h>

#include "loop/inside.h"

enum { HEAP_FIRST = 64 };

/* A binary heap; what is due at the same time fires as it was started. */
struct clock {
	int64_t now_ms;
	uint64_t started;
	struct loop_timer **heap;
	size_t count, cap;
	bool stopped;
};

/* Not in the heap: it fires. */
#define NOWHERE SIZE_MAX

struct clock *
clock_new(void)
{
	return xcalloc(1, sizeof(struct clock));
}

void
clock_free(struct clock *clock)
{
	if (clock->count > 0)
		bug("loop_close: %zu timers are still open", clock->count);
	free(clock->heap);
	free(clock);
}

int64_t
clock_now_ms(const struct clock *clock)
{
	return clock->now_ms;
}

void
clock_stop(struct clock *clock)
{
	clock->stopped = true;
}

static bool
is_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void
heap_set(struct clock *clock, size_t place, struct loop_timer *timer)
{
	clock->heap[place] = timer;
	timer->place = place;
}

static void
heap_up(struct clock *clock, struct loop_timer *timer, size_t place)
{
	for (; place > 0; place = (place - 1) / 2) {
		struct loop_timer *above = clock->heap[(place - 1) / 2];

		if (is_before(above, timer))
			break;
		heap_set(clock, place, above);
	}
	heap_set(clock, place, timer);
}

static void
heap_down(struct clock *clock, struct loop_timer *timer, size_t place)
{
	for (size_t below; (below = 2 * place + 1) < clock->count;
	     place = below) {
		if (below + 1 < clock->count &&
		    is_before(clock->heap[below + 1], clock->heap[below]))
			below++;
		if (is_before(timer, clock->heap[below]))
			break;
		heap_set(clock, place, clock->heap[below]);
	}
	heap_set(clock, place, timer);
}

static void
heap_remove(struct clock *clock, struct loop_timer *timer)
{
	struct loop_timer *last = clock->heap[--clock->count];
	size_t place = timer->place;

	timer->place = NOWHERE;
	if (last == timer)
		return;
	if (place > 0 && is_before(last, clock->heap[(place - 1) / 2]))
		heap_up(clock, last, place);
	else
		heap_down(clock, last, place);
}

struct loop_timer *
clock_start(
    struct clock *clock, int64_t delay_ms, void (*fn)(void *arg), void *arg)
{
	struct loop_timer *timer = xcalloc(1, sizeof(*timer));

	timer->clock = clock;
	timer->fn = fn;
	timer->arg = arg;
	timer->at_ms = clock->now_ms + (delay_ms > 0 ? delay_ms : 0);
	timer->order = clock->started++;
	if (clock->count == clock->cap) {
		clock->cap = clock->cap == 0 ? HEAP_FIRST : clock->cap * 2;
		clock->heap = xrealloc(clock->heap,
		    arena_size_of(sizeof(struct loop_timer *), clock->cap));
	}
	heap_up(clock, timer, clock->count++);
	return timer;
}

/* The one that fires is freed behind its fn, whether fn stopped it or not. */
void
clock_cancel(struct loop_timer *timer)
{
	if (timer->place == NOWHERE)
		return;
	heap_remove(timer->clock, timer);
	free(timer);
}

void
clock_run(struct clock *clock)
{
	clock->stopped = false;
	while (clock->count > 0 && !clock->stopped) {
		struct loop_timer *timer = clock->heap[0];

		heap_remove(clock, timer);
		clock->now_ms = timer->at_ms;
		timer->fn(timer->arg);
		free(timer);
	}
}
