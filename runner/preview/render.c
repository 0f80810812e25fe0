/*
 * The preview for people: first what and why, then how it goes and how it
 * comes back, then what it does, hosts with the same impact together.
 */
#include "preview/inside.h"
#include "base/i18n.h"
#include "base/said.h"
#include "base/text.h"
#include "preview/named.h"

#include <string.h>

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
