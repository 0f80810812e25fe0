/*
 * Passwords for sudo, had from the commands that the inventory names: each is
 * run once a call of hoshu, before any host is connected, with the terminal at
 * hand (a password store may ask for its own). What it prints goes from the
 * pipe into locked memory and nowhere else.
 */
#include "base/i18n.h"
#include "base/secret.h"
#include "cmd/context.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PASSWORD_WITHIN_MS = 5 * 60 * 1000 }; /* a person types another */

extern char **environ;

struct context_password {
	struct context_password *next;
	const char *const *argv;
	struct secret *secret;
};

static bool
argv_same(const char *const *a, const char *const *b)
{
	for (; *a != NULL && *b != NULL; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return *a == NULL && *b == NULL;
}

static int
password_spawn(const char *const *argv, int *from, pid_t *pid, struct err *err)
{
	posix_spawn_file_actions_t actions;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, _("the password of sudo"));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	r = posix_spawnp(
	    pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (r != 0) {
		close(fds[0]);
		return err_set(err, ERR_FAILED,
		    _("the password of sudo: %s cannot be started: %s; see "
		      "become: in the inventory"),
		    argv[0], strerror(r));
	}
	*from = fds[0];
	return 0;
}

/* All that it prints; -1 when it takes too long or prints too much. */
static ssize_t
password_read(int from, char *room)
{
	struct pollfd poll_fd = {.fd = from, .events = POLLIN};
	size_t len = 0;

	while (len < SECRET_MAX) {
		ssize_t n;
		int ready = poll(&poll_fd, 1, PASSWORD_WITHIN_MS);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return -1;
		n = read(from, room + len, SECRET_MAX - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : (ssize_t)len;
		len += (size_t)n;
	}
	return -1;
}

/* Its first line, which sudo can take. */
static int
password_take(const char *const *argv, struct secret *secret, ssize_t len,
    int status, struct err *err)
{
	char *room = secret_room(secret);
	char *end = len > 0 ? memchr(room, '\n', (size_t)len) : NULL;

	if (end != NULL)
		len = end - room;
	if (len < 0 || status != 0)
		return err_set(err, ERR_FAILED,
		    _("the password of sudo: %s failed, or did not end; run it "
		      "by hand, and see become: in the inventory"),
		    argv[0]);
	if (len == 0 || memchr(room, '\0', (size_t)len) != NULL)
		return err_set(err, ERR_FAILED,
		    _("the password of sudo: the first line that %s prints is "
		      "none; see become: in the inventory"),
		    argv[0]);
	secret_set_len(secret, (size_t)len);
	return 0;
}

static int
password_run(const char *const *argv, struct secret *secret, struct err *err)
{
	int from = -1, status = -1, r;
	ssize_t len;
	pid_t pid;

	if ((r = password_spawn(argv, &from, &pid, err)) < 0)
		return r;
	len = password_read(from, secret_room(secret));
	close(from);
	if (len < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return password_take(argv, secret, len, status, err);
}

int
context_password(struct context *context, const char *const *argv,
    const struct secret **out, struct err *err)
{
	struct context_password *password = context->passwords;
	int r;

	while (password != NULL && !argv_same(password->argv, argv))
		password = password->next;
	if (password == NULL) {
		password =
		    arena_new_of(context->arena, struct context_password);
		password->argv = argv;
		if ((r = secret_new(&password->secret, err)) < 0)
			return r;
		password->next = context->passwords;
		context->passwords = password;
		r = password_run(argv, password->secret, err);
		if (r < 0)
			return r;
	}
	*out = password->secret;
	return 0;
}

void
context_passwords_free(struct context *context)
{
	struct context_password *password = context->passwords;

	for (; password != NULL; password = password->next)
		secret_free(password->secret);
	context->passwords = NULL;
}
