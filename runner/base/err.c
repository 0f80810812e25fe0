/*
 * Errors as values. Knows nothing of who made them; every message goes out
 * through one printer and is cleansed on the way in.
 */
#include "base/err.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int
err_put(struct err *err, enum err_code code, const char *front, const char *fmt,
    va_list ap)
{
	char raw[sizeof(err->text)];
	size_t len = 0;

	if (err == NULL)
		return -(int)code;
	if (front != NULL) {
		len = strlen(front);
		if (len >= sizeof(raw))
			len = sizeof(raw) - 1;
		memcpy(raw, front, len);
	}
	raw[len] = '\0';
	vsnprintf(raw + len, sizeof(raw) - len, fmt, ap);
	err->code = code;
	text_cleanse(err->text, sizeof(err->text), raw, strlen(raw));
	return -(int)code;
}

int
err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_put(err, code, NULL, fmt, ap);
	va_end(ap);
	return -(int)code;
}

int
err_at(struct err *err, enum err_code code, struct place place, const char *fmt,
    ...)
{
	char front[600];
	va_list ap;

	front[0] = '\0';
	if (place.file != NULL && place.line > 0 && place.col > 0)
		snprintf(front, sizeof(front), "%s:%d:%d: ", place.file,
		    place.line, place.col);
	else if (place.file != NULL && place.line > 0)
		snprintf(
		    front, sizeof(front), "%s:%d: ", place.file, place.line);
	else if (place.file != NULL)
		snprintf(front, sizeof(front), "%s: ", place.file);
	va_start(ap, fmt);
	err_put(err, code, front, fmt, ap);
	va_end(ap);
	return -(int)code;
}

int
err_errno(struct err *err, const char *fmt, ...)
{
	char text[1024];
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, ERR_SYSTEM, "%s: %s", text, strerror(saved));
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	char text[sizeof(err->text)], who[512];
	va_list ap;

	if (err == NULL)
		return -(int)ERR_INTERNAL;
	va_start(ap, fmt);
	vsnprintf(who, sizeof(who), fmt, ap);
	va_end(ap);
	memcpy(text, err->text, sizeof(text));
	return err_set(err, err->code, "%s: %s", who, text);
}

int
err_exit_status(enum err_code code)
{
	switch (code) {
	case ERR_NONE:
		return EXIT_DONE;
#define X(name, status)                                                        \
	case name:                                                             \
		return status;
		ERR_CODES(X)
#undef X
	}
	bug("error code %d is not in the table", (int)code);
}

const char *
err_name(enum err_code code)
{
	static const char *const names[] = {"none",
#define X(name, status) #name,
	    ERR_CODES(X)
#undef X
	};
	static const char *const lower[] = {"none", "internal", "system",
	    "store", "usage", "plan", "approval", "refused", "failed",
	    "reverted", "unknown", "leftover", "waiting", "evidence"};

	_Static_assert(sizeof(names) == sizeof(lower), "a name for each code");
	return lower[code];
}

int
err_print(FILE *out, const struct err *err)
{
	fprintf(out, "hoshu: %s\n", err->text);
	return err_exit_status(err->code);
}

void
bug_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "hoshu: bug at %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort_told();
}
