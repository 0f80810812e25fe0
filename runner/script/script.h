/*
 * Lua on the worker's side: modules, expressions, the scribe. The only user
 * of lua.h. Knows nothing of SSH: a probe asks its host through a `door`.
 *
 * A fresh Lua state for each job, from bytecode that this process compiled
 * itself, in an arena of the job's that is also its memory cap; sealed
 * allow-list world, instruction budget, text chunks only. A probe that waits
 * is parked by the one lua_yieldk wrapper (script/park.c) and resumed by the
 * door's answer. Cancelling drops the arena.
 */
#ifndef HOSHU_SCRIPT_SCRIPT_H
#define HOSHU_SCRIPT_SCRIPT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct script; /* the modules and blobs of one worker */

struct script *script_new(void);
void script_free(struct script *script);

/* Why a job failed; the words of SEAM_FAILED. */
enum script_fault { SCRIPT_MODULE, SCRIPT_BUDGET, SCRIPT_MEMORY };

struct script_failure {
	enum script_fault fault;
	char text[1024]; /* cleansed */
	char file[256];
	int line;
};

/* Compile a module (again: replaces) and check its descriptor: known keys
 * only, functions where functions belong, params well-formed. 0 or -1 with
 * the failure, which script_describe repeats later. */
int script_module(struct script *script, const char *name, struct bytes source,
    struct script_failure *failure);
/* Descriptor JSON as in seam.h; 0 or -1. */
int script_describe(struct script *script, const char *name, struct buf *json,
    struct script_failure *failure);
/* Bytes that a param's {"sha256","size"} means (source files). Copied. */
void script_blob(struct script *script, const char *sha256, struct bytes data);
/* The blob, or a NULL data when it is not here: for remote/ to send. */
struct bytes script_blob_get(const struct script *script, const char *sha256);

/* How a probe asks its host: text is what `ask` of host.sh evaluates. done is
 * called exactly once, later (never from within ask), unless the job is
 * cancelled before. */
struct script_reply {
	int status;	  /* exit status */
	struct bytes out; /* <= 64 KiB */
	struct bytes err;
};
struct script_door {
	void (*ask)(void *state, const char *text, size_t len,
	    void (*done)(void *arg, const struct script_reply *reply),
	    void *arg);
	void *state;
};

/* What SEAM_SEEN carries; borrowed until done returns. params, seen, want and
 * info are JSON always: "null" when there is none (a step that is skipped has
 * no params, one without a probe nothing seen). apply is "" for same, skip
 * and depends; undo is "" too when the module has none. What a probe says it
 * lacks (`depends`) is the verdict depends while data.changed holds a true or
 * a null; otherwise cannot_tell when it told a state as well, and a failure
 * when it did not. */
struct script_seen {
	const char *verdict;
	struct bytes params, seen, want, info, effects, diff, summary, reason,
	    apply, undo;
};

struct script_job;
/* Probe, want, met, apply, undo, effects of one step; params and data are the
 * JSON of SEAM_PROBE (data.pin is handed to the probe too: what a pinned want
 * names is looked at, whatever else would be named today). done is called exactly once, with seen or failure (the
 * other NULL), maybe before this returns; then the job is gone. Gives NULL
 * when done was called already. */
struct script_job *script_probe(struct script *script, const char *module,
    struct bytes params, struct bytes data, const struct script_door *door,
    void (*done)(void *arg, const struct script_seen *seen,
	const struct script_failure *failure),
    void *arg);
void script_cancel(struct script_job *job);

/* EVAL of seam.h: values JSON into out; 0 or -1. */
int script_eval(struct script *script, struct bytes expressions,
    struct bytes data, struct buf *out, struct script_failure *failure);

#endif
