/*
 * The loop: timers, descriptors, child processes, signals, work off the loop,
 * names and dialling. The only user of uv.h. One thread; every callback runs
 * on it. A handle is freed by its stop/close call; the callback is not called
 * after that. The order of one turn is libuv's: timers, pending, poll, close.
 *
 * The worker uses only loop_open/run/stop/close, timers and watches (its
 * seccomp filter allows no more).
 */
#ifndef HOSHU_LOOP_LOOP_H
#define HOSHU_LOOP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct loop;

/* Before any loop, once a process: libuv aborts as base/arena.h says, not
 * without a word. */
void loop_start(void);
int loop_open(struct loop **out, struct err *err) MUST_USE;
/* A loop with a clock of its own, which begins at 0 and jumps to the next
 * timer: for simulations. It has timers alone; a signal watch on it is NULL
 * (the signal does what it does without one), all else must not be started. */
struct loop *loop_open_virtual(void);
/* Runs until loop_stop; or until nothing is left to wait for. SIGPIPE is
 * ignored from loop_open on. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Frees the loop (NULL is allowed); every handle must have been stopped.
 * Waits for loop_work that is under way (its done is called) and for killed
 * children to be reaped. */
void loop_close(struct loop *loop);
/* Monotonic ms, read once a turn and when a timer is started. */
int64_t loop_now_ms(struct loop *loop);

/* Call fn once after delay_ms (0 = next turn). Stop frees it; a timer that
 * has fired is freed by itself right after fn returns. */
struct loop_timer;
struct loop_timer *loop_timer_start(
    struct loop *loop, int64_t delay_ms, void (*fn)(void *arg), void *arg);
void loop_timer_stop(struct loop_timer *timer); /* NULL is allowed */

/* Watch a descriptor (borrowed: the caller closes it after stop, which may be
 * at once). It is made non-blocking. One watch a descriptor: for reading and
 * writing together, use loop_watch_change; events 0 is a pause. An error of
 * the descriptor comes as the events watched for. NULL with errno when it
 * cannot be watched: a regular file, /dev/null. */
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_watch;
struct loop_watch *loop_watch_start(struct loop *loop, int fd, int events,
    void (*fn)(void *arg, int events), void *arg);
void loop_watch_change(struct loop_watch *watch, int events);
void loop_watch_stop(struct loop_watch *watch);

/* A signal watch alone does not keep loop_run going. */
struct loop_signal;
struct loop_signal *loop_signal_start(
    struct loop *loop, int signal, void (*fn)(void *arg), void *arg);
void loop_signal_stop(struct loop_signal *signal);

/* Run work on another thread, then done on this one. work must touch nothing
 * but what arg owns. */
void loop_work(struct loop *loop, void (*work)(void *arg),
    void (*done)(void *arg), void *arg);

/*
 * A child process: argv[0] looked up in PATH; stdin from the bytes given
 * (empty = /dev/null), stdout and stderr collected up to max_bytes each
 * (what is above is dropped and counted as full). done is called once, when
 * it has exited and its outputs are drained, or when timeout_ms (0 = none)
 * passed and it was killed (timed_out); the child is freed after done. argv
 * and env are borrowed for the call, input is copied.
 */
struct loop_child_result {
	int status; /* exit status; -1 when a signal ended it */
	int signal; /* 0, or the signal that ended it */
	bool timed_out;
	bool full;	  /* an output was longer than max_bytes */
	struct bytes out; /* both borrowed until done returns */
	struct bytes err;
};
struct loop_child_options {
	const char *const *argv; /* NULL-terminated */
	const char *const *env;	 /* NULL = this process's */
	struct bytes input;
	size_t max_bytes; /* 0 = BUF_MAX */
	int64_t timeout_ms;
	bool own_session; /* no terminal: it cannot ask anybody */
};
struct loop_child;
int loop_child_start(struct loop *loop,
    const struct loop_child_options *options,
    void (*done)(void *arg, const struct loop_child_result *result), void *arg,
    struct loop_child **child, struct err *err) MUST_USE;
pid_t loop_child_pid(const struct loop_child *child);
/* It is waited for no more than a signal: it alone does not keep loop_run
 * going. For a child of loop_spawn. */
void loop_child_in_background(struct loop_child *child);
/* Kill it (NULL is allowed); done is not called any more. */
void loop_child_kill(struct loop_child *child);
/* The same for callers without a loop (commands): runs to the end. out and
 * errors (may be NULL) are appended to; *status is the exit status, 128 + the
 * signal that ended it, or -1. An err when it could not be started or did not
 * end in time. */
int loop_child_run(const struct loop_child_options *options, int *status,
    struct buf *out, struct buf *errors, struct err *err) MUST_USE;

/*
 * Spawn with explicit descriptors: fds[i] becomes descriptor i of the child
 * (-1 = /dev/null); what has no O_CLOEXEC is inherited besides. ended gets
 * the exit status and signal. It runs in a session of its own, so that Ctrl-C
 * is not for it; loop_child_kill kills all of its group. For workers, agents,
 * ssh -W.
 */
int loop_spawn(struct loop *loop, const char *const *argv, const int *fds,
    size_t fd_count, void (*ended)(void *arg, int status, int signal),
    void *arg, struct loop_child **child, struct err *err) MUST_USE;

/*
 * Dial: address is a name, an IPv4/IPv6 address or a path of a unix socket
 * (begins with '/'). TCP_NODELAY is set. done gets a connected non-blocking
 * descriptor that it owns, or -1 and the err. Every address that the name
 * has is tried in turn within timeout_ms.
 */
struct loop_dial;
struct loop_dial *loop_dial_start(struct loop *loop, const char *address,
    int port, int64_t timeout_ms,
    void (*done)(void *arg, int fd, const struct err *err), void *arg);
void loop_dial_stop(struct loop_dial *dial);

#endif
