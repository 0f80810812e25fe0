/*
 * Files of this machine: whole reads with a limit, atomic durable writes.
 */
#ifndef HOSHU_BASE_FILE_H
#define HOSHU_BASE_FILE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Append the whole file; refuses what is no regular file or above max. */
int file_read(const char *path, size_t max_bytes, struct buf *out,
    struct err *err) MUST_USE;
/* Temporary file beside it, fsync, rename, fsync of the folder. */
int file_write(
    const char *path, struct bytes data, int mode, struct err *err) MUST_USE;
/* mkdir -p; what is there already is fine. */
int file_make_folder(const char *path, int mode, struct err *err) MUST_USE;
bool file_exists(const char *path);
/* Joins folder and name unless name is absolute; lives in arena. */
char *file_join(struct arena *arena, const char *folder, const char *name);
/* The folder of path ("." when it has none); lives in arena. */
char *file_folder(struct arena *arena, const char *path);
/* Gives a folder of its own under $TMPDIR, mode 0700; remove it with
 * file_remove_tree. */
int file_make_temporary(
    struct arena *arena, char **path, struct err *err) MUST_USE;
void file_remove_tree(const char *path);

#endif
