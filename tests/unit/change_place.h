/*
 * For the tests of change/: a whole change as a preview leaves it, without
 * hosts or workers; the same bytes each time.
 */
#ifndef HOSHU_TEST_CHANGE_PLACE_H
#define HOSHU_TEST_CHANGE_PLACE_H

#include "journal_store.h"

#include "change/change.h"
#include "change_plan.h"

static inline const char *
put(struct change *change, const char *text)
{
	return blobs_put(change->blobs, bytes_of(text));
}

static inline void
make_steps(struct arena *arena, struct change *change, struct change_host *host)
{
	int last = change->plan->last_id;

	host->steps = arena_array(arena, struct change_step, (size_t)last + 1);
	for (int id = 1; id <= last; id++) {
		const char *name = change->plan->by_id[id]->name;

		host->steps[id] = (struct change_step){
		    .verdict = id == AGAIN ? CHANGE_DEPENDS : CHANGE_CHANGES,
		    .seen = put(change, "{\"v\":1}"),
		    .want = put(change, "{\"v\":2}"),
		    .apply = put(change,
			arena_printf(arena, "do %s %s\n", name, host->name)),
		    .undo = put(change,
			arena_printf(arena, "undo %s %s\n", name, host->name)),
		    .effects = "restart web",
		    .diff = "",
		    .summary = "v 1 -> 2",
		    .reason = "",
		    .place = id == CUT ? 0 : -1};
	}
}

static inline void
make_hosts(struct arena *arena, struct change *change)
{
	static const char *const names[] = {"web1", "web2", "db1"};

	change->host_count = 3;
	change->hosts = arena_array(arena, struct change_host, 3);
	change->wave_count = 2;
	change->waves = arena_array(arena, struct change_wave, 2);
	change->waves[0] = (struct change_wave){"canary", 0, 1, 10000, NULL, 1};
	change->waves[1] = (struct change_wave){"wave 2", 0, 2, 0, NULL, 2};
	for (int i = 0; i < 3; i++) {
		struct change_host *host = &change->hosts[i];

		*host = (struct change_host){.name = names[i],
		    .address = arena_printf(arena, "192.0.2.%d", i + 1),
		    .user = "ops",
		    .become = "sudo",
		    .port = 22,
		    .groups = json_list(arena),
		    .vars = json_map(arena),
		    .facts = put(change, "{\"os\":{}}"),
		    .plan_vars = put(change, "{\"unit\":\"web\"}"),
		    .readonly = "enforced",
		    .gaps = "",
		    .trouble = "",
		    .waves = arena_array(arena, int, 1)};
		host->waves[0] = i == 0 ? 1 : 2;
		json_add(arena, host->groups, json_text(arena, "web"));
		json_put_text(arena, host->vars, "rack", "r1");
		make_steps(arena, change, host);
	}
	change_make_parts(arena, change);
	change->place_count = 1;
	change->places = arena_array(arena, struct change_host, 1);
	change->places[0] = (struct change_host){.name = "lb1",
	    .address = "192.0.2.9",
	    .user = "ops",
	    .become = "sudo",
	    .port = 22,
	    .readonly = "enforced",
	    .gaps = ""};
}

/* Of a plan with the steps of plan_text. */
static inline struct change *
make_change_of(struct arena *arena, struct journal *journal, const char *text)
{
	struct change *change = arena_new_of(arena, struct change);
	struct json *file = json_map(arena);

	change->blobs = blobs_new(arena, journal);
	change->digest = "";
	change->title = "Patch the web tier";
	assert_ok(plan_read(arena, "playbooks/web.yml", text, strlen(text),
	    &change->plan, err));
	assert_int_equal(change->plan->last_id, AGAIN);
	for (int id = 1; id <= AGAIN; id++) {
		struct step *step = change->plan->by_id[id];

		step->params = json_map(arena);
		json_put_text(arena, step->params, "bound", step->name);
	}
	json_put_text(arena, change->plan->checks[0].spec, "ca", "-----BEGIN");
	change->plan_sha256 = put(change, text);
	change->inputs = json_map(arena);
	json_put_text(arena, change->inputs, "version", "2.4.1");
	change->modules = arena_array(arena, struct change_module, 1);
	change->modules[0].name = "file";
	change->modules[0].sha256 = put(change, "return {}\n");
	change->module_count = 1;
	change->files = json_list(arena);
	json_put_text(arena, file, "sha256", put(change, "a file\n"));
	json_put_int(arena, file, "size", 7);
	json_add(arena, change->files, file);
	change->approvals = 2;
	change->in_flight = 2;
	change->preview_ms = 1700000000000;
	make_hosts(arena, change);
	return change;
}

static inline struct change *
make_change(struct arena *arena, struct journal *journal)
{
	return make_change_of(arena, journal, plan_text);
}

#endif
