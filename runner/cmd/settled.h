/* Persons' words on unknown steps, as the journal has them. */
#ifndef HOSHU_CMD_SETTLED_H
#define HOSHU_CMD_SETTLED_H

#include "cmd/context.h"

/* 0 for any other kind; ERR_EVIDENCE or ERR_APPROVAL where the word is not
 * signed by that person, or is about something else. */
int cmd_settled_holds(struct context *context, const struct record *record,
    struct err *err) MUST_USE;
/* All of the change that is loaded, its answers (answered.h) among them. */
int cmd_settled_all(struct context *context, struct err *err) MUST_USE;

#endif
