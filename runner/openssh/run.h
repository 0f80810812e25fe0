/*
 * How openssh/ runs OpenSSH's tools. Only its own files may include it.
 */
#ifndef HOSHU_OPENSSH_RUN_H
#define HOSHU_OPENSSH_RUN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"

struct openssh_run {
	const char *const *argv;
	const char *agent; /* SSH_AUTH_SOCK; NULL = as it is */
	struct bytes input;
	/* Passphrases: a person at the terminal is asked, on /dev/tty. Without
	 * a terminal nobody is, and the tool fails. */
	bool may_ask;
};
/* How a child is to be started for it; lives in arena. Time is UTC for it. */
struct loop_child_options openssh_run_options(
    struct arena *arena, const struct openssh_run *run);
/* Run it; out and errors are appended to, status as loop_child_run. */
int openssh_run(const struct openssh_run *run, int *status, struct buf *out,
    struct buf *errors, struct err *err) MUST_USE;

/* What a tool said on stderr, as one line for a message; lives in arena. */
const char *openssh_said(struct arena *arena, const struct buf *errors);

#endif
