/* hoshu modules: what there is, and what each takes. */
#include "base/file.h"
#include "base/i18n.h"
#include "cmd/context.h"
#include "cmd/table.h"

#include <string.h>

struct described {
	struct context *context;
	const char *path;
	struct json *descriptor;
	struct err err;
	bool failed;
};

static void
modules_described(void *arg, const struct answer *answer)
{
	struct described *described = arg;
	struct context *context = described->context;

	if (answer->kind == ANSWER_DESCRIBED)
		described->failed =
		    json_parse(context->arena, answer->json.data,
			answer->json.len, "descriptor", &described->descriptor,
			&described->err) < 0;
	else {
		described->failed = true;
		err_at(&described->err, ERR_PLAN,
		    (struct place){described->path, answer->line, 0}, "%s",
		    answer->text);
	}
	loop_stop(context->loop);
}

static int
modules_describe(struct context *context, const char *name,
    struct json **descriptor, struct err *err)
{
	struct described described = {.context = context};
	struct place place = {NULL, 0, 0};
	struct buf source = BUF_INIT;
	const char *path;
	int r;

	if ((r = project_module_path(context->arena, context->project, name,
		 place, &path, err)) < 0 ||
	    (r = file_read(path, 1 << 20, &source, err)) < 0)
		goto out;
	described.path = path;
	fleet_module(context->fleet, name, buf_bytes(&source));
	fleet_describe(context->fleet, name, modules_described, &described);
	loop_run(context->loop);
	if (described.failed) {
		*err = described.err;
		r = -(int)err->code;
	}
	*descriptor = described.descriptor;
out:
	buf_free(&source);
	return r;
}

static void
modules_print(const struct json *descriptor)
{
	const struct json *params = json_get(descriptor, "params");
	const char *name = json_get_text(descriptor, "name", "");

	if (params != NULL && params->type != JSON_MAP)
		params = NULL; /* a worker's word */
	printf("%s: %s\n", name, json_get_text(descriptor, "summary", ""));
	if (params == NULL || params->count == 0)
		printf(_("  it takes nothing: %s: {}\n"), name);
	for (size_t i = 0; params != NULL && i < params->count; i++) {
		const struct json *param = params->items[i];
		const struct json *words = json_get(param, "words");

		printf("  %-10s %s%s", params->keys[i],
		    json_get_text(param, "type", ""),
		    json_get_bool(param, "required", false) ? _(", required")
							    : "");
		for (size_t w = 0; words != NULL && w < words->count; w++)
			printf("%s%s", w == 0 ? ": " : " | ",
			    words->items[w]->type == JSON_TEXT
				? words->items[w]->text
				: "");
		printf("  %s\n", json_get_text(param, "summary", ""));
	}
}

static int
modules_show(
    struct context *context, const char *name, bool all, struct err *err)
{
	struct json *descriptor = NULL;
	struct buf text = BUF_INIT;
	int r;

	r = modules_describe(context, name, &descriptor, err);
	if (r < 0)
		return r;
	json_write(&text, descriptor);
	if (context->call->json)
		puts(buf_str(&text));
	else if (!all)
		modules_print(descriptor);
	else
		printf("%-10s %s\n", name,
		    json_get_text(descriptor, "summary", ""));
	buf_free(&text);
	return 0;
}

static int
modules_run(struct cmd_call *call, struct err *err)
{
	bool all = call->word_count == 0;
	struct context context;
	const char **names;
	size_t count;
	int r, last = 0;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = context_fleet(&context, err)) < 0 ||
	    (r = project_modules(
		 call->arena, context.project, &names, &count, err)) < 0)
		goto out;
	if (!all) {
		names = call->words;
		count = 1;
	}
	/* a wrong one does not hide those behind it */
	for (size_t i = 0; i < count; i++) {
		struct err why = ERR_INIT;

		r = modules_show(&context, names[i], all, &why);
		if (r == 0)
			continue;
		if (last < 0)
			err_print(stderr, err);
		*err = why;
		last = r;
	}
	r = last;
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_modules = {
    .name = "modules",
    .args = "[MODULE]",
    .summary = N_("what modules there are, and what each takes"),
    .examples = "  hoshu modules\n  hoshu modules file\n",
    .max_words = 1,
    .run = modules_run,
};
