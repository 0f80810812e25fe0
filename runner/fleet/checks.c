/*
 * Checks: `command` and `service` go to the host's connection; `tcp` and
 * `http` are dialled from here. A tcp check passes by the dial alone, an http
 * check goes on in any worker with the descriptor.
 */
#include "fleet/asks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"

struct target {
	const char *address;
	int port;
};

static int
port_read(const struct json *value, int *port)
{
	int64_t number = 0;

	if (value != NULL && value->type == JSON_INT)
		number = value->num;
	else if (value != NULL && value->type == JSON_TEXT)
		(void)text_int(value->text, 1, 65535, &number);
	if (number < 1 || number > 65535)
		return -1;
	*port = (int)number;
	return 0;
}

/* A URL, just enough of it for host and port. */
static int
url_read(struct arena *arena, const char *url, struct target *target)
{
	const char *host, *port = NULL;
	size_t len;
	int64_t number;

	if (strncmp(url, "http://", 7) == 0) {
		host = url + 7;
		target->port = 80;
	} else if (strncmp(url, "https://", 8) == 0) {
		host = url + 8;
		target->port = 443;
	} else {
		return -1;
	}
	if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
		return -1;
	if (*host == '[') {
		len = strcspn(++host, "]/?#");
		if (host[len] != ']')
			return -1;
		if (host[len + 1] == ':')
			port = host + len + 2;
	} else {
		len = strcspn(host, ":/?#");
		if (host[len] == ':')
			port = host + len + 1;
	}
	if (port != NULL) {
		port = arena_copy(arena, port, strcspn(port, "/?#"));
		if (!text_int(port, 1, 65535, &number))
			return -1;
		target->port = (int)number;
	}
	target->address = arena_copy(arena, host, len);
	return len > 0 ? 0 : -1;
}

static int
target_read(struct arena *arena, const char *kind, struct bytes spec,
    struct target *target)
{
	struct json *map;

	if (json_parse(arena, spec.data, spec.len, "check", &map, NULL) < 0)
		return -1;
	if (strcmp(kind, "http") == 0)
		return url_read(arena, json_get_text(map, "url", ""), target);
	target->address = json_get_text(map, "address", "");
	return *target->address != '\0'
		   ? port_read(json_get(map, "port"), &target->port)
		   : -1;
}

static void
net_finish(struct job *job, enum check_result result, const char *text)
{
	struct answer answer = {
	    .kind = ANSWER_CHECKED,
	    .check = result,
	    .text = text,
	    .value = "",
	};

	job_finish(job, &answer);
}

/* On with the descriptor, in any worker; takes fd. */
static void
net_send(struct job *job, int fd, int64_t left_ms)
{
	struct hand *hand = hands_for_job(job->fleet);
	struct number deadline;
	struct bytes fields[] = {bytes_of("http"), bytes_of(job->spec),
	    number_field(&deadline, left_ms)};

	if (hand == NULL || !seam_fits(fields, 3)) {
		close(fd);
		net_finish(job, CHECK_INCONCLUSIVE,
		    hand == NULL
			? _("no worker process runs")
			: _("the check's text is above 60 KiB; give ca: only "
			    "the certificate that signed"));
		return;
	}
	TAILQ_REMOVE(job->list, job, next);
	job_place(job, &hand->jobs, hand);
	hand_send(hand, SEAM_CHECK_NET, 0, job->id, fd, fields, 3);
}

static void
net_dialled(void *arg, int fd, const struct err *err)
{
	struct job *job = arg;
	int64_t spent_ms = loop_now_ms(job->fleet->loop) - job->asked_at;
	int64_t left_ms = job->timeout_ms - spent_ms;
	struct buf text = BUF_LIMIT(256);

	job->dial = NULL;
	if (fd < 0) {
		net_finish(job, CHECK_FAIL, err->text);
	} else if (job->spec == NULL) {
		close(fd);
		buf_printf(
		    &text, _("connected in %lld ms"), (long long)spent_ms);
		net_finish(job, CHECK_PASS, buf_str(&text));
	} else {
		net_send(job, fd, left_ms > 1 ? left_ms : 1);
	}
	buf_free(&text);
}

static void
check_net(struct job *job, const char *kind, struct bytes spec)
{
	struct arena *arena = arena_new();
	struct link *link = link_get(job->fleet, job->host);
	struct target target;

	job->asked_at = loop_now_ms(job->fleet->loop);
	if (target_read(arena, kind, spec, &target) < 0) {
		job_fail_later(job, "refused",
		    strcmp(kind, "http") == 0
			? _("check: url: wants http://HOST or https://HOST")
			: _("check: tcp: wants an address and a port"));
		goto out;
	}
	if (strcmp(kind, "http") == 0) {
		job->spec = xcalloc(1, spec.len + 1);
		memcpy(job->spec, spec.data, spec.len);
	}
	job_place(job, &link->dials, NULL);
	job->dial = loop_dial_start(job->fleet->loop, target.address,
	    target.port, job->timeout_ms, net_dialled, job);
out:
	arena_free(arena);
}

void
real_check(struct fleet *fleet, int host, const char *kind, struct bytes spec,
    int64_t timeout_ms, fleet_done *done, void *arg)
{
	bool net = strcmp(kind, "tcp") == 0 || strcmp(kind, "http") == 0;
	struct job *job = job_new(fleet, net ? SEAM_CHECK_NET : SEAM_CHECK,
	    host, timeout_ms, done, arg);
	struct link *link;
	struct number deadline;
	struct bytes fields[] = {
	    bytes_of(kind), spec, number_field(&deadline, timeout_ms)};

	if (net) {
		check_net(job, kind, spec);
		return;
	}
	link = ask_link(job);
	if (link != NULL)
		ask_send(job, link, fields, 3);
}

void
checks_forget_host(struct fleet *fleet, struct link *link)
{
	jobs_fail_all_later(&link->dials, "connection", _("disconnected"));
	for (int i = 0; i < fleet->hand_count; i++) {
		struct hand *hand = &fleet->hands[i];
		struct job *job, *next;

		for (job = TAILQ_FIRST(&hand->jobs); job != NULL; job = next) {
			next = TAILQ_NEXT(job, next);
			if (job->type != SEAM_CHECK_NET ||
			    job->host != link->host)
				continue;
			if (hand->seam != NULL)
				hand_send(
				    hand, SEAM_CANCEL, 0, job->id, -1, NULL, 0);
			job_fail_later(job, "connection", _("disconnected"));
		}
	}
}
