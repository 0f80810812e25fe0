/*
 * Selectors: read and answered in one walk over the text. Pure.
 */
#include "hosts/select_inside.h"
#include "base/i18n.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

enum { SELECT_MAX = 4096, SELECT_DEPTH = 64 };

static void
skip_blanks(struct select *select)
{
	while (*select->at != '\0' && strchr(" \t\n", *select->at) != NULL)
		select->at++;
}

static unsigned char *
set_new(const struct select *select)
{
	return arena_array(
	    select->scratch, unsigned char, select->inventory->count);
}

static int
refuse_character(const struct select *select, struct err *err)
{
	char c = *select->at;

	if (c == '\0')
		return err_at(err, ERR_PLAN, select_place(select, select->at),
		    _("the selector ends where a host or group is expected"));
	if (c == '*' || c == '?')
		return err_at(err, ERR_PLAN, select_place(select, select->at),
		    _("'%c' is no wildcard here; write ~REGEX for a pattern "
		      "(~^web), or all for every host"),
		    c);
	if (!isascii((unsigned char)c))
		return err_at(err, ERR_PLAN, select_place(select, select->at),
		    _("names of hosts and groups hold ASCII only"));
	return err_at(err, ERR_PLAN, select_place(select, select->at),
	    _("'%c' is not expected here; a host, a group, ~REGEX, ! or ( "
	      "is"),
	    c);
}

static int
refuse_rest(const struct select *select, struct err *err)
{
	if (*select->at == ')')
		return err_at(err, ERR_PLAN, select_place(select, select->at),
		    _("this bracket closes none that is open"));
	if (select_is_word(*select->at) || strchr("~!(", *select->at) != NULL)
		return err_at(err, ERR_PLAN, select_place(select, select->at),
		    _("'&' (and) or '|' (or) is missing before this"));
	return refuse_character(select, err);
}

static int select_or(
    struct select *select, unsigned char *set, struct err *err);

/* What stands in brackets; at is behind the one that opens. */
static int
select_inside(struct select *select, const char *open, unsigned char *set,
    struct err *err)
{
	int r;

	if (++select->depth > SELECT_DEPTH)
		return err_at(err, ERR_PLAN, select_place(select, open),
		    _("more than %d brackets or '!' inside each other"),
		    SELECT_DEPTH);
	r = select_or(select, set, err);
	if (r < 0)
		return r;
	select->depth--;
	if (*select->at != ')' && *select->at != '\0')
		return refuse_rest(select, err);
	if (*select->at != ')')
		return err_at(err, ERR_PLAN, select_place(select, open),
		    _("the bracket that opens here is never closed"));
	select->at++;
	return 0;
}

static int
select_first(struct select *select, unsigned char *set, struct err *err)
{
	size_t count = select->inventory->count;
	const char *word = select->at;
	unsigned char *found;
	int r;

	select->at += strlen("first");
	skip_blanks(select);
	if (*select->at != '(')
		return err_at(err, ERR_PLAN, select_place(select, word),
		    _("'first' needs brackets: first(web)"));
	select->at++;
	r = select_inside(select, word, set, err);
	if (r < 0)
		return r;
	found = memchr(set, 1, count);
	if (found == NULL)
		return select_refuse_empty(select, word, err);
	memset(found + 1, 0, count - (size_t)(found + 1 - set));
	return 0;
}

static int
select_one(struct select *select, unsigned char *set, struct err *err)
{
	const char *start = select->at;

	if (*start == '(') {
		select->at++;
		return select_inside(select, start, set, err);
	}
	if (*start == '~')
		return select_pattern(select, set, err);
	if (strncmp(start, "first", 5) == 0 && !select_is_word(start[5]))
		return select_first(select, set, err);
	if (select_is_word(*start))
		return select_name(select, set, err);
	return refuse_character(select, err);
}

static int
select_not(struct select *select, unsigned char *set, struct err *err)
{
	bool turned = false;
	int r;

	skip_blanks(select);
	for (; *select->at == '!'; skip_blanks(select)) {
		turned = !turned;
		select->at++;
	}
	r = select_one(select, set, err);
	for (size_t i = 0; r == 0 && turned && i < select->inventory->count;
	     i++)
		set[i] = !set[i];
	skip_blanks(select);
	return r;
}

static int
select_and(struct select *select, unsigned char *set, struct err *err)
{
	unsigned char *other;
	int r;

	r = select_not(select, set, err);
	while (r == 0 && *select->at == '&') {
		select->at++;
		if (*select->at == '&')
			select->at++;
		other = set_new(select);
		r = select_not(select, other, err);
		for (size_t i = 0; i < select->inventory->count; i++)
			set[i] &= other[i];
	}
	return r;
}

static int
select_or(struct select *select, unsigned char *set, struct err *err)
{
	unsigned char *other = set;
	const char *start;
	int r;

	for (;;) {
		skip_blanks(select);
		start = select->at;
		r = select_and(select, other, err);
		if (r < 0)
			return r;
		/* half a target that is empty is a mistake as well (P8) */
		if (select_is_empty(select, other))
			return select_refuse_empty(select, start, err);
		for (size_t i = 0; i < select->inventory->count; i++)
			set[i] |= other[i];
		if (*select->at != '|' && *select->at != ',')
			return 0;
		select->at++;
		if (select->at[-1] == '|' && *select->at == '|')
			select->at++;
		other = set_new(select);
	}
}

int
hosts_select(struct arena *arena, const struct inventory *inventory,
    const char *selector, struct place place, int **ids, size_t *count,
    struct err *err)
{
	struct select select = {
	    arena_new(), inventory, selector, place, selector, 0};
	unsigned char *set = set_new(&select);
	int *made;
	size_t n = 0;
	int r;

	if (strlen(selector) > SELECT_MAX)
		r = err_at(err, ERR_PLAN, place,
		    _("a selector of %zu bytes is too long; %d are allowed, "
		      "make a group"),
		    strlen(selector), SELECT_MAX);
	else if (!text_is_utf8(selector, strlen(selector)))
		r = err_at(err, ERR_PLAN, place,
		    _("the selector is no UTF-8; names of hosts and groups "
		      "hold ASCII only"));
	else
		r = select_or(&select, set, err);
	if (r == 0 && *select.at != '\0')
		r = refuse_rest(&select, err);
	if (r < 0)
		goto out;
	made = arena_array(arena, int, inventory->count);
	for (size_t i = 0; i < inventory->count; i++)
		if (set[i])
			made[n++] = (int)i;
	*ids = made;
	*count = n;
out:
	arena_free(select.scratch);
	return r;
}
