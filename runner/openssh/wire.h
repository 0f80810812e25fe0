/*
 * The agent protocol's messages as bytes (draft-miller-ssh-agent), and what
 * is to be found inside a text to sign. Pure: no sockets.
 */
#ifndef HOSHU_OPENSSH_WIRE_H
#define HOSHU_OPENSSH_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { WIRE_MESSAGE_MAX = 256 * 1024 }; /* as OpenSSH's agent has it */

/* Reads from the front; bad once something was not there. */
struct wire_reader {
	const unsigned char *data;
	size_t left;
	bool bad;
};
uint8_t wire_u8(struct wire_reader *reader);
uint32_t wire_u32(struct wire_reader *reader);
/* Points into what is read. */
struct bytes wire_string(struct wire_reader *reader);

/* Length of the first whole message of in with its 4 bytes in front; 0 = not
 * whole yet; -1 = longer than WIRE_MESSAGE_MAX or empty. */
long wire_message_len(const struct buf *in);

/* Append whole messages, length in front. */
void wire_put_list(struct buf *out);
void wire_put_sign(
    struct buf *out, struct bytes key, struct bytes data, uint32_t flags);

/* A key as known_hosts and authorized_keys write it. */
struct wire_key {
	const char *text; /* "type base64" */
	const char *comment;
};
/* message: without its length. Keys that are not plain ones (certificates,
 * sk-, dss) are left out. */
int wire_get_list(struct arena *arena, struct bytes message,
    struct wire_key **keys, size_t *count, struct err *err) MUST_USE;
/* Gives the signature within message, made by algorithm. */
int wire_get_signature(struct bytes message, const char *algorithm,
    struct bytes *signature, struct err *err) MUST_USE;

/* "type base64" to the bytes of the key; -1 when it is none. */
int wire_key_blob(const char *key, struct buf *out);

/*
 * Is payload an SSH_MSG_USERAUTH_REQUEST of user, for service ssh-connection,
 * by method publickey with this key (RFC 4252, 7)? Gives the algorithm named
 * in it and the agent's flags for it. ERR_REFUSED when not.
 */
struct wire_request {
	char algorithm[32];
	uint32_t flags;
};
int wire_check_payload(struct bytes payload, const char *user, struct bytes key,
    struct wire_request *out, struct err *err) MUST_USE;

#endif
