/*
 * The way through jump hosts: an `ssh -W` on one end of a pair of sockets; the
 * worker gets the other end and cannot tell it from a dialled one.
 */
#include "fleet/inside.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/i18n.h"

static void
jump_ended(void *arg, int status, int signal)
{
	struct link *link = arg;

	/* the worker sees the end of the connection by itself */
	link->jump = NULL;
}

int
jump_start(struct link *link, int *fd, struct err *err)
{
	const char *const *argv;
	int pair[2] = {-1, -1}, r;

	r = openssh_jump_argv(
	    link->arena, link->how.ssh, link->how.ssh_config, &argv, err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(err, _("cannot make a pair of sockets"));
	{
		int fds[] = {pair[1], pair[1], -1};

		r = loop_spawn(link->fleet->loop, argv, fds, 3, jump_ended,
		    link, &link->jump, err);
	}
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	*fd = pair[0];
	return 0;
}
