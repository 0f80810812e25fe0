/*
 * Reading a store in a folder that cannot be written (evidence on a read-only
 * medium): SQLite needs shared memory beside a WAL, so what has a WAL is read
 * from a private copy.
 */
#include "journal/store_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"

/* from may be missing. Plain copying: both files are closed before SQLite
 * opens either (closing one later would drop SQLite's locks on it). */
static int
copy_file(const char *from, const char *to, struct err *err)
{
	int in = -1, out = -1, rc = 0;
	char part[65536];
	ssize_t got;

	if ((in = open(from, O_RDONLY | O_CLOEXEC)) < 0) {
		if (errno != ENOENT)
			rc = err_errno(err, "%s", from);
		goto out;
	}
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0) {
		rc = err_errno(err, "%s", to);
		goto out;
	}
	while ((got = read(in, part, sizeof(part))) > 0)
		if (write(out, part, (size_t)got) != got) {
			rc = err_errno(err, "%s", to);
			goto out;
		}
	if (got < 0)
		rc = err_errno(err, "%s", from);
out:
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}

static int
copy_store(struct store *store, struct err *err)
{
	static const char *const names[] = {"journal.db", "journal.db-wal"};
	struct arena *arena = arena_new();
	struct err dropped = ERR_INIT;
	char *folder;
	int lock, rc;
	size_t i;

	/* a writer elsewhere must not move the WAL while it is copied */
	lock =
	    open(file_join(arena, store->folder, "lock"), O_RDONLY | O_CLOEXEC);
	if (lock >= 0)
		(void)!store_lock(store->folder, lock, LOCK_SH, &dropped);
	if ((rc = file_make_temporary(arena, &folder, err)) < 0)
		goto out;
	store->copy = xstrdup(folder);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((rc = copy_file(file_join(arena, store->folder, names[i]),
			 file_join(arena, folder, names[i]), err)) < 0)
			goto out;
out:
	if (lock >= 0)
		close(lock);
	arena_free(arena);
	return rc;
}

static void
put_uri(struct buf *uri, const char *folder, const char *rest)
{
	const unsigned char *p;

	buf_puts(uri, "file:");
	/* "//" would begin a host name */
	if (folder[0] == '/')
		buf_puts(uri, "//");
	for (p = (const unsigned char *)folder; *p != '\0'; p++)
		if (*p == '?' || *p == '#' || *p == '%')
			buf_printf(uri, "%%%02X", *p);
		else
			buf_putc(uri, (char)*p);
	buf_printf(uri, "/journal.db?%s", rest);
}

int
store_reading_uri(struct store *store, struct buf *uri, struct err *err)
{
	struct arena *arena = arena_new();
	struct stat wal;
	int rc = 0;

	if (access(store->folder, W_OK) == 0)
		put_uri(uri, store->folder, "mode=ro");
	else if (stat(file_join(arena, store->folder, "journal.db-wal"), &wal) <
		     0 ||
		 wal.st_size == 0)
		put_uri(uri, store->folder, "mode=ro&immutable=1");
	else if ((rc = copy_store(store, err)) == 0)
		put_uri(uri, store->copy, "mode=ro");
	arena_free(arena);
	return rc;
}
