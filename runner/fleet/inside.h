/* What the files of fleet/ share. */
#ifndef HOSHU_FLEET_INSIDE_H
#define HOSHU_FLEET_INSIDE_H

#include <sys/queue.h>

#include "base/arena.h"
#include "fleet/ops.h"
#include "seam/seam.h"

enum {
	HOSTS_MAX = 100000,
	CONNECT_TRIES = 3,
	/* a worker may be this late with an answer it owes at a deadline */
	LATE_MS = 5000,
	PING_EVERY_MS = 500,
	/* without a PONG, while it burns so much of a processor: a loop */
	PONG_WITHIN_MS = 2000,
	PONG_CPU_MS = 1000,
	/* whatever it does: stopped, blocked, or starved beyond use */
	PONG_LATEST_MS = 10000,
};

struct job;
TAILQ_HEAD(job_list, job);

/* Something asked for, until its one answer. */
struct job {
	TAILQ_ENTRY(job) next;
	struct job_list *list;
	struct fleet *fleet;
	uint32_t id; /* 0 = not known to a worker (any more) */
	enum seam_type type;
	int host;	   /* -1 = none */
	struct hand *hand; /* who has it; NULL = nobody yet */
	int64_t timeout_ms;
	int64_t deadline_at;	/* 0 = not first in its list */
	char *module;		/* PROBE, DESCRIBE */
	char *xid;		/* LAUNCH, SETTLE */
	struct loop_dial *dial; /* CHECK_NET */
	char *spec;		/* CHECK_NET: to send once dialled */
	int64_t asked_at;	/* CHECK_NET */
	/* the failure to answer with in the next turn */
	enum answer_kind late_kind;
	const char *late_why;
	char *late_text;
	fleet_done *done;
	void *arg;
};

/* Why we killed a worker. */
enum doom { DOOM_NONE, DOOM_GONE, DOOM_SILENT, DOOM_MALFORMED };

/* One worker process, or the place of one. */
struct hand {
	struct fleet *fleet;
	int index;
	struct seam *seam; /* NULL = none runs */
	struct loop_watch *watch;
	struct loop_child *child;
	struct seam_page *page;
	int voice_fd; /* its stderr; -1 = none */
	struct loop_watch *voice_watch;
	struct buf voice; /* the line that is not whole yet */
	size_t voice_bytes;
	struct loop_timer *again;
	int64_t started_at;
	int quick_deaths;     /* in a row */
	int links;	      /* connections placed here */
	struct job_list jobs; /* those without a connection */
	int64_t ping_number;
	int64_t ping_at;     /* 0 = none unanswered */
	int64_t ping_cpu_ms; /* that it had used by then */
	enum doom doom;
	struct err why; /* of DOOM_MALFORMED */
};

enum link_state {
	LINK_IDLE,
	LINK_WAITING, /* for a place among dials_at_once */
	LINK_DIALLING,
	LINK_OPENING,
	LINK_RETRY, /* backs off */
	LINK_OPEN,
};

/* A host: its connection, or that it has none. */
struct link {
	struct fleet *fleet;
	int host;
	enum link_state state;
	TAILQ_ENTRY(link) next; /* of fleet->waiting */
	struct fleet_host how;
	char *root_spool;
	enum fleet_shell shell;
	struct job *connect; /* until OPENED or CLOSED */
	int64_t dial;
	int tries;
	int waits; /* for a worker, as there was none */
	bool asked_to_sign;
	int64_t prompt;	       /* of a sudo that waits; 0 = none */
	bool password_given;   /* in this dial */
	bool password_refused; /* ever */
	struct arena *arena;   /* of this connect */
	struct host_keys *keys;
	const char *auth_key;
	struct loop_dial *dialling;
	struct loop_child *jump; /* ssh -W */
	struct loop_timer *again;
	struct hand *hand;
	struct job_list jobs;  /* in the order sent */
	int64_t busy_until;    /* a stopped launch may hold the shell */
	struct job_list dials; /* net checks being dialled */
	char *blamed;	       /* the module that killed a worker here */
	int blamed_times;
	int crashes; /* workers that its bytes ended */
};

struct given { /* a module or a blob, for workers to come */
	STAILQ_ENTRY(given) next;
	enum seam_type type;
	char *name;
	struct buf content;
};

struct bad_module { /* has ended workers */
	STAILQ_ENTRY(bad_module) next;
	char *name;
	int hosts;
};

struct signing { /* with the agent */
	LIST_ENTRY(signing) next;
	struct fleet *fleet;
	int host;
	int64_t dial;
};

/* A password for sudo, and what became of it. */
struct password {
	STAILQ_ENTRY(password) next;
	const struct secret *secret;
	enum { PASSWORD_NEW, PASSWORD_TRIED, PASSWORD_GOOD, PASSWORD_BAD } is;
	int host;   /* where it is being tried, or was refused */
	char *name; /* that host's */
};

struct fleet {
	struct fleet_door door;
	struct loop *loop;
	const struct world *world;
	char *program;
	struct hand *hands; /* the last one stands apart: hand_apart */
	int hand_count;
	int turn;	     /* of jobs that any worker can do */
	struct link **links; /* by host; NULL = not seen yet */
	size_t link_size;
	TAILQ_HEAD(, link) waiting;
	int dialling;
	int dials_at_once;
	struct loop_timer *pump;
	struct job **slots; /* by the low bits of a job's number */
	size_t slot_count;
	size_t slot_free; /* where to look next */
	uint32_t generation;
	struct job_list late;
	struct loop_timer *late_timer;
	STAILQ_HEAD(, given) given;
	STAILQ_HEAD(, bad_module) bad;
	STAILQ_HEAD(, password) passwords;
	LIST_HEAD(, signing) signing;
	struct ssh_agent *agent;
	struct known_files *known;
	char *library;
	char shut_in[256]; /* what the last worker said of it */
	struct loop_timer *tick;
	int64_t tick_at;
};

/* A field of decimal text. */
struct number {
	char text[24];
};
struct bytes number_field(struct number *number, int64_t value);

/* hands.c: worker processes */
int hands_start(struct fleet *fleet, int count, struct err *err) MUST_USE;
void hands_stop(struct fleet *fleet);
void hand_send(struct hand *hand, enum seam_type type, int host, uint32_t job,
    int fd, const struct bytes *fields, size_t count);
/* The one with the fewest connections, or the one apart for a link that was at
 * fault before; NULL when none runs. */
struct hand *hands_for_link(struct fleet *fleet, const struct link *link);
/* Any; NULL when none runs. */
struct hand *hands_for_job(struct fleet *fleet);
/* Kill it: `ended` tidies up. */
void hand_doom(struct hand *hand, enum doom doom);

/* voice.c: gives the descriptor that is to be its stderr */
int voice_start(struct hand *hand, int *fd, struct err *err) MUST_USE;
void voice_end(struct hand *hand); /* what is left of it, too */

/* watchdog.c */
void watchdog_start(struct fleet *fleet);

/* fault.c: who is to blame for a worker's end, where it is a host; answers the
 * job at fault. NULL: no host's, or nobody's. */
struct link *fault_judge(struct hand *hand, int signal);
/* Why the module is not run on this host (any more); NULL = it is. */
const char *fault_refuses(const struct link *link, const char *module);
void faults_free(struct fleet *fleet);
/* Has it been to blame at all? Then it is connected apart from others. */
bool fault_is_suspect(const struct link *link);
/* Have its bytes ended two workers? */
bool fault_is_barred(const struct link *link);

/* receive.c: a message of a worker's; -ERR_INTERNAL when it is none that it
 * may send. */
int receive_message(struct hand *hand, const struct seam_message *message,
    struct err *err) MUST_USE;

/* answers.c: the fields of a message as an answer; texts go into arena. */
int answer_read(struct arena *arena, const struct job *job,
    const struct seam_message *message, struct answer *answer,
    struct err *err) MUST_USE;
void answer_opened(struct arena *arena, const struct seam_message *message,
    struct answer *answer);
/* Is this a life that a journal can hold? */
bool answer_life_ok(const char *life);
/* why: the word as a constant, "protocol" when it is none of CLOSED's. */
const char *answer_closed_why(const char *word);
const char *answer_text(struct arena *arena, struct bytes text);

/* jobs.c */
struct job *job_new(struct fleet *fleet, enum seam_type type, int host,
    int64_t timeout_ms, fleet_done *done, void *arg);
/* Give it a number and a place behind what the list has. */
void job_place(struct job *job, struct job_list *list, struct hand *hand);
struct job *job_of(const struct fleet *fleet, uint32_t id);
/* Unlink, call done, free. */
void job_finish(struct job *job, const struct answer *answer);
void job_fail(struct job *job, const char *why, const char *text);
/* The same in the next turn; a connect is answered CLOSED. text: copied. */
void job_fail_later(struct job *job, const char *why, const char *text);
/* Unlink and free without a word. */
void job_drop(struct job *job);
void jobs_fail_all(struct job_list *list, const char *why, const char *text);
void jobs_fail_all_later(
    struct job_list *list, const char *why, const char *text);

/* link.c */
struct link *link_get(struct fleet *fleet, int host);
struct link *link_find(const struct fleet *fleet, int host);
/* Wait for a place among the dials; link_start then. */
void link_wait(struct link *link);
/* In the next turn: who waits, as far as there are places. */
void links_pump(struct fleet *fleet);
/* Let go of what the state holds; the state is then IDLE. */
void link_reset(struct link *link);
/* The connection is no more; its jobs are still to be answered. */
void link_forget(struct link *link);
void link_free(struct link *link);

/* connect.c */
void link_start(struct link *link);
void link_opened(struct link *link, const struct seam_message *message);
void link_closed(struct link *link, const struct seam_message *message);
/* Its worker ended: try again, or say so. innocent: because of another host. */
void link_orphaned(struct link *link, bool innocent);

/* jump.c: a descriptor that leads to the host through its jump hosts; *child
 * is set until the ssh has ended. */
int jump_start(struct link *link, int *fd, struct err *err) MUST_USE;

/* sign.c */
void sign_asked(struct link *link, const struct seam_message *message);

/* password.c */
void password_needed(struct link *link, const struct seam_message *message);
/* It would only be refused: why, of the link's arena. */
bool password_is_barred(struct link *link, const char **why);
void password_opened(struct link *link);
void password_closed(struct link *link, const char *why);
/* The dial is over. */
void password_reset(struct link *link);
void passwords_free(struct fleet *fleet);

/* checks.c */
void checks_forget_host(struct fleet *fleet, struct link *link);

#endif
