/*
 * The matcher of Lua's patterns. The stock one can run for hours inside C,
 * where no hook fires; here every step is paid from the job's budget.
 */
#include <ctype.h>
#include <string.h>

#include "base/i18n.h"
#include "script/pattern.h"

enum { DEPTH = 180 };

/* raises */
static void
pay(struct matcher *m)
{
	if (++m->steps < 256)
		return;
	box_charge(m->L, m->steps);
	m->steps = 0;
}

/* raises */
static const char *
class_end(struct matcher *m, const char *p)
{
	if (p == m->pattern_end)
		luaL_error(m->L, "%s", _("the pattern ends too early"));
	if (*p++ == '%') {
		if (p == m->pattern_end)
			luaL_error(m->L, "%s", _("the pattern ends with '%'"));
		return p + 1;
	}
	if (p[-1] != '[')
		return p;
	if (p < m->pattern_end && *p == '^')
		p++;
	do { /* a ']' that stands first is itself */
		if (p == m->pattern_end)
			luaL_error(m->L, "%s", _("the pattern lacks a ']'"));
		if (*p++ == '%' && p < m->pattern_end)
			p++;
	} while (p == m->pattern_end || *p != ']');
	return p + 1;
}

static bool
in_class(unsigned char c, unsigned char class)
{
	bool is;

	switch (tolower(class)) {
	case 'a':
		is = isalpha(c);
		break;
	case 'c':
		is = iscntrl(c);
		break;
	case 'd':
		is = isdigit(c);
		break;
	case 'g':
		is = isgraph(c);
		break;
	case 'l':
		is = islower(c);
		break;
	case 'p':
		is = ispunct(c);
		break;
	case 's':
		is = isspace(c);
		break;
	case 'u':
		is = isupper(c);
		break;
	case 'w':
		is = isalnum(c);
		break;
	case 'x':
		is = isxdigit(c);
		break;
	case 'z': /* of old, for a NUL */
		is = c == '\0';
		break;
	default:
		return class == c;
	}
	return isupper(class) ? !is : is;
}

/* set: at '['; last: at its ']' */
static bool
in_set(unsigned char c, const char *set, const char *last)
{
	bool wanted = true;

	set++;
	if (*set == '^') {
		wanted = false;
		set++;
	}
	for (; set < last; set++) {
		if (*set == '%') {
			set++;
			if (in_class(c, (unsigned char)*set))
				return wanted;
		} else if (set[1] == '-' && set + 2 < last) {
			if ((unsigned char)set[0] <= c &&
			    c <= (unsigned char)set[2])
				return wanted;
			set += 2;
		} else if ((unsigned char)*set == c) {
			return wanted;
		}
	}
	return !wanted;
}

static bool
one_matches(struct matcher *m, const char *s, const char *p, const char *end)
{
	unsigned char c;

	pay(m);
	if (s >= m->text_end)
		return false;
	c = (unsigned char)*s;
	switch (*p) {
	case '.':
		return true;
	case '%':
		return in_class(c, (unsigned char)p[1]);
	case '[':
		return in_set(c, p, end - 1);
	default:
		return (unsigned char)*p == c;
	}
}

/* %bxy; raises */
static const char *
match_balance(struct matcher *m, const char *s, const char *p)
{
	int open = 1;

	if (p + 1 >= m->pattern_end)
		luaL_error(m->L, "%s", _("%b needs two characters"));
	if (s >= m->text_end || *s != *p)
		return NULL;
	while (++s < m->text_end) {
		pay(m);
		if (*s == p[1]) {
			if (--open == 0)
				return s + 1;
		} else if (*s == *p) {
			open++;
		}
	}
	return NULL;
}

static const char *
match_most(struct matcher *m, const char *s, const char *p, const char *end)
{
	ptrdiff_t n = 0;
	const char *rest;

	while (one_matches(m, s + n, p, end))
		n++;
	for (; n >= 0; n--)
		if ((rest = pattern_match_at(m, s + n, end + 1)) != NULL)
			return rest;
	return NULL;
}

static const char *
match_least(struct matcher *m, const char *s, const char *p, const char *end)
{
	const char *rest;

	for (;;) {
		if ((rest = pattern_match_at(m, s, end + 1)) != NULL)
			return rest;
		if (!one_matches(m, s, p, end))
			return NULL;
		s++;
	}
}

static const char *
match_open(struct matcher *m, const char *s, const char *p, ptrdiff_t kind)
{
	const char *rest;

	if (m->level >= PATTERN_CAPTURES)
		luaL_error(m->L, "%s", _("too many captures"));
	m->captures[m->level].at = s;
	m->captures[m->level].len = kind;
	m->level++;
	if ((rest = pattern_match_at(m, s, p)) == NULL)
		m->level--;
	return rest;
}

static const char *
match_close(struct matcher *m, const char *s, const char *p)
{
	int i = m->level - 1;
	const char *rest;

	while (i >= 0 && m->captures[i].len != CAP_OPEN)
		i--;
	if (i < 0)
		luaL_error(m->L, "%s", _("a ')' in the pattern has no '('"));
	m->captures[i].len = s - m->captures[i].at;
	if ((rest = pattern_match_at(m, s, p)) == NULL)
		m->captures[i].len = CAP_OPEN;
	return rest;
}

/* %1 */
static const char *
match_again(struct matcher *m, const char *s, int digit)
{
	int i = digit - '1';
	size_t len;

	if (i < 0 || i >= m->level || m->captures[i].len == CAP_OPEN)
		luaL_error(m->L, _("the pattern has no capture %%%c"), digit);
	if (m->captures[i].len == CAP_PLACE)
		return s;
	len = (size_t)m->captures[i].len;
	if ((size_t)(m->text_end - s) < len ||
	    memcmp(s, m->captures[i].at, len) != 0)
		return NULL;
	return s + len;
}

/* %f[set] */
static bool
at_frontier(struct matcher *m, const char *s, const char *set, const char *end)
{
	unsigned char before = s == m->text ? '\0' : (unsigned char)s[-1];
	unsigned char now = s == m->text_end ? '\0' : (unsigned char)*s;

	return !in_set(before, set, end - 1) && in_set(now, set, end - 1);
}

/* What begins with '%' and is more than a class. 1: *s moved on to p+2 or
 * beyond (*p); 0: no match; -1: a plain class. */
static int
match_special(struct matcher *m, const char **s, const char **p)
{
	const char *end, *at = *p + 1;

	if (at == m->pattern_end)
		return -1;
	switch (*at) {
	case 'b':
		*s = match_balance(m, *s, at + 1);
		*p = at + 3;
		return *s != NULL;
	case 'f':
		if (at + 1 >= m->pattern_end || at[1] != '[')
			luaL_error(m->L, "%s", _("%f needs a [set]"));
		end = class_end(m, at + 1);
		*p = end;
		return at_frontier(m, *s, at + 1, end);
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		*s = match_again(m, *s, (unsigned char)*at);
		*p = at + 1;
		return *s != NULL;
	default:
		return -1;
	}
}

static const char *
match_loop(struct matcher *m, const char *s, const char *p)
{
	const char *end;
	int special;

	while (p < m->pattern_end) {
		pay(m);
		if (*p == '(') {
			if (p + 1 < m->pattern_end && p[1] == ')')
				return match_open(m, s, p + 2, CAP_PLACE);
			return match_open(m, s, p + 1, CAP_OPEN);
		}
		if (*p == ')')
			return match_close(m, s, p + 1);
		if (*p == '$' && p + 1 == m->pattern_end)
			return s == m->text_end ? s : NULL;
		if (*p == '%' && (special = match_special(m, &s, &p)) >= 0) {
			if (special == 0)
				return NULL;
			continue;
		}
		end = class_end(m, p);
		switch (end < m->pattern_end ? *end : '\0') {
		case '?':
			if (one_matches(m, s, p, end)) {
				const char *rest =
				    pattern_match_at(m, s + 1, end + 1);

				if (rest != NULL)
					return rest;
			}
			p = end + 1;
			break;
		case '+':
			return one_matches(m, s, p, end)
				   ? match_most(m, s + 1, p, end)
				   : NULL;
		case '*':
			return match_most(m, s, p, end);
		case '-':
			return match_least(m, s, p, end);
		default:
			if (!one_matches(m, s, p, end))
				return NULL;
			s++;
			p = end;
		}
	}
	return s;
}

const char *
pattern_match_at(struct matcher *m, const char *s, const char *p)
{
	const char *rest;

	if (++m->depth > DEPTH)
		luaL_error(m->L, "%s", _("the pattern is too deep"));
	rest = match_loop(m, s, p);
	m->depth--;
	return rest;
}
