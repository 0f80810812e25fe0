/* A frozen change, whose plan is that of change_plan.h: what thaws is whole.
 * Whoever uses it afterwards finds every host, wave and step that it names. */
#include "change/change.h"
#include "fuzz.h"
#include "preview/preview.h"
#include "rollout/gate.h"
#include "../unit/change_plan.h"

static void
use_host(struct arena *arena, const struct change *change, size_t i)
{
	const struct change_host *host = &change->hosts[i];
	struct buf data = BUF_INIT;

	for (int id = 1; id <= change->plan->last_id; id++)
		change_data(&data, change, host, bytes_of("{}"), bytes_of("{}"),
		    change->plan->by_id[id], "-------", NULL, bytes_of(""));
	buf_free(&data);
}

static void
use(struct arena *arena, struct change *change)
{
	struct statement statement;
	struct preview_counts counts;
	struct change_fold fold;
	struct fold_shape shape;
	struct gate gate;

	for (size_t i = 0; i < change->host_count; i++)
		use_host(arena, change, i);
	change_statement(arena, change, &statement);
	preview_count(change, &counts);
	(void)preview_json(arena, change);
	fold_init(&fold, arena, 1);
	change_shape(arena, change, &shape);
	fold_shape(&fold, &shape);
	gate_decide(change, &fold, (struct gate_now){1, 1}, &gate);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct blobs *blobs = blobs_new(arena, NULL);
	struct change *change = NULL;
	struct err err = ERR_INIT;
	const char *digest;

	(void)blobs_put(blobs, bytes_of(plan_text));
	(void)blobs_put(blobs, bytes_of("{\"os\":{}}"));
	(void)blobs_put(blobs, bytes_of("{\"unit\":\"web\"}"));
	digest = blobs_put(blobs, (struct bytes){data, size});
	if (change_thaw(arena, digest, blobs, &change, &err) < 0)
		fuzz_check(err.text[0] != '\0');
	else
		use(arena, change);
	arena_free(arena);
	return 0;
}
