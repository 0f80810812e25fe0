/* How a change stands, in words: for status, show and watch. */
#ifndef HOSHU_CMD_STAND_H
#define HOSHU_CMD_STAND_H

#include "base/arena.h"
#include "journal/fold.h"
#include "journal/journal.h"

/* "running", "paused", or what it came to; to be translated. */
const char *stand_word(const struct change_fold *fold);
/* What it waits for and the next command to type; NULL when it waits for
 * nothing. In arena. */
const char *stand_next(struct arena *arena, const struct journal *journal,
    const struct change_fold *fold);
/* Who holds it, and why: "paused by bob: odd graphs"; NULL when nobody does. */
const char *stand_held(struct arena *arena, const struct change_fold *fold);

#endif
