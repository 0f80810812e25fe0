/*
 * The coordinator's hands: workers, dialling, connections, jobs. Asynchronous
 * on the loop; every call answers exactly once through its done.
 *
 * The one call that changes a host is fleet_launch, and it takes a ticket:
 * the proof that the intent is durable in the journal.
 *
 *	fleet_open(loop, &options, &fleet, &err);
 *	fleet_module(fleet, "file", source);               // to every worker
 *	fleet_connect(fleet, 0, &how, FLEET_READONLY, done, arg);
 *	fleet_probe(fleet, 0, "file", params, data, 60000, done, arg);
 *	fleet_disconnect(fleet, 0);
 *	fleet_close(fleet);
 *
 * A worker that dies costs its hosts the connection: their jobs answer
 * ANSWER_FAILED "connection"; a new worker takes its place (modules and blobs
 * are sent to it again); the caller connects again. Whose module or bytes it
 * was is said on stderr, and that host is connected in a worker apart; when it
 * kills that one too, its probe of this module is answered ANSWER_FAILED
 * "module" from then on, or, for its bytes, its connect ANSWER_CLOSED.
 */
#ifndef HOSHU_FLEET_FLEET_H
#define HOSHU_FLEET_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/world.h"
#include "loop/loop.h"
#include "openssh/openssh.h"

struct fleet;
struct secret; /* base/secret.h */
struct ticket; /* journal/journal.h */

enum { FLEET_MORE_MAX = 64 << 10 };

enum fleet_shell { FLEET_PLAIN, FLEET_READONLY };

enum answer_kind {
	ANSWER_OPENED,
	ANSWER_CLOSED, /* of fleet_connect: could not be opened */
	ANSWER_DESCRIBED,
	ANSWER_SEEN,
	ANSWER_VERDICT,
	ANSWER_MORE,
	ANSWER_CHECKED,
	ANSWER_VALUE,
	ANSWER_FAILED,
};

enum seen_verdict {
	SEEN_SAME,
	SEEN_CHANGE,
	SEEN_SKIP,
	SEEN_DEPENDS,
	SEEN_CANNOT_TELL,
};

enum launch_verdict {
	VERDICT_NOTRUN,
	VERDICT_SEALED,
	VERDICT_CLAIMED,
	VERDICT_RUNNING,
	VERDICT_DONE,
	VERDICT_LOST,
	VERDICT_OTHERLIFE,
};

enum check_result { CHECK_PASS, CHECK_FAIL, CHECK_INCONCLUSIVE };

/* Borrowed until done returns. Texts of JSON are canonical and never parsed
 * by the coordinator; texts for people are cleansed. */
struct answer {
	enum answer_kind kind;
	/* OPENED */
	const char *life, *uid, *readonly, *gaps, *timings;
	int64_t clock_ms;
	/* CLOSED, FAILED */
	const char *why, *text, *file, *fingerprint;
	int line;
	/* DESCRIBED, VALUE */
	struct bytes json;
	/* SEEN */
	enum seen_verdict seen_verdict;
	struct bytes params, seen, want, info, effects, diff, summary, reason,
	    apply, undo;
	const char *uptime; /* OPENED, VERDICT: of the host, seconds */
	/* VERDICT; out also of MORE */
	enum launch_verdict verdict;
	int rc;
	struct bytes out, errors;
	uint64_t out_size, errors_size;
	int64_t wall_ms;
	/* CHECKED */
	enum check_result check;
	const char *value;
};
typedef void fleet_done(void *arg, const struct answer *answer);

struct fleet_options {
	const char *program; /* NULL = /proc/self/exe */
	int workers;	     /* 1..64 */
	int dials_at_once;   /* handshakes in progress; 0 = 64 */
	const struct world *world;
};

int fleet_open(struct loop *loop, const struct fleet_options *options,
    struct fleet **out, struct err *err) MUST_USE;
/* Closes every connection, ends the workers, waits for them. Calls no done;
 * must not be called from within one. NULL is allowed. */
void fleet_close(struct fleet *fleet);

void fleet_module(struct fleet *fleet, const char *name, struct bytes source);
void fleet_blob(struct fleet *fleet, const char *sha256, struct bytes content);
void fleet_describe(
    struct fleet *fleet, const char *module, fleet_done *done, void *arg);
/* No connection needed. expressions and data: JSON of SEAM_EVAL. */
void fleet_eval(struct fleet *fleet, struct bytes expressions,
    struct bytes data, int64_t timeout_ms, fleet_done *done, void *arg);

struct fleet_host {
	const struct ssh_settings *ssh; /* borrowed while connected */
	const char *become;		/* "none" or "sudo" */
	/* What sudo gets when it asks; NULL = it must not ask. Borrowed until
	 * fleet_close. */
	const struct secret *password;
	const char *root_spool; /* "" = default */
	const char *ssh_config; /* ssh -F; NULL = the user's */
	bool place; /* steps of other hosts run there: a ticket names them */
};
/* Connect host (the caller's number for it, 0..99999). Waits for a place
 * among dials_at_once; jittered back-off and up to 3 tries where sshd hangs up
 * before authentication. The dial has ssh->connect_timeout_ms, and once more
 * all until the shell answers. Answers OPENED or CLOSED (why as in seam.h;
 * text says what to do). A host is connected once at a time (bug()
 * otherwise). A password goes to one host first; when that one does not take
 * it, no other host of this fleet is given it, or connected with it: CLOSED
 * "password". strings of how: ssh and become are borrowed while connected. */
void fleet_connect(struct fleet *fleet, int host, const struct fleet_host *how,
    enum fleet_shell shell, fleet_done *done, void *arg);
/* The connection ends; open jobs answer FAILED connection. */
void fleet_disconnect(struct fleet *fleet, int host);
bool fleet_connected(const struct fleet *fleet, int host);

/* Jobs on a connected host (otherwise: FAILED connection, next turn). Several
 * pipeline; answers come in order. timeout_ms runs from when the jobs before
 * it on that host are answered.
 *
 * FAILED deadline: a launch was told to stop (TERM, then KILL): settle says
 * what became of it. A probe or a check on the host that hangs takes the
 * connection with it: connect again. */
void fleet_probe(struct fleet *fleet, int host, const char *module,
    struct bytes params, struct bytes data, int64_t timeout_ms,
    fleet_done *done, void *arg);
/* Takes the xid, life and host from the ticket: bug() when host differs. On a
 * host that has another life by now nothing is launched: VERDICT_OTHERLIFE. */
void fleet_launch(struct fleet *fleet, int host, const struct ticket *ticket,
    struct bytes script, int64_t timeout_ms, fleet_done *done, void *arg);
void fleet_settle(struct fleet *fleet, int host, const char *xid,
    const char *life, fleet_done *done, void *arg);
void fleet_stop(
    struct fleet *fleet, int host, const char *xid, int64_t grace_ms);
/* More of what a settled step printed (stream 1 or 2): MORE with at most
 * FLEET_MORE_MAX bytes from offset on, a multiple of that. */
void fleet_output(struct fleet *fleet, int host, const char *xid, int stream,
    int64_t offset, fleet_done *done, void *arg);
void fleet_sync(struct fleet *fleet, int host, fleet_done *done, void *arg);
/* kind: command, service (on the host); tcp, http (dialled from here). spec:
 * JSON, evaluated already. */
void fleet_check(struct fleet *fleet, int host, const char *kind,
    struct bytes spec, int64_t timeout_ms, fleet_done *done, void *arg);

/* A worker's pid, for tests that kill one; 0 when there is none. */
int fleet_worker_pid(const struct fleet *fleet, int worker);
const char *fleet_library(const struct fleet *fleet); /* libssh2's */
/* "whole", or what of the workers' shutting in is missing; "" before the first
 * of them has said so. */
const char *fleet_shut_in(const struct fleet *fleet);

#endif
