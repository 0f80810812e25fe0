/*
 * SHA-256, HMAC and base64 by libcrypto. That these fail is a fault of this
 * machine that nothing can be recorded under: it ends in bug().
 */
#include "digest/digest.h"
#include "base/arena.h"
#include "base/err.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* libcrypto wants NULL for nothing. */
static void *
crypto_malloc(size_t size, const char *file, int line)
{
	return size > 0 ? xmalloc(size) : NULL;
}

static void *
crypto_realloc(void *old, size_t size, const char *file, int line)
{
	if (size > 0)
		return xrealloc(old, size);
	free(old);
	return NULL;
}

static void
crypto_free(void *p, const char *file, int line)
{
	free(p);
}

void
digest_start(void)
{
	if (CRYPTO_set_mem_functions(
		crypto_malloc, crypto_realloc, crypto_free) != 1)
		bug("libcrypto has allocated before digest_start");
}

void
digest_raw(struct bytes data, unsigned char out[DIGEST_RAW])
{
	unsigned int len = 0;

	if (EVP_Digest(data.data, data.len, out, &len, EVP_sha256(), NULL) !=
		1 ||
	    len != DIGEST_RAW)
		bug("libcrypto made no SHA-256");
}

void
digest_of(struct bytes data, struct digest *out)
{
	unsigned char raw[DIGEST_RAW];

	digest_raw(data, raw);
	digest_to_hex(raw, out);
}

void
digest_node(unsigned char prefix, struct bytes a, struct bytes b,
    unsigned char out[DIGEST_RAW])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int len = 0;

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, &prefix, 1) != 1 ||
	    EVP_DigestUpdate(ctx, a.data, a.len) != 1 ||
	    EVP_DigestUpdate(ctx, b.data, b.len) != 1 ||
	    EVP_DigestFinal_ex(ctx, out, &len) != 1 || len != DIGEST_RAW)
		bug("libcrypto made no SHA-256");
	EVP_MD_CTX_free(ctx);
}

void
digest_to_hex(const unsigned char raw[DIGEST_RAW], struct digest *out)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < DIGEST_RAW; i++) {
		out->hex[2 * i] = digits[raw[i] >> 4];
		out->hex[2 * i + 1] = digits[raw[i] & 15];
	}
	out->hex[2 * DIGEST_RAW] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int
digest_from_hex(const char *text, unsigned char raw[DIGEST_RAW])
{
	unsigned char made[DIGEST_RAW];
	int high, low;

	if (strnlen(text, DIGEST_HEX) != DIGEST_HEX - 1)
		return -1;
	for (int i = 0; i < DIGEST_RAW; i++) {
		high = hex_value(text[2 * i]);
		low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return -1;
		made[i] = (unsigned char)(high << 4 | low);
	}
	memcpy(raw, made, sizeof(made));
	return 0;
}

void
digest_keyed(struct bytes key, struct bytes data, struct digest *out)
{
	unsigned char raw[DIGEST_RAW];
	size_t len = 0;

	if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL,
		key.len > 0 ? key.data : "", key.len,
		data.len > 0 ? data.data : (const void *)"", data.len, raw,
		sizeof(raw), &len) == NULL ||
	    len != DIGEST_RAW)
		bug("libcrypto made no HMAC");
	digest_to_hex(raw, out);
}

void
digest_base64(struct buf *out, struct bytes data)
{
	/* 48 bytes are 64 characters: no padding but in the last piece */
	enum { PIECE = 48 };
	unsigned char text[PIECE / 3 * 4 + 1];
	const unsigned char *p = data.data;
	size_t part;
	int len;

	for (size_t at = 0; at < data.len; at += part) {
		part = data.len - at < PIECE ? data.len - at : PIECE;
		len = EVP_EncodeBlock(text, p + at, (int)part);
		buf_put(out, text, (size_t)len);
	}
}

/* Four characters of base64 into at most 3 bytes; -1 when they are none or
 * not the ones that encoding would give. */
static int
decode_four(const char four[4], unsigned char three[3])
{
	unsigned char again[5];
	int len = 3;

	if (EVP_DecodeBlock(three, (const unsigned char *)four, 4) != 3)
		return -1;
	if (four[3] == '=')
		len--;
	if (four[2] == '=')
		len--;
	/* libcrypto lets stray bits and misplaced padding pass */
	EVP_EncodeBlock(again, three, len);
	return memcmp(again, four, 4) == 0 ? len : -1;
}

int
digest_unbase64(struct buf *out, const char *text, size_t len)
{
	size_t before = out->len, held = 0;
	unsigned char three[3];
	bool ended = false;
	char four[4];
	int got;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\0' && strchr(" \t\r\n", text[i]) != NULL)
			continue;
		if (ended)
			goto wrong;
		four[held++] = text[i];
		if (held < sizeof(four))
			continue;
		held = 0;
		got = decode_four(four, three);
		if (got < 0)
			goto wrong;
		ended = got < 3;
		buf_put(out, three, (size_t)got);
	}
	if (held == 0 && !out->full)
		return 0;
wrong:
	out->len = before;
	if (out->data != NULL)
		out->data[before] = '\0';
	return -1;
}
