/*
 * One SSH connection to one host, with one persistent shell that runs
 * host.sh (remote/host.sh, embedded at build). The only user of libssh2.h.
 * Worker side. Non-blocking on the worker's loop; the descriptor was dialled
 * by the coordinator.
 *
 * Requests queue and pipeline: each is written behind the one before without
 * waiting, answers come in order. A verdict never comes from an SSH exit
 * status. On any end of the connection every open request is answered
 * (REMOTE_GONE) before `closed` is called.
 */
#ifndef HOSHU_REMOTE_REMOTE_H
#define HOSHU_REMOTE_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"

struct remote;

enum remote_shell { REMOTE_PLAIN, REMOTE_READONLY };

struct remote_options {
	int fd;		  /* taken, also when remote_open fails */
	const char *name; /* for messages */
	const char *user;
	const char *host_key_types;
	const char *host_keys; /* lines "type base64" */
	const char *auth_key;  /* "type base64" */
	bool sudo;	       /* sudo -n */
	bool password;	       /* sudo that may ask for one: see need */
	enum remote_shell shell;
	/* Where root keeps its spool and pre-images: "" = /run/hoshu and
	 * /var/lib/hoshu; "~/..." is in the home that sshd gives. Others keep
	 * them in ~/.local/state/hoshu whatever stands here. */
	const char *root_spool;
	/* For all until the shell answers; afterwards deadlines are the
	 * caller's, and remote_close is their end. */
	int64_t deadline_ms;
};

struct remote_opened {
	const char *life; /* "BOOT_ID TOKEN"; TOKEN "-": read-only, no spool */
	const char *uid;  /* effective, of the shell */
	const char *readonly; /* plain | enforced | gaps */
	const char *gaps;     /* what is not enforced, for people; of a plain
			       * shell: what it cannot promise */
	int64_t clock_ms;     /* 0 = it does not say */
	const char *uptime;   /* of the host, seconds; "" = it does not say */
	const char *timings;  /* "kex=us auth=us shell=us trips=n" */
};

/* Callbacks; arg is that of remote_open. */
struct remote_events {
	void (*opened)(void *arg, const struct remote_opened *opened);
	/* why: a word of SEAM_CLOSED. The remote is gone after this returns. */
	void (*closed)(void *arg, const char *why, const char *text,
	    const char *fingerprint);
	/* Around all that is done with what the host sent; leave is given what
	 * enter gave. Both members may be NULL. */
	void *(*enter)(void *arg);
	void (*leave)(void *entered);
	/* Sign payload with the auth key: remote_signature answers, at once or
	 * later. */
	void (*sign)(void *arg, const char *algorithm, struct bytes payload);
	/* A sudo of ours asks for the password: remote_password answers, at
	 * once or later. It asks at most once for each prompt number. */
	void (*need)(void *arg, uint32_t prompt);
	/* A blob that a script needs, or NULL data; copied at once. The member
	 * may be NULL. */
	struct bytes (*blob)(void *arg, const char *sha256);
};

/* Gives *out; opened or closed follows on the loop. Strings are copied. */
int remote_open(struct loop *loop, const struct remote_options *options,
    const struct remote_events *events, void *arg, struct remote **out,
    struct err *err) MUST_USE;
void remote_signature(
    struct remote *remote, struct bytes signature, const char *refused);
/* refused: why there is none, or NULL. */
void remote_password(struct remote *remote, uint32_t prompt,
    struct bytes password, const char *refused);
/* Close politely; `closed` is called with why "asked". */
void remote_close(struct remote *remote);

enum remote_end { REMOTE_ANSWERED, REMOTE_GONE, REMOTE_PROTOCOL };

struct remote_answer {
	enum remote_end end;
	int status;	       /* ask: exit status */
	const char *verdict;   /* launch, settle: word of SEAM_VERDICT */
	int rc;		       /* with verdict done */
	const char *uptime;    /* of the host when it ended; "" = not known */
	struct bytes out, err; /* tails, at most 64 KiB each */
	uint64_t out_size, err_size;
	int64_t wall_ms;
};
typedef void remote_done(void *arg, const struct remote_answer *answer);

/* Ask: hoshu's own read-only command. */
void remote_ask(struct remote *remote, const char *text, size_t len,
    remote_done *done, void *arg);
/* Launch at most once under the key xid (32 hex digits); texts above 16 KiB
 * and blobs go on a channel of their own first, and what is asked behind it
 * waits for them. Verdict notrun (err says why): a blob is missing or the
 * host did not take it; nothing was launched. */
void remote_launch(struct remote *remote, const char *xid, struct bytes script,
    remote_done *done, void *arg);
/* What became of xid; seals it when it never ran. life: that of the launch;
 * another life answers otherlife. */
void remote_settle(struct remote *remote, const char *xid, const char *life,
    remote_done *done, void *arg);
/* More of what xid printed, out of its file in the spool: at most 64 KiB from
 * block * 64 KiB on, as the answer's out. stream: 1 or 2. Shorter where there
 * is no more, or no such file. */
void remote_output(struct remote *remote, const char *xid, int stream,
    int64_t block, remote_done *done, void *arg);
/* TERM, after grace_ms KILL, to the process tree of xid (a second channel). */
void remote_stop(struct remote *remote, const char *xid, int64_t grace_ms);
/* Forget who asked: the request stays in the pipe, its answer is dropped. */
void remote_forget(struct remote *remote, void *arg);

/* "1.11.1 (Debian ...)" of what is linked. */
const char *remote_library(void);
/* Let libssh2 and libcrypto read what they read at first use. */
void remote_warm(void);

#endif
