/*
 * For the fleet's tests: a light fleet (tests/fleet/light) in a throwaway
 * folder, a loop, and answers that are waited for and kept.
 */
#ifndef HOSHU_TESTS_FLEET_PLACE_H
#define HOSHU_TESTS_FLEET_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "fleet/fleet.h"

enum { HOSTS = 20, ANSWER_MS = 30000 };

/* What an answer said, kept. */
struct told {
	struct loop *loop;
	bool done;
	int calls;
	int order; /* of all answers of this place */
	enum answer_kind kind;
	char why[32], text[2048], file[256], fingerprint[128];
	char life[160], readonly[32], timings[256];
	char json[4096], seen[4096], want[4096], diff[4096], reason[512];
	char apply[8192], undo[8192];
	char out[4096], uptime[40];
	int line, rc;
	enum seen_verdict seen_verdict;
	enum launch_verdict verdict;
	enum check_result check;
};

struct site {
	struct arena *arena;
	char *folder;
	const char *light; /* the fleet's folder */
	struct loop *loop;
	struct fleet *fleet;
	struct ssh_settings *ssh[HOSTS];
	int answers;
	bool late; /* the guard fired */
};

static inline void __attribute__((format(printf, 1, 2)))
run_line(const char *fmt, ...)
{
	char line[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (system(line) != 0)
		fail_msg("failed: %s", line);
}

static inline void
keep(char *out, size_t size, struct bytes bytes)
{
	snprintf(out, size, "%.*s", (int)bytes.len,
	    bytes.data != NULL ? (const char *)bytes.data : "");
}

#define KEEP(told, field, answer)                                              \
	keep((told)->field, sizeof((told)->field), (answer)->field)
#define KEEP_TEXT(told, field, answer)                                         \
	keep((told)->field, sizeof((told)->field), bytes_of((answer)->field))

static inline void
note(void *arg, const struct answer *answer)
{
	struct told *told = arg;

	told->done = true;
	told->calls++;
	told->kind = answer->kind;
	KEEP_TEXT(told, why, answer);
	KEEP_TEXT(told, text, answer);
	KEEP_TEXT(told, file, answer);
	KEEP_TEXT(told, fingerprint, answer);
	KEEP_TEXT(told, life, answer);
	KEEP_TEXT(told, readonly, answer);
	KEEP_TEXT(told, timings, answer);
	KEEP_TEXT(told, uptime, answer);
	KEEP(told, json, answer);
	KEEP(told, seen, answer);
	KEEP(told, want, answer);
	KEEP(told, diff, answer);
	KEEP(told, reason, answer);
	KEEP(told, apply, answer);
	KEEP(told, undo, answer);
	KEEP(told, out, answer);
	told->line = answer->line;
	told->rc = answer->rc;
	told->seen_verdict = answer->seen_verdict;
	told->verdict = answer->verdict;
	told->check = answer->check;
	loop_stop(told->loop);
}

static inline void
guard_fired(void *arg)
{
	struct site *site = arg;

	site->late = true;
	loop_stop(site->loop);
}

/* Run the loop until all of these have their answer. */
static inline void
await_all(struct site *site, struct told *told, size_t count)
{
	struct loop_timer *guard =
	    loop_timer_start(site->loop, ANSWER_MS, guard_fired, site);
	bool all;

	site->late = false;
	do {
		all = true;
		for (size_t i = 0; i < count; i++)
			all = all && told[i].done;
		if (!all)
			loop_run(site->loop);
	} while (!all && !site->late);
	if (site->late)
		fail_msg("no answer within %d ms", ANSWER_MS);
	loop_timer_stop(guard);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(told[i].calls, 1);
}

static inline void
await(struct site *site, struct told *told)
{
	await_all(site, told, 1);
}

static inline struct told
told_new(struct site *site)
{
	return (struct told){.loop = site->loop};
}

/* Let the loop run for a while, whatever happens. */
static inline void
run_for(struct site *site, int64_t ms)
{
	site->late = false;
	(void)loop_timer_start(site->loop, ms, guard_fired, site);
	while (!site->late)
		loop_run(site->loop);
}

static inline struct fleet_host
how_of(struct site *site, int host)
{
	return (struct fleet_host){
	    .ssh = site->ssh[host], .become = "none", .root_spool = ""};
}

static inline void
start_connect(struct site *site, int host, struct told *told)
{
	struct fleet_host how = how_of(site, host);

	*told = told_new(site);
	fleet_connect(site->fleet, host, &how, FLEET_PLAIN, note, told);
}

static inline struct told
connect_host(struct site *site, int host)
{
	struct told told;

	start_connect(site, host, &told);
	await(site, &told);
	if (told.kind != ANSWER_OPENED)
		fail_msg("host %d: %s: %s", host, told.why, told.text);
	return told;
}

/* Under valgrind /proc/self/exe is valgrind's own; NULL is as good elsewhere. */
static inline const char *
own_program(struct site *site)
{
	const char *loaded = getenv("LD_PRELOAD");
	char *self;

	if (loaded == NULL || strstr(loaded, "vgpreload") == NULL)
		return NULL;
	self = arena_alloc(site->arena, 4096);
	assert_true(readlink("/proc/self/exe", self, 4095) > 0);
	return self;
}

static inline void
site_fleet(struct site *site, int workers, const char *program)
{
	struct fleet_options options = {
	    .program = program != NULL ? program : own_program(site),
	    .workers = workers,
	    .dials_at_once = 8};
	struct err err = ERR_INIT;

	if (fleet_open(site->loop, &options, &site->fleet, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void
site_module(struct site *site, const char *name, const char *path)
{
	struct buf source = BUF_INIT;
	struct err err = ERR_INIT;

	if (file_read(path, 1 << 20, &source, &err) < 0)
		fail_msg("%s", err.text);
	fleet_module(site->fleet, name, buf_bytes(&source));
	buf_free(&source);
}

/* cmocka's group setup: the hosts; 20 of them, up once a program. */
static inline int
site_up(void **state)
{
	struct arena *arena = arena_new();
	struct site *site = arena_new_of(arena, struct site);
	struct err err = ERR_INIT;
	char line[4096];

	if (system("tests/fleet/light can >/dev/null") != 0) {
		print_message("# skipped: this machine has no light fleet\n");
		_exit(0);
	}
	(void)unsetenv("SSH_AUTH_SOCK");
	site->arena = arena;
	if (file_make_temporary(arena, &site->folder, &err) < 0)
		return -1;
	site->light = file_join(arena, site->folder, "light");
	snprintf(line, sizeof(line), "tests/fleet/light up %d '%s'", HOSTS,
	    site->light);
	if (system(line) != 0)
		return -1;
	for (int i = 0; i < HOSTS; i++) {
		if (openssh_settings(arena,
			file_join(arena, site->light, "ssh_config"),
			arena_printf(arena, "light%d", i + 1), 0, NULL,
			&site->ssh[i], &err) < 0) {
			print_error("%s\n", err.text);
			return -1;
		}
	}
	*state = site;
	return 0;
}

static inline int
site_down(void **state)
{
	struct site *site = *state;
	char line[4096];
	int r;

	snprintf(
	    line, sizeof(line), "tests/fleet/light down '%s'", site->light);
	r = system(line);
	file_remove_tree(site->folder);
	arena_free(site->arena);
	return r;
}

static inline int
site_loop(void **state)
{
	struct site *site = *state;
	struct err err = ERR_INIT;

	site->answers = 0;
	return loop_open(&site->loop, &err);
}

static inline int
site_end(void **state)
{
	struct site *site = *state;

	fleet_close(site->fleet);
	site->fleet = NULL;
	loop_close(site->loop);
	return 0;
}

#define site_test(test)                                                        \
	cmocka_unit_test_setup_teardown(test, site_loop, site_end)

#endif
