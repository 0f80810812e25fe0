/* hoshu init: a new project in this folder. */
#include "base/file.h"
#include "base/i18n.h"
#include "cmd/cmd.h"
#include "cmd/table.h"

#include <string.h>

static const struct {
	const char *name, *text;
} init_files[] = {
    {"hoshu.yml",
	"# A hoshu project; see hoshu(1).\n"
	"inventory: inventory/hosts.yml\n"
	"store: .hoshu\n"
	"approvals: 2                      # persons; or `solo` if you are alone\n"
	"approvers: inventory/approvers    # as OpenSSH's allowed_signers\n"},
    {"inventory/hosts.yml", "groups:\n"
			    "  web: { hosts: [web1] }\n"
			    "hosts:\n"
			    "  web1: { address: 127.0.0.1, become: none }\n"},
    {"inventory/approvers",
	"# One line each: who, for what, and the ssh key (of its .pub file):\n"
	"# alice namespaces=\"approve@hoshu,reject@hoshu,settle@hoshu,answer@hoshu,release@hoshu\" ssh-ed25519 AAAA...\n"},
    {"playbooks/motd.yml",
	"change: A new message of the day\n"
	"reason: the first change of this project\n"
	"targets: web\n"
	"waves:\n"
	"  - { name: canary, hosts: 1 }\n"
	"  - { hosts: rest }\n"
	"steps:\n"
	"  - file: { path: /etc/motd, content: \"kept in good order\\n\" }\n"},
};

static int
init_run(struct cmd_call *call, struct err *err)
{
	const char *folder = call->folder != NULL ? call->folder : ".";
	int r;

	for (size_t i = 0; i < sizeof(init_files) / sizeof(init_files[0]);
	     i++) {
		const char *path =
		    file_join(call->arena, folder, init_files[i].name);

		if (file_exists(path)) {
			printf(_("%s is there already, left as it is\n"), path);
			continue;
		}
		if ((r = file_make_folder(
			 file_folder(call->arena, path), 0755, err)) < 0 ||
		    (r = file_write(
			 path, bytes_of(init_files[i].text), 0644, err)) < 0)
			return r;
		printf(_("%s written\n"), path);
	}
	printf(_("next: put your hosts into inventory/hosts.yml and who may "
		 "approve into inventory/approvers, then hoshu check "
		 "playbooks/motd.yml\n"));
	return 0;
}

const struct cmd cmd_init = {
    .name = "init",
    .args = "",
    .summary = N_("begin a project in this folder"),
    .examples = "  hoshu init\n  hoshu init -C fleet\n",
    .run = init_run,
};
