/*
 * Files of this machine. A read never waits on a pipe and never grows without
 * a limit; a write is either wholly there after a power cut or not at all.
 */
#include "base/file.h"
#include "base/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
read_all(int fd, const char *path, size_t max_bytes, struct buf *out,
    struct err *err)
{
	char part[65536];
	size_t total = 0;
	ssize_t got;

	for (;;) {
		got = read(fd, part, sizeof(part));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, _("%s: cannot be read"), path);
		if (got == 0)
			return 0;
		total += (size_t)got;
		if (total > max_bytes)
			break;
		buf_put(out, part, (size_t)got);
		if (out->full)
			break;
	}
	return err_set(err, ERR_SYSTEM,
	    _("%s: the file is larger than the %zu bytes allowed here"), path,
	    max_bytes);
}

int
file_read(const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
	struct stat st;
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, _("%s: cannot be opened"), path);
	if (fstat(fd, &st) < 0) {
		r = err_errno(err, _("%s: cannot be read"), path);
	} else if (!S_ISREG(st.st_mode)) {
		r = err_set(err, ERR_SYSTEM,
		    _("%s: is no regular file; name a file"), path);
	} else {
		r = read_all(fd, path, max_bytes, out, err);
	}
	close(fd);
	return r;
}

static int
write_all(int fd, struct bytes data)
{
	const char *p = data.data;
	size_t left = data.len;
	ssize_t put;

	while (left > 0) {
		put = write(fd, p, left);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		p += put;
		left -= (size_t)put;
	}
	return 0;
}

/* fsync the folder, so that a name in it outlives a power cut. */
static int
sync_folder(const char *folder)
{
	int fd, r, saved;

	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	r = fsync(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

int
file_write(const char *path, struct bytes data, int mode, struct err *err)
{
	struct arena *arena = arena_new();
	char *folder = file_folder(arena, path);
	char *temporary = arena_printf(arena, "%s.XXXXXX", path);
	bool there = false;
	int fd, r = 0;

	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		r = err_errno(err, _("%s: cannot be created"), path);
		goto out;
	}
	there = true;
	if (fchmod(fd, (mode_t)mode) < 0 || write_all(fd, data) < 0 ||
	    fsync(fd) < 0) {
		r = err_errno(err, _("%s: cannot be written"), path);
		close(fd);
		goto out;
	}
	/* some file systems tell of a full disk only now */
	if (close(fd) < 0 || rename(temporary, path) < 0) {
		r = err_errno(err, _("%s: cannot be written"), path);
		goto out;
	}
	there = false;
	if (sync_folder(folder) < 0)
		r = err_errno(err, _("%s: cannot be synced"), folder);
out:
	if (there)
		unlink(temporary);
	arena_free(arena);
	return r;
}

static int
make_one_folder(const char *path, int mode, struct err *err)
{
	struct stat st;

	if (mkdir(path, (mode_t)mode) == 0)
		return 0;
	/* EROFS and EACCES also come for folders that are there */
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	return err_errno(err, _("%s: the folder cannot be made"), path);
}

int
file_make_folder(const char *path, int mode, struct err *err)
{
	char *copy = xstrdup(path);
	int r = 0;

	for (char *p = copy; *p != '\0' && r == 0; p++) {
		if (*p != '/' || p == copy)
			continue;
		*p = '\0';
		r = make_one_folder(copy, mode, err);
		*p = '/';
	}
	if (r == 0)
		r = make_one_folder(copy, mode, err);
	free(copy);
	return r;
}

bool
file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

char *
file_join(struct arena *arena, const char *folder, const char *name)
{
	size_t len = strlen(folder);

	if (name[0] == '/' || len == 0)
		return arena_strdup(arena, name);
	return arena_printf(
	    arena, "%s%s%s", folder, folder[len - 1] == '/' ? "" : "/", name);
}

char *
file_folder(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return arena_strdup(arena, ".");
	while (slash > path && slash[-1] == '/')
		slash--;
	if (slash == path)
		return arena_strdup(arena, "/");
	return arena_copy(arena, path, (size_t)(slash - path));
}

int
file_make_temporary(struct arena *arena, char **path, struct err *err)
{
	const char *folder = getenv("TMPDIR");
	char *made;

	if (folder == NULL || folder[0] != '/')
		folder = "/tmp";
	made = arena_printf(arena, "%s/hoshu-XXXXXX", folder);
	if (mkdtemp(made) == NULL)
		return err_errno(err,
		    _("%s: no temporary folder can be made there (TMPDIR)"),
		    folder);
	*path = made;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	remove(path);
	return 0;
}

void
file_remove_tree(const char *path)
{
	if (path[0] == '\0' || strcmp(path, "/") == 0)
		bug("asked to remove '%s'", path);
	/* FTW_PHYS: links are removed, never followed */
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
