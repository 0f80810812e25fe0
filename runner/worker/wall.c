/*
 * The wall: the system calls that a worker may still make once it is shut in.
 * Whatever is not in the table ends it, and the page that the coordinator
 * looks at says which call it was. Knows nothing of what a worker does.
 *
 * Plain BPF: libseccomp would write the same hundred lines for us, but is one
 * more library between a host's bytes and the kernel.
 */
#include "worker/inside.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/i18n.h"

#if defined(__SANITIZE_ADDRESS__)
#define NO_WALL N_("built with a sanitizer, which needs more system calls")
#elif !defined(__x86_64__)
#define NO_WALL N_("no list of system calls is written for this architecture")
#endif

#ifdef NO_WALL

const char *
wall_missing(void)
{
	return _(NO_WALL);
}

const char *
wall_raise(struct seam_page *page)
{
	(void)page;
	return _(NO_WALL);
}

#else

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { TESTS_MAX = 3, ROOM = 1024, X32_BIT = 0x40000000 };

/* A word of the call's arguments: each has two, the low one first. */
#define LOW(argument) (2 * (argument) + 1)
#define HIGH(argument) (2 * (argument) + 2)

struct wall_test {
	unsigned word; /* 0 = no test */
	uint32_t mask, value;
};

/* The first rule of a call whose tests hold decides. */
struct wall_rule {
	long call;
	int error; /* 0 = allowed; else it is refused with this, quietly */
	struct wall_test tests[TESTS_MAX];
};

/* clang-format off */
#define ALLOW(name) \
	{.call = SYS_##name}
#define REFUSE(name, errno_told) \
	{.call = SYS_##name, .error = (errno_told)}
#define ALLOW_IF(name, word, mask, value) \
	{.call = SYS_##name, .tests = {{word, mask, value}}}
/* Is the argument this very int? */
#define ALLOW_INT(name, argument, value) \
	ALLOW_IF(name, LOW(argument), UINT32_MAX, value)
#define ALLOW_OPTION(name, level, option) \
	{.call = SYS_##name, .tests = {{LOW(1), UINT32_MAX, level}, \
	    {LOW(2), UINT32_MAX, option}}}
/* clang-format on */

/* MSG_FASTOPEN would open a connection. */
#define SEND_FLAGS ((uint32_t)(MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE))

static const struct wall_rule rules[] = {
    /* waiting, and the bytes of descriptors that it was handed */
    ALLOW(epoll_wait),
    ALLOW(epoll_pwait),
    ALLOW(epoll_ctl),
    ALLOW(poll),
    ALLOW(ppoll),
    ALLOW(read),
    ALLOW(readv),
    ALLOW(pread64),
    ALLOW(write),
    ALLOW(writev),
    ALLOW(lseek),
    ALLOW(close),
    ALLOW(recvfrom),
    ALLOW(recvmsg),
    {.call = SYS_sendto,
	.tests = {{LOW(3), ~SEND_FLAGS, 0}, {LOW(4), UINT32_MAX, 0},
	    {HIGH(4), UINT32_MAX, 0}}},
    ALLOW_IF(sendmsg, LOW(2), ~SEND_FLAGS, 0),
    ALLOW(shutdown),
    ALLOW(getsockname),
    ALLOW(getpeername),
    ALLOW_OPTION(getsockopt, SOL_SOCKET, SO_ERROR),
    ALLOW_OPTION(getsockopt, SOL_SOCKET, SO_TYPE),
    REFUSE(getsockopt, EPERM),
    ALLOW_OPTION(setsockopt, SOL_SOCKET, SO_KEEPALIVE),
    ALLOW_OPTION(setsockopt, IPPROTO_TCP, TCP_NODELAY),
    ALLOW_OPTION(setsockopt, IPPROTO_TCP, TCP_QUICKACK),
    ALLOW_OPTION(setsockopt, IPPROTO_TCP, TCP_KEEPIDLE),
    ALLOW_OPTION(setsockopt, IPPROTO_TCP, TCP_KEEPINTVL),
    ALLOW_OPTION(setsockopt, IPPROTO_TCP, TCP_KEEPCNT),
    ALLOW_OPTION(setsockopt, IPPROTO_TCP, TCP_USER_TIMEOUT),
    REFUSE(setsockopt, EPERM),
    ALLOW_INT(ioctl, 1, FIONBIO), /* libuv's way to O_NONBLOCK */
    REFUSE(ioctl, ENOTTY),	  /* a terminal above all */
    ALLOW_INT(fcntl, 1, F_GETFL),
    ALLOW_INT(fcntl, 1, F_SETFL),
    ALLOW_INT(fcntl, 1, F_GETFD),
    ALLOW_INT(fcntl, 1, F_SETFD),
    ALLOW_INT(fcntl, 1, F_GET_SEALS),
    ALLOW_INT(fcntl, 1, F_ADD_SEALS),
    REFUSE(fcntl, EPERM),
    ALLOW(memfd_create), /* large messages of the seam */
    ALLOW(eventfd2),	 /* curl wakes itself up by one or the other */
    ALLOW_INT(socketpair, 0, AF_UNIX),
    ALLOW(pipe2),

    /* memory, but none that can be run */
    ALLOW(brk),
    ALLOW_IF(mmap, LOW(2), PROT_EXEC, 0),
    REFUSE(mmap, EACCES),
    ALLOW_IF(mprotect, LOW(2), PROT_EXEC, 0),
    REFUSE(mprotect, EACCES),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),

    /* time, chance, itself */
    ALLOW(clock_gettime),
    ALLOW(clock_getres),
    ALLOW(gettimeofday),
    ALLOW(time),
    ALLOW(getrandom),
    ALLOW(futex),
    ALLOW(sched_yield),
    ALLOW(sched_getaffinity),
    ALLOW(sysinfo), /* qsort asks how much memory there is */
    ALLOW(uname),
    ALLOW(getrusage),
    ALLOW(getpid),
    ALLOW(gettid),
    ALLOW(getuid),
    ALLOW(geteuid),
    ALLOW(getgid),
    ALLOW(getegid),
    ALLOW(rt_sigaction),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(restart_syscall),
    ALLOW(exit),
    ALLOW(exit_group),
    /* tgkill of itself: see wall_raise */

    /* What a library tries and can live without. A connect() of curl's, on
     * the connected socket that it was handed, must look like one under way;
     * none is ever made. */
    REFUSE(connect, EINPROGRESS),
    REFUSE(socket, EACCES),
    REFUSE(io_uring_setup, ENOSYS),
    REFUSE(open, EACCES),
    REFUSE(openat, EACCES),
    REFUSE(access, EACCES),
    REFUSE(faccessat, EACCES),
    REFUSE(stat, EACCES),
    REFUSE(lstat, EACCES),
    REFUSE(fstat, EACCES),
    REFUSE(newfstatat, EACCES),
    REFUSE(statx, EACCES),
    REFUSE(readlink, EACCES),
    REFUSE(readlinkat, EACCES),
    REFUSE(prlimit64, EPERM),
    REFUSE(prctl, EPERM),
};

struct program {
	struct sock_filter code[ROOM];
	unsigned short len;
};

static void
put(struct program *program, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (program->len == ROOM)
		bug("the wall has more than %d instructions", ROOM);
	program->code[program->len++] = (struct sock_filter){code, yes, no, k};
}

static void
put_load(struct program *program, size_t offset)
{
	put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void
put_return(struct program *program, uint32_t action)
{
	put(program, BPF_RET | BPF_K, action, 0, 0);
}

static void
put_rule(struct program *program, const struct wall_rule *rule)
{
	size_t tests = 0, left;

	while (tests < TESTS_MAX && rule->tests[tests].word != 0)
		tests++;
	left = 3 * tests + 1; /* instructions behind the first jump */
	put_load(program, offsetof(struct seccomp_data, nr));
	put(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->call, 0,
	    (uint8_t)left);
	for (size_t i = 0; i < tests; i++) {
		const struct wall_test *test = &rule->tests[i];

		left -= 3;
		/* little endian: the low word stands first */
		put_load(program,
		    offsetof(struct seccomp_data, args) + 4 * (test->word - 1));
		put(program, BPF_ALU | BPF_AND | BPF_K, test->mask, 0, 0);
		put(program, BPF_JMP | BPF_JEQ | BPF_K, test->value, 0,
		    (uint8_t)left);
	}
	put_return(program, rule->error == 0
				? SECCOMP_RET_ALLOW
				: SECCOMP_RET_ERRNO | (uint32_t)rule->error);
}

static void
program_write(struct program *program)
{
	/* abort() and the end in call_refused */
	const struct wall_rule itself =
	    ALLOW_INT(tgkill, 0, (uint32_t)getpid());

	put_load(program, offsetof(struct seccomp_data, arch));
	put(program, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	put_return(program, SECCOMP_RET_KILL_PROCESS);
	put_load(program, offsetof(struct seccomp_data, nr));
	put(program, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	put_return(program, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		put_rule(program, &rules[i]);
	put_rule(program, &itself);
	put_return(program, SECCOMP_RET_TRAP);
}

/* A signal handler is given nothing of ours: the one thing kept outside. */
static struct seam_page *volatile told_page;

static void
call_refused(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (told_page != NULL)
		told_page->call = (uint32_t)info->si_syscall;
	(void)raise(signal); /* the default by now: SA_RESETHAND */
}

const char *
wall_missing(void)
{
	const uint32_t trap = SECCOMP_RET_TRAP;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap) == 0)
		return NULL;
	return _("this kernel has no system call filter (seccomp)");
}

const char *
wall_raise(struct seam_page *page)
{
	struct program program = {.len = 0};
	struct sock_fprog all = {.filter = program.code};
	struct sigaction action;
	const char *missing = wall_missing();

	if (missing != NULL)
		return missing;
	told_page = page;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = call_refused;
	action.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER;
	(void)sigaction(SIGSYS, &action, NULL);
	program_write(&program);
	all.len = program.len;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all, 0, 0) == 0)
		return NULL;
	return _("the kernel does not take the system call filter");
}

#endif
