/*
 * The lease; see lease.h. The file of a change holds its holder's flock and
 * one line: "PID BOOTTIME_MS LEASE_MS". Taking over puts a new file in its
 * place; who finds that the file by that name is not the one it has open has
 * lost the lease. No lock is held while anything else is done, so a process
 * that is stopped anywhere in here is in nobody's way.
 */
#include "journal/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"
#include "journal/inside.h"

enum { LEASE_LINE = 80, LEASE_TRIES = 100 };

struct lease {
	const struct world *world;
	int change;
	int fd;
	char *path;
	int64_t length_ms;
	int64_t renewed_ms; /* boot time */
	char from[128];
	struct err lost; /* once it is */
};

/* What the holder wrote. */
struct stamp {
	int64_t pid, renewed_ms, length_ms;
};

/* false when there is none: its holder is about to write it. */
static bool
stamp_read(int fd, struct stamp *stamp)
{
	char text[LEASE_LINE + 1];
	ssize_t len = pread(fd, text, LEASE_LINE, 0);

	if (len <= 0)
		return false;
	text[len] = '\0';
	return sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &stamp->pid,
		   &stamp->renewed_ms, &stamp->length_ms) == 3 &&
	       stamp->length_ms > 0;
}

/* One write of one length, so that no reader sees half of two lines. */
static int
stamp_write(struct lease *lease, struct err *err)
{
	char text[LEASE_LINE + 1];
	int64_t now_ms = world_mono_ms(lease->world);

	snprintf(text, sizeof(text), "%-10ld %-20" PRId64 " %-20" PRId64 "%*s",
	    (long)getpid(), now_ms, lease->length_ms, LEASE_LINE - 53, "\n");
	if (pwrite(lease->fd, text, LEASE_LINE, 0) != LEASE_LINE)
		return err_errno(err, "%s", lease->path);
	lease->renewed_ms = now_ms;
	return 0;
}

/* Is the file of that name still the one that we have open? */
static bool
lease_in_place(const struct lease *lease)
{
	struct stat named, open;

	return stat(lease->path, &named) == 0 && fstat(lease->fd, &open) == 0 &&
	       named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

static int
lease_open(struct lease *lease, const char *path, int flags, struct err *err)
{
	lease->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
	return lease->fd < 0 ? err_errno(err, "%s", path) : 0;
}

static void
lease_shut(struct lease *lease)
{
	if (lease->fd >= 0)
		close(lease->fd);
	lease->fd = -1;
}

static int
refuse(const struct lease *lease, const struct stamp *stamp, struct err *err)
{
	int64_t silent_ms = world_mono_ms(lease->world) - stamp->renewed_ms;

	/* a holder that runs renews three times a lease */
	if (stamp->length_ms == 0 || silent_ms < stamp->length_ms / 2)
		return err_set(err, ERR_REFUSED,
		    _("CHG-%04d is being run by process %" PRId64
		      ": `hoshu show CHG-%04d` says how far it is, `hoshu "
		      "abort CHG-%04d` ends it"),
		    lease->change, stamp->pid, lease->change, lease->change);
	return err_set(err, ERR_REFUSED,
	    _("CHG-%04d is being run by process %" PRId64 ", which has stood "
	      "still for %" PRId64 " s; after %" PRId64 " s `hoshu run "
	      "CHG-%04d` takes it over"),
	    lease->change, stamp->pid, silent_ms / 1000,
	    stamp->length_ms / 1000, lease->change);
}

/*
 * The holder's flock is on the file that we have open. Has it stood still for
 * its lease? Then put a file of ours in its place. One taker at a time: the
 * second finds a fresh stamp.
 */
static int
take_over(struct lease *lease, const char *folder, struct err *err)
{
	struct arena *arena = arena_new();
	char *turn = file_join(arena, folder, "take.lock");
	char *ours = arena_printf(arena, "%s.%ld", lease->path, (long)getpid());
	struct stamp stamp = {0};
	int64_t silent_ms;
	int fd, rc;

	fd = open(turn, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		rc = err_errno(err, "%s", turn);
		goto out;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !lease_in_place(lease) ||
	    !stamp_read(lease->fd, &stamp)) {
		rc = refuse(lease, &stamp, err);
		goto out;
	}
	silent_ms = world_mono_ms(lease->world) - stamp.renewed_ms;
	if (silent_ms <= stamp.length_ms) {
		rc = refuse(lease, &stamp, err);
		goto out;
	}
	lease_shut(lease);
	unlink(ours);
	if ((rc = lease_open(lease, ours, O_EXCL, err)) < 0)
		goto out;
	if (flock(lease->fd, LOCK_EX | LOCK_NB) < 0 ||
	    (rc = stamp_write(lease, err)) < 0 ||
	    rename(ours, lease->path) < 0) {
		rc = rc < 0 ? rc : err_errno(err, "%s", ours);
		unlink(ours);
		goto out;
	}
	snprintf(lease->from, sizeof(lease->from),
	    _("process %" PRId64 ", which had stood still for %" PRId64 " s"),
	    stamp.pid, silent_ms / 1000);
out:
	if (fd >= 0)
		close(fd);
	arena_free(arena);
	return rc;
}

/* The file may be put away between our opening and our locking it. */
static int
take(struct lease *lease, const char *folder, struct err *err)
{
	int rc;

	for (int i = 0; i < LEASE_TRIES; i++) {
		if ((rc = lease_open(lease, lease->path, 0, err)) < 0)
			return rc;
		if (flock(lease->fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK)
				return err_errno(err, "%s", lease->path);
			return take_over(lease, folder, err);
		}
		if (lease_in_place(lease))
			return stamp_write(lease, err);
		lease_shut(lease);
	}
	return err_set(err, ERR_REFUSED,
	    _("CHG-%04d changes hands all the time: look at `hoshu show "
	      "CHG-%04d`"),
	    lease->change, lease->change);
}

static void
lease_free(struct lease *lease)
{
	if (lease == NULL)
		return;
	lease_shut(lease);
	free(lease->path);
	free(lease);
}

int
lease_take(struct journal *journal, int change, int64_t lease_ms,
    struct lease **out, struct err *err)
{
	struct lease *lease = xcalloc(1, sizeof(*lease));
	struct arena *arena = arena_new();
	char *folder = file_join(arena, journal->folder, "run");
	int rc;

	lease->world = journal->world;
	lease->change = change;
	lease->length_ms = lease_ms;
	lease->fd = -1;
	lease->path =
	    xstrdup(arena_printf(arena, "%s/CHG-%04d.lock", folder, change));
	if ((rc = file_make_folder(folder, 0700, err)) < 0 ||
	    (rc = take(lease, folder, err)) < 0)
		goto out;
	*out = lease;
	lease = NULL;
out:
	lease_free(lease); /* what it has open is another's */
	arena_free(arena);
	return rc;
}

const char *
lease_taken_from(const struct lease *lease)
{
	return lease->from;
}

int64_t
lease_length_ms(const struct lease *lease)
{
	return lease->length_ms;
}

static int
lease_lose(struct lease *lease, int64_t silent_ms, struct err *err)
{
	if (lease->lost.code == ERR_NONE)
		(void)!err_set(&lease->lost, ERR_REFUSED,
		    _("CHG-%04d: another process took the change over while "
		      "this one stood still for %" PRId64 " s; it launches "
		      "nothing more: `hoshu show CHG-%04d` says how far the "
		      "other is"),
		    lease->change, silent_ms / 1000, lease->change);
	return err_set(err, ERR_REFUSED, "%s", lease->lost.text);
}

int
lease_hold(struct lease *lease, struct err *err)
{
	int64_t silent_ms = world_mono_ms(lease->world) - lease->renewed_ms;
	int rc;

	if (lease->lost.code == ERR_NONE && silent_ms >= 0 &&
	    silent_ms < lease->length_ms / 3)
		return 0; /* nobody may have taken it */
	if (lease->lost.code != ERR_NONE || !lease_in_place(lease))
		return lease_lose(lease, silent_ms, err);
	if ((rc = stamp_write(lease, err)) < 0)
		return rc;
	/* taken while we wrote: a taker looks at the stamp, then renames */
	return lease_in_place(lease) ? 0 : lease_lose(lease, silent_ms, err);
}

bool
lease_look(const struct journal *journal, int change, struct lease_seen *seen)
{
	struct arena *arena = arena_new();
	const char *path = arena_printf(
	    arena, "%s/run/CHG-%04d.lock", journal->folder, change);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stamp stamp = {0};
	bool lives;

	lives = fd >= 0 && stamp_read(fd, &stamp) && stamp.pid > 0 &&
		(kill((pid_t)stamp.pid, 0) == 0 || errno == EPERM);
	seen->pid = stamp.pid;
	seen->silent_ms = world_mono_ms(journal->world) - stamp.renewed_ms;
	seen->still = seen->silent_ms < 0 || seen->silent_ms > stamp.length_ms;
	if (fd >= 0)
		close(fd);
	arena_free(arena);
	return lives;
}

void
lease_release(struct lease *lease)
{
	if (lease == NULL)
		return;
	/* the file stays: removing it would let a third process lock a name
	 * that a second one still waits on; emptied, it names nobody */
	(void)!ftruncate(lease->fd, 0);
	lease_free(lease);
}
