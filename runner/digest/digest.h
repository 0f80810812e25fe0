/*
 * Digests: SHA-256 of bytes, as 64 lower-case hex digits everywhere.
 * The only user of openssl/evp.h.
 */
#ifndef HOSHU_DIGEST_DIGEST_H
#define HOSHU_DIGEST_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { DIGEST_RAW = 32, DIGEST_HEX = 65 };

struct digest {
	char hex[DIGEST_HEX]; /* NUL-terminated */
};

/* Before anything else of libcrypto, once a process: without memory it aborts
 * as base/arena.h says (its own handling of that crashes while it starts). */
void digest_start(void);

void digest_of(struct bytes data, struct digest *out);
void digest_raw(struct bytes data, unsigned char out[DIGEST_RAW]);
/* SHA-256(prefix byte || a || b): RFC 6962 leaf (0x00) and node (0x01). */
void digest_node(unsigned char prefix, struct bytes a, struct bytes b,
    unsigned char out[DIGEST_RAW]);
void digest_to_hex(const unsigned char raw[DIGEST_RAW], struct digest *out);
/* 0, or -1 when text is not 64 lower-case hex digits. */
int digest_from_hex(const char *text, unsigned char raw[DIGEST_RAW]);
/* HMAC-SHA-256, hex: keyed digests of secrets. */
void digest_keyed(struct bytes key, struct bytes data, struct digest *out);

/* HMAC-SHA-1: hashed names of known_hosts, nothing else. */
enum { DIGEST_SHA1_RAW = 20 };
void digest_hmac_sha1(
    struct bytes key, struct bytes data, unsigned char out[DIGEST_SHA1_RAW]);

/* Standard base64 with padding. */
void digest_base64(struct buf *out, struct bytes data);
/* 0, or -1 when text is not base64 (blanks and newlines are passed over). */
int digest_unbase64(struct buf *out, const char *text, size_t len);

#endif
