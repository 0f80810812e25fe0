/*
 * From a plan's file to a change whose hosts are chosen and whose params are
 * bound, ready to be previewed. Touches no host.
 */
#include "cmd/context.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "change/expand.h"
#include "digest/digest.h"
#include "match/match.h"
#include "rollout/waves.h"

#include <string.h>

enum {
	PLAN_MAX_BYTES = 1 << 20,
	MODULE_MAX_BYTES = 1 << 20,
	EVAL_TIMEOUT_MS = 10 * 1000
};

/* A file that a person named: what is wrong with it is theirs to correct, no
 * fault of hoshu. */
static int
plan_file(const char *path, size_t max, struct buf *out, struct err *err)
{
	struct err why = ERR_INIT;

	if (file_read(path, max, out, &why) == 0)
		return 0;
	return err_set(err, ERR_PLAN, "%s", why.text);
}

/* One question to the workers, waited for. */
struct asked {
	struct loop *loop;
	struct arena *arena;
	bool answered;
	enum answer_kind kind;
	const char *json;
	size_t len;
	const char *text, *file;
	int line;
	const char *source; /* the file that the worker knows by its name */
};

static void
asked_done(void *arg, const struct answer *answer)
{
	struct asked *asked = arg;

	asked->answered = true;
	asked->kind = answer->kind;
	if (answer->kind == ANSWER_DESCRIBED || answer->kind == ANSWER_VALUE) {
		asked->json = arena_copy(
		    asked->arena, answer->json.data, answer->json.len);
		asked->len = answer->json.len;
	} else {
		asked->text = arena_strdup(asked->arena, answer->text);
		asked->file = arena_strdup(
		    asked->arena, answer->file != NULL ? answer->file : "");
		asked->line = answer->line;
	}
	loop_stop(asked->loop);
}

static int
asked_wait(struct asked *asked, struct json **value, struct err *err)
{
	if (!asked->answered)
		loop_run(asked->loop);
	if (!asked->answered)
		return err_set(err, ERR_INTERNAL, "a worker gave no answer");
	if (asked->kind == ANSWER_DESCRIBED || asked->kind == ANSWER_VALUE)
		return json_parse(asked->arena, asked->json, asked->len,
		    "a worker's answer", value, err);
	if (asked->file[0] == '\0')
		return err_at(err, ERR_PLAN,
		    (struct place){asked->source, 0, 0}, "%s", asked->text);
	return err_at(err, ERR_PLAN,
	    (struct place){asked->source != NULL ? asked->source : asked->file,
		asked->line, 0},
	    "%s", asked->text);
}

int
context_evaluate(struct context *context, const struct json *texts,
    const char *data, struct json **values, struct err *err)
{
	struct asked asked = {.loop = context->loop, .arena = context->arena};
	struct buf buf = BUF_INIT;

	json_write(&buf, texts);
	fleet_eval(context->fleet, buf_bytes(&buf), bytes_of(data),
	    EVAL_TIMEOUT_MS, asked_done, &asked);
	buf_free(&buf);
	return asked_wait(&asked, values, err);
}

/* ---- modules ---- */

static int
plan_module(struct context *context, const char *name, struct place place,
    struct change_module *module, struct json **descriptor, struct err *err)
{
	struct asked asked = {.loop = context->loop, .arena = context->arena};
	struct buf source = BUF_INIT;
	const char *path;
	int r;

	r = project_module_path(
	    context->arena, context->project, name, place, &path, err);
	if (r < 0)
		return r;
	r = plan_file(path, MODULE_MAX_BYTES, &source, err);
	if (r < 0)
		goto out;
	module->name = arena_strdup(context->arena, name);
	module->sha256 = blobs_put(context->blobs, buf_bytes(&source));
	asked.source = path;
	fleet_module(context->fleet, name, buf_bytes(&source));
	fleet_describe(context->fleet, name, asked_done, &asked);
	r = asked_wait(&asked, descriptor, err);
out:
	buf_free(&source);
	return r;
}

static int
plan_keep_file(
    void *arg, const char *sha256, struct bytes content, struct err *err)
{
	struct context *context = arg;
	struct change *change = context->change;
	struct json *file = json_map(context->arena);

	(void)err;
	blobs_put(context->blobs, content);
	fleet_blob(context->fleet, sha256, content);
	json_put_text(context->arena, file, "sha256", sha256);
	json_put_int(context->arena, file, "size", (int64_t)content.len);
	json_add(context->arena, change->files, file);
	return 0;
}

/* The plan's modules and `facts`, described; then every step's params. */
static int
plan_bind_modules(struct context *context, struct err *err)
{
	struct change *change = context->change;
	struct plan *plan = change->plan;
	struct place nowhere = {NULL, 0, 0};
	struct plan_module *described = arena_array(
	    context->arena, struct plan_module, plan->module_count + 1);
	struct json *descriptor;
	int r;

	change->modules = arena_array(
	    context->arena, struct change_module, plan->module_count + 1);
	for (size_t i = 0; i < plan->module_count; i++) {
		r = plan_module(context, plan->modules[i],
		    plan->module_places[i], &change->modules[i], &descriptor,
		    err);
		if (r < 0)
			return r;
		described[i].name = plan->modules[i];
		described[i].descriptor = descriptor;
		change->module_count++;
	}
	r = plan_module(context, "facts", nowhere,
	    &change->modules[change->module_count], &descriptor, err);
	if (r < 0)
		return r;
	change->module_count++;
	return plan_bind(context->arena, plan, described, plan->module_count,
	    context->project->files, plan_keep_file, context, err);
}

/* ---- inputs ---- */

static const struct named_text *
plan_input(const struct plan *plan, const char *name, size_t len)
{
	for (size_t i = 0; i < plan->input_count; i++)
		if (strlen(plan->inputs[i].name) == len &&
		    strncmp(plan->inputs[i].name, name, len) == 0)
			return &plan->inputs[i];
	return NULL;
}

static int
plan_match_input(
    const struct named_text *input, const char *value, struct err *err)
{
	struct match *match;
	enum match_result result;
	int r;

	if (input->match == NULL)
		return 0;
	r = match_compile(input->match, "", &match, err);
	if (r < 0)
		return r;
	result = match_run(match, value, strlen(value), NULL, NULL);
	match_free(match);
	if (result == MATCH_YES)
		return 0;
	return err_at(err, ERR_USAGE, input->place,
	    _("--set %s=%s does not match %s"), input->name, value,
	    input->match);
}

/* Every --set names an input; every input has a value. */
static int
plan_inputs(struct context *context, struct err *err)
{
	const struct cmd_call *call = context->call;
	struct change *change = context->change;
	const struct plan *plan = change->plan;
	int r;

	change->inputs = json_map(context->arena);
	for (int i = 0; i < call->given_count; i++) {
		const char *value = call->given[i].value, *equals;
		const struct named_text *input;

		if (strcmp(call->given[i].name, "set") != 0)
			continue;
		equals = strchr(value, '=');
		if (equals == NULL)
			return err_set(err, ERR_USAGE,
			    _("--set wants NAME=VALUE, not '%s'"), value);
		input = plan_input(plan, value, (size_t)(equals - value));
		if (input == NULL)
			return err_set(err, ERR_USAGE,
			    _("--set %s: the plan has no such input"), value);
		r = plan_match_input(input, equals + 1, err);
		if (r < 0)
			return r;
		json_put_text(
		    context->arena, change->inputs, input->name, equals + 1);
	}
	for (size_t i = 0; i < plan->input_count; i++) {
		const struct named_text *input = &plan->inputs[i];

		if (json_get(change->inputs, input->name) != NULL)
			continue;
		if (input->text == NULL)
			return err_at(err, ERR_USAGE, input->place,
			    _("the plan wants --set %s=..."), input->name);
		json_put_text(
		    context->arena, change->inputs, input->name, input->text);
	}
	return 0;
}

int
context_evaluate_inputs(struct context *context, const struct json *texts,
    struct json **values, struct err *err)
{
	struct buf data = BUF_INIT;
	int r;

	buf_puts(&data, "{\"inputs\":");
	json_write(&data, context->change->inputs);
	buf_putc(&data, '}');
	r = context_evaluate(context, texts, buf_str(&data), values, err);
	buf_free(&data);
	return r;
}

static int
plan_title(struct context *context, struct err *err)
{
	struct change *change = context->change;
	struct arena *arena = context->arena;
	struct json *texts = json_list(arena), *values = NULL;
	int r;

	json_add(arena, texts, json_text(arena, change->plan->change));
	r = context_evaluate_inputs(context, texts, &values, err);
	if (r < 0)
		return err_wrap(err, "change:");
	if (values->type != JSON_LIST || values->count != 1 ||
	    values->items[0]->type != JSON_TEXT)
		return err_set(err, ERR_PLAN, _("change: is no text"));
	change->title = values->items[0]->text;
	return 0;
}

/* ---- expressions: compiled once, so that check finds what cannot be ---- */

static int
plan_compile(
    void *arg, const char *text, bool bare, struct place place, struct err *err)
{
	struct context *context = arg;
	struct arena *arena = context->arena;
	struct json *texts = json_list(arena), *values = NULL;
	struct err why = ERR_INIT;

	if (bare) {
		struct json *map = json_add(arena, texts, json_map(arena));

		json_put_text(arena, map, "lua", text);
	} else {
		json_add(arena, texts, json_text(arena, text));
	}
	if (context_evaluate(context, texts, "", &values, &why) == 0)
		return 0;
	return err_at(err, ERR_PLAN, place, "%s", why.text);
}

/* A plan_use. */
static int
plan_use_file(void *arg, const char *name, const char *path, struct bytes *out,
    struct err *err)
{
	struct context *context = arg;
	struct buf text = BUF_INIT;
	int r = plan_file(path, PLAN_MAX_BYTES, &text, err);

	(void)name;
	if (r == 0) {
		out->data = arena_copy(context->arena, text.data, text.len);
		out->len = text.len;
	}
	buf_free(&text);
	return r;
}

int
context_plan(struct context *context, const char *file, struct err *err)
{
	struct change *change = arena_new_of(context->arena, struct change);
	struct buf text = BUF_INIT;
	int r;

	context->change = change;
	if (context->blobs == NULL)
		context->blobs = blobs_new(context->arena, NULL);
	change->blobs = context->blobs;
	change->digest = "";
	change->files = json_list(context->arena);
	change->approvals = context->project->approvals;
	change->solo = context->project->solo;
	if ((r = plan_file(file, PLAN_MAX_BYTES, &text, err)) < 0) {
		if (!file_exists(file))
			r = err_set(err, ERR_PLAN,
			    _("%s: there is no such plan"), file);
		goto out;
	}
	if ((r = plan_read_using(context->arena, file, text.data, text.len,
		 plan_use_file, context, &change->plan, err)) < 0 ||
	    (r = context_inventory(context, err)) < 0 ||
	    (r = context_targets(context, err)) < 0 ||
	    (r = context_fleet(context, err)) < 0 ||
	    (r = plan_bind_modules(context, err)) < 0 ||
	    (r = plan_expressions(change->plan, plan_compile, context, err)) <
		0 ||
	    (r = plan_inputs(context, err)) < 0 ||
	    (r = plan_title(context, err)) < 0 ||
	    (r = context_asks(context, err)) < 0 ||
	    (r = context_places(context, err)) < 0)
		goto out;
	change->plan_sha256 = blobs_put(context->blobs, buf_bytes(&text));
	change->in_flight = waves_bound(change);
out:
	buf_free(&text);
	return r;
}
