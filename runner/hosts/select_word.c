/*
 * The words of selectors: names of hosts and groups, and patterns. Pure.
 */
#include "hosts/select_inside.h"
#include "base/i18n.h"
#include "base/text.h"
#include "match/match.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The place of a word of the text; a byte is not a column. */
struct place
select_place(const struct select *select, const char *word)
{
	struct place place = select->place;
	const char *p = select->text;
	uint32_t code;

	while (place.col > 0 && p < word) {
		p += text_decode(p, (size_t)(word - p), &code);
		place.col++;
	}
	return place;
}

bool
select_is_word(char c)
{
	return (isascii((unsigned char)c) && isalnum((unsigned char)c)) ||
	       (c != '\0' && strchr("._-", c) != NULL);
}

bool
select_is_empty(const struct select *select, const unsigned char *set)
{
	return memchr(set, 1, select->inventory->count) == NULL;
}

/* The text from word to where we are, without the blanks behind it. */
static char *
part_since(const struct select *select, const char *word)
{
	const char *end = select->at;

	while (end > word && isspace((unsigned char)end[-1]))
		end--;
	return arena_copy(select->scratch, word, (size_t)(end - word));
}

int
select_refuse_empty(
    const struct select *select, const char *word, struct err *err)
{
	return err_at(err, ERR_PLAN, select_place(select, word),
	    _("'%s' matches no host; an empty target is never meant, correct "
	      "it or take it out"),
	    part_since(select, word));
}

static int
refuse_name(const struct select *select, const char *word, const char *name,
    struct err *err)
{
	const struct inventory *inventory = select->inventory;
	size_t count = inventory->count + inventory->group_count;
	const char **names = arena_array(select->scratch, const char *, count);
	const char *near;

	for (size_t i = 0; i < inventory->group_count; i++)
		names[i] = inventory->groups[i];
	for (size_t i = 0; i < inventory->count; i++)
		names[inventory->group_count + i] = inventory->hosts[i].name;
	if (strcasecmp(name, "not") == 0 || strcasecmp(name, "and") == 0 ||
	    strcasecmp(name, "or") == 0)
		return err_at(err, ERR_PLAN, select_place(select, word),
		    _("'%s' is no word of selectors; write ! for not, & for "
		      "and, | for or"),
		    name);
	near = text_near(name, names, count);
	if (near != NULL)
		return err_at(err, ERR_PLAN, select_place(select, word),
		    _("no host or group is named '%s' (did you mean '%s'?)"),
		    name, near);
	return err_at(err, ERR_PLAN, select_place(select, word),
	    _("no host or group is named '%s'; the names are in %s"), name,
	    inventory->file);
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
host_in_group(const struct host *host, const char *group)
{
	return host->group_count > 0 &&
	       bsearch(&group, host->groups, host->group_count,
		   sizeof(host->groups[0]), compare_texts) != NULL;
}

static bool
is_group(const struct inventory *inventory, const char *name)
{
	return inventory->group_count > 0 &&
	       bsearch(&name, inventory->groups, inventory->group_count,
		   sizeof(inventory->groups[0]), compare_texts) != NULL;
}

int
select_name(struct select *select, unsigned char *set, struct err *err)
{
	const struct inventory *inventory = select->inventory;
	const char *word = select->at;
	const struct host *host;
	char *name;

	while (select_is_word(*select->at))
		select->at++;
	name = part_since(select, word);
	if (strcmp(name, "all") == 0) {
		memset(set, 1, inventory->count);
		return 0;
	}
	host = inventory_host(inventory, name);
	if (host != NULL) {
		set[host->id] = 1;
		return 0;
	}
	if (!is_group(inventory, name))
		return refuse_name(select, word, name, err);
	for (size_t i = 0; i < inventory->count; i++)
		set[i] = host_in_group(&inventory->hosts[i], name);
	if (select_is_empty(select, set))
		return err_at(err, ERR_PLAN, select_place(select, word),
		    _("the group '%s' holds no host; fill it, or take it out "
		      "of the selector"),
		    name);
	return 0;
}

/* The pattern ends at a blank, or at a bracket that it did not open. */
static const char *
pattern_end(const char *p)
{
	bool class = false;
	int open = 0;

	for (; *p != '\0' && !isspace((unsigned char)*p); p++) {
		if (*p == '\\' && p[1] != '\0' && !isspace((unsigned char)p[1]))
			p++;
		else if (class)
			class = *p != ']';
		else if (*p == '[') {
			class = true;
			/* a ] in front stands for itself */
			if (p[1] == '^')
				p++;
			if (p[1] == ']')
				p++;
		} else if (*p == '(')
			open++;
		else if (*p == ')' && open-- == 0)
			break;
	}
	return p;
}

int
select_pattern(struct select *select, unsigned char *set, struct err *err)
{
	const struct inventory *inventory = select->inventory;
	const char *word = select->at, *name;
	enum match_result result = MATCH_NO;
	struct match *match = NULL;
	struct err why = ERR_INIT;

	select->at = pattern_end(word + 1);
	if (select->at == word + 1)
		return err_at(err, ERR_PLAN, select_place(select, word),
		    _("'~' needs a pattern behind it, such as ~^web"));
	if (match_compile(part_since(select, word + 1), "", &match, &why) < 0)
		return err_at(
		    err, ERR_PLAN, select_place(select, word), "%s", why.text);
	for (size_t i = 0; i < inventory->count; i++) {
		name = inventory->hosts[i].name;
		result = match_run(match, name, strlen(name), NULL, NULL);
		if (result == MATCH_LIMIT)
			break;
		set[i] = result == MATCH_YES;
	}
	match_free(match);
	if (result == MATCH_LIMIT)
		return err_at(err, ERR_PLAN, select_place(select, word),
		    _("'%s' takes too long to match; make it simpler"),
		    part_since(select, word));
	if (select_is_empty(select, set))
		return select_refuse_empty(select, word, err);
	return 0;
}
