/*
 * The fold: the state of one change, made from its records and from nothing
 * else. One fold_record() serves a live run and a resume: memory moves when a
 * record is appended, actions wait until it is durable.
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

/* What a host's part came to, or how far it is. */
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
	int attempts; /* intents so far */
	int sealed;   /* those of them that never ran */
	int undo_attempts;
	char xid[33];	      /* of the last intent, in either direction */
	char life[128];	      /* the life it was launched in */
	char seen[65];	      /* digest of the state before the first attempt */
	char after[65];	      /* digest of the state after it was done */
	char undo_script[65]; /* digest of the undo fixed with the intent */
	char want[65];	      /* digest of what it was to become */
	char uptime[24];      /* of the host when it ended, seconds */
};

struct host_fold {
	const char *name;
	char life[128];	 /* of the last connection */
	char opened[24]; /* uptime at the first connection of that life */
	enum host_state state;
	bool touched;		 /* has an intent record */
	bool failed;		 /* counts against limits.failed */
	bool unreachable;	 /* counts against limits.unreachable */
	bool excluded;		 /* counts against limits.excluded */
	int wave;		 /* from 1; 0 = none */
	int kept;		 /* steps kept on the way back */
	struct step_fold *steps; /* by step id; [0] unused */
};

enum wave_state { WAVE_WAITING, WAVE_STARTED, WAVE_SOAKING, WAVE_ENDED };

struct approval_fold {
	bool rejects;
	int64_t number;
	int64_t wall_ms;
	const char *statement, *signature, *person, *fingerprint;
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
	struct host_fold *hosts;
	size_t host_count;
	enum wave_state *waves; /* [1..wave_count] */
	size_t wave_count;
	int64_t soak_from_ms; /* wall time at which the soaking wave began to */
	bool limit_reached;
	const char *limit_text;
	int step_count; /* last step id */
	struct approval_fold *approvals;
	size_t approval_count, approval_cap;
	struct arena *arena; /* borrowed */
};

/* A fold of nothing. Everything it grows lives in arena. */
void fold_init(struct change_fold *fold, struct arena *arena, int number);
/*
 * Give the fold its hosts, waves and steps, before the first record that names
 * one (they stand in the frozen change, which a record names by digest). A
 * fold without a shape passes over what is about hosts and waves: enough for
 * a list of changes. Names are borrowed.
 */
void fold_shape(struct change_fold *fold, const char *const *hosts,
    const int *host_waves, size_t host_count, size_t wave_count, int last_step);
/* Take one record in. -ERR_STORE when the record cannot follow what is there
 * (an outcome without its intent, an intent while another of that host is
 * open, an unknown host). */
int fold_record(struct change_fold *fold, const struct record *record,
    struct err *err) MUST_USE;
struct host_fold *fold_host(struct change_fold *fold, const char *name);

int fold_count_failed(const struct change_fold *fold);
int fold_count_unreachable(const struct change_fold *fold);
int fold_count_excluded(const struct change_fold *fold);

const char *change_state_word(enum change_state state);
const char *host_state_word(enum host_state state);
const char *step_state_word(enum step_state state);
const char *undo_state_word(enum undo_state state);

#endif
