/* A change's approvals, judged: what show, approve and run share. */
#ifndef HOSHU_CMD_JUDGED_H
#define HOSHU_CMD_JUDGED_H

#include "approval/approval.h"
#include "cmd/context.h"

/* The rule for the loaded change and its approvals, both in the arena. */
void cmd_approval_rule(struct context *context, struct approval_rule *rule,
    struct approval **approvals, size_t *count);
/* Until when hosts that were away may be changed, as it was approved; see
 * approval_later_until. */
int cmd_later_until(
    struct context *context, int64_t *until_ms, struct err *err) MUST_USE;
/* Where one person is enough, every screen that speaks of approval says so. */
void cmd_print_solo(const struct approval_rule *rule);

/* As stand_next of stand.h, and of one that was not run yet, whose approvals
 * are judged, who has to type what. */
const char *cmd_stand_next(struct context *context);

#endif
