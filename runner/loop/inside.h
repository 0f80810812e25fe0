/*
 * What the files of loop/ share. Only they may include it: uv.h stays here.
 */
#ifndef HOSHU_LOOP_INSIDE_H
#define HOSHU_LOOP_INSIDE_H

#include <uv.h>

#include "base/arena.h"
#include "loop/loop.h"

struct clock;

struct loop {
	uv_loop_t uv;
	struct clock *clock; /* a virtual loop's; NULL = uv is used */
};

struct loop_timer {
	union {
		uv_handle_t any;
		uv_timer_t timer;
		uv_idle_t idle;
	} handle;
	void (*fn)(void *arg);
	void *arg;
	/* of a virtual loop */
	struct clock *clock;
	int64_t at_ms;
	uint64_t order;
	size_t place;
};

/* virtual.c; loop.c and timer.c hand over to it */
struct clock *clock_new(void);
void clock_free(struct clock *clock);
int64_t clock_now_ms(const struct clock *clock);
void clock_run(struct clock *clock);
void clock_stop(struct clock *clock);
struct loop_timer *clock_start(
    struct clock *clock, int64_t delay_ms, void (*fn)(void *arg), void *arg);
void clock_cancel(struct loop_timer *timer);

/* Called at loop_close for every process handle: was its child killed, so
 * that only its end is still waited for? */
bool child_is_abandoned(const uv_handle_t *handle);
/* And such an end did not come: its handle is closed all the same. */
void child_forget(uv_handle_t *handle);

#endif
