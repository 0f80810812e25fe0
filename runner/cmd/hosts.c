/* hoshu hosts: what a selector means. */
#include "base/i18n.h"
#include "cmd/context.h"
#include "cmd/table.h"

static struct json *
hosts_json(struct arena *arena, const struct host *host)
{
	struct json *map = json_map(arena), *groups = json_list(arena);

	for (size_t g = 0; g < host->group_count; g++)
		json_add(arena, groups, json_text(arena, host->groups[g]));
	json_put_text(arena, map, "name", host->name);
	json_put(arena, map, "groups", groups);
	json_put(arena, map, "vars", host->vars);
	return map;
}

static void
hosts_print(const struct host *host)
{
	struct buf vars = BUF_INIT;

	printf("%-16s", host->name);
	for (size_t g = 0; g < host->group_count; g++)
		printf("%s%s", g > 0 ? "," : "", host->groups[g]);
	json_write(&vars, host->vars);
	printf("  %s\n", buf_str(&vars));
	buf_free(&vars);
}

static int
hosts_run(struct cmd_call *call, struct err *err)
{
	const char *selector = call->word_count > 0 ? call->words[0] : "all";
	struct place place = {_("the selector"), 1, 1};
	struct json *list = json_list(call->arena);
	struct buf text = BUF_INIT;
	struct context context;
	size_t count = 0;
	int *ids, r;

	if ((r = context_open(&context, call, err)) < 0 ||
	    (r = context_inventory(&context, err)) < 0 ||
	    (r = hosts_select(call->arena, context.inventory, selector, place,
		 &ids, &count, err)) < 0)
		goto out;
	for (size_t i = 0; i < count; i++) {
		const struct host *host = &context.inventory->hosts[ids[i]];

		if (call->json)
			json_add(
			    call->arena, list, hosts_json(call->arena, host));
		else
			hosts_print(host);
	}
	if (call->json) {
		json_write(&text, list);
		puts(buf_str(&text));
		buf_free(&text);
	}
out:
	context_close(&context);
	return r;
}

const struct cmd cmd_hosts = {
    .name = "hosts",
    .args = "[SELECTOR]",
    .summary = N_("the hosts that a selector means, and their variables"),
    .examples = "  hoshu hosts\n  hoshu hosts 'web & !maintenance'\n",
    .max_words = 1,
    .run = hosts_run,
};
