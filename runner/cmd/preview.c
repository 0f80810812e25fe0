/* hoshu preview: what would the plan do, host by host? */
#include "preview/preview.h"
#include "base/i18n.h"
#include "cmd/context.h"
#include "cmd/previewed.h"
#include "cmd/quarantine.h"
#include "cmd/table.h"

int
cmd_ask_hosts(struct context *context, struct err *err)
{
	struct preview_options options = {0};
	int r;

	r = context_reach(context, err);
	if (r < 0)
		return r;
	options.loop = context->loop;
	options.fleet = context->fleet;
	options.world = &world_real;
	options.hosts = context->reach;
	r = preview_ask(&options, context->change, err);
	return r < 0 ? r : context_impacts(context, err);
}

int
cmd_print_preview(struct context *context, bool scripts, struct err *err)
{
	struct json *held = json_list(context->arena), *map;
	struct buf text = BUF_INIT;
	int r;

	if (!context->call->json)
		return preview_render(stdout, context->change, scripts, err);
	if ((r = cmd_held_targets_json(context, held, err)) < 0)
		return r;
	map = preview_json(context->arena, context->change);
	json_put(context->arena, map, "quarantined", held);
	json_write(&text, map);
	puts(buf_str(&text));
	buf_free(&text);
	return 0;
}

/* Hosts that could not be asked make the preview a partial one. */
static int
preview_status(const struct context *context)
{
	struct preview_counts counts;

	preview_count(context->change, &counts);
	return counts.troubled > 0 ? err_exit_status(ERR_FAILED) : EXIT_DONE;
}

static int
preview_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	int r;

	if ((r = context_open(&context, call, err)) == 0 &&
	    (r = context_plan(&context, call->words[0], err)) == 0 &&
	    (r = cmd_ask_hosts(&context, err)) == 0 &&
	    (r = cmd_print_preview(
		 &context, cmd_given(call, "scripts") != NULL, err)) == 0 &&
	    (r = cmd_print_held_targets(&context, err)) == 0)
		r = preview_status(&context);
	if (r == EXIT_DONE && !call->json)
		printf(_("\nnext: hoshu submit %s\n"), cmd_typed_plan(call));
	context_close(&context);
	return r;
}

const struct cmd cmd_preview = {
    .name = "preview",
    .args = "PLAN",
    .summary = N_("what would it do? (asks every host, read-only)"),
    .text = N_("Connects to every target with a shell that cannot write, "
	       "probes each step and\nshows the impact, hosts with the same "
	       "impact together. --scripts shows the very\nscripts that "
	       "would run, there and back."),
    .examples = "  hoshu preview playbooks/motd.yml\n"
		"  hoshu preview playbooks/motd.yml --scripts | less\n",
    .options = {{"set", "NAME=VALUE", N_("a value for an input"), true},
	{"scripts", NULL, N_("show the exact scripts, there and back"), false}},
    .min_words = 1,
    .max_words = 1,
    .run = preview_run,
};
