/*
 * One coordinator a change: an flock on a file of its own, which ends with
 * the process whatever happens to it. The epoch in the journal is what makes
 * a stale coordinator harmless; this lock only keeps two from starting.
 */
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "journal/inside.h"

/* The pid that its holder wrote; 0 when it has not yet. */
static int64_t
read_pid(int fd)
{
	char text[24];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	int64_t pid;

	if (len <= 0)
		return 0;
	text[len] = '\0';
	return text_int(text, 1, INT32_MAX, &pid) ? pid : 0;
}

static int
write_pid(int fd, const char *path, struct err *err)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%ld", (long)getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) != len)
		return err_errno(err, "%s", path);
	return 0;
}

int
journal_lock_change(
    struct journal *journal, int change, int *lock, struct err *err)
{
	struct arena *arena = arena_new();
	char *run = file_join(arena, journal->folder, "run"), *path;
	int64_t pid;
	int fd = -1, rc;

	path = arena_printf(arena, "%s/CHG-%04d.lock", run, change);
	if ((rc = file_make_folder(run, 0700, err)) < 0)
		goto out;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		rc = err_errno(err, "%s", path);
		goto out;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK) {
			rc = err_errno(err, "%s", path);
			goto out;
		}
		pid = read_pid(fd);
		rc = err_set(err, ERR_REFUSED,
		    _("CHG-%04d is being run by process %" PRId64
		      ": `hoshu show CHG-%04d` says how far it is"),
		    change, pid, change);
		goto out;
	}
	if ((rc = write_pid(fd, path, err)) < 0)
		goto out;
	*lock = fd;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	arena_free(arena);
	return rc;
}

void
journal_unlock_change(int lock)
{
	/* the file stays: removing it would let a third process lock a name
	 * that a second one still waits on */
	if (lock >= 0)
		close(lock);
}
