/*
 * Starts gettext. Only texts and character types follow the person's locale;
 * numbers and sorting stay those of C, so that output never depends on it.
 */
#include "base/i18n.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The language that the environment asks for, by gettext's rules. */
static const char *
wanted_locale(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return value;
	}
	return "C";
}

/* A small server has no locales but C: the language asked for is spoken all
 * the same, as gettext needs its catalogue only. */
static void
messages_start(void)
{
	if (setlocale(LC_MESSAGES, "") != NULL)
		return;
	if (setlocale(LC_MESSAGES, "C.UTF-8") != NULL)
		(void)setenv("LANGUAGE", wanted_locale(), 0);
}

/* Beside the program, as `make` builds it, or where `make install` puts it
 * from there; false when there is none. */
static bool
beside_program(char *path, size_t size)
{
	static const char *const folders[] = {"locale", "../share/locale"};
	ssize_t len = readlink("/proc/self/exe", path, size - 1);
	char *name;

	if (len <= 0)
		return false;
	path[len] = '\0';
	name = strrchr(path, '/');
	if (name == NULL)
		return false;
	name++;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		size_t left = size - (size_t)(name - path);

		if (snprintf(name, left, "%s", folders[i]) < (int)left &&
		    access(path, R_OK | X_OK) == 0)
			return true;
	}
	return false;
}

void
i18n_start(void)
{
	char path[4096];

	if (setlocale(LC_CTYPE, "") == NULL)
		setlocale(LC_CTYPE, "C.UTF-8");
	messages_start();
	bindtextdomain(
	    "hoshu", beside_program(path, sizeof(path)) ? path : HOSHU_LOCALE);
	bind_textdomain_codeset("hoshu", "UTF-8");
	textdomain("hoshu");
	/* read now: a worker that is shut in opens no file later */
	(void)gettext("none");
}

bool
i18n_plain(bool plain)
{
	locale_t now = LC_GLOBAL_LOCALE;

	if (plain) /* of all parts it is the C library's own and not freed */
		now = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	return uselocale(now) != LC_GLOBAL_LOCALE;
}

void
i18n_plain_children(void)
{
	(void)setenv("LC_ALL", "C", 1);
}
