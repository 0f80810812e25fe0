/*
 * LD_PRELOAD for a coordinator: counts what it does to the files below
 * KILL_STORE (write, sync, cut) and ends the process, as kill -9 does, at
 * point KILL_AT. Point 2n-1 is right before the nth of them, 2n right behind
 * it. How many there were is kept in the file KILL_COUNT as it goes.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long points;
static atomic_long *count = &points;
static long kill_at;
static const char *store;

__attribute__((constructor)) static void
begin(void)
{
	const char *at = getenv("KILL_AT"), *file = getenv("KILL_COUNT");
	void *map;
	int fd;

	store = getenv("KILL_STORE");
	kill_at = at != NULL ? atol(at) : 0;
	/* what it starts (workers, ssh-agent) is none of ours */
	unsetenv("LD_PRELOAD");
	if (file == NULL || (fd = open(file, O_RDWR)) < 0)
		return;
	map = mmap(
	    NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		count = map;
	close(fd);
}

static int
is_ours(int fd)
{
	char link[64], path[4096];
	ssize_t len;

	if (store == NULL)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0)
		return 0;
	path[len] = '\0';
	return strncmp(path, store, strlen(store)) == 0;
}

static void
point(int ours)
{
	if (ours && atomic_fetch_add(count, 1) + 1 == kill_at)
		(void)kill(getpid(), SIGKILL);
}

#define REAL(name) __typeof__(name) *real = dlsym(RTLD_NEXT, #name)
#define WRAP(type, name, args, call)                                           \
	type name args                                                         \
	{                                                                      \
		REAL(name);                                                    \
		int ours = is_ours(fd);                                        \
		type r;                                                        \
                                                                               \
		point(ours);                                                   \
		r = real call;                                                 \
		point(ours);                                                   \
		return r;                                                      \
	}

WRAP(ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len))
WRAP(ssize_t, pwrite, (int fd, const void *data, size_t len, off_t at),
    (fd, data, len, at))
WRAP(ssize_t, pwrite64, (int fd, const void *data, size_t len, off64_t at),
    (fd, data, len, at))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, ftruncate, (int fd, off_t len), (fd, len))
WRAP(int, ftruncate64, (int fd, off64_t len), (fd, len))
