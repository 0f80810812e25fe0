/*
 * What the files of plan/ share with each other and nobody else: the reader
 * that goes through one plan, and small readers of values.
 */
#ifndef HOSHU_PLAN_PARTS_H
#define HOSHU_PLAN_PARTS_H

#include "plan/plan.h"

enum {
	PLAN_STEPS_MAX = 1000, /* handlers and rollback steps among them */
	PLAN_WAVES_MAX = 100,
	PLAN_PHASES_MAX = 50,
	PLAN_CHECKS_MAX = 100,
	PLAN_TITLE_MAX = 200, /* bytes; it stands on one line of a statement */
	PLAN_NAME_MAX = 100,
	PLAN_REASON_MAX = 4000,
	PLAN_HOSTS_MAX = 100000,
};

/* A key that is known and refused. */
#define FIELD_NOT_YET(name)                                                    \
	{                                                                      \
		.key = (name), .want = YAML_NOT_YET                            \
	}

struct plan_reader {
	struct arena *arena;
	struct plan *plan;
	plan_use *uses; /* NULL = no other file may be used */
	void *uses_arg;
};

/* reuse.c: a list of steps with each: and use: put out of the way. */
int plan_reuse(struct plan_reader *reader, const struct yaml *list,
    struct yaml **out, struct err *err) MUST_USE;
/* uses.c: the text of a file that is used, borrowed from the plan. */
int plan_used_text(struct plan_reader *reader, const struct yaml *name,
    const char **text, size_t *len, struct err *err) MUST_USE;
const char *plan_used_path(const struct plan_reader *reader, const char *name);

/* read.c -> the other parts; each fills its part of reader->plan */
/* phases.c: targets:, waves:, steps: and checks: of a plan of one phase (list
 * NULL), or of each phase; then the handlers. */
struct plan_parts {
	const struct yaml *phases;
	const struct yaml *targets, *ask, *waves, *around,
	    *steps; /* without phases: */
	const struct yaml *handlers, *checks;
};
int plan_read_phases(struct plan_reader *reader, const struct yaml *root,
    const struct plan_parts *parts, struct err *err) MUST_USE;
/* asks.c: map may be NULL. */
int plan_read_ask(struct plan_reader *reader, struct phase *phase,
    const struct yaml *map, struct err *err) MUST_USE;
/* ask: where none can be; node may be NULL. */
int plan_refuse_ask(const struct yaml *node, struct err *err) MUST_USE;
/* list may be NULL: one wave of all hosts. */
int plan_read_waves(struct plan_reader *reader, struct phase *phase,
    const struct yaml *list, struct err *err) MUST_USE;
int plan_read_limits(struct plan_reader *reader, const struct yaml *map,
    struct err *err) MUST_USE;
int plan_read_rollback(struct plan_reader *reader, const struct yaml *node,
    struct err *err) MUST_USE;
int plan_read_spread(struct plan_reader *reader, const struct yaml *map,
    struct err *err) MUST_USE;
/* phase -1: of the whole plan; list may be NULL. More than one call adds. */
int plan_read_checks(struct plan_reader *reader, const struct yaml *list,
    int phase, struct err *err) MUST_USE;
/* When all are read: none that can never run. */
int plan_check_checks(const struct plan *plan, struct err *err) MUST_USE;
/* check_specs.c: fill check->spec from what stands behind its kind. */
int plan_read_spec(struct arena *arena, struct check *check,
    const struct yaml *node, struct err *err) MUST_USE;
/* The steps of one phase. */
int plan_read_steps(struct plan_reader *reader, int phase,
    const struct yaml *list, struct err *err) MUST_USE;
/* around: of one phase; enter before the phase's steps are read, leave after,
 * so that ids are in the order in which things run. */
int plan_read_around(struct plan_reader *reader, int phase,
    const struct yaml *map, enum step_around side, struct err *err) MUST_USE;
/* steps.c: one more step of the phase; there must be room for it. */
int plan_read_step(struct plan_reader *reader, int phase, int segment,
    const struct yaml *map, struct err *err) MUST_USE;
/* guards.c: "- guard: 5m" with its steps; how many they are, 0 = no guard. */
size_t plan_guard_steps(const struct yaml *map);
int plan_read_guard(struct plan_reader *reader, int phase, int segment,
    const struct yaml *map, struct err *err) MUST_USE;
/* guard: where none can be. */
int plan_refuse_guard(const struct yaml *map, struct err *err) MUST_USE;
/* Give ids to the acts, once last_id is known, and put them into by_id. */
void plan_number_guards(struct plan *plan);
/* One step that is a handler, named by its key. */
int plan_read_handler(struct plan_reader *reader, struct step *step,
    const struct yaml *key, const struct yaml *map, struct err *err) MUST_USE;
/* handlers.c, when every phase's steps are read: an instance of each handler
 * (map, or NULL) in each segment that notifies it; who notifies whom; by_id,
 * modules, and each phase's order. */
int plan_read_handlers(struct plan_reader *reader, const struct yaml *map,
    struct err *err) MUST_USE;

/* step.c: one step; what names it in messages. */
enum step_place { STEP_FORWARD, STEP_OF_ROLLBACK, STEP_HANDLER, STEP_AROUND };
int step_read(struct plan_reader *reader, struct step *step,
    const struct yaml *map, enum step_place where, const char *what,
    struct err *err) MUST_USE;
/* Is this a key of every step (built or not yet)? */
bool step_key_known(const char *key);
/* The near one of them, or NULL. */
const char *step_key_near(const char *key);
/* when: is an expression; node may be NULL. */
int step_check_when(const struct yaml *when, struct err *err) MUST_USE;

/* names.c */
/* Give "MODULE SUBJECT" to each step without a name, unique; descriptors may
 * be missing (modules NULL): then the subject is the first text. */
void plan_name_steps(struct arena *arena, struct plan *plan,
    const struct plan_module *modules, size_t count);
/* No name twice, no name that stands for something else in a statement. */
int plan_check_names(const struct plan *plan, struct err *err) MUST_USE;
/* changed("X") in when: names a step that comes before. */
int plan_check_changed(const struct plan *plan, struct err *err) MUST_USE;
/* The step of that name, or NULL. */
const struct step *plan_step_named(const struct plan *plan, const char *name);

/* words.c: values. what names the key in messages. */
bool text_has_expression(const char *text);
/* One line without control characters, at most max bytes, not empty. */
int word_line(const struct yaml *node, const char *what, size_t max,
    struct err *err) MUST_USE;
/* Refuse ${{ }} where nothing evaluates it. */
int word_plain(
    const struct yaml *node, const char *what, struct err *err) MUST_USE;
/* A name that expressions can reach: vars.NAME. */
int word_name(
    const struct yaml *node, const char *what, struct err *err) MUST_USE;
/* "N" or "N%"; N from 1 to max, percent from 1 to 100. */
int word_amount(const struct yaml *node, const char *what, int *amount,
    bool *percent, struct err *err) MUST_USE;
/* The duration at key is within [min, max]; keys that are missing pass. */
int word_range(const struct yaml *map, const char *key, int64_t ms,
    int64_t min_ms, int64_t max_ms, struct err *err) MUST_USE;
/* The node must be an (un)empty list of at most max things. */
int word_list(const struct yaml *node, const char *what, size_t max,
    struct err *err) MUST_USE;
/* The place of a key, or of the map when it has none. */
struct place word_place(const struct yaml *map, const char *key);
/* " (did you mean 'x'?)", or "": for the end of a message. In arena. */
const char *word_hint(struct arena *arena, const char *near);

/* bind.c's helpers */
struct bind {
	struct arena *arena;
	const char *files_folder;
	int (*blob)(void *arg, const char *sha256, struct bytes content,
	    struct err *err);
	void *arg;
	const char **given; /* digests of blobs handed out */
	size_t given_count, given_cap;
};
/* params.c: one value by its descriptor's entry. what: "file: path". */
int bind_value(struct bind *bind, struct step *step, const char *name,
    const struct json *param, const struct yaml *node, const char *what,
    struct json **out, struct err *err) MUST_USE;
/* files.c: a file below files_folder, named by node. */
int bind_file(struct bind *bind, const struct yaml *node, const char *what,
    size_t max_bytes, struct buf *out, struct err *err) MUST_USE;
int bind_source(struct bind *bind, const struct yaml *node, const char *what,
    struct json **out, struct err *err) MUST_USE;
/* Its text must be UTF-8 without NUL. */
int bind_text(struct bind *bind, const struct yaml *node, const char *what,
    const char **text, struct err *err) MUST_USE;

#endif
