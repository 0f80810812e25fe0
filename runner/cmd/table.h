/* The commands' entries; only table.c and the commands' files include this. */
#ifndef HOSHU_CMD_TABLE_H
#define HOSHU_CMD_TABLE_H

#include "cmd/cmd.h"

extern const struct cmd cmd_init, cmd_check, cmd_preview, cmd_submit, cmd_list,
    cmd_status, cmd_show, cmd_approve, cmd_reject, cmd_run, cmd_watch,
    cmd_rollback, cmd_release, cmd_pause, cmd_resume, cmd_abort, cmd_answer,
    cmd_settle, cmd_audit, cmd_hosts, cmd_modules, cmd_rehearse,
    cmd_help_command, cmd_version, cmd_worker;

#endif
