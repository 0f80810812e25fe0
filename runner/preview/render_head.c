/*
 * The head of a preview: what and why, how it goes and how it comes back, how
 * many hosts it is about and how they were asked.
 */
#include "preview/inside.h"
#include "base/i18n.h"
#include "base/said.h"
#include "base/text.h"
#include "rollout/waves.h"

#include <string.h>

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

int
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

void
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
