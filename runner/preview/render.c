/*
 * The preview for people: first what and why, then how it goes and how it
 * comes back, then what it does, hosts with the same impact together.
 */
#include "preview/preview.h"
#include "base/i18n.h"
#include "base/said.h"
#include "base/text.h"
#include "preview/named.h"
#include "rollout/waves.h"

#include <string.h>

struct render {
	FILE *out;
	const struct change *change;
	struct err *err;
	const char *name; /* of the host shown, where it stands for a group of
			     which each has its own name in it; or NULL */
};

static const char *
render_own(const struct render *render, const char *text, struct buf *out)
{
	buf_reset(out);
	if (render->name == NULL)
		buf_puts(out, text);
	else
		named_put(out, bytes_of(text), render->name);
	return buf_str(out);
}

static void
render_duration(FILE *out, int64_t ms)
{
	struct buf text = BUF_INIT;

	text_put_duration(&text, ms);
	fputs(buf_str(&text), out);
	buf_free(&text);
}

/* "wave 2" is what a wave without a name is called. */
static const char *
render_wave_name(
    struct arena *arena, const struct change_wave *wave, size_t number)
{
	if (strcmp(wave->name, arena_printf(arena, "wave %zu", number)) == 0)
		return arena_printf(arena, _("wave %d"), (int)number);
	return wave->name;
}

/* A line of what the probes said, which was frozen in English. */
static void
render_said(const struct render *render, const char *margin, const char *text)
{
	struct buf line = BUF_INIT, own = BUF_INIT;

	said_put(&line, text);
	fprintf(render->out, "%s%s\n", margin,
	    render_own(render, buf_str(&line), &own));
	buf_free(&line);
	buf_free(&own);
}

/* The waves of one phase. */
static void
render_waves(struct render *render, size_t phase)
{
	const struct change *change = render->change;
	struct arena *arena = arena_new();
	size_t number = 0;

	fprintf(render->out, _("  waves     "));
	for (size_t w = 0; w < change->wave_count; w++) {
		const struct change_wave *wave = &change->waves[w];

		if (wave->phase != (int)phase)
			continue;
		fprintf(render->out, number > 0 ? " > " : "");
		number++;
		fprintf(render->out,
		    ngettext("%s: %zu host", "%s: %zu hosts", wave->count),
		    render_wave_name(arena, wave, number), wave->count);
		if ((size_t)wave->at_once < wave->count)
			fprintf(render->out, _(", %d at once"), wave->at_once);
		if (wave->soak_ms > 0) {
			fprintf(render->out, _(", soak "));
			render_duration(render->out, wave->soak_ms);
		}
	}
	fputc('\n', render->out);
	arena_free(arena);
}

/* Whom a phase waits for before it begins. */
static void
render_ask(struct render *render, size_t number)
{
	const struct change_ask *ask = change_ask(render->change, (int)number);
	struct buf who = BUF_INIT;

	if (ask == NULL)
		return;
	change_put_asked(&who, ask);
	fprintf(render->out, _("  asks      %s: %s\n"),
	    ask->role[0] != '\0' ? buf_str(&who) : _("an approver"), ask->say);
	fprintf(render->out, _("            before its first host, for "));
	render_duration(
	    render->out, render->change->plan->phases[number].ask->within_ms);
	fprintf(render->out,
	    _("; without an answer it holds, with a no it stops there\n"));
	buf_free(&who);
}

static void
render_phase(struct render *render, size_t number)
{
	const struct phase *phase = &render->change->plan->phases[number];
	int hosts = change_phase_hosts(render->change, (int)number);

	if (phase->name[0] != '\0')
		fprintf(render->out, _("  phase %-3zu %s\n"), number + 1,
		    phase->name);
	fprintf(render->out,
	    ngettext("  targets   %s: %d host\n", "  targets   %s: %d hosts\n",
		(unsigned long)hosts),
	    phase->targets, hosts);
	render_ask(render, number);
	render_waves(render, number);
}

/* Does the host run systemd? Its facts say. */
static bool
render_has_systemd(const struct render *render, const struct change_host *host)
{
	struct arena *arena = arena_new();
	struct json *facts = NULL;
	struct err err = ERR_INIT;
	struct bytes text;
	bool has =
	    blobs_get(render->change->blobs, host->facts, &text, &err) == 0 &&
	    json_parse(arena, text.data, text.len, "facts", &facts, &err) ==
		0 &&
	    strcmp(json_get_text(facts, "init", ""), "systemd") == 0;

	arena_free(arena);
	return has;
}

/* What the host does by itself, and where a reboot might keep it from that. */
static void
render_guards(struct render *render)
{
	const struct change *change = render->change;
	struct arena *arena = arena_new();
	const char *guards = change_dead_man(arena, change);
	int others = 0;

	if (guards == NULL) {
		arena_free(arena);
		return;
	}
	fprintf(render->out,
	    _("  dead-man  %s: each host takes them back by itself unless "
	      "that is called off in time over a new login\n"),
	    guards);
	for (size_t h = 0; h < change->host_count; h++) {
		const struct change_host *host = &change->hosts[h];
		bool any = false;

		for (size_t g = 0; g < change->plan->guard_count; g++)
			any = any || host->guards[g][0] != '\0';
		others += any && !render_has_systemd(render, host);
	}
	if (others > 0)
		fprintf(render->out,
		    ngettext(
			"            %d host runs no systemd: it needs a "
			"cron that knows @reboot, or it is left as it is\n",
			"            %d hosts run no systemd: they need a cron "
			"that knows @reboot, or they are left as they are\n",
			(unsigned long)others),
		    others);
	arena_free(arena);
}

/* The smallest that a limit is in any phase. */
static int
render_limit(const struct change *change, const struct limit *limit)
{
	int least = waves_limit(limit, change, 0);

	for (size_t p = 1; p < change->plan->phase_count; p++) {
		int hosts = waves_limit(limit, change, (int)p);

		least = hosts < least ? hosts : least;
	}
	return least;
}

static int
render_back_limit(const struct change *change)
{
	int least = change_back_limit(change, 0);

	for (size_t p = 1; p < change->plan->phase_count; p++) {
		int hosts = change_back_limit(change, (int)p);

		least = hosts < least ? hosts : least;
	}
	return least;
}

/* Where steps run that do not run on their host. */
static void
render_places(struct render *render)
{
	const struct change *change = render->change;

	for (size_t i = 0; i < change->place_count; i++) {
		const struct change_host *place = &change->places[i];
		struct buf gaps = BUF_INIT;

		fprintf(render->out, _("  place     %s"), place->name);
		if (place->gaps[0] != '\0') {
			said_put_list(&gaps, place->gaps);
			fprintf(render->out, _(", read-only not enforced: %s"),
			    buf_str(&gaps));
		}
		fputc('\n', render->out);
		buf_free(&gaps);
	}
}

static const char *
render_scope(enum back_scope scope)
{
	switch (scope) {
	case BACK_HOST:
		return _("that host goes back");
	case BACK_WAVE:
		return _("the wave goes back");
	case BACK_CHANGE:
		return _("the whole change goes back");
	case BACK_HOLD:
		return _("it holds and asks");
	case BACK_NONE:
		return _("nothing goes back");
	}
	bug("scope %d", (int)scope);
}

static void
render_later(struct render *render)
{
	if (render->change->plan->later_ms == 0)
		return;
	fprintf(render->out, _("  later     hosts that are away do not stop it "
			       "and stay owed: for "));
	render_duration(render->out, render->change->plan->later_ms);
	fprintf(render->out,
	    _(" from the approval\n            they may be changed without "
	      "another one, as soon as they are back\n"));
}

static void
render_rules(struct render *render)
{
	const struct change *change = render->change;
	const struct plan *plan = change->plan;
	struct arena *arena = arena_new();
	FILE *out = render->out;

	fprintf(out,
	    ngettext("  at most   %d host in flight at a time, counting hosts "
		     "that failed\n",
		"  at most   %d hosts in flight at a time, counting hosts that "
		"failed\n",
		(unsigned long)change->in_flight),
	    change->in_flight);
	fprintf(out, _("  failure   %s\n"), render_scope(plan->host_failed));
	fprintf(out,
	    _("  stops at  %d failed, %d unreachable or %d excluded; then %s\n"),
	    render_limit(change, &plan->failed),
	    render_limit(change, &plan->unreachable),
	    render_limit(change, &plan->excluded), render_scope(plan->limit));
	fprintf(out,
	    _("  way back  pauses at %d hosts that are not brought back, and "
	      "asks\n"),
	    render_back_limit(change));
	render_later(render);
	fprintf(out, _("  not taken back: %s\n"),
	    _(change_not_taken_back(arena, change)));
	arena_free(arena);
	render_guards(render);
}

static void
render_counts(struct render *render)
{
	struct preview_counts counts;
	int asked;

	preview_count(render->change, &counts);
	fprintf(render->out,
	    ngettext("  preview   %d host will change, %d stay as they are, %d "
		     "could not be asked\n",
		"  preview   %d hosts will change, %d stay as they are, %d "
		"could not be asked\n",
		(unsigned long)counts.changing),
	    counts.changing, counts.unchanged, counts.troubled);
	if (counts.away > 0)
		fprintf(render->out,
		    ngettext("            %d host is away: NOT previewed, what "
			     "is to do there is found out later\n",
			"            %d hosts are away: NOT previewed, what is "
			"to do there is found out later\n",
			(unsigned long)counts.away),
		    counts.away);
	if (counts.steps_depend + counts.steps_cannot_tell > 0)
		fprintf(render->out,
		    _("            steps: %d foretold, %d depend on earlier "
		      "ones, %d cannot be foretold\n"),
		    counts.steps_change, counts.steps_depend,
		    counts.steps_cannot_tell);
	asked = counts.hosts - counts.troubled - counts.away;
	if (asked == 0)
		return; /* nobody was asked: nothing to say of how */
	if (counts.enforced == asked)
		fprintf(render->out,
		    _("            asked read-only, enforced by every host's "
		      "kernel\n"));
	else
		fprintf(render->out,
		    _("            asked read-only; NOT enforced on %d of the %d "
		      "that were asked (see below)\n"),
		    asked - counts.enforced, asked);
}

static void
render_head(struct render *render)
{
	const struct change *change = render->change;
	const struct plan *plan = change->plan;
	struct buf file = BUF_INIT;
	char name[16];

	if (change->number > 0)
		fprintf(render->out, "%s  ", change_name(change->number, name));
	text_cleanse_to(&file, plan->file, strlen(plan->file), true);
	fprintf(render->out, "%s  (%s)\n", change->title, buf_str(&file));
	buf_free(&file);
	fprintf(render->out, _("  reason    %s\n"), plan->reason);
	for (size_t p = 0; p < plan->phase_count; p++)
		render_phase(render, p);
	render_places(render);
	render_rules(render);
	render_counts(render);
}

static const char *
render_mark(enum change_verdict verdict)
{
	switch (verdict) {
	case CHANGE_SAME:
		return "=";
	case CHANGE_CHANGES:
		return "~";
	case CHANGE_SKIP:
		return "-";
	case CHANGE_DEPENDS:
		return ">";
	case CHANGE_CANNOT_TELL:
		return "?";
	}
	bug("verdict %d", (int)verdict);
}

static const char *
render_word(enum change_verdict verdict)
{
	switch (verdict) {
	case CHANGE_SAME:
		return _("unchanged");
	case CHANGE_CHANGES:
		return _("will change");
	case CHANGE_SKIP:
		return _("skipped");
	case CHANGE_DEPENDS:
		return _("depends");
	case CHANGE_CANNOT_TELL:
		return _("will run; its effect cannot be foretold");
	}
	bug("verdict %d", (int)verdict);
}

/* A blob of lines, each behind the margin. said: lines of hoshu's own words;
 * scripts and diffs hold other people's, which are shown as they are. */
static int
render_lines(
    struct render *render, const char *sha256, const char *margin, bool said)
{
	struct bytes data;
	const char *at, *end;
	struct buf line = BUF_INIT, own = BUF_INIT;
	int r = blobs_get(render->change->blobs, sha256, &data, render->err);

	if (r < 0)
		return r;
	at = data.data;
	end = at + data.len;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline != NULL ? newline : end) - at);

		buf_reset(&line);
		text_cleanse_to(&line, at, len, false);
		if (said)
			render_said(render, margin, buf_str(&line));
		else
			fprintf(render->out, "%s%s\n", margin,
			    render_own(render, buf_str(&line), &own));
		at += len + 1;
	}
	buf_free(&line);
	buf_free(&own);
	return 0;
}

static const char *
render_way_back(const struct step *step, const struct change_step *previewed)
{
	switch (step->back) {
	case STEP_BACK_DERIVED:
		return previewed->undo[0] != '\0' ? _("way back: exact") : "";
	case STEP_BACK_STEPS:
		return _("way back: its rollback steps");
	case STEP_BACK_KEEP:
		return _("way back: none, it is kept");
	case STEP_BACK_STOP:
		return _("way back: none, it stops there and asks");
	}
	bug("back %d", (int)step->back);
}

static int
render_scripts(struct render *render, const struct change_step *step)
{
	int r;

	if (step->apply[0] != '\0') {
		fprintf(render->out, "      -- apply %.12s\n", step->apply);
		if ((r = render_lines(render, step->apply, "      | ", false)) <
		    0)
			return r;
	}
	if (step->undo[0] != '\0') {
		fprintf(render->out, "      -- undo %.12s\n", step->undo);
		if ((r = render_lines(render, step->undo, "      | ", false)) <
		    0)
			return r;
	}
	return 0;
}

static const char *
render_when(const struct step *step)
{
	if (step->of_rollback)
		return _("(on the way back) ");
	switch (step->around) {
	case AROUND_NOT:
		return "";
	case AROUND_ENTER:
		return _("(before every touch) ");
	case AROUND_LEAVE:
		return _("(after the checks) ");
	}
	bug("around %d", (int)step->around);
}

/* The first line of a blob of lines; "" when there is none. */
static struct bytes
render_first_line(const struct render *render, const char *sha256)
{
	struct bytes data;
	struct err unread = ERR_INIT;
	const char *end;

	if (blobs_get(render->change->blobs, sha256, &data, &unread) < 0 ||
	    data.len == 0)
		return bytes_of("");
	end = memchr(data.data, '\n', data.len);
	if (end != NULL)
		data.len = (size_t)(end - (const char *)data.data);
	return data;
}

/* Behind the step's name, with which it mostly begins; where it goes on with
 * what the lines below say, it ends there. */
static void
render_summary(const struct render *render, const struct step *step,
    const struct change_step *previewed)
{
	struct bytes line = render_first_line(render, previewed->diff);
	size_t len = strlen(previewed->summary), name = strlen(step->name);
	struct buf text = BUF_INIT, own = BUF_INIT;
	const char *said = line.len > 0 ? memmem(previewed->summary, len,
					      line.data, line.len)
					: NULL,
		   *shown;

	if (said != NULL)
		len = (size_t)(said - previewed->summary);
	if (said != NULL && len >= 2 &&
	    memcmp(previewed->summary + len - 2, ": ", 2) == 0)
		len -= 2;
	buf_put(&text, previewed->summary, len);
	shown = render_own(render, buf_str(&text), &own);
	if (strncmp(shown, step->name, name) == 0 &&
	    (shown[name] == '\0' || strncmp(shown + name, ": ", 2) == 0))
		shown += shown[name] == '\0' ? name : name + 2;
	if (shown[0] != '\0')
		fprintf(render->out, "  %s", shown);
	fputc('\n', render->out);
	buf_free(&own);
	buf_free(&text);
}

static int
render_step(struct render *render, const struct step *step,
    const struct change_step *previewed, bool scripts)
{
	FILE *out = render->out;
	bool acts = previewed->verdict != CHANGE_SAME &&
		    previewed->verdict != CHANGE_SKIP;
	const char *way_back = render_way_back(step, previewed);
	int r;

	fprintf(out, "  %s %d %s%s", render_mark(previewed->verdict), step->id,
	    render_when(step), step->name);
	if (previewed->place >= 0)
		fprintf(out, _(" on %s"),
		    render->change->places[previewed->place].name);
	fprintf(out, "  [%s]", render_word(previewed->verdict));
	render_summary(render, step, previewed);
	if (previewed->reason[0] != '\0')
		render_said(render, "      ", previewed->reason);
	if (!acts)
		return 0;
	if ((r = render_lines(render, previewed->effects, "      ! ", true)) <
		0 ||
	    (r = render_lines(render, previewed->diff, "      ", false)) < 0)
		return r;
	if (way_back[0] != '\0' && !plan_runs_again(step) && !step->of_rollback)
		fprintf(out, "      %s%s\n", way_back,
		    step->guard != NULL ? _(", by the host itself if need be")
					: "");
	return scripts ? render_scripts(render, previewed) : 0;
}

static void
render_names(struct render *render, const struct preview_group *group)
{
	enum { NAMES_SHOWN = 12 };

	fprintf(render->out,
	    ngettext("%zu host: ", "%zu hosts: ", group->count), group->count);
	for (size_t i = 0; i < group->count && i < NAMES_SHOWN; i++)
		fprintf(render->out, "%s%s", i > 0 ? " " : "",
		    render->change->hosts[group->hosts[i]].name);
	if (group->count > NAMES_SHOWN)
		fprintf(render->out, _(" and %zu more"),
		    group->count - NAMES_SHOWN);
	fputc('\n', render->out);
}

static int
render_group(
    struct render *render, const struct preview_group *group, bool scripts)
{
	const struct plan *plan = render->change->plan;
	const struct change_host *first =
	    &render->change->hosts[group->hosts[0]];
	int r;

	render->name = group->named && group->count > 1 ? first->name : NULL;
	fputc('\n', render->out);
	render_names(render, group);
	if (render->name != NULL)
		fprintf(render->out,
		    _("  ${{ host.name }} stands for the name of each\n"));
	if (first->trouble[0] != '\0') {
		struct buf own = BUF_INIT;

		fprintf(render->out, _("  could not be asked: %s\n"),
		    render_own(render, first->trouble, &own));
		buf_free(&own);
		return 0;
	}
	if (change_is_away(first)) /* each for a reason of its own */
		fprintf(render->out,
		    _("  NOT previewed (unpreviewed: allow): %s\n"),
		    first->away);
	if (first->gaps[0] != '\0') {
		struct buf gaps = BUF_INIT;

		said_put_list(&gaps, first->gaps);
		fprintf(render->out, _("  read-only not enforced: %s\n"),
		    buf_str(&gaps));
		buf_free(&gaps);
	}
	for (int id = 1; id <= plan->last_id; id++) {
		if (!change_has_step(first, plan->by_id[id]))
			continue;
		r = render_step(
		    render, plan->by_id[id], &first->steps[id], scripts);
		if (r < 0)
			return r;
	}
	return 0;
}

int
preview_render(
    FILE *out, const struct change *change, bool scripts, struct err *err)
{
	struct render render = {.out = out, .change = change, .err = err};
	struct arena *arena = arena_new();
	struct preview_group *groups;
	size_t count;
	int r = 0;

	render_head(&render);
	preview_group(arena, change, &groups, &count);
	for (size_t g = 0; g < count && r == 0; g++)
		r = render_group(&render, &groups[g], scripts);
	arena_free(arena);
	return r;
}

void
preview_render_brief(FILE *out, const struct change *change)
{
	struct render render = {.out = out, .change = change};

	fprintf(out, _("  reason    %s\n"), change->plan->reason);
	for (size_t p = 0; p < change->plan->phase_count; p++)
		render_phase(&render, p);
	render_places(&render);
	render_counts(&render);
}

static struct json *
render_json_host(struct arena *arena, const struct change *change,
    const struct change_host *host)
{
	struct json *map = json_map(arena), *steps = json_list(arena);
	struct json *waves = json_list(arena);

	for (size_t p = 0; p < change->plan->phase_count; p++)
		if (host->waves[p] > 0)
			json_add(arena, waves, json_int(arena, host->waves[p]));
	json_put_text(arena, map, "name", host->name);
	json_put_text(arena, map, "address", host->address);
	json_put(arena, map, "waves", waves);
	json_put_text(arena, map, "trouble", host->trouble);
	if (change_is_away(host))
		json_put_text(arena, map, "away", host->away);
	json_put_text(arena, map, "readonly", host->readonly);
	for (int id = 1;
	     host->trouble[0] == '\0' && id <= change->plan->last_id; id++) {
		const struct change_step *step = &host->steps[id];
		struct json *item;

		if (!change_has_step(host, change->plan->by_id[id]))
			continue;
		item = json_add(arena, steps, json_map(arena));
		json_put_int(arena, item, "id", id);
		json_put_text(
		    arena, item, "name", change->plan->by_id[id]->name);
		json_put_text(
		    arena, item, "verdict", change_verdict_word(step->verdict));
		json_put_text(arena, item, "summary", step->summary);
		json_put_text(arena, item, "reason", step->reason);
		json_put_text(arena, item, "apply", step->apply);
		json_put_text(arena, item, "undo", step->undo);
		if (step->place >= 0)
			json_put_text(arena, item, "on",
			    change->places[step->place].name);
	}
	json_put(arena, map, "steps", steps);
	return map;
}

/* As it is frozen, and what the plan says of it. */
static struct json *
render_json_asks(struct arena *arena, const struct change *change)
{
	struct json *list = change_freeze_asks(arena, change);

	for (size_t i = 0; i < list->count; i++) {
		int64_t number = json_get_int(list->items[i], "phase", 0);
		const struct phase *phase = &change->plan->phases[number];

		json_put_text(arena, list->items[i], "name", phase->name);
		json_put_int(arena, list->items[i], "phase", number + 1);
		json_put_int(
		    arena, list->items[i], "within_ms", phase->ask->within_ms);
	}
	return list;
}

struct json *
preview_json(struct arena *arena, const struct change *change)
{
	struct json *map = json_map(arena), *hosts = json_list(arena);
	struct json *waves = json_list(arena);

	json_put_text(arena, map, "title", change->title);
	json_put_text(arena, map, "reason", change->plan->reason);
	json_put_int(arena, map, "in_flight", change->in_flight);
	json_put_int(arena, map, "unreverted", render_back_limit(change));
	json_put_text(
	    arena, map, "not_taken_back", change_not_taken_back(arena, change));
	if (change->plan->unpreviewed)
		json_put_int(
		    arena, map, "not_previewed", change_away_hosts(change));
	if (change->plan->later_ms > 0)
		json_put_int(arena, map, "later_ms", change->plan->later_ms);
	if (change->plan->guard_count > 0)
		json_put_text(
		    arena, map, "dead_man", change_dead_man(arena, change));
	if (change_asks(arena, change) != NULL)
		json_put(arena, map, "asks", render_json_asks(arena, change));
	for (size_t w = 0; w < change->wave_count; w++) {
		struct json *wave = json_add(arena, waves, json_map(arena));

		json_put_text(arena, wave, "name", change->waves[w].name);
		json_put_int(
		    arena, wave, "hosts", (int64_t)change->waves[w].count);
	}
	for (size_t i = 0; i < change->host_count; i++)
		json_add(arena, hosts,
		    render_json_host(arena, change, &change->hosts[i]));
	json_put(arena, map, "waves", waves);
	json_put(arena, map, "hosts", hosts);
	return map;
}
