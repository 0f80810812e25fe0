/* A module's description of itself, as a worker gives it, and a plan that
 * uses the module in every way. */
#include "fuzz.h"
#include "plan/plan.h"

static const char plan_text[] =
    "change: A\nreason: B\ntargets: all\nwaves: [ { hosts: rest } ]\n"
    "handlers:\n"
    "  again: { m: { name: web, state: restarted } }\n"
    "steps:\n"
    "  - { m: short, notify: again }\n"
    "  - { m: [a, b], unless: [c], retry: { times: 2, every: 1s } }\n"
    "  - { m: { name: \"${{ host.name }}\", mode: \"0644\", count: 3 },\n"
    "      rollback: keep, because: x }\n"
    "  - m: { map: { a: b }, list: [1, 2], flag: true, from: a.txt }\n"
    "    rollback: [ { m: back } ]\n"
    "    because: y\n";

static int
no_blob(void *arg, const char *sha256, struct bytes content, struct err *err)
{
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct json *descriptor = NULL;
	struct plan *plan = NULL;
	struct plan_module module = {"m", NULL};
	struct err err = ERR_INIT;

	if (json_parse(
		arena, (const char *)data, size, "m", &descriptor, &err) < 0)
		goto out;
	fuzz_check(plan_read(arena, "p.yml", plan_text, sizeof(plan_text) - 1,
		       &plan, &err) == 0);
	module.descriptor = descriptor;
	if (plan_bind(arena, plan, &module, 1, "tests/tables/plan/files",
		no_blob, NULL, &err) < 0) {
		fuzz_check(err.text[0] != '\0');
		goto out;
	}
	for (int id = 1; id <= plan->last_id; id++)
		fuzz_check(plan->by_id[id]->params != NULL &&
			   plan->by_id[id]->name[0] != '\0');
out:
	arena_free(arena);
	return 0;
}
