/*
 * What a step is about; see resource.h. Pure: no I/O, no clock.
 */
#include "change/resource.h"

#include <string.h>

static const char title_mark[] = "# hoshu: ";

const char *
resource_title(struct arena *arena, struct bytes script)
{
	const char *at = script.data, *end = at + script.len;

	/* behind the lines that name its blobs */
	while (at < end && *at == '#') {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((line != NULL ? line : end) - at);
		size_t mark = sizeof(title_mark) - 1;

		if (len > mark && memcmp(at, title_mark, mark) == 0)
			return arena_copy(arena, at + mark, len - mark);
		if (line == NULL)
			break;
		at = line + 1;
	}
	return "";
}

/* Length of the word at text; 0 at its end. */
static size_t
word_len(const char *text)
{
	return strcspn(text, " ");
}

static const char *
word_next(const char *text)
{
	text += word_len(text);
	return text + strspn(text, " ");
}

static bool
word_is(const char *text, const char *word)
{
	return word_len(text) == strlen(word) &&
	       strncmp(text, word, strlen(word)) == 0;
}

static bool
word_same(const char *a, const char *b)
{
	return word_len(a) == word_len(b) && strncmp(a, b, word_len(a)) == 0;
}

static bool
is_command(const char *title)
{
	return word_is(title, "run") || word_is(title, "shell");
}

bool
resource_same(const char *a, const char *b)
{
	bool module = word_same(a, b);

	if (strcmp(a, b) == 0)
		return true;
	if (is_command(a) && is_command(b))
		return false;
	for (const char *x = word_next(a); *x != '\0'; x = word_next(x))
		for (const char *y = word_next(b); *y != '\0'; y = word_next(y))
			if ((module || *x == '/') && word_same(x, y))
				return true;
	return false;
}
