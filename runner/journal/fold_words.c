/*
 * The words for states: what people read in show and status, and what the
 * tests' tables say.
 *
 * Pure: no I/O, no clock.
 */
#include "journal/fold.h"
#include "base/i18n.h"

const char *
change_state_word(enum change_state state)
{
	static const char *const words[] = {N_("none"), N_("submitted"),
	    N_("rejected"), N_("running"), N_("going back"), N_("ended")};

	return words[state];
}

const char *
host_state_word(enum host_state state)
{
	static const char *const words[] = {N_("waiting"), N_("started"),
	    N_("done"), N_("unreachable"), N_("excluded"), N_("failed"),
	    N_("lost"), N_("going back"), N_("reverted"), N_("stuck")};

	return words[state];
}

const char *
step_state_word(enum step_state state)
{
	static const char *const words[] = {N_("waiting"), N_("unchanged"),
	    N_("skipped"), N_("open"), N_("done"), N_("failed"), N_("unknown")};

	return words[state];
}

const char *
undo_state_word(enum undo_state state)
{
	static const char *const words[] = {"", N_("being undone"),
	    N_("reverted"), N_("undo failed"), N_("undo unknown"), N_("kept"),
	    N_("stopped"), N_("conflict")};

	return words[state];
}
