/*
 * Thawing: a change back from its frozen document. Blobs are checked against
 * their digests as they are read, so what comes out is what was approved.
 */
#include "change/change.h"
#include "base/i18n.h"

#include <string.h>

struct thaw {
	struct arena *arena;
	struct change *change;
	const struct json *doc;
	struct err *err;
};

static int
thaw_wrong(struct thaw *thaw, const char *what)
{
	return err_set(thaw->err, ERR_STORE,
	    _("the frozen change %.12s... is not whole: %s; run `hoshu audit "
	      "verify`"),
	    thaw->change->digest, what);
}

/* A plan_use: what the file held at submit. */
static int
thaw_used(void *arg, const char *name, const char *path, struct bytes *out,
    struct err *err)
{
	struct thaw *thaw = arg;
	const struct json *list = json_get(json_get(thaw->doc, "plan"), "used");

	(void)path;
	for (size_t i = 0; list != NULL && i < list->count; i++)
		if (strcmp(json_get_text(list->items[i], "name", ""), name) ==
		    0)
			return blobs_get(thaw->change->blobs,
			    json_get_text(list->items[i], "sha256", ""), out,
			    err);
	return thaw_wrong(thaw, "a file that the plan uses");
}

static int
thaw_plan(struct thaw *thaw)
{
	struct change *change = thaw->change;
	const struct json *plan = json_get(thaw->doc, "plan");
	struct bytes text;
	int r;

	change->plan_sha256 =
	    arena_strdup(thaw->arena, json_get_text(plan, "sha256", ""));
	if (change->plan_sha256[0] == '\0')
		return thaw_wrong(thaw, "plan");
	r = blobs_get(change->blobs, change->plan_sha256, &text, thaw->err);
	if (r < 0)
		return r;
	return plan_read_using(thaw->arena, json_get_text(plan, "file", "plan"),
	    text.data, text.len, thaw_used, thaw, &change->plan, thaw->err);
}

/* Params as they were bound at submit, not as the project's files are now. */
static int
thaw_params(struct thaw *thaw)
{
	const struct json *steps = json_get(thaw->doc, "steps");
	struct plan *plan = thaw->change->plan;

	if (steps == NULL || steps->type != JSON_LIST ||
	    steps->count != (size_t)plan->last_id)
		return thaw_wrong(thaw, "steps");
	for (int id = 1; id <= plan->last_id; id++) {
		const struct json *map = steps->items[id - 1];
		struct step *step = plan->by_id[id];
		const struct json *params = json_get(map, "params");

		if (params == NULL || params->type != JSON_MAP ||
		    strcmp(json_get_text(map, "module", ""), step->module) != 0)
			return thaw_wrong(thaw, "params of a step");
		step->params = (struct json *)params;
		step->reboots = json_get_bool(map, "reboots", false);
		step->name = json_get_text(map, "name", step->name);
	}
	return 0;
}

static int
thaw_checks(struct thaw *thaw)
{
	const struct json *checks = json_get(thaw->doc, "checks");
	struct plan *plan = thaw->change->plan;

	if (checks == NULL || checks->type != JSON_LIST ||
	    checks->count != plan->check_count)
		return thaw_wrong(thaw, "checks");
	for (size_t i = 0; i < plan->check_count; i++) {
		if (checks->items[i]->type != JSON_MAP)
			return thaw_wrong(thaw, "a check");
		plan->checks[i].spec = checks->items[i];
	}
	return 0;
}

static int
thaw_verdict(const char *word, enum change_verdict *verdict)
{
	for (int i = CHANGE_SAME; i <= CHANGE_CANNOT_TELL; i++)
		if (strcmp(word, change_verdict_word(i)) == 0) {
			*verdict = i;
			return 0;
		}
	return -1;
}

static int
thaw_step(struct thaw *thaw, const struct json *map, struct change_step *step)
{
	if (thaw_verdict(json_get_text(map, "verdict", ""), &step->verdict) < 0)
		return thaw_wrong(thaw, "verdict");
	step->seen = json_get_text(map, "seen", "");
	step->want = json_get_text(map, "want", "");
	step->apply = json_get_text(map, "apply", "");
	step->undo = json_get_text(map, "undo", "");
	step->effects = json_get_text(map, "effects", "");
	step->diff = json_get_text(map, "diff", "");
	step->summary = json_get_text(map, "summary", "");
	step->reason = json_get_text(map, "reason", "");
	step->place = (int)json_get_int(map, "place", -1);
	if (step->place >= (int)thaw->change->place_count)
		return thaw_wrong(thaw, "place of a step");
	return 0;
}

static int
thaw_places(struct thaw *thaw)
{
	const struct json *places = json_get(thaw->doc, "places");
	struct change *change = thaw->change;

	if (places == NULL || places->type != JSON_LIST)
		return thaw_wrong(thaw, "places");
	change->place_count = places->count;
	change->places =
	    arena_array(thaw->arena, struct change_host, places->count + 1);
	for (size_t i = 0; i < places->count; i++) {
		const struct json *map = places->items[i];
		struct change_host *place = &change->places[i];

		place->name = json_get_text(map, "name", "");
		place->address = json_get_text(map, "address", "");
		place->port = (int)json_get_int(map, "port", 0);
		place->user = json_get_text(map, "user", "");
		place->become = json_get_text(map, "become", "none");
		place->readonly = json_get_text(map, "readonly", "");
		place->gaps = json_get_text(map, "gaps", "");
		place->trouble = place->facts = place->plan_vars = "";
		if (place->name[0] == '\0')
			return thaw_wrong(thaw, "a place");
	}
	return 0;
}

static int
thaw_guards(
    struct thaw *thaw, const struct json *list, struct change_host *host)
{
	size_t count = thaw->change->plan->guard_count;

	host->guards = arena_array(thaw->arena, const char *, count + 1);
	if (count > 0 &&
	    (list == NULL || list->type != JSON_LIST || list->count != count))
		return thaw_wrong(thaw, "guards of a host");
	for (size_t g = 0; g < count; g++) {
		if (list->items[g]->type != JSON_TEXT)
			return thaw_wrong(thaw, "guard of a host");
		host->guards[g] = list->items[g]->text;
	}
	return 0;
}

/* One wave a phase at most, and one of that phase; in one at least. */
static int
thaw_host_waves(
    struct thaw *thaw, const struct json *list, struct change_host *host)
{
	const struct change *change = thaw->change;
	size_t phases = change->plan->phase_count;
	bool any = false;

	if (list == NULL || list->type != JSON_LIST || list->count != phases)
		return thaw_wrong(thaw, "waves of a host");
	host->waves = arena_array(thaw->arena, int, phases);
	for (size_t p = 0; p < phases; p++) {
		int64_t number =
		    list->items[p]->type == JSON_INT ? list->items[p]->num : -1;

		if (number < 0 || (size_t)number > change->wave_count ||
		    (number > 0 && change->waves[number - 1].phase != (int)p))
			return thaw_wrong(thaw, "wave of a host");
		host->waves[p] = (int)number;
		any = any || number > 0;
	}
	return any ? 0 : thaw_wrong(thaw, "wave of a host");
}

static int
thaw_host(struct thaw *thaw, const struct json *map, struct change_host *host)
{
	const struct json *steps = json_get(map, "steps");
	int last = thaw->change->plan->last_id;
	int r;

	host->name = json_get_text(map, "name", "");
	host->address = json_get_text(map, "address", "");
	host->port = (int)json_get_int(map, "port", 0);
	host->user = json_get_text(map, "user", "");
	host->become = json_get_text(map, "become", "none");
	host->groups = (struct json *)json_get(map, "groups");
	host->vars = (struct json *)json_get(map, "vars");
	host->facts = json_get_text(map, "facts", "");
	host->plan_vars = json_get_text(map, "plan_vars", "");
	host->readonly = json_get_text(map, "readonly", "");
	host->gaps = json_get_text(map, "gaps", "");
	host->trouble = "";
	host->away = json_get_text(map, "away", "");
	if (host->name[0] == '\0' || host->groups == NULL ||
	    host->vars == NULL || steps == NULL || steps->type != JSON_LIST ||
	    steps->count != (size_t)last)
		return thaw_wrong(thaw, "host");
	if ((r = thaw_host_waves(thaw, json_get(map, "waves"), host)) < 0 ||
	    (r = thaw_guards(thaw, json_get(map, "guards"), host)) < 0)
		return r;
	host->steps =
	    arena_array(thaw->arena, struct change_step, (size_t)last + 1);
	for (int id = 1; id <= last; id++) {
		r = thaw_step(thaw, steps->items[id - 1], &host->steps[id]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
thaw_waves(struct thaw *thaw)
{
	const struct json *waves = json_get(thaw->doc, "waves");
	struct change *change = thaw->change;

	if (waves == NULL || waves->type != JSON_LIST)
		return thaw_wrong(thaw, "waves");
	change->wave_count = waves->count;
	change->waves =
	    arena_array(thaw->arena, struct change_wave, waves->count);
	for (size_t i = 0; i < waves->count; i++) {
		const struct json *map = waves->items[i];

		change->waves[i].name = json_get_text(map, "name", "");
		change->waves[i].phase = (int)json_get_int(map, "phase", 0);
		change->waves[i].at_once = (int)json_get_int(map, "at_once", 1);
		change->waves[i].soak_ms = json_get_int(map, "soak_ms", 0);
	}
	return 0;
}

static int
thaw_hosts(struct thaw *thaw)
{
	const struct json *hosts = json_get(thaw->doc, "hosts");
	struct change *change = thaw->change;
	int r;

	if (hosts == NULL || hosts->type != JSON_LIST)
		return thaw_wrong(thaw, "hosts");
	change->host_count = hosts->count;
	change->hosts =
	    arena_array(thaw->arena, struct change_host, hosts->count);
	for (size_t i = 0; i < hosts->count; i++)
		if ((r = thaw_host(thaw, hosts->items[i], &change->hosts[i])) <
		    0)
			return r;
	change_make_parts(thaw->arena, change);
	return 0;
}

static int
thaw_modules(struct thaw *thaw)
{
	const struct json *modules = json_get(thaw->doc, "modules");
	struct change *change = thaw->change;

	if (modules == NULL || modules->type != JSON_LIST)
		return thaw_wrong(thaw, "modules");
	change->module_count = modules->count;
	change->modules =
	    arena_array(thaw->arena, struct change_module, modules->count);
	for (size_t i = 0; i < modules->count; i++) {
		change->modules[i].name =
		    json_get_text(modules->items[i], "name", "");
		change->modules[i].sha256 =
		    json_get_text(modules->items[i], "sha256", "");
	}
	return 0;
}

/* Of a change that was frozen before there was one it is what it would be. */
static int
thaw_back_limits(struct thaw *thaw)
{
	const struct json *list = json_get(thaw->doc, "unreverted");
	struct change *change = thaw->change;
	size_t phases = change->plan->phase_count;

	if (list == NULL)
		return 0;
	if (list->type != JSON_LIST || list->count != phases)
		return thaw_wrong(thaw, "unreverted");
	change->back_limits = arena_array(thaw->arena, int, phases);
	for (size_t p = 0; p < phases; p++) {
		if (list->items[p]->type != JSON_INT || list->items[p]->num < 1)
			return thaw_wrong(thaw, "unreverted of a phase");
		change->back_limits[p] = (int)list->items[p]->num;
	}
	return 0;
}

int
change_thaw(struct arena *arena, const char *digest, struct blobs *blobs,
    struct change **out, struct err *err)
{
	struct change *change = arena_new_of(arena, struct change);
	struct thaw thaw = {arena, change, NULL, err};
	struct json *doc = NULL;
	struct bytes text;
	int r;

	change->digest = arena_strdup(arena, digest);
	change->blobs = blobs;
	if ((r = blobs_get(blobs, digest, &text, err)) < 0 ||
	    (r = json_parse(arena, text.data, text.len, "the frozen change",
		 &doc, err)) < 0)
		return r;
	thaw.doc = doc;
	if (strcmp(json_get_text(doc, "format", ""), "hoshu-change/2") != 0)
		return thaw_wrong(&thaw, "format");
	change->title = json_get_text(doc, "title", "");
	change->inputs = (struct json *)json_get(doc, "inputs");
	change->files = (struct json *)json_get(doc, "files");
	change->approvals = (int)json_get_int(doc, "approvals", 1);
	change->solo = json_get_bool(doc, "solo", false);
	change->in_flight = (int)json_get_int(doc, "in_flight", 0);
	change->preview_ms = json_get_int(doc, "preview_ms", 0);
	if (change->inputs == NULL || change->files == NULL)
		return thaw_wrong(&thaw, "inputs");
	if ((r = thaw_plan(&thaw)) < 0 || (r = thaw_params(&thaw)) < 0 ||
	    (r = thaw_checks(&thaw)) < 0 ||
	    (r = change_thaw_asks(arena, change, json_get(doc, "asks"), err)) <
		0 ||
	    (r = thaw_waves(&thaw)) < 0 || (r = thaw_places(&thaw)) < 0 ||
	    (r = thaw_hosts(&thaw)) < 0 || (r = thaw_modules(&thaw)) < 0 ||
	    (r = thaw_back_limits(&thaw)) < 0)
		return r;
	*out = change;
	return 0;
}
