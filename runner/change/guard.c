/*
 * The dead-man of some steps on one host: the way back that the host takes by
 * itself, made of the scripts that the preview shows, and what the host is
 * told about it (remote/guard.sh). Says nothing of when.
 */
#include "base/i18n.h"
#include "base/quote.h"
#include "base/text.h"
#include "change/change.h"
#include "digest/digest.h"

#include <string.h>

static const char stop_sh[] =
#include "stop.sh.h"
    ;
static const char guard_sh[] =
#include "guard.sh.h"
    ;

enum { UNDO_NAME = 16 }; /* of its digest, as scripts name their undo.sh */

struct compose {
	const struct change *change;
	const struct change_host *host;
	const struct guard *guard;
	struct buf *out;
	struct err *err;
};

static bool
acts(const struct change_step *step)
{
	return step->verdict != CHANGE_SAME && step->verdict != CHANGE_SKIP;
}

static int
refuse(const struct compose *c, const struct step *step, const char *why)
{
	return err_at(c->err, ERR_PLAN, step->place,
	    _("step \"%s\" is under guard:, but %s; take it out of the guard"),
	    step->name, why);
}

static int
put_script(const struct compose *c, const struct step *step, const char *sha256)
{
	struct bytes text;
	int r = blobs_get(c->change->blobs, sha256, &text, c->err);

	if (r < 0)
		return r;
	if (text.len >= 7 && memcmp(text.data, "# needs", 7) == 0)
		return refuse(c, step,
		    _("its script needs a file that a reboot would take from "
		      "the host's spool"));
	buf_putc(c->out, ' ');
	quote_put(c->out, text.data, text.len);
	buf_putc(c->out, '\n');
	return 0;
}

static int
put_step(const struct compose *c, const struct step *step)
{
	const struct change_step *previewed = &c->host->steps[step->id];

	if (!acts(previewed))
		return 0;
	if (previewed->verdict == CHANGE_DEPENDS)
		return refuse(c, step,
		    _("its script depends on an earlier step, so its way back "
		      "is not known before"));
	if (previewed->undo[0] == '\0')
		return refuse(c, step, _("its module writes no way back here"));
	buf_printf(c->out, "guard_step %.*s", UNDO_NAME, previewed->undo);
	return put_script(c, step, previewed->undo);
}

static bool
notifies(const struct step *step, const struct step *handler)
{
	for (size_t i = 0; i < step->notify_count; i++)
		if (step->notify[i] == handler->id)
			return true;
	return false;
}

static int
put_handler(const struct compose *c, const struct step *handler)
{
	const struct change_step *previewed = &c->host->steps[handler->id];
	const struct phase *phase = &c->change->plan->phases[handler->phase];
	const char *between = "";

	if (!acts(previewed))
		return 0;
	if (previewed->verdict == CHANGE_DEPENDS || previewed->apply[0] == '\0')
		return refuse(c, handler,
		    _("its script depends on an earlier step, so the way back "
		      "cannot end with it"));
	buf_puts(c->out, "guard_handler '");
	for (size_t i = 0; i < phase->step_count; i++) {
		const struct step *step = &phase->steps[i];

		if (!notifies(step, handler) ||
		    !acts(&c->host->steps[step->id]))
			continue;
		buf_printf(c->out, "%s%.*s", between, UNDO_NAME,
		    c->host->steps[step->id].undo);
		between = " ";
	}
	buf_putc(c->out, '\'');
	return put_script(c, handler, previewed->apply);
}

/* The last step's way back first, then the handlers. */
static int
compose(const struct compose *c)
{
	const struct phase *phase = &c->change->plan->phases[c->guard->phase];
	int r = 0;

	for (size_t i = phase->step_count; i-- > 0 && r == 0;)
		if (phase->steps[i].guard == c->guard)
			r = put_step(c, &phase->steps[i]);
	if (c->out->len == 0)
		return r;
	for (size_t i = 0; i < phase->order_count && r == 0; i++)
		if (phase->order[i]->handler &&
		    phase->order[i]->guard == c->guard)
			r = put_handler(c, phase->order[i]);
	return r;
}

int
change_make_guards(
    const struct change *change, struct change_host *host, struct err *err)
{
	const struct plan *plan = change->plan;
	int r = 0;

	for (size_t g = 0; g < plan->guard_count && r == 0; g++) {
		struct buf text = BUF_INIT;
		const struct compose c = {
		    change, host, plan->guards[g], &text, err};

		host->guards[g] = "";
		if (host->waves[plan->guards[g]->phase] > 0)
			r = compose(&c);
		if (r == 0 && text.len > 0)
			host->guards[g] =
			    blobs_put(change->blobs, buf_bytes(&text));
		buf_free(&text);
	}
	return r;
}

const char *
change_dead_man(struct arena *arena, const struct change *change)
{
	const struct plan *plan = change->plan;
	struct buf text = BUF_INIT;
	const char *said = NULL;

	for (size_t g = 0; g < plan->guard_count; g++) {
		const struct guard *guard = plan->guards[g];
		const struct phase *phase = &plan->phases[guard->phase];
		const char *between = " round ";

		buf_puts(&text, g > 0 ? ", " : "");
		text_put_duration(&text, guard->time_ms);
		for (size_t i = 0; i < phase->step_count; i++) {
			if (phase->steps[i].guard != guard)
				continue;
			buf_printf(
			    &text, "%s%s", between, phase->steps[i].name);
			between = "; ";
		}
	}
	if (text.len > 0)
		said = arena_strdup(arena, buf_str(&text));
	buf_free(&text);
	return said;
}

static void
put_id(struct buf *out, const struct change *change,
    const struct change_host *host, const struct guard *guard)
{
	struct buf text = BUF_INIT;
	struct digest digest;

	buf_printf(&text, "guard %s %d %s %d", change->digest, change->number,
	    host->name, guard->number);
	digest_of(buf_bytes(&text), &digest);
	buf_printf(out, " %.32s", digest.hex);
	buf_free(&text);
}

int
change_guard_script(struct buf *out, const struct change *change,
    const struct change_host *host, const struct step *act,
    const char (*xids)[33], size_t xid_count, struct err *err)
{
	static const char *const functions[] = {
	    "guard_arm", "guard_ask", "guard_confirm", "guard_now"};
	const struct guard *guard = act->guard;
	struct buf text = BUF_INIT;
	struct bytes undo;
	int r = 0;

	buf_puts(out, "F=");
	buf_printf(&text, "%s%s", stop_sh, guard_sh);
	quote_put(out, text.data, text.len);
	buf_free(&text);
	buf_printf(out, "\neval \"$F\"\n%s", functions[plan_guard_act(act)]);
	put_id(out, change, host, guard);
	if (plan_guard_act(act) == GUARD_ARM) {
		r = blobs_get(
		    change->blobs, host->guards[guard->number], &undo, err);
		if (r < 0)
			return r;
		buf_printf(
		    out, " %lld ", (long long)((guard->time_ms + 999) / 1000));
		quote_put(out, undo.data, undo.len);
		for (size_t i = 0; i < xid_count; i++)
			buf_printf(out, " %s", xids[i]);
	}
	buf_putc(out, '\n');
	return 0;
}
