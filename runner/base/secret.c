/*
 * Secrets in locked pages; see secret.h.
 */
#include "base/secret.h"

#include <string.h>
#include <sys/mman.h>

#include "base/i18n.h"

enum { MASK_MIN = 4 }; /* shorter ones are found everywhere */

struct secret {
	size_t len;
	char data[SECRET_MAX];
};

int
secret_new(struct secret **out, struct err *err)
{
	struct secret *secret = mmap(NULL, sizeof(*secret),
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (secret == MAP_FAILED)
		return err_errno(err, _("no memory for a secret"));
	(void)mlock(secret, sizeof(*secret));
	(void)madvise(secret, sizeof(*secret), MADV_DONTDUMP);
	/* the children that we fork on the way to others */
	(void)madvise(secret, sizeof(*secret), MADV_WIPEONFORK);
	*out = secret;
	return 0;
}

void
secret_free(struct secret *secret)
{
	if (secret == NULL)
		return;
	explicit_bzero(secret, sizeof(*secret));
	(void)munmap(secret, sizeof(*secret));
}

char *
secret_room(struct secret *secret)
{
	return secret->data;
}

void
secret_set_len(struct secret *secret, size_t len)
{
	secret->len = len <= SECRET_MAX ? len : SECRET_MAX;
}

struct bytes
secret_bytes(const struct secret *secret)
{
	return (struct bytes){secret->data, secret->len};
}

void
secret_mask(const struct secret *secret, char *data, size_t len)
{
	char *end = data + len;

	if (secret->len < MASK_MIN || len == 0)
		return;
	while ((data = memmem(data, (size_t)(end - data), secret->data,
		    secret->len)) != NULL) {
		memset(data, '*', secret->len);
		data += secret->len;
	}
}

void
secret_mask_cut(const struct secret *secret, char *head, size_t head_len,
    char *tail, size_t tail_len)
{
	const char *end = secret->data + secret->len;

	for (size_t n = secret->len; n-- > MASK_MIN;)
		if (n <= head_len &&
		    memcmp(head + head_len - n, secret->data, n) == 0)
			memset(head + head_len - n, '*', n);
	for (size_t n = secret->len; n-- > MASK_MIN;)
		if (n <= tail_len && memcmp(tail, end - n, n) == 0)
			memset(tail, '*', n);
}
