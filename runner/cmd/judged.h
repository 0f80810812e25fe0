/* A change's approvals, judged: what show, approve and run share. */
#ifndef HOSHU_CMD_JUDGED_H
#define HOSHU_CMD_JUDGED_H

#include "approval/approval.h"
#include "cmd/context.h"

/* The rule for the loaded change and its approvals, both in the arena. */
void cmd_approval_rule(struct context *context, struct approval_rule *rule,
    struct approval **approvals, size_t *count);
/* Where one person is enough, every screen that speaks of approval says so. */
void cmd_print_solo(const struct approval_rule *rule);

#endif
