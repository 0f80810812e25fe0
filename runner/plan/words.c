/*
 * Small readers of values: a line, a name, an amount, a range. Each says
 * where it is wrong and what would be right. Knows no key of a plan.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

bool
text_has_expression(const char *text)
{
	return strstr(text, "${{") != NULL;
}

struct place
word_place(const struct yaml *map, const char *key)
{
	const struct yaml *node = yaml_key(map, key);

	return node != NULL ? node->place : map->place;
}

const char *
word_hint(struct arena *arena, const char *near)
{
	if (near == NULL)
		return "";
	return arena_printf(arena, _(" (did you mean '%s'?)"), near);
}

static bool
is_clean_line(const char *text, size_t len)
{
	struct buf clean = BUF_INIT;
	bool same;

	text_cleanse_to(&clean, text, len, true);
	same = clean.len == len && memcmp(buf_str(&clean), text, len) == 0;
	buf_free(&clean);
	return same;
}

int
word_line(
    const struct yaml *node, const char *what, size_t max, struct err *err)
{
	if (node->type != YAML_TEXT)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: a text belongs here"), what);
	if (strspn(node->text, " \t\n") == node->len)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: is empty; write what it is"), what);
	if (node->len > max)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: %zu bytes are too many; at most %zu"), what,
		    node->len, max);
	if (!is_clean_line(node->text, node->len))
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: must be one line without control characters"), what);
	return 0;
}

int
word_plain(const struct yaml *node, const char *what, struct err *err)
{
	if (node->type == YAML_TEXT && text_has_expression(node->text))
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: ${{ }} is not evaluated here; write it out"), what);
	return 0;
}

static const char *const lua_words[] = {"and", "break", "do", "else", "elseif",
    "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while"};

int
word_name(const struct yaml *node, const char *what, struct err *err)
{
	const char *text = node->text;
	size_t len;

	len =
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789_");
	if (node->len == 0 || len != node->len || len > PLAN_NAME_MAX ||
	    strchr("0123456789", text[0]) != NULL)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: '%s' cannot be a name; use letters, digits and _, "
		      "not a digit first"),
		    what, text);
	for (size_t i = 0; i < sizeof(lua_words) / sizeof(lua_words[0]); i++)
		if (strcmp(text, lua_words[i]) == 0)
			return err_at(err, ERR_PLAN, node->place,
			    _("%s: '%s' is a word of Lua, so expressions "
			      "cannot reach it; take another name"),
			    what, text);
	return 0;
}

int
word_amount(const struct yaml *node, const char *what, int *amount,
    bool *percent, struct err *err)
{
	char digits[16];
	int64_t value = 0;
	size_t len = node->type == YAML_TEXT ? node->len : 0;
	bool is_percent = len > 0 && node->text[len - 1] == '%';

	if (is_percent)
		len--;
	if (len == 0 || len >= sizeof(digits))
		goto wrong;
	memcpy(digits, node->text, len);
	digits[len] = '\0';
	if (!text_int(digits, INT32_MIN, INT32_MAX, &value))
		goto wrong;
	if (is_percent && (value < 1 || value > 100))
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: a percentage is from 1%% to 100%%"), what);
	if (value < 1 || value > PLAN_HOSTS_MAX)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: a number of hosts is from 1 to %d"), what,
		    PLAN_HOSTS_MAX);
	*amount = (int)value;
	*percent = is_percent;
	return 0;
wrong:
	return err_at(err, ERR_PLAN, node->place,
	    _("%s: a number of hosts (3) or a percentage (25%%) belongs here"),
	    what);
}

int
word_range(const struct yaml *map, const char *key, int64_t ms, int64_t min_ms,
    int64_t max_ms, struct err *err)
{
	struct buf min = BUF_INIT, max = BUF_INIT;
	const struct yaml *node = yaml_get(map, key);
	int r = 0;

	if (node == NULL || (ms >= min_ms && ms <= max_ms))
		return 0;
	text_put_duration(&min, min_ms);
	text_put_duration(&max, max_ms);
	r = err_at(err, ERR_PLAN, node->place, _("%s: is from %s to %s"), key,
	    buf_str(&min), buf_str(&max));
	buf_free(&min);
	buf_free(&max);
	return r;
}

int
word_list(
    const struct yaml *node, const char *what, size_t max, struct err *err)
{
	if (node->count == 0)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: the list is empty"), what);
	if (node->count > max)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: %zu are too many; at most %zu"), what, node->count,
		    max);
	return 0;
}
