/* What the steps of a change printed: hoshu show CHG --output. */
#ifndef HOSHU_CMD_SHOW_OUTPUT_H
#define HOSHU_CMD_SHOW_OUTPUT_H

#include "cmd/context.h"

/* Of a loaded change; word: "HOST" or "HOST:STEP", NULL = all of it. */
int show_output(
    struct context *context, const char *word, struct err *err) MUST_USE;

#endif
