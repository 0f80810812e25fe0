/*
 * Connecting a host: its keys, the dial, OPEN, backing off where sshd hangs up
 * before the login, and what is said where it fails. What a host's connection
 * is at any time stands in its link (link.c).
 */
#include "fleet/inside.h"

#include <string.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/quote.h"

enum {
	BACK_OFF_MS = 300,
	WORKER_WAIT_MS = 250, /* a worker comes again within 5 s */
	WORKER_WAITS = 60
};

/* The words behind ssh that reach the same host in the same way. */
static const char *
by_hand(const struct link *link, struct buf *out)
{
	const struct ssh_settings *ssh = link->how.ssh;

	if (link->how.ssh_config != NULL) {
		buf_puts(out, "-F ");
		quote_put_readable(
		    out, link->how.ssh_config, strlen(link->how.ssh_config));
		buf_printf(out, " -o HostName=%s ", ssh->address);
	}
	if (ssh->jump != NULL)
		buf_printf(out, "-J %s ", ssh->jump);
	buf_printf(out, "-p %d %s@%s", ssh->port, ssh->user,
	    link->how.ssh_config != NULL ? ssh->name : ssh->address);
	return buf_str(out);
}

/* What to do next, after what went wrong. */
static void
put_advice(const struct link *link, const char *why, struct buf *text)
{
	const struct ssh_settings *ssh = link->how.ssh;
	struct buf words = BUF_INIT;

	if (strcmp(why, "network") == 0)
		buf_printf(
		    text, _(" (by hand: ssh %s true)"), by_hand(link, &words));
	else if (strcmp(why, "deadline") == 0)
		buf_puts(text,
		    _("; the port is open but SSH does not answer in time: "
		      "look at sshd there, or raise ConnectTimeout in "
		      "ssh_config"));
	else if (strcmp(why, "auth") == 0)
		buf_printf(text, _(" (by hand: ssh-copy-id -p %d %s@%s)"),
		    ssh->port, ssh->user, ssh->address);
	else if (strcmp(why, "shell") == 0)
		buf_printf(text, _(" (by hand: ssh %s /bin/sh)"),
		    by_hand(link, &words));
	buf_free(&words);
}

/* The connect's answer; advised: the text says already what to do. */
static void
connect_failed(struct link *link, const char *why, const char *text,
    const char *fingerprint, bool advised)
{
	struct answer answer = {
	    .kind = ANSWER_CLOSED,
	    .why = why,
	    .file = "",
	    .fingerprint = fingerprint,
	};
	struct job *connect = link->connect;
	struct buf line = BUF_LIMIT(4096);

	buf_puts(&line, text);
	if (!advised)
		put_advice(link, why, &line);
	link->connect = NULL;
	link_forget(link);
	answer.text = buf_str(&line);
	if (connect != NULL)
		job_finish(connect, &answer);
	buf_free(&line);
}

/* What it sent has ended every worker that talked to it. */
static void
connect_barred(struct link *link)
{
	connect_failed(link, "protocol",
	    _("what it sent ended two worker processes; hoshu leaves it alone. "
	      "Look at what answers there (ssh -v), and please report it"),
	    "", true);
}

static void
retry_now(void *arg)
{
	struct link *link = arg;

	link->again = NULL;
	link_reset(link);
	link_wait(link);
}

/* 300, 600 ms, give or take a half, so that a fleet does not come back at
 * once to an sshd that had too many. True when there will be another try. */
static bool
link_retry(struct link *link)
{
	struct fleet *fleet = link->fleet;
	int64_t wait_ms;
	uint32_t random = 0;

	if (link->connect == NULL || link->tries >= CONNECT_TRIES)
		return false;
	wait_ms = BACK_OFF_MS << (link->tries - 1);
	fleet->world->random(fleet->world->state, &random, sizeof(random));
	wait_ms = wait_ms / 2 + random % wait_ms;
	link_reset(link);
	link->connect->deadline_at = 0;
	link->state = LINK_RETRY;
	link->again = loop_timer_start(fleet->loop, wait_ms, retry_now, link);
	return true;
}

/* Every worker has just ended, and new ones come: that is no fault of the
 * host's, and no try of it. */
static bool
link_await_worker(struct link *link)
{
	if (link->connect == NULL || link->waits >= WORKER_WAITS)
		return false;
	link->waits++;
	link->tries--;
	link_reset(link);
	link->connect->deadline_at = 0;
	link->state = LINK_RETRY;
	link->again = loop_timer_start(
	    link->fleet->loop, WORKER_WAIT_MS, retry_now, link);
	return true;
}

static void
send_open(struct link *link, int fd)
{
	const struct ssh_settings *ssh = link->how.ssh;
	struct number dial, deadline;
	struct buf keys = BUF_INIT;

	for (size_t i = 0; i < link->keys->count; i++) {
		buf_puts(&keys, link->keys->keys[i]);
		buf_putc(&keys, '\n');
	}
	struct bytes fields[] = {number_field(&dial, link->dial),
	    bytes_of(ssh->name), bytes_of(ssh->user),
	    bytes_of(link->keys->types), buf_bytes(&keys),
	    bytes_of(link->auth_key),
	    bytes_of(link->how.password != NULL &&
			     strcmp(link->how.become, "sudo") == 0
			 ? "password"
			 : link->how.become),
	    bytes_of(link->shell == FLEET_READONLY ? "readonly" : "plain"),
	    bytes_of(link->root_spool),
	    number_field(&deadline, ssh->connect_timeout_ms)};
	if (seam_fits(fields, 10)) {
		link->state = LINK_OPENING;
		link->asked_to_sign = false;
		link->connect->deadline_at =
		    loop_now_ms(link->fleet->loop) + ssh->connect_timeout_ms;
		hand_send(link->hand, SEAM_OPEN, link->host, 0, fd, fields, 10);
	} else {
		close(fd);
		connect_failed(link, "hostkey",
		    _("known_hosts has too many keys for it; remove the old "
		      "ones"),
		    "", true);
	}
	buf_free(&keys);
}

static void
dialled(void *arg, int fd, const struct err *err)
{
	struct link *link = arg;
	struct err named = ERR_INIT;

	link->dialling = NULL;
	if (fd < 0) {
		(void)err_set(&named, err->code, _("host %s: %s"),
		    link->how.ssh->name, err->text);
		connect_failed(link, "network", named.text, "", false);
		return;
	}
	link->hand = hands_for_link(link->fleet, link);
	if (link->hand == NULL) {
		close(fd);
		if (!link_await_worker(link))
			connect_failed(link, "network",
			    _("no worker process runs"), "", true);
		return;
	}
	link->hand->links++;
	send_open(link, fd);
}

/* Keys before the dial: a host that cannot be trusted is not even dialled.
 * 0, or -1 when the connect was answered. */
static int
link_prepare(struct link *link)
{
	struct fleet *fleet = link->fleet;
	const struct ssh_settings *ssh = link->how.ssh;
	struct err err = ERR_INIT;
	const char *why = "auth";

	if (link->auth_key != NULL)
		return 0; /* of an earlier try */
	link->arena = arena_new();
	if (openssh_known_hosts_in(
		fleet->known, link->arena, ssh, &link->keys, &err) < 0)
		why = "hostkey";
	else if ((fleet->agent != NULL ||
		     ssh_agent_open(fleet->loop, &fleet->agent, &err) == 0) &&
		 ssh_agent_key(link->arena, fleet->agent, ssh, &link->auth_key,
		     &err) == 0)
		return 0;
	connect_failed(link, why, err.text, "", true);
	return -1;
}

void
link_start(struct link *link)
{
	struct fleet *fleet = link->fleet;
	const struct ssh_settings *ssh = link->how.ssh;
	struct err err = ERR_INIT;
	const char *why;
	int fd;

	TAILQ_REMOVE(&fleet->waiting, link, next);
	link->state = LINK_DIALLING;
	fleet->dialling++;
	link->tries++;
	if (fault_is_barred(link)) {
		connect_barred(link);
		return;
	}
	if (link_prepare(link) < 0)
		return;
	if (password_is_barred(link, &why)) {
		connect_failed(link, "password", why, "", true);
		return;
	}
	if (ssh->jump != NULL) {
		if (jump_start(link, &fd, &err) < 0)
			connect_failed(link, "network", err.text, "", true);
		else
			dialled(link, fd, NULL);
		return;
	}
	link->dialling = loop_dial_start(fleet->loop, ssh->address, ssh->port,
	    ssh->connect_timeout_ms, dialled, link);
}

void
real_connect(struct fleet *fleet, int host, const struct fleet_host *how,
    enum fleet_shell shell, fleet_done *done, void *arg)
{
	struct link *link = link_get(fleet, host);

	if (link->state != LINK_IDLE)
		bug("fleet_connect: host %d is connected already", host);
	link->how = *how;
	link->root_spool = xstrdup(how->root_spool);
	link->how.root_spool = link->root_spool;
	link->shell = shell;
	link->tries = 0;
	link->waits = 0;
	link->connect = job_new(
	    fleet, SEAM_OPEN, host, how->ssh->connect_timeout_ms, done, arg);
	link_wait(link);
}

void
link_opened(struct link *link, const struct seam_message *message)
{
	struct job *connect = link->connect;
	struct answer answer;
	struct arena *arena;

	if (link->state != LINK_OPENING)
		return;
	if (!answer_life_ok(seam_field_text(message, "life"))) {
		struct number dial;
		struct bytes field = number_field(&dial, link->dial);

		hand_send(link->hand, SEAM_CLOSE, link->host, 0, -1, &field, 1);
		connect_failed(link, "protocol",
		    _("the host names itself in a way that cannot be stored"),
		    "", true);
		return;
	}
	link->state = LINK_OPEN;
	link->connect = NULL;
	link->fleet->dialling--;
	links_pump(link->fleet);
	password_opened(link);
	arena = arena_new();
	answer_opened(arena, message, &answer);
	job_finish(connect, &answer);
	arena_free(arena);
}

static void
link_lost(struct link *link)
{
	link_forget(link);
	jobs_fail_all(&link->jobs, "connection", _("the connection is lost"));
}

void
link_closed(struct link *link, const struct seam_message *message)
{
	const char *why = answer_closed_why(seam_field_text(message, "why"));
	const char *text, *shown;
	struct err err = ERR_INIT;
	struct arena *arena;

	password_closed(link, why);
	if (link->state == LINK_OPEN) {
		link_lost(link);
		return;
	}
	if (link->state != LINK_OPENING)
		return;
	/* sshd at its MaxStartups hangs up before the login */
	if (!link->asked_to_sign &&
	    (strcmp(why, "network") == 0 || strcmp(why, "protocol") == 0) &&
	    link_retry(link))
		return;
	arena = arena_new();
	text = answer_text(arena, seam_field(message, "text"));
	shown = answer_text(arena, seam_field(message, "fingerprint"));
	if (strcmp(why, "hostkey") == 0) {
		(void)openssh_key_changed(
		    link->how.ssh, link->keys, shown, &err);
		connect_failed(link, why, err.text, shown, true);
	} else {
		connect_failed(link, why, text, shown, false);
	}
	arena_free(arena);
}

void
link_orphaned(struct link *link, bool innocent)
{
	if (link->state == LINK_OPEN) {
		link_lost(link);
		return;
	}
	if (fault_is_barred(link)) {
		connect_barred(link);
		return;
	}
	if (innocent) /* a try that another host has spoilt */
		link->tries--;
	if (!link_retry(link))
		connect_failed(link, "protocol",
		    _("three worker processes ended while they connected it; "
		      "hoshu leaves it alone"),
		    "", true);
}

void
real_disconnect(struct fleet *fleet, int host)
{
	struct link *link = link_find(fleet, host);
	struct number dial;
	struct bytes field;

	if (link == NULL)
		return;
	checks_forget_host(fleet, link);
	if (link->state == LINK_OPENING || link->state == LINK_OPEN) {
		field = number_field(&dial, link->dial);
		if (link->hand->seam != NULL)
			hand_send(
			    link->hand, SEAM_CLOSE, host, 0, -1, &field, 1);
	}
	if (link->connect != NULL)
		job_fail_later(link->connect, "asked", _("disconnected"));
	link->connect = NULL;
	jobs_fail_all_later(&link->jobs, "connection", _("disconnected"));
	link_forget(link);
}

bool
real_connected(const struct fleet *fleet, int host)
{
	const struct link *link = link_find(fleet, host);

	return link != NULL && link->state == LINK_OPEN;
}
