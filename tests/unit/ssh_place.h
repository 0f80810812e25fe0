/*
 * A temporary folder with OpenSSH's real keys in it, for the tests of
 * openssh/. The agent of whoever runs the tests is out of reach.
 */
#ifndef HOSHU_TESTS_SSH_PLACE_H
#define HOSHU_TESTS_SSH_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "openssh/openssh.h"

struct ssh_place {
	struct arena *arena;
	char *folder;
	struct loop *loop;
	struct ssh_agent *agent;
	struct err err;
};

static inline const char *
place_path(struct ssh_place *t, const char *name)
{
	return file_join(t->arena, t->folder, name);
}

/* Run a shell line in the folder; it must succeed. */
static inline void __attribute__((format(printf, 2, 3)))
place_run(struct ssh_place *t, const char *fmt, ...)
{
	char line[4096];
	struct buf whole = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_printf(&whole, "cd %s && { %s\n}", t->folder, line);
	if (system(buf_str(&whole)) != 0)
		fail_msg("failed: %s", line);
	buf_free(&whole);
}

static inline void
place_write(struct ssh_place *t, const char *name, const char *text)
{
	if (file_write(place_path(t, name), bytes_of(text), 0600, &t->err) < 0)
		fail_msg("%s", t->err.text);
}

/* A small file, without its last newline. */
static inline char *
place_read(struct ssh_place *t, const char *name)
{
	struct buf text = BUF_INIT;
	char *copy;

	if (file_read(place_path(t, name), 1 << 20, &text, &t->err) < 0)
		fail_msg("%s", t->err.text);
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	copy = arena_copy(t->arena, text.data, text.len);
	buf_free(&text);
	return copy;
}

/* "type base64" of NAME.pub */
static inline char *
place_key(struct ssh_place *t, const char *name)
{
	char *text = place_read(t, arena_printf(t->arena, "%s.pub", name));
	char *blank = strchr(text, ' ');

	blank[1 + strcspn(blank + 1, " ")] = '\0';
	return text;
}

static inline void
place_make_key(struct ssh_place *t, const char *name, const char *type,
    const char *passphrase)
{
	place_run(t, "ssh-keygen -q -t %s -N '%s' -C %s -f %s", type,
	    passphrase, name, name);
}

static inline int
place_setup(void **state)
{
	struct ssh_place *t = calloc(1, sizeof(*t));

	unsetenv("SSH_AUTH_SOCK");
	t->arena = arena_new();
	if (file_make_temporary(t->arena, &t->folder, &t->err) < 0 ||
	    loop_open(&t->loop, &t->err) < 0 ||
	    ssh_agent_open(t->loop, &t->agent, &t->err) < 0)
		fail_msg("%s", t->err.text);
	*state = t;
	return 0;
}

static inline int
place_teardown(void **state)
{
	struct ssh_place *t = *state;

	ssh_agent_close(t->agent);
	loop_close(t->loop);
	file_remove_tree(t->folder);
	arena_free(t->arena);
	free(t);
	return 0;
}

static inline void
place_refuses(
    struct ssh_place *t, int got, enum err_code code, const char *const *words)
{
	if (got != -(int)code)
		fail_msg("gave %d, not -%d: %s", got, (int)code, t->err.text);
	for (; *words != NULL; words++) {
		if (strstr(t->err.text, *words) == NULL)
			fail_msg("'%s' is not in: %s", *words, t->err.text);
	}
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PLACE_TEST(fn)                                                         \
	cmocka_unit_test_setup_teardown(fn, place_setup, place_teardown)

#endif
