/*
 * Texts that were recorded or frozen in English, for the person who reads
 * them now. Their arguments are in them already, so the text is held against
 * the forms that hoshu writes; what matches none is shown as it stands.
 */
#ifndef HOSHU_BASE_SAID_H
#define HOSHU_BASE_SAID_H

#include "base/buf.h"

/* Append the text in the person's language. Names in it, and what a host
 * said, are never translated. */
void said_put(struct buf *out, const char *text);
/* The same for texts with ", " between them. */
void said_put_list(struct buf *out, const char *texts);

#endif
