/*
 * The shell of a preview: it reads what root reads and writes nothing.
 * covers: P1
 */
#include "remote_host.h"

#include <sys/un.h>

static struct host host;
static struct link reader;
static bool shut_in;

static int
setup(void **state)
{
	struct remote_options options;

	(void)state;
	/* one that every user may reach */
	setenv("TMPDIR", "/var/tmp", 1);
	host_start(&host);
	shell("chmod 755 %s", host.folder);
	options = host_options(&host);
	options.shell = REMOTE_READONLY;
	link_start(&reader, &host, options);
	link_wait(&reader, reader.opened || reader.closed);
	if (!reader.opened)
		fail_msg("closed: %s: %s", reader.why, reader.text);
	shut_in = strcmp(reader.readonly, "enforced") == 0;
	print_message(
	    "# %s %s; %s\n", reader.readonly, reader.gaps, reader.timings);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	link_close(&reader);
	host_stop(&host);
	return 0;
}

/* Where the kernel allows no namespaces there is nothing to test but that
 * the gaps are named. */
static void
needs_namespaces(void)
{
	if (!shut_in) {
		print_message("# skipped: no namespaces for this user here\n");
		skip();
	}
}

static void
it_says_what_it_is(void **state)
{
	(void)state;
	if (shut_in)
		assert_string_equal(reader.gaps, "");
	else
		assert_string_not_equal(reader.gaps, "");
	if (getuid() == 0 && shut_in)
		assert_string_equal(reader.uid, "65534");
}

static void
it_reads_what_only_root_may(void **state)
{
	struct said *s;

	(void)state;
	needs_namespaces();
	if (getuid() != 0) {
		print_message("# skipped: not root\n");
		skip();
	}
	s = ask(&reader, "grep -c '^root:' /etc/shadow");
	assert_string_equal(buf_str(&s->out), "1\n");
	s = ask(&reader,
	    "ls /root >/dev/null && dpkg -l 2>/dev/null | grep -c '^ii'");
	assert_int_equal(s->status, 0);
	s = ask(&reader, "systemctl --version >/dev/null 2>&1; echo $?");
	assert_int_equal(s->status, 0);
}

static void
it_sees_tmp_as_it_is_and_writes_elsewhere(void **state)
{
	char path[64], text[300];
	struct err err = ERR_INIT;

	(void)state;
	needs_namespaces();
	snprintf(path, sizeof(path), "/tmp/hoshu-reader-%d", (int)getpid());
	assert_int_equal(file_write(path, bytes_of("there\n"), 0600, &err), 0);
	snprintf(text, sizeof(text),
	    "cat %s && ! echo x >%s && echo hi >$TMPDIR/x && cat $TMPDIR/x",
	    path, path);
	assert_string_equal(buf_str(&ask(&reader, text)->out), "there\nhi\n");
	assert_false(file_exists("/dev/shm/x"));
	unlink(path);
}

static void
it_changes_nothing(void **state)
{
	/* each would change nothing of value if it went through */
	static const char *const tries[] = {"touch %s/home/x",
	    "echo x >>%s/authorized_keys", "rm -f %s/authorized_keys",
	    "chmod 777 %s", "mkdir %s/home/d", "ln -s x %s/home/l",
	    "touch /etc", "touch /root", "touch /var/lib", "touch /run",
	    "touch /var/lib/dpkg/lock", "echo 1 >/proc/sys/vm/drop_caches",
	    "echo x >/dev/kmsg",
	    "for d in /dev/[sv]d?; do : >>$d && exit 0; done; exit 1",
	    "kill -0 $(cat %s/sshd_pid)", "kill -TERM $(cat %s/sshd_pid)",
	    "mount -o remount,rw /", "mount -o remount,bind,rw /",
	    "umount /dev/shm", "mount -t tmpfs x /mnt", "unshare -m true",
	    "unshare -Urm sh -c 'mount -o remount,bind,rw / && touch "
	    "%s/home/x'",
	    "nsenter -t 1 -m true", "chroot / true", "hostname \"$(hostname)\"",
	    "date -s \"$(date)\"", "su root -c true </dev/null", "sudo -n true",
	    "setpriv --reuid=0 true", "mknod /dev/shm/n c 1 1",
	    "systemctl stop hoshu-none.service", "ip link add x type dummy",
	    "ip addr add 10.9.9.9/8 dev lo", "chown 0 /dev/shm", "touch /tmp/x",
	    "renice -n -5 -p $$"};
	char text[1200], before[4096], after[4096];
	FILE *f;

	(void)state;
	needs_namespaces();
	snprintf(text, sizeof(text), "%s/sshd_pid", host.folder);
	snprintf(before, sizeof(before), "%d\n", (int)host.sshd);
	write_text(text, before);
	snprintf(
	    text, sizeof(text), "ls -lR --full-time %s; hostname", host.folder);
	f = popen(text, "r");
	before[fread(before, 1, sizeof(before) - 1, f)] = '\0';
	pclose(f);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		char one[600];
		struct said *s;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(one, sizeof(one), tries[i], host.folder);
#pragma GCC diagnostic pop
		s = ask(&reader, one);
		if (s->status == 0)
			fail_msg("'%s' went through: %s%s", one,
			    buf_str(&s->out), buf_str(&s->err));
	}
	assert_int_equal(kill(host.sshd, 0), 0);
	f = popen(text, "r");
	after[fread(after, 1, sizeof(after) - 1, f)] = '\0';
	pclose(f);
	assert_string_equal(after, before);
}

static int
listen_unix(const char *path, bool abstract)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t len = strlen(path);

	memcpy(un.sun_path + abstract, path, len);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&un,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
			    abstract)),
	    0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void
it_reaches_no_socket_and_no_network(void **state)
{
	struct remote_options options = host_options(&host);
	struct link l;
	char path[200], name[64], text[1024];
	int open_to_all, hidden;

	(void)state;
	needs_namespaces();
	snprintf(path, sizeof(path), "%s/home/a socket", host.folder);
	snprintf(name, sizeof(name), "hoshu-test-%d", (int)getpid());
	open_to_all = listen_unix(path, false);
	hidden = listen_unix(name, true);
	assert_int_equal(chmod(path, 0777), 0);
	options.shell = REMOTE_READONLY;
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	assert_string_equal(l.readonly, "enforced");
	/* the test's own tool works where it is allowed to */
	snprintf(text, sizeof(text),
	    "python3 -c 'import socket,sys\n"
	    "s=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])' '%s'",
	    path);
	assert_int_equal(system(text), 0);
	assert_int_not_equal(ask(&l, text)->status, 0);
	snprintf(text, sizeof(text),
	    "python3 -c 'import socket\ns=socket.socket(socket.AF_UNIX)\n"
	    "s.connect(\"\\0%s\")'",
	    name);
	assert_int_equal(system(text), 0);
	assert_int_not_equal(ask(&l, text)->status, 0);
	snprintf(text, sizeof(text),
	    "python3 -c 'import socket\n"
	    "socket.create_connection((\"127.0.0.1\",%d),2)'",
	    host.port);
	assert_int_equal(system(text), 0);
	assert_int_not_equal(ask(&l, text)->status, 0);
	close(open_to_all);
	close(hidden);
	link_close(&l);
}

static void
its_requests_never_reach_a_plain_shell(void **state)
{
	struct link l;
	struct remote_options options = host_options(&host);
	char path[600];
	int pid;

	(void)state;
	needs_namespaces();
	options.shell = REMOTE_READONLY;
	link_start(&l, &host, options);
	link_wait(&l, l.opened || l.closed);
	snprintf(path, sizeof(path), "touch %s/home/plain", host.folder);
	pid = atoi(buf_str(&ask(&l, "while read -r k v; do [ $k = PPid: ] && "
				    "echo $v; done </proc/self/status")
				->out));
	assert_true(pid > 1);
	kill(pid, SIGSTOP);
	remote_ask(l.remote, path, strlen(path), on_answer, slot(&l, 2));
	while (l.remote->requests == NULL || !l.remote->requests->sent)
		loop_timer_start(
		    l.loop, 5, (void (*)(void *))loop_stop, l.loop),
		    link_turn(&l);
	kill(pid, SIGKILL);
	link_wait(&l, l.closed);
	assert_string_equal(l.why, "shell");
	assert_int_equal(l.said[2].end, REMOTE_GONE);
	link_close(&l);
	assert_false(file_exists(path + 6));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_says_what_it_is),
	    cmocka_unit_test(it_reads_what_only_root_may),
	    cmocka_unit_test(it_sees_tmp_as_it_is_and_writes_elsewhere),
	    cmocka_unit_test(it_changes_nothing),
	    cmocka_unit_test(it_reaches_no_socket_and_no_network),
	    cmocka_unit_test(its_requests_never_reach_a_plain_shell),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
