/*
 * Hosts whose impact differs by their own name alone are of one kind: "pool
 * out web1" on web1 is "pool out web2" on web2. Pure.
 */
#include "preview/named.h"

#include <string.h>

/* of a name: "web1" is not in "web10" or "my-web1" */
static bool
named_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool
named_stands(struct bytes text, size_t at, const char *name, size_t len)
{
	const char *data = text.data;

	return text.len - at >= len && memcmp(data + at, name, len) == 0 &&
	       (at == 0 || !named_is_word(data[at - 1])) &&
	       (at + len == text.len || !named_is_word(data[at + len]));
}

bool
named_put(struct buf *out, struct bytes text, const char *name)
{
	static const char own[] = "${{ host.name }}";
	const char *data = text.data;
	size_t len = strlen(name), from = 0, at = 0;
	bool found = false;

	/* with these words in it already it could not be told back */
	if (len == 0 || memmem(text.data, text.len, own, sizeof(own) - 1)) {
		buf_put(out, text.data, text.len);
		return false;
	}
	while (at < text.len) {
		if (!named_stands(text, at, name, len)) {
			at++;
			continue;
		}
		buf_put(out, data + from, at - from);
		buf_puts(out, own);
		at += len;
		from = at;
		found = true;
	}
	buf_put(out, data + from, text.len - from);
	return found;
}
