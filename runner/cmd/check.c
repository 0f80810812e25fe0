/* hoshu check: is the plan right? Touches no host. */
#include "base/i18n.h"
#include "cmd/context.h"
#include "cmd/table.h"

static void
check_print(const struct context *context, const char *file)
{
	const struct change *change = context->change;
	size_t steps = 0;

	for (size_t p = 0; p < change->plan->phase_count; p++)
		steps += change->plan->phases[p].step_count;
	printf(_("%s: right\n"), file);
	printf("  %s\n", change->title);
	printf(ngettext("  %zu step", "  %zu steps", steps), steps);
	printf(ngettext(" on %zu host", " on %zu hosts", change->host_count),
	    change->host_count);
	if (change->plan->phase_count > 1)
		printf(_(" in %zu phases,"), change->plan->phase_count);
	printf(ngettext(" in %zu wave", " in %zu waves", change->wave_count),
	    change->wave_count);
	printf(_(", at most %d in flight\n"), change->in_flight);
	printf(_("next: hoshu preview %s\n"), cmd_typed_plan(context->call));
}

static int
check_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	int r;

	r = context_open(&context, call, err);
	if (r == 0)
		r = context_plan(&context, call->words[0], err);
	if (r == 0 && call->json)
		printf("{\"hosts\":%zu,\"in_flight\":%d,\"plan\":\"right\","
		       "\"waves\":%zu}\n",
		    context.change->host_count, context.change->in_flight,
		    context.change->wave_count);
	else if (r == 0)
		check_print(&context, call->words[0]);
	context_close(&context);
	return r;
}

const struct cmd cmd_check = {
    .name = "check",
    .args = "PLAN",
    .summary = N_("is the plan right? (touches no host)"),
    .text = N_("Reads the plan, its inventory and its modules, compiles its "
	       "expressions and\nchecks every key, word and number. A fault "
	       "is named with file:line:column."),
    .examples = "  hoshu check playbooks/motd.yml\n"
		"  hoshu check playbooks/app-config.yml --set "
		"version=2.4.1\n",
    .options = {{"set", "NAME=VALUE", N_("a value for an input"), true}},
    .min_words = 1,
    .max_words = 1,
    .run = check_run,
};
