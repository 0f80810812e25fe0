/*
 * A simulated fleet: hosts that are made up, on a loop with a clock of its own
 * (loop_open_virtual). It answers the calls of fleet.h as real hosts would,
 * also where they fail, hang, restart, answer late or lose their replies; all
 * of it from one seed.
 *
 *	loop = loop_open_virtual();
 *	world = sim_new(&options);      // the hosts, and what they really are
 *	fleet = sim_fleet(world);       // the hands of one coordinator
 *	... preview_ask(...); sim_begin(world); run_change(...) ...
 *	fleet_close(fleet);             // it may die; the hosts go on
 *	sim_free(world);
 *
 * A simulated host has no modules. A step is known by its number, which stands
 * in its params: {"step":3}; the host that it is for (at a place, another than
 * the one that is asked) by its address: sim-17. What a step does is a letter
 * (see sim_what) of the host that it is for; its scripts are "apply 3 17",
 * "undo 3 17 b", "handle 4 17". What it is told about a dead-man it reads as
 * hosts get it.
 */
#ifndef HOSHU_FLEET_SIM_H
#define HOSHU_FLEET_SIM_H

#include "fleet/fleet.h"

struct sim;

/* What goes wrong: each on so many hosts of a hundred. */
struct sim_rates {
	double unreachable; /* never answers */
	double fail;	    /* a step's script fails */
	double hang;	    /* a step goes on until it is stopped */
	double reboot;	    /* restarts in the middle of a step */
	double gone;	    /* dies in the middle of a step, for good */
	double lose;	    /* the connection breaks in the middle of a step */
	double late;	    /* a step takes twenty times as long */
	double drift;	    /* is not as previewed */
	double before;	    /* its checks fail before anything was done */
	double after;	    /* the change breaks it: its checks fail */
	double soak;	    /* the same, some time later */
	double stuck;	    /* what is undone on it does not come back */
	double others;	    /* somebody else changes what a step did */
	double flaky;	    /* every second connect to it fails */
	double probe;	    /* a probe hangs; a check cannot tell */
	double disk;	    /* its sync fails */
	double cut;	    /* what its guarded steps do locks everybody out */
	/* of those that have it: once more later, and so on; percent */
	double again;
};

/* The times of an ordinary host; each varies from half to double. */
struct sim_times {
	int64_t connect_ms, round_ms, step_ms, reboot_ms;
	int64_t warm_ms; /* after a script, until checks can pass */
};

struct sim_step {
	bool handler;
	bool unprobed;	   /* its module cannot tell what is */
	bool without_undo; /* its module writes no way back */
	bool when;	   /* has a when: */
	bool reboots;	   /* the host goes away and comes back */
	bool guarded;	   /* under a dead-man */
	/* of around: what one does, the other of its phase undoes */
	enum { SIM_STEP, SIM_ENTER, SIM_LEAVE } around;
	int phase;
	int puts_back; /* of a rollback step: the step that it puts back, or -1 */
	const int *notify; /* ids of handlers */
	size_t notify_count;
};

/* What happens on the hosts, whoever knows of it. */
enum sim_event_kind {
	SIM_CLAIMED, /* a script was started, under xid */
	SIM_RAN,     /* it came to its end: rc */
	SIM_KILLED,  /* it was ended: stopped, or the host went down */
	SIM_SEALED,  /* nothing will ever run under xid */
	/* of its dead-man: guard */
	SIM_ARMED,     /* by the script under xid */
	SIM_CONFIRMED, /* called off */
	SIM_GOES_BACK, /* from now on */
	SIM_WENT_BACK,
	SIM_HUNG, /* a probe, and its connection with it */
};

struct sim_event {
	enum sim_event_kind kind;
	int host; /* where it runs */
	int of;	  /* the host that it is for; -1 = not known */
	int step;
	bool undo;
	const char *xid;
	int rc;
	const char *guard; /* the dead-man that it is about, or NULL */
};

struct sim_options {
	struct loop *loop;
	uint64_t seed;
	int hosts;
	int places; /* behind them: hosts without steps of their own */
	const struct sim_step *steps; /* by id, from 1; borrowed */
	int last_step;
	int guards; /* of the plan */
	struct sim_rates rates;
	struct sim_times times;
	double met;  /* percent of steps that are met before the change */
	double skip; /* percent of steps with a when: that are not for a host */
	bool prints; /* some steps print more than comes with a verdict */
	void (*watch)(void *arg, const struct sim_event *event); /* or NULL */
	void *arg;
};

struct sim *sim_new(const struct sim_options *options);
/* Ends what still runs. Every fleet of it must be closed. */
void sim_free(struct sim *sim);
/* One coordinator's hands. */
struct fleet *sim_fleet(struct sim *sim);
/* Until now nothing went wrong (a preview); from now on all may. */
void sim_begin(struct sim *sim);
/* A host that was away is back. */
void sim_wake(struct sim *sim, int host);

/* The truth: 'b' as before, 'a' done, 'h' half done, 'x' somebody else's. */
char sim_what(const struct sim *sim, int host, int step);
char sim_what_before(const struct sim *sim, int host, int step);
/* The handler has run for what that step's state is now. */
bool sim_handled(const struct sim *sim, int host, int handler, int step);
/* Somebody else had a hand in that step. */
bool sim_touched_by_others(const struct sim *sim, int host, int step);
/* Do the host's checks pass now? */
bool sim_healthy(const struct sim *sim, int host);

#endif
