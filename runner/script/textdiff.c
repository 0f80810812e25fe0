/*
 * The difference of two texts, line by line, for people: three lines of
 * context, cleansed, cut where it is too long. Pure.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "script/inside.h"

enum { CONTEXT = 3, CELLS_MAX = 1 << 20, LINE_MAX_SHOWN = 400 };

struct lines {
	struct bytes *line;
	size_t count;
};

static struct lines
split(struct arena *arena, struct bytes text)
{
	struct lines lines = {NULL, 0};
	const char *at = text.data, *end = at + text.len;
	size_t cap = 0;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *next = stop != NULL ? stop + 1 : end;

		/* the newline belongs to its line: "a" and "a\n" differ */
		*arena_push(arena, lines.line, lines.count, cap) =
		    (struct bytes){at, (size_t)(next - at)};
		at = next;
	}
	return lines;
}

static void
put_line(struct buf *out, char sign, struct bytes line)
{
	const char *text = line.data;
	size_t len = line.len;
	bool whole = len > 0 && text[len - 1] == '\n';

	if (whole)
		len--;
	if (len > LINE_MAX_SHOWN)
		len = LINE_MAX_SHOWN;
	buf_putc(out, sign);
	buf_putc(out, ' ');
	text_cleanse_to(out, text, len, true);
	if (len < line.len - (whole ? 1 : 0))
		buf_puts(out, "...");
	if (!whole && line.len > 0) {
		buf_putc(out, ' ');
		buf_puts(out, "(no newline at the end)");
	}
	buf_putc(out, '\n');
}

/* table[i][j] = length of the longest common part of a[i..] and b[j..] */
static uint32_t *
common_table(const struct bytes *a, size_t n, const struct bytes *b, size_t m)
{
	uint32_t *table = xcalloc((n + 1) * (m + 1), sizeof(*table));

	for (size_t i = n; i-- > 0;)
		for (size_t j = m; j-- > 0;) {
			uint32_t *cell = &table[i * (m + 1) + j];
			uint32_t down = table[(i + 1) * (m + 1) + j];
			uint32_t right = cell[1];

			if (bytes_equal(a[i], b[j]))
				*cell = table[(i + 1) * (m + 1) + j + 1] + 1;
			else
				*cell = down >= right ? down : right;
		}
	return table;
}

static void
put_middle(struct buf *out, const struct bytes *a, size_t n,
    const struct bytes *b, size_t m)
{
	uint32_t *table = NULL;
	size_t i = 0, j = 0;

	/* too many lines to compare: all of the old, then all of the new */
	if ((n + 1) * (m + 1) <= CELLS_MAX)
		table = common_table(a, n, b, m);
	while (i < n || j < m) {
		if (table != NULL && i < n && j < m &&
		    bytes_equal(a[i], b[j])) {
			put_line(out, ' ', a[i++]);
			j++;
		} else if (i < n && (j == m || table == NULL ||
					table[(i + 1) * (m + 1) + j] >=
					    table[i * (m + 1) + j + 1])) {
			put_line(out, '-', a[i++]);
		} else {
			put_line(out, '+', b[j++]);
		}
	}
	free(table);
}

const char *
textdiff_lines(struct arena *arena, struct bytes before, struct bytes after)
{
	struct lines a, b;
	struct buf out = BUF_LIMIT(4 << 20);
	size_t head = 0, tail = 0, from, cut;
	const char *lines;

	if (bytes_equal(before, after))
		return NULL;
	if ((before.len > 0 && memchr(before.data, '\0', before.len)) ||
	    (after.len > 0 && memchr(after.data, '\0', after.len)))
		return "(content that is no text differs)\n";
	a = split(arena, before);
	b = split(arena, after);
	while (head < a.count && head < b.count &&
	       bytes_equal(a.line[head], b.line[head]))
		head++;
	while (
	    tail < a.count - head && tail < b.count - head &&
	    bytes_equal(a.line[a.count - 1 - tail], b.line[b.count - 1 - tail]))
		tail++;
	from = head > CONTEXT ? head - CONTEXT : 0;
	if (from > 0)
		buf_printf(&out, "@ line %zu\n", from + 1);
	for (; from < head; from++)
		put_line(&out, ' ', a.line[from]);
	put_middle(&out, a.line + head, a.count - head - tail, b.line + head,
	    b.count - head - tail);
	for (size_t i = 0; i < tail && i < CONTEXT; i++)
		put_line(&out, ' ', a.line[a.count - tail + i]);
	if (out.len > DIFF_MAX) {
		cut = DIFF_MAX;
		while (cut > 0 && out.data[cut - 1] != '\n')
			cut--;
		lines = arena_printf(arena, "%.*s%s", (int)cut, buf_str(&out),
		    "(more follows, left out here)\n");
	} else {
		lines = arena_copy(arena, buf_str(&out), out.len);
	}
	buf_free(&out);
	return lines;
}
