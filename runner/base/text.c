/*
 * UTF-8, and the cleansing that every text goes through before a terminal or
 * syslog sees it. Works on one character at a time, so that nothing is ever
 * cut in its middle.
 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct range {
	uint32_t from, to;
};

/*
 * What could steer a terminal, turn the direction of text or hide in it.
 * Joiners (U+200C, U+200D) stay: Persian and emoji need them.
 */
static const struct range unsafe_codes[] = {
    {0x0000, 0x001f},
    {0x007f, 0x009f},
    {0x061c, 0x061c},
    {0x180e, 0x180e},
    {0x200b, 0x200b},
    {0x200e, 0x200f},
    {0x2028, 0x202e},
    {0x2060, 0x206f},
    {0xfeff, 0xfeff},
    {0xfff9, 0xfffb},
    {0xe0000, 0xe0fff},
};

/* Unicode 15, East Asian Width W and F, ranges drawn together. */
static const struct range wide_codes[] = {
    {0x1100, 0x115f},
    {0x231a, 0x231b},
    {0x23e9, 0x23ec},
    {0x2614, 0x2615},
    {0x26a1, 0x26a1},
    {0x2705, 0x2705},
    {0x274c, 0x274c},
    {0x2757, 0x2757},
    {0x2b50, 0x2b50},
    {0x2e80, 0x303e},
    {0x3041, 0x33ff},
    {0x3400, 0x4dbf},
    {0x4e00, 0xa4cf},
    {0xa960, 0xa97c},
    {0xac00, 0xd7a3},
    {0xf900, 0xfaff},
    {0xfe10, 0xfe19},
    {0xfe30, 0xfe6f},
    {0xff01, 0xff60},
    {0xffe0, 0xffe6},
    {0x16fe0, 0x18d08},
    {0x1aff0, 0x1b2fb},
    {0x1f300, 0x1f320},
    {0x1f32d, 0x1f335},
    {0x1f337, 0x1f37c},
    {0x1f37e, 0x1f393},
    {0x1f3a0, 0x1f3ca},
    {0x1f3e0, 0x1f3f0},
    {0x1f400, 0x1f43e},
    {0x1f440, 0x1f4fc},
    {0x1f4ff, 0x1f53d},
    {0x1f550, 0x1f567},
    {0x1f5fb, 0x1f64f},
    {0x1f680, 0x1f6c5},
    {0x1f6d0, 0x1f6d7},
    {0x1f900, 0x1f9ff},
    {0x1fa70, 0x1faff},
    {0x20000, 0x3fffd},
};

static const struct range zero_codes[] = {
    {0x0300, 0x036f},
    {0x0483, 0x0489},
    {0x0591, 0x05bd},
    {0x064b, 0x065f},
    {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff},
    {0x200b, 0x200f},
    {0x20d0, 0x20ff},
    {0x3099, 0x309a},
    {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f},
    {0xe0100, 0xe01ef},
};
#define IN_RANGES(table, code)                                                 \
	in_ranges((table), sizeof(table) / sizeof((table)[0]), (code))

static bool
in_ranges(const struct range *ranges, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count && code >= ranges[i].from; i++)
		if (code <= ranges[i].to)
			return true;
	return false;
}

size_t
text_decode(const char *text, size_t len, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)text;
	uint32_t value;
	size_t need;

	if (len == 0)
		return 0;
	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		need = 2;
		value = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		need = 3;
		value = p[0] & 0x0f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		need = 4;
		value = p[0] & 0x07;
	} else
		return 0;
	if (len < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < least[need] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return need;
}

bool
text_is_unsafe(uint32_t code)
{
	return IN_RANGES(unsafe_codes, code);
}

size_t
text_utf8_prefix(const char *text, size_t len)
{
	size_t at = 0, step;
	uint32_t code;

	while (at < len) {
		step = text_decode(text + at, len - at, &code);
		if (step == 0)
			break;
		at += step;
	}
	return at;
}

bool
text_is_utf8(const char *text, size_t len)
{
	return text_utf8_prefix(text, len) == len;
}

/* One character of text, cleansed, into piece: returns the bytes it took of
 * text and sets *put to the bytes in piece. */
static size_t
cleanse_one(
    const char *text, size_t len, bool one_line, char piece[16], size_t *put)
{
	uint32_t code = 0;
	size_t step = text_decode(text, len, &code);
	int n;

	if (step == 0) {
		step = 1;
		n = snprintf(piece, 16, "\\x%02x", (unsigned char)*text);
	} else if (code == '\n' || code == '\t') {
		if (one_line)
			n = snprintf(
			    piece, 16, "\\%c", code == '\n' ? 'n' : 't');
		else
			n = snprintf(piece, 16, "%c", (int)code);
	} else if (!text_is_unsafe(code)) {
		memcpy(piece, text, step);
		n = (int)step;
	} else if (code < 0x80)
		n = snprintf(piece, 16, "\\x%02x", (unsigned)code);
	else
		n = snprintf(piece, 16, "\\u{%04x}", (unsigned)code);
	*put = (size_t)n;
	return step;
}

size_t
text_cleanse(char *out, size_t size, const char *text, size_t len)
{
	char piece[16];
	size_t at = 0, written = 0, step, put;

	if (size == 0)
		return 0;
	while (at < len) {
		step = cleanse_one(text + at, len - at, false, piece, &put);
		if (written + put >= size)
			break;
		memcpy(out + written, piece, put);
		written += put;
		at += step;
	}
	out[written] = '\0';
	return written;
}

void
text_cleanse_to(struct buf *out, const char *text, size_t len, bool one_line)
{
	char piece[16];
	size_t at = 0, put;

	while (at < len && !out->full) {
		at += cleanse_one(text + at, len - at, one_line, piece, &put);
		buf_put(out, piece, put);
	}
}

size_t
text_width(const char *text)
{
	size_t len = strlen(text), at = 0, width = 0, step;
	uint32_t code = 0;

	while (at < len) {
		step = text_decode(text + at, len - at, &code);
		if (step == 0) {
			step = 1;
			width++;
		} else if (IN_RANGES(wide_codes, code))
			width += 2;
		else if (code >= 0x20 && !IN_RANGES(zero_codes, code))
			width++;
		at += step;
	}
	return width;
}

int
text_pad(const char *text, int columns)
{
	return columns + (int)strlen(text) - (int)text_width(text);
}

uint64_t
text_hash(const char *text)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return hash ^ hash >> 32;
}
