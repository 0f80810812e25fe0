/*
 * How the files settings*.c share the work; nobody outside openssh/ includes
 * it.
 *
 *	settings.c        what `ssh -G` says, as settings
 *	settings_ask.c    runs it, for some hosts at once
 *	settings_cache.c  what it said before, as long as that still holds
 *	settings_stamp.c  what it would read now
 */
#ifndef HOSHU_OPENSSH_SETTINGS_H
#define HOSHU_OPENSSH_SETTINGS_H

#include "digest/digest.h"
#include "openssh/openssh.h"

/* Is this line of what ssh prints one that settings.c reads? */
bool settings_uses(const char *line, size_t len);

/* Fill in the texts (what ssh printed, the lines that count) that are NULL.
 * They live in arena. */
int settings_ask(struct arena *arena, const char *config,
    const struct openssh_wanted *wanted, size_t count, const char **texts,
    struct err *err) MUST_USE;

/*
 * A digest over all that decides what `ssh -G` says besides its arguments: the
 * ssh program, who and where we are, the configuration with every file that
 * it includes. false where that cannot be known: `Match exec` and
 * `localnetwork`, CanonicalizeHostname (it asks the DNS), ${VARIABLES}, forms
 * of Include that are not understood here.
 */
bool settings_stamp(const char *config, struct digest *stamp);

/*
 * Texts of earlier runs, in one file of the folder. Nothing here fails: what
 * cannot be read is asked again, what cannot be written is not kept.
 */
struct settings_cache;
/* NULL when nothing may be kept. */
struct settings_cache *settings_cache_open(
    const char *folder, const char *config);
/* The texts that are known; the others stay NULL. They live as long as the
 * cache is open. */
void settings_cache_get(struct settings_cache *cache,
    const struct openssh_wanted *wanted, size_t count, const char **texts);
/* Keep them beside what is kept already. The folder is made; the one that it
 * is in must be there. */
void settings_cache_put(struct settings_cache *cache, const char *config,
    const struct openssh_wanted *wanted, size_t count,
    const char *const *texts);
void settings_cache_close(struct settings_cache *cache); /* NULL is allowed */

#endif
