/*
 * A change: a plan with everything that it means fixed: hosts, variables,
 * module sources, files, the preview and the very scripts. A preview makes
 * one; submit freezes it as one canonical JSON document whose digest is what
 * people approve; run loads it back and checks every digest on the way.
 *
 * Knows nothing of workers and asks no host.
 */
#ifndef HOSHU_CHANGE_CHANGE_H
#define HOSHU_CHANGE_CHANGE_H

#include <stdbool.h>

#include "approval/approval.h"
#include "base/json.h"
#include "change/blobs.h"
#include "journal/fold.h"
#include "plan/plan.h"

/* What a probe said of one step on one host. */
enum change_verdict {
	CHANGE_SAME,
	CHANGE_CHANGES,
	CHANGE_SKIP,
	CHANGE_DEPENDS,	    /* its script comes at run time */
	CHANGE_CANNOT_TELL, /* cannot be predicted; its script is fixed */
};

/* One step on one host as previewed. Digests name blobs; "" = nothing. */
struct change_step {
	enum change_verdict verdict;
	const char *seen, *want;    /* canonical JSON */
	const char *apply, *undo;   /* scripts */
	const char *effects, *diff; /* lines for people */
	const char *summary;	    /* one line */
	const char *reason;	    /* of depends and cannot tell */
	int place; /* where it runs: index of places, -1 = on its host */
};

struct change_host {
	const char *name, *address, *user, *become;
	int port;
	struct json *groups;   /* list */
	struct json *vars;     /* map, from the inventory */
	const char *facts;     /* digest of canonical JSON */
	const char *plan_vars; /* the same: the plan's vars: of this host */
	const char *readonly;  /* plain | enforced | gaps: how it was asked */
	const char *gaps;
	int *waves;	     /* by phase: from 1, 0 = it takes no part */
	const char *trouble; /* why it could not be previewed; "" = it was */
	const char *away;    /* unpreviewed: allow, and it could not be reached;
			     its steps are rules then. "" or NULL = it could */
	struct change_step *steps; /* by step id */
	const char **guards; /* by number: the way back that the host takes by
				itself, a script; "" = nothing changes there */
};

struct change_wave {
	const char *name;
	int phase;   /* index */
	int at_once; /* >= 1 */
	int64_t soak_ms;
	int *parts; /* indices, in the inventory's order */
	size_t count;
};

struct change_module {
	const char *name;
	const char *sha256;
};

/* What is asked before a phase, of whom. */
struct change_ask {
	const char *role;     /* "" = of whoever may sign */
	const char **persons; /* who hold it, as the project had them */
	size_t person_count;
	const char *say;
};

struct change {
	int number;	    /* 0 = not submitted */
	const char *digest; /* of the frozen document; "" before */
	const char *title;
	struct plan *plan;
	const char *plan_sha256;
	struct json *inputs; /* map of texts */
	struct change_host *hosts;
	size_t host_count;
	struct change_wave *waves; /* [0..wave_count), phase by phase */
	size_t wave_count;
	struct change_host *places; /* where on: leads; hosts without steps */
	size_t place_count;
	struct change_ask *asks; /* by phase, empty where its plan asks nothing;
				    NULL = it does nowhere */
	struct part *parts;	 /* phase by phase, in the inventory's order */
	size_t part_count;
	int *phase_hosts; /* by phase: how many hosts it has */
	/* by spread rule, then by host: hosts of one number share its value */
	const int **spread_of;
	struct change_module *modules;
	size_t module_count;
	struct json *files; /* list of {"sha256","size"} */
	int approvals;	    /* persons needed */
	bool solo;
	int in_flight;	    /* the hard bound shown before approval */
	int *back_limits;   /* by phase, as frozen; NULL = not frozen yet */
	int64_t preview_ms; /* wall time at which the preview was whole */
	struct blobs *blobs;
};

const char *change_verdict_word(enum change_verdict verdict);
/* What changed("step") is before the step ran: 'y', 'n', or '?'. */
char change_foretold(enum change_verdict verdict);
/* "CHG-0007" into out (>= 16 bytes). */
const char *change_name(int number, char out[16]);
/* 7 for "CHG-0007", "chg-7" or "7"; 0 when it is none. */
int change_number(const char *text);

/* The host of a part. */
const struct change_host *change_part_host(
    const struct change *change, int part);
/* Hosts of a phase. */
int change_phase_hosts(const struct change *change, int phase);
/* Hosts of a phase that are not brought back, at which the way back pauses. */
int change_back_limit(const struct change *change, int phase);
/* Steps of every host as they are before anybody was asked. */
void change_blank_steps(struct arena *arena, struct change *change);
/* Where the step runs for that host: a place, or the host itself. */
const struct change_host *change_where(const struct change *change,
    const struct change_host *host, const struct step *step);
/* Those that are connected, by their number in the fleet: the hosts, then the
 * places. One that is both is there twice. */
const struct change_host *change_reached(
    const struct change *change, size_t index);
/* Does the host go through this step's phase? */
bool change_has_step(const struct change_host *host, const struct step *step);
/* away.c: was it not previewed, and may be changed all the same? How many are
 * so; their names, "2 hosts: web3 web4", or NULL. */
bool change_is_away(const struct change_host *host);
int change_away_hosts(const struct change *change);
const char *change_not_previewed(
    struct arena *arena, const struct change *change);
/* Its steps then: what each will do is made at run time. */
void change_away_steps(const struct change *change, struct change_host *host);
/* What an EVAL of the plan's vars: answered, as a map. */
int change_vars_map(struct arena *arena, const struct plan *plan,
    struct bytes values, struct buf *out, struct err *err) MUST_USE;
/* Make parts, and each wave's list of them, from the hosts' waves. */
void change_make_parts(struct arena *arena, struct change *change);
/* The same as the fold wants it; in arena. */
void change_shape(
    struct arena *arena, const struct change *change, struct fold_shape *shape);

/* "5m round STEP; STEP, 2m round STEP", or NULL where there is no guard. */
const char *change_dead_man(struct arena *arena, const struct change *change);
/* ---- asks.c ---- */
/* What is asked before that phase (index), or NULL. */
const struct change_ask *change_ask(const struct change *change, int phase);
/* May that person answer it? Not who submitted the change, but for solo. */
bool change_may_answer(const struct change *change,
    const struct change_ask *ask, const char *submitter, const char *person);
/* "dba (carol, dave)", or "an approver". */
void change_put_asked(struct buf *out, const struct change_ask *ask);
/* The same of all phases, each with its question, on one line; NULL where
 * nobody is asked. */
const char *change_asks(struct arena *arena, const struct change *change);
/* Their list in the frozen document, and back; ERR_STORE. */
struct json *change_freeze_asks(
    struct arena *arena, const struct change *change);
int change_thaw_asks(struct arena *arena, struct change *change,
    const struct json *list, struct err *err) MUST_USE;

/*
 * Make host->guards (an array of the plan's) of what the steps were previewed
 * to do; refused where a way back is not known before.
 */
int change_make_guards(const struct change *change, struct change_host *host,
    struct err *err) MUST_USE;
/* What the host is to be told: a script for a launch. arm: xids are the keys
 * under which anything under the guard may be launched. */
int change_guard_script(struct buf *out, const struct change *change,
    const struct change_host *host, const struct step *act,
    const char (*xids)[33], size_t xid_count, struct err *err) MUST_USE;

/* The frozen document (canonical JSON) and its digest, put into the blobs. */
void change_freeze(struct arena *arena, struct change *change);
/* Read a frozen document back; every digest is checked and the plan is read
 * again from its stored bytes, with its params as they were bound then. Everything lives in arena. */
int change_thaw(struct arena *arena, const char *digest, struct blobs *blobs,
    struct change **out, struct err *err) MUST_USE;

/* Fill what a statement says of the change: all but decision, person, times
 * and nonce. Lives in arena. */
void change_statement(struct arena *arena, const struct change *change,
    struct statement *statement);
/* Names of the steps that the way back goes past or stops at, or that have
 * none on some host ("none"). */
const char *change_not_taken_back(
    struct arena *arena, const struct change *change);

/*
 * data of a PROBE, CHECK or EVAL (see seam.h) for one host. step may be NULL;
 * before and pin may be NULL. changed: one char a step id, 'y' 'n' '?',
 * '-' = not come to yet.
 */
void change_data(struct buf *out, const struct change *change,
    const struct change_host *host, struct bytes facts, struct bytes plan_vars,
    const struct step *step, const char *changed, const char *before,
    struct bytes pin);

#endif
