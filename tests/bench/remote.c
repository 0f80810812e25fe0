/*
 * What a connection costs here: N logins to one sshd on loopback, then ten
 * times probe + launch + verify on each; this process's CPU and wall time a
 * host, and round trips counted as sends that followed a receipt.
 */
#include "../unit/remote_host.h"

#include <sys/resource.h>

enum { STEPS = 10 };

struct bench {
	struct link link;
	struct bench_run *run;
	char xid[33];
	int step, trips_at_open, trips;
};

struct bench_run {
	struct loop *loop;
	int open, done;
};

static double
cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static void
bench_opened(void *arg, const struct remote_opened *opened)
{
	struct bench *b = arg;

	(void)opened;
	b->trips_at_open = b->link.remote->wire.flights;
	b->run->open++;
	loop_stop(b->run->loop);
}

static void
bench_closed(void *arg, const char *why, const char *text, const char *print)
{
	(void)arg;
	(void)print;
	if (strcmp(why, "asked") != 0) {
		fprintf(stderr, "%s: %s\n", why, text);
		exit(1);
	}
}

static void
bench_sign(void *arg, const char *algorithm, struct bytes payload)
{
	struct bench *b = arg;

	buf_reset(&b->link.signature);
	key_sign(b->link.key, algorithm, payload, &b->link.signature);
	remote_signature(b->link.remote, buf_bytes(&b->link.signature), NULL);
}

static void
ignore(void *arg, const struct remote_answer *answer)
{
	(void)arg;
	if (answer->end != REMOTE_ANSWERED)
		exit(1);
}

static void step_done(void *arg, const struct remote_answer *answer);

static void
step_start(struct bench *b)
{
	world_random_hex(&world_real, b->xid, 16);
	remote_ask(b->link.remote, "cat /proc/uptime", 16, ignore, b);
	remote_launch(b->link.remote, b->xid, bytes_of("true"), ignore, b);
	remote_ask(b->link.remote, "cat /proc/uptime", 16, step_done, b);
}

static void
step_done(void *arg, const struct remote_answer *answer)
{
	struct bench *b = arg;

	ignore(arg, answer);
	if (++b->step < STEPS) {
		step_start(b);
		return;
	}
	b->trips = b->link.remote->wire.flights - b->trips_at_open;
	b->run->done++;
	loop_stop(b->run->loop);
}

int
main(int argc, char **argv)
{
	static const struct remote_events events = {
	    .opened = bench_opened, .closed = bench_closed, .sign = bench_sign};
	int count = argc > 1 ? atoi(argv[1]) : 100;
	struct bench *hosts = xcalloc((size_t)count, sizeof(*hosts));
	struct bench_run run = {NULL, 0, 0};
	struct host host;
	struct err err = ERR_INIT;
	int64_t wall;
	double cpu;

	host_start(&host);
	if (loop_open(&run.loop, &err) < 0)
		return err_print(stderr, &err);
	wall = world_mono_ms(&world_real);
	cpu = cpu_ms();
	for (int i = 0; i < count; i++) {
		struct remote_options options = host_options(&host);

		hosts[i].run = &run;
		hosts[i].link.key = &host.key;
		options.fd = host_dial(&host);
		if (remote_open(run.loop, &options, &events, &hosts[i],
			&hosts[i].link.remote, &err) < 0)
			return err_print(stderr, &err);
	}
	while (run.open < count)
		loop_run(run.loop);
	printf("%d logins: %lld ms, %.2f ms CPU a host, %d round trips\n",
	    count, (long long)(world_mono_ms(&world_real) - wall),
	    (cpu_ms() - cpu) / count, hosts[0].trips_at_open);
	wall = world_mono_ms(&world_real);
	cpu = cpu_ms();
	for (int i = 0; i < count; i++)
		step_start(&hosts[i]);
	while (run.done < count)
		loop_run(run.loop);
	printf("%d steps each: %lld ms, %.3f ms CPU a host and step, "
	       "%.1f round trips a step\n",
	    STEPS, (long long)(world_mono_ms(&world_real) - wall),
	    (cpu_ms() - cpu) / count / STEPS, hosts[0].trips / (double)STEPS);
	fflush(stdout);
	kill(host.sshd, SIGTERM);
	file_remove_tree(host.folder);
	_exit(0);
}
