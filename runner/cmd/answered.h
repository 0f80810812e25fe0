/* Persons' answers to what phases ask, as the journal has them. */
#ifndef HOSHU_CMD_ANSWERED_H
#define HOSHU_CMD_ANSWERED_H

#include "approval/answer.h"
#include "cmd/context.h"

/* What the change says of the question before that phase (from 1); false when
 * it asks none. of lives in the call's arena. */
bool cmd_answer_about(
    const struct context *context, int phase, struct answer_said *said);
/* May that person answer it? ERR_APPROVAL, with who may. */
int cmd_answer_allowed(const struct context *context, int phase,
    const char *person, struct err *err) MUST_USE;
/* 0 for any other kind of record; ERR_EVIDENCE or ERR_APPROVAL where the answer
 * is not signed by one who may give it, or is to another question. */
int cmd_answered_holds(struct context *context, const struct record *record,
    struct err *err) MUST_USE;

#endif
