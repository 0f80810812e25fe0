/*
 * What follows from a probe: want, met, the two scripts, effects, diff. All
 * of it is pure: the same params, data and state give the same bytes.
 */
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "script/inside.h"

enum { EFFECTS_MAX = 200 };

/* Push the descriptor's function; false (nothing pushed) when it has none. */
static bool
push_function(lua_State *L, struct script_job *job, const char *name)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, job->descriptor_ref);
	if (lua_getfield(L, -1, name) == LUA_TFUNCTION) {
		lua_remove(L, -2);
		return true;
	}
	lua_pop(L, 2);
	return false;
}

static void
push_params(lua_State *L, struct script_job *job)
{
	values_push(L, job->params, NULL);
}

/* Everything the probe returned, made anew: what one function does to it the
 * next does not see. raw: index of the probe's own table. */
static void
push_seen(lua_State *L, struct script_job *job, int raw)
{
	lua_createtable(L, 0, 3);
	values_push(L, job->state, NULL);
	lua_setfield(L, -2, "state");
	lua_getfield(L, raw, "info");
	lua_setfield(L, -2, "info");
	lua_getfield(L, raw, "aside");
	lua_setfield(L, -2, "aside");
}

static void
push_want(lua_State *L, struct script_job *job)
{
	values_push(L, job->want_value, NULL);
}

/* raises when the probe's table is not what it should be */
static void
read_seen(lua_State *L, struct script_job *job, int raw)
{
	static const char *const keys = " state info depends aside ";
	struct arena *arena = job->box.arena;

	for (lua_pushnil(L); lua_next(L, raw) != 0; lua_pop(L, 1)) {
		const char *key =
		    lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

		if (strchr(key, ' ') != NULL ||
		    strstr(keys, arena_printf(arena, " %s ", key)) == NULL)
			luaL_error(L,
			    _("probe returned '%s': only state, "
			      "info, depends and aside"),
			    key);
	}
	if (lua_getfield(L, raw, "state") != LUA_TNIL) {
		job->state = values_to_json(L, -1, arena, "state");
		job->seen = values_canonical(arena, job->state);
		job->knows = true;
		if (job->seen.len > STATE_MAX)
			luaL_error(L, _("the state has more than %d bytes"),
			    (int)STATE_MAX);
	}
	if (lua_getfield(L, raw, "info") != LUA_TNIL)
		job->info = values_canonical(
		    arena, values_to_json(L, -1, arena, "info"));
	lua_pop(L, 2);
}

/* Is there an earlier step that changes something, or may? */
static bool
earlier_step_counts(const struct script_job *job)
{
	const struct json *changed = json_get(job->data, "changed");

	for (size_t i = 0; changed != NULL && i < changed->count; i++)
		if (changed->items[i]->type == JSON_NULL ||
		    changed->items[i]->num != 0)
			return true;
	return false;
}

/* The probe said that something is not there yet. true: that is the answer.
 * Raises when no earlier step can bring it and nothing else is known. */
static bool
read_depends(lua_State *L, struct script_job *job, int raw)
{
	const char *why;

	if (lua_getfield(L, raw, "depends") == LUA_TNIL) {
		lua_pop(L, 1);
		return false;
	}
	why = words_line(job->box.arena, luaL_checkstring(L, -1), SUMMARY_MAX);
	lua_pop(L, 1);
	if (earlier_step_counts(job)) {
		job->verdict = "depends";
		job->reason = arena_printf(
		    job->box.arena, N_("depends on an earlier step: %s"), why);
		return true;
	}
	if (!job->knows)
		luaL_error(L, "%s", why);
	job->verdict = "cannot_tell";
	job->reason = why;
	return false;
}

static void
make_want(lua_State *L, struct script_job *job, int raw)
{
	struct arena *arena = job->box.arena;
	const struct json *pin = json_get(job->data, "pin");

	if (pin != NULL && pin->type != JSON_NULL) {
		job->want_value = (struct json *)pin;
	} else if (push_function(L, job, "want")) {
		push_params(L, job);
		push_seen(L, job, raw);
		lua_call(L, 2, 1);
		if (lua_isnil(L, -1))
			luaL_error(L, "%s", _("want returned nothing"));
		job->want_value = values_to_json(L, -1, arena, "want");
		lua_pop(L, 1);
	} else {
		job->want_value = job->params;
	}
	job->want = values_canonical(arena, job->want_value);
	if (job->want.len > STATE_MAX)
		luaL_error(L, _("want has more than %d bytes"), (int)STATE_MAX);
}

/* "same", "change" or "cannot_tell", unless the verdict stands already. */
static void
make_met(lua_State *L, struct script_job *job, int raw, bool has_probe)
{
	const char *before = json_get_text(job->data, "before", NULL);

	if (job->verdict != NULL)
		return;
	if (!has_probe) {
		job->verdict = "cannot_tell";
		job->reason = N_("it has no probe: it runs each time");
		return;
	}
	if (!push_function(L, job, "met")) {
		job->verdict =
		    bytes_equal(job->seen, job->want) ? "same" : "change";
		return;
	}
	push_seen(L, job, raw);
	push_want(L, job);
	if (before == NULL || lua_stringtonumber(L, before) == 0)
		lua_pushnil(L);
	push_params(L, job);
	lua_call(L, 4, 2);
	if (lua_isnil(L, -2)) {
		job->verdict = "cannot_tell";
		job->reason = lua_isstring(L, -1)
				  ? words_line(job->box.arena,
					lua_tostring(L, -1), SUMMARY_MAX)
				  : N_("it cannot be predicted");
	} else if (lua_isboolean(L, -2)) {
		job->verdict = lua_toboolean(L, -2) ? "same" : "change";
	} else {
		luaL_error(L, "%s", _("met must return true, false or nil"));
	}
	lua_pop(L, 2);
}

/* raises */
static struct bytes
finish_script(lua_State *L, struct scribe *scribe, struct bytes undo)
{
	struct bytes script = scribe_finish(scribe, undo);

	if (script.data == NULL)
		luaL_error(
		    L, _("the script has more than %d bytes"), (int)SCRIPT_MAX);
	return script;
}

static void
make_scripts(lua_State *L, struct script_job *job, int raw)
{
	struct arena *arena = job->box.arena;
	bool goes_back = json_get_bool(job->data, "undo", true);

	job->scribes = true;
	scribe_start(&job->undo_scribe, arena, words_title(job, " (undo)"));
	scribe_start(&job->apply_scribe, arena, words_title(job, ""));
	job->apply_scribe.keeps_nothing = !goes_back;
	if (goes_back && push_function(L, job, "undo")) {
		scribe_push(L, &job->undo_scribe);
		push_seen(L, job, raw);
		push_want(L, job);
		push_params(L, job);
		lua_call(L, 4, 1);
		/* false: this one cannot be taken back */
		if (lua_isnil(L, -1) || lua_toboolean(L, -1))
			job->undo = finish_script(
			    L, &job->undo_scribe, (struct bytes){NULL, 0});
		lua_pop(L, 1);
	}
	job->undo_scribe.open = false;
	push_function(L, job, "apply"); /* looked at before */
	scribe_push(L, &job->apply_scribe);
	push_want(L, job);
	push_seen(L, job, raw);
	push_params(L, job);
	lua_call(L, 4, 0);
	job->apply = finish_script(L, &job->apply_scribe, job->undo);
}

static void
make_effects(lua_State *L, struct script_job *job, int raw)
{
	static const char *const kinds[] = {
	    "restart ", "reboot ", "package ", "downtime ", "write ", "run "};
	struct arena *arena = job->box.arena;
	struct json *list;

	if (!push_function(L, job, "effects"))
		return;
	push_seen(L, job, raw);
	push_want(L, job);
	push_params(L, job);
	lua_call(L, 3, 1);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		return;
	}
	list = values_to_json(L, -1, arena, "effects");
	lua_pop(L, 1);
	for (size_t i = 0; i < list->count && i < EFFECTS_MAX; i++) {
		const struct json *item = list->items[i];
		bool known = false;

		for (size_t k = 0; k < 6; k++)
			known |= item->type == JSON_TEXT &&
				 strncmp(item->text, kinds[k],
				     strlen(kinds[k])) == 0;
		if (!known)
			luaL_error(L, "%s",
			    _("an effect must be \"restart|reboot|package|"
			      "downtime|write|run TEXT\""));
		job->effects = arena_printf(arena, "%s%s%s", job->effects,
		    i == 0 ? "" : "\n",
		    words_line(arena, item->text, SUMMARY_MAX));
	}
}

/* The module's diff and, as a second value, its summary. */
static void
make_diff(lua_State *L, struct script_job *job, int raw)
{
	struct arena *arena = job->box.arena;
	const char *short_text = NULL, *end;
	struct buf clean = BUF_LIMIT(4 * DIFF_MAX);

	if (push_function(L, job, "diff")) {
		const char *text;
		size_t len;

		push_seen(L, job, raw);
		push_want(L, job);
		push_params(L, job);
		lua_call(L, 3, 2);
		if (!lua_isnil(L, -2)) {
			text = luaL_checklstring(L, -2, &len);
			text_cleanse_to(&clean, text,
			    len > DIFF_MAX ? DIFF_MAX : len, false);
			if (clean.len > 0 && clean.data[clean.len - 1] != '\n')
				buf_putc(&clean, '\n');
			job->diff = arena_strdup(arena, buf_str(&clean));
			buf_free(&clean);
		}
		if (lua_isstring(L, -1))
			short_text = arena_strdup(arena, lua_tostring(L, -1));
		lua_pop(L, 2);
	} else if (job->state != NULL) {
		job->diff = words_diff(arena, job->state, job->want_value);
	}
	if (short_text == NULL) {
		end = strchr(job->diff, '\n');
		short_text = end == NULL ? job->diff
					 : arena_copy(arena, job->diff,
					       (size_t)(end - job->diff));
	}
	job->summary = *short_text == '\0'
			   ? words_title(job, "")
			   : words_line(arena,
				 arena_printf(arena, "%s: %s",
				     words_title(job, ""), short_text),
				 SUMMARY_MAX);
}

int
verdict_make(lua_State *L, struct script_job *job)
{
	const struct json *can = json_get(job->module->descriptor, "can");
	bool has_probe = json_get_bool(can, "probe", false);
	int raw = lua_gettop(L);

	read_seen(L, job, raw);
	if (has_probe && !job->knows &&
	    lua_getfield(L, raw, "depends") == LUA_TNIL)
		return luaL_error(
		    L, "%s", _("probe must return { state = ... }"));
	lua_settop(L, raw);
	job->summary = words_title(job, "");
	if (read_depends(L, job, raw))
		return 0;
	if (!json_get_bool(can, "apply", false)) {
		job->verdict = "same"; /* it only tells */
		return 0;
	}
	make_want(L, job, raw);
	make_met(L, job, raw, has_probe);
	if (strcmp(job->verdict, "same") == 0)
		return 0;
	make_scripts(L, job, raw);
	make_effects(L, job, raw);
	make_diff(L, job, raw);
	return 0;
}
