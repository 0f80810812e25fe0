/*
 * Every command, in the order in which a change happens.
 */
#include "cmd/cmd.h"
#include "cmd/table.h"

#include <stddef.h>

const struct cmd *const cmd_table[] = {
    &cmd_init,
    &cmd_check,
    &cmd_preview,
    &cmd_rehearse,
    &cmd_submit,
    &cmd_list,
    &cmd_status,
    &cmd_show,
    &cmd_approve,
    &cmd_reject,
    &cmd_run,
    &cmd_watch,
    &cmd_rollback,
    &cmd_release,
    &cmd_pause,
    &cmd_resume,
    &cmd_abort,
    &cmd_answer,
    &cmd_settle,
    &cmd_audit,
    &cmd_hosts,
    &cmd_modules,
    &cmd_help_command,
    &cmd_version,
    &cmd_worker,
    NULL,
};
