/* How a change stands; see stand.h. */
#include "cmd/stand.h"
#include "base/i18n.h"
#include "cmd/running.h"
#include "base/said.h"
#include "base/text.h"
#include "change/change.h"
#include "journal/lease.h"

#include <string.h>

const char *
stand_word(const struct change_fold *fold)
{
	if (fold->state == CHANGE_ENDED && fold->owed > 0 &&
	    (fold->later_over || fold->aborted) &&
	    strcmp(fold->result, "owed") == 0)
		return N_("left over");
	if (fold->state == CHANGE_ENDED)
		return fold->result;
	if (fold->paused &&
	    (fold->state == CHANGE_RUNNING || fold->state == CHANGE_BACK))
		return N_("paused");
	if (fold_ask_open(fold) != NULL && !fold->aborted)
		return N_("asks");
	return change_state_word(fold->state);
}

/* What a person wrote stays; what hoshu recorded is English. */
static const char *
stand_because(struct arena *arena, const char *because)
{
	struct buf text = BUF_INIT;
	const char *out;

	said_put(&text, because);
	out = arena_printf(
	    arena, "%s%s", because[0] != '\0' ? ": " : "", buf_str(&text));
	buf_free(&text);
	return out;
}

const char *
stand_held(struct arena *arena, const struct change_fold *fold)
{
	if (fold->aborted)
		return arena_printf(arena, _("aborted by %s%s"),
		    fold->aborted_by,
		    stand_because(arena, fold->aborted_because));
	if (fold->paused)
		return arena_printf(arena, _("paused by %s%s"), fold->paused_by,
		    stand_because(arena, fold->paused_because));
	if (fold->rejected)
		return arena_printf(
		    arena, _("rejected by %s"), fold->rejected_by);
	if (fold_ask_no(fold) != NULL && fold->state == CHANGE_RUNNING)
		return arena_printf(arena, _("%s answered no%s"),
		    fold_ask_no(fold)->by,
		    stand_because(arena, fold_ask_no(fold)->because));
	return NULL;
}

/* What it asks of whom, till when. */
static const char *
stand_asked(struct arena *arena, const struct ask_fold *ask)
{
	struct buf until = BUF_INIT;
	const char *out;

	text_put_time(&until, ask->until_ms);
	out = arena_printf(arena,
	    ask->over ? _("nobody answered until %s what it asks of %s: %s")
		      : _("asks, until %s, %s: %s"),
	    buf_str(&until), _(ask->of), ask->say);
	buf_free(&until);
	return out;
}

/* The next command, where a question is open. */
static const char *
stand_asks(struct arena *arena, const struct ask_fold *ask, bool lives,
    const char *name)
{
	const char *asked = stand_asked(arena, ask);

	if (lives)
		return arena_printf(arena,
		    _("%s\n    hoshu answer %s --yes, or --no --because TEXT"),
		    asked, name);
	return arena_printf(arena,
	    ask->over
		? _("%s\n    hoshu answer %s --yes still counts; then hoshu "
		    "run %s, which asks again without it")
		: _("%s\n    hoshu answer %s --yes, or --no --because TEXT; no "
		    "process waits for it: hoshu run %s"),
	    asked, name, name);
}

/* Of a change that runs, or was interrupted. */
static const char *
stand_running(struct arena *arena, const struct journal *journal,
    const struct change_fold *fold, const char *name)
{
	const char *held = stand_held(arena, fold);
	struct lease_seen seen;
	bool lives = lease_look(journal, fold->number, &seen);
	const struct ask_fold *ask = held == NULL ? fold_ask_open(fold) : NULL;
	long long pid = (long long)seen.pid;

	if (lives && seen.still)
		return arena_printf(arena,
		    _("its process %lld has stood still for %lld s: hoshu run "
		      "%s takes it over"),
		    pid, (long long)seen.silent_ms / 1000, name);
	if (ask != NULL)
		return stand_asks(arena, ask, lives, name);
	if (lives && held != NULL)
		return arena_printf(arena,
		    _("%s; process %lld ends what is in flight: hoshu watch "
		      "%s"),
		    held, pid, name);
	if (lives)
		return arena_printf(arena,
		    _("runs in process %lld: hoshu watch %s"), pid, name);
	if (fold->aborted)
		return arena_printf(
		    arena, _("%s; hoshu run %s ends it"), held, name);
	if (fold->paused)
		return arena_printf(arena,
		    _("%s; hoshu resume %s goes on, hoshu abort %s ends it"),
		    held, name, name);
	if (held != NULL && fold->state != CHANGE_BACK)
		return arena_printf(arena,
		    fold->rejected ? _("%s; hoshu abort %s ends it")
				   : _("%s; hoshu run %s ends it"),
		    held, name);
	if (fold->back_limit)
		return arena_printf(arena,
		    _("the way back pauses: %s; look at hoshu show %s, then "
		      "hoshu run %s goes on"),
		    fold->back_limit_text, name, name);
	return arena_printf(
	    arena, _("was interrupted: hoshu run %s goes on"), name);
}

const char *
stand_next(struct arena *arena, const struct journal *journal,
    const struct change_fold *fold)
{
	char name[16];

	change_name(fold->number, name);
	switch (fold->state) {
	case CHANGE_SUBMITTED:
		return arena_printf(arena,
		    _("waits for approvals or for its run: hoshu show %s"),
		    name);
	case CHANGE_RUNNING:
	case CHANGE_BACK:
		return stand_running(arena, journal, fold, name);
	case CHANGE_ENDED:
		if (fold->owed > 0 && !fold->later_over && !fold->aborted &&
		    fold->status == err_exit_status(ERR_LEFTOVER))
			return arena_printf(arena,
			    _("owed: %s; hoshu run %s tries them"),
			    cmd_owed_text(arena, fold), name);
		if (fold->status == err_exit_status(ERR_UNKNOWN))
			return arena_printf(arena,
			    _("ended with hosts that a person must look at: "
			      "hoshu show %s"),
			    name);
		return NULL;
	case CHANGE_NONE:
	case CHANGE_REJECTED:
		return NULL;
	}
	bug("change state %d", (int)fold->state);
}
