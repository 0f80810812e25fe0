/*
 * Runs `ssh -G`, for some hosts at once: most of its time it waits for the
 * dynamic linker. It reads nothing of what comes back.
 */
#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "openssh/run.h"
#include "openssh/settings.h"

enum { AT_ONCE_LEAST = 4, AT_ONCE_MOST = 16 };

struct asking {
	struct arena *arena;
	struct loop *loop;
	const char *config;
	const struct openssh_wanted *wanted;
	size_t count;
	const char **texts;
	size_t next; /* not asked yet */
	int running;

	/* the first host, in their order, that went wrong */
	size_t wrong;
	struct err err;
	int error;
};

struct asked {
	struct asking *asking;
	size_t index;
};

static const char *const *
settings_argv(struct arena *arena, const char *config,
    const struct openssh_wanted *wanted)
{
	const char **argv = NULL;
	size_t count = 0, cap = 0;

	*arena_push(arena, argv, count, cap) = "ssh";
	*arena_push(arena, argv, count, cap) = "-G";
	*arena_push(arena, argv, count, cap) = "-T";
	if (config != NULL && *config != '\0') {
		*arena_push(arena, argv, count, cap) = "-F";
		*arena_push(arena, argv, count, cap) = config;
	}
	if (wanted->port > 0) {
		*arena_push(arena, argv, count, cap) = "-p";
		*arena_push(arena, argv, count, cap) =
		    arena_printf(arena, "%d", wanted->port);
	}
	if (wanted->user != NULL && *wanted->user != '\0') {
		*arena_push(arena, argv, count, cap) = "-l";
		*arena_push(arena, argv, count, cap) = wanted->user;
	}
	*arena_push(arena, argv, count, cap) = "--";
	*arena_push(arena, argv, count, cap) = wanted->name;
	*arena_push(arena, argv, count, cap) = NULL;
	return argv;
}

/* No more are started; those that run may still be of an earlier host. */
static void
ask_wrong(struct asking *asking, size_t index, int error, const struct err *err)
{
	asking->next = asking->count;
	if (asking->error != 0 && asking->wrong < index)
		return;
	asking->wrong = index;
	asking->err = *err;
	asking->error = error;
}

static void
ask_refused(
    struct asking *asking, size_t index, const struct loop_child_result *result)
{
	const char *name = asking->wanted[index].name;
	struct err err = ERR_INIT;
	struct buf errors = BUF_INIT;
	int r;

	buf_put(&errors, result->err.data, result->err.len);
	if (result->timed_out)
		r = err_set(&err, ERR_SYSTEM,
		    _("host %s: `ssh -G` did not end in time and was killed; "
		      "what does a `Match exec` of ssh_config wait for?"),
		    name);
	else
		r = err_set(&err, ERR_PLAN,
		    _("host %s: ssh does not accept its settings: %s; see "
		      "`ssh -G %s`"),
		    name, openssh_said(asking->arena, &errors), name);
	ask_wrong(asking, index, r, &err);
	buf_free(&errors);
}

/* The lines that are read: a sixth of what ssh prints. */
static const char *
used_lines(struct arena *arena, struct bytes said)
{
	const char *p = said.data, *end = p + said.len, *eol;
	struct buf used = BUF_INIT;
	const char *text;

	for (; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (eol == NULL)
			break;
		if (settings_uses(p, (size_t)(eol - p)))
			buf_put(&used, p, (size_t)(eol - p) + 1);
	}
	text = arena_strdup(arena, buf_str(&used));
	buf_free(&used);
	return text;
}

static void ask_more(struct asking *asking);

static void
ask_done(void *arg, const struct loop_child_result *result)
{
	struct asked *asked = arg;
	struct asking *asking = asked->asking;

	asking->running--;
	if (result->timed_out || result->signal != 0 || result->status != 0)
		ask_refused(asking, asked->index, result);
	else
		asking->texts[asked->index] =
		    used_lines(asking->arena, result->out);
	ask_more(asking);
}

static int
at_once(void)
{
	long n = 2 * sysconf(_SC_NPROCESSORS_ONLN);

	return n < AT_ONCE_LEAST  ? AT_ONCE_LEAST
	       : n > AT_ONCE_MOST ? AT_ONCE_MOST
				  : (int)n;
}

static void
ask_more(struct asking *asking)
{
	for (; asking->running < at_once() && asking->next < asking->count;
	     asking->next++) {
		struct openssh_run run = {0};
		struct loop_child_options options;
		struct asked *asked;
		struct err err = ERR_INIT;
		int r;

		if (asking->texts[asking->next] != NULL)
			continue;
		run.argv = settings_argv(asking->arena, asking->config,
		    &asking->wanted[asking->next]);
		options = openssh_run_options(asking->arena, &run);
		asked = arena_new_of(asking->arena, struct asked);
		asked->asking = asking;
		asked->index = asking->next;
		r = loop_child_start(
		    asking->loop, &options, ask_done, asked, NULL, &err);
		if (r < 0) {
			ask_wrong(asking, asking->next, r, &err);
			return;
		}
		asking->running++;
	}
}

int
settings_ask(struct arena *arena, const char *config,
    const struct openssh_wanted *wanted, size_t count, const char **texts,
    struct err *err)
{
	struct asking asking = {
	    .arena = arena,
	    .config = config,
	    .wanted = wanted,
	    .count = count,
	    .texts = texts,
	};
	int r;

	while (asking.next < count && texts[asking.next] != NULL)
		asking.next++;
	if (asking.next == count)
		return 0;
	r = loop_open(&asking.loop, err);
	if (r < 0)
		return r;
	ask_more(&asking);
	if (asking.running > 0)
		loop_run(asking.loop);
	loop_close(asking.loop);
	if (asking.error != 0 && err != NULL)
		*err = asking.err;
	return asking.error;
}
