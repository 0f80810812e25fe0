/*
 * Timers that fire once. A delay of 0 is an idle handle: libuv runs a timer
 * of 0 ms that is started by another timer in the same turn, so that a chain
 * of them would starve the descriptors.
 */
#include <stdlib.h>

#include "loop/inside.h"

static void
timer_free(uv_handle_t *handle)
{
	free(handle->data);
}

static void
timer_fire(struct loop_timer *timer)
{
	if (timer->handle.any.type == UV_IDLE)
		(void)uv_idle_stop(&timer->handle.idle);
	timer->fn(timer->arg);
	loop_timer_stop(timer);
}

static void
timer_fired(uv_timer_t *handle)
{
	timer_fire(handle->data);
}

static void
idle_fired(uv_idle_t *handle)
{
	timer_fire(handle->data);
}

struct loop_timer *
loop_timer_start(
    struct loop *loop, int64_t delay_ms, void (*fn)(void *arg), void *arg)
{
	struct loop_timer *timer;

	if (loop->clock != NULL)
		return clock_start(loop->clock, delay_ms, fn, arg);
	timer = xcalloc(1, sizeof(*timer));
	timer->fn = fn;
	timer->arg = arg;
	if (delay_ms <= 0) {
		(void)uv_idle_init(&loop->uv, &timer->handle.idle);
		timer->handle.any.data = timer;
		(void)uv_idle_start(&timer->handle.idle, idle_fired);
		return timer;
	}
	/* The turn may have begun long ago (a person was asked for a
	 * passphrase): without this the timer would fire early. */
	uv_update_time(&loop->uv);
	(void)uv_timer_init(&loop->uv, &timer->handle.timer);
	timer->handle.any.data = timer;
	(void)uv_timer_start(
	    &timer->handle.timer, timer_fired, (uint64_t)delay_ms, 0);
	return timer;
}

/* Also called by fn itself, and then again after it: the memory lives until
 * the end of the turn. */
void
loop_timer_stop(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	if (timer->clock != NULL)
		clock_cancel(timer);
	else if (!uv_is_closing(&timer->handle.any))
		uv_close(&timer->handle.any, timer_free);
}
