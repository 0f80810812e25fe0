/*
 * What was acknowledged stays: two processes at once, kill -9 in the middle,
 * a full disk, a failing disk, a power cut.
 * covers: P3 P11
 */
#include "journal_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* What a child tells while it lives, and after it was killed. */
struct shared {
	_Atomic int64_t told; /* highest number acknowledged, -1 = none */
	_Atomic int64_t count;
	_Atomic bool stop;
};

static struct shared *
share(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(shared != MAP_FAILED);
	shared->told = -1;
	return shared;
}

static void
wait_for(pid_t pid, int want)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
		fail_msg("a child ended with %#x", status);
}

/* count intents and outcomes of a run, in pairs; _exit(0) when all are in. */
static void
run_as(const char *store, int who, int count)
{
	struct record pair[2];
	struct journal *j;
	struct err err = ERR_INIT;
	char xid[32], sha[65];
	int i;

	if (journal_open(store, JOURNAL_WRITE, &world_real, NULL, &j, &err) < 0)
		goto failed;
	for (i = 0; i < count; i++) {
		snprintf(xid, sizeof(xid), "%d-%d", who, i);
		pair[0] = make_step(RECORD_STEP_INTENT, 1, 1, "web1", i, xid);
		pair[1] = make_step(RECORD_STEP_DONE, 1, 1, "web1", i, xid);
		if (journal_put_blob(j, bytes_of(xid), sha, &err) < 0 ||
		    journal_append_now(j, pair, 2, NULL, &err) < 0)
			goto failed;
	}
	journal_close(j);
	_exit(0);
failed:
	fprintf(stderr, "%s\n", err.text);
	_exit(1);
}

/* covers: P3 */
static void
processes_that_append_at_once_make_one_gapless_list(void **state)
{
	enum { PROCESSES = 4, EACH = 150 };
	struct scratch *s = *state;
	struct record r = make(RECORD_SUBMITTED, 0, 0);
	struct shared *shared = share();
	pid_t pids[PROCESSES], reader;
	struct journal *j;
	int change, i;

	j = open_store(s->store, JOURNAL_WRITE);
	assert_ok(journal_append_new_change(j, &r, &change, err));
	append(j, make(RECORD_RUN_STARTED, 1, 1));
	journal_close(j);
	for (i = 0; i < PROCESSES; i++)
		if ((pids[i] = fork()) == 0)
			run_as(s->store, i, EACH);
	/* one looks on all the time and never sees half of anything */
	if ((reader = fork()) == 0) {
		while (!shared->stop)
			if (verify(s->store).count != 0)
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < PROCESSES; i++)
		wait_for(pids[i], 0);
	shared->stop = true;
	wait_for(reader, 0);
	j = open_store(s->store, JOURNAL_READ);
	assert_int_equal(journal_count(j), 2 + PROCESSES * EACH * 2);
	journal_close(j);
	assert_int_equal(verify(s->store).count, 0);
	munmap(shared, sizeof(*shared));
}

static void
new_changes_of_many_processes_get_numbers_of_their_own(void **state)
{
	enum { PROCESSES = 3, EACH = 40 };
	struct scratch *s = *state;
	pid_t pids[PROCESSES];
	struct journal *j;
	int i, k, change;

	for (i = 0; i < PROCESSES; i++) {
		if ((pids[i] = fork()) != 0)
			continue;
		/* the store itself is made by all of them at once */
		if (journal_open(s->store, JOURNAL_WRITE, &world_real, NULL, &j,
			NULL) < 0)
			_exit(1);
		for (k = 0; k < EACH; k++) {
			struct record r = make(RECORD_SUBMITTED, 0, 0);

			if (journal_append_new_change(j, &r, &change, NULL) <
				0 ||
			    r.number != change - 1)
				_exit(2);
		}
		journal_close(j);
		_exit(0);
	}
	for (i = 0; i < PROCESSES; i++)
		wait_for(pids[i], 0);
	j = open_store(s->store, JOURNAL_READ);
	assert_ok(journal_last_change(j, &change, err));
	assert_int_equal(change, PROCESSES * EACH);
	journal_close(j);
	assert_int_equal(verify(s->store).count, 0);
}

static void
another_process_that_took_the_change_stops_this_one(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_store(s->store, JOURNAL_WRITE), *other;
	struct record r = make(RECORD_SUBMITTED, 0, 0);
	int change;
	pid_t pid;

	assert_ok(journal_append_new_change(j, &r, &change, err));
	append(j, make(RECORD_RUN_STARTED, 1, 1));
	if ((pid = fork()) == 0) {
		r = make(RECORD_RUN_STARTED, 1, 2);
		if (journal_open(s->store, JOURNAL_WRITE, &world_real, NULL,
			&other, NULL) < 0 ||
		    journal_append_now(other, &r, 1, NULL, NULL) < 0)
			_exit(1);
		journal_close(other);
		_exit(0);
	}
	wait_for(pid, 0);
	r = make_step(RECORD_STEP_INTENT, 1, 1, "web1", 1, "x1");
	assert_fails(ERR_REFUSED, journal_append_now(j, &r, 1, NULL, err));
	/* but a person's word is always taken */
	append(j, make(RECORD_APPROVED, 1, 0));
	journal_close(j);
	assert_int_equal(verify(s->store).count, 0);
}

/* Does the kernel know of this process waiting for an flock? */
static bool
waits_for_flock(pid_t pid)
{
	char line[256], want[32];
	bool found = false;
	FILE *f = fopen("/proc/locks", "r");

	assert_non_null(f);
	snprintf(want, sizeof(want), " %d ", (int)pid);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strstr(line, "-> FLOCK") != NULL &&
			strstr(line, want) != NULL;
	fclose(f);
	return found;
}

/* SQLite's own locks would do for that; its WAL fault asks for more. */
static void
no_transaction_begins_while_another_has_the_flock(void **state)
{
	struct scratch *s = *state;
	struct journal *j = open_store(s->store, JOURNAL_WRITE);
	struct shared *shared = share();
	struct record r = make(RECORD_REFUSED, 0, 0);
	char *path = file_join(s->arena, s->store, "lock");
	int fd = open(path, O_RDWR | O_CLOEXEC), status;
	pid_t pid;

	assert_ok(flock(fd, LOCK_EX));
	if ((pid = fork()) == 0) {
		close(fd);
		if (journal_append_now(j, &r, 1, NULL, NULL) < 0)
			_exit(1);
		shared->told = 0;
		_exit(0);
	}
	while (!waits_for_flock(pid))
		assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_int_equal(shared->told, -1);
	assert_ok(flock(fd, LOCK_UN));
	wait_for(pid, 0);
	assert_int_equal(shared->told, 0);
	close(fd);
	journal_close(j);
	munmap(shared, sizeof(*shared));
}

/* Appends until it is killed. */
static void
append_for_ever(const char *store, struct shared *shared)
{
	struct record r[3];
	struct journal *j;
	int64_t number;
	char sha[65];
	int i;

	if (journal_open(store, JOURNAL_WRITE, &world_real, NULL, &j, NULL) < 0)
		_exit(1);
	for (i = 0; i < 3; i++)
		r[i] = make(RECORD_REFUSED, 0, 0);
	for (i = 0;; i++) {
		snprintf(sha, sizeof(sha), "%d", rand());
		if (journal_put_blob(j, bytes_of(sha), sha, NULL) < 0 ||
		    journal_append_now(j, r, 1 + (size_t)i % 3, &number, NULL) <
			0)
			_exit(2);
		shared->told = number + i % 3;
		shared->count++;
	}
}

/* covers: P3 */
static void
kill_9_in_the_middle_loses_nothing_acknowledged(void **state)
{
	enum { KILLS = 400 };
	struct scratch *s = *state;
	struct shared *shared = share();
	struct timespec pause = {0, 0};
	int64_t acknowledged = -1, unacknowledged = 0, before;
	struct journal *j;
	pid_t pid;
	int i, status;

	srand(7);
	for (i = 0; i < KILLS; i++) {
		before = shared->count;
		if ((pid = fork()) == 0) {
			srand((unsigned int)i);
			append_for_ever(s->store, shared);
		}
		/* at any moment from its start to its fifth append or so */
		pause.tv_nsec = rand() % 8000000;
		nanosleep(&pause, NULL);
		while (i % 4 == 0 && shared->count == before) {
			assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
			sched_yield();
		}
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		acknowledged = shared->told;
		if (acknowledged < 0)
			continue;
		j = open_store(s->store, JOURNAL_WRITE);
		if (journal_count(j) <= acknowledged)
			fail_msg("%lld acknowledged, %lld there",
			    (long long)acknowledged,
			    (long long)journal_count(j));
		unacknowledged += journal_count(j) > acknowledged + 1;
		shared->told = journal_count(j) - 1;
		journal_close(j);
		if (i % 25 == 0)
			assert_int_equal(verify(s->store).count, 0);
	}
	print_message("# %d kills, %lld appends acknowledged, %lld commits "
		      "that nobody was told of\n",
	    KILLS, (long long)shared->count, (long long)unacknowledged);
	assert_true(shared->count >= KILLS / 4);
	assert_int_equal(verify(s->store).count, 0);
	munmap(shared, sizeof(*shared));
}

/* All the appends there are, until one fails; told = the acknowledged. Once
 * one has failed, none may be taken any more. */
static bool
append_until_it_fails(
    const char *store, int count, size_t blob_bytes, int64_t *told)
{
	struct record r = make(RECORD_REFUSED, 0, 0);
	struct journal *j = NULL;
	struct err err = ERR_INIT;
	bool failed = false;
	char *text = calloc(1, blob_bytes), sha[65];
	int i;

	if (journal_open(store, JOURNAL_WRITE, &world_real, NULL, &j, &err) <
	    0) {
		free(text);
		return true;
	}
	for (i = 0; i < count; i++) {
		snprintf(text, blob_bytes, "blob %d", i);
		assert_int_equal(
		    journal_put_blob(
			j, (struct bytes){text, blob_bytes}, sha, NULL),
		    0);
		if (journal_append_now(j, &r, 1, NULL, &err) == 0) {
			assert_false(failed);
			*told = *told + 1;
		} else {
			assert_true(err.code == ERR_STORE);
			failed = true;
		}
	}
	journal_close(j);
	free(text);
	return failed;
}

enum { BLOB_SMALL = 32, BLOB_LARGE = 1 << 20 };

/* Fail each write, truncation and sync in turn, until none is left to fail;
 * with a stride, some of them. covers: P3 P11 */
static void
fail_each_call(
    struct scratch *s, int code, bool for_ever, size_t blob_bytes, int stride)
{
	int64_t told, faulty = 0;
	struct journal *j;
	int n, count = 0;
	bool failed = true;

	for (n = stride;; n += stride) {
		file_remove_tree(s->store);
		disk_reset();
		told = 0;
		disk.fail_at = n;
		disk.for_ever = for_ever;
		disk.code = code;
		failed = append_until_it_fails(s->store, 6, blob_bytes, &told);
		faulty += failed;
		if (disk.calls < n)
			break;
		count++;
		disk.fail_at = 0;
		j = open_store(s->store, JOURNAL_WRITE);
		if (journal_count(j) < told)
			fail_msg("call %d: %lld acknowledged, %lld there", n,
			    (long long)told, (long long)journal_count(j));
		append(j, make(RECORD_REFUSED, 0, 0));
		journal_close(j);
		if (verify(s->store).count != 0)
			fail_msg("call %d: %s", n, verify(s->store).text);
	}
	print_message("# %d of %d calls failed in turn, %lld seen by an "
		      "append\n",
	    count, disk.calls, (long long)faulty);
	assert_false(failed);
	assert_true(faulty > 6);
}

static void
a_failing_disk_stops_the_store_and_loses_nothing(void **state)
{
	disk_install();
	fail_each_call(*state, SQLITE_IOERR_WRITE, false, BLOB_SMALL, 1);
	fail_each_call(*state, SQLITE_IOERR_WRITE, true, BLOB_SMALL, 1);
	disk_remove();
}

static void
a_full_disk_stops_the_store_and_loses_nothing(void **state)
{
	disk_install();
	fail_each_call(*state, SQLITE_FULL, false, BLOB_SMALL, 1);
	fail_each_call(*state, SQLITE_FULL, true, BLOB_SMALL, 1);
	disk_remove();
}

/* Large blobs fill the WAL, so that it is copied into the file between two
 * appends; a fault there must stop the next one. */
static void
a_disk_that_fails_in_a_checkpoint_loses_nothing(void **state)
{
	int stride = getenv("FULL") != NULL ? 1 : 61;

	disk_install();
	fail_each_call(*state, SQLITE_IOERR_WRITE, false, BLOB_LARGE, stride);
	fail_each_call(*state, SQLITE_FULL, true, BLOB_LARGE, stride);
	disk_remove();
}

/* The same by the kernel: no file may grow beyond a limit. */
static void
a_file_that_cannot_grow_stops_the_store(void **state)
{
	struct scratch *s = *state;
	struct shared *shared = share();
	struct rlimit limit = {200000, 200000};
	int64_t told = 0;
	struct journal *j;
	pid_t pid;

	if ((pid = fork()) == 0) {
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit) < 0 ||
		    !append_until_it_fails(s->store, 200, BLOB_SMALL, &told))
			_exit(1);
		shared->told = told;
		_exit(0);
	}
	wait_for(pid, 0);
	assert_in_range(shared->told, 5, 199);
	j = open_store(s->store, JOURNAL_WRITE);
	assert_true(journal_count(j) >= shared->told);
	append(j, make(RECORD_REFUSED, 0, 0));
	journal_close(j);
	assert_int_equal(verify(s->store).count, 0);
	munmap(shared, sizeof(*shared));
}

/* Pictures of the disk at the moments a power cut could come. */
struct pictures {
	struct scratch *s;
	int count;
	int64_t told[20000];
};
static struct pictures pictures;

/* Of the writes since the last sync a cut leaves: none, all, the first few
 * with the last of them torn, or any of them. */
static void
picture_file(const char *folder, const struct disk_file *file, int how)
{
	struct buf data = BUF_INIT;
	size_t i, last = file->write_count;
	FILE *f;

	buf_put(&data, file->synced.data, file->synced.len);
	if (how == 2 && last > 0)
		last = (size_t)rand() % last + 1;
	for (i = 0; i < last && how != 0; i++) {
		if (how == 3 && rand() % 2 == 0)
			continue;
		disk_apply(&data, &file->writes[i],
		    how == 2 && i + 1 == last && file->writes[i].at >= 0
			? (size_t)rand() % (file->writes[i].len + 1)
			: file->writes[i].len);
	}
	f = fopen(file_join(pictures.s->arena, folder, file->name), "w");
	assert_non_null(f);
	if (data.len > 0)
		assert_int_equal(fwrite(data.data, 1, data.len, f), data.len);
	fclose(f);
	buf_free(&data);
}

static int64_t told_now;

static void
take_pictures(void)
{
	char *folder;
	int how, i;

	for (how = 0; how < 4; how++) {
		assert_true(pictures.count < 20000);
		folder = arena_printf(pictures.s->arena, "%s/%d",
		    pictures.s->folder, pictures.count);
		assert_ok(file_make_folder(folder, 0700, err));
		for (i = 0; i < DISK_FILES; i++)
			if (disk.files[i].name[0] != '\0' &&
			    !disk.files[i].gone)
				picture_file(folder, &disk.files[i], how);
		pictures.told[pictures.count++] = told_now;
	}
}

/* covers: P3 */
static void
a_power_cut_at_any_write_loses_nothing_acknowledged(void **state)
{
	enum { ROUNDS = 4, APPENDS = 8 };
	struct scratch *s = *state;
	struct journal *j;
	char *folder, text[64], sha[65];
	int64_t lost = 0, beyond = 0;
	int round, i;

	srand(11);
	disk_install();
	pictures.s = s;
	disk.recording = true;
	for (round = 0; round < ROUNDS; round++) {
		j = open_store(s->store, JOURNAL_WRITE);
		/* cuts while the store is made are the first process's own
		 * trouble: nothing was acknowledged */
		disk.before = take_pictures;
		for (i = 0; i < APPENDS; i++) {
			snprintf(text, sizeof(text), "%d %d", round, i);
			assert_ok(
			    journal_put_blob(j, bytes_of(text), sha, err));
			append(j, make(RECORD_REFUSED, 0, 0));
			told_now++;
		}
		journal_close(j);
	}
	disk_remove();
	for (i = 0; i < pictures.count; i++) {
		folder = arena_printf(s->arena, "%s/%d", s->folder, i);
		j = open_store(folder, JOURNAL_WRITE);
		lost += journal_count(j) < pictures.told[i];
		beyond += journal_count(j) > pictures.told[i];
		append(j, make(RECORD_REFUSED, 0, 0));
		journal_close(j);
		assert_int_equal(verify(folder).count, 0);
		file_remove_tree(folder);
	}
	print_message("# %d disks after a cut, %lld with a record more than "
		      "was acknowledged\n",
	    pictures.count, (long long)beyond);
	assert_int_equal(lost, 0);
	assert_true(pictures.count > 500 && beyond > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    scratch_test(processes_that_append_at_once_make_one_gapless_list),
	    scratch_test(
		new_changes_of_many_processes_get_numbers_of_their_own),
	    scratch_test(another_process_that_took_the_change_stops_this_one),
	    scratch_test(no_transaction_begins_while_another_has_the_flock),
	    scratch_test(kill_9_in_the_middle_loses_nothing_acknowledged),
	    scratch_test(a_failing_disk_stops_the_store_and_loses_nothing),
	    scratch_test(a_full_disk_stops_the_store_and_loses_nothing),
	    scratch_test(a_disk_that_fails_in_a_checkpoint_loses_nothing),
	    scratch_test(a_file_that_cannot_grow_stops_the_store),
	    scratch_test(a_power_cut_at_any_write_loses_nothing_acknowledged),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
