/*
 * Small facts about changes: names, words, what cannot be taken back, the
 * data that travels with a job.
 */
#include "change/change.h"
#include "base/i18n.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *
change_verdict_word(enum change_verdict verdict)
{
	static const char *const words[] = {
	    "same", "change", "skip", "depends", "cannot_tell"};

	return words[verdict];
}

char
change_foretold(enum change_verdict verdict)
{
	switch (verdict) {
	case CHANGE_SAME:
	case CHANGE_SKIP:
		return 'n';
	case CHANGE_CHANGES:
	case CHANGE_CANNOT_TELL:
		return 'y';
	case CHANGE_DEPENDS:
		return '?';
	}
	bug("verdict %d", (int)verdict);
}

const char *
change_name(int number, char out[16])
{
	snprintf(out, 16, "CHG-%04d", number);
	return out;
}

int
change_number(const char *text)
{
	int64_t number;

	if (tolower((unsigned char)text[0]) == 'c' &&
	    tolower((unsigned char)text[1]) == 'h' &&
	    tolower((unsigned char)text[2]) == 'g' && text[3] == '-')
		text += 4;
	while (text[0] == '0' && text[1] != '\0')
		text++;
	if (!text_int(text, 1, 99999999, &number))
		return 0;
	return (int)number;
}

/* Hosts on which the step will act and its module wrote no undo. */
static int
change_without_undo(const struct change *change, int id)
{
	int hosts = 0;

	for (size_t i = 0; i < change->host_count; i++) {
		const struct change_step *step = &change->hosts[i].steps[id];

		hosts += step->apply[0] != '\0' && step->undo[0] == '\0';
	}
	return hosts;
}

const char *
change_not_taken_back(struct arena *arena, const struct change *change)
{
	const struct plan *plan = change->plan;
	struct buf names = BUF_INIT;
	const char *text;

	if (plan->limit == BACK_NONE || plan->host_failed == BACK_NONE)
		buf_puts(&names, "anything (rollback: none)");
	else if (plan->limit == BACK_HOLD || plan->host_failed == BACK_HOLD)
		buf_puts(&names, "anything by itself (rollback: hold)");
	for (int id = 1; id <= plan->last_id; id++) {
		const struct step *step = plan->by_id[id];
		const char *between = names.len > 0 ? "; " : "";
		int hosts;

		if (plan_runs_again(step) || step->of_rollback)
			continue;
		switch (step->back) {
		case STEP_BACK_STEPS:
			break;
		case STEP_BACK_DERIVED:
			hosts = plan->limit == BACK_NONE &&
					plan->host_failed == BACK_NONE
				    ? 0 /* said already */
				    : change_without_undo(change, id);
			if (hosts > 0)
				buf_printf(&names,
				    "%s%s (no way back on %d of %zu hosts)",
				    between, step->name, hosts,
				    change->host_count);
			break;
		case STEP_BACK_KEEP:
		case STEP_BACK_STOP:
			buf_printf(&names, "%s%s (%s: %s)", between, step->name,
			    step->back == STEP_BACK_KEEP ? "keep" : "stop",
			    step->because != NULL ? step->because : "");
			break;
		}
	}
	if (plan->limit != BACK_NONE && plan->host_failed != BACK_NONE &&
	    change_away_hosts(change) > 0)
		buf_printf(&names,
		    "%swhat has no way back is not known of hosts that were "
		    "not previewed",
		    names.len > 0 ? "; " : "");
	text =
	    arena_strdup(arena, names.len > 0 ? buf_str(&names) : N_("none"));
	buf_free(&names);
	return text;
}

/* What must not come back must not lie on the host either. A guard is another
 * matter: the host needs its way back until it is called off. */
static bool
change_goes_back(const struct plan *plan)
{
	return plan->limit != BACK_NONE || plan->host_failed != BACK_NONE ||
	       plan->guard_count > 0;
}

static void
data_put_text(struct buf *out, const char *text)
{
	struct arena *arena = arena_new();

	json_write(out, json_text(arena, text));
	arena_free(arena);
}

static void
data_put_host(struct buf *out, const struct change_host *host)
{
	buf_puts(out, "\"host\":{\"address\":");
	data_put_text(out, host->address != NULL ? host->address : "");
	buf_puts(out, ",\"groups\":");
	json_write(out, host->groups);
	buf_puts(out, ",\"name\":");
	data_put_text(out, host->name);
	buf_printf(out, ",\"port\":%d,\"user\":", host->port);
	data_put_text(out, host->user != NULL ? host->user : "");
	buf_puts(out, ",\"vars\":");
	json_write(out, host->vars);
	buf_putc(out, '}');
}

/* Names that expressions know the steps by; rollback steps and handlers are
 * not asked for. */
static void
data_put_changed(struct buf *out, const struct plan *plan, const char *changed)
{
	bool first = true;

	buf_puts(out, ",\"changed\":{");
	for (int id = 1; changed != NULL && id <= plan->last_id; id++) {
		const struct step *step = plan->by_id[id];

		if (step->handler || step->of_rollback || changed[id] == '-')
			continue;
		if (!first)
			buf_putc(out, ',');
		first = false;
		data_put_text(out, step->name);
		buf_puts(out, changed[id] == 'y'   ? ":true"
			      : changed[id] == 'n' ? ":false"
						   : ":null");
	}
	buf_putc(out, '}');
}

void
change_data(struct buf *out, const struct change *change,
    const struct change_host *host, struct bytes facts, struct bytes plan_vars,
    const struct step *step, const char *changed, const char *before,
    struct bytes pin)
{
	buf_putc(out, '{');
	data_put_host(out, host);
	data_put_changed(out, change->plan, changed);
	/* what a host said goes back as it came, unread */
	buf_puts(out, ",\"facts\":");
	buf_put(out, facts.len > 0 ? facts.data : "{}",
	    facts.len > 0 ? facts.len : 2);
	buf_puts(out, ",\"vars\":");
	buf_put(out, plan_vars.len > 0 ? plan_vars.data : "{}",
	    plan_vars.len > 0 ? plan_vars.len : 2);
	buf_puts(out, ",\"inputs\":");
	json_write(out, change->inputs);
	if (before != NULL) {
		buf_puts(out, ",\"before\":");
		data_put_text(out, before);
	}
	if (!change_goes_back(change->plan))
		buf_puts(out, ",\"undo\":false");
	if (pin.len > 0) {
		buf_puts(out, ",\"pin\":");
		buf_put(out, pin.data, pin.len);
	}
	if (step != NULL) {
		buf_printf(out, ",\"step\":{\"id\":%d,\"name\":", step->id);
		data_put_text(out, step->name);
		if (step->when != NULL) {
			buf_puts(out, ",\"when\":");
			data_put_text(out, step->when);
		}
		buf_putc(out, '}');
	}
	buf_putc(out, '}');
}
