/* A plan, with the params of its steps held against the real modules'
 * descriptors. A refusal is of a plan, says why, and names the place. */
#include "base/file.h"
#include "base/text.h"
#include "fuzz.h"
#include "plan/plan.h"

#define TABLE "tests/tables/plan"

static int
no_blob(void *arg, const char *sha256, struct bytes content, struct err *err)
{
	return 0;
}

static int
look(
    void *arg, const char *text, bool bare, struct place place, struct err *err)
{
	fuzz_check(text != NULL && place.line > 0);
	return 0;
}

static size_t
load_modules(struct arena *arena, struct plan_module **out)
{
	static struct buf text = BUF_INIT; /* read once */
	struct json *list = NULL;
	struct err err = ERR_INIT;

	if (text.len == 0)
		fuzz_check(file_read(TABLE "/modules.json", 1 << 20, &text,
			       &err) == 0);
	fuzz_check(json_parse(arena, text.data, text.len, "modules", &list,
		       &err) == 0);
	*out = arena_array(arena, struct plan_module, list->count);
	for (size_t i = 0; i < list->count; i++) {
		(*out)[i].name = json_get_text(list->items[i], "name", "");
		(*out)[i].descriptor = list->items[i];
	}
	return list->count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct plan_module *modules = NULL;
	size_t count = load_modules(arena, &modules);
	struct plan *plan = NULL;
	struct err err = ERR_INIT;

	if (plan_read(arena, "p.yml", (const char *)data, size, &plan, &err) <
		0 ||
	    plan_bind(arena, plan, modules, count, TABLE "/files", no_blob,
		NULL, &err) < 0) {
		fuzz_check(err.code == ERR_PLAN || err.code == ERR_SYSTEM);
		fuzz_check(strncmp(err.text, "p.yml", 5) == 0);
		fuzz_check(text_is_utf8(err.text, strlen(err.text)));
		goto out;
	}
	fuzz_check(plan_expressions(plan, look, NULL, &err) == 0);
	for (int id = 1; id <= plan->last_id; id++) {
		fuzz_check(plan->by_id[id]->id == id);
		fuzz_check(plan->by_id[id]->params != NULL);
		fuzz_check(plan->by_id[id]->name[0] != '\0');
	}
out:
	arena_free(arena);
	return 0;
}
