/* What the commands share about hosts in quarantine. */
#ifndef HOSHU_CMD_QUARANTINE_H
#define HOSHU_CMD_QUARANTINE_H

#include "cmd/context.h"
#include "journal/quarantine.h"

/* Take one record in; a release only where it counts. */
int cmd_quarantine_record(const struct context *context,
    struct quarantine *quarantine, const struct record *record,
    struct err *err) MUST_USE;
/* Take in what the journal has since the last time. */
int cmd_quarantine(const struct context *context, struct journal *journal,
    struct quarantine *quarantine, struct err *err) MUST_USE;
/* All of them, and what to type; nothing where there is none. ended: the change
 * of the first has. */
void cmd_print_quarantine(const struct quarantine *quarantine, bool ended);
/* Those among the targets of a plan that is previewed. Opens the store by
 * itself, if there is one. */
int cmd_print_held_targets(
    const struct context *context, struct err *err) MUST_USE;

/* The same for --json, added to list. */
int cmd_held_targets_json(
    const struct context *context, struct json *list, struct err *err) MUST_USE;
struct json *cmd_quarantined_json(
    struct arena *arena, const struct quarantined *held);

#endif
