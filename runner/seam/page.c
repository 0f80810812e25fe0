/*
 * The page that says what a worker is at. Written by the worker with plain
 * stores, read by the coordinator after the worker's death.
 */
#include "seam/inside.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_SIZE_BYTES = 4096 };

int
seam_page_new(struct seam_page **page, int *fd, struct err *err)
{
	int file, r = 0;
	void *map;

	file = memfd_create("hoshu-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (file < 0)
		return err_errno(err, "seam: cannot make the shared page");
	/* without the seals a worker could shrink it under our feet: SIGBUS */
	if (ftruncate(file, PAGE_SIZE_BYTES) < 0 ||
	    fcntl(file, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		r = err_errno(err, "seam: cannot seal the shared page");
		goto out;
	}
	map = mmap(
	    NULL, PAGE_SIZE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (map == MAP_FAILED) {
		r = err_errno(err, "seam: cannot map the shared page");
		goto out;
	}
	*page = map;
	*fd = file;
	file = -1;
out:
	if (file >= 0)
		close(file);
	return r;
}

struct seam_page *
seam_page_take(int fd)
{
	struct stat st;
	void *map = MAP_FAILED;

	if (fcntl(fd, F_GET_SEALS) >= 0 && fstat(fd, &st) == 0 &&
	    st.st_size == PAGE_SIZE_BYTES) {
		map = mmap(NULL, PAGE_SIZE_BYTES, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
		close(fd);
	}
	return map == MAP_FAILED ? NULL : map;
}

void
seam_page_free(struct seam_page *page)
{
	if (page != NULL)
		munmap(page, PAGE_SIZE_BYTES);
}
