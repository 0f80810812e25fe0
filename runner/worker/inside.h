/* What the files of worker/ share. */
#ifndef HOSHU_WORKER_INSIDE_H
#define HOSHU_WORKER_INSIDE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "http/http.h"
#include "loop/loop.h"
#include "remote/remote.h"
#include "script/script.h"
#include "seam/seam.h"
#include "worker/worker.h"

struct job;
TAILQ_HEAD(job_list, job);

/* One SSH connection. Gone when remote's `closed` came. */
struct conn {
	LIST_ENTRY(conn) next;
	struct worker *worker;
	uint32_t host;
	int64_t dial;
	struct remote *remote;
	bool opened;
	bool closing; /* remote_close was called */
	bool stuck;   /* because a deadline passed in its shell */
	char *life;
	struct job_list jobs; /* in the order sent */
};

struct worker {
	struct loop *loop;
	struct seam *seam;
	struct loop_watch *watch;
	struct loop_timer *quit_timer;
	struct seam_page *page; /* NULL = nobody looks */
	struct script *script;
	LIST_HEAD(, conn) conns;
	struct conn **by_host; /* the newest of each host */
	size_t by_host_size;
	struct job_list loose; /* jobs without a connection */
	struct buf roots;      /* certificates of this machine, PEM */
	bool quitting;
	int exit_status;
};

/* One job: in its connection's list, or among the loose ones. */
struct job {
	TAILQ_ENTRY(job) next;
	struct worker *worker;
	struct conn *conn; /* NULL = loose */
	uint32_t host;
	uint32_t id;
	enum seam_type type;
	char *xid;	     /* LAUNCH, SETTLE */
	char *subject;	     /* CHECK: whose state the text tells */
	int64_t deadline_ms; /* once it is first in its list; 0 = none */
	struct loop_timer *timer;
	bool answered; /* a launch past its deadline, being stopped */
	bool asking;   /* a request of it is with remote/ */
	struct script_job *script;
	void (*reply)(void *arg, const struct script_reply *reply);
	void *reply_arg;
	struct http_check *http;
};

/* main.c */
void worker_send(struct worker *worker, enum seam_type type, uint32_t host,
    uint32_t job, const struct bytes *fields, size_t count);
/* Between these two the coordinator can see which job has us. */
void worker_enter(struct worker *worker, uint32_t host, uint32_t job);
void worker_leave(struct worker *worker);
/* The same for what a host's connection has brought. */
void worker_busy(struct worker *worker, uint32_t host, bool busy);

typedef void worker_handler(
    struct worker *worker, const struct seam_message *message);

/* conns.c */
worker_handler conns_open, conns_close, conns_signature, conns_secret;
/* The opened connection of a host, or NULL. */
struct conn *conns_of(const struct worker *worker, uint32_t host);
/* Its shell does not come back: close it. May free it at once. */
void conns_give_up(struct conn *conn);
void conns_close_all(struct worker *worker);

/* orders.c */
worker_handler orders_module, orders_blob, orders_describe, orders_probe,
    orders_launch, orders_settle, orders_stop, orders_eval, orders_output,
    orders_sync;

/* jobs.c */
/* How long a launch has between TERM and KILL, where nobody says. */
enum { STOP_GRACE_MS = 3000 };
worker_handler jobs_cancel;
/* A new job from its message, put into its list; NULL when it was answered at
 * once because the host is not connected. */
struct job *work_new(struct worker *worker, const struct seam_message *message,
    bool on_host, int64_t deadline_ms);
/* The job's only answer; frees it. */
void work_answer(struct job *job, enum seam_type type,
    const struct bytes *fields, size_t count);
void work_fail(struct job *job, const char *why, const char *text);
void work_fail_script(struct job *job, const struct script_failure *failure);
/* Answers and true when what came back from remote/ is no answer. */
bool work_lost(struct job *job, const struct remote_answer *answer);
/* Every open job of the connection: FAILED connection. */
void jobs_conn_closed(struct conn *conn);
/* At the end: what is open without a connection, without an answer. */
void jobs_drop_loose(struct worker *worker);

/* checks.c */
worker_handler checks_host, checks_net;

/* limits.c */
/* Shut this process in, but for its system calls: what it may still hold is
 * fd, stdin, stdout, stderr. false: not all of it could be had. */
bool limits_shut_in(int fd);

/* wall.c */
/* From now on only the system calls of the table; any other one ends the
 * process with SIGSYS, its number in the page. NULL, or why there is no wall
 * (text for people). */
const char *wall_raise(struct seam_page *page);
/* The same without raising it. */
const char *wall_missing(void);

#endif
