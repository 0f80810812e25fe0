/*
 * Starts gettext. Only texts and character types follow the person's locale;
 * numbers and sorting stay those of C, so that output never depends on it.
 */
#include "base/i18n.h"

#include <locale.h>

void
i18n_start(void)
{
	setlocale(LC_CTYPE, "");
	setlocale(LC_MESSAGES, "");
	bindtextdomain("hoshu", HOSHU_LOCALE);
	bind_textdomain_codeset("hoshu", "UTF-8");
	textdomain("hoshu");
}
