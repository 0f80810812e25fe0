/* What the files of seam/ share. */
#ifndef HOSHU_SEAM_INSIDE_H
#define HOSHU_SEAM_INSIDE_H

#include "seam/seam.h"

/*
 * On the wire: four big-endian words {type, host, job, size of the body}, then
 * the body, or a descriptor that holds it (SEAM_IN_FILE set in type). The body
 * is for each field {u32 len, bytes, NUL}.
 */
enum { SEAM_HEADER = 16 };
#define SEAM_IN_FILE 0x80000000u

/* Must a message of this type carry a descriptor? */
bool seam_carries(enum seam_type type);

void seam_put_u32(unsigned char *out, uint32_t value);
uint32_t seam_get_u32(const unsigned char *data);

/* Write the body of size seam_size() at out. */
void seam_body_write(
    unsigned char *out, const struct bytes *fields, size_t count);
/* Split a body into as many fields as the type has; 0, or -ERR_INTERNAL. */
int seam_body_read(struct seam_message *message, const unsigned char *body,
    size_t len, struct err *err) MUST_USE;

/* The body as a sealed memfd; -1 and errno. */
int seam_body_to_file(const unsigned char *body, size_t len);
/* The other way: owned bytes in *body. Refuses what is not sealed, or not of
 * exactly that size. Does not close fd. */
int seam_body_of_file(
    int fd, size_t len, unsigned char **body, struct err *err) MUST_USE;

#endif
