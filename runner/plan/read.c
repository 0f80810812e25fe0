/*
 * The top level of a plan: its keys, title, reason, inputs and variables; the
 * parts are read by the files named after them. Reads no other file: the same
 * bytes give the same plan.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "match/match.h"

#define MINUTE_MS ((int64_t)60000)
#define DAY_MS ((int64_t)86400000)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const risk_words[] = {
    [RISK_STANDARD] = "standard",
    [RISK_NORMAL] = "normal",
    [RISK_EMERGENCY] = "emergency",
    NULL,
};

static const char *const unpreviewed_words[] = {"allow", NULL};

const char *
plan_risk_name(enum plan_risk risk)
{
	return risk_words[risk];
}

/* The nodes of the top level, as they are found. */
struct top {
	const struct yaml *change, *reason, *limits, *rollback, *spread, *vars,
	    *inputs, *later, *unpreviewed;
	struct plan_parts parts;
	int64_t risk, unpreviewed_word;
};

static int
read_top(struct plan *plan, const struct yaml *root, struct top *top,
    struct err *err)
{
	bool phases = yaml_get(root, "phases") != NULL;
	struct plan_parts *parts = &top->parts;
	const struct yaml_field fields[] = {
	    {"change", YAML_NEED_TEXT, .text = &plan->change,
		.node = &top->change},
	    {"reason", YAML_NEED_TEXT, .text = &plan->reason,
		.node = &top->reason},
	    {"risk", YAML_WANT_CHOICE, .num = &top->risk,
		.choices = risk_words},
	    {"later", YAML_WANT_DURATION, .num = &plan->later_ms,
		.node = &top->later},
	    {"unpreviewed", YAML_WANT_CHOICE, .num = &top->unpreviewed_word,
		.choices = unpreviewed_words, .node = &top->unpreviewed},
	    {"targets", phases ? YAML_WANT_TEXT : YAML_NEED_TEXT,
		.node = &parts->targets},
	    {"waves", phases ? YAML_WANT_LIST : YAML_NEED_LIST,
		.node = &parts->waves},
	    {"steps", phases ? YAML_WANT_LIST : YAML_NEED_LIST,
		.node = &parts->steps},
	    {"ask", YAML_WANT_MAP, .node = &parts->ask},
	    {"around", YAML_WANT_MAP, .node = &parts->around},
	    {"phases", YAML_WANT_LIST, .node = &parts->phases},
	    {"handlers", YAML_WANT_MAP, .node = &parts->handlers},
	    {"checks", YAML_WANT_LIST, .node = &parts->checks},
	    {"limits", YAML_WANT_MAP, .node = &top->limits},
	    {"rollback", YAML_WANT_ANY, .node = &top->rollback},
	    {"spread", YAML_WANT_MAP, .node = &top->spread},
	    {"vars", YAML_WANT_MAP, .node = &top->vars},
	    {"inputs", YAML_WANT_MAP, .node = &top->inputs},
	    FIELD_NOT_YET("window"),
	    FIELD_NOT_YET("secrets"),
	};

	return yaml_read(root, "plan", fields, COUNT(fields), err);
}

/* What only an emergency may say. */
static int
check_emergency(const struct plan *plan, const struct yaml *root,
    const struct top *top, struct err *err)
{
	if (top->unpreviewed != NULL && plan->risk != RISK_EMERGENCY)
		return err_at(err, ERR_PLAN, word_place(root, "unpreviewed"),
		    _("unpreviewed: is for risk: emergency only; otherwise a "
		      "host that is away at submit is left out: targets: all "
		      "& !HOST"));
	if (top->later == NULL)
		return 0;
	if (plan->risk != RISK_EMERGENCY)
		return err_at(err, ERR_PLAN, word_place(root, "later"),
		    _("later: is for risk: emergency only; without it, `hoshu "
		      "run CHG --remaining` tries the hosts left over as long "
		      "as the approval is valid"));
	return word_range(
	    root, "later", plan->later_ms, MINUTE_MS, 90 * DAY_MS, err);
}

static int
check_top(struct plan *plan, const struct yaml *root, const struct top *top,
    struct err *err)
{
	int r;

	if ((r = word_line(top->change, "change", PLAN_TITLE_MAX, err)) < 0 ||
	    (r = word_line(top->reason, "reason", PLAN_REASON_MAX, err)) < 0 ||
	    (r = word_plain(top->reason, "reason", err)) < 0)
		return r;
	plan->change_place = top->change->place;
	plan->risk = (enum plan_risk)top->risk;
	plan->unpreviewed = top->unpreviewed != NULL;
	return check_emergency(plan, root, top, err);
}

/* What a host takes back by itself must be known before. */
static int
check_unpreviewed(const struct plan *plan, struct err *err)
{
	if (!plan->unpreviewed || plan->guard_count == 0)
		return 0;
	return err_at(err, ERR_PLAN, plan->guards[0]->place,
	    _("guard: what a host takes back by itself comes from its preview; "
	      "take unpreviewed: out, or the guard"));
}

static int
read_vars(struct plan_reader *reader, const struct yaml *map, struct err *err)
{
	struct plan *plan = reader->plan;
	int r;

	if (map == NULL)
		return 0;
	plan->vars = arena_array(reader->arena, struct named_text, map->count);
	plan->var_count = map->count;
	for (size_t i = 0; i < map->count; i++) {
		const struct yaml *value = map->items[i];

		if ((r = word_name(map->keys[i], "vars", err)) < 0)
			return r;
		if (value->type != YAML_TEXT)
			return err_at(err, ERR_PLAN, value->place,
			    _("vars: %s: a text belongs here; lists and maps "
			      "are for the inventory"),
			    map->keys[i]->text);
		plan->vars[i].name = map->keys[i]->text;
		plan->vars[i].text = value->text;
		plan->vars[i].place = value->place;
	}
	return 0;
}

static int
check_input(
    const struct named_text *input, const struct yaml *map, struct err *err)
{
	struct match *match = NULL;
	struct err why = ERR_INIT;
	int r = 0;

	if (input->text != NULL &&
	    (r = word_plain(yaml_get(map, "default"), "default", err)) < 0)
		return r;
	if (input->match == NULL)
		return 0;
	if (match_compile(input->match, "", &match, &why) < 0)
		r = err_at(err, ERR_PLAN, yaml_get(map, "match")->place,
		    _("match: %s"), why.text);
	else if (input->text != NULL &&
		 match_run(match, input->text, strlen(input->text), NULL,
		     NULL) != MATCH_YES)
		r = err_at(err, ERR_PLAN, yaml_get(map, "default")->place,
		    _("default: '%s' does not match '%s'"), input->text,
		    input->match);
	match_free(match);
	return r;
}

static int
read_inputs(struct plan_reader *reader, const struct yaml *map, struct err *err)
{
	struct plan *plan = reader->plan;
	int r;

	if (map == NULL)
		return 0;
	plan->inputs =
	    arena_array(reader->arena, struct named_text, map->count);
	plan->input_count = map->count;
	for (size_t i = 0; i < map->count; i++) {
		struct named_text *input = &plan->inputs[i];
		const struct yaml_field fields[] = {
		    {"match", YAML_WANT_TEXT, .text = &input->match},
		    {"default", YAML_WANT_TEXT, .text = &input->text},
		};

		input->name = map->keys[i]->text;
		input->place = map->keys[i]->place;
		if ((r = word_name(map->keys[i], "inputs", err)) < 0 ||
		    (r = yaml_read(map->items[i],
			 arena_printf(
			     reader->arena, _("input \"%s\""), input->name),
			 fields, COUNT(fields), err)) < 0 ||
		    (r = check_input(input, map->items[i], err)) < 0)
			return r;
	}
	return 0;
}

int
plan_read(struct arena *arena, const char *file, const char *text, size_t len,
    struct plan **out, struct err *err)
{
	return plan_read_using(arena, file, text, len, NULL, NULL, out, err);
}

int
plan_read_using(struct arena *arena, const char *file, const char *text,
    size_t len, plan_use *use, void *arg, struct plan **out, struct err *err)
{
	struct plan *plan = arena_new_of(arena, struct plan);
	struct plan_reader reader = {arena, plan, use, arg};
	struct top top = {.risk = RISK_NORMAL};
	struct yaml *root = NULL;
	int r;

	plan->file = arena_strdup(arena, file);
	plan->host_failed = BACK_HOST;
	plan->limit = BACK_CHANGE;
	if ((r = yaml_parse(arena, file, text, len, &root, err)) < 0 ||
	    (r = read_top(plan, root, &top, err)) < 0 ||
	    (r = check_top(plan, root, &top, err)) < 0 ||
	    (r = read_inputs(&reader, top.inputs, err)) < 0 ||
	    (r = read_vars(&reader, top.vars, err)) < 0 ||
	    (r = plan_read_phases(&reader, root, &top.parts, err)) < 0 ||
	    (r = check_unpreviewed(plan, err)) < 0 ||
	    (r = plan_read_limits(&reader, top.limits, err)) < 0 ||
	    (r = plan_read_rollback(&reader, top.rollback, err)) < 0 ||
	    (r = plan_read_spread(&reader, top.spread, err)) < 0 ||
	    (r = plan_check_names(plan, err)) < 0)
		return r;
	plan_name_steps(arena, plan, NULL, 0);
	*out = plan;
	return 0;
}
