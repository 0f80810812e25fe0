/*
 * Bytes between the socket and libssh2. Must not know what they mean.
 *
 * libssh2 reads a banner byte by byte and would read as long as anything
 * comes: so input is buffered, and a turn is bounded. Acknowledgements are
 * not delayed (sshd's Nagle would wait for them, 40 ms each).
 */
#include "remote/inside.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

void
wire_start(struct wire *wire, int fd)
{
	int on = 1, idle_s = 15, tries = 3, silence_ms = 45000;

	wire->fd = fd;
	wire->out = (struct buf)BUF_LIMIT(WIRE_OUT_MAX);
	/* An ssh -W comes as a unix socket: then bastion and ssh see to it. */
	wire->tcp =
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0;
	if (!wire->tcp)
		return;
	/* A peer that is gone without a word is found within 45 s; a kernel
	 * that refuses one of these leaves it to the jobs' deadlines. */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle_s, sizeof(idle_s));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof(silence_ms));
}

/* 1 = there is input, 0 = none now. */
static int
wire_fill(struct wire *wire)
{
	int on = 1;
	ssize_t n;

	if (wire->ended || wire->dry || wire->turn >= WIRE_TURN)
		return 0;
	do
		n = recv(wire->fd, wire->in, sizeof(wire->in), MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	/* fewer than asked for: that was all, for now */
	wire->dry = n < (ssize_t)sizeof(wire->in);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n <= 0) {
		wire->ended = true;
		wire->error = n < 0 ? errno : 0;
		return 0;
	}
	if (wire->tcp)
		(void)setsockopt(
		    wire->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	wire->in_at = 0;
	wire->in_len = (size_t)n;
	wire->got += (uint64_t)n;
	return 1;
}

ssize_t
wire_recv(libssh2_socket_t fd, void *buffer, size_t length, int flags,
    void **abstract)
{
	struct wire *wire = &((struct remote *)*abstract)->wire;
	size_t n;

	if (wire->cut)
		return -ECONNRESET;
	if (wire->in_at == wire->in_len && !wire_fill(wire)) {
		/* The end is told only once all that came before is used. */
		if (wire->told)
			return wire->error != 0 ? -wire->error : 0;
		return -EAGAIN;
	}
	n = wire->in_len - wire->in_at;
	if (n > length)
		n = length;
	memcpy(buffer, wire->in + wire->in_at, n);
	wire->in_at += n;
	wire->turn += n;
	return (ssize_t)n;
}

ssize_t
wire_send(libssh2_socket_t fd, const void *buffer, size_t length, int flags,
    void **abstract)
{
	struct wire *wire = &((struct remote *)*abstract)->wire;

	if (wire->cut || wire->told)
		return -EPIPE;
	buf_put(&wire->out, buffer, length);
	if (wire->out.full)
		return -EPIPE;
	wire->queued += length;
	return (ssize_t)length;
}

void
wire_flush(struct wire *wire)
{
	size_t at = 0;
	ssize_t n;

	if (wire->out.len == 0 || wire->ended)
		return;
	while (at < wire->out.len) {
		n = send(wire->fd, wire->out.data + at, wire->out.len - at,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		at += (size_t)n;
	}
	/* A send that fails says nothing yet: what the host said before it
	 * hung up is still to be read, and then recv tells. */
	if (at == 0)
		return;
	buf_eat(&wire->out, at);
	if (wire->got != wire->got_flushed) {
		wire->got_flushed = wire->got;
		wire->flights++;
	}
}

bool
wire_has_room(struct wire *wire)
{
	if (wire->out.len < WIRE_OUT_FULL)
		return true;
	wire->held = true;
	return false;
}
