/*
 * A disk that fails, put under a program by LD_PRELOAD: whatever it writes,
 * syncs, makes, renames or removes under a path is counted, and the Nth of
 * these fails, alone or with every one behind it. Also notes each LAUNCH that
 * goes to a worker, so that a test sees what was dispatched and when.
 *	DISK_MATCH   part of the paths that are on this disk
 *	DISK_FAIL_AT N, from 1; 0: only count
 *	DISK_CODE    errno as a number
 *	DISK_EVER    1: and every one after it
 *	DISK_LOG     lines "CALL NAME", "fault CALL NAME", "launch XID"
 * Only in a program named hoshu, and not in its children: workers live under
 * seccomp and write to no disk. Must not know more of hoshu than the seam's
 * header.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "seam/seam.h"

/* Only set before main, and under the mutex. */
static struct {
	pthread_mutex_t mutex;
	const char *match;
	long fail_at, calls;
	int code, log;
	bool ever;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER, .log = -1};

__attribute__((constructor)) static void
disk_start(void)
{
	const char *log = getenv("DISK_LOG"), *match = getenv("DISK_MATCH");
	const char *at = getenv("DISK_FAIL_AT"), *code = getenv("DISK_CODE");

	if (match == NULL || log == NULL ||
	    strcmp(program_invocation_short_name, "hoshu") != 0)
		return;
	disk.match = strdup(match);
	disk.fail_at = at != NULL ? atol(at) : 0;
	disk.code = code != NULL ? atoi(code) : EIO;
	disk.ever = getenv("DISK_EVER") != NULL;
	disk.log = (int)syscall(SYS_openat, AT_FDCWD, log,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	unsetenv("LD_PRELOAD");
	unsetenv("DISK_MATCH");
}

static void
note(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (len > 0)
		(void)!syscall(SYS_write, disk.log, line,
		    (size_t)len < sizeof(line) ? (size_t)len
					       : sizeof(line) - 1);
}

/* One call on that path: does it fail? *first: the first that does. */
static bool
path_fails(const char *call, const char *path, bool *first)
{
	bool fails;
	const char *name;

	if (disk.match == NULL || path == NULL ||
	    strstr(path, disk.match) == NULL)
		return false;
	name = strrchr(path, '/') + 1;
	pthread_mutex_lock(&disk.mutex);
	disk.calls++;
	fails =
	    disk.fail_at > 0 && (disk.calls == disk.fail_at ||
				    (disk.ever && disk.calls > disk.fail_at));
	*first = disk.calls == disk.fail_at;
	note("%s%s %s\n", fails ? "fault " : "", call, name);
	pthread_mutex_unlock(&disk.mutex);
	if (fails)
		errno = disk.code;
	return fails;
}

static bool
fd_fails(const char *call, int fd, bool *first)
{
	char name[64], path[4096];
	ssize_t len;
	int saved = errno;

	if (disk.match == NULL)
		return false;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	len = readlink(name, path, sizeof(path) - 1);
	errno = saved;
	if (len < 0)
		return false;
	path[len] = '\0';
	return path_fails(call, path, first);
}

/* A disk that fills up takes the first part of what does not fit. */
static size_t
fits(bool first, size_t len)
{
	return disk.code == ENOSPC && disk.ever && first ? len / 2 : 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t
write(int fd, const void *data, size_t len)
{
	bool first;

	if (!fd_fails("write", fd, &first))
		return REAL(write)(fd, data, len);
	len = fits(first, len);
	return len > 0 ? REAL(write)(fd, data, len) : -1;
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	bool first;

	if (!fd_fails("write", fd, &first))
		return REAL(pwrite64)(fd, data, len, at);
	len = fits(first, len);
	return len > 0 ? REAL(pwrite64)(fd, data, len, at) : -1;
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	return pwrite64(fd, data, len, at);
}

int
ftruncate64(int fd, off64_t size)
{
	bool first;

	return fd_fails("truncate", fd, &first) ? -1
						: REAL(ftruncate64)(fd, size);
}

int
ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

int
posix_fallocate64(int fd, off64_t at, off64_t len)
{
	bool first;

	return fd_fails("allocate", fd, &first)
		   ? disk.code
		   : REAL(posix_fallocate64)(fd, at, len);
}

int
posix_fallocate(int fd, off_t at, off_t len)
{
	return posix_fallocate64(fd, at, len);
}

int
fsync(int fd)
{
	bool first;

	return fd_fails("sync", fd, &first) ? -1 : REAL(fsync)(fd);
}

int
fdatasync(int fd)
{
	bool first;

	return fd_fails("sync", fd, &first) ? -1 : REAL(fdatasync)(fd);
}

int
mkdir(const char *path, mode_t mode)
{
	bool first;

	return access(path, F_OK) != 0 && path_fails("mkdir", path, &first)
		   ? -1
		   : REAL(mkdir)(path, mode);
}

int
unlink(const char *path)
{
	bool first;

	return access(path, F_OK) == 0 && path_fails("unlink", path, &first)
		   ? -1
		   : REAL(unlink)(path);
}

int
rename(const char *from, const char *to)
{
	bool first;

	return path_fails("rename", to, &first) ? -1 : REAL(rename)(from, to);
}

int
open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	bool first;
	va_list ap;

	if ((flags & O_CREAT) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
		if (access(path, F_OK) != 0 && path_fails("make", path, &first))
			return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return open64(path, flags, mode);
}

/* The xid is a LAUNCH's first field: length, bytes, NUL. */
ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	const unsigned char *data = msg->msg_iov[0].iov_base;

	if (disk.match != NULL && msg->msg_iovlen == 1 &&
	    msg->msg_iov[0].iov_len >= 16 && data[0] == 0 && data[1] == 0 &&
	    data[2] == 0 && data[3] == SEAM_LAUNCH)
		note("launch %.32s\n", (const char *)data + 20);
	else if (disk.match != NULL && msg->msg_iov[0].iov_len == 16 &&
		 data[0] == 0x80 && data[3] == SEAM_LAUNCH)
		note("launch in a file\n");
	return REAL(sendmsg)(fd, msg, flags);
}
