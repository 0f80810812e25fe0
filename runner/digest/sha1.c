/*
 * HMAC-SHA-1, for one reader only: the hashed host names of known_hosts.
 * Nothing of hoshu's own is digested with it.
 */
#include "digest/digest.h"
#include "base/err.h"

#include <openssl/evp.h>
#include <string.h>

void
digest_hmac_sha1(
    struct bytes key, struct bytes data, unsigned char out[DIGEST_SHA1_RAW])
{
	size_t len = 0;

	if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, key.data, key.len,
		data.data, data.len, out, DIGEST_SHA1_RAW, &len) == NULL ||
	    len != DIGEST_SHA1_RAW)
		bug("libcrypto made no HMAC");
}
