/*
 * The lease: one coordinator a change, one that stands still is replaced, and
 * finds out. The clock is the test's.
 * covers: P3, P4
 */
#include "journal_store.h"

#include "journal/lease.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>

enum { LEASE_MS = 15000 };

static int64_t test_now_ms;

static int64_t
clock_now(void *state)
{
	return test_now_ms;
}

static const struct world clock_world = {
    .wall_ms = clock_now, .mono_ms = clock_now};

static struct journal *
open_clocked(const struct scratch *s)
{
	struct journal *journal = NULL;

	test_now_ms = 1000000;
	assert_ok(journal_open(
	    s->store, JOURNAL_WRITE, &clock_world, NULL, &journal, err));
	return journal;
}

/* The flock of a process ends with it; that of one that lives is refused. */
static void
a_change_has_one_coordinator(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_store(s->store, JOURNAL_WRITE);
	struct lease *lease, *other, *none = NULL;
	struct err taken = ERR_INIT;
	int held[2], status, pipes[2];
	char pid_text[32], byte;
	pid_t pid;

	assert_ok(pipe(pipes));
	assert_ok(pipe(held));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (lease_take(j, 7, LEASE_MS, &lease, NULL) < 0)
			_exit(1);
		(void)!write(held[1], "x", 1);
		(void)!read(pipes[0], &byte, 1); /* until killed */
		_exit(0);
	}
	assert_int_equal(read(held[0], &byte, 1), 1);
	assert_int_equal(
	    lease_take(j, 7, LEASE_MS, &none, &taken), -(int)ERR_REFUSED);
	snprintf(pid_text, sizeof(pid_text), "process %d:", (int)pid);
	assert_non_null(strstr(taken.text, pid_text));
	assert_ok(lease_take(j, 8, LEASE_MS, &other, err));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_ok(lease_take(j, 7, LEASE_MS, &lease, err));
	assert_string_equal(lease_taken_from(lease), "");
	assert_fails(ERR_REFUSED, lease_take(j, 7, LEASE_MS, &none, err));
	lease_release(lease);
	assert_ok(lease_take(j, 7, LEASE_MS, &lease, err));
	lease_release(lease);
	lease_release(other);
	assert_null(none);
	for (int i = 0; i < 2; i++) {
		close(pipes[i]);
		close(held[i]);
	}
	journal_close(j);
}

static void
who_stands_still_for_its_lease_is_replaced(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_clocked(s);
	struct lease *first, *second = NULL, *third = NULL;
	struct err why = ERR_INIT;

	assert_ok(lease_take(j, 7, 15000, &first, err));
	test_now_ms += 15000; /* not more than its lease */
	assert_int_equal(
	    lease_take(j, 7, 15000, &second, &why), -(int)ERR_REFUSED);
	assert_non_null(strstr(why.text, "stood still for 15 s"));
	test_now_ms += 1;
	assert_ok(lease_take(j, 7, 15000, &second, err));
	assert_non_null(
	    strstr(lease_taken_from(second), "stood still for 15 s"));

	/* the first finds out, and that for good */
	why = (struct err)ERR_INIT;
	assert_int_equal(lease_hold(first, &why), -(int)ERR_REFUSED);
	assert_non_null(strstr(why.text, "took the change over"));
	assert_ok(lease_hold(second, err));
	lease_release(second);
	assert_fails(ERR_REFUSED, lease_hold(first, err));

	/* its end is in nobody's way, nor is its flock */
	assert_ok(lease_take(j, 7, 15000, &third, err));
	lease_release(first);
	assert_ok(lease_hold(third, err));
	assert_fails(ERR_REFUSED, lease_take(j, 7, 15000, &second, err));
	lease_release(third);
	journal_close(j);
}

static void
who_renews_keeps_it(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_clocked(s);
	struct lease *lease, *other = NULL;

	assert_ok(lease_take(j, 7, 15000, &lease, err));
	for (int i = 0; i < 20; i++) {
		test_now_ms += 5000;
		assert_ok(lease_hold(lease, err));
		assert_fails(ERR_REFUSED, lease_take(j, 7, 1, &other, err));
	}
	/* late, but nobody came meanwhile */
	test_now_ms += 60000;
	assert_ok(lease_hold(lease, err));
	assert_fails(ERR_REFUSED, lease_take(j, 7, 1, &other, err));
	/* how long a holder may stand still is the holder's own word */
	test_now_ms += 14999;
	assert_fails(ERR_REFUSED, lease_take(j, 7, 1, &other, err));
	lease_release(lease);
	journal_close(j);
}

/* Others look without touching it. */
static void
one_can_look_who_has_it(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_clocked(s);
	struct lease_seen seen;
	struct lease *lease;

	assert_false(lease_look(j, 7, &seen));
	assert_ok(lease_take(j, 7, 15000, &lease, err));
	test_now_ms += 7000;
	assert_true(lease_look(j, 7, &seen));
	assert_int_equal(seen.pid, getpid());
	assert_int_equal(seen.silent_ms, 7000);
	assert_false(seen.still);
	test_now_ms += 8001;
	assert_true(lease_look(j, 7, &seen));
	assert_true(seen.still);
	lease_release(lease);
	assert_false(lease_look(j, 7, &seen)); /* it was given back */
	journal_close(j);
}

/* A taker that was stopped in the middle holds up takers, not the holder. */
static void
a_file_without_a_word_is_not_taken(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_clocked(s);
	struct lease *lease, *other = NULL;
	char path[4096];

	assert_ok(lease_take(j, 7, 15000, &lease, err));
	snprintf(path, sizeof(path), "%s/run/CHG-0007.lock", s->store);
	assert_int_equal(truncate(path, 0), 0);
	test_now_ms += 1000000;
	assert_fails(ERR_REFUSED, lease_take(j, 7, 15000, &other, err));
	assert_ok(lease_hold(lease, err));
	lease_release(lease);
	journal_close(j);
}

enum { TAKERS = 8, ROUNDS = 20 };

/* Of many that come at once to a change whose holder stands still, one has
 * it. */
static void
one_of_many_takers_has_it(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_clocked(s);

	for (int round = 0; round < ROUNDS; round++) {
		struct lease *still, *mine = NULL;
		int got[2], go[2], winners = 0, status;
		pid_t pids[TAKERS];
		char byte;

		assert_ok(pipe(got));
		assert_ok(pipe(go));
		assert_ok(lease_take(j, 7, 100, &still, err));
		test_now_ms += 101;
		for (int i = 0; i < TAKERS; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] != 0)
				continue;
			close(go[1]);
			byte =
			    lease_take(j, 7, 100, &mine, NULL) == 0 ? 'y' : 'n';
			(void)!write(got[1], &byte, 1);
			(void)!read(go[0], &byte, 1); /* until it is closed */
			_exit(0);
		}
		for (int i = 0; i < TAKERS; i++) {
			assert_int_equal(read(got[0], &byte, 1), 1);
			winners += byte == 'y';
		}
		assert_int_equal(winners, 1);
		assert_fails(ERR_REFUSED, lease_hold(still, err));
		close(go[1]);
		for (int i = 0; i < TAKERS; i++)
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		close(go[0]);
		close(got[0]);
		close(got[1]);
		lease_release(still);
	}
	journal_close(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    scratch_test(a_change_has_one_coordinator),
	    scratch_test(who_stands_still_for_its_lease_is_replaced),
	    scratch_test(who_renews_keeps_it),
	    scratch_test(one_can_look_who_has_it),
	    scratch_test(a_file_without_a_word_is_not_taken),
	    scratch_test(one_of_many_takers_has_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
