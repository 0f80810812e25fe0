/*
 * Child processes: start, kill, reap. It knows nothing of what goes through
 * their pipes (child_run.c).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/i18n.h"
#include "loop/child.h"

enum { SPAWN_FDS_MAX = 16 };

bool
child_is_abandoned(const uv_handle_t *handle)
{
	const struct loop_child *child = handle->data;

	return handle->type == UV_PROCESS && child->finished;
}

static void
handle_closed(uv_handle_t *handle)
{
	struct loop_child *child = handle->data;

	if (--child->open_handles > 0)
		return;
	buf_free(&child->input_bytes);
	buf_free(&child->out.buf);
	buf_free(&child->err.buf);
	free(child);
}

void
child_close_handle(struct loop_child *child, uv_handle_t *handle)
{
	/* What was never begun has no data. */
	if (handle->data == child && !uv_is_closing(handle))
		uv_close(handle, handle_closed);
}

void
child_forget(uv_handle_t *handle)
{
	child_close_handle(handle->data, handle);
}

void
child_close_pipes(struct loop_child *child)
{
	loop_timer_stop(child->timer);
	child->timer = NULL;
	child_close_handle(child, (uv_handle_t *)&child->input);
	child_close_handle(child, (uv_handle_t *)&child->out.pipe);
	child_close_handle(child, (uv_handle_t *)&child->err.pipe);
}

static void
child_exited(uv_process_t *process, int64_t status, int signal)
{
	struct loop_child *child = process->data;

	child->exited = true;
	child->status = (int)status;
	child->signal = signal;
	child_close_handle(child, (uv_handle_t *)process);
	if (child->finished)
		return;
	if (child->ended != NULL) {
		child->finished = true;
		child->ended(child->arg, child->status, child->signal);
		return;
	}
	child_check_done(child);
}

int
child_spawn(struct loop *loop, struct loop_child *child,
    uv_process_options_t *options, struct err *err)
{
	int rc;

	options->exit_cb = child_exited;
	if (child->own_session)
		options->flags |= UV_PROCESS_DETACHED;
	rc = uv_spawn(&loop->uv, &child->process, options);
	child->process.data = child;
	child->open_handles++;
	if (rc == 0)
		return 0;
	child->finished = true;
	child_close_pipes(child);
	child_close_handle(child, (uv_handle_t *)&child->process);
	if (rc == UV_ENOENT)
		return err_set(err, ERR_SYSTEM,
		    _("cannot run %s: no such program; install it or put its "
		      "folder into PATH"),
		    options->file);
	return err_set(err, ERR_SYSTEM, _("cannot run %s: %s"), options->file,
	    uv_strerror(rc));
}

pid_t
loop_child_pid(const struct loop_child *child)
{
	return child->process.pid;
}

void
loop_child_in_background(struct loop_child *child)
{
	uv_unref((uv_handle_t *)&child->process);
}

void
loop_child_kill(struct loop_child *child)
{
	if (child == NULL || child->finished)
		return;
	child->finished = true;
	child_close_pipes(child);
	if (child->exited)
		return;
	uv_ref((uv_handle_t *)&child->process);
	/* The handle stays until the end is reaped. */
	(void)kill(
	    child->own_session ? -child->process.pid : child->process.pid,
	    SIGKILL);
}

int
loop_spawn(struct loop *loop, const char *const *argv, const int *fds,
    size_t fd_count, void (*ended)(void *arg, int status, int signal),
    void *arg, struct loop_child **out, struct err *err)
{
	uv_process_options_t options = {0};
	uv_stdio_container_t stdio[SPAWN_FDS_MAX];
	struct loop_child *child;
	int null_fd, r;
	size_t i;

	if (fd_count > SPAWN_FDS_MAX)
		bug("loop_spawn: %zu descriptors", fd_count);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return err_errno(err, _("cannot open /dev/null"));
	for (i = 0; i < fd_count; i++) {
		stdio[i].flags = UV_INHERIT_FD;
		stdio[i].data.fd = fds[i] < 0 ? null_fd : fds[i];
	}
	options.file = argv[0];
	options.args = (char **)(uintptr_t)argv;
	options.stdio = stdio;
	options.stdio_count = (int)fd_count;

	child = xcalloc(1, sizeof(*child));
	child->ended = ended;
	child->arg = arg;
	/* Ctrl-C at the terminal is for us: we end our children in order. */
	child->own_session = true;
	r = child_spawn(loop, child, &options, err);
	(void)close(null_fd);
	if (r == 0)
		*out = child;
	return r;
}
