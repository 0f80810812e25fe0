/*
 * The inside of a child process. Its handles are parts of one piece of
 * memory, which goes when the last of them is closed.
 */
#ifndef HOSHU_LOOP_CHILD_H
#define HOSHU_LOOP_CHILD_H

#include "loop/inside.h"

/* One of its outputs, on the way into a buffer. */
struct child_output {
	uv_pipe_t pipe;
	struct buf buf;
	bool ended;
	char chunk[8192];
};

struct loop_child {
	uv_process_t process;
	int open_handles;
	bool own_session; /* its group is ours to kill */
	bool exited;
	bool finished; /* the caller was told, or does not want to be */
	bool timed_out;
	int status;
	int signal;

	/* loop_spawn */
	void (*ended)(void *arg, int status, int signal);

	/* loop_child_start */
	void (*done)(void *arg, const struct loop_child_result *result);
	struct loop_timer *timer;
	uv_pipe_t input;
	uv_write_t write;
	struct buf input_bytes;
	struct child_output out;
	struct child_output err;

	void *arg; /* of ended or done */
};

/* Start the process; child is freed and the err set when that fails. */
int child_spawn(struct loop *loop, struct loop_child *child,
    uv_process_options_t *options, struct err *err) MUST_USE;
/* Close one of its handles, once. */
void child_close_handle(struct loop_child *child, uv_handle_t *handle);
/* Close everything but the process. */
void child_close_pipes(struct loop_child *child);
/* Tell the caller if all is in that it waits for. */
void child_check_done(struct loop_child *child);

#endif
