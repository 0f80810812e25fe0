/*
 * Children whose input is given and whose outputs are collected, on the loop
 * or run to the end for callers that have none.
 */
#include <signal.h>
#include <string.h>

#include "base/i18n.h"
#include "loop/child.h"

static void
output_put(struct buf *buf, const char *data, size_t len)
{
	size_t max = buf->max > 0 ? buf->max : BUF_MAX;

	/* buf_put drops whole what does not fit; here the start counts. */
	if (len > max - buf->len) {
		len = max - buf->len;
		buf->full = true;
	}
	buf_put(buf, data, len);
}

static struct child_output *
output_of(struct loop_child *child, const void *pipe)
{
	return pipe == &child->out.pipe ? &child->out : &child->err;
}

static void
output_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
	struct child_output *output = output_of(handle->data, handle);

	(void)suggested;
	*room = uv_buf_init(output->chunk, sizeof(output->chunk));
}

static void
output_came(uv_stream_t *stream, ssize_t len, const uv_buf_t *chunk)
{
	struct loop_child *child = stream->data;
	struct child_output *output = output_of(child, stream);

	if (len > 0)
		output_put(&output->buf, chunk->base, (size_t)len);
	if (len >= 0)
		return;
	output->ended = true;
	child_close_handle(child, (uv_handle_t *)stream);
	child_check_done(child);
}

static void
input_written(uv_write_t *write, int status)
{
	struct loop_child *child = write->data;

	/* A child that did not want all of its input is no error. */
	(void)status;
	child_close_handle(child, (uv_handle_t *)&child->input);
}

void
child_check_done(struct loop_child *child)
{
	struct loop_child_result result;

	if (child->finished || !child->exited)
		return;
	/* One that was killed may have left children that hold the pipes. */
	if (!child->timed_out && !(child->out.ended && child->err.ended))
		return;
	child->finished = true;
	child_close_pipes(child);
	result.status = child->signal != 0 ? -1 : child->status;
	result.signal = child->signal;
	result.timed_out = child->timed_out;
	result.full = child->out.buf.full || child->err.buf.full;
	result.out = buf_bytes(&child->out.buf);
	result.err = buf_bytes(&child->err.buf);
	child->done(child->arg, &result);
}

static void
child_overdue(void *arg)
{
	struct loop_child *child = arg;

	child->timer = NULL;
	if (child->exited && child->out.ended && child->err.ended)
		return;
	child->timed_out = true;
	if (child->exited)
		child_check_done(child);
	else
		(void)kill(child->own_session ? -child->process.pid
					      : child->process.pid,
		    SIGKILL);
}

static void
pipe_begin(struct loop *loop, struct loop_child *child, uv_pipe_t *pipe)
{
	(void)uv_pipe_init(&loop->uv, pipe, 0);
	pipe->data = child;
	child->open_handles++;
}

static void
pipes_go(struct loop_child *child)
{
	uv_buf_t bytes;

	(void)uv_read_start(
	    (uv_stream_t *)&child->out.pipe, output_room, output_came);
	(void)uv_read_start(
	    (uv_stream_t *)&child->err.pipe, output_room, output_came);
	if (child->input_bytes.len == 0)
		return;
	bytes = uv_buf_init(
	    child->input_bytes.data, (unsigned)child->input_bytes.len);
	child->write.data = child;
	if (uv_write(&child->write, (uv_stream_t *)&child->input, &bytes, 1,
		input_written) < 0)
		child_close_handle(child, (uv_handle_t *)&child->input);
}

int
loop_child_start(struct loop *loop, const struct loop_child_options *want,
    void (*done)(void *arg, const struct loop_child_result *result), void *arg,
    struct loop_child **out, struct err *err)
{
	uv_process_options_t options = {0};
	uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
	struct loop_child *child = xcalloc(1, sizeof(*child));
	int r;

	child->done = done;
	child->arg = arg;
	child->own_session = want->own_session;
	child->out.buf.max = want->max_bytes;
	child->err.buf.max = want->max_bytes;
	if (want->input.len > 0) {
		buf_put(&child->input_bytes, want->input.data, want->input.len);
		if (child->input_bytes.full)
			bug("loop_child_start: input is too large");
		pipe_begin(loop, child, &child->input);
		stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
		stdio[0].data.stream = (uv_stream_t *)&child->input;
	}
	pipe_begin(loop, child, &child->out.pipe);
	stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
	stdio[1].data.stream = (uv_stream_t *)&child->out.pipe;
	pipe_begin(loop, child, &child->err.pipe);
	stdio[2].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
	stdio[2].data.stream = (uv_stream_t *)&child->err.pipe;
	options.file = want->argv[0];
	options.args = (char **)(uintptr_t)want->argv;
	options.env = (char **)(uintptr_t)want->env;
	options.stdio = stdio;
	options.stdio_count = 3;

	r = child_spawn(loop, child, &options, err);
	if (r < 0)
		return r;
	pipes_go(child);
	if (want->timeout_ms > 0)
		child->timer = loop_timer_start(
		    loop, want->timeout_ms, child_overdue, child);
	if (out != NULL)
		*out = child;
	return 0;
}

struct run {
	const struct loop_child_options *options;
	struct buf *out;
	struct buf *errors;
	int status;
	bool timed_out;
};

static void
run_done(void *arg, const struct loop_child_result *result)
{
	struct run *run = arg;

	run->timed_out = result->timed_out;
	run->status =
	    result->signal != 0 ? 128 + result->signal : result->status;
	if (run->out != NULL)
		buf_put(run->out, result->out.data, result->out.len);
	if (run->errors != NULL)
		buf_put(run->errors, result->err.data, result->err.len);
}

int
loop_child_run(const struct loop_child_options *options, int *status,
    struct buf *out, struct buf *errors, struct err *err)
{
	struct run run = {options, out, errors, -1, false};
	struct loop *loop = NULL;
	int r;

	*status = -1;
	r = loop_open(&loop, err);
	if (r < 0)
		return r;
	r = loop_child_start(loop, options, run_done, &run, NULL, err);
	if (r < 0)
		goto out;
	loop_run(loop);
	if (run.timed_out) {
		r = err_set(err, ERR_SYSTEM,
		    _("%s did not end within %lld ms and was killed"),
		    options->argv[0], (long long)options->timeout_ms);
		goto out;
	}
	*status = run.status;
out:
	loop_close(loop);
	return r;
}
