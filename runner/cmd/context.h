/*
 * What commands work with: the project, its inventory, a plan read and bound,
 * a change loaded from the journal, workers started. Each command opens what
 * it needs; context_close drops all of it.
 */
#ifndef HOSHU_CMD_CONTEXT_H
#define HOSHU_CMD_CONTEXT_H

#include "change/change.h"
#include "cmd/cmd.h"
#include "fleet/fleet.h"
#include "hosts/hosts.h"
#include "journal/fold.h"
#include "journal/journal.h"
#include "project/project.h"
#include "rollout/waves.h"

struct context {
	struct arena *arena; /* the call's */
	const struct cmd_call *call;
	struct project *project;
	struct inventory *inventory;
	struct loop *loop;
	struct fleet *fleet;
	struct journal *journal;
	struct blobs *blobs;
	struct change *change;
	struct change_fold fold;
	struct waves_choice *choices; /* how each phase's waves were chosen */
	struct fleet_host *reach; /* how to reach each host of the change, and
				     then each place */
	struct context_password *passwords;
};

/* Find hoshu.yml and read it. */
int context_open(struct context *context, const struct cmd_call *call,
    struct err *err) MUST_USE;
void context_close(struct context *context);

int context_inventory(struct context *context, struct err *err) MUST_USE;
/* Loop and workers. */
int context_fleet(struct context *context, struct err *err) MUST_USE;
int context_journal(
    struct context *context, enum journal_mode mode, struct err *err) MUST_USE;

/*
 * Read a plan, bind its params, choose its targets, share out its waves:
 * context->change, not submitted, its steps not yet previewed. Needs nothing
 * open but the project; opens inventory and fleet. No host is touched.
 */
int context_plan(
    struct context *context, const char *file, struct err *err) MUST_USE;
/* Its part of context_plan: the hosts of every phase and their waves. Needs
 * the inventory. */
int context_targets(struct context *context, struct err *err) MUST_USE;
/* When every host was asked: waves that take so many hosts of each group of
 * equal previews are shared out anew, and the bound with them. */
int context_impacts(struct context *context, struct err *err) MUST_USE;
/* The same: where steps with on: run. Needs the inputs and the workers. */
int context_places(struct context *context, struct err *err) MUST_USE;
/* Values of texts with ${{ }} (a list), asked of a worker; data as seam.h says. */
int context_evaluate(struct context *context, const struct json *texts,
    const char *data, struct json **values, struct err *err) MUST_USE;
/* The same, where only the inputs are known. */
int context_evaluate_inputs(struct context *context, const struct json *texts,
    struct json **values, struct err *err) MUST_USE;
/* Its part of context_plan: change->asks. Needs the same. */
int context_asks(struct context *context, struct err *err) MUST_USE;
/* Load a submitted change and fold its records. Needs the journal. */
int context_load(
    struct context *context, const char *word, struct err *err) MUST_USE;
/* Settings and known keys for every host of the change: context->reach. The
 * address, port and user must be what the change has (ERR_REFUSED). */
int context_reach(struct context *context, struct err *err) MUST_USE;
/* What that command prints for sudo; run once, however often it is asked for. */
int context_password(struct context *context, const char *const *argv,
    const struct secret **out, struct err *err) MUST_USE;
void context_passwords_free(struct context *context);
/* Hand the change's modules and files to the workers, from the blobs. */
int context_equip(struct context *context, struct err *err) MUST_USE;

#endif
