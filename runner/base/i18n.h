/*
 * Every message a person reads goes through gettext: _("...") where it is
 * used, N_("...") in const tables that are translated later.
 */
#ifndef HOSHU_BASE_I18N_H
#define HOSHU_BASE_I18N_H

#include <libintl.h>

#define _(text) gettext(text)
#define N_(text) text

/* setlocale and the catalogue; once, first thing in main. */
void i18n_start(void);

#endif
