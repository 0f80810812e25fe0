/* hoshu help, version, and the hidden worker. */
#include "base/i18n.h"
#include "cmd/cmd.h"
#include "cmd/table.h"
#include "worker/worker.h"

static int
help_run(struct cmd_call *call, struct err *err)
{
	const struct cmd *cmd;

	if (call->word_count == 0) {
		cmd_usage(stdout);
		return 0;
	}
	cmd = cmd_find(call->words[0]);
	if (cmd == NULL)
		return err_set(err, ERR_USAGE,
		    _("unknown command '%s'; `hoshu help` lists them"),
		    call->words[0]);
	cmd_help(stdout, cmd);
	return 0;
}

const struct cmd cmd_help_command = {
    .name = "help",
    .args = "[COMMAND]",
    .summary = N_("the commands, or one of them"),
    .examples = "  hoshu help run\n",
    .max_words = 1,
    .run = help_run,
};

static int
version_run(struct cmd_call *call, struct err *err)
{
	const char *missing = worker_wall_missing();

	(void)err;
	if (call->json) {
		printf("{\"libssh2\":\"%s\",\"shut_in\":%s,"
		       "\"version\":\"%s\"}\n",
		    HOSHU_LIBSSH2, missing == NULL ? "true" : "false",
		    HOSHU_VERSION);
		return 0;
	}
	printf("hoshu %s\n", HOSHU_VERSION);
	printf("libssh2 %s\n", HOSHU_LIBSSH2);
	if (missing == NULL)
		puts(_("workers are shut in: no privileges, bounded memory, "
		       "their own system calls only"));
	else
		printf(_("warning: workers are not shut in by the kernel: "
			 "%s\n"),
		    missing);
	if (!HOSHU_LIBSSH2_FIXED)
		printf(_("warning: this libssh2 lacks the security fixes of "
			 "2025 and 2026; build with Debian's 1.11.1-1+deb13u2 "
			 "or later\n"));
	return 0;
}

const struct cmd cmd_version = {
    .name = "version",
    .args = "",
    .summary = N_("this program's version and what is linked"),
    .examples = "  hoshu --version\n",
    .run = version_run,
};

/* Descriptor 3 is the seam; see fleet/. */
static int
worker_run(struct cmd_call *call, struct err *err)
{
	(void)call;
	(void)err;
	return worker_main(3);
}

const struct cmd cmd_worker = {
    .name = "worker",
    .args = "",
    .summary = N_("(started by hoshu itself)"),
    .hidden = true,
    .run = worker_run,
};
