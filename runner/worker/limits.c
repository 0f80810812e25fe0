/*
 * Shutting the worker in, as far as resource limits and prctl go: no new
 * privileges and none of root's, no core, bounded memory, no other descriptor,
 * and it dies with its coordinator. The system call filter (wall.c) stands on
 * top of this.
 */
#include "worker/inside.h"

#include <errno.h>
#include <signal.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	MEMORY_MAX_MIB = 2048,
	FILES_MAX = 8192, /* connections, and descriptors under way */
};

static bool
limit_set(int resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return false;
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > most)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit) == 0;
}

/* Root without them is nobody who owns files. */
static bool
capabilities_drop(void)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof(none));
	return syscall(SYS_capset, &head, none) == 0;
}

bool
limits_shut_in(int fd)
{
	bool held = true;

	/* Ctrl-C and a closing terminal are the coordinator's business */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)close_range((unsigned)fd + 1, ~0u, 0);
	if (fd > 3)
		(void)close_range(3, (unsigned)fd - 1, 0);
	held &= capabilities_drop();
	held &= prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
	held &= prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	held &= limit_set(RLIMIT_CORE, 0);
	held &= limit_set(RLIMIT_NOFILE, FILES_MAX);
	/* sealed files of the seam count as files */
	held &= limit_set(RLIMIT_FSIZE, (rlim_t)SEAM_BODY_MAX + 4096);
	held &= limit_set(RLIMIT_NPROC, 0);
#ifndef __SANITIZE_ADDRESS__ /* its shadow alone is terabytes */
	held &= limit_set(RLIMIT_AS, (rlim_t)MEMORY_MAX_MIB << 20);
#endif
	return held;
}
