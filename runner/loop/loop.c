/*
 * Open, run and close the loop. The handles are in the files beside it; this
 * one knows only that they must be gone before the loop is.
 */
#include <signal.h>
#include <stdlib.h>

#include "base/i18n.h"
#include "loop/inside.h"

/* How long loop_close waits for killed children to be reaped. A process in
 * uninterruptible sleep must not hold us for ever. */
enum { REAP_MS = 2000 };

void
loop_start(void)
{
	if (uv_replace_allocator(xmalloc, xrealloc, xcalloc, free) < 0)
		bug("libuv takes no allocator");
}

int
loop_open(struct loop **out, struct err *err)
{
	struct loop *loop;
	int rc;

	/* Names are looked up on these threads, and a name server that does
	 * not answer blocks one for seconds. Read by libuv at first use. */
	(void)setenv("UV_THREADPOOL_SIZE", "16", 0);
	/* A peer that went away is an error of the write, not our death.
	 * libuv gives children the default back. */
	(void)signal(SIGPIPE, SIG_IGN);

	loop = xcalloc(1, sizeof(*loop));
	rc = uv_loop_init(&loop->uv);
	if (rc < 0) {
		free(loop);
		return err_set(err, ERR_SYSTEM,
		    _("cannot open an event loop: %s; is the limit of open "
		      "files (ulimit -n) reached?"),
		    uv_strerror(rc));
	}
	*out = loop;
	return 0;
}

struct loop *
loop_open_virtual(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->clock = clock_new();
	return loop;
}

void
loop_run(struct loop *loop)
{
	if (loop->clock != NULL)
		clock_run(loop->clock);
	else
		(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void
loop_stop(struct loop *loop)
{
	if (loop->clock != NULL)
		clock_stop(loop->clock);
	else
		uv_stop(&loop->uv);
}

int64_t
loop_now_ms(struct loop *loop)
{
	if (loop->clock != NULL)
		return clock_now_ms(loop->clock);
	return (int64_t)uv_now(&loop->uv);
}

static void
check_stopped(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle) && !child_is_abandoned(handle))
		bug("loop_close: a %s is still open",
		    uv_handle_type_name(handle->type));
}

static void
close_unreaped(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle) && handle->type == UV_PROCESS)
		child_forget(handle);
}

static void
give_up_reaping(uv_timer_t *timer)
{
	uv_walk(timer->loop, close_unreaped, NULL);
}

void
loop_close(struct loop *loop)
{
	uv_timer_t guard;
	int rc;

	if (loop == NULL)
		return;
	if (loop->clock != NULL) {
		clock_free(loop->clock);
		free(loop);
		return;
	}
	uv_walk(&loop->uv, check_stopped, NULL);
	(void)uv_timer_init(&loop->uv, &guard);
	(void)uv_timer_start(&guard, give_up_reaping, REAP_MS, 0);
	uv_unref((uv_handle_t *)&guard);
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&guard, NULL);
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	rc = uv_loop_close(&loop->uv);
	if (rc < 0)
		bug("loop_close: %s", uv_strerror(rc));
	free(loop);
}
