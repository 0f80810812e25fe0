/*
 * What the files of remote/ share; nobody else includes it. One struct remote
 * is one connection:
 *
 *	wire.c      bytes between the socket and libssh2
 *	memory.c    the memory that libssh2 may take for it
 *	session.c   from handshake to shell; the turn of the loop; the end
 *	login.c     host key, authentication
 *	shell.c     the shell's channel and its first request
 *	gate.c      what stands before a shell that sudo starts: its password
 *	requests.c  what is asked of the shell, and its answers
 *	side.c      further channels: blobs.c and stop.c
 */
#ifndef HOSHU_REMOTE_INSIDE_H
#define HOSHU_REMOTE_INSIDE_H

#include <libssh2.h>

#include "base/arena.h"
#include "remote/frame.h"
#include "remote/remote.h"

enum {
	REMOTE_INLINE_MAX = 16 << 10, /* larger texts go as a blob */
	WIRE_IN = 16 << 10,
	WIRE_TURN = 256 << 10, /* bytes taken in before others have a turn */
	WIRE_OUT_FULL = 256 << 10, /* above it nothing more is written */
	WIRE_OUT_MAX = 4 << 20, /* above it the peer does not read: give up */
	MEMORY_MAX = 16 << 20,
	/* bytes received since the last answer; one of host.sh's is at most a
	 * few hundred KiB, one to a probe's question a few MiB */
	FLOOD_MAX = 64 << 20,
	SIDE_ANSWER_MAX = 4 << 10,
	GATE_SAID_MAX = 16 << 10, /* before the shell starts, a stream */
};

/*
 * libssh2 never sees a socket that is full: what it sends is kept in `out`
 * and sent once a turn. So EAGAIN always means "waits for input" (or for a
 * signature), and no packet is ever half sent.
 */
struct wire {
	int fd;
	bool tcp;
	bool cut;   /* libssh2 gets nothing more and sends nowhere */
	bool ended; /* the peer closed, or the socket failed */
	bool told;  /* and libssh2 has been told so */
	int error;  /* errno of the end, 0 = closed in order */
	bool dry;   /* nothing to read until the loop says otherwise */
	bool held;  /* somebody has more to write than `out` should hold */
	size_t in_at, in_len;
	size_t turn;	 /* bytes given to libssh2 in this turn */
	uint64_t queued; /* bytes that libssh2 ever sent */
	uint64_t got;	 /* bytes ever received */
	uint64_t got_flushed;
	uint64_t got_answered; /* when it last answered */
	int flights;	       /* sends that followed a receipt: round trips */
	struct buf out;
	char in[WIRE_IN];
};

enum remote_state {
	STATE_HANDSHAKE,
	STATE_AUTH,
	STATE_REFUSED, /* asking what the host would take instead */
	STATE_CHANNEL,
	STATE_BOOT, /* the shell's channel is open, its first answer is not here */
	STATE_READY,
};

enum request_kind { REQUEST_BOOT, REQUEST_ASK, REQUEST_LAUNCH, REQUEST_SETTLE };

struct request {
	struct request *next;
	enum request_kind kind;
	remote_done *done; /* NULL = forgotten */
	void *arg;
	char nonce[FRAME_NONCE];
	struct buf text;
	bool sent;
	bool here; /* answered by us: verdict or end below, nothing is sent */
	enum remote_end end;
	const char *verdict;
	struct buf said;   /* with `here`: the answer's err */
	char (*blobs)[65]; /* digests that must be on the host before it */
	size_t blob_count;
	struct bytes
	    script; /* the script when it goes as a blob, in script_copy */
	struct buf script_copy;
	struct frame out, err;
	int64_t sent_ms;
};

/* Until the shell behind sudo has said that it is there, nothing is sent to it
 * but the answer to a prompt. */
enum gate_state {
	GATE_SHUT,
	GATE_ASKED,    /* the prompt was seen, the answer is not here */
	GATE_ANSWERED, /* once; never again */
	GATE_OPEN,
};

struct gate {
	enum gate_state state;
	uint32_t prompt;
	char nonce[FRAME_NONCE];
	struct buf said[2]; /* stdout, stderr */
	struct buf answer;  /* on its way to sudo */
};

/* A channel of its own that runs one command. */
struct side {
	struct side *next;
	struct remote *remote;
	LIBSSH2_CHANNEL *channel;
	struct gate gate;
	enum {
		SIDE_WAITS,
		SIDE_OPENS,
		SIDE_RUNS,
		SIDE_CLOSES,
	} state;
	bool asked;    /* the exec request is on its way */
	bool accepted; /* and was taken */
	bool all_sent; /* input and EOF */
	bool failed;
	struct buf command;
	struct buf input;
	size_t input_at;
	struct buf out, err; /* the first SIDE_ANSWER_MAX bytes */
	/* Called once, with what it printed; then the side is freed. */
	void (*done)(struct remote *remote, struct side *side);
	char key[65]; /* blobs.c: the digest; stop.c: the xid */
	char nonce[FRAME_NONCE];
};

struct stop_timer {
	struct stop_timer *next;
	struct remote *remote;
	struct loop_timer *timer;
	char xid[FRAME_NONCE];
};

struct remote {
	struct loop *loop;
	struct loop_watch *watch;
	struct loop_timer *kick, *deadline;
	struct remote_events events;
	void *arg;
	struct arena *arena; /* strings of the options, digests sent */
	struct remote_options options;
	struct buf auth_blob;

	LIBSSH2_SESSION *session;
	struct memory_block *memory;
	size_t memory_used;
	struct wire wire;
	enum remote_state state;
	int64_t began_us, kex_us, auth_us;
	char disconnect[256]; /* what the host said when it hung up */

	bool sign_asked, sign_ready;
	struct buf payload; /* to sign, until it was handed on */
	char *algorithm;
	struct buf signature;
	const char *refused; /* why nobody signs */

	LIBSSH2_CHANNEL *channel;
	struct buf command; /* of the exec request */
	struct gate gate;
	uint32_t prompts; /* numbers given to gates */
	bool exec_sent, exec_taken;
	bool moved;	     /* out of the session's scope, by logout.sh */
	struct buf shell_in; /* on its way to the shell */
	char *life;

	struct request *requests; /* in order; the head is answered first */
	struct request **requests_end;
	struct side *sides;
	struct side *opening;
	struct stop_timer *stops;
	char (*stored)[65]; /* blobs that the host has */
	size_t stored_count, stored_cap;

	const char *why; /* a word of SEAM_CLOSED once it has to end */
	char *fingerprint;
	struct err err; /* the text of the end */
	bool ended;
};

/* memory.c */
LIBSSH2_ALLOC_FUNC(memory_alloc);
LIBSSH2_REALLOC_FUNC(memory_realloc);
LIBSSH2_FREE_FUNC(memory_free);
void memory_free_all(struct remote *remote);

/* wire.c */
void wire_start(struct wire *wire, int fd);
LIBSSH2_RECV_FUNC(wire_recv);
LIBSSH2_SEND_FUNC(wire_send);
/* Send what the socket takes. */
void wire_flush(struct wire *wire);
/* May more be written? If not, there is a turn as soon as there is room. */
bool wire_has_room(struct wire *wire);

/* session.c */
/* The connection has to end: the first reason counts. fmt is for people. */
void remote_fail(struct remote *remote, const char *why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));
/* The same, judged by libssh2's error; phase: what was being done. */
void remote_fail_ssh(struct remote *remote, int error, const char *phase);
/* Take a turn of the loop soon. */
void remote_wake(struct remote *remote);

/* login.c; each returns true when the state moved on */
int login_set_methods(struct remote *remote, struct err *err);
int login_set_key(struct remote *remote, struct err *err);
bool login_handshake(struct remote *remote);
bool login_authenticate(struct remote *remote);
bool login_list_methods(struct remote *remote);

/* shell.c */
/* Append a script without its comments; the command that runs sh. */
void shell_put_script(struct buf *out, const char *text);
void shell_put_sh(
    const struct remote *remote, const struct gate *gate, struct buf *out);
/* One word for a shell, with a blank in front. */
void shell_put_word(struct buf *out, const char *word);
/* Make the exec command and queue the first request. */
void shell_start(struct remote *remote, remote_done *done);
/* Send what a shell reads first; how: the word for boot.sh. */
void shell_boot(struct remote *remote, const char *how, remote_done *done);
struct shell_boot {
	char uid[16];
	const char *gaps; /* text for people, "" = none; in the arena */
	int64_t clock_ms;
	char uptime[24]; /* seconds; "" = it does not say */
	bool moving;	 /* another shell takes its place: boot again */
};
/* Parse the first answer; sets remote->life. false: it has to end. */
bool shell_read_boot(struct remote *remote, const struct remote_answer *answer,
    struct shell_boot *boot);
bool shell_open(struct remote *remote);
/* Write requests and read answers until nothing moves. */
void shell_work(struct remote *remote);

/* gate.c */
/* Shut where sudo may ask for a password; open otherwise. */
void gate_start(struct remote *remote, struct gate *gate);
void gate_free(struct gate *gate);
/* What the shell behind it runs first, to say that it is there. */
void gate_put_mark(const struct gate *gate, struct buf *text);
/* Take what the channel says before that. Returns how much of data was used;
 * the rest is for whoever is behind the gate, which is open then. */
size_t gate_feed(struct remote *remote, struct gate *gate, bool is_err,
    const char *data, size_t len);
/* Write the answer to the prompt; true once the gate is open. */
bool gate_pass(
    struct remote *remote, struct gate *gate, LIBSSH2_CHANNEL *channel);
/* The channel has ended before the shell was there. */
void gate_ended(struct remote *remote, const struct gate *gate);

/* requests.c */
void requests_boot(
    struct remote *remote, const char *text, remote_done *done, void *arg);
/* Move what may be sent to shell_in. */
void requests_send(struct remote *remote);
void requests_feed(
    struct remote *remote, bool is_err, const char *data, size_t len);
/* Answer from the head on as far as answers are here. */
void requests_answer(struct remote *remote);
/* Answer all that is open, with the end. */
void requests_end_all(struct remote *remote, enum remote_end head);
bool requests_is_xid(const char *xid);
/* The launch that waits for this blob will never run. */
void requests_refuse(
    struct remote *remote, const char *sha256, const char *text);

/* blobs.c */
bool blobs_stored(const struct remote *remote, const char *sha256);
/* Start sending what the request needs; true when nothing is missing. */
bool blobs_ready(struct remote *remote, struct request *request);
/* Take the digests of "# needs blob SHA256" at the head of a script. */
void blobs_find(struct request *request, struct bytes script);

/* side.c */
struct side *side_start(struct remote *remote,
    void (*done)(struct remote *remote, struct side *side));
bool side_busy(const struct remote *remote, const char *key);
void sides_work(struct remote *remote);
void sides_free(struct remote *remote);

/* stop.c */
void stop_free_all(struct remote *remote);

#endif
