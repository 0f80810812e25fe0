/*
 * Every message a person reads goes through gettext: _("...") where it is
 * used, N_("...") in const tables that are translated later.
 *
 * What is recorded or frozen is English, whoever types the command: the
 * digest of a change and the journal must not depend on LANG. So a text on
 * its way there is N_(), or is made between i18n_plain(true) and its end, and
 * base/said.h translates it when it is shown.
 */
#ifndef HOSHU_BASE_I18N_H
#define HOSHU_BASE_I18N_H

#include <libintl.h>
#include <stdbool.h>

#define _(text) i18n_text(text)
#define N_(text) text

/* gettext, but for "": that is the catalogue's own header. */
static inline const char *i18n_text(const char *text)
    __attribute__((format_arg(1)));

static inline const char *
i18n_text(const char *text)
{
	return text[0] != '\0' ? gettext(text) : text;
}

/* setlocale and the catalogue; once, first thing in main. The catalogue is
 * looked for beside the program (locale/, ../share/locale), then below PREFIX. */
void i18n_start(void);

/* From now on this thread's texts are English (true) or the person's (false).
 * Returns what held before, to be put back. */
bool i18n_plain(bool plain);
/* Programs started from now on, workers above all, speak English. */
void i18n_plain_children(void);

#endif
