/*
 * The fold: the state of one change, made from its records and from nothing
 * else. What goes through waves is a *part*: a host in one phase; a host of
 * several phases has a part in each. Records of a host as a whole carry the
 * number of the part's wave in `step`; a step's id tells its phase. One
 * fold_record() serves a live run and a resume: memory moves when a record is
 * appended, actions wait until it is durable.
 *
 * Pure: no I/O, no clock.
 */
#ifndef HOSHU_JOURNAL_FOLD_H
#define HOSHU_JOURNAL_FOLD_H

#include <stdbool.h>

#include "base/arena.h"
#include "journal/record.h"

enum change_state {
	CHANGE_NONE,
	CHANGE_SUBMITTED, /* waits for approvals, or for its run */
	CHANGE_REJECTED,
	CHANGE_RUNNING, /* a run was started and has not ended */
	CHANGE_BACK,	/* going back as a whole */
	CHANGE_ENDED,
};

/* A host in a phase, as the change has it. */
struct part {
	int host;  /* index */
	int phase; /* index */
	int wave;  /* from 1, over all phases */
};

/* What a part came to, or how far it is. */
enum host_state {
	HOST_WAITING, /* not touched, not tried */
	HOST_STARTED,
	HOST_DONE,
	HOST_UNREACHABLE, /* never touched */
	HOST_EXCLUDED,	  /* never touched: a check before, or drift */
	HOST_FAILED,	  /* stands failed */
	HOST_LOST,	  /* gone after its first intent */
	HOST_BACK,	  /* going back */
	HOST_REVERTED,	  /* proved back */
	HOST_STUCK,	  /* not proved back: a person's */
};

enum step_state {
	STEP_WAITING,
	STEP_SAME,    /* met before anything was done */
	STEP_SKIPPED, /* its `when` was false */
	STEP_OPEN,    /* an intent without an outcome */
	STEP_DONE,
	STEP_FAILED,
	STEP_UNKNOWN,
};

enum undo_state {
	UNDO_WAITING,
	UNDO_OPEN,
	UNDO_DONE, /* proved back */
	UNDO_FAILED,
	UNDO_UNKNOWN,
	UNDO_KEPT,
	UNDO_STOPPED,
	UNDO_CONFLICT,
};

struct step_fold {
	enum step_state state;
	enum undo_state undo;
	int attempts;	     /* intents so far */
	int sealed;	     /* those of them that never ran */
	int attempts_before; /* them, as its host last began to go back */
	int undo_attempts;
	int undo_sealed; /* those that never ran, of the present try */
	bool undo_ran; /* one of them may have run and did not prove it back */
	bool unproved; /* undone, and no probe could say so */
	bool blind;    /* no probe could tell what the last one came to */
	bool on_way_back;     /* its last attempt was on the way back */
	bool asked_again;     /* that host is asked now */
	bool unasked;	      /* unknown: the host could not be asked, or said
				 that it runs on */
	char xid[33];	      /* of the last intent, in either direction */
	char ran[33];	      /* of the last intent on the way there */
	char life[128];	      /* the life it was launched in */
	char seen[65];	      /* digest of the state before the first attempt */
	char after[65];	      /* digest of the state after it was done */
	char left[65];	      /* what an undo that failed left; "" = unknown */
	char undo_script[65]; /* digest of the undo fixed with the intent */
	char want[65];	      /* digest of what it was to become */
	char uptime[24];      /* of the host when it ended, seconds */
	char boot[40];	      /* of the host then, as far as was known */
	int64_t launched_ms, ended_ms; /* wall time; the last of each */
};

/* What tells a restart that was before us from one that was not. */
struct life_fold {
	char life[128];	   /* of the last connection */
	char opened[24];   /* uptime at the first connection of that life */
	int64_t opened_ms; /* wall time then */
};

/* Where steps with on: run. */
struct place_fold {
	const char *name;
	struct life_fold now;
};

struct part_fold {
	struct host_fold *host;
	int phase;
	int wave; /* from 1 */
	enum host_state state;
	bool touched;  /* has an intent record */
	bool asking;   /* a check could not tell: it is asked again */
	bool due;      /* settled in a pause: goes on when that is lifted */
	int kept;      /* steps kept on the way back */
	bool was_lost; /* it went away, and was not reached since */
	bool gone;     /* not proved back because it can not be reached */
	bool not_back; /* counts against the limits of the way back */
	int64_t stuck_epoch; /* of the run that could not bring it back */
	struct life_fold now;
	int active_at;		 /* in fold->active */
	struct step_fold *steps; /* the host's */
};

/* What counts is a host, whatever it has done in how many phases. */
struct host_fold {
	const char *name;
	bool failed;	  /* counts against limits.failed */
	bool unreachable; /* counts against limits.unreachable */
	bool excluded;	  /* counts against limits.excluded */
	bool lost;	  /* went away after its first step */
	bool asked;	  /* a person asked for its way back */
	/* digests: of a host that was not previewed, what it was asked then */
	char facts[65], plan_vars[65];
	struct part_fold **parts; /* by phase, NULL where it has none */
	struct step_fold *steps;  /* by step id; [0] unused */
};

enum wave_state { WAVE_WAITING, WAVE_STARTED, WAVE_SOAKING, WAVE_ENDED };

struct approval_fold {
	bool rejects;
	int64_t number;
	int64_t wall_ms;
	const char *statement, *signature, *person, *fingerprint;
};

enum ask_answer { ASK_OPEN, ASK_YES, ASK_NO };

/* A phase's question to a person. */
struct ask_fold {
	int phase;		    /* index */
	int times;		    /* that it was asked */
	bool stands;		    /* it is not due to be asked (again) */
	bool over;		    /* nobody answered in time */
	int64_t asked_ms, until_ms; /* the last time */
	const char *name;	    /* of the phase, "" for plain steps */
	const char *of, *say;	    /* whom, what */
	enum ask_answer answer;	    /* the first there was */
	int64_t answered_ms;
	const char *by, *because;
};

/* Why the run that goes on, goes. */
enum run_way {
	WAY_PLAN,  /* there, and back as the plan's rollback: says */
	WAY_ASKED, /* back, because a person asked */
	WAY_OWED,  /* back, only those that owe it from an earlier run */
};

/* Of one spread rule: parts by the group of their host. */
struct fold_spread {
	const int *group_of; /* by host; borrowed */
	int *held;	     /* by group: they hold a place */
	int *active;	     /* they are in flight */
};

struct change_fold {
	int number;
	int64_t epoch;
	int64_t last_number; /* of the last record folded; -1 = none */
	enum change_state state;
	const char *title;
	const char *submitter;
	const char *frozen; /* digest of the frozen change's bytes */
	int64_t submitted_ms, preview_ms, started_ms, ended_ms;
	const char *result; /* word of RECORD_RUN_ENDED, "" before */
	int status;	    /* its exit status */
	bool settled; /* a person's word came since: it may stand better */
	/* hosts that later: owed at its end: how many, till when, their names */
	int owed;
	int64_t owed_until_ms;
	const char *owed_hosts;
	bool later_run;	 /* this run, or the last, is of hosts owed */
	bool later_over; /* their term is */
	struct host_fold *hosts;
	size_t host_count;
	struct part_fold *parts; /* as the change has them */
	size_t part_count;
	/* counted as parts move (fold_part_set), so that a gate of ten thousand
	 * hosts need not count them each time */
	int states[HOST_STUCK + 1]; /* parts that are so */
	int *active;		    /* indices of those in flight, any order */
	int active_count;
	struct fold_spread *spreads;
	size_t spread_count;
	int64_t moves; /* records so far that a gate may answer to */
	int *by_name;  /* index + 1 of hosts, by hash */
	size_t name_mask;
	size_t phase_count;
	struct place_fold *places; /* that were reached, in any run */
	size_t place_count, place_cap;
	int failed, unreachable, excluded; /* hosts */
	int lost;			   /* of them */
	enum wave_state *waves;		   /* [1..wave_count] */
	size_t wave_count;
	int64_t soak_from_ms; /* monotonic time; 0 = before this boot */
	bool limit_reached;
	const char *limit_text;
	bool back; /* the change as a whole went back, or goes */
	/* said by persons beside the run (fold_control.c) */
	bool paused;   /* nothing new starts */
	bool aborted;  /* the same, for good */
	bool rejected; /* nothing new starts forward */
	int resumed;   /* how often a pause was lifted */
	int64_t paused_ms;
	const char *paused_by, *paused_because; /* "hoshu": a check asks */
	const char *aborted_by, *aborted_because;
	const char *rejected_by;
	struct ask_fold *asks; /* of phases that have asked */
	size_t ask_count, ask_cap;
	enum run_way way;
	bool asked_all;	 /* WAY_ASKED: every host, not those marked */
	bool back_limit; /* of this run's way back: it pauses */
	const char *back_limit_text;
	int step_count;	       /* last step id */
	int act_count;	       /* last id that is launched like a step */
	const int *step_phase; /* by id; NULL = all are of the first */
	struct approval_fold *approvals;
	size_t approval_count, approval_cap;
	struct arena *arena; /* borrowed */
};

/* A fold of nothing. Everything it grows lives in arena. */
void fold_init(struct change_fold *fold, struct arena *arena, int number);

struct fold_shape {
	const int *const *spread_of; /* by spread rule, then host: its group */
	size_t spread_count;
	const char *const *hosts; /* names */
	size_t host_count;
	const struct part *parts;
	size_t part_count;
	size_t phase_count, wave_count;
	int last_step;
	int last_act; /* of what is launched like a step; 0 = last_step */
	const int *step_phase; /* by id; NULL = all are of the first */
};
/*
 * Give the fold its hosts, waves and steps, before the first record that names
 * one (they stand in the frozen change, which a record names by digest). A
 * fold without a shape passes over what is about hosts and waves: enough for
 * a list of changes. Names and step_phase are borrowed.
 */
void fold_shape(struct change_fold *fold, const struct fold_shape *shape);
/* Take one record in. -ERR_STORE when the record cannot follow what is there
 * (an outcome without its intent, an intent while another of that host is
 * open, an unknown host). */
int fold_record(struct change_fold *fold, const struct record *record,
    struct err *err) MUST_USE;
/* Is it in flight? Does it hold a place of at_once and spread? Failed, unknown
 * and stuck hosts do, so that capacity never erodes; one proved back does not. */
bool fold_is_active(enum host_state state);
bool fold_holds_place(enum host_state state);
struct host_fold *fold_host(struct change_fold *fold, const char *name);

/* The part in which a host goes through a step; NULL when it does not. */
const struct part_fold *fold_step_part(
    const struct change_fold *fold, const struct host_fold *host, int step);
/* Does nothing happen to it, and nothing will before a person says so? Then a
 * person may settle its unknown steps. */
/* Uptime of that place at the first connection of the life it has; "" when it
 * was never reached. */
const char *fold_place_opened_at(
    const struct change_fold *fold, const char *name);
bool fold_part_rests(const struct part_fold *part);
/* What that phase (index) asked; NULL = nothing yet. */
const struct ask_fold *fold_ask(const struct change_fold *fold, int phase);
/* The question that a person may answer now, also where the time is over;
 * there is one at most, for the next phase waits. Or NULL. */
const struct ask_fold *fold_ask_open(const struct change_fold *fold);
/* The one that was answered with no, or NULL. */
const struct ask_fold *fold_ask_no(const struct change_fold *fold);
/* Was it never touched, and could it still come through its phase? Then `run
 * --remaining` tries it. */
bool fold_part_left(const struct part_fold *part);
const char *change_state_word(enum change_state state);
const char *host_state_word(enum host_state state);
const char *step_state_word(enum step_state state);
const char *undo_state_word(enum undo_state state);

#endif
