/* What the commands share that take a change back. */
#ifndef HOSHU_CMD_ROLLBACK_H
#define HOSHU_CMD_ROLLBACK_H

#include "cmd/context.h"

/* ERR_REFUSED when a later change has touched, on one of these hosts (by
 * index; NULL = all), what taking back the loaded one would touch, and has not
 * been taken back itself. */
int cmd_refuse_later(
    struct context *context, const bool *asked, struct err *err) MUST_USE;
/* Each host that is not proved back: what happened, the scripts there, and
 * what a person can do. Prints nothing where there is none. */
void cmd_print_stuck(const struct context *context);
/* Where the step of a host that stands still is unknown: what a person can say
 * of it, having looked where it ran. */
void cmd_put_unknown(struct buf *out, const struct context *context,
    const struct part_fold *part, int id);

#endif
