/*
 * The seam between the coordinator and its workers: messages over an
 * AF_UNIX SOCK_SEQPACKET pair. The only thing that both sides share, besides
 * base/, loop/, digest/ and match/. Both ends are one binary: no versions.
 *
 * A message is a header and fields; each field is bytes with a length. What
 * fields a message has stands in SEAM_MESSAGES, in order; seam_recv refuses
 * any other number. Up to 60 KiB go inline, more in a sealed memfd (then the
 * message cannot carry a descriptor of its own: seam_fits tells).
 *
 * Nothing that a worker sends can hurt the coordinator: what does not fit the
 * table, the limits or the seals is -ERR_INTERNAL, and the worker is killed.
 *
 * Numbers are fields of decimal text. Every job gets exactly one final
 * answer (SEEN, VERDICT, MORE, CHECKED, VALUE, DESCRIBED or FAILED); `job` is the
 * coordinator's number for it, `host` its number for the connection. What a
 * host said crosses as canonical JSON text or as raw bytes that the
 * coordinator stores, hashes and compares, and never parses.
 *
 * What the fields hold (JSON = canonical, base/json.h):
 *
 * READY     shut_in: "whole", or what is missing, for people.
 * MODULE    source: Lua text. Answered by nothing; DESCRIBE asks for it.
 * OPEN      dial: number of this connection attempt, late answers of an older
 *           one are dropped. host_key_types: SSH algorithm names, comma
 *           separated. host_keys: lines "type base64", any one must match.
 *           auth_key: "type base64" of the one key offered. become: "none",
 *           "sudo", or "password": sudo that may ask for one. shell: "plain" or "readonly". root_spool: "" = the
 *           default of host.sh. The descriptor is the connected socket.
 * SIGNATURE signature: the raw signature (SSH "string sig" content, without
 *           the algorithm); refused: "" or why.
 * NEED      a sudo that this worker started asks for a password; prompt: the
 *           worker's number for it. -> SECRET secret: the bytes, or refused:
 *           why there are none. The password is where the worker is only from
 *           then on, and until it was written.
 * DESCRIBE  -> DESCRIBED descriptor JSON: {"name","summary","short","beside":[],
 *           "params":{NAME:{"type","required","words":[],"match","default",
 *           "summary"}},"can":{"undo":bool,"want":bool,...}}, or FAILED module
 *           with file and line.
 * PROBE     params: JSON map, strings may hold ${{ }}. data: JSON map
 *           {"host":{"name","address","port","user","groups","vars"},
 *            "facts":{},"vars":{},"inputs":{},
 *            "step":{"id","name","when"?},
 *            "changed":{STEP NAME:true|false|null},   null = not known yet
 *            "before":"UPTIME"?,  seconds; a restart is met when younger
 *            "undo":false?        nothing goes back: no undo is written, no
 *                                 old content kept
 *            "pin":WANT?}         use this want instead of asking `want`
 *           -> SEEN verdict: same|change|skip|depends|cannot_tell.
 *              skip: `when` is false. depends: the answer waits for an earlier
 *              step (reason says which); cannot_tell: no probe (reason).
 *              params: JSON, evaluated. seen, want: JSON of the state. info:
 *              JSON. effects: lines "KIND TEXT" (KIND: restart reboot package
 *              downtime write run). diff: lines for people, cleansed. summary:
 *              one line, cleansed. apply, undo: the complete scripts to
 *              launch, "" when there is none.
 * LAUNCH    script: the bytes to launch. Lines "# needs blob SHA256" at its
 *           head name blobs sent before by BLOB. life: of the intent; where
 *           the host has another by now, nothing is launched and the verdict
 *           is otherlife. -> VERDICT. At deadline_ms: FAILED deadline, and the
 *           step is told to stop (TERM, then KILL); a SETTLE says what became
 *           of it.
 * SETTLE    -> VERDICT. life: the life (of OPENED) in which it was launched.
 * VERDICT   verdict: notrun|sealed|claimed|running|done|lost|otherlife. rc:
 *           only with done. uptime: of the host when it ended, seconds. out,
 *           err: at most 64 KiB tails, raw; *_size: bytes in all.
 * STOP      TERM to the step's process tree, KILL after grace_ms. No answer;
 *           the LAUNCH answers.
 * CHECK     on the host: kind "command" (spec {"command":[argv]}) or "service"
 *           (spec {"name"}). CHECK_NET: kind "http" (spec of http/http.h)
 *           over the descriptor; a tcp check passes by the dial alone.
 *           -> CHECKED result: pass|fail|inconclusive; text: one line.
 * EVAL      expressions: JSON list of texts; each is a string with ${{ }}, or
 *           {"lua":"..."} for a bare expression. data as of PROBE; the text
 *           "" as data only compiles. -> VALUE values: JSON list.
 * OUTPUT    more of what a settled step printed: stream 1 or 2, from offset, a
 *           multiple of SEAM_MORE_MAX. -> MORE content: raw, SEAM_MORE_MAX
 *           bytes, fewer where there are no more.
 * SYNC      `sync` on the host. -> VERDICT done|lost
 * OPENED    life: boot id and spool token. readonly: plain|enforced|gaps;
 *           gaps: text, what could not be enforced. clock_ms: the host's wall
 *           clock; uptime: of the host, seconds. timings: "tcp=us kex=us auth=us shell=us".
 * CLOSED    why: hostkey|auth|password|network|protocol|shell|deadline|asked;
 *           fingerprint: of a refused host key ("type SHA256:..."). Every job
 *           of the host still open is answered FAILED connection before.
 * CANCEL    of a job without a connection (CHECK_NET): FAILED refused.
 * FAILED    why: module|budget|memory|deadline|connection|protocol|refused;
 *           file, line: of the module's text, or "".
 *
 * deadline_ms of a job on a connection counts from when every job sent before
 * it on that connection is answered: jobs pipeline, the host's shell does one
 * at a time. A probe or check on the host that passes its deadline ends the
 * connection (CLOSED deadline): its shell is stuck.
 */
#ifndef HOSHU_SEAM_SEAM_H
#define HOSHU_SEAM_SEAM_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* type, name, "field field ..."; a '+' at the end: carries a descriptor */
#define SEAM_MESSAGES(X)                                                       \
	/* coordinator -> worker */                                            \
	X(SEAM_MODULE, "module", "name source")                                \
	X(SEAM_BLOB, "blob", "sha256 content")                                 \
	X(SEAM_OPEN, "open",                                                   \
	    "dial name user host_key_types host_keys auth_key "                \
	    "become shell root_spool deadline_ms +")                           \
	X(SEAM_SIGNATURE, "signature", "dial signature refused")               \
	X(SEAM_SECRET, "secret", "dial prompt secret refused")                 \
	X(SEAM_DESCRIBE, "describe", "module")                                 \
	X(SEAM_PROBE, "probe", "module params data deadline_ms")               \
	X(SEAM_LAUNCH, "launch", "xid life script deadline_ms")                \
	X(SEAM_SETTLE, "settle", "xid life")                                   \
	X(SEAM_STOP, "stop", "xid grace_ms")                                   \
	X(SEAM_CHECK, "check", "kind spec deadline_ms")                        \
	X(SEAM_CHECK_NET, "check_net", "kind spec deadline_ms +")              \
	X(SEAM_EVAL, "eval", "expressions data deadline_ms")                   \
	X(SEAM_OUTPUT, "output", "xid stream offset deadline_ms")              \
	X(SEAM_SYNC, "sync", "deadline_ms")                                    \
	X(SEAM_CANCEL, "cancel", "")                                           \
	X(SEAM_CLOSE, "close", "dial")                                         \
	X(SEAM_PING, "ping", "number")                                         \
	X(SEAM_QUIT, "quit", "")                                               \
	/* worker -> coordinator */                                            \
	X(SEAM_READY, "ready", "libssh2 shut_in")                              \
	X(SEAM_SIGN, "sign", "dial algorithm payload")                         \
	X(SEAM_NEED, "need", "dial prompt")                                    \
	X(SEAM_OPENED, "opened",                                               \
	    "dial life uid readonly gaps clock_ms uptime timings")             \
	X(SEAM_CLOSED, "closed", "dial why text fingerprint")                  \
	X(SEAM_DESCRIBED, "described", "descriptor")                           \
	X(SEAM_SEEN, "seen",                                                   \
	    "verdict params seen want info effects diff "                      \
	    "summary reason apply undo")                                       \
	X(SEAM_VERDICT, "verdict",                                             \
	    "xid verdict rc uptime out_size out err_size err "                 \
	    "wall_ms")                                                         \
	X(SEAM_MORE, "more", "content")                                        \
	X(SEAM_CHECKED, "checked", "result text value")                        \
	X(SEAM_VALUE, "value", "values")                                       \
	X(SEAM_FAILED, "failed", "why text file line")                         \
	X(SEAM_PONG, "pong", "number")

enum seam_type {
	SEAM_NONE,
#define X(type, word, fields) type,
	SEAM_MESSAGES(X)
#undef X
	    SEAM_TYPES
};

enum {
	SEAM_FIELDS_MAX = 12,
	SEAM_INLINE_MAX = 60 * 1024,  /* header and fields */
	SEAM_BODY_MAX = 80 << 20,     /* any struct buf fits */
	SEAM_ANSWER_MAX = 8 << 20,    /* of a worker's message */
	SEAM_MORE_MAX = 64 << 10,     /* of an OUTPUT */
	SEAM_SETTLE_MS = 30 * 1000,   /* the deadline of a SETTLE */
	SEAM_DESCRIBE_MS = 10 * 1000, /* and of a DESCRIBE */
};

struct seam_message {
	enum seam_type type;
	uint32_t host;
	uint32_t job;
	int fd; /* -1 = none; seam_recv gives it to the caller */
	size_t count;
	struct bytes fields[SEAM_FIELDS_MAX]; /* borrowed */
};

struct seam; /* one end, with its queue of messages not yet sent */

/* A pair of connected descriptors, close-on-exec, non-blocking. */
int seam_pair(int fds[2], struct err *err) MUST_USE;
/* Takes fd. Messages received are at most max_bytes. */
struct seam *seam_new(int fd, size_t max_bytes);
void seam_free(struct seam *seam); /* closes */

/* Queue a message and send what the socket takes. fields: as many as the
 * table says (bug() otherwise). Takes fd (-1 = none). Once the other end is
 * gone, messages are dropped (seam_recv tells). */
void seam_send(struct seam *seam, enum seam_type type, uint32_t host,
    uint32_t job, int fd, const struct bytes *fields, size_t count);
/* Is something waiting for LOOP_WRITE? */
bool seam_waiting(const struct seam *seam);
/* Send on; -ERR_SYSTEM when the other end is gone. */
int seam_flush(struct seam *seam, struct err *err) MUST_USE;
/* 1 = a message (fields are valid until the next call), 0 = none now,
 * -ERR_SYSTEM = the other end is gone, -ERR_INTERNAL = malformed. */
int seam_recv(
    struct seam *seam, struct seam_message *message, struct err *err) MUST_USE;

/* Overwrite the last message received: it held a secret. */
void seam_wipe(struct seam *seam);

/* The bytes that these fields are as a body. */
size_t seam_size(const struct bytes *fields, size_t count);
/* Do they fit inline, beside a descriptor? */
bool seam_fits(const struct bytes *fields, size_t count);

const char *seam_name(enum seam_type type); /* "probe" */
/* How many fields the table gives it. */
size_t seam_field_count(enum seam_type type);
/* A message's field, bug() when its type has none of that name: for readers
 * that name what they take. Valid until the next seam_recv. */
struct bytes seam_field(const struct seam_message *message, const char *name);
/* The same as text: up to its first NUL. */
const char *seam_field_text(
    const struct seam_message *message, const char *name);
/* otherwise: when it is no decimal number of an int64_t's range. */
int64_t seam_field_int(
    const struct seam_message *message, const char *name, int64_t otherwise);

/*
 * The page that a worker shares with the coordinator: what it is at, so that
 * after its death the host and the module at fault can be named. The worker
 * writes, the coordinator reads and believes none of it: it only looks up the
 * job's or the host's number. It is the worker's descriptor after the seam's.
 */
struct seam_page {
	volatile uint32_t host;
	volatile uint32_t job;	/* 0 = in no job */
	volatile uint32_t busy; /* 1 = with the bytes of host's connection */
	volatile uint32_t call; /* the system call that ended it */
};
/* Gives the page and a descriptor for the worker. */
int seam_page_new(struct seam_page **page, int *fd, struct err *err) MUST_USE;
/* The worker's side; NULL when fd is no such page. Closes fd. */
struct seam_page *seam_page_take(int fd);
void seam_page_free(struct seam_page *page);

#endif
