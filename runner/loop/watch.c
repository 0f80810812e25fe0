/*
 * Watches of descriptors, level-triggered, and of signals. They know nothing
 * of what the descriptor is.
 */
#include <errno.h>
#include <stdlib.h>

#include "loop/inside.h"

struct loop_watch {
	uv_poll_t handle;
	int events;
	void (*fn)(void *arg, int events);
	void *arg;
};

struct loop_signal {
	uv_signal_t handle;
	void (*fn)(void *arg);
	void *arg;
};

static void
handle_free(uv_handle_t *handle)
{
	free(handle->data);
}

static int
events_to_uv(int events)
{
	return ((events & LOOP_READ) ? UV_READABLE : 0) |
	       ((events & LOOP_WRITE) ? UV_WRITABLE : 0);
}

static void watch_ready(uv_poll_t *handle, int status, int events);

static void
watch_arm(struct loop_watch *watch)
{
	int rc = uv_poll_start(
	    &watch->handle, events_to_uv(watch->events), watch_ready);

	if (rc < 0)
		bug("loop_watch: descriptor is watched twice (%s)",
		    uv_strerror(rc));
}

static void
watch_ready(uv_poll_t *handle, int status, int events)
{
	struct loop_watch *watch = handle->data;

	if (status < 0) {
		/* The descriptor has an error (refused, reset) and libuv has
		 * stopped watching: the owner's next read or write shows it.
		 * An owner that keeps the watch is told again. */
		watch->fn(watch->arg, watch->events);
		if (!uv_is_closing((uv_handle_t *)handle) &&
		    !uv_is_active((uv_handle_t *)handle))
			watch_arm(watch);
		return;
	}
	watch->fn(watch->arg, ((events & UV_READABLE) ? LOOP_READ : 0) |
				  ((events & UV_WRITABLE) ? LOOP_WRITE : 0));
}

struct loop_watch *
loop_watch_start(struct loop *loop, int fd, int events,
    void (*fn)(void *arg, int events), void *arg)
{
	struct loop_watch *watch = xcalloc(1, sizeof(*watch));
	int rc;

	rc = uv_poll_init(&loop->uv, &watch->handle, fd);
	if (rc == UV_EEXIST)
		bug("loop_watch: descriptor %d is watched twice", fd);
	if (rc < 0) {
		/* A failed init leaves nothing to close. */
		free(watch);
		errno = -rc;
		return NULL;
	}
	watch->handle.data = watch;
	watch->events = events;
	watch->fn = fn;
	watch->arg = arg;
	watch_arm(watch);
	return watch;
}

void
loop_watch_change(struct loop_watch *watch, int events)
{
	/* Each start costs two epoll_ctl. */
	if (events == watch->events)
		return;
	watch->events = events;
	watch_arm(watch);
}

void
loop_watch_stop(struct loop_watch *watch)
{
	/* uv_close takes the descriptor out of epoll at once, and out of the
	 * events already fetched, so that the caller may close or reuse it. */
	if (watch != NULL && !uv_is_closing((uv_handle_t *)&watch->handle))
		uv_close((uv_handle_t *)&watch->handle, handle_free);
}

static void
signal_came(uv_signal_t *handle, int number)
{
	struct loop_signal *watch = handle->data;

	(void)number;
	watch->fn(watch->arg);
}

struct loop_signal *
loop_signal_start(
    struct loop *loop, int signal, void (*fn)(void *arg), void *arg)
{
	struct loop_signal *watch;
	int rc;

	if (loop->clock != NULL)
		return NULL;
	watch = xcalloc(1, sizeof(*watch));
	watch->fn = fn;
	watch->arg = arg;
	(void)uv_signal_init(&loop->uv, &watch->handle);
	watch->handle.data = watch;
	rc = uv_signal_start(&watch->handle, signal_came, signal);
	if (rc < 0)
		bug("loop_signal: signal %d: %s", signal, uv_strerror(rc));
	uv_unref((uv_handle_t *)&watch->handle);
	return watch;
}

void
loop_signal_stop(struct loop_signal *watch)
{
	if (watch != NULL && !uv_is_closing((uv_handle_t *)&watch->handle))
		uv_close((uv_handle_t *)&watch->handle, handle_free);
}
