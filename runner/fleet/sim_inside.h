/* What the files of the simulated fleet share. */
#ifndef HOSHU_FLEET_SIM_INSIDE_H
#define HOSHU_FLEET_SIM_INSIDE_H

#include <sys/queue.h>

#include "base/arena.h"
#include "fleet/ops.h"
#include "fleet/sim.h"

enum { XID_SIZE = 33, LIFE_SIZE = 40, SIM_STEP_STATES = 4, SIM_KILL_MS = 200 };

/* What strikes a launch of a host. */
enum sim_fault {
	FAULT_FAIL,
	FAULT_HANG,
	FAULT_LATE,
	FAULT_LOSE,
	FAULT_REBOOT,
	FAULT_GONE,
	FAULT_OTHERS,
	FAULT_COUNT,
};

/* What a script about a dead-man asks for. */
enum sim_guard_word {
	SIM_NO_GUARD,
	SIM_GUARD_ARM,
	SIM_GUARD_ASK,
	SIM_GUARD_CONFIRM,
	SIM_GUARD_NOW,
};

enum claim_state { CLAIM_SEALED, CLAIM_RUNNING, CLAIM_DONE, CLAIM_LOST };

/* A key of the host's spool, and the script that runs under it. */
struct sim_claim {
	struct sim_claim *next; /* in sim->claims */
	struct sim_host *host;	/* where it runs */
	struct sim_host *of;	/* the host that it is for */
	char xid[XID_SIZE];
	int life;
	enum claim_state state;
	int step, rc;
	bool undo;
	enum sim_guard_word word; /* of no step then, but of guard */
	struct sim_guard *guard;
	char to;       /* the state it leads to */
	bool half;     /* it will end badly: what it leaves is drawn */
	int64_t began; /* loop time */
	int64_t ended;
	struct loop_timer *timer;
	struct sim_job *waiter; /* the launch that waits for its end */
};

struct sim_is {
	char world, first;
	bool skip, others;
};

struct sim_host {
	struct sim *sim;
	int index;
	uint64_t random;
	int64_t boot_ms; /* loop time of its last start */
	int life;
	int64_t down_until;	  /* loop time; INT64_MAX = gone for good */
	int launches;		  /* so far */
	int strikes[FAULT_COUNT]; /* the launch that it strikes; 0 = none */
	bool drifts, bad_before, bad_after, bad_soak, bad_disk, stuck, flaky,
	    odd_probes;
	int64_t soak_fails_ms; /* after the last script */
	int64_t quiet_from;    /* when the last script ended */
	int64_t warm_ms;
	struct sim_is *steps; /* by id */
	char *handled;	      /* [handler slot][id]: the worlds it ran for */
	int64_t *handled_at;  /* [handler slot]: loop time; -1 = never */
	struct sim_claim *running;
	struct sim_guard *guards;
	bool cuts; /* see sim_rates.cut */
	struct loop_timer *others;
	int others_step;
};

struct sim {
	struct sim_options o;
	struct arena *arena;
	struct sim_host *hosts;
	int count;		   /* hosts and places */
	struct sim_claim **claims; /* by xid, chained */
	size_t claim_mask;
	int *slots; /* of handlers, by step id */
	int handlers;
	bool begun;
};

enum job_kind {
	JOB_PROBE,
	JOB_LAUNCH,
	JOB_SETTLE,
	JOB_OUTPUT,
	JOB_SYNC,
	JOB_CHECK
};

struct sim_job {
	TAILQ_ENTRY(sim_job) next;
	struct sim_link *link;
	enum job_kind kind;
	fleet_done *done;
	void *arg;
	int64_t timeout_ms;
	char *params, *data; /* PROBE */
	char xid[XID_SIZE], life[LIFE_SIZE];
	struct bytes script; /* LAUNCH */
	int64_t offset;	     /* OUTPUT */
	struct sim_claim *claim;
	struct loop_timer *timer;
	bool gone; /* the host, while it runs */
};
TAILQ_HEAD(sim_jobs, sim_job);

enum sim_link_state { SIM_IDLE, SIM_OPENING, SIM_OPEN };

struct sim_link {
	struct hands *hands;
	struct sim_host *host;
	enum sim_link_state state;
	struct sim_jobs jobs;
	/* of the connect, or of the loss that is not noticed yet */
	struct loop_timer *timer;
	bool broken;
	fleet_done *done;
	void *arg;
};

/* Of jobs that no connection is needed for. */
struct sim_late {
	LIST_ENTRY(sim_late) next;
	struct loop_timer *timer;
	struct answer answer;
	char *json;
	fleet_done *done;
	void *arg;
};

struct hands {
	struct fleet_door door;
	struct sim *sim;
	struct sim_link *links;
	LIST_HEAD(, sim_late) late;
};

/* ---- sim_world.c: hosts, their fates and what they really are ---- */
uint64_t sim_random(struct sim_host *host);
bool sim_chance(struct sim_host *host, double percent);
/* Around ms: from half to double. */
int64_t sim_about(struct sim_host *host, int64_t ms);
bool sim_up(const struct sim_host *host);
void sim_life(const struct sim_host *host, char out[LIFE_SIZE]);
double sim_uptime(const struct sim_host *host, int64_t at_ms);
/* Is it time for this fault? Asked once a launch. */
bool sim_strikes(struct sim_host *host, enum sim_fault fault);

/* ---- sim_script.c: scripts that run on hosts ---- */
struct sim_claim *sim_claim_of(const struct sim_host *host, const char *xid);
/* Claims xid and starts the script (or seals it, when script is empty). */
struct sim_claim *sim_claim_start(
    struct sim_host *host, const char *xid, struct bytes script);
/* TERM, then KILL. */
void sim_claim_stop(struct sim_claim *claim);
/* The host goes down in the middle of it, for so long. */
void sim_claim_crash(struct sim_claim *claim, int64_t down_ms);

void sim_handler_ran(struct sim_host *host, int id);

/* ---- sim_guard.c: dead-men ---- */
/* Is it about one? Then the claim has its word and guard. */
bool sim_guard_read(struct sim_claim *claim, struct bytes script);
/* How long until it is worth while to look again: what is asked for is being
 * done; 0 = now. */
int64_t sim_guard_waits(const struct sim_claim *claim);
/* The script did its work: its exit status. */
int sim_guard_tell(struct sim_claim *claim);
/* It was ended, or failed, somewhere on its way. */
void sim_guard_half(struct sim_claim *claim);
/* A step's script begins. */
void sim_guard_launched(struct sim_host *host, int step);
/* The host went down; it is up again at up_ms, or never (INT64_MAX). */
void sim_guard_crash(struct sim_host *host, int64_t up_ms);
/* May nobody log in, for what a guarded step did? */
bool sim_guard_cut(const struct sim_host *host);
void sim_guard_free(struct sim_host *host);

/* ---- sim_answer.c: what a host says ---- */
void sim_say_probe(struct sim_host *host, const char *params, const char *data,
    struct arena *arena, struct answer *answer);
void sim_say_check(struct sim_host *host, struct answer *answer);
void sim_say_claim(
    const struct sim_claim *claim, struct arena *arena, struct answer *answer);

void sim_say_more(struct answer *answer, const char *xid, int64_t offset);

/* ---- sim.c ---- */
struct answer sim_answer_of(
    enum answer_kind kind, const char *why, const char *text);
/* Told in a later turn. */
struct sim_late *sim_answer_late(struct hands *hands, struct answer answer,
    int64_t after_ms, fleet_done *done, void *arg);

/* ---- sim_job.c ---- */
/* The first of them, unless one is on or the connection is not. */
void sim_job_begin(struct sim_link *link);
void sim_job_free(struct sim_job *job);
/* All jobs answer, in this turn or a later one; the link is closed already. */
void sim_jobs_fail(struct sim_link *link, bool now);
/* The script that a launch waits for has come to its end. */
void sim_job_ended(struct sim_job *job);
/* The host of it goes down. */
void sim_job_cut(struct sim_job *job);

#endif
