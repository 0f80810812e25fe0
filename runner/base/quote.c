/*
 * The one quoter. Single quotes only: inside them a shell interprets nothing,
 * in every locale, so the only byte that needs care is the quote itself.
 */
#include "base/quote.h"
#include "base/err.h"

#include <stdbool.h>
#include <string.h>

void
quote_put(struct buf *out, const char *text, size_t len)
{
	const char *end = text + len;
	const char *quote;

	if (len > 0 && memchr(text, '\0', len) != NULL)
		bug("a NUL byte in a shell word");
	buf_putc(out, '\'');
	while (text < end) {
		quote = memchr(text, '\'', (size_t)(end - text));
		if (quote == NULL) {
			buf_put(out, text, (size_t)(end - text));
			break;
		}
		buf_put(out, text, (size_t)(quote - text));
		buf_puts(out, "'\\''");
		text = quote + 1;
	}
	buf_putc(out, '\'');
}

static bool
quote_is_harmless(const char *text, size_t len)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789_./:=@%+,-";

	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || strchr(allowed, text[i]) == NULL)
			return false;
	return len > 0;
}

void
quote_put_readable(struct buf *out, const char *text, size_t len)
{
	if (quote_is_harmless(text, len))
		buf_put(out, text, len);
	else
		quote_put(out, text, len);
}

void
quote_put_argv(struct buf *out, const char *const *argv, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_putc(out, ' ');
		quote_put_readable(out, argv[i], strlen(argv[i]));
	}
}
