/*
 * What the files of script/ share: one sealed Lua state (a box), values,
 * expressions, the scribe, a job. Nobody outside script/ includes this but
 * the tests of script/.
 *
 * Functions marked "raises" may long-jump out by lua_error: they are called
 * inside box_run only, and hold nothing that malloc gave and nobody owns.
 */
#ifndef HOSHU_SCRIPT_INSIDE_H
#define HOSHU_SCRIPT_INSIDE_H

#include <lua.h>
#include <lauxlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "match/match.h"
#include "script/script.h"

enum {
	HEAP_CAP = 16 << 20,   /* bytes of Lua values in one job */
	BOX_BUDGET = 20000000, /* Lua instructions in one job */
	BOX_CPU_MS = 500,      /* CPU of one job, waits left out */
	STATE_MAX = 64 * 1024, /* canonical bytes of a probe's state */
	ASK_MAX = 16 * 1024,   /* what `ask` of host.sh takes in line */
	ASKS_MAX = 256,	       /* questions of one probe */
	READ_MAX = 32 * 1024,  /* host:read, and files shown as a diff */
	INLINE_MAX = 8 * 1024, /* a source file inside a script */
	SCRIPT_MAX = 1 << 20,  /* one script */
	DIFF_MAX = 16 * 1024,
	SUMMARY_MAX = 160, /* one line about a step */
	VALUE_DEPTH = 32,
};

/* heap.c: the memory of one Lua state, dropped whole. */
enum { HEAP_CLASSES = 26 };
struct heap {
	size_t used, cap;
	bool refused; /* an allocation was refused */
	char *at;     /* the rest of the newest chunk */
	size_t left;
	struct heap_chunk *chunks;
	struct heap_big *bigs;
	void *free[HEAP_CLASSES];
};
/* A lua_Alloc; state is the heap. */
void *heap_realloc(void *state, void *old, size_t old_size, size_t size);
void heap_drop(struct heap *heap);

/* box.c: one sealed state. */
struct box {
	struct script *script; /* borrowed */
	struct heap heap;
	struct arena *arena; /* C's side of the job */
	lua_State *L;
	int64_t budget;
	int64_t cpu_left_ns;	/* while it waits */
	int64_t burst_until_ns; /* of this thread's CPU time, while it runs */
	bool spent;
	char where[256]; /* of the last error: "FILE" and line */
	int line;
	bool waits; /* an expression asked changed() of a step that is
			    not known yet */
	char waits_for[256];
	struct {
		char *pattern, *flags;
		struct match *match;
	} * matches;
	size_t match_count;
};
void box_open(struct box *box, struct script *script);
void box_close(struct box *box);
struct box *box_of(lua_State *L);
/* fn(L) with arg as light userdata at index 1, protected. 0 or -1 and the
 * failure. Results are dropped: fn leaves what it made in arg. */
int box_run(struct box *box, lua_CFunction fn, void *arg,
    struct script_failure *failure);
/* The failure that the error value on top of L stands for; pops it. */
void box_failure(struct box *box, lua_State *L, struct script_failure *failure);
/* Around each stretch of Lua: its CPU time counts. */
void box_burst(struct box *box);
void box_rest(struct box *box);
/* The failure of a fiber that was left where it stood. */
void box_spent(const struct box *box, struct script_failure *failure);
/* Take n instructions from the budget. Raises when it is spent. */
void box_charge(lua_State *L, int64_t n);
/* Load text (mode "t") or own bytecode ("b"); the sealed world is its _ENV.
 * Raises. [-0, +1] */
void box_load(
    lua_State *L, struct bytes chunk, const char *name, const char *mode);
/* message handler: notes where the error was */
int box_where(lua_State *L);

/* world.c: the allow list that modules and expressions see. Raises.
 * [-0, +1]: the read-only proxy */
void world_push(lua_State *L);
/* stock.c: Lua's own, otherwise. The function that they stand for is their
 * upvalue, but for tostring and pairs. All raise. */
int stock_tostring(lua_State *L);
int stock_format(lua_State *L);
int stock_rep(lua_State *L);
/* any string function that goes over all of its text in C */
int stock_costly(lua_State *L);
int stock_concat(lua_State *L);
/* table.insert and table.remove */
int stock_shift(lua_State *L);
int stock_pairs(lua_State *L);
/* string.find, match, gmatch, gsub with a bound (strings.c): set in the table
 * on top. */
void strings_set(lua_State *L);
/* Lines of a diff of two texts, for people. NULL when they are equal. */
const char *textdiff_lines(
    struct arena *arena, struct bytes before, struct bytes after);

/* values.c: Lua values and JSON. All raise. */
int values_set(lua_State *L);
int values_list(lua_State *L);
int values_map(lua_State *L);
int values_digest(lua_State *L);
/* what names the value in errors ("state"). */
struct json *values_to_json(
    lua_State *L, int index, struct arena *arena, const char *what);
/* With a path ("vars"), a missing key of a map is an error that names it.
 * [-0, +1] */
void values_push(lua_State *L, const struct json *value, const char *path);
struct bytes values_canonical(struct arena *arena, const struct json *value);
/* Run a text chunk in a sealed world; its value as JSON in arena. For tables
 * written as Lua (a module's test.lua). 0 or -1. */
int values_of_chunk(struct arena *arena, const char *name, struct bytes source,
    struct json **value, struct script_failure *failure);

/* eval.c */
struct eval {
	const struct json *data; /* of PROBE; NULL = compile only */
};
/* Raises; jumps into box->waits. All strings of value with ${{ }} done. */
struct json *eval_json(
    lua_State *L, const struct eval *eval, const struct json *value);
/* A bare expression; its value, JSON_NULL for nil. */
struct json *eval_bare(
    lua_State *L, const struct eval *eval, const char *text, size_t len);

/* compile.c, descriptor.c */
struct param {
	const char *name;
	const char *type;
	bool required;
	bool literal;
	const char **words;
	size_t word_count;
	const char *pattern;
	struct match *match;
	const struct json *otherwise; /* default, or NULL */
};
struct module {
	char *name;
	struct arena *arena;
	struct bytes code; /* bytecode; empty when it does not compile */
	struct json *descriptor;
	struct param *params;
	size_t param_count;
	struct script_failure failure; /* text "" = none */
	struct module *next;
};
struct module *script_find(const struct script *script, const char *name);
/* The descriptor table on top of L, checked, as JSON in arena. Raises. */
struct json *descriptor_check(
    lua_State *L, const char *module, struct arena *arena);
/* module->params from module->descriptor. 0 or -1. */
int descriptor_params(struct module *module, struct script_failure *failure);
/* Fill defaults and check evaluated params against the descriptor; gives the
 * whole map in arena. 0 or -1. */
int descriptor_fit(const struct module *module, const struct json *params,
    struct arena *arena, struct json **out, struct script_failure *failure);

/* scribe.c, shell.c */
struct scribe {
	struct arena *arena;
	const char *title; /* one line, cleansed */
	struct buf body;
	unsigned uses; /* of enum shell_part */
	const char **blobs;
	size_t blob_count, blob_cap;
	bool open;
	bool keeps_nothing; /* nothing goes back: no old content stays */
};
void scribe_start(
    struct scribe *scribe, struct arena *arena, const char *title);
/* The scribe as a Lua value. Raises. [-0, +1] */
void scribe_push(lua_State *L, struct scribe *scribe);
/* The whole script; undo is stored on the host before anything else (empty =
 * none). Gives bytes in the arena, NULL data when they are too many. */
struct bytes scribe_finish(struct scribe *scribe, struct bytes undo);
void scribe_drop(struct scribe *scribe);

/* Helpers of a script, written into it when it uses them. */
enum shell_part {
	SHELL_UNDO = 1,
	SHELL_KEEP = 2,
	SHELL_PUT = 4,
	SHELL_LINK = 8,
	SHELL_TEXT = 16,
	SHELL_AS = 32,
	SHELL_BACK = 64,
	SHELL_SAME = 128,
};
void shell_put_parts(struct buf *out, unsigned parts);
/* What stands before them: where things are, standing alone too. */
void shell_put_head(struct buf *out, unsigned parts);

/* host.c: what a probe holds. Raises. [-0, +1] */
struct script_job;
void host_push(lua_State *L, struct script_job *job);

/* park.c: the only lua_yieldk. */
struct wait {
	bool open; /* an ask is out */
	int asks;  /* so far */
	bool answered;
	int status;
	struct bytes out, err; /* in the job's arena */
};
/* Wait for the answer, then go on in next. Raises when nothing can wait
 * here. */
int park_wait(lua_State *L, struct script_job *job, lua_KContext context,
    lua_KFunction next);
/* Send text through the door; the answer resumes the fiber. */
void park_ask(struct script_job *job, const char *text, size_t len);

/* probe.c */
struct script_job {
	struct box box;
	const struct module *module;
	const struct script_door *door;
	struct script_door door_copy;
	void (*done)(void *arg, const struct script_seen *seen,
	    const struct script_failure *failure);
	void *arg;
	lua_State *fiber;
	struct wait wait;
	struct json *params, *data;
	struct bytes params_text, seen, info, want, apply, undo;
	const char *verdict, *reason, *effects, *diff, *summary;
	struct scribe apply_scribe, undo_scribe;
	bool scribes;
	bool probing; /* only then may the host be asked */
	int descriptor_ref;
	bool knows; /* the probe told a state */
	struct json *state, *want_value;
};
/* Go on, at first or with the door's answer. true: it waits for another one;
 * false: done was called, the job is gone. */
bool probe_resume(struct script_job *job);
/* verdict.c: all that follows from what a probe returned, the table on top.
 * Fills the job's answer. Raises. [-1, +0] */
int verdict_make(lua_State *L, struct script_job *job);

/* words.c: texts for people, in the job's arena. */
/* One line without control characters, at most max bytes. */
const char *words_line(struct arena *arena, const char *text, size_t max);
/* "MODULE SUBJECT" and what, in one line. */
const char *words_title(struct script_job *job, const char *what);
/* "KEY: NOW -> THEN" for each key of want that differs. */
const char *words_diff(
    struct arena *arena, const struct json *state, const struct json *want);

#endif
