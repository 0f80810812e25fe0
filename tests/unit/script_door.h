/*
 * A door for the tests of script/: asks wait in a slot until door_pump runs
 * them with a local shell, or with HOSHU_TEST_DOOR ("ssh host sh"), which
 * reads the text as its input, as host.sh would evaluate it.
 */
#ifndef TESTS_SCRIPT_DOOR_H
#define TESTS_SCRIPT_DOOR_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/quote.h"
#include "script/script.h"

struct test_door {
	struct script_door door;
	const char *command; /* for /bin/sh -c: "dash", "ssh host sh" */
	struct buf text;     /* the ask that waits */
	void (*done)(void *arg, const struct script_reply *reply);
	void *arg;
	bool waiting;
	int asks;
};

struct test_answer {
	bool came;
	bool failed;
	struct script_failure failure;
	char *verdict, *reason, *effects, *diff, *summary;
	char *params, *seen, *want, *info, *apply, *undo;
};

static inline void
slurp(FILE *file, struct buf *out)
{
	char piece[4096];
	size_t n;

	rewind(file);
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		if (out != NULL)
			buf_put(out, piece, n);
}

/* What the shell reads is a file, so that nothing it starts can eat it. */
static inline int
run_text(const char *command, const char *text, size_t len, struct buf *out,
    struct buf *err)
{
	FILE *in = tmpfile(), *o = tmpfile(), *e = tmpfile();
	int status = -1;
	pid_t pid;

	if (in == NULL || o == NULL || e == NULL)
		abort();
	fwrite(text, 1, len, in);
	fflush(in);
	rewind(in);
	if ((pid = fork()) == 0) {
		dup2(fileno(in), 0);
		dup2(fileno(o), 1);
		dup2(fileno(e), 2);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(126);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	slurp(o, out);
	slurp(e, err);
	fclose(in);
	fclose(o);
	fclose(e);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run a text as `ask` would; its exit status. out and err may be NULL. */
static inline int
door_run(
    struct test_door *door, const char *text, struct buf *out, struct buf *err)
{
	struct buf whole = BUF_INIT;
	int status;

	buf_puts(&whole,
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
	    "/bin LC_ALL=C; export PATH LC_ALL; umask 022; cd /; t=");
	quote_put(&whole, text, strlen(text));
	buf_puts(&whole, "; ( set --; eval \"$t\" ) </dev/null; exit $?\n");
	status = run_text(door->command, whole.data, whole.len, out, err);
	buf_free(&whole);
	return status;
}

/* Launch a script as `launch` would, below folder (S, H and x). */
static inline int
door_launch(struct test_door *door, const char *folder, const char *script,
    struct buf *out, struct buf *err)
{
	struct buf whole = BUF_INIT;
	int status;

	buf_printf(&whole, "S=%s/spool H=%s/home x=%s/spool/xid\n", folder,
	    folder, folder);
	buf_puts(&whole, script);
	status = door_run(door, whole.data, out, err);
	buf_free(&whole);
	return status;
}

static inline void
door_ask(void *state, const char *text, size_t len,
    void (*done)(void *arg, const struct script_reply *reply), void *arg)
{
	struct test_door *door = state;

	buf_reset(&door->text);
	buf_put(&door->text, text, len);
	door->done = done;
	door->arg = arg;
	door->waiting = true;
	door->asks++;
}

static inline void
door_init(struct test_door *door, const char *command)
{
	memset(door, 0, sizeof(*door));
	door->door.ask = door_ask;
	door->door.state = door;
	door->command = command;
}

static inline void
door_drop(struct test_door *door)
{
	buf_free(&door->text);
}

/* Answer the ask that waits; false: none does. */
static inline bool
door_pump(struct test_door *door)
{
	struct buf out = BUF_LIMIT(64 * 1024), err = BUF_LIMIT(64 * 1024);
	struct script_reply reply;

	if (!door->waiting)
		return false;
	door->waiting = false;
	reply.status = door_run(door, buf_str(&door->text), &out, &err);
	reply.out = buf_bytes(&out);
	reply.err = buf_bytes(&err);
	door->done(door->arg, &reply);
	buf_free(&out);
	buf_free(&err);
	return true;
}

static inline char *
copy(struct bytes bytes)
{
	char *text = xmalloc(bytes.len + 1);

	if (bytes.len > 0)
		memcpy(text, bytes.data, bytes.len);
	text[bytes.len] = '\0';
	return text;
}

/* The done of script_probe: exactly one answer may come. */
static inline void
answer_take(void *arg, const struct script_seen *seen,
    const struct script_failure *failure)
{
	struct test_answer *answer = arg;

	if (answer->came)
		abort(); /* exactly one answer */
	answer->came = true;
	if (failure != NULL) {
		answer->failed = true;
		answer->failure = *failure;
		return;
	}
	answer->verdict = xstrdup(seen->verdict);
	answer->reason = copy(seen->reason);
	answer->effects = copy(seen->effects);
	answer->diff = copy(seen->diff);
	answer->summary = copy(seen->summary);
	answer->params = copy(seen->params);
	answer->seen = copy(seen->seen);
	answer->want = copy(seen->want);
	answer->info = copy(seen->info);
	answer->apply = copy(seen->apply);
	answer->undo = copy(seen->undo);
}

static inline void
answer_drop(struct test_answer *answer)
{
	free(answer->verdict);
	free(answer->reason);
	free(answer->effects);
	free(answer->diff);
	free(answer->summary);
	free(answer->params);
	free(answer->seen);
	free(answer->want);
	free(answer->info);
	free(answer->apply);
	free(answer->undo);
	memset(answer, 0, sizeof(*answer));
}

/* A whole probe: asks are answered until it is done. */
static inline void
door_probe(struct test_door *door, struct script *script, const char *module,
    const char *params, const char *data, struct test_answer *answer)
{
	answer_drop(answer);
	script_probe(script, module, bytes_of(params), bytes_of(data),
	    &door->door, answer_take, answer);
	while (door_pump(door))
		;
	if (!answer->came)
		abort();
}

/* The text of a file. Free it. */
static inline char *
test_read(const char *path)
{
	struct buf buf = BUF_INIT;
	struct err err = ERR_INIT;
	char *text;

	if (file_read(path, 1 << 20, &buf, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	text = xstrdup(buf_str(&buf));
	buf_free(&buf);
	return text;
}

/* Load source as module t and probe it once. */
static inline void
probe_source(const char *source, const char *params, const char *data,
    struct test_answer *answer)
{
	struct script *script = script_new();
	struct script_failure failure;
	struct test_door door;

	memset(answer, 0, sizeof(*answer));
	door_init(&door, "sh");
	if (script_module(script, "t", bytes_of(source), &failure) < 0) {
		answer->came = answer->failed = true;
		answer->failure = failure;
	} else {
		door_probe(&door, script, "t", params, data, answer);
	}
	door_drop(&door);
	script_free(script);
}

#endif
