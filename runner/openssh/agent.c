/*
 * The agents: which sockets there are, what keys they have, and our own
 * ssh-agent for key files. Private keys and passphrases pass between OpenSSH's
 * tools alone, never through this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"
#include "openssh/agent.h"

enum { LIST_TIMEOUT_S = 5, START_TIMEOUT_MS = 10000 };

int
ssh_agent_open(struct loop *loop, struct ssh_agent **out, struct err *err)
{
	struct ssh_agent *agent = xcalloc(1, sizeof(*agent));

	(void)err; /* nothing is started before it is needed */
	agent->loop = loop;
	agent->arena = arena_new();
	agent->own_leash = -1;
	*out = agent;
	return 0;
}

void
ssh_agent_close(struct ssh_agent *agent)
{
	if (agent == NULL)
		return;
	agent_sign_drop(agent);
	if (agent->own_leash >= 0)
		(void)close(agent->own_leash);
	loop_child_kill(agent->own_child);
	if (agent->own_folder != NULL)
		file_remove_tree(agent->own_folder);
	arena_free(agent->arena);
	free(agent);
}

struct agent_socket *
agent_socket_get(struct ssh_agent *agent, const char *path)
{
	struct agent_socket *socket;

	for (socket = agent->sockets; socket != NULL; socket = socket->next) {
		if (strcmp(socket->path, path) == 0)
			return socket;
	}
	socket = arena_new_of(agent->arena, struct agent_socket);
	socket->agent = agent;
	socket->path = arena_strdup(agent->arena, path);
	socket->fd = -1;
	socket->in.max = 2 * WIRE_MESSAGE_MAX;
	socket->next = agent->sockets;
	agent->sockets = socket;
	return socket;
}

static int
connect_blocking(const char *path, int *out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = LIST_TIMEOUT_S};
	int fd, saved;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) <
		0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) <
		0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) <
		0) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return -1;
	}
	*out = fd;
	return 0;
}

/* One request, one answer; answer is left with the message, length in front.
 * -1 and errno when the agent does not answer. */
static int
exchange(int fd, const struct buf *request, struct buf *answer)
{
	char part[4096];
	ssize_t n;
	long len;

	/* a request is far smaller than a socket's buffer */
	n = send(fd, request->data, request->len, MSG_NOSIGNAL);
	if (n != (ssize_t)request->len)
		return -1;
	while ((len = wire_message_len(answer)) == 0) {
		n = recv(fd, part, sizeof(part), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ECONNRESET;
		if (n <= 0)
			return -1;
		buf_put(answer, part, (size_t)n);
	}
	if (len < 0)
		errno = EPROTO;
	return len < 0 ? -1 : 0;
}

int
agent_socket_list(struct agent_socket *socket, struct err *err)
{
	struct buf request = BUF_INIT;
	struct buf answer = BUF_LIMIT(2 * WIRE_MESSAGE_MAX);
	struct bytes message;
	int fd = -1, r;

	wire_put_list(&request);
	if (connect_blocking(socket->path, &fd) < 0 ||
	    exchange(fd, &request, &answer) < 0) {
		r = err_errno(err, _("the ssh-agent at %s does not answer"),
		    socket->path);
		goto out;
	}
	message.data = answer.data + 4;
	message.len = (size_t)wire_message_len(&answer) - 4;
	r = wire_get_list(socket->agent->arena, message, &socket->keys,
	    &socket->key_count, err);
out:
	/* asked once: a dead SSH_AUTH_SOCK is the same for every host */
	socket->listed = true;
	if (fd >= 0)
		(void)close(fd);
	buf_free(&request);
	buf_free(&answer);
	return r;
}

static void
own_ended(void *arg, int status, int signal)
{
	struct ssh_agent *agent = arg;

	(void)status;
	(void)signal;
	/* Requests now fail by themselves: nobody listens. */
	agent->own_child = NULL;
}

/* ssh-agent says its socket's name when it listens. */
static bool
wait_for_word(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char part[256];
	int n;

	do
		n = poll(&wait, 1, START_TIMEOUT_MS);
	while (n < 0 && errno == EINTR);
	return n == 1 && read(fd, part, sizeof(part)) > 0;
}

/*
 * The shell holds the agent on a leash, the pipe on its stdin: the leash goes
 * when we close it, or die in whatever way, and then the agent with the keys
 * goes too, and its folder.
 */
static int
own_spawn(struct ssh_agent *agent, int leash_end, int word_end, struct err *err)
{
	const char *argv[] = {"sh", "-c",
	    "ssh-agent -D -a \"$1/agent\" & exec >/dev/null\n"
	    "read -r _\n"
	    "kill $!; wait; rm -rf \"$1\"",
	    "sh", agent->own_folder, NULL};
	const int fds[] = {leash_end, word_end, STDERR_FILENO};

	return loop_spawn(agent->loop, argv, fds, 3, own_ended, agent,
	    &agent->own_child, err);
}

int
agent_own_start(struct ssh_agent *agent, struct err *err)
{
	int leash[2] = {-1, -1}, word[2] = {-1, -1};
	const char *path;
	int r;

	if (agent->own != NULL)
		return 0;
	if (agent->own_folder == NULL) {
		r = file_make_temporary(agent->arena, &agent->own_folder, err);
		if (r < 0)
			return r;
	}
	path = file_join(agent->arena, agent->own_folder, "agent");
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return err_set(err, ERR_SYSTEM,
		    _("%s: too long for a socket's name; set TMPDIR to a "
		      "shorter folder"),
		    path);
	if (pipe2(leash, O_CLOEXEC) < 0 || pipe2(word, O_CLOEXEC) < 0) {
		r = err_errno(err, _("cannot make a pipe"));
		goto out;
	}
	r = own_spawn(agent, leash[0], word[1], err);
	if (r < 0)
		goto out;
	(void)close(word[1]);
	word[1] = -1;
	if (!wait_for_word(word[0])) {
		loop_child_kill(agent->own_child);
		agent->own_child = NULL;
		r = err_set(err, ERR_SYSTEM,
		    _("cannot start an ssh-agent for key files; is "
		      "openssh-client installed?"));
		goto out;
	}
	loop_child_in_background(agent->own_child);
	agent->own_leash = leash[1];
	leash[1] = -1;
	agent->own = agent_socket_get(agent, path);
out:
	for (int i = 0; i < 2; i++) {
		if (leash[i] >= 0)
			(void)close(leash[i]);
		if (word[i] >= 0)
			(void)close(word[i]);
	}
	return r;
}
