/* A host's own name in what it is shown by. */
#ifndef HOSHU_PREVIEW_NAMED_H
#define HOSHU_PREVIEW_NAMED_H

#include <stdbool.h>

#include "base/buf.h"

/* Append the text with ${{ host.name }} where the name stands as a word of its
 * own; true when it does somewhere. With the name put back in it is the text
 * again, so nothing is hidden by it. */
bool named_put(struct buf *out, struct bytes text, const char *name);

#endif
