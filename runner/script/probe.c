/*
 * A job: one step's params, when, probe, want, met, apply, undo, effects and
 * diff, in one sealed state. The probe runs as a fiber that may wait; all
 * else is pure. Between functions a state is canonical JSON, so that a want
 * that was pinned at preview and one that was made just now are the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "script/inside.h"

static void
job_free(struct script_job *job)
{
	if (job->scribes) {
		scribe_drop(&job->apply_scribe);
		scribe_drop(&job->undo_scribe);
	}
	box_close(&job->box);
	free(job);
}

/* The one final answer; the job is gone afterwards. */
static void
finish(struct script_job *job, const struct script_failure *failure)
{
	struct script_seen seen = {.verdict = job->verdict};

	if (failure != NULL) {
		job->done(job->arg, NULL, failure);
		job_free(job);
		return;
	}
	seen.params = job->params_text;
	seen.seen = job->seen;
	seen.want = job->want;
	seen.info = job->info;
	seen.effects = bytes_of(job->effects);
	seen.diff = bytes_of(job->diff);
	seen.summary = bytes_of(job->summary);
	seen.reason = bytes_of(job->reason);
	seen.apply = job->apply;
	seen.undo = job->undo;
	job->done(job->arg, &seen, NULL);
	job_free(job);
}

/* The word for a `when` or a text that waits for an earlier step. */
static void
set_depends(struct script_job *job)
{
	job->verdict = "depends";
	job->reason = arena_printf(job->box.arena,
	    N_("depends on whether '%s' changes anything"), job->box.waits_for);
}

static bool
is_true(const struct json *value)
{
	return value->type != JSON_NULL &&
	       (value->type != JSON_BOOL || value->num != 0);
}

/* Params with ${{ }} done; texts of a literal param stay as they are. */
static struct json *
eval_params(lua_State *L, struct script_job *job, const struct eval *eval)
{
	struct arena *arena = job->box.arena;
	struct json *out = json_map(arena);

	for (size_t i = 0; i < job->params->count; i++) {
		const char *name = job->params->keys[i];
		struct json *value = job->params->items[i];
		bool literal = false;

		for (size_t j = 0; j < job->module->param_count; j++)
			if (strcmp(job->module->params[j].name, name) == 0)
				literal = job->module->params[j].literal;
		json_put(arena, out, name,
		    literal ? value : eval_json(L, eval, value));
	}
	return out;
}

/* First half: everything up to the probe. raises */
static int
prepare(lua_State *L)
{
	struct script_job *job = lua_touserdata(L, 1);
	const struct json *when;
	struct eval *eval;

	world_push(L);
	/* lives as long as the state: expressions hold on to it */
	eval = arena_new_of(job->box.arena, struct eval);
	eval->data = job->data;
	when = json_get(json_get(job->data, "step"), "when");
	if (when != NULL && when->type == JSON_TEXT) {
		struct json *value = eval_bare(L, eval, when->text, when->len);

		if (!job->box.waits && !is_true(value)) {
			job->verdict = "skip";
			job->reason = arena_printf(
			    job->box.arena, N_("when: %s"), when->text);
			return 0;
		}
	}
	if (job->box.waits)
		return 0;
	job->params = eval_params(L, job, eval);
	if (job->box.waits)
		return 0;
	box_load(L, job->module->code,
	    lua_pushfstring(L, "=%s.lua", job->module->name), "b");
	lua_call(L, 0, 1);
	job->descriptor_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

/* Put the fiber in place with probe(host, p, pin) on it. raises */
static int
start_fiber(lua_State *L)
{
	struct script_job *job = lua_touserdata(L, 1);

	job->fiber = lua_newthread(L);
	luaL_ref(L, LUA_REGISTRYINDEX);
	lua_rawgeti(L, LUA_REGISTRYINDEX, job->descriptor_ref);
	if (lua_getfield(L, -1, "probe") == LUA_TNIL) {
		job->fiber = NULL;
		return 0;
	}
	host_push(L, job);
	values_push(L, job->params, NULL);
	values_push(L, json_get(job->data, "pin"), NULL);
	lua_xmove(L, job->fiber, 4);
	return 0;
}

/* What the probe returned is on top of the fiber: move it here. */
static int
take_seen(lua_State *L)
{
	struct script_job *job = lua_touserdata(L, 1);

	if (job->fiber != NULL) {
		if (lua_gettop(job->fiber) < 1 || !lua_istable(job->fiber, 1))
			return luaL_error(
			    L, "%s", _("probe must return { state = ... }"));
		lua_settop(job->fiber, 1);
		lua_xmove(job->fiber, L, 1);
	} else {
		lua_newtable(L); /* no probe: nothing is known */
	}
	return verdict_make(L, job);
}

/* Second half: the probe is over. */
static void
conclude(struct script_job *job)
{
	struct script_failure failure;

	job->probing = false;
	if (box_run(&job->box, take_seen, job, &failure) < 0)
		finish(job, &failure);
	else
		finish(job, NULL);
}

bool
probe_resume(struct script_job *job)
{
	struct script_failure failure;
	lua_State *fiber = job->fiber;
	int results = 0, status;
	/* the function and its three arguments, the first time */
	int args = lua_status(fiber) == LUA_YIELD ? 0 : 3;

	job->box.line = 0;
	box_burst(&job->box);
	status = lua_resume(fiber, job->box.L, args, &results);
	box_rest(&job->box);
	if (status == LUA_YIELD && job->box.spent && !job->wait.open) {
		box_spent(&job->box, &failure);
		finish(job, &failure);
		return false;
	}
	if (status == LUA_YIELD) {
		if (!job->wait.open)
			bug("a fiber waits for nothing");
		return true;
	}
	if (status != LUA_OK) {
		box_where(fiber); /* its stack still stands */
		box_failure(&job->box, fiber, &failure);
		finish(job, &failure);
		return false;
	}
	conclude(job);
	return false;
}

static struct script_job *
fail_now(struct script_job *job, const char *text)
{
	struct script_failure failure;

	memset(&failure, 0, sizeof(failure));
	failure.fault = SCRIPT_MODULE;
	snprintf(failure.text, sizeof(failure.text), "%s", text);
	finish(job, &failure);
	return NULL;
}

struct script_job *
script_probe(struct script *script, const char *module, struct bytes params,
    struct bytes data, const struct script_door *door,
    void (*done)(void *arg, const struct script_seen *seen,
	const struct script_failure *failure),
    void *arg)
{
	struct script_job *job = xcalloc(1, sizeof(*job));
	struct script_failure failure;
	struct err err = ERR_INIT;
	struct json *fitted = NULL;

	box_open(&job->box, script);
	job->done = done;
	job->arg = arg;
	job->door_copy = *door;
	job->door = &job->door_copy;
	job->seen = job->want = job->info = bytes_of("null");
	job->params_text = bytes_of("null");
	job->effects = job->diff = job->summary = job->reason = "";
	job->apply = job->undo = bytes_of("");
	job->module = script_find(script, module);
	if (job->module == NULL)
		return fail_now(job, _("there is no such module"));
	if (job->module->code.len == 0) {
		failure = job->module->failure;
		finish(job, &failure);
		return NULL;
	}
	if (json_parse(job->box.arena, params.data, params.len, "params",
		&job->params, &err) < 0 ||
	    json_parse(job->box.arena, data.data, data.len, "data", &job->data,
		&err) < 0)
		return fail_now(job, err.text);
	if (job->params->type != JSON_MAP)
		return fail_now(job, _("params must be a map"));

	if (box_run(&job->box, prepare, job, &failure) < 0) {
		if (!job->box.waits) {
			finish(job, &failure);
			return NULL;
		}
	}
	if (job->box.waits)
		set_depends(job);
	if (job->verdict != NULL) {
		finish(job, NULL);
		return NULL;
	}
	if (descriptor_fit(job->module, job->params, job->box.arena, &fitted,
		&failure) < 0) {
		finish(job, &failure);
		return NULL;
	}
	job->params = fitted;
	job->params_text = values_canonical(job->box.arena, fitted);
	if (box_run(&job->box, start_fiber, job, &failure) < 0) {
		finish(job, &failure);
		return NULL;
	}
	if (job->fiber == NULL) {
		conclude(job);
		return NULL;
	}
	job->probing = true;
	return probe_resume(job) ? job : NULL;
}

void
script_cancel(struct script_job *job)
{
	if (job != NULL)
		job_free(job);
}
