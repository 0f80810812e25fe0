/* What preview, submit and show share. */
#ifndef HOSHU_CMD_PREVIEWED_H
#define HOSHU_CMD_PREVIEWED_H

#include "cmd/context.h"

/* Ask every host of the planned change, read-only. */
int cmd_ask_hosts(struct context *context, struct err *err) MUST_USE;
/* Print the change's preview, as text or JSON. */
int cmd_print_preview(
    struct context *context, bool scripts, struct err *err) MUST_USE;

#endif
