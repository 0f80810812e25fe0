/*
 * The wall round a worker: what a worker that was taken over by a host's bytes
 * would try is refused or ends it, and what its work needs goes on.
 * covers: P11
 */
#include "fleet_place.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "worker/inside.h"

/* --- behind the wall: each gives 0, or the errno that it got ---------------- */

static int tcp[2]; /* a TCP connection with ourselves */
static struct sockaddr_in here;
static pid_t parent;

static int
told(long r)
{
	return r < 0 ? errno : 0;
}

static int
opens_a_file(void)
{
	return told(open("/etc/hostname", O_RDONLY));
}

static int
writes_a_file(void)
{
	return told(open("/tmp/hoshu-wall", O_WRONLY | O_CREAT, 0600));
}

static int
looks_at_a_file(void)
{
	struct stat st;

	return told(stat("/etc/hostname", &st));
}

static int
runs_a_program(void)
{
	char *argv[] = {(char *)"true", NULL};

	return told(execv("/bin/true", argv));
}

static int
forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return told(pid);
}

static int
makes_a_thread_or_process(void)
{
	return told(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int
makes_a_socket(void)
{
	return told(socket(AF_INET, SOCK_STREAM, 0));
}

static int
asks_the_kernel_by_netlink(void)
{
	return told(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int
connects(void)
{
	return told(connect(tcp[0], (struct sockaddr *)&here, sizeof(here)));
}

static int
connects_by_sending(void)
{
	return told(sendto(tcp[0], "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
	    (struct sockaddr *)&here, sizeof(here)));
}

static int
connects_by_a_message(void)
{
	struct iovec iov = {(void *)"x", 1};
	struct msghdr msg = {.msg_name = &here,
	    .msg_namelen = sizeof(here),
	    .msg_iov = &iov,
	    .msg_iovlen = 1};

	return told(sendmsg(tcp[0], &msg, MSG_FASTOPEN | MSG_NOSIGNAL));
}

static int
listens(void)
{
	return told(listen(tcp[0], 1));
}

static int
sets_a_socket_up_for_more(void)
{
	int one = 1;

	return told(
	    setsockopt(tcp[0], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
}

static int
types_on_the_terminal(void)
{
	char letter = '\n';

	return told(ioctl(2, TIOCSTI, &letter));
}

static int
kills_its_parent(void)
{
	return told(kill(parent, SIGTERM));
}

static int
kills_by_thread(void)
{
	return told(syscall(SYS_tgkill, parent, parent, SIGTERM));
}

static int
traces_its_parent(void)
{
	return told(ptrace(PTRACE_ATTACH, parent, NULL, NULL));
}

static int
reads_its_parent(void)
{
	char byte;
	struct iovec mine = {&byte, 1}, its = {(void *)&tcp, 1};

	return told(
	    syscall(SYS_process_vm_readv, parent, &mine, 1, &its, 1, 0));
}

static int
makes_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : 0;
}

static int
makes_memory_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return told(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int
uses_io_uring(void)
{
	return told(syscall(SYS_io_uring_setup, 8, NULL));
}

static int
uses_another_abi(void)
{
	return told(syscall(0x40000000 | SYS_getpid));
}

static int
loads_a_filter(void)
{
	return told(syscall(SYS_bpf, 0, NULL, 0));
}

static int
takes_new_limits(void)
{
	struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};

	return told(setrlimit(RLIMIT_AS, &more));
}

static int
does_its_work(void)
{
	char byte;
	int fd, one = 1, pair[2];

	if (write(tcp[1], "a", 1) != 1 || recv(tcp[0], &byte, 1, 0) != 1 ||
	    send(tcp[0], "b", 1, MSG_NOSIGNAL) != 1 ||
	    setsockopt(tcp[0], IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one)) <
		0)
		return errno;
	fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, "x", 1) != 1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0 ||
	    pread(fd, &byte, 1, 0) != 1 || close(fd) < 0)
		return errno;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return errno;
	free(malloc(64 << 20));
	return 0;
}

enum { ENDED = 1000 }; /* by SIGSYS */

static const struct attempt {
	const char *name;
	int (*act)(void);
	int end;
	long call; /* that the page names; 0 = none */
} attempts[] = {
    {"its work", does_its_work, 0, 0},
    {"open a file", opens_a_file, EACCES, 0},
    {"write a file", writes_a_file, EACCES, 0},
    {"look at a file", looks_at_a_file, EACCES, 0},
    {"run a program", runs_a_program, ENDED, SYS_execve},
    {"fork", forks, ENDED, SYS_clone},
    {"clone", makes_a_thread_or_process, ENDED, SYS_clone},
    {"a socket", makes_a_socket, EACCES, 0},
    {"netlink", asks_the_kernel_by_netlink, EACCES, 0},
    {"connect", connects, EINPROGRESS, 0},
    {"connect by sendto", connects_by_sending, ENDED, SYS_sendto},
    {"connect by sendmsg", connects_by_a_message, ENDED, SYS_sendmsg},
    {"listen", listens, ENDED, SYS_listen},
    {"socket options", sets_a_socket_up_for_more, EPERM, 0},
    {"type on the terminal", types_on_the_terminal, ENOTTY, 0},
    {"kill", kills_its_parent, ENDED, SYS_kill},
    {"tgkill", kills_by_thread, ENDED, SYS_tgkill},
    {"ptrace", traces_its_parent, ENDED, SYS_ptrace},
    {"read its parent", reads_its_parent, ENDED, SYS_process_vm_readv},
    {"code by mmap", makes_code, EACCES, 0},
    {"code by mprotect", makes_memory_code, EACCES, 0},
    {"io_uring", uses_io_uring, ENOSYS, 0},
    {"the x32 calls", uses_another_abi, ENDED, 0},
    {"bpf", loads_a_filter, ENDED, SYS_bpf},
    {"other limits", takes_new_limits, EPERM, 0},
};

/* --- this side -------------------------------------------------------------- */

static bool
wall_can_be(void)
{
	const char *missing = wall_missing();

	if (missing == NULL)
		return true;
	print_message("# no wall: %s\n", missing);
	return false;
}

static void
connection_make(void)
{
	socklen_t len = sizeof(here);
	int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(door, (struct sockaddr *)&here, len), 0);
	assert_int_equal(listen(door, 4), 0);
	assert_int_equal(getsockname(door, (struct sockaddr *)&here, &len), 0);
	tcp[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(tcp[0], (struct sockaddr *)&here, len), 0);
	tcp[1] = accept(door, NULL, NULL);
	assert_true(tcp[1] >= 0);
	close(door);
}

static void
attempt_try(const struct attempt *attempt)
{
	struct seam_page *page;
	struct err err = ERR_INIT;
	int fd, status, end;
	pid_t pid;

	assert_int_equal(seam_page_new(&page, &fd, &err), 0);
	connection_make();
	parent = getpid();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct rlimit no_core = {0, 0};

		(void)setrlimit(RLIMIT_CORE, &no_core);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    wall_raise(page) != NULL)
			_exit(255);
		_exit(attempt->act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	end = WIFEXITED(status)		   ? WEXITSTATUS(status)
	      : WTERMSIG(status) == SIGSYS ? ENDED
					   : -WTERMSIG(status);
	if (end != attempt->end)
		fail_msg("%s: ended with %d (%s), wanted %d", attempt->name,
		    end, strerror(end), attempt->end);
	if ((long)page->call != attempt->call)
		fail_msg("%s: the page names call %u, wanted %ld",
		    attempt->name, page->call, attempt->call);
	seam_page_free(page);
	close(fd);
	close(tcp[0]);
	close(tcp[1]);
}

static void
what_a_worker_may_not_is_refused_or_its_end(void **state)
{
	(void)state;
	if (!wall_can_be())
		skip();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		attempt_try(&attempts[i]);
	print_message(
	    "# %zu attempts\n", sizeof(attempts) / sizeof(attempts[0]));
}

/* The number behind "NAME:" in /proc/PID/status, by its base. */
static unsigned long long
status_of(int pid, const char *name, int base)
{
	char path[64];
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	unsigned long long value;
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (file_read(path, 1 << 16, &text, &err) < 0)
		fail_msg("%s", err.text);
	at = strstr(buf_str(&text), name);
	assert_non_null(at);
	value = strtoull(strchr(at, ':') + 1, NULL, base);
	buf_free(&text);
	return value;
}

static void
a_worker_stands_behind_it(void **state)
{
	struct site *site = *state;
	struct told answer = told_new(site);
	int pid;

	site_fleet(site, 1, NULL);
	fleet_eval(site->fleet, bytes_of("[\"x\"]"), bytes_of("{}"), 5000, note,
	    &answer);
	await(site, &answer);
	assert_int_equal(answer.kind, ANSWER_VALUE);
	pid = fleet_worker_pid(site->fleet, 0);
	assert_int_equal(status_of(pid, "CapEff", 16), 0);
	assert_int_equal(status_of(pid, "CapPrm", 16), 0);
	if (!wall_can_be()) {
		assert_string_not_equal(fleet_shut_in(site->fleet), "whole");
		skip();
	}
	assert_string_equal(fleet_shut_in(site->fleet), "whole");
	assert_int_equal(status_of(pid, "NoNewPrivs", 10), 1);
	assert_int_equal(status_of(pid, "\nSeccomp", 10), 2);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_worker_may_not_is_refused_or_its_end),
	    site_test(a_worker_stands_behind_it),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return worker_main(3);
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, site_up, site_down);
}
