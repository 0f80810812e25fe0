/* Persons' words on unknown steps, as the journal has them. */
#ifndef HOSHU_CMD_SETTLED_H
#define HOSHU_CMD_SETTLED_H

#include "cmd/context.h"
#include "rollout/gate.h"

/* 0 for any other kind; ERR_EVIDENCE or ERR_APPROVAL where the word is not
 * signed by that person, or is about something else. */
int cmd_settled_holds(struct context *context, const struct record *record,
    struct err *err) MUST_USE;
/* All of the change that is loaded, its answers (answered.h) among them. */
int cmd_settled_all(struct context *context, struct err *err) MUST_USE;

/*
 * What a change that has ended comes to by now, where a person has settled
 * something since; the recorded result stays what it was. false where nothing
 * was, or it comes to the same.
 */
bool cmd_settled_now(const struct context *context, struct gate_result *result);
/* The same by its fold without a shape: loads the change into context. */
int cmd_settled_list(struct context *context, const struct change_fold *fold,
    bool *other, struct gate_result *result, struct err *err) MUST_USE;

#endif
