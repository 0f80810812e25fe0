/* Whatever bytes: cleansed, no character of them steers a terminal; quoted,
 * they are one word of a shell. */
#include "base/quote.h"
#include "base/said.h"
#include "base/text.h"
#include "fuzz.h"

static void
check_safe(const char *text, size_t len, bool one_line)
{
	size_t at = 0, step;
	uint32_t code;

	while (at < len) {
		step = text_decode(text + at, len - at, &code);
		fuzz_check(step > 0);
		fuzz_check(!text_is_unsafe(code) ||
			   (!one_line && (code == '\n' || code == '\t')));
		at += step;
	}
}

/* What a POSIX shell makes of single quotes and \'; the other way of quoting
 * it does not use. */
static void
unquote(const char *word, size_t len, struct buf *out)
{
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\'')
			quoted = !quoted;
		else if (quoted)
			buf_putc(out, word[i]);
		else {
			fuzz_check(word[i] == '\\' && i + 1 < len);
			buf_putc(out, word[++i]);
		}
	}
	fuzz_check(!quoted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct buf out = BUF_INIT, back = BUF_INIT;
	char cut[64], *copy;
	size_t len;

	text_cleanse_to(&out, text, size, true);
	check_safe(buf_str(&out), out.len, true);
	buf_reset(&out);
	text_cleanse_to(&out, text, size, false);
	check_safe(buf_str(&out), out.len, false);
	len = text_cleanse(cut, sizeof(cut), text, size);
	fuzz_check(len < sizeof(cut) && cut[len] == '\0');
	check_safe(cut, len, false);
	fuzz_check(text_utf8_prefix(text, size) <= size);
	fuzz_check(
	    text_is_utf8(text, size) == (text_utf8_prefix(text, size) == size));
	if (memchr(text, '\0', size) == NULL) {
		buf_reset(&out);
		quote_put(&out, text, size);
		unquote(buf_str(&out), out.len, &back);
		fuzz_check(back.len == size &&
			   (size == 0 || memcmp(back.data, text, size) == 0));
		copy = malloc(size + 1);
		fuzz_check(copy != NULL);
		memcpy(copy, text, size);
		copy[size] = '\0';
		(void)text_width(copy);
		buf_reset(&out);
		said_put(&out, copy);
		free(copy);
	}
	buf_free(&out);
	buf_free(&back);
	return 0;
}
