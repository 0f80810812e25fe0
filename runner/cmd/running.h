/* What the commands share that run a change, or speak to one that runs. */
#ifndef HOSHU_CMD_RUNNING_H
#define HOSHU_CMD_RUNNING_H

#include "cmd/context.h"
#include "journal/lease.h"

/* Why a run goes; see run_options of rollout/run.h. All NULL: it goes on as it
 * stands. */
struct cmd_way {
	const char *way, *because;
	const bool *asked;
	bool *back_again;
	int64_t owed_until_ms;
};

/*
 * Run the change to its end, or on from where it stands, in the foreground.
 * The journal is open for writing and the change loaded. An exit status, or an
 * error; ERR_REFUSED where another process runs it.
 */
int cmd_run_change(struct context *context, struct err *err) MUST_USE;
/* The same, where prepare says whether it may and which way; asked once before
 * the change is ours, and once more then. */
int cmd_run_change_by(struct context *context,
    int (*prepare)(
	struct context *context, struct cmd_way *way, struct err *err),
    struct err *err) MUST_USE;

/*
 * owed.c: a change that has ended and owes hosts (later:). `hoshu run` goes on
 * with them, as a timer would call it: nothing is said where nothing is to do.
 */
bool cmd_is_owed(const struct context *context);
/* Before the change is ours. over: all is done, there is nothing to say.
 * ERR_REFUSED: their term is over, which is recorded the first time. */
int cmd_owed_begin(
    struct context *context, bool *over, struct err *err) MUST_USE;
/* A prepare of cmd_run_change_by. */
int cmd_owed_prepare(
    struct context *context, struct cmd_way *way, struct err *err) MUST_USE;
/* Who of them is back? 0 = way says who; an exit status: nobody. */
int cmd_owed_knock(struct context *context, struct cmd_way *way,
    struct lease *lease, struct err *err) MUST_USE;
/* "3 hosts (web1 web2 web3) until 2026-11-29 18:20"; in arena. */
const char *cmd_owed_text(struct arena *arena, const struct change_fold *fold);

/* Does a process run it that is not standing still? */
bool cmd_is_run(const struct context *context, struct lease_seen *seen);
/* --because, or "" where it may be left out. ERR_USAGE when it is too long, or
 * not there. */
int cmd_because(const struct cmd_call *call, bool wanted, const char **because,
    struct err *err) MUST_USE;
/* Append a record beside the run, by the person who types, with a because; the
 * change is loaded anew. */
int cmd_say_beside(struct context *context, enum record_kind kind,
    const char *because, struct err *err) MUST_USE;

#endif
