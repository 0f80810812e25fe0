/*
 * Memory that runs out, put under a program by LD_PRELOAD: the Nth malloc,
 * calloc, realloc or aligned allocation gives NULL, alone or with every one
 * behind it; libraries' own are counted as well.
 *	MEMORY_IN    "hoshu": the process that was started; "worker": its first
 *	             worker process, from when it serves on
 *	MEMORY_AT    N, from 1; 0: only count
 *	MEMORY_EVER  set: and every one after it
 *	MEMORY_LOG   gets "failed" at the failure; where it is only counted,
 *	             the number of each that is the first from its place (the
 *	             callers), and the count at the end
 *	MEMORY_DEEP  how many callers tell a place from another; 16
 * Under AddressSanitizer it stands before the sanitizer's own malloc; without
 * it, a SIGSEGV says its callers. Must not know more of hoshu than its name
 * and that of its workers.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_long calls;
static long fail_at = -1; /* -1: nothing is counted */
static bool ever;
/* Shared with a file, and so left to whoever looks afterwards; a worker has
 * no descriptor to write it with. */
static char *told;
enum { TOLD_SIZE = 1 << 20, PLACES = 1 << 16, DEEP = 16 };
static uint64_t places[PLACES];
static size_t told_len;
static int deep = DEEP;
static __thread bool looking_back;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);

/* What dlsym asks for while it looks for the real ones. */
static _Alignas(16) char early[8192];
static size_t early_used;

static void *
early_alloc(size_t size)
{
	void *p = early + early_used;

	early_used += (size + 15) & ~(size_t)15;
	if (early_used > sizeof(early))
		_exit(125);
	return p;
}

static bool
is_early(const void *p)
{
	return (const char *)p >= early &&
	       (const char *)p < early + sizeof(early);
}

static void
find_real(void)
{
	static bool looking;

	if (looking)
		return;
	looking = true;
	*(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&real_posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	*(void **)&real_aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
	*(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
	looking = false;
}

/* The first allocation from here is noted. Threads may both note one. */
static void
note_place(long call)
{
	void *callers[DEEP];
	uint64_t hash = 14695981039346656037u;
	size_t at;
	int count;

	looking_back = true;
	count = backtrace(callers, deep);
	looking_back = false;
	for (int i = 1; i < count; i++)
		hash = (hash ^ (uintptr_t)callers[i]) * 1099511628211u;
	for (at = hash % PLACES; places[at] != 0; at = (at + 1) % PLACES)
		if (places[at] == hash)
			return;
	places[at] = hash;
	if (told_len + 32 < TOLD_SIZE)
		told_len += (size_t)sprintf(told + told_len, "%ld ", call);
}

static bool
fails(void)
{
	long call;

	if (fail_at < 0 || looking_back)
		return false;
	call = atomic_fetch_add(&calls, 1) + 1;
	if (fail_at == 0)
		note_place(call);
	if (fail_at == 0 || (call != fail_at && !(ever && call > fail_at)))
		return false;
	if (call == fail_at)
		memcpy(told, "failed\n", 7);
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t size)
{
	if (real_malloc == NULL)
		find_real();
	if (real_malloc == NULL)
		return early_alloc(size);
	return fails() ? NULL : real_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	if (real_calloc == NULL)
		find_real();
	if (real_calloc == NULL)
		return early_alloc(count * size);
	return fails() ? NULL : real_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	void *p;

	if (real_realloc == NULL)
		find_real();
	if (is_early(old)) {
		p = malloc(size);
		if (p != NULL)
			memcpy(p, old, size);
		return p;
	}
	return fails() ? NULL : real_realloc(old, size);
}

int
posix_memalign(void **p, size_t align, size_t size)
{
	if (real_posix_memalign == NULL)
		find_real();
	return fails() ? ENOMEM : real_posix_memalign(p, align, size);
}

void *
aligned_alloc(size_t align, size_t size)
{
	if (real_aligned_alloc == NULL)
		find_real();
	return fails() ? NULL : real_aligned_alloc(align, size);
}

static void
tell_count(void)
{
	if (fail_at == 0)
		sprintf(told + told_len, "of %ld\n", (long)calls);
}

/* As a sanitizer would; nothing in it allocates any more. */
static void
say_callers(int signal)
{
	void *callers[DEEP];

	backtrace_symbols_fd(callers, backtrace(callers, DEEP), STDERR_FILENO);
	(void)raise(signal); /* once only: as it would have ended */
}

__attribute__((constructor)) static void
memory_start(int argc, char **argv)
{
	const char *in = getenv("MEMORY_IN"), *at = getenv("MEMORY_AT");
	const char *log = getenv("MEMORY_LOG");
	/* a worker is started as /proc/self/exe */
	bool worker = argc == 2 && strcmp(argv[1], "worker") == 0;
	int fd;

	if (in == NULL || at == NULL || log == NULL ||
	    strcmp(in, worker ? "worker" : program_invocation_short_name) != 0)
		return;
	ever = getenv("MEMORY_EVER") != NULL;
	if (getenv("MEMORY_DEEP") != NULL)
		deep = atoi(getenv("MEMORY_DEEP"));
	if (deep < 1 || deep > DEEP)
		_exit(125);
	/* one process of a run: whoever makes the file */
	fd = open(log, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (ftruncate(fd, TOLD_SIZE) < 0)
		_exit(125);
	told = mmap(NULL, TOLD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (told == MAP_FAILED)
		_exit(125);
	find_real();
	(void)backtrace(&(void *){NULL}, 1); /* loads what it needs */
	if (dlsym(RTLD_DEFAULT, "__asan_init") == NULL)
		sigaction(SIGSEGV,
		    &(struct sigaction){.sa_handler = say_callers,
			.sa_flags = (int)(SA_RESETHAND | SA_NODEFER)},
		    NULL);
	fail_at = atol(at);
	if (!worker) {
		unsetenv("LD_PRELOAD");
		atexit(tell_count);
	}
}
