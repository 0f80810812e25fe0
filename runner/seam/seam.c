/*
 * One end of the seam: the socket, the queue of what it did not take yet, and
 * receiving with every check that can be made before a message is believed.
 * Knows nothing of what messages mean.
 */
#include "seam/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/i18n.h"

struct packet {
	struct packet *next;
	int fd; /* sent with it and closed; -1 = none */
	size_t len;
	unsigned char data[];
};

/* The queue has no limit of its own: the coordinator's is bounded by its jobs,
 * a worker's by the answers to them. */
struct seam {
	int fd;
	bool gone;
	size_t max_bytes;
	struct packet *first, *last;
	unsigned char *body; /* of the last message, when it came in a file */
	unsigned char packet[SEAM_INLINE_MAX + 1];
};

int
seam_pair(int fds[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, fds) < 0)
		return err_errno(err, _("seam: cannot make a pair of sockets"));
	return 0;
}

struct seam *
seam_new(int fd, size_t max_bytes)
{
	struct seam *seam = xcalloc(1, sizeof(*seam));

	seam->fd = fd;
	seam->max_bytes = max_bytes;
	return seam;
}

static void
queue_pop(struct seam *seam)
{
	struct packet *packet = seam->first;

	if (seam_get_u32(packet->data) == SEAM_SECRET)
		explicit_bzero(packet->data, packet->len);
	seam->first = packet->next;
	if (seam->first == NULL)
		seam->last = NULL;
	if (packet->fd >= 0)
		close(packet->fd);
	free(packet);
}

void
seam_free(struct seam *seam)
{
	if (seam == NULL)
		return;
	while (seam->first != NULL)
		queue_pop(seam);
	free(seam->body);
	close(seam->fd);
	free(seam);
}

/* 1 = sent, 0 = the socket is full, -1 = the other end is gone. */
static int
packet_send(struct seam *seam, const struct packet *packet)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {(void *)packet->data, packet->len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (packet->fd >= 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &packet->fd, sizeof(int));
	}
	while (sendmsg(seam->fd, &msg, MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		/* too many descriptors under way: as full as a full socket */
		if (errno == EAGAIN || errno == ETOOMANYREFS ||
		    errno == ENOBUFS)
			return 0;
		return -1;
	}
	return 1;
}

int
seam_flush(struct seam *seam, struct err *err)
{
	while (seam->first != NULL) {
		int r = packet_send(seam, seam->first);

		if (r == 0)
			return 0;
		if (r < 0) {
			seam->gone = true;
			while (seam->first != NULL)
				queue_pop(seam);
			return err_set(
			    err, ERR_SYSTEM, _("seam: the other end is gone"));
		}
		queue_pop(seam);
	}
	return 0;
}

bool
seam_waiting(const struct seam *seam)
{
	return seam->first != NULL;
}

static struct packet *
packet_new(enum seam_type type, uint32_t host, uint32_t job, int fd,
    const struct bytes *fields, size_t count)
{
	size_t size = seam_size(fields, count);
	bool inside = seam_fits(fields, count);
	size_t len = SEAM_HEADER + (inside ? size : 0);
	struct packet *packet = xmalloc(sizeof(*packet) + len);
	uint32_t word = (uint32_t)type;

	if (inside) {
		seam_body_write(packet->data + SEAM_HEADER, fields, count);
	} else {
		unsigned char *body = xmalloc(size);

		seam_body_write(body, fields, count);
		fd = seam_body_to_file(body, size);
		free(body);
		if (fd < 0) { /* no memory, no descriptor: nothing to do */
			free(packet);
			return NULL;
		}
		word |= SEAM_IN_FILE;
	}
	seam_put_u32(packet->data, word);
	seam_put_u32(packet->data + 4, host);
	seam_put_u32(packet->data + 8, job);
	seam_put_u32(packet->data + 12, (uint32_t)size);
	packet->next = NULL;
	packet->fd = fd;
	packet->len = len;
	return packet;
}

void
seam_send(struct seam *seam, enum seam_type type, uint32_t host, uint32_t job,
    int fd, const struct bytes *fields, size_t count)
{
	struct packet *packet;

	if (count != seam_field_count(type) || (fd >= 0) != seam_carries(type))
		bug("message %s does not fit the table", seam_name(type));
	if (seam_size(fields, count) > SEAM_BODY_MAX ||
	    (fd >= 0 && !seam_fits(fields, count)))
		bug("message %s is too large", seam_name(type));
	if (seam->gone) {
		if (fd >= 0)
			close(fd);
		return;
	}
	packet = packet_new(type, host, job, fd, fields, count);
	if (packet == NULL) {
		/* a message lost would be a job without an answer */
		seam->gone = true;
		(void)shutdown(seam->fd, SHUT_RDWR);
		return;
	}
	if (seam->last != NULL)
		seam->last->next = packet;
	else
		seam->first = packet;
	seam->last = packet;
	if (seam->first == packet)
		(void)!seam_flush(seam, NULL);
}

/* The one descriptor that came, -1 when none; -2 when more came (all closed)
 * or something else. */
static int
take_descriptor(struct msghdr *msg)
{
	int fd = -1, more = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			more = 1;
			continue;
		}
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int one;

			memcpy(
			    &one, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (fd < 0) {
				fd = one;
			} else {
				close(one);
				more = 1;
			}
		}
	}
	if (more == 0 && (msg->msg_flags & MSG_CTRUNC) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -2;
}

/* Judge one packet; *fd is the descriptor that came with it, set to -1 when
 * it was used up or given to the message. */
static int
packet_read(struct seam *seam, size_t len, int *fd,
    struct seam_message *message, struct err *err)
{
	const unsigned char *head = seam->packet, *body = head + SEAM_HEADER;
	uint32_t word;
	size_t size;
	int r;

	if (len < SEAM_HEADER || len > SEAM_INLINE_MAX)
		return err_set(
		    err, ERR_INTERNAL, "seam: a message of %zu bytes", len);
	word = seam_get_u32(head);
	size = seam_get_u32(head + 12);
	if ((word & ~SEAM_IN_FILE) == SEAM_NONE ||
	    (word & ~SEAM_IN_FILE) >= SEAM_TYPES)
		return err_set(err, ERR_INTERNAL,
		    "seam: no message has the number %u", word & ~SEAM_IN_FILE);
	message->type = (enum seam_type)(word & ~SEAM_IN_FILE);
	message->host = seam_get_u32(head + 4);
	message->job = seam_get_u32(head + 8);
	message->fd = -1;
	if (size > seam->max_bytes)
		return err_set(err, ERR_INTERNAL,
		    "seam: message %s of %zu bytes, at most %zu",
		    seam_name(message->type), size, seam->max_bytes);
	if ((word & SEAM_IN_FILE) != 0) {
		if (len != SEAM_HEADER || *fd < 0 ||
		    seam_carries(message->type))
			return err_set(err, ERR_INTERNAL,
			    "seam: message %s without its body",
			    seam_name(message->type));
		r = seam_body_of_file(*fd, size, &seam->body, err);
		if (r < 0)
			return r;
		close(*fd);
		*fd = -1;
		body = seam->body;
	} else if (size != len - SEAM_HEADER ||
		   (*fd >= 0) != seam_carries(message->type)) {
		return err_set(err, ERR_INTERNAL,
		    "seam: message %s with a wrong size or descriptor",
		    seam_name(message->type));
	}
	r = seam_body_read(message, body, size, err);
	if (r < 0)
		return r;
	message->fd = *fd;
	*fd = -1;
	return 1;
}

void
seam_wipe(struct seam *seam)
{
	explicit_bzero(seam->packet, sizeof(seam->packet));
}

int
seam_recv(struct seam *seam, struct seam_message *message, struct err *err)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = {seam->packet, sizeof(seam->packet)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control.room)};
	ssize_t n;
	int fd, r;

	free(seam->body);
	seam->body = NULL;
	do {
		n = recvmsg(seam->fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return seam->gone ? err_set(err, ERR_SYSTEM,
					_("seam: the other end is gone"))
				  : 0;
	if (n < 0)
		return err_errno(err, _("seam: the other end is gone"));
	fd = take_descriptor(&msg);
	if (n == 0 && fd == -1)
		return err_set(
		    err, ERR_SYSTEM, _("seam: the other end is gone"));
	if (fd == -2)
		return err_set(err, ERR_INTERNAL,
		    "seam: a message with more than one descriptor");
	memset(message, 0, sizeof(*message));
	r = packet_read(seam, (size_t)n, &fd, message, err);
	if (fd >= 0)
		close(fd);
	return r;
}
