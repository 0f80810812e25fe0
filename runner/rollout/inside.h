/*
 * What the files of the driver share; nobody outside rollout/ includes it.
 *
 *	run.c        the change: gate, waves, the end
 *	record_run.c what is written of it
 *	soak_run.c   checks while a wave soaks
 *	control_run.c the lease, and what others say of the change meanwhile
 *	host_run.c   a host: does what the machine says
 *	reach_run.c  its connection, and what its loss comes to
 *	place_run.c  where a step with on: runs
 *	probe_run.c  asking about a step
 *	launch_run.c intent, launch, probe behind it, judge; settling
 *	output_run.c what a step printed, into the journal
 *	drift_run.c  is the host still as it was previewed?
 *	facts_run.c  facts of a host that was away at the preview
 *	step_run.c   a step on the way there
 *	undo_run.c   a step on the way back
 *	guard_run.c  what a host is told about its dead-man
 *	check_run.c  checks with within, every, for
 */
#ifndef HOSHU_ROLLOUT_INSIDE_H
#define HOSHU_ROLLOUT_INSIDE_H

#include <sys/queue.h>

#include "rollout/judge.h"
#include "rollout/machine.h"
#include "rollout/run.h"

enum {
	PROBE_TIMEOUT_MS = 120 * 1000,
	SETTLE_EVERY_MS = 1000,
	STOP_GRACE_MS = 5000,
	STOPS_MAX = 3,
};

struct place_run;

struct output {		   /* of one stream of the step in hand */
	uint64_t size;	   /* as the host says */
	struct bytes tail; /* came with the verdict; in the step's arena */
	struct buf head;   /* what was fetched, from the first byte on */
	size_t wanted;	   /* of head */
	size_t asked;
	bool short_of; /* less came than was asked for */
};

struct host_run { /* of one part: a host in a phase */
	struct run *run;
	int index; /* of the host, and of its place in the fleet */
	const struct change_host *host;
	const struct phase *phase;
	struct part_fold *fold;
	struct host_now now;
	struct act act;
	struct place_run *place; /* where the act runs; NULL = on the host */
	int synced_to; /* steps at places up to this one are on their disks */
	bool busy;     /* something is under way for it */
	bool held;     /* a check could not tell: a person was asked */
	bool soaked;   /* this run has seen its soak checks pass */
	int connects;  /* failed connects in a row */
	int64_t reboot_ends_ms; /* loop time till which it may be away; 0 = it
				   is not rebooting */
	bool asked;		/* facts_ask was, in this run */
	char asked_facts[65];	/* what it answered */
	bool let;		/* no other change has it in quarantine */
	bool gone;		/* it ends because it can not be reached */
	int64_t guard_until_ms; /* loop time up to which a dead-man that stands
				   is waited for; 0 = not set */
	char life[128];
	double opened_uptime; /* of the host, when it was connected last */
	int64_t opened_ms;    /* the same in loop time */
	struct loop_timer *timer;

	/* the step in hand */
	const struct step *step;
	int64_t step_ends_ms; /* loop time at which it is stopped, again */
	int stops;	      /* how often that was said since it is settled */
	struct outcome outcome;
	bool undoing; /* the launch in hand is of an undo */
	bool settled; /* it was asked what became of the launch */
	bool runs_on; /* and runs on, however often it is told to end */
	char uptime[24];
	int answers; /* still to come before judging */
	struct output output[2];
	int64_t output_ends_ms; /* loop time at which no more is asked for */
	void (*output_then)(struct host_run *host);
	struct seen seen; /* before, then after */
	struct ticket *ticket;
	struct json *told;   /* body of the outcome, in arena */
	struct arena *arena; /* of the step */

	/* the drift probe's answers, good until the first launch */
	struct seen *first; /* by step id, or NULL */
	int first_left;
	char drift_text[512];

	/* the step behind the one launched, asked about in the same flight;
	 * NULL = it was not, or what came of it is of no use */
	const struct step *ahead;
	struct seen ahead_seen;

	struct check_run *checks; /* under way, or NULL */
};

struct run {
	struct run_options o;
	struct host_run *hosts; /* by part */
	struct place_run *places;
	bool stopping; /* no new dispatch: an error, or a signal */
	bool ended;
	int64_t moves; /* of the fold, when the gate was asked last */
	bool again;    /* its answer hangs on more than the fold */
	int soaking;   /* the wave whose soak is checked now; 0 = none */
	int *turn;     /* parts in flight, while they are gone through */
	struct err err;
	int error;
	struct arena *arena;
	struct loop_timer *timer;
	int appends;		 /* under way */
	struct loop_timer *wake; /* run_advance is queued */
	LIST_HEAD(, append_wait) waits;
	LIST_HEAD(, check_run) checks;
	struct journal_watch *watch;
	bool asks;     /* a pause of our own is under way to the journal */
	int soak_wave; /* that soaked when this run began; 0 = none */
	struct loop_timer *renewing; /* the lease */
};

/* ---- run.c ---- */
/* Look again what is next, on the next turn. */
void run_wake(struct run *run);

/* ---- record_run.c ---- */
typedef void run_durable(void *arg, struct ticket *ticket);
/* Fold, say, append; done (may be NULL) once durable, never when the append
 * failed: then the run ends. */
void run_record(struct run *run, struct host_run *host, enum record_kind kind,
    int step, int attempt, const char *xid, struct json *body,
    run_durable *done, void *arg);
/* The run ends with the first error that is told. */
void run_fail(struct run *run, const struct err *err);
struct bytes run_blob(struct run *run, const char *sha256);
/* Put it into the journal, for a record that is about to name it. */
void run_keep_blob(struct run *run, const char *sha256);
/* Those under way when a run is given up are told to nobody. */
void run_records_drop(struct run *run);

/* ---- soak_run.c ---- */
/* Keep them going on every host of the wave that is done. */
void run_soak_checks(struct run *run, int wave);
/* A host that stands done is free for the next check of its soak. */
void run_soak_on(struct host_run *host);
/* Must this host's soak checks pass before its wave may end, because nobody
 * looked for a time, or one could not tell? */
bool run_soak_owed(const struct host_run *host);
/* The soak is over: may the wave end? Not while a check of it has no answer. */
bool run_soak_looked(const struct run *run, int wave);
/* And who was never looked at is, without waiting for a round. */
void run_soak_last(struct run *run, int wave);

/* ---- control_run.c ---- */
/* The run's first record, then all that stands before it; then others are
 * listened to until control_end. */
int control_begin(struct run *run, struct err *err) MUST_USE;
void control_end(struct run *run);
/* Do we still hold the change? Asked before anything is done to a host; false:
 * another has it, and the run ends. */
bool control_holds(struct run *run);
/* A check could not tell: pause, and ask a person. The host is held until the
 * pause is lifted; then it asks again. */
void control_ask(struct host_run *host, const char *text);
/* Nothing is in flight and a person holds the change: the run ends, waiting. */
void control_stand(struct run *run);

/* ---- host_run.c ---- */
void host_init(struct host_run *host, struct run *run, int part);
void host_free(struct host_run *host);
/* Do what is next for this host, unless something is under way. */
void host_advance(struct host_run *host);
/* The thing under way is over: next. */
void host_next(struct host_run *host);
/* The host's part ends with this record and text. */
void host_end(struct host_run *host, enum record_kind kind, const char *text);
void host_disconnect(struct host_run *host);
bool host_going_back(const struct host_run *host);
/* A run_durable: its end is durable. */
void host_ended(void *arg, struct ticket *ticket);

/* ---- reach_run.c ---- */
enum { HOST_CONNECTS_MAX = 4 }; /* without a step that came to an outcome */
/* busy must be set: the connection, or the host's end, calls host_next. */
void host_connect(struct host_run *host);
/* A job answered FAILED. true when the connection went: the host connects
 * again by itself and the caller is done. */
bool host_lost_connection(struct host_run *host, const struct answer *answer);
/* Out of reach: for good, or lost if it was touched. */
void host_unreachable(struct host_run *host, const char *text);
/* An open ticket reboots the host: look again a little later. false when none
 * does, or when its time is over. */
bool host_wait_for_boot(struct host_run *host);
/* A connect failed, its own or a place's: later again, or its end. */
void host_not_opened(struct host_run *host, const char *why, const char *text);

/* ---- place_run.c; of the act in hand ---- */
struct place_run *places_new(struct run *run);
/* The step whose place the act needs, or 0. */
int place_step(const struct host_run *host);
/* Take the place that the act needs, if it needs one; false: it is taken by
 * another host, and run_wake comes when it is free. host_next leaves it. */
bool place_take(struct host_run *host);
void place_leave(struct host_run *host);
/* busy must be set, the place taken and not connected; then host_next. */
void place_connect(struct host_run *host);
/* Of the place that was taken, otherwise of the host itself. */
bool place_connected(const struct host_run *host);
int place_index(const struct host_run *host);
const char *place_life(const struct host_run *host);
const char *place_opened_at(const struct host_run *host); /* uptime, or "" */
void place_cut(struct host_run *host);

/* ---- step_run.c, drift_run.c, launch_run.c ---- */
void step_start(struct host_run *host, int step);
void step_drift(struct host_run *host);
void step_settle(struct host_run *host, int step);
/* A run_durable: the record is durable, so the host goes on. */
void step_recorded(void *arg, struct ticket *ticket);
/* Put into the journal the blob that a record is about to name. */
void step_keep_blob(struct host_run *host, const char *sha256);
/* Of several answers under way: notes that the connection went; true then. */
bool step_gone(struct host_run *host, const struct answer *answer);

/* ---- probe_run.c ---- */
/* Probe step now. before and pin may be empty;
 * behind_ms: what the probe may have to wait for in the host's shell. */
void step_probe(struct host_run *host, const struct step *step, bool when,
    const char *before, struct bytes pin, int64_t behind_ms, fleet_done *done);
/* Copy what a SEEN says; puts its bytes into the blobs. */
void step_take_seen(
    struct host_run *host, const struct answer *answer, struct seen *seen);
/* Intent, then launch script (a digest) with a probe for host->seen.want
 * behind it, then the judge. body is the intent's. */
void step_launch(
    struct host_run *host, bool undo, const char *script, struct json *body);
/* The probe that was sent ahead for this step, into host->seen; false: none
 * was, or it could not know what is now. */
bool step_take_ahead(struct host_run *host, const struct step *step);
/* Uptime by which a handler must have been younger; NULL = none. */
const char *step_before(
    const struct host_run *host, const struct step *step, bool back);
struct json *step_body(struct host_run *host);
/* A step's name, and its place where that is not the host. */
void step_put_name(const struct host_run *host, struct arena *arena,
    struct json *body, const struct step *step);

/* The key of one launch: change, host, step, direction, attempt. */
void step_xid(const struct host_run *host, int step, bool undo, int attempt,
    char out[33]);

/* ---- output_run.c ---- */
/* Note what a verdict says of the step's output; NULL: it is not known. */
void output_take(struct host_run *host, const struct answer *verdict);
/* Fetch what did not come with the verdict, if the host is there; put all of
 * it into the journal and say so in host->told; then go on with `then`,
 * whatever came of it. */
void output_keep(struct host_run *host, void (*then)(struct host_run *host));
void output_free(struct host_run *host);
/* What a host says may hold the password that its sudo was given. */
void output_mask(const struct host_run *host, char *data, size_t len);

/* ---- facts_run.c: a host that was not previewed ---- */
/* Its facts and the plan's vars: of it, as they were fixed. */
struct bytes facts_of(struct host_run *host);
struct bytes facts_vars(struct host_run *host);
/* Must it be asked for them before anything else? */
bool facts_wanted(const struct host_run *host);
void facts_ask(struct host_run *host);

/* ---- guard_run.c ---- */
/* Launch an act of a guard. */
void guard_tell(struct host_run *host, int act);
/* The step in hand is about to be launched under a guard that is not armed:
 * arms it instead; false when there is no such. */
bool guard_arms(struct host_run *host);
/* The outcome of an act is there. */
void guard_told(struct host_run *host);
/* From now on a host that cannot be reached has its dead-man's time. */
void guard_wait(struct host_run *host);
/* A dead-man stands: how long to wait before the host is tried again; 0 = it
 * does not, or its time is over. */
int64_t guard_patience(struct host_run *host);

/* ---- undo_run.c ---- */
void undo_start(struct host_run *host, int step);
void undo_prove(struct host_run *host, int step);
/* rollback: stop, unless it is as it was before already. */
void undo_stop(struct host_run *host, int step);
void undo_judge(struct host_run *host);

/* ---- check_run.c ---- */
/* Run the plan's checks of that time on this host, one after the other. done:
 * pass, or the text of the first that did not. Never called when cancelled. */
typedef void checks_done(
    struct host_run *host, enum check_result result, const char *text);
struct check_run *checks_start(
    struct host_run *host, enum check_when when, checks_done *done);
void checks_cancel(struct check_run *checks);
/* NULL for both: there are none under way. Has the last try not passed, and
 * is it tried again? */
bool checks_in_trouble(const struct check_run *checks);
/* What waits for its round of the soak need not wait longer. */
void checks_begin_now(struct check_run *checks);
/* At the end of a run, when no answer is taken any more. */
void checks_free_all(struct run *run);

#endif
