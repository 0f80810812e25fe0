/*
 * How a change goes over its hosts: waves, limits, rollback, spread. Limits
 * that can never fire are refused: a person who wrote one believes in it.
 * Knows no inventory: how many hosts there are is judged at preview.
 */
#include "plan/parts.h"

#include <limits.h>
#include <string.h>

#include "base/i18n.h"

enum { SOAK_MAX_DAYS = 30 };
#define DAY_MS ((int64_t)86400000)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int
read_wave_size(struct wave *wave, const struct yaml *hosts, struct err *err)
{
	bool percent = false;
	int r;

	if (hosts->type == YAML_TEXT && strcmp(hosts->text, "rest") == 0) {
		wave->size = WAVE_REST;
		return 0;
	}
	if (hosts->type != YAML_TEXT ||
	    strspn(hosts->text, "-0123456789%") != hosts->len)
		return err_at(err, ERR_PLAN, hosts->place,
		    _("hosts: a number (3), a percentage (25%%) or 'rest' "
		      "belongs here"));
	r = word_amount(hosts, "hosts", &wave->amount, &percent, err);
	if (r < 0)
		return r;
	wave->size = percent ? WAVE_PERCENT : WAVE_COUNT;
	return 0;
}

static int
read_wave(struct plan_reader *reader, struct wave *wave, const struct yaml *map,
    size_t index, struct err *err)
{
	const struct yaml *hosts = NULL, *name = NULL, *of = NULL, *per = NULL,
			  *ask = NULL;
	int64_t at_once = 0;
	const struct yaml_field fields[] = {
	    {"hosts", YAML_NEED_ANY, .node = &hosts},
	    {"name", YAML_WANT_TEXT, .text = &wave->name, .node = &name},
	    {"of", YAML_WANT_TEXT, .text = &wave->of, .node = &of},
	    {"at_once", YAML_WANT_INT, .num = &at_once, .min = 1,
		.max = PLAN_HOSTS_MAX},
	    {"soak", YAML_WANT_DURATION, .num = &wave->soak_ms},
	    {"per", YAML_WANT_TEXT, .text = &wave->per, .node = &per},
	    {"ask", YAML_WANT_ANY, .node = &ask},
	};
	const char *what =
	    arena_printf(reader->arena, _("wave %zu"), index + 1);
	int r;

	wave->place = map->place;
	wave->name = arena_printf(reader->arena, "wave %zu", index + 1);
	if ((r = yaml_read(map, what, fields, COUNT(fields), err)) < 0 ||
	    (r = plan_refuse_ask(ask, err)) < 0)
		return r;
	wave->at_once = (int)at_once;
	if ((r = read_wave_size(wave, hosts, err)) < 0)
		return r;
	if (name != NULL &&
	    ((r = word_line(name, "name", PLAN_NAME_MAX, err)) < 0 ||
		(r = word_plain(name, "name", err)) < 0))
		return r;
	if (of != NULL) {
		wave->of_place = of->place;
		if ((r = word_line(of, "of", PLAN_REASON_MAX, err)) < 0 ||
		    (r = word_plain(of, "of", err)) < 0)
			return r;
	}
	if (per != NULL) {
		wave->per_place = per->place;
		if ((r = word_name(per, "per", err)) < 0)
			return r;
		if (wave->size != WAVE_COUNT)
			return err_at(err, ERR_PLAN, per->place,
			    _("per: goes with a number of hosts, so many of "
			      "each group; not with %s"),
			    hosts->text);
	}
	return word_range(
	    map, "soak", wave->soak_ms, 0, SOAK_MAX_DAYS * DAY_MS, err);
}

/* What one wave cannot see: the order, and what is left for the next. */
static int
check_wave_order(const struct phase *phase, struct err *err)
{
	int percent = 0;

	for (size_t i = 0; i < phase->wave_count; i++) {
		const struct wave *wave = &phase->waves[i];

		for (size_t j = 0; j < i; j++)
			if (strcmp(phase->waves[j].name, wave->name) == 0)
				return err_at(err, ERR_PLAN, wave->place,
				    _("two waves are called '%s'; give one "
				      "of them another name"),
				    wave->name);
		if (i > 0 && phase->waves[i - 1].size == WAVE_REST &&
		    phase->waves[i - 1].of == NULL)
			return err_at(err, ERR_PLAN, wave->place,
			    _("%s: no host is left for it: the wave before "
			      "takes the rest; put 'rest' last"),
			    wave->name);
		if (wave->of != NULL || wave->size != WAVE_PERCENT)
			continue;
		percent += wave->amount;
		if (percent > 100)
			return err_at(err, ERR_PLAN, wave->place,
			    _("%s: the waves up to here take %d%% of the "
			      "hosts; percentages are of all hosts, so write "
			      "'rest' for what is left"),
			    wave->name, percent);
	}
	return 0;
}

int
plan_read_waves(struct plan_reader *reader, struct phase *phase,
    const struct yaml *list, struct err *err)
{
	int r;

	if (list == NULL) {
		phase->waves = arena_new_of(reader->arena, struct wave);
		phase->wave_count = 1;
		phase->waves[0].name = "wave 1";
		phase->waves[0].size = WAVE_REST;
		phase->waves[0].place = phase->place;
		return 0;
	}
	if ((r = word_list(list, "waves", PLAN_WAVES_MAX, err)) < 0)
		return r;
	phase->waves = arena_array(reader->arena, struct wave, list->count);
	phase->wave_count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		r = read_wave(reader, &phase->waves[i], list->items[i], i, err);
		if (r < 0)
			return r;
	}
	return check_wave_order(phase, err);
}

/* The most hosts that the waves can hold; INT_MAX when only the inventory
 * knows. */
static int
waves_hold(const struct plan *plan)
{
	int hosts = 0;

	for (size_t p = 0; p < plan->phase_count; p++)
		for (size_t i = 0; i < plan->phases[p].wave_count; i++) {
			const struct wave *wave = &plan->phases[p].waves[i];

			if (wave->size != WAVE_COUNT || wave->per != NULL)
				return INT_MAX;
			hosts += wave->amount;
		}
	return hosts;
}

static int
read_limit(const struct plan *plan, struct limit *limit, const char *key,
    const struct yaml *node, struct err *err)
{
	int hosts = waves_hold(plan);
	int r;

	if (node == NULL)
		return 0;
	if (node->type == YAML_TEXT &&
	    (strcmp(node->text, "0") == 0 || strcmp(node->text, "0%") == 0))
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: a limit of 0 can never fire; 1 stops at the first "
		      "host"),
		    key);
	r = word_amount(node, key, &limit->amount, &limit->percent, err);
	if (r < 0)
		return r;
	if (!limit->percent && limit->amount > hosts)
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: a limit of %d can never fire: the waves hold %d "
		      "hosts at most"),
		    key, limit->amount, hosts);
	limit->place = node->place;
	limit->set = true;
	return 0;
}

int
plan_read_limits(
    struct plan_reader *reader, const struct yaml *map, struct err *err)
{
	struct plan *plan = reader->plan;
	const struct yaml *failed = NULL, *unreachable = NULL, *excluded = NULL,
			  *unreverted = NULL;
	const struct yaml_field fields[] = {
	    {"failed", YAML_WANT_ANY, .node = &failed},
	    {"unreachable", YAML_WANT_ANY, .node = &unreachable},
	    {"excluded", YAML_WANT_ANY, .node = &excluded},
	    {"unreverted", YAML_WANT_ANY, .node = &unreverted},
	};
	int r;

	if (map == NULL)
		return 0;
	if ((r = yaml_read(map, "limits", fields, COUNT(fields), err)) < 0 ||
	    (r = read_limit(plan, &plan->failed, "failed", failed, err)) < 0 ||
	    (r = read_limit(plan, &plan->unreachable, "unreachable",
		 unreachable, err)) < 0)
		return r;
	r = read_limit(plan, &plan->excluded, "excluded", excluded, err);
	return r < 0 ? r
		     : read_limit(plan, &plan->unreverted, "unreverted",
			   unreverted, err);
}

static const char *const back_words[] = {
    [BACK_HOST] = "host",
    [BACK_WAVE] = "wave",
    [BACK_CHANGE] = "change",
    [BACK_HOLD] = "hold",
    [BACK_NONE] = "none",
    NULL,
};

const char *
plan_back_name(enum back_scope scope)
{
	return back_words[scope];
}

static int
check_back_none(const struct plan *plan, enum back_scope scope,
    struct place place, const char *key, struct err *err)
{
	if (scope != BACK_NONE || plan->risk == RISK_EMERGENCY)
		return 0;
	return err_at(err, ERR_PLAN, place,
	    _("%s: 'none' is for risk: emergency only; 'hold' leaves it to a "
	      "person"),
	    key);
}

static int
read_rollback_map(struct plan *plan, const struct yaml *map, struct err *err)
{
	int64_t host_failed = plan->host_failed, limit = plan->limit;
	const struct yaml_field fields[] = {
	    {"host_failed", YAML_WANT_CHOICE, .num = &host_failed,
		.choices = back_words},
	    {"limit", YAML_WANT_CHOICE, .num = &limit, .choices = back_words},
	};
	int r;

	if ((r = yaml_read(map, "rollback", fields, COUNT(fields), err)) < 0)
		return r;
	plan->host_failed = (enum back_scope)host_failed;
	plan->limit = (enum back_scope)limit;
	if ((r = check_back_none(plan, plan->host_failed,
		 word_place(map, "host_failed"), "host_failed", err)) < 0)
		return r;
	return check_back_none(
	    plan, plan->limit, word_place(map, "limit"), "limit", err);
}

int
plan_read_rollback(
    struct plan_reader *reader, const struct yaml *node, struct err *err)
{
	struct plan *plan = reader->plan;

	if (node == NULL)
		return 0;
	if (node->type == YAML_MAP)
		return read_rollback_map(plan, node, err);
	if (node->type != YAML_TEXT || strcmp(node->text, "none") != 0)
		return err_at(err, ERR_PLAN, node->place,
		    _("rollback: a map belongs here, such as { host_failed: "
		      "host, limit: change }, or 'none' with risk: "
		      "emergency"));
	plan->host_failed = BACK_NONE;
	plan->limit = BACK_NONE;
	return check_back_none(plan, BACK_NONE, node->place, "rollback", err);
}

int
plan_read_spread(
    struct plan_reader *reader, const struct yaml *map, struct err *err)
{
	struct plan *plan = reader->plan;
	bool percent;
	int r;

	if (map == NULL)
		return 0;
	plan->spreads = arena_array(reader->arena, struct spread, map->count);
	for (size_t i = 0; i < map->count; i++) {
		struct spread *spread = &plan->spreads[i];
		const struct yaml *value = map->items[i];

		spread->key = map->keys[i]->text;
		spread->place = map->keys[i]->place;
		if ((r = word_name(map->keys[i], "spread", err)) < 0 ||
		    (r = word_amount(
			 value, spread->key, &spread->most, &percent, err)) < 0)
			return r;
		if (percent)
			return err_at(err, ERR_PLAN, value->place,
			    _("%s: a number of hosts (1) belongs here, no "
			      "percentage"),
			    spread->key);
	}
	plan->spread_count = map->count;
	return 0;
}

int
plan_limit_hosts(const struct limit *limit, int phase_hosts)
{
	int hosts;

	if (!limit->set)
		return INT_MAX;
	if (!limit->percent)
		return limit->amount;
	hosts = (int)((int64_t)phase_hosts * limit->amount / 100);
	return hosts > 1 ? hosts : 1;
}
