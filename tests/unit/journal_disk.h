/*
 * A disk that fails, for the journal's crash tests: an SQLite VFS over the
 * real one. It fails the nth write or sync, and it keeps what a power cut
 * would leave: the bytes as of each file's last sync, plus any of the writes
 * since.
 */
#ifndef HOSHU_TESTS_JOURNAL_DISK_H
#define HOSHU_TESTS_JOURNAL_DISK_H

#include "journal_store.h"

enum { DISK_FILES = 4, DISK_WRITES = 4096 };

struct disk_write {
	int64_t at; /* -1: a truncation to len */
	size_t len;
	char *data;
};

struct disk_file {
	char name[64]; /* without its folder */
	struct buf synced;
	struct disk_write writes[DISK_WRITES];
	size_t write_count;
	bool gone; /* deleted */
};

struct disk {
	int calls;     /* writes, truncations and syncs so far */
	int fail_at;   /* 0 = never */
	bool for_ever; /* and every one after it */
	int code;
	bool recording;
	struct disk_file files[DISK_FILES];
	void (*before)(void); /* each call, while recording */
};

/* SQLite calls back without an argument of ours. */
static struct disk disk;
static sqlite3_vfs *disk_real;

struct disk_handle {
	sqlite3_file base;
	struct disk_file *file;
	sqlite3_file *real;
};

static struct disk_file *
disk_file_named(const char *path)
{
	const char *name = strrchr(path, '/');
	int i;

	name = name != NULL ? name + 1 : path;
	for (i = 0; i < DISK_FILES; i++)
		if (disk.files[i].name[0] == '\0' ||
		    strcmp(disk.files[i].name, name) == 0)
			break;
	assert_true(i < DISK_FILES);
	snprintf(disk.files[i].name, sizeof(disk.files[i].name), "%s", name);
	disk.files[i].gone = false;
	return &disk.files[i];
}

static void
disk_forget_writes(struct disk_file *file)
{
	while (file->write_count > 0)
		free(file->writes[--file->write_count].data);
}

static void
disk_reset(void)
{
	int i;

	for (i = 0; i < DISK_FILES; i++) {
		disk_forget_writes(&disk.files[i]);
		buf_free(&disk.files[i].synced);
	}
	memset(&disk, 0, sizeof(disk));
}

static void
disk_apply(struct buf *data, const struct disk_write *write, size_t len)
{
	static const char zeros[4096];
	size_t end = (size_t)write->at + len;

	if (write->at < 0) {
		if (write->len < data->len)
			data->len = write->len;
		return;
	}
	while (data->len < end)
		buf_put(data, zeros,
		    end - data->len < sizeof(zeros) ? end - data->len
						    : sizeof(zeros));
	if (len > 0)
		memcpy(data->data + write->at, write->data, len);
}

static void
disk_note(struct disk_file *file, int64_t at, const void *data, size_t len)
{
	struct disk_write *write;

	if (!disk.recording)
		return;
	assert_true(file->write_count < DISK_WRITES);
	write = &file->writes[file->write_count++];
	write->at = at;
	write->len = len;
	write->data = NULL;
	if (at >= 0)
		write->data = memcpy(malloc(len + 1), data, len);
}

static bool
disk_fails(void)
{
	if (disk.recording && disk.before != NULL)
		disk.before();
	disk.calls++;
	return disk.fail_at > 0 &&
	       (disk.calls == disk.fail_at ||
		   (disk.for_ever && disk.calls > disk.fail_at));
}

static int
disk_write(sqlite3_file *f, const void *data, int len, sqlite3_int64 at)
{
	struct disk_handle *h = (struct disk_handle *)f;

	if (disk_fails())
		return disk.code;
	disk_note(h->file, at, data, (size_t)len);
	return h->real->pMethods->xWrite(h->real, data, len, at);
}

static int
disk_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct disk_handle *h = (struct disk_handle *)f;

	if (disk_fails())
		return disk.code;
	disk_note(h->file, -1, NULL, (size_t)size);
	return h->real->pMethods->xTruncate(h->real, size);
}

static int
disk_sync(sqlite3_file *f, int flags)
{
	struct disk_handle *h = (struct disk_handle *)f;
	size_t i;

	if (disk_fails())
		return disk.code == SQLITE_FULL ? SQLITE_IOERR_FSYNC
						: disk.code;
	for (i = 0; i < h->file->write_count; i++)
		disk_apply(&h->file->synced, &h->file->writes[i],
		    h->file->writes[i].len);
	disk_forget_writes(h->file);
	/* no real one: nothing here has to survive the machine */
	return SQLITE_OK;
}

#define DISK_PASS(name, args, call)                                            \
	static int disk_##name args                                            \
	{                                                                      \
		sqlite3_file *real = ((struct disk_handle *)f)->real;          \
		return real->pMethods->call;                                   \
	}
/* clang-format off */
DISK_PASS(read, (sqlite3_file *f, void *p, int n, sqlite3_int64 at),
    xRead(real, p, n, at))
DISK_PASS(size, (sqlite3_file *f, sqlite3_int64 *n), xFileSize(real, n))
DISK_PASS(lock, (sqlite3_file *f, int how), xLock(real, how))
DISK_PASS(unlock, (sqlite3_file *f, int how), xUnlock(real, how))
DISK_PASS(reserved, (sqlite3_file *f, int *r), xCheckReservedLock(real, r))
DISK_PASS(control, (sqlite3_file *f, int op, void *p),
    xFileControl(real, op, p))
DISK_PASS(sector, (sqlite3_file *f), xSectorSize(real))
DISK_PASS(device, (sqlite3_file *f), xDeviceCharacteristics(real))
DISK_PASS(shm_map, (sqlite3_file *f, int i, int n, int w, void volatile **p),
    xShmMap(real, i, n, w, p))
DISK_PASS(shm_lock, (sqlite3_file *f, int at, int n, int flags),
    xShmLock(real, at, n, flags))
DISK_PASS(shm_unmap, (sqlite3_file *f, int gone), xShmUnmap(real, gone))
/* clang-format on */

static void
disk_barrier(sqlite3_file *f)
{
	sqlite3_file *real = ((struct disk_handle *)f)->real;

	real->pMethods->xShmBarrier(real);
}

static int
disk_close(sqlite3_file *f)
{
	struct disk_handle *h = (struct disk_handle *)f;
	int code = h->real->pMethods->xClose(h->real);

	free(h->real);
	return code;
}

static const sqlite3_io_methods disk_methods = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_reserved,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_device,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_barrier,
    .xShmUnmap = disk_shm_unmap,
};

static int
disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags,
    int *out_flags)
{
	struct disk_handle *h = (struct disk_handle *)f;
	int code;

	h->base.pMethods = NULL;
	h->file = disk_file_named(path != NULL ? path : "temporary");
	h->real = calloc(1, (size_t)disk_real->szOsFile);
	code = disk_real->xOpen(disk_real, path, h->real, flags, out_flags);
	if (code != SQLITE_OK) {
		free(h->real);
		return code;
	}
	h->base.pMethods = &disk_methods;
	return SQLITE_OK;
}

static int
disk_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	struct disk_file *file = disk_file_named(path);

	disk_forget_writes(file);
	buf_free(&file->synced);
	file->gone = true;
	return disk_real->xDelete(disk_real, path, sync);
}

/* From now on every connection of this process is on this disk. */
static void
disk_install(void)
{
	static sqlite3_vfs vfs;

	disk_real = sqlite3_vfs_find(NULL);
	vfs = *disk_real;
	vfs.zName = "failing";
	vfs.szOsFile = (int)sizeof(struct disk_handle);
	vfs.xOpen = disk_open;
	vfs.xDelete = disk_delete;
	assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

static void
disk_remove(void)
{
	assert_int_equal(sqlite3_vfs_register(disk_real, 1), SQLITE_OK);
	disk_reset();
}

#endif
