/* What became of each host: the end of hoshu show CHG. */
#ifndef HOSHU_CMD_SHOW_HOSTS_H
#define HOSHU_CMD_SHOW_HOSTS_H

#include "cmd/context.h"

/* Are hosts that were away still tried? */
bool show_is_owed(const struct context *context);
/* Phase by phase; why: by part, as cmd_why gives them. */
void show_hosts(const struct context *context, const char *const *why);

#endif
