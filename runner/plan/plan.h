/*
 * A plan: what a person wrote, read strictly, immutable afterwards. Reading
 * has two halves, because what a step may say is its module's business:
 *
 *	plan_read(arena, file, text, len, &plan, &err);   // shape
 *	... fetch the descriptors of plan->modules from a worker ...
 *	plan_bind(arena, plan, modules, count, project, &err);  // params
 *
 * Reading the same bytes gives the same plan: a frozen change stores the
 * bytes and reads them again at run time.
 * Knows nothing of hosts, workers or the journal.
 */
#ifndef HOSHU_PLAN_PLAN_H
#define HOSHU_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "yaml/yaml.h"

/* How the way back goes past a step. */
enum step_back {
	STEP_BACK_DERIVED, /* the module writes the undo */
	STEP_BACK_STEPS,   /* rollback: [steps] */
	STEP_BACK_KEEP,	   /* safe to go back past it; because: says why */
	STEP_BACK_STOP,	   /* the way back ends here and asks */
};

/* Part of the bracket round every touch of a host: enter before the first,
 * leave after the checks, on the way there and on the way back. */
enum step_around { AROUND_NOT, AROUND_ENTER, AROUND_LEAVE };

struct guard;

struct step {
	int id;	     /* from 1, unique in the plan, in the text's order:
			       a step, then its rollback steps; handlers last */
	int phase;   /* index */
	int segment; /* of its phase; `flush: true` begins the next */
	struct place place;
	const char *name; /* given, or "MODULE SUBJECT"; unique in the plan;
			       settled by plan_bind where it was not given */
	bool named;	  /* the name was given */
	const char *module;
	struct json *params; /* after plan_bind; strings may hold ${{ }} */
	const char *when;    /* Lua expression, or NULL */
	struct place when_place;
	int *notify; /* ids of handlers, of its own phase and segment */
	size_t notify_count;
	int64_t timeout_ms; /* default 10 m */
	int retry_times;    /* further attempts; 0 = none */
	int64_t retry_every_ms;
	enum step_back back;
	const char *because;
	struct step *back_steps;
	size_t back_count;
	bool reboots; /* the host goes away and comes back: wait for it */
	bool blind;   /* no probe of it can tell whether it was done */
	bool handler;
	struct guard *guard; /* the dead-man that stands round it, or NULL */
	bool of_rollback;    /* is one of another step's back_steps */
	enum step_around around;
	const char *on; /* where it runs: a selector of one host, which may
			   hold ${{ }}; NULL = on the host it is for */
	struct place on_place;
	const struct yaml *yaml; /* the step's map, for plan_bind */
	const struct yaml *module_yaml;
	struct template *templates; /* files that became params' texts */
	size_t template_count;
};

struct template
{
	const char *param;
	const char *file; /* as the plan names it */
	const char *text;
};

/*
 * A dead-man round some steps, which are a segment of their own, and their
 * handlers: the host takes them back by itself unless that was called off in
 * time. What the host is told is launched like a step, so each is one; their
 * ids come behind last_id and they have no module.
 */
enum guard_act { GUARD_ARM, GUARD_ASK, GUARD_CONFIRM, GUARD_BACK, GUARD_ACTS };

struct guard {
	struct place place;
	int number; /* index in the plan's guards */
	int phase, segment;
	int64_t time_ms;
	struct step acts[GUARD_ACTS];
};

enum check_when { CHECK_BEFORE = 1, CHECK_AFTER = 2, CHECK_SOAK = 4 };
enum check_kind { CHECK_HTTP, CHECK_TCP, CHECK_COMMAND, CHECK_SERVICE };

/*
 * spec, by kind:
 *	http     {"url","status"?,"body"?,"ca"?,"verify"?,"header"?}; `http: URL`
 *	         is short for it; ca: a file of the project, its text after
 *	         plan_bind
 *	tcp      {"address","port"}; `tcp: PORT` is short for it; the address is
 *	         "${{ host.address }}" when it is left out
 *	command  {"command":[argv]}
 *	service  {"name"}; `service: NAME` is short for it
 * status is an int; port is an int, or a text when it holds ${{ }}.
 */

struct check {
	int id; /* from 1, in the text's order */
	struct place place;
	int phase;	  /* index of the only phase it is for, -1 = all */
	const char *name; /* given, or "http URL" and so on */
	enum check_kind kind;
	struct json *spec;	 /* strings may hold ${{ }} */
	int at;			 /* of enum check_when; default all three */
	int64_t within_ms;	 /* wait until it passes; 0 = once */
	int64_t every_ms;	 /* between tries; default 5 s */
	int64_t for_ms;		 /* must stay so; 0 = one pass */
	int64_t timeout_ms;	 /* of one try; default 10 s */
	const struct yaml *yaml; /* what stands behind its kind */
};

enum wave_size { WAVE_COUNT, WAVE_PERCENT, WAVE_REST };

struct wave {
	struct place place;
	const char *name; /* given, or "wave N" */
	enum wave_size size;
	int amount;	/* hosts, or percent of the phase's hosts */
	const char *of; /* selector that narrows it, or NULL */
	struct place of_place;
	const char *per; /* so many of each group: "impact", or a variable of
			    hosts; NULL = of all */
	struct place per_place;
	int at_once; /* hosts in flight; 0 = all of the wave */
	int64_t soak_ms;
};

/* A limit: reached = stop. Percent is of the phase's hosts, rounded down, at
 * least 1. */
struct limit {
	bool set;
	bool percent;
	int amount;
	struct place place;
};

enum back_scope {
	BACK_HOST, /* that host goes back */
	BACK_WAVE,
	BACK_CHANGE,
	BACK_HOLD, /* nothing goes back; a person decides */
	BACK_NONE, /* risk: emergency only */
};

enum plan_risk { RISK_STANDARD, RISK_NORMAL, RISK_EMERGENCY };

struct spread { /* never more than `most` hosts of one value in flight */
	const char *key; /* a host variable */
	int most;
	struct place place;
};

struct named_text { /* vars: and inputs: */
	const char *name;
	const char *text;  /* vars: value; inputs: default or NULL */
	const char *match; /* inputs: pattern, or NULL */
	struct place place;
};

/* A person's signed word before the first host of a phase. */
struct plan_ask {
	struct place place;
	const char *role; /* of hoshu.yml; NULL = whoever may sign */
	struct place role_place;
	const char *say; /* the question; may hold ${{ inputs.x }} */
	struct place say_place;
	int64_t within_ms; /* without an answer till then, the change holds */
};

/*
 * A phase: a barrier before and behind it. Its order is what a host goes
 * through on the way there: each segment's steps, then its handlers.
 */
struct phase {
	const char *name; /* "" for plain steps: */
	struct place place;
	const char *targets; /* selector */
	struct place targets_place;
	struct plan_ask *ask; /* NULL = nobody is asked */
	struct wave *waves;   /* one of all hosts where none are said */
	size_t wave_count;
	struct step *steps;
	size_t step_count;
	struct step *enter, *leave; /* around: */
	size_t enter_count, leave_count;
	struct step **order; /* enter first; leave comes after the checks */
	size_t order_count;
};

struct plan_used { /* a file of steps */
	const char *name;
	struct bytes text;
};

struct plan {
	const char *file;
	struct plan_used *used;
	size_t used_count;
	const char *change; /* the title; may hold ${{ inputs.x }} */
	struct place change_place;
	const char *reason;
	enum plan_risk risk;
	int64_t later_ms; /* hosts that are away are owed for so long; 0 = they
			     are not. RISK_EMERGENCY only */
	bool unpreviewed; /* so are those away at the preview. The same */
	struct named_text *inputs;
	size_t input_count;
	struct named_text *vars;
	size_t var_count;
	struct phase *phases; /* one for plain steps: */
	size_t phase_count;
	/* A handler is a step of its own in each segment that notifies it. */
	struct step *handlers;
	size_t handler_count;
	struct check *checks;
	size_t check_count;
	struct limit failed, unreachable, excluded;
	struct limit unreverted;     /* of the way back, where it pauses */
	enum back_scope host_failed; /* default BACK_HOST */
	enum back_scope limit;	     /* default BACK_CHANGE */
	struct spread *spreads;
	size_t spread_count;
	struct guard **guards;
	size_t guard_count, guard_cap;
	struct step **by_id; /* by_id[0] is NULL */
	int last_id;
	int last_act;	      /* >= last_id: the acts of guards stand between */
	const char **modules; /* names used, sorted */
	struct place *module_places; /* of the first use */
	size_t module_count;
};

int plan_read(struct arena *arena, const char *file, const char *text,
    size_t len, struct plan **out, struct err *err) MUST_USE;
/* The bytes of a file that the plan uses: name is what the plan says, path is
 * from where the plan's own file was named. They are copied. */
typedef int plan_use(void *arg, const char *name, const char *path,
    struct bytes *out, struct err *err);
/* The same for a plan that may use other files; their texts are in plan->used
 * then. plan_read refuses them. */
int plan_read_using(struct arena *arena, const char *file, const char *text,
    size_t len, plan_use *use, void *arg, struct plan **out,
    struct err *err) MUST_USE;

/* A module as plan_bind needs it: descriptor as DESCRIBED gives it. */
struct plan_module {
	const char *name;
	const struct json *descriptor;
};
/*
 * Check every step's params against its module's descriptor and fill
 * step->params, the descriptor's defaults among them. Types: string int bool
 * enum list (of strings; one text is a list of one) map (of strings) any;
 * source (a file of the project, <= 16 MiB: becomes {"sha256","size"} and is
 * handed to `blob`), template (a file of the project, <= 1 MiB: becomes its
 * text). A text that holds ${{ }} stays a text; what it must be is judged
 * after evaluation. blob is called once for each content of a source file
 * with its bytes. Also refused here, because only the descriptor tells: retry:
 * where the module knows `unless` and there is none, no rollback: where the
 * module has no undo (unless nothing goes back), ${{ }} in a param that the
 * descriptor calls literal (a shell's text).
 */
int plan_bind(struct arena *arena, struct plan *plan,
    const struct plan_module *modules, size_t count, const char *files_folder,
    int (*blob)(
	void *arg, const char *sha256, struct bytes content, struct err *err),
    void *arg, struct err *err) MUST_USE;

/* Every ${{ }} and when: of the plan with its place, for a compile-only EVAL:
 * calls fn for each ({"lua":..} style when bare is true). */
int plan_expressions(const struct plan *plan,
    int (*fn)(void *arg, const char *text, bool bare, struct place place,
	struct err *err),
    void *arg, struct err *err) MUST_USE;

/* Does the step run again on the way back instead of being undone? A handler
 * does, and the steps of around:. */
bool plan_runs_again(const struct step *step);
/* Is it what a guard tells the host, and no step of the plan's text? */
bool plan_is_guard_act(const struct step *step);
/* Which of the acts it is then. */
enum guard_act plan_guard_act(const struct step *step);

/* The limit in hosts for a phase of so many; INT_MAX when it is not set. */
int plan_limit_hosts(const struct limit *limit, int phase_hosts);
const char *plan_risk_name(enum plan_risk risk);
const char *plan_back_name(enum back_scope scope);
const char *plan_check_kind_name(enum check_kind kind);

#endif
