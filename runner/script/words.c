/*
 * What people read of a step where its module does not say it: a title, one
 * line of a text, the keys that differ. Knows no Lua.
 */
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "script/inside.h"

enum { TITLE_MAX = 120 };

const char *
words_line(struct arena *arena, const char *text, size_t max)
{
	struct buf buf = BUF_INIT;
	const char *out;
	size_t len;

	text_cleanse_to(&buf, text, strlen(text), true);
	len = buf.len;
	if (len > max) {
		len = max;
		while (len > 0 && ((unsigned char)buf.data[len] & 0xc0) == 0x80)
			len--;
		out = arena_printf(arena, "%.*s...", (int)len, buf_str(&buf));
	} else {
		out = arena_strdup(arena, buf_str(&buf));
	}
	buf_free(&buf);
	return out;
}

/* What the step is about, for titles: the param that `subject` names, or the
 * first that is required. */
static const char *
subject(const struct script_job *job)
{
	const char *name =
	    json_get_text(job->module->descriptor, "subject", NULL);
	const struct json *value;

	for (size_t i = 0; name == NULL && i < job->module->param_count; i++)
		if (job->module->params[i].required)
			name = job->module->params[i].name;
	if (name == NULL || (value = json_get(job->params, name)) == NULL)
		return "";
	if (value->type == JSON_TEXT)
		return value->text;
	if (value->type == JSON_LIST) {
		const char *text = "";

		for (size_t i = 0; i < value->count; i++)
			if (value->items[i]->type == JSON_TEXT)
				text = arena_printf(job->box.arena, "%s%s%s",
				    text, i == 0 ? "" : " ",
				    value->items[i]->text);
		return text;
	}
	return "";
}

const char *
words_title(struct script_job *job, const char *what)
{
	const char *about = subject(job);

	return words_line(job->box.arena,
	    arena_printf(job->box.arena, "%s%s%s%s", job->module->name,
		*about == '\0' ? "" : " ", about, what),
	    TITLE_MAX);
}

static const char *
value_text(struct arena *arena, const struct json *value)
{
	if (value == NULL)
		return N_("(nothing)");
	if (value->type == JSON_TEXT)
		return value->text;
	return values_canonical(arena, value).data;
}

/* By the keys: a table of Lua has no order, and hosts with one impact must say
 * one thing. */
const char *
words_diff(
    struct arena *arena, const struct json *state, const struct json *want)
{
	struct bytes text = values_canonical(arena, want);
	struct json *ordered;
	const char *out = "";

	if (json_parse(arena, text.data, text.len, "want", &ordered, NULL) == 0)
		want = ordered;
	if (want->type != JSON_MAP)
		return words_line(arena,
		    arena_printf(arena, "%s -> %s", value_text(arena, state),
			value_text(arena, want)),
		    SUMMARY_MAX);
	for (size_t i = 0; i < want->count; i++) {
		const struct json *now = json_get(state, want->keys[i]);

		if (now != NULL && json_equal(now, want->items[i]))
			continue;
		out = arena_printf(arena, "%s%s\n", out,
		    words_line(arena,
			arena_printf(arena, "%s: %s -> %s", want->keys[i],
			    value_text(arena, now),
			    value_text(arena, want->items[i])),
			SUMMARY_MAX));
	}
	return out;
}
