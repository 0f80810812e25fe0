/*
 * Values that people write: numbers, durations, times, and the word that
 * they may have meant.
 */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NEAR_MAX = 64 };

/* Edit distance where two neighbours swapped count as one mistake; both words
 * are at most NEAR_MAX bytes. Case counts for nothing. */
static size_t
edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][NEAR_MAX + 1];
	size_t *older = rows[0], *old = rows[1], *now = rows[2], *swap, best;
	int x, y;

	for (size_t j = 0; j <= b_len; j++)
		old[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = i;
		x = tolower((unsigned char)a[i - 1]);
		for (size_t j = 1; j <= b_len; j++) {
			y = tolower((unsigned char)b[j - 1]);
			best = old[j - 1] + (x != y);
			if (old[j] + 1 < best)
				best = old[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && x != y &&
			    x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]) &&
			    older[j - 2] + 1 < best)
				best = older[j - 2] + 1;
			now[j] = best;
		}
		swap = older;
		older = old;
		old = now;
		now = swap;
	}
	return old[b_len];
}

const char *
text_near(const char *word, const char *const *words, size_t count)
{
	const char *near = NULL;
	size_t len = strlen(word), best = NEAR_MAX, other, distance, longer;

	if (len == 0 || len > NEAR_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		other = strlen(words[i]);
		longer = len > other ? len : other;
		if (other == 0 || other > NEAR_MAX)
			continue;
		distance = edit_distance(word, len, words[i], other);
		if (distance <= longer / 3 && distance < best) {
			best = distance;
			near = words[i];
		}
	}
	return near;
}

/* Digits from *text on, without needless zeros in front, up to max. */
static bool
read_digits(const char **text, uint64_t max, uint64_t *value)
{
	const char *p = *text;
	uint64_t sum = 0, digit;

	if (!isdigit((unsigned char)*p))
		return false;
	if (*p == '0' && isdigit((unsigned char)p[1]))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		digit = (uint64_t)(*p - '0');
		if (sum > max / 10 || sum * 10 > max - digit)
			return false;
		sum = sum * 10 + digit;
	}
	*text = p;
	*value = sum;
	return true;
}

bool
text_int(const char *text, int64_t min, int64_t max, int64_t *value)
{
	bool minus = *text == '-';
	uint64_t size = 0;
	int64_t result;

	if (minus)
		text++;
	if (!read_digits(&text, (uint64_t)INT64_MAX, &size) || *text != '\0')
		return false;
	if (minus && size == 0)
		return false;
	result = minus ? -(int64_t)size : (int64_t)size;
	if (result < min || result > max)
		return false;
	*value = result;
	return true;
}

static const struct {
	const char *name;
	int64_t ms;
} duration_units[] = {
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};
#define UNIT_COUNT (sizeof(duration_units) / sizeof(duration_units[0]))
#define DURATION_MAX ((uint64_t)3650 * 86400000)

bool
text_duration(const char *text, int64_t *ms)
{
	uint64_t amount = 0, unit;

	if (!read_digits(&text, DURATION_MAX, &amount))
		return false;
	for (size_t i = 0; i < UNIT_COUNT; i++) {
		unit = (uint64_t)duration_units[i].ms;
		if (strcmp(text, duration_units[i].name) != 0)
			continue;
		if (amount > DURATION_MAX / unit)
			return false;
		*ms = (int64_t)(amount * unit);
		return true;
	}
	return false;
}

void
text_put_duration(struct buf *out, int64_t ms)
{
	size_t i = 0;

	if (ms == 0) {
		buf_puts(out, "0s");
		return;
	}
	while (ms % duration_units[i].ms != 0)
		i++;
	buf_printf(out, "%lld%s", (long long)(ms / duration_units[i].ms),
	    duration_units[i].name);
}

void
text_put_time(struct buf *out, int64_t wall_ms)
{
	int64_t ms = wall_ms % 1000, seconds = wall_ms / 1000;
	struct tm tm;
	time_t when;

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	when = (time_t)seconds;
	if (gmtime_r(&when, &tm) == NULL) {
		buf_printf(out, "%lldms", (long long)wall_ms);
		return;
	}
	buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, (int)ms);
}
