/* What a worker sends, from its packets to the answer of a job. Input: the
 * first byte says what the job is; then packets: a byte (1: with a file, 2:
 * sealed), two bytes of length, the packet, and the same for the file. */
#include "base/text.h"
#include "fleet/inside.h"
#include "fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const enum seam_type jobs[] = {SEAM_DESCRIBE, SEAM_PROBE, SEAM_EVAL,
    SEAM_CHECK, SEAM_CHECK_NET, SEAM_LAUNCH, SEAM_SETTLE, SEAM_SYNC,
    SEAM_OUTPUT};

static void
check_line(const char *text)
{
	fuzz_check(text != NULL && text_is_utf8(text, strlen(text)));
	for (; *text != '\0'; text++)
		fuzz_check((unsigned char)*text >= ' ');
}

static void
check_answer(const struct answer *answer)
{
	switch (answer->kind) {
	case ANSWER_FAILED:
		check_line(answer->text);
		check_line(answer->file);
		fuzz_check(answer->line >= 0 && answer->why != NULL);
		break;
	case ANSWER_CHECKED:
		check_line(answer->text);
		check_line(answer->value);
		break;
	case ANSWER_DESCRIBED:
	case ANSWER_VALUE:
		fuzz_check(text_is_utf8(answer->json.data, answer->json.len));
		break;
	case ANSWER_SEEN:
		fuzz_check(text_is_utf8(answer->seen.data, answer->seen.len));
		check_line(answer->summary.data);
		break;
	case ANSWER_VERDICT:
		fuzz_check(answer->rc >= 0 && answer->rc <= 255);
		fuzz_check(answer->verdict >= VERDICT_NOTRUN &&
			   answer->verdict <= VERDICT_OTHERLIFE);
		break;
	case ANSWER_MORE:
		fuzz_check(answer->out.len <= FLEET_MORE_MAX);
		break;
	case ANSWER_OPENED:
	case ANSWER_CLOSED:
		fuzz_check(!"an answer of another kind");
	}
}

static void
take(const struct seam_message *message, enum seam_type type)
{
	char xid[] = "0123456789abcdef0123456789abcdef";
	struct job job = {.type = type, .xid = xid};
	struct arena *arena = arena_new();
	struct answer answer;
	struct err err = ERR_INIT;

	memset(&answer, 0, sizeof(answer));
	fuzz_check(message->count == seam_field_count(message->type));
	if (message->type == SEAM_OPENED) {
		answer_opened(arena, message, &answer);
		check_line(answer.gaps);
	} else if (message->type == SEAM_CLOSED) {
		fuzz_check(
		    answer_closed_why(seam_field_text(message, "why")) != NULL);
	} else if (message->type >= SEAM_DESCRIBED) {
		if (answer_read(arena, &job, message, &answer, &err) < 0)
			fuzz_check(err.code == ERR_INTERNAL);
		else
			check_answer(&answer);
	}
	arena_free(arena);
}

static int
make_file(const char *content, size_t len, bool sealed)
{
	int fd = memfd_create("body", MFD_ALLOW_SEALING);

	fuzz_check(fd >= 0 && write(fd, content, len) == (ssize_t)len);
	if (sealed)
		fuzz_check(fcntl(fd, F_ADD_SEALS,
			       F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
				   F_SEAL_WRITE) == 0);
	return fd;
}

static void
send_packet(int socket, struct fuzz_input *in)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	uint32_t how = fuzz_take(in, 1);
	size_t len = fuzz_take(in, 2), file_len;
	char *packet = fuzz_piece(in, &len), *content;
	struct iovec iov = {packet, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int fd = -1;

	if (how & 1) {
		struct cmsghdr *c;

		file_len = fuzz_take(in, 2);
		content = fuzz_piece(in, &file_len);
		fd = make_file(content, file_len, (how & 2) != 0);
		free(content);
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	(void)!sendmsg(socket, &msg, MSG_NOSIGNAL);
	if (fd >= 0)
		close(fd);
	free(packet);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	enum seam_type type =
	    jobs[fuzz_take(&in, 1) % (sizeof(jobs) / sizeof(*jobs))];
	struct seam_message message;
	struct err err = ERR_INIT;
	struct seam *seam;
	int fds[2], r = 1;

	fuzz_check(seam_pair(fds, &err) == 0);
	seam = seam_new(fds[0], SEAM_ANSWER_MAX);
	while (in.size > 0 && r >= 0) {
		send_packet(fds[1], &in);
		while ((r = seam_recv(seam, &message, &err)) > 0) {
			if (message.fd >= 0)
				close(message.fd);
			take(&message, type);
		}
	}
	seam_free(seam);
	close(fds[1]);
	return 0;
}
