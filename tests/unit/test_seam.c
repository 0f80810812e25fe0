/*
 * The seam: messages there and back, large bodies, descriptors, and what a
 * worker that was taken over could send.
 * covers: P11
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "seam/inside.h"

struct ends {
	struct seam *here;
	struct seam *there;
	int raw; /* the far end's descriptor, to send anything at all */
};

static void
ends_open(struct ends *ends)
{
	struct err err = ERR_INIT;
	int fds[2];

	assert_int_equal(seam_pair(fds, &err), 0);
	ends->here = seam_new(fds[0], SEAM_ANSWER_MAX);
	ends->there = seam_new(fds[1], SEAM_BODY_MAX);
	ends->raw = fds[1];
}

static void
ends_close(struct ends *ends)
{
	seam_free(ends->here);
	seam_free(ends->there);
}

static int
count_open_files(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void
every_message_comes_out_as_it_went_in(void **state)
{
	struct ends ends;

	ends_open(&ends);
	for (int t = SEAM_NONE + 1; t < SEAM_TYPES; t++) {
		enum seam_type type = (enum seam_type)t;
		size_t count = seam_field_count(type);
		struct bytes fields[SEAM_FIELDS_MAX];
		char texts[SEAM_FIELDS_MAX][32];
		struct seam_message message;
		struct err err = ERR_INIT;
		int fd = seam_carries(type) ? dup(0) : -1;

		assert_true(count <= SEAM_FIELDS_MAX);
		for (size_t i = 0; i < count; i++) {
			snprintf(texts[i], sizeof(texts[i]), "%s %zu",
			    seam_name(type), i);
			fields[i] = bytes_of(texts[i]);
		}
		seam_send(ends.there, type, 7, (uint32_t)t, fd, fields, count);
		assert_int_equal(seam_recv(ends.here, &message, &err), 1);
		assert_int_equal(message.type, type);
		assert_int_equal(message.host, 7);
		assert_int_equal(message.job, t);
		assert_int_equal(message.count, count);
		assert_int_equal(message.fd >= 0, seam_carries(type));
		for (size_t i = 0; i < count; i++)
			assert_string_equal(message.fields[i].data, texts[i]);
		if (message.fd >= 0)
			close(message.fd);
	}
	ends_close(&ends);
}

static void
fields_are_found_by_name(void **state)
{
	struct ends ends;
	struct seam_message message;
	struct bytes fields[] = {bytes_of("/x"), {"a\0b", 3}, bytes_of("12x")};
	struct err err = ERR_INIT;

	ends_open(&ends);
	seam_send(ends.there, SEAM_EVAL, 0, 1, -1, fields, 3);
	assert_int_equal(seam_recv(ends.here, &message, &err), 1);
	assert_string_equal(seam_field_text(&message, "expressions"), "/x");
	assert_int_equal(seam_field(&message, "data").len, 3);
	assert_string_equal(seam_field_text(&message, "data"), "a");
	assert_int_equal(seam_field_int(&message, "deadline_ms", -7), -7);
	fields[2] = bytes_of("-9007199254740993");
	seam_send(ends.there, SEAM_EVAL, 0, 1, -1, fields, 3);
	assert_int_equal(seam_recv(ends.here, &message, &err), 1);
	assert_true(
	    seam_field_int(&message, "deadline_ms", 0) == -9007199254740993);
	ends_close(&ends);
}

static void
a_large_body_goes_in_a_sealed_file(void **state)
{
	struct ends ends;
	struct seam_message message;
	size_t size = 5 << 20;
	char *content = xmalloc(size);
	struct bytes fields[] = {bytes_of("sum"), {content, size}};
	struct err err = ERR_INIT;
	int before;

	for (size_t i = 0; i < size; i++)
		content[i] = (char)(i * 7 >> 3);
	ends_open(&ends);
	before = count_open_files();
	assert_false(seam_fits(fields, 2));
	seam_send(ends.there, SEAM_BLOB, 0, 0, -1, fields, 2);
	assert_int_equal(seam_recv(ends.here, &message, &err), 1);
	assert_int_equal(seam_field(&message, "content").len, size);
	assert_memory_equal(
	    seam_field(&message, "content").data, content, size);
	assert_int_equal(message.fd, -1);
	assert_int_equal(count_open_files(), before);
	ends_close(&ends);
	free(content);
}

static void
sizes_round_the_inline_limit_arrive_whole(void **state)
{
	struct ends ends;
	char *content = xcalloc(1, SEAM_INLINE_MAX + 64);

	ends_open(&ends);
	for (int more = -32; more <= 32; more++) {
		struct bytes fields[] = {
		    bytes_of(""), {content, (size_t)(SEAM_INLINE_MAX + more)}};
		struct seam_message message;
		struct err err = ERR_INIT;

		seam_send(ends.there, SEAM_BLOB, 0, 0, -1, fields, 2);
		assert_int_equal(seam_recv(ends.here, &message, &err), 1);
		assert_int_equal(message.fields[1].len, SEAM_INLINE_MAX + more);
	}
	ends_close(&ends);
	free(content);
}

static void
what_the_socket_does_not_take_waits_in_order(void **state)
{
	struct ends ends;
	char content[30000] = "";
	struct seam_message message;
	struct err err = ERR_INIT;
	int sent = 0, got = 0, r;

	ends_open(&ends);
	while (sent < 100) {
		struct bytes fields[] = {
		    bytes_of(""), {content, sizeof(content)}};

		seam_send(
		    ends.there, SEAM_BLOB, 0, (uint32_t)sent, -1, fields, 2);
		sent++;
	}
	assert_true(seam_waiting(ends.there));
	while (got < sent) {
		while ((r = seam_recv(ends.here, &message, &err)) == 1)
			assert_int_equal(message.job, got++);
		assert_int_equal(r, 0);
		assert_int_equal(seam_flush(ends.there, &err), 0);
	}
	assert_false(seam_waiting(ends.there));
	ends_close(&ends);
}

static void
the_other_end_gone_is_told_after_the_last_message(void **state)
{
	struct ends ends;
	struct seam_message message;
	struct bytes field = bytes_of("1");
	struct err err = ERR_INIT;

	ends_open(&ends);
	seam_send(ends.there, SEAM_PONG, 0, 0, -1, &field, 1);
	seam_free(ends.there);
	assert_int_equal(seam_recv(ends.here, &message, &err), 1);
	assert_int_equal(seam_recv(ends.here, &message, &err), -ERR_SYSTEM);
	/* and sending into the void neither kills nor queues */
	seam_send(ends.here, SEAM_PING, 0, 0, -1, &field, 1);
	assert_false(seam_waiting(ends.here));
	seam_free(ends.here);
}

/* Send any packet at all, with any descriptors. */
static void
send_raw(struct ends *ends, const void *data, size_t len, const int *fds,
    size_t fd_count)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct iovec iov = {(void *)data, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd_count > 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
	}
	assert_int_equal(sendmsg(ends->raw, &msg, 0), (ssize_t)len);
}

static void
expect_refused(const void *data, size_t len, const int *fds, size_t fd_count)
{
	struct ends ends;
	struct seam_message message;
	struct err err = ERR_INIT;
	int before;

	ends_open(&ends);
	before = count_open_files();
	send_raw(&ends, data, len, fds, fd_count);
	assert_int_equal(seam_recv(ends.here, &message, &err), -ERR_INTERNAL);
	assert_int_equal(strncmp(err.text, "seam: ", 6), 0);
	assert_int_equal(count_open_files(), before);
	ends_close(&ends);
}

/* A PONG with the number "1": header, then {len 1, '1', NUL}. */
static size_t
pong(unsigned char *out, uint32_t type, uint32_t size, uint32_t field)
{
	seam_put_u32(out, type);
	seam_put_u32(out + 4, 0);
	seam_put_u32(out + 8, 0);
	seam_put_u32(out + 12, size);
	seam_put_u32(out + 16, field);
	out[20] = '1';
	out[21] = '\0';
	return 22;
}

static void
malformed_packets_are_refused(void **state)
{
	unsigned char packet[64];
	struct ends ends;
	struct seam_message message;
	struct err err = ERR_INIT;
	unsigned char *large;

	/* the sound one first, so that the rest can fail only by its fault */
	ends_open(&ends);
	send_raw(&ends, packet, pong(packet, SEAM_PONG, 6, 1), NULL, 0);
	assert_int_equal(seam_recv(ends.here, &message, &err), 1);
	ends_close(&ends);
	/* every cut of it */
	for (size_t len = 1; len < 22; len++) {
		pong(packet, SEAM_PONG, 6, 1);
		expect_refused(packet, len, NULL, 0);
		if (len > SEAM_HEADER) { /* with a size that fits the cut */
			pong(packet, SEAM_PONG, (uint32_t)len - SEAM_HEADER, 1);
			expect_refused(packet, len, NULL, 0);
		}
	}
	expect_refused(packet, pong(packet, SEAM_PONG, 6, 0xffffffff), NULL, 0);
	expect_refused(packet, pong(packet, SEAM_PONG, 6, 2), NULL, 0);
	expect_refused(packet, pong(packet, SEAM_PONG, 6, 0), NULL, 0);
	expect_refused(packet, pong(packet, SEAM_NONE, 6, 1), NULL, 0);
	expect_refused(packet, pong(packet, SEAM_TYPES, 6, 1), NULL, 0);
	expect_refused(packet, pong(packet, 0x7fffffff, 6, 1), NULL, 0);
	expect_refused(packet, pong(packet, SEAM_QUIT, 6, 1), NULL, 0);
	pong(packet, SEAM_PONG, 7, 1);
	packet[22] = '\0'; /* one byte more than its fields */
	expect_refused(packet, 23, NULL, 0);
	pong(packet, SEAM_PONG, 6, 1);
	packet[21] = 'x'; /* no NUL behind the field */
	expect_refused(packet, 22, NULL, 0);
	large = xcalloc(1, SEAM_INLINE_MAX + 10);
	pong(large, SEAM_PONG, SEAM_INLINE_MAX + 10 - SEAM_HEADER, 1);
	expect_refused(large, SEAM_INLINE_MAX + 10, NULL, 0);
	free(large);
}

static void
descriptors_that_do_not_belong_are_refused_and_closed(void **state)
{
	unsigned char packet[64];
	int fds[16];

	for (int i = 0; i < 16; i++)
		fds[i] = 0;
	pong(packet, SEAM_PONG, 6, 1);
	expect_refused(packet, 22, fds, 1);
	expect_refused(packet, 22, fds, 2);
	expect_refused(packet, 22, fds, 16);
	/* one that must carry one, without */
	pong(packet, SEAM_CHECK_NET, 6, 1);
	expect_refused(packet, 22, NULL, 0);
}

static int
body_file(const void *data, size_t len, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void
a_body_in_a_file_must_be_sealed_and_of_its_size(void **state)
{
	const int sealed =
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	unsigned char packet[64], *body = packet + SEAM_HEADER;
	struct ends ends;
	struct seam_message message;
	struct err err = ERR_INIT;
	int fd, pair[2];

	pong(packet, SEAM_PONG | SEAM_IN_FILE, 6, 1);
	fd = body_file(body, 6, sealed);
	ends_open(&ends);
	send_raw(&ends, packet, SEAM_HEADER, &fd, 1);
	assert_int_equal(seam_recv(ends.here, &message, &err), 1);
	ends_close(&ends);
	/* the sound one with something behind the header, or no file */
	expect_refused(packet, 22, &fd, 1);
	expect_refused(packet, SEAM_HEADER, NULL, 0);
	/* a size that is not the file's, and one above the limit */
	seam_put_u32(packet + 12, 7);
	expect_refused(packet, SEAM_HEADER, &fd, 1);
	seam_put_u32(packet + 12, SEAM_ANSWER_MAX + 1);
	expect_refused(packet, SEAM_HEADER, &fd, 1);
	seam_put_u32(packet + 12, 6);
	close(fd);
	for (int left = 0; left < 4; left++) {
		static const int seals[] = {
		    F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_SEAL};

		fd = body_file(body, 6, sealed & ~seals[left]);
		expect_refused(packet, SEAM_HEADER, &fd, 1);
		close(fd);
	}
	/* no memfd at all */
	assert_int_equal(pipe(pair), 0);
	expect_refused(packet, SEAM_HEADER, &pair[0], 1);
	close(pair[0]);
	close(pair[1]);
}

/* Whatever the bytes are: refused or a message, nothing else; run under ASan
 * this is where a read too far would show. */
static void
random_packets_never_hurt(void **state)
{
	unsigned char packet[256];
	struct ends ends;
	uint32_t seed = 1;
	int messages = 0;

	ends_open(&ends);
	for (int round = 0; round < 200000; round++) {
		size_t len = 22;
		struct seam_message message;
		struct err err = ERR_INIT;

		pong(packet, SEAM_PONG, 6, 1);
		for (size_t i = 22; i < sizeof(packet); i++)
			packet[i] = 0;
		seed = seed * 1664525 + 1013904223;
		if (round % 2 == 0)
			len = 1 + (seed >> 8) % sizeof(packet);
		seed = seed * 1664525 + 1013904223;
		packet[(seed >> 8) % 22] = (unsigned char)(seed >> 24);
		send_raw(&ends, packet, len, NULL, 0);
		int r = seam_recv(ends.here, &message, &err);
		assert_true(r == 1 || r == -ERR_INTERNAL);
		messages += r == 1;
	}
	assert_true(messages > 0);
	ends_close(&ends);
}

static void
the_page_is_shared_and_only_taken_when_it_is_one(void **state)
{
	struct seam_page *mine, *theirs;
	struct err err = ERR_INIT;
	int fd, pair[2];

	assert_int_equal(seam_page_new(&mine, &fd, &err), 0);
	theirs = seam_page_take(dup(fd));
	assert_non_null(theirs);
	theirs->job = 9;
	assert_int_equal(mine->job, 9);
	/* nobody can take the ground from under it */
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
	close(fd);
	seam_page_free(theirs);
	seam_page_free(mine);
	assert_int_equal(pipe(pair), 0);
	assert_null(seam_page_take(pair[0]));
	close(pair[0]);
	close(pair[1]);
	assert_null(seam_page_take(-1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_message_comes_out_as_it_went_in),
	    cmocka_unit_test(fields_are_found_by_name),
	    cmocka_unit_test(a_large_body_goes_in_a_sealed_file),
	    cmocka_unit_test(sizes_round_the_inline_limit_arrive_whole),
	    cmocka_unit_test(what_the_socket_does_not_take_waits_in_order),
	    cmocka_unit_test(the_other_end_gone_is_told_after_the_last_message),
	    cmocka_unit_test(malformed_packets_are_refused),
	    cmocka_unit_test(
		descriptors_that_do_not_belong_are_refused_and_closed),
	    cmocka_unit_test(a_body_in_a_file_must_be_sealed_and_of_its_size),
	    cmocka_unit_test(random_packets_never_hurt),
	    cmocka_unit_test(the_page_is_shared_and_only_taken_when_it_is_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
