/*
 * The lines of known_hosts as sshd(8) describes them: marks, patterns with
 * negation, hashed names. Pure.
 */
#include <ctype.h>
#include <string.h>

#include "digest/digest.h"
#include "openssh/known_hosts.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of [*p, end); false when there is none. */
static bool
next_word(const char **p, const char *end, const char **word, size_t *len)
{
	while (*p < end && is_blank(**p))
		(*p)++;
	*word = *p;
	while (*p < end && !is_blank(**p))
		(*p)++;
	*len = (size_t)(*p - *word);
	return *len > 0;
}

static bool
word_is(const char *word, size_t len, const char *text)
{
	return strlen(text) == len && memcmp(word, text, len) == 0;
}

bool
known_line_parse(const char *text, size_t len, struct known_line *out)
{
	const char *p = text, *end = text + len;
	struct known_line line = {.mark = KNOWN_KEY};

	if (!next_word(&p, end, &line.hosts, &line.hosts_len) ||
	    *line.hosts == '#')
		return false;
	if (*line.hosts == '@') {
		if (word_is(line.hosts, line.hosts_len, "@revoked"))
			line.mark = KNOWN_REVOKED;
		else if (word_is(line.hosts, line.hosts_len, "@cert-authority"))
			line.mark = KNOWN_AUTHORITY;
		else
			return false;
		if (!next_word(&p, end, &line.hosts, &line.hosts_len))
			return false;
	}
	if (!next_word(&p, end, &line.type, &line.type_len) ||
	    !next_word(&p, end, &line.key, &line.key_len))
		return false;
	*out = line;
	return true;
}

/* * and ? only, as in ssh_config; host is in lower case. Goes back to the last
 * star alone, so that no pattern costs more than len * pattern_len. */
static bool
pattern_matches(const char *pattern, size_t pattern_len, const char *host)
{
	const char *p = pattern, *end = pattern + pattern_len;
	const char *star = NULL, *again = NULL;

	while (*host != '\0') {
		if (p < end && *p == '*') {
			star = ++p;
			again = host;
		} else if (p < end &&
			   (*p == '?' || tolower((unsigned char)*p) == *host)) {
			p++;
			host++;
		} else if (star != NULL) {
			p = star;
			host = ++again;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

/* |1|base64(salt)|base64(hmac-sha1(salt, host)) */
static bool
hash_matches(const char *field, size_t len, const char *host)
{
	unsigned char mac[DIGEST_SHA1_RAW];
	struct buf salt = BUF_LIMIT(64), want = BUF_LIMIT(64);
	const char *end = field + len, *bar;
	bool same = false;

	if (len < 3 || memcmp(field, "|1|", 3) != 0)
		return false;
	field += 3;
	bar = memchr(field, '|', (size_t)(end - field));
	if (bar == NULL ||
	    digest_unbase64(&salt, field, (size_t)(bar - field)) < 0 ||
	    digest_unbase64(&want, bar + 1, (size_t)(end - bar - 1)) < 0 ||
	    salt.full || want.full || salt.len == 0 ||
	    want.len != DIGEST_SHA1_RAW)
		goto out;
	digest_hmac_sha1(buf_bytes(&salt), bytes_of(host), mac);
	same = memcmp(mac, want.data, sizeof(mac)) == 0;
out:
	buf_free(&salt);
	buf_free(&want);
	return same;
}

bool
known_line_is_for(const struct known_line *line, const char *host)
{
	const char *p = line->hosts, *end = p + line->hosts_len, *comma;
	bool found = false, negated;

	if (*p == '|')
		return hash_matches(p, line->hosts_len, host);
	for (; p < end; p = comma + 1) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		negated = *p == '!';
		if (negated)
			p++;
		if (!pattern_matches(p, (size_t)(comma - p), host))
			continue;
		if (negated)
			return false;
		found = true;
	}
	return found;
}

bool
known_line_is_plain(const struct known_line *line)
{
	const char *p = line->hosts, *end = p + line->hosts_len;

	for (; p < end; p++) {
		if (*p == '|' || *p == '*' || *p == '?' || *p == '!')
			return false;
	}
	return true;
}
