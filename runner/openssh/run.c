/*
 * Run one of OpenSSH's tools so that it can neither hang nor ask where nobody
 * is.
 */
#include <string.h>
#include <unistd.h>

#include "openssh/run.h"

enum {
	RUN_TIMEOUT_MS = 30000,
	RUN_MAX_BYTES = 1 << 20,
	SAID_MAX_BYTES = 400,
};

extern char **environ;

static bool
is_set(const char *variable, const char *name)
{
	size_t len = strlen(name);

	return strncmp(variable, name, len) == 0 && variable[len] == '=';
}

/* This process's environment, but: the agent asked for; no window that asks
 * for passphrases, since we have a terminal or nobody; times in UTC, because
 * ssh-keygen's -Overify-time is local time. */
static const char *const *
environment(struct arena *arena, const char *agent)
{
	const char **env = NULL;
	size_t count = 0, cap = 0, i;

	for (i = 0; environ[i] != NULL; i++) {
		if (is_set(environ[i], "SSH_ASKPASS") ||
		    is_set(environ[i], "SSH_ASKPASS_REQUIRE") ||
		    is_set(environ[i], "TZ") || is_set(environ[i], "LC_ALL"))
			continue;
		if (agent != NULL && is_set(environ[i], "SSH_AUTH_SOCK"))
			continue;
		*arena_push(arena, env, count, cap) = environ[i];
	}
	*arena_push(arena, env, count, cap) = "SSH_ASKPASS_REQUIRE=never";
	*arena_push(arena, env, count, cap) = "TZ=UTC";
	*arena_push(arena, env, count, cap) = "LC_ALL=C";
	if (agent != NULL)
		*arena_push(arena, env, count, cap) =
		    arena_printf(arena, "SSH_AUTH_SOCK=%s", agent);
	*arena_push(arena, env, count, cap) = NULL;
	return env;
}

struct loop_child_options
openssh_run_options(struct arena *arena, const struct openssh_run *run)
{
	bool ask = run->may_ask && isatty(STDIN_FILENO);
	struct loop_child_options options = {
	    .argv = run->argv,
	    .env = environment(arena, run->agent),
	    .input = run->input,
	    .max_bytes = RUN_MAX_BYTES,
	    /* a person may take long over a passphrase */
	    .timeout_ms = ask ? 0 : RUN_TIMEOUT_MS,
	    .own_session = !ask,
	};

	return options;
}

int
openssh_run(const struct openssh_run *run, int *status, struct buf *out,
    struct buf *errors, struct err *err)
{
	struct arena *arena = arena_new();
	struct loop_child_options options = openssh_run_options(arena, run);
	int r;

	r = loop_child_run(&options, status, out, errors, err);
	arena_free(arena);
	return r;
}

const char *
openssh_said(struct arena *arena, const struct buf *errors)
{
	const char *p = buf_str(errors), *end;
	char *said = arena_strdup(arena, "");
	size_t len;

	for (; *p != '\0'; p = *end != '\0' ? end + 1 : end) {
		end = p + strcspn(p, "\r\n");
		len = (size_t)(end - p);
		/* the frame of "UNPROTECTED PRIVATE KEY FILE!" */
		if (len == 0 || *p == '@')
			continue;
		if (strlen(said) + len > SAID_MAX_BYTES)
			break;
		said = arena_printf(arena, "%s%s%.*s", said,
		    *said != '\0' ? "; " : "", (int)len, p);
	}
	return *said != '\0' ? said : "it gave no reason";
}
