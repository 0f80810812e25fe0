/*
 * A message's fields as bytes and back, and the sealed file that carries a
 * body too large for one packet. What comes in is checked byte by byte: it is
 * a worker's, and a worker may have been taken over by what it read.
 */
#include "seam/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"

/* u32 length in front, NUL behind */
enum { FIELD_EXTRA = 5 };

void
seam_put_u32(unsigned char *out, uint32_t value)
{
	out[0] = (unsigned char)(value >> 24);
	out[1] = (unsigned char)(value >> 16);
	out[2] = (unsigned char)(value >> 8);
	out[3] = (unsigned char)value;
}

uint32_t
seam_get_u32(const unsigned char *data)
{
	return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 |
	       (uint32_t)data[2] << 8 | (uint32_t)data[3];
}

size_t
seam_size(const struct bytes *fields, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += FIELD_EXTRA + fields[i].len;
	return size;
}

bool
seam_fits(const struct bytes *fields, size_t count)
{
	return seam_size(fields, count) <= SEAM_INLINE_MAX - SEAM_HEADER;
}

void
seam_body_write(unsigned char *out, const struct bytes *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		seam_put_u32(out, (uint32_t)fields[i].len);
		out += 4;
		if (fields[i].len > 0)
			memcpy(out, fields[i].data, fields[i].len);
		out += fields[i].len;
		*out++ = '\0';
	}
}

int
seam_body_read(struct seam_message *message, const unsigned char *body,
    size_t len, struct err *err)
{
	size_t count = seam_field_count(message->type);
	const char *name = seam_name(message->type);
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		size_t size;

		if (len - at < FIELD_EXTRA)
			return err_set(err, ERR_INTERNAL,
			    "seam: message %s ends in field %zu", name, i);
		size = seam_get_u32(body + at);
		at += 4;
		if (size > len - at - 1 || body[at + size] != '\0')
			return err_set(err, ERR_INTERNAL,
			    "seam: message %s: field %zu is longer than it",
			    name, i);
		message->fields[i].data = body + at;
		message->fields[i].len = size;
		at += size + 1;
	}
	if (at != len)
		return err_set(err, ERR_INTERNAL,
		    "seam: message %s has more than %zu fields", name, count);
	message->count = count;
	return 0;
}

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL };

int
seam_body_to_file(const unsigned char *body, size_t len)
{
	size_t at = 0;
	int fd, saved;

	fd = memfd_create("hoshu-seam", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	while (at < len) {
		ssize_t n = write(fd, body + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto fail;
		at += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		goto fail;
	return fd;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Read, not mapped: the kinds of file that a seal can stand on do not all
 * promise that a mapped page can be had. */
int
seam_body_of_file(int fd, size_t len, unsigned char **body, struct err *err)
{
	unsigned char *data = NULL;
	size_t at = 0;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS)
		return err_set(err, ERR_INTERNAL,
		    "seam: a body came in a file that is not sealed");
	/* a worker that is shut in has no fstat */
	if (lseek(fd, 0, SEEK_END) != (off_t)len)
		return err_set(err, ERR_INTERNAL,
		    "seam: a body's file is not of the size it said");
	data = xmalloc(len > 0 ? len : 1);
	while (at < len) {
		ssize_t n = pread(fd, data + at, len - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			free(data);
			return err_set(err, ERR_INTERNAL,
			    "seam: a body's file cannot be read");
		}
		at += (size_t)n;
	}
	*body = data;
	return 0;
}
