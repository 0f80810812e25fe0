/*
 * STORE/lock, and whom one waits for: it is held for milliseconds, so who
 * waits for seconds is told who has it and what to do. Knows Linux' /proc;
 * where that says nothing the message says less.
 */
#include "journal/store_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"

enum { SILENT_S = 3, PROC_MAX = 1 << 20, COMMAND_MAX = 120 };

struct wait {
	const char *folder;
	int lock;
	bool over;
	pthread_mutex_t mutex;
	pthread_cond_t told; /* it is over */
};

/* Whose flock on that file is in /proc/locks; 0 = nobody's that we see. Lines
 * of those who wait have "->" behind the number. */
static int64_t
holder_find(int lock)
{
	unsigned int major_of, minor_of;
	char line[256];
	int64_t found = 0;
	struct stat is;
	FILE *in = fopen("/proc/locks", "re");

	while (in != NULL && found == 0 && fstat(lock, &is) == 0 &&
	       fgets(line, sizeof(line), in) != NULL) {
		int64_t pid;
		uint64_t inode;

		if (sscanf(line,
			"%*d: FLOCK %*s %*s %" SCNd64 " %x:%x:%" SCNu64, &pid,
			&major_of, &minor_of, &inode) == 4 &&
		    inode == is.st_ino && major_of == major(is.st_dev) &&
		    minor_of == minor(is.st_dev) && pid > 0)
			found = pid;
	}
	if (in != NULL)
		fclose(in);
	return found;
}

static bool
holder_read(int64_t pid, const char *name, struct buf *text)
{
	char path[64];
	struct err dropped = ERR_INIT;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/%s", pid, name);
	return file_read(path, PROC_MAX, text, &dropped) == 0 && text->len > 0;
}

/* Its state is the letter behind the name, which may hold anything. */
static bool
holder_is_stopped(int64_t pid)
{
	struct buf stat = BUF_INIT;
	const char *end = holder_read(pid, "stat", &stat)
			      ? strrchr(buf_str(&stat), ')')
			      : NULL;
	bool stopped =
	    end != NULL && strlen(end) > 2 && (end[2] == 'T' || end[2] == 't');

	buf_free(&stat);
	return stopped;
}

/* " (hoshu run CHG-0007)", or nothing. */
static void
holder_command(int64_t pid, struct buf *out)
{
	struct buf words = BUF_INIT;

	if (holder_read(pid, "cmdline", &words)) {
		size_t len = words.len - 1;

		for (size_t i = 0; i < len; i++)
			if (words.data[i] == '\0')
				words.data[i] = ' ';
		buf_puts(out, " (");
		text_cleanse_to(out, words.data,
		    len < COMMAND_MAX ? len : COMMAND_MAX, true);
		buf_puts(out, len < COMMAND_MAX ? ")" : " ...)");
	}
	buf_free(&words);
}

static void
wait_say(const struct wait *wait)
{
	int64_t pid = holder_find(wait->lock);
	struct buf command = BUF_INIT;

	if (pid > 0)
		holder_command(pid, &command);
	if (pid == 0)
		fprintf(stderr,
		    _("hoshu: waits for %s/lock, which another process has: "
		      "`fuser %s/lock` says which\n"),
		    wait->folder, wait->folder);
	else if (holder_is_stopped(pid))
		fprintf(stderr,
		    _("hoshu: waits for %s/lock, which process %" PRId64
		      "%s has, and that is stopped: `kill -CONT %" PRId64
		      "` lets it go on, `kill -9 %" PRId64
		      "` ends it; what is recorded stays either way\n"),
		    wait->folder, pid, buf_str(&command), pid, pid);
	else
		fprintf(stderr,
		    _("hoshu: waits for %s/lock, which process %" PRId64
		      "%s has: look at it and at the disk; `kill -9 %" PRId64
		      "` ends it, and what is recorded stays\n"),
		    wait->folder, pid, buf_str(&command), pid);
	buf_free(&command);
}

/* On a thread of its own, while the other stands in flock. */
static void *
wait_watch(void *arg)
{
	struct wait *wait = arg;
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += SILENT_S;
	pthread_mutex_lock(&wait->mutex);
	while (!wait->over && rc == 0)
		rc = pthread_cond_timedwait(&wait->told, &wait->mutex, &until);
	if (!wait->over)
		wait_say(wait);
	pthread_mutex_unlock(&wait->mutex);
	return NULL;
}

static bool
wait_begin(struct wait *wait, pthread_t *thread)
{
	pthread_condattr_t clock;

	pthread_mutex_init(&wait->mutex, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&wait->told, &clock);
	pthread_condattr_destroy(&clock);
	return pthread_create(thread, NULL, wait_watch, wait) == 0;
}

static void
wait_end(struct wait *wait, bool watched, pthread_t thread)
{
	pthread_mutex_lock(&wait->mutex);
	wait->over = true;
	pthread_cond_signal(&wait->told);
	pthread_mutex_unlock(&wait->mutex);
	if (watched)
		pthread_join(thread, NULL);
	pthread_cond_destroy(&wait->told);
	pthread_mutex_destroy(&wait->mutex);
}

int
store_lock(const char *folder, int lock, int how, struct err *err)
{
	struct wait wait = {.folder = folder, .lock = lock};
	pthread_t thread;
	bool watched;
	int r;

	if (flock(lock, how | LOCK_NB) == 0)
		return 0;
	watched = wait_begin(&wait, &thread);
	do
		r = flock(lock, how);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		r = err_errno(err, "%s/lock", folder);
	wait_end(&wait, watched, thread);
	return r;
}
