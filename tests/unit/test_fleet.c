/*
 * The fleet with real workers, a real sshd and a real journal: connections,
 * probes, launches, what a dead worker costs, and hosts that cannot be
 * reached. Run from the repository's top.
 * covers: P3 P4 P11
 */
#include "fleet_place.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "journal/journal.h"
#include "worker/worker.h"

#define DATA                                                                   \
	"{\"changed\":{},\"facts\":{},\"host\":{\"address\":\"127.0.0.1\","    \
	"\"groups\":[],\"name\":\"h\",\"port\":22,\"user\":\"u\",\"vars\":"    \
	"{}},\"inputs\":{},\"step\":{\"id\":1,\"name\":\"s\"},\"vars\":{}}"

/* --- a journal, for tickets ---------------------------------------------- */

struct book {
	struct site *site;
	struct journal *journal;
	struct ticket *ticket;
	bool done;
	int change;
};

static void
book_open(struct book *book, struct site *site)
{
	struct record record = {.kind = RECORD_SUBMITTED,
	    .host = "",
	    .xid = "",
	    .life = "",
	    .actor = "test",
	    .body = "{}"};
	struct err err = ERR_INIT;
	const char *folder = file_join(site->arena, site->folder, "store");

	file_remove_tree(folder);
	*book = (struct book){.site = site};
	if (journal_open(folder, JOURNAL_WRITE, &world_real, site->loop,
		&book->journal, &err) < 0 ||
	    journal_append_new_change(
		book->journal, &record, &book->change, &err) < 0)
		fail_msg("%s", err.text);
	record.change = book->change;
	record.kind = RECORD_RUN_STARTED;
	record.epoch = 1;
	if (journal_append_now(book->journal, &record, 1, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static void
book_heard(void *arg, struct ticket *const *tickets, size_t count,
    const struct err *err)
{
	struct book *book = arg;

	if (err != NULL)
		fail_msg("%s", err->text);
	assert_int_equal(count, 1);
	book->ticket = tickets[0];
	book->done = true;
	loop_stop(book->site->loop);
}

/* A ticket for host, for the life it has now; the xid goes to xid. */
static struct ticket *
book_ticket(struct book *book, int host, const char *life, char xid[33])
{
	struct record record = {.kind = RECORD_STEP_INTENT,
	    .change = book->change,
	    .epoch = 1,
	    .host = book->site->ssh[host]->name,
	    .step = 1,
	    .attempt = 1,
	    .life = life,
	    .actor = "test",
	    .body = "{}"};

	world_random_hex(&world_real, xid, 16);
	record.xid = xid;
	book->done = false;
	journal_append(book->journal, &record, 1, book_heard, book);
	while (!book->done)
		loop_run(book->site->loop);
	assert_non_null(book->ticket);
	return book->ticket;
}

/* --- connections and probes ---------------------------------------------- */

static int
count_sessions(struct site *site, int host)
{
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	int lines = 0, r;

	r = file_read(
	    file_join(site->arena, site->light,
		arena_printf(site->arena, "sessions/light%d", host + 1)),
	    1 << 20, &text, &err);
	if (r < 0)
		return 0; /* nobody came yet */
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	buf_free(&text);
	return lines;
}

static const char *
home_path(struct site *site, int host, const char *name)
{
	return arena_printf(
	    site->arena, "%s/hosts/light%d/%s", site->light, host + 1, name);
}

static void
probe(struct site *site, int host, const char *module, const char *params,
    int64_t timeout_ms, struct told *told)
{
	*told = told_new(site);
	fleet_probe(site->fleet, host, module, bytes_of(params), bytes_of(DATA),
	    timeout_ms, note, told);
}

static const char *
file_params(struct site *site, int host, const char *name, const char *content)
{
	return arena_printf(site->arena, "{\"content\":\"%s\",\"path\":\"%s\"}",
	    content, home_path(site, host, name));
}

static void
twenty_hosts_connect_and_probe_over_one_connection_each(void **state)
{
	struct site *site = *state;
	struct told told[HOSTS];
	int before[HOSTS];

	site_fleet(site, 2, NULL);
	site_module(site, "file", "modules/file/file.lua");
	for (int i = 0; i < HOSTS; i++)
		before[i] = count_sessions(site, i);
	for (int i = 0; i < HOSTS; i++)
		start_connect(site, i, &told[i]);
	await_all(site, told, HOSTS);
	for (int i = 0; i < HOSTS; i++) {
		if (told[i].kind != ANSWER_OPENED)
			fail_msg("host %d: %s", i, told[i].text);
		assert_string_equal(told[i].readonly, "plain");
		assert_true(fleet_connected(site->fleet, i));
	}
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < HOSTS; i++)
			probe(site, i, "file",
			    file_params(site, i, "motd", "hello"), 20000,
			    &told[i]);
		await_all(site, told, HOSTS);
		for (int i = 0; i < HOSTS; i++) {
			if (told[i].kind != ANSWER_SEEN)
				fail_msg("host %d: %s", i, told[i].text);
			assert_int_equal(told[i].seen_verdict, SEEN_CHANGE);
			assert_true(told[i].apply[0] != '\0');
			assert_true(told[i].undo[0] != '\0');
		}
	}
	for (int i = 0; i < HOSTS; i++)
		assert_int_equal(count_sessions(site, i) - before[i], 1);
	assert_true(strlen(fleet_library(site->fleet)) > 0);
}

static void
a_launch_with_a_ticket_changes_the_host_and_settle_agrees(void **state)
{
	struct site *site = *state;
	struct told seen[2], opened, launched, settled;
	const char *params = file_params(site, 0, "app.conf", "port 80\\n");
	struct book book;
	struct ticket *ticket;
	char xid[33];

	site_fleet(site, 1, NULL);
	site_module(site, "file", "modules/file/file.lua");
	book_open(&book, site);
	opened = connect_host(site, 0);
	probe(site, 0, "file", params, 20000, &seen[0]);
	await(site, &seen[0]);
	assert_int_equal(seen[0].seen_verdict, SEEN_CHANGE);
	assert_false(file_exists(home_path(site, 0, "app.conf")));
	/* the launch and its verify go out together */
	ticket = book_ticket(&book, 0, opened.life, xid);
	launched = told_new(site);
	fleet_launch(site->fleet, 0, ticket, bytes_of(seen[0].apply), 20000,
	    note, &launched);
	probe(site, 0, "file", params, 20000, &seen[1]);
	await(site, &seen[1]);
	await(site, &launched);
	if (launched.kind != ANSWER_VERDICT)
		fail_msg("%s: %s", launched.why, launched.text);
	assert_int_equal(launched.verdict, VERDICT_DONE);
	assert_int_equal(launched.rc, 0);
	assert_int_equal(seen[1].seen_verdict, SEEN_SAME);
	assert_true(file_exists(home_path(site, 0, "app.conf")));
	settled = told_new(site);
	fleet_settle(site->fleet, 0, xid, opened.life, note, &settled);
	await(site, &settled);
	assert_int_equal(settled.verdict, VERDICT_DONE);
	assert_int_equal(settled.rc, 0);
	/* what never ran is sealed */
	settled = told_new(site);
	fleet_settle(site->fleet, 0, "00000000000000000000000000000000",
	    opened.life, note, &settled);
	await(site, &settled);
	assert_int_equal(settled.verdict, VERDICT_SEALED);
	settled = told_new(site);
	fleet_sync(site->fleet, 0, note, &settled);
	await(site, &settled);
	assert_int_equal(settled.verdict, VERDICT_DONE);
	assert_int_equal(settled.rc, 0);
	journal_close(book.journal);
}

static void
a_ticket_of_another_life_launches_nothing(void **state)
{
	struct site *site = *state;
	struct told launched;
	struct book book;
	struct ticket *ticket;
	char xid[33];

	site_fleet(site, 1, NULL);
	book_open(&book, site);
	(void)connect_host(site, 1);
	ticket = book_ticket(&book, 1, "boot before the last", xid);
	launched = told_new(site);
	fleet_launch(site->fleet, 1, ticket,
	    bytes_of(arena_printf(
		site->arena, "touch %s", home_path(site, 1, "ran"))),
	    20000, note, &launched);
	await(site, &launched);
	assert_int_equal(launched.kind, ANSWER_VERDICT);
	assert_int_equal(launched.verdict, VERDICT_OTHERLIFE);
	assert_false(file_exists(home_path(site, 1, "ran")));
	journal_close(book.journal);
}

static void
a_launch_past_its_deadline_is_stopped_and_settles(void **state)
{
	struct site *site = *state;
	struct told opened, launched, settled;
	struct book book;
	char xid[33];

	site_fleet(site, 1, NULL);
	book_open(&book, site);
	opened = connect_host(site, 2);
	launched = told_new(site);
	fleet_launch(site->fleet, 2, book_ticket(&book, 2, opened.life, xid),
	    bytes_of("sleep 1000; echo over"), 300, note, &launched);
	await(site, &launched);
	assert_int_equal(launched.kind, ANSWER_FAILED);
	assert_string_equal(launched.why, "deadline");
	settled = told_new(site);
	fleet_settle(site->fleet, 2, xid, opened.life, note, &settled);
	await(site, &settled);
	if (settled.kind != ANSWER_VERDICT)
		fail_msg("%s: %s", settled.why, settled.text);
	assert_true(
	    settled.verdict == VERDICT_DONE || settled.verdict == VERDICT_LOST);
	if (settled.verdict == VERDICT_DONE)
		assert_int_equal(settled.rc, 143);
	journal_close(book.journal);
}

/* A proxy that holds each direction back by so many ms. */
static pid_t
slow_proxy(int *port, int to_port, const char *to, int delay_ms)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char line[512];
	pid_t pid;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
	    bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 5), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	snprintf(line, sizeof(line),
	    "import os,select,socket,time\n"
	    "l=socket.socket(fileno=%d);a,_=l.accept()\n"
	    "b=socket.create_connection(('%s',%d))\n"
	    "q=[];p={a:b,b:a}\n"
	    "while 1:\n"
	    " w=max(0,q[0][0]-time.monotonic()) if q else None\n"
	    " for s in select.select([a,b],[],[],w)[0]:\n"
	    "  d=s.recv(65536)\n"
	    "  if not d: os._exit(0)\n"
	    "  q.append((time.monotonic()+%d/1000,p[s],d))\n"
	    " while q and q[0][0]<=time.monotonic():\n"
	    "  _,s,d=q.pop(0);s.sendall(d)\n",
	    listener, to, to_port, delay_ms);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)fcntl(listener, F_SETFD, 0);
		execlp("python3", "python3", "-c", line, (char *)NULL);
		_exit(127);
	}
	close(listener);
	return pid;
}

/* The settings of a host, but dialled elsewhere; its key stays that of the
 * host. */
static struct ssh_settings *
dialled_at(struct site *site, int host, const char *address, int port)
{
	struct ssh_settings *ssh =
	    arena_new_of(site->arena, struct ssh_settings);

	*ssh = *site->ssh[host];
	ssh->host_key_alias =
	    arena_printf(site->arena, "[%s]:%d", ssh->address, ssh->port);
	ssh->address = address;
	ssh->port = port;
	return ssh;
}

static void
probe_launch_and_probe_share_one_round_trip(void **state)
{
	enum { DELAY_MS = 250 }; /* one way */
	struct site *site = *state;
	struct told opened, told[3];
	const char *params = file_params(site, 3, "one.trip", "x");
	struct fleet_host how = how_of(site, 3);
	struct book book;
	struct ticket *ticket;
	char xid[33];
	int64_t from, took;
	pid_t proxy;
	int port;

	site_fleet(site, 1, NULL);
	site_module(site, "file", "modules/file/file.lua");
	book_open(&book, site);
	proxy = slow_proxy(
	    &port, site->ssh[3]->port, site->ssh[3]->address, DELAY_MS);
	how.ssh = dialled_at(site, 3, "127.0.0.1", port);
	opened = told_new(site);
	fleet_connect(site->fleet, 3, &how, FLEET_PLAIN, note, &opened);
	await(site, &opened);
	if (opened.kind != ANSWER_OPENED)
		fail_msg("%s: %s", opened.why, opened.text);
	ticket = book_ticket(&book, 3, opened.life, xid);
	told[1] = told_new(site);
	from = world_mono_ms(&world_real);
	probe(site, 3, "file", params, 20000, &told[0]);
	fleet_launch(
	    site->fleet, 3, ticket, bytes_of("true"), 20000, note, &told[1]);
	probe(site, 3, "file", params, 20000, &told[2]);
	await_all(site, told, 3);
	took = world_mono_ms(&world_real) - from;
	print_message("# three requests took %lld ms at %d ms a round trip\n",
	    (long long)took, 2 * DELAY_MS);
	assert_int_equal(told[0].kind, ANSWER_SEEN);
	assert_int_equal(told[1].verdict, VERDICT_DONE);
	assert_int_equal(told[2].kind, ANSWER_SEEN);
	assert_true(took >= 2 * DELAY_MS);
	assert_true(took < 4 * DELAY_MS);
	kill(proxy, SIGKILL);
	journal_close(book.journal);
}

static void
a_jump_host_leads_the_way(void **state)
{
	struct site *site = *state;
	struct ssh_settings *ssh =
	    arena_new_of(site->arena, struct ssh_settings);
	struct fleet_host how = how_of(site, 5);
	struct told told;

	site_fleet(site, 1, NULL);
	site_module(site, "file", "modules/file/file.lua");
	*ssh = *site->ssh[5];
	ssh->jump = "light1";
	how.ssh = ssh;
	how.ssh_config = file_join(site->arena, site->light, "ssh_config");
	told = told_new(site);
	fleet_connect(site->fleet, 5, &how, FLEET_PLAIN, note, &told);
	await(site, &told);
	if (told.kind != ANSWER_OPENED)
		fail_msg("%s: %s", told.why, told.text);
	probe(site, 5, "file", file_params(site, 5, "x", "x"), 20000, &told);
	await(site, &told);
	assert_int_equal(told.kind, ANSWER_SEEN);
	fleet_disconnect(site->fleet, 5);
	/* a way that leads nowhere */
	ssh->jump = "dark1";
	told = told_new(site);
	fleet_connect(site->fleet, 5, &how, FLEET_PLAIN, note, &told);
	await(site, &told);
	assert_int_equal(told.kind, ANSWER_CLOSED);
	assert_string_equal(told.why, "network");
	assert_non_null(strstr(told.text, "-J dark1"));
}

/* --- workers that die ---------------------------------------------------- */

static void
a_killed_worker_costs_a_reconnect_and_settle_tells_the_truth(void **state)
{
	struct site *site = *state;
	struct told opened[2], launched, asked, again, settled;
	const char *go = home_path(site, 4, "go"),
		   *on = home_path(site, 4, "on");
	struct book book;
	struct ticket *ticket;
	char xid[33];
	int pid;

	site_fleet(site, 1, NULL);
	site_module(site, "file", "modules/file/file.lua");
	book_open(&book, site);
	opened[0] = connect_host(site, 4);
	opened[1] = connect_host(site, 5);
	ticket = book_ticket(&book, 4, opened[0].life, xid);
	launched = told_new(site);
	assert_int_equal(mkfifo(go, 0600), 0);
	assert_int_equal(mkfifo(on, 0600), 0);
	/* it says that it is on, and ends when it is told to go */
	fleet_launch(site->fleet, 4, ticket,
	    bytes_of(arena_printf(site->arena,
		"echo here >%s; read -r x <%s; echo \"$x\"; exit 7", on, go)),
	    20000, note, &launched);
	probe(site, 4, "file", file_params(site, 4, "x", "x"), 20000, &asked);
	{
		int fd = open(on, O_RDONLY | O_NONBLOCK);
		char c[8];

		while (read(fd, c, sizeof(c)) <= 0)
			run_for(site, 5);
		close(fd);
	}
	pid = fleet_worker_pid(site->fleet, 0);
	assert_true(pid > 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	await(site, &launched);
	await(site, &asked);
	assert_int_equal(launched.kind, ANSWER_FAILED);
	assert_string_equal(launched.why, "connection");
	assert_int_equal(asked.kind, ANSWER_FAILED);
	assert_string_equal(asked.why, "connection");
	assert_false(fleet_connected(site->fleet, 4));
	assert_false(fleet_connected(site->fleet, 5));
	again = connect_host(site, 4);
	assert_string_equal(again.life, opened[0].life);
	assert_int_not_equal(fleet_worker_pid(site->fleet, 0), pid);
	/* it outlived the worker: settle finds it running */
	settled = told_new(site);
	fleet_settle(site->fleet, 4, xid, opened[0].life, note, &settled);
	await(site, &settled);
	assert_int_equal(settled.verdict, VERDICT_RUNNING);
	run_line("echo done >%s", go);
	do {
		settled = told_new(site);
		fleet_settle(
		    site->fleet, 4, xid, opened[0].life, note, &settled);
		await(site, &settled);
	} while (settled.verdict == VERDICT_RUNNING);
	assert_int_equal(settled.verdict, VERDICT_DONE);
	assert_int_equal(settled.rc, 7);
	assert_string_equal(settled.out, "done\n");
	/* the new worker was given the modules again */
	probe(site, 4, "file", file_params(site, 4, "x", "x"), 20000, &asked);
	await(site, &asked);
	assert_int_equal(asked.kind, ANSWER_SEEN);
	journal_close(book.journal);
}

static void
a_worker_that_does_not_answer_is_killed(void **state)
{
	struct site *site = *state;
	struct told asked, other;
	int pid;

	site_fleet(site, 2, NULL);
	site_module(site, "file", "modules/file/file.lua");
	(void)connect_host(site, 6);
	(void)connect_host(site, 7); /* on the other worker */
	pid = fleet_worker_pid(site->fleet, 0);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	probe(site, 6, "file", file_params(site, 6, "x", "x"), 20000, &asked);
	probe(site, 7, "file", file_params(site, 7, "x", "x"), 20000, &other);
	await(site, &other);
	assert_int_equal(other.kind, ANSWER_SEEN);
	await(site, &asked);
	assert_int_equal(asked.kind, ANSWER_FAILED);
	assert_string_equal(asked.why, "connection");
	assert_true(fleet_connected(site->fleet, 7));
	(void)connect_host(site, 6);
	probe(site, 6, "file", file_params(site, 6, "x", "x"), 20000, &asked);
	await(site, &asked);
	assert_int_equal(asked.kind, ANSWER_SEEN);
}

/* --- modules and expressions --------------------------------------------- */

static void
a_module_that_loops_fails_by_its_budget_alone(void **state)
{
	struct site *site = *state;
	struct told loops, well;

	site_fleet(site, 1, NULL);
	site_module(site, "file", "modules/file/file.lua");
	fleet_module(site->fleet, "endless",
	    bytes_of("return { name = \"endless\", summary = \"never ends\","
		     " params = {},\n"
		     " probe = function(host, p)\n"
		     "   while true do end\n"
		     " end,\n"
		     " apply = function(sh, want, seen) end }\n"));
	(void)connect_host(site, 8);
	(void)connect_host(site, 9);
	probe(site, 8, "endless", "{}", 20000, &loops);
	probe(site, 9, "file", file_params(site, 9, "x", "x"), 20000, &well);
	await(site, &loops);
	await(site, &well);
	assert_int_equal(loops.kind, ANSWER_FAILED);
	if (strcmp(loops.why, "budget") != 0)
		fail_msg("%s: %s", loops.why, loops.text);
	assert_int_equal(loops.line, 3);
	assert_int_equal(well.kind, ANSWER_SEEN);
	assert_true(fleet_connected(site->fleet, 8));
}

static void
modules_are_described_and_expressions_evaluated(void **state)
{
	struct site *site = *state;
	struct told good, bad, none, value;

	site_fleet(site, 2, NULL);
	site_module(site, "file", "modules/file/file.lua");
	fleet_module(site->fleet, "broken",
	    bytes_of("return {\n  name = = \"broken\" }\n"));
	good = bad = none = value = told_new(site);
	fleet_describe(site->fleet, "file", note, &good);
	fleet_describe(site->fleet, "broken", note, &bad);
	fleet_describe(site->fleet, "absent", note, &none);
	fleet_eval(site->fleet, bytes_of("[\"a ${{ 1 + 1 }} b\"]"),
	    bytes_of(DATA), 5000, note, &value);
	await(site, &good);
	await(site, &bad);
	await(site, &none);
	await(site, &value);
	assert_int_equal(good.kind, ANSWER_DESCRIBED);
	assert_non_null(strstr(good.json, "\"name\":\"file\""));
	assert_int_equal(bad.kind, ANSWER_FAILED);
	assert_string_equal(bad.why, "module");
	assert_int_equal(bad.line, 2);
	assert_int_equal(none.kind, ANSWER_FAILED);
	if (value.kind != ANSWER_VALUE)
		fail_msg("%s", value.text);
	assert_string_equal(value.json, "[\"a 2 b\"]");
}

/* --- hosts that cannot be reached ---------------------------------------- */

static struct told
closed_with(struct site *site, int host, struct ssh_settings *ssh)
{
	struct fleet_host how = how_of(site, host);
	struct told told = told_new(site);

	how.ssh = ssh;
	fleet_connect(site->fleet, host, &how, FLEET_PLAIN, note, &told);
	await(site, &told);
	assert_int_equal(told.kind, ANSWER_CLOSED);
	assert_false(fleet_connected(site->fleet, host));
	print_message("# %s: %s\n", told.why, told.text);
	return told;
}

static struct ssh_settings *
with_known_hosts(struct site *site, int host, const char *text)
{
	struct ssh_settings *ssh =
	    arena_new_of(site->arena, struct ssh_settings);
	const char *path =
	    arena_printf(site->arena, "%s/known_hosts.%d", site->folder, host);
	struct err err = ERR_INIT;

	*ssh = *site->ssh[host];
	assert_int_equal(file_write(path, bytes_of(text), 0600, &err), 0);
	ssh->known_hosts = arena_array(site->arena, const char *, 1);
	ssh->known_hosts[0] = path;
	ssh->known_hosts_count = 1;
	return ssh;
}

static void
an_unknown_host_key_is_refused_with_the_command_that_adds_it(void **state)
{
	struct site *site = *state;
	struct told told;

	site_fleet(site, 1, NULL);
	told = closed_with(site, 10, with_known_hosts(site, 10, ""));
	assert_string_equal(told.why, "hostkey");
	assert_non_null(strstr(told.text, "light11"));
	assert_non_null(strstr(told.text, "ssh-keyscan"));
}

static void
a_changed_host_key_is_refused_and_shown(void **state)
{
	struct site *site = *state;
	struct told told;
	char *line;
	struct buf key = BUF_INIT;
	struct err err = ERR_INIT;

	site_fleet(site, 1, NULL);
	run_line("ssh-keygen -q -t ed25519 -N '' -f '%s/other'", site->folder);
	assert_int_equal(
	    file_read(file_join(site->arena, site->folder, "other.pub"), 10000,
		&key, &err),
	    0);
	line = arena_printf(site->arena, "[%s]:%d %s", site->ssh[11]->address,
	    site->ssh[11]->port, buf_str(&key));
	buf_free(&key);
	told = closed_with(site, 11, with_known_hosts(site, 11, line));
	assert_string_equal(told.why, "hostkey");
	assert_non_null(strstr(told.fingerprint, "SHA256:"));
	assert_non_null(strstr(told.text, "light12"));
	assert_non_null(strstr(told.text, "ssh-keygen"));
}

static void
a_closed_port_says_what_to_try(void **state)
{
	struct site *site = *state;
	struct told told;

	site_fleet(site, 1, NULL);
	told = closed_with(site, 12, dialled_at(site, 12, "127.0.0.1", 1));
	assert_string_equal(told.why, "network");
	assert_non_null(strstr(told.text, "ssh -p 1 "));
}

static void
a_host_that_never_answers_ends_at_the_deadline(void **state)
{
	struct site *site = *state;
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct ssh_settings *ssh;
	struct told told, well;
	int64_t from, took;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
	    bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 5), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&address, &len), 0);
	site_fleet(site, 1, NULL);
	ssh = dialled_at(site, 13, "127.0.0.1", ntohs(address.sin_port));
	ssh->connect_timeout_ms = 700;
	start_connect(site, 14, &well);
	from = world_mono_ms(&world_real);
	told = closed_with(site, 13, ssh);
	took = world_mono_ms(&world_real) - from;
	assert_string_equal(told.why, "deadline");
	assert_true(took >= 600 && took < 5000);
	assert_non_null(strstr(told.text, "ConnectTimeout"));
	await(site, &well);
	assert_int_equal(well.kind, ANSWER_OPENED);
	close(listener);
}

static void
an_sshd_that_hangs_up_is_tried_three_times(void **state)
{
	struct site *site = *state;
	struct told told;

	site_fleet(site, 1, NULL);
	/* a port that takes and drops connections, and says how many */
	char line[512];
	int port, fds[2];
	pid_t pid;
	char text[16] = "";

	assert_int_equal(pipe(fds), 0);
	snprintf(line, sizeof(line),
	    "import os,socket\n"
	    "l=socket.create_server(('127.0.0.1',0))\n"
	    "os.write(%d,str(l.getsockname()[1]).encode()+b'\\n')\n"
	    "while 1:\n"
	    " a,_=l.accept();os.write(%d,b'.');a.close()\n",
	    fds[1], fds[1]);
	pid = fork();
	if (pid == 0) {
		execlp("python3", "python3", "-c", line, (char *)NULL);
		_exit(127);
	}
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	port = atoi(text);
	told = closed_with(site, 15, dialled_at(site, 15, "127.0.0.1", port));
	assert_string_equal(told.why, "network");
	kill(pid, SIGKILL);
	memset(text, 0, sizeof(text));
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "...");
	close(fds[0]);
	close(fds[1]);
}

static void
a_refused_key_says_how_to_let_it_in(void **state)
{
	struct site *site = *state;
	struct ssh_settings *ssh =
	    arena_new_of(site->arena, struct ssh_settings);
	struct told told;

	site_fleet(site, 1, NULL);
	run_line(
	    "ssh-keygen -q -t ed25519 -N '' -f '%s/stranger'", site->folder);
	*ssh = *site->ssh[16];
	ssh->identities = arena_array(site->arena, const char *, 1);
	ssh->identities[0] = file_join(site->arena, site->folder, "stranger");
	ssh->identity_count = 1;
	told = closed_with(site, 16, ssh);
	assert_string_equal(told.why, "auth");
	assert_non_null(strstr(told.text, "ssh-copy-id"));
}

static void
jobs_of_a_host_that_is_not_connected_fail_in_the_next_turn(void **state)
{
	struct site *site = *state;
	struct told told, connecting;

	site_fleet(site, 1, NULL);
	probe(site, 17, "file", "{}", 20000, &told);
	assert_false(told.done);
	await(site, &told);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_string_equal(told.why, "connection");
	/* and a connect that is taken back is answered too, once */
	start_connect(site, 17, &connecting);
	fleet_disconnect(site->fleet, 17);
	await(site, &connecting);
	assert_int_equal(connecting.kind, ANSWER_CLOSED);
	assert_string_equal(connecting.why, "asked");
	(void)connect_host(site, 17);
	probe(site, 17, "file", "{}", 20000, &told);
	fleet_disconnect(site->fleet, 17);
	assert_false(told.done);
	await(site, &told);
	assert_string_equal(told.why, "connection");
	(void)connect_host(site, 17); /* at once, over a new connection */
}

/* --- checks -------------------------------------------------------------- */

static struct told
check(struct site *site, int host, const char *kind, const char *spec,
    int64_t timeout_ms)
{
	struct told told = told_new(site);

	fleet_check(
	    site->fleet, host, kind, bytes_of(spec), timeout_ms, note, &told);
	await(site, &told);
	print_message("# %s %s: %s\n", kind,
	    told.kind != ANSWER_CHECKED ? told.why
	    : told.check == CHECK_PASS	? "pass"
	    : told.check == CHECK_FAIL	? "fail"
					: "inconclusive",
	    told.text);
	return told;
}

static void
checks_on_the_host_pass_fail_or_cannot_tell(void **state)
{
	struct site *site = *state;
	static const struct {
		const char *spec, *text;
		enum check_result result;
	} rows[] = {
	    {"{\"command\":[\"echo\",\"all\\nwell\"]}", "all", CHECK_PASS},
	    {"{\"command\":[\"sh\",\"-c\",\"echo \\\"it's\\\" off >&2; exit "
	     "3\"]}",
		"sh ended with 3: it's off", CHECK_FAIL},
	    {"{\"command\":[\"/no/such\"]}", "cannot run /no/such",
		CHECK_INCONCLUSIVE},
	    {"{\"command\":[\"/etc/passwd\"]}", "cannot run /etc/passwd",
		CHECK_INCONCLUSIVE},
	    {"{\"command\":[\"sleep\",\"100\"]}", "sleep did not end in time",
		CHECK_FAIL},
	};
	struct told told;

	site_fleet(site, 1, NULL);
	(void)connect_host(site, 18);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		told = check(site, 18, "command", rows[i].spec, 1000);
		assert_int_equal(told.kind, ANSWER_CHECKED);
		assert_int_equal(told.check, rows[i].result);
		assert_int_equal(
		    strncmp(told.text, rows[i].text, strlen(rows[i].text)), 0);
	}
	/* the shell is free again after the one that hung */
	assert_true(fleet_connected(site->fleet, 18));
	told =
	    check(site, 18, "service", "{\"name\":\"no-such.service\"}", 5000);
	assert_int_equal(told.kind, ANSWER_CHECKED);
	/* not here: fail; or no systemd on this machine */
	assert_int_not_equal(told.check, CHECK_PASS);
	told = check(site, 18, "command", "{}", 1000);
	assert_int_equal(told.kind, ANSWER_FAILED);
}

static void
checks_over_the_net_are_dialled_from_here(void **state)
{
	struct site *site = *state;
	struct told told;
	const char *spec;
	int fds[2], port;
	char line[512], text[16] = "";
	pid_t pid;

	site_fleet(site, 1, NULL);
	spec = arena_printf(site->arena, "{\"address\":\"%s\",\"port\":%d}",
	    site->ssh[0]->address, site->ssh[0]->port);
	told = check(site, 0, "tcp", spec, 2000);
	assert_int_equal(told.check, CHECK_PASS);
	told = check(
	    site, 0, "tcp", "{\"address\":\"127.0.0.1\",\"port\":\"1\"}", 2000);
	assert_int_equal(told.check, CHECK_FAIL);
	told = check(site, 0, "tcp", "{\"address\":\"127.0.0.1\"}", 2000);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_string_equal(told.why, "refused");
	assert_int_equal(pipe(fds), 0);
	snprintf(line, sizeof(line),
	    "import os,http.server as h\n"
	    "class S(h.BaseHTTPRequestHandler):\n"
	    " def do_GET(s):\n"
	    "  s.send_response(200 if s.path=='/ok' else 503)\n"
	    "  s.end_headers();s.wfile.write(b'ready')\n"
	    " def log_message(s,*a): pass\n"
	    "l=h.HTTPServer(('127.0.0.1',0),S)\n"
	    "os.write(%d,str(l.server_port).encode()+b'\\n')\n"
	    "l.serve_forever()\n",
	    fds[1]);
	pid = fork();
	if (pid == 0) {
		execlp("python3", "python3", "-c", line, (char *)NULL);
		_exit(127);
	}
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	port = atoi(text);
	told = check(site, 0, "http",
	    arena_printf(site->arena,
		"{\"body\":\"/^ready$/\",\"url\":\"http://127.0.0.1:%d/ok\"}",
		port),
	    5000);
	assert_int_equal(told.check, CHECK_PASS);
	told = check(site, 0, "http",
	    arena_printf(
		site->arena, "{\"url\":\"http://127.0.0.1:%d/bad\"}", port),
	    5000);
	assert_int_equal(told.check, CHECK_FAIL);
	assert_string_equal(told.text, "503 Service Unavailable, wanted 2xx");
	/* stopped, it takes the dial and never answers */
	kill(pid, SIGSTOP);
	spec = arena_printf(
	    site->arena, "{\"url\":\"http://127.0.0.1:%d/ok\"}", port);
	told = check(site, 0, "http", spec, 300);
	assert_int_equal(told.check, CHECK_FAIL);
	told = told_new(site);
	fleet_check(site->fleet, 0, "http", bytes_of(spec), 60000, note, &told);
	run_for(site, 50);
	assert_false(told.done);
	fleet_disconnect(site->fleet, 0);
	await(site, &told);
	assert_int_equal(told.kind, ANSWER_FAILED);
	assert_string_equal(told.why, "connection");
	kill(pid, SIGKILL);
	close(fds[0]);
	close(fds[1]);
}

static void
closing_amid_everything_calls_no_done(void **state)
{
	struct site *site = *state;
	struct told told[6];

	site_fleet(site, 2, NULL);
	site_module(site, "file", "modules/file/file.lua");
	(void)connect_host(site, 0);
	for (int i = 1; i < 4; i++)
		start_connect(site, i, &told[i]);
	run_for(site, 2); /* somewhere in the midst of it */
	start_connect(site, 4, &told[4]);
	probe(site, 0, "file", file_params(site, 0, "x", "x"), 20000, &told[0]);
	told[5] = told_new(site);
	fleet_check(site->fleet, 0, "tcp",
	    bytes_of("{\"address\":\"127.0.0.1\",\"port\":1}"), 5000, note,
	    &told[5]);
	fleet_eval(
	    site->fleet, bytes_of("[]"), bytes_of(DATA), 1000, note, &told[5]);
	probe(site, 9, "file", "{}", 1000, &told[5]); /* for the next turn */
	fleet_disconnect(site->fleet, 3);
	fleet_close(site->fleet);
	site->fleet = NULL;
	for (int i = 0; i < 6; i++)
		told[i].calls = 0;
	run_for(site, 20);
	for (int i = 0; i < 6; i++)
		assert_int_equal(told[i].calls, 0);
}

static void
a_probe_that_hangs_costs_the_connection_at_its_deadline(void **state)
{
	struct site *site = *state;
	struct told told, behind;

	site_fleet(site, 1, NULL);
	fleet_module(site->fleet, "hangs",
	    bytes_of("return { name = \"hangs\", summary = \"hangs\","
		     " params = {},\n"
		     " probe = function(host, p)\n"
		     "   return { state = host:run{ \"sleep\", \"1000\" } }\n"
		     " end,\n"
		     " apply = function(sh, want, seen) end }\n"));
	(void)connect_host(site, 19);
	probe(site, 19, "hangs", "{}", 400, &told);
	probe(site, 19, "hangs", "{}", 400, &behind);
	await(site, &told);
	if (told.kind != ANSWER_FAILED || strcmp(told.why, "deadline") != 0)
		fail_msg("%d %s: %s", told.kind, told.why, told.text);
	await(site, &behind);
	assert_string_equal(behind.why, "connection");
	assert_false(fleet_connected(site->fleet, 19));
	(void)connect_host(site, 19);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    site_test(twenty_hosts_connect_and_probe_over_one_connection_each),
	    site_test(
		a_launch_with_a_ticket_changes_the_host_and_settle_agrees),
	    site_test(a_ticket_of_another_life_launches_nothing),
	    site_test(a_launch_past_its_deadline_is_stopped_and_settles),
	    site_test(probe_launch_and_probe_share_one_round_trip),
	    site_test(a_jump_host_leads_the_way),
	    site_test(
		a_killed_worker_costs_a_reconnect_and_settle_tells_the_truth),
	    site_test(a_worker_that_does_not_answer_is_killed),
	    site_test(a_module_that_loops_fails_by_its_budget_alone),
	    site_test(modules_are_described_and_expressions_evaluated),
	    site_test(
		an_unknown_host_key_is_refused_with_the_command_that_adds_it),
	    site_test(a_changed_host_key_is_refused_and_shown),
	    site_test(a_closed_port_says_what_to_try),
	    site_test(a_host_that_never_answers_ends_at_the_deadline),
	    site_test(an_sshd_that_hangs_up_is_tried_three_times),
	    site_test(a_refused_key_says_how_to_let_it_in),
	    site_test(
		jobs_of_a_host_that_is_not_connected_fail_in_the_next_turn),
	    site_test(checks_on_the_host_pass_fail_or_cannot_tell),
	    site_test(checks_over_the_net_are_dialled_from_here),
	    site_test(closing_amid_everything_calls_no_done),
	    site_test(a_probe_that_hangs_costs_the_connection_at_its_deadline),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return worker_main(3);
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, site_up, site_down);
}
