/*
 * The life of a connection: opened on a descriptor, moved on by the loop,
 * ended once. Everything that can end it only notes the reason
 * (remote_fail); the end itself happens at the bottom of a turn, where
 * nobody is in the midst of anything.
 */
#include "remote/inside.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/i18n.h"
#include "base/text.h"

static void remote_turn(struct remote *remote);

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

const char *
remote_library(void)
{
	return HOSHU_LIBSSH2;
}

void
remote_warm(void)
{
	(void)libssh2_init(0);
}

static void
note_disconnect(LIBSSH2_SESSION *session, int reason, const char *message,
    int message_len, const char *language, int language_len, void **abstract)
{
	struct remote *remote = *abstract;

	if (message_len > 0)
		text_cleanse(remote->disconnect, sizeof(remote->disconnect),
		    message, (size_t)message_len);
}

void
remote_fail(struct remote *remote, const char *why, const char *fmt, ...)
{
	char text[sizeof(remote->err.text)];
	va_list ap;

	if (remote->why != NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	remote->why = why;
	err_set(&remote->err, ERR_FAILED, "%s", text);
}

void
remote_fail_ssh(struct remote *remote, int error, const char *phase)
{
	const char *name = remote->options.name;
	const char *greeting = libssh2_session_banner_get(remote->session);
	char *text;

	if (greeting != NULL && strncmp(greeting, "SSH-", 4) != 0) {
		remote_fail(remote, "protocol",
		    _("%s is no SSH server: it says \"%.100s\"; check its "
		      "address and port"),
		    name, greeting);
		return;
	}
	if (remote->wire.ended || error == LIBSSH2_ERROR_SOCKET_DISCONNECT ||
	    error == LIBSSH2_ERROR_SOCKET_SEND ||
	    error == LIBSSH2_ERROR_SOCKET_RECV) {
		const char *said =
		    remote->disconnect[0] != '\0' ? remote->disconnect
		    : remote->wire.error != 0	  ? strerror(remote->wire.error)
						  : _("it hung up");

		remote_fail(remote, "network",
		    _("the connection to %s was lost in %s: %s"), name, phase,
		    said);
		return;
	}
	if (error == LIBSSH2_ERROR_ALLOC) {
		remote_fail(remote, "protocol",
		    _("%s sent more than hoshu holds for one host, in %s"),
		    name, phase);
		return;
	}
	if (libssh2_session_last_error(remote->session, &text, NULL, 0) == 0)
		text = NULL;
	remote_fail(remote, "protocol",
	    _("%s does not speak SSH as it should, in %s: %s (%d)"), name,
	    phase, text != NULL ? text : "?", error);
}

static const char *
phase_name(enum remote_state state)
{
	switch (state) {
	case STATE_HANDSHAKE:
		return _("the handshake");
	case STATE_AUTH:
	case STATE_REFUSED:
		return _("the login");
	case STATE_CHANNEL:
	case STATE_BOOT:
		return _("the start of the shell");
	case STATE_READY:
		return _("its work");
	}
	bug("state %d", (int)state);
}

static void
deadline_passed(void *arg)
{
	struct remote *remote = arg;

	remote->deadline = NULL;
	remote_fail(remote, "deadline",
	    _("%s did not get through %s within %lld ms"), remote->options.name,
	    phase_name(remote->state), (long long)remote->options.deadline_ms);
	remote_turn(remote);
}

static void
kicked(void *arg)
{
	struct remote *remote = arg;

	remote->kick = NULL;
	remote_turn(remote);
}

void
remote_wake(struct remote *remote)
{
	if (remote->kick == NULL && !remote->ended)
		remote->kick =
		    loop_timer_start(remote->loop, 0, kicked, remote);
}

static void
socket_ready(void *arg, int events)
{
	struct remote *remote = arg;

	(void)events;
	remote->wire.dry = false;
	remote_turn(remote);
}

/* How far the first phases came, for `timings`. */
static void
take_times(struct remote *remote, enum remote_state before)
{
	if (before == STATE_HANDSHAKE && remote->state == STATE_AUTH)
		remote->kex_us = now_us();
	if (before == STATE_AUTH && remote->state == STATE_CHANNEL)
		remote->auth_us = now_us();
}

/* Do what can be done with what is here. */
static void
remote_work(struct remote *remote)
{
	bool moved = true;

	while (moved && remote->why == NULL) {
		enum remote_state before = remote->state;

		moved = false;
		switch (remote->state) {
		case STATE_HANDSHAKE:
			moved = login_handshake(remote);
			break;
		case STATE_AUTH:
			moved = login_authenticate(remote);
			break;
		case STATE_REFUSED:
			moved = login_list_methods(remote);
			break;
		case STATE_CHANNEL:
			moved = shell_open(remote);
			break;
		case STATE_BOOT:
		case STATE_READY:
			shell_work(remote);
			moved = before != remote->state;
			break;
		}
		take_times(remote, before);
	}
}

/* Nothing of libssh2 waits: the socket is cut, so that each call that would
 * fails at once. */
static void
session_free(struct remote *remote)
{
	remote->wire.cut = true;
	for (int i = 0; i < 100 && remote->session != NULL; i++)
		if (libssh2_session_free(remote->session) !=
		    LIBSSH2_ERROR_EAGAIN)
			remote->session = NULL;
	memory_free_all(remote);
}

static void
remote_free(struct remote *remote)
{
	sides_free(remote);
	stop_free_all(remote);
	session_free(remote);
	if (remote->wire.fd >= 0)
		close(remote->wire.fd);
	buf_free(&remote->wire.out);
	buf_free(&remote->auth_blob);
	buf_free(&remote->payload);
	buf_free(&remote->signature);
	buf_free(&remote->command);
	gate_free(&remote->gate);
	buf_wipe(&remote->shell_in);
	arena_free(remote->arena);
	free(remote);
}

static void
remote_finish(struct remote *remote)
{
	bool protocol = strcmp(remote->why, "protocol") == 0;

	remote->ended = true;
	if (strcmp(remote->why, "asked") == 0 && !remote->wire.ended) {
		(void)libssh2_session_disconnect(
		    remote->session, "hoshu is done here");
		wire_flush(&remote->wire);
	}
	loop_watch_stop(remote->watch);
	loop_timer_stop(remote->kick);
	loop_timer_stop(remote->deadline);
	remote->kick = NULL;
	requests_end_all(remote, protocol ? REMOTE_PROTOCOL : REMOTE_GONE);
	remote->events.closed(remote->arg, remote->why, remote->err.text,
	    remote->fingerprint != NULL ? remote->fingerprint : "");
	remote_free(remote);
}

static void
remote_advance(struct remote *remote)
{
	struct wire *wire = &remote->wire;
	bool reads;

	wire->turn = 0;
	wire->held = false;
	for (;;) {
		remote_work(remote);
		if (remote->why != NULL || !wire->ended || wire->told)
			break;
		/* The peer is gone, and all that it said is used up. */
		wire->told = true;
	}
	if (remote->why == NULL && wire->told)
		remote_fail_ssh(remote, LIBSSH2_ERROR_SOCKET_DISCONNECT,
		    phase_name(remote->state));
	if (remote->why == NULL && wire->got - wire->got_answered > FLOOD_MAX)
		remote_fail(remote, "protocol",
		    _("%s sent %d MiB without an answer among them"),
		    remote->options.name, FLOOD_MAX >> 20);
	if (remote->why == NULL)
		wire_flush(wire);
	if (remote->why != NULL) {
		remote_finish(remote);
		return;
	}
	if (wire->held && wire->out.len < WIRE_OUT_FULL)
		remote_wake(remote);
	/* While somebody signs, libssh2 reads nothing; input would wake us in
	 * vain again and again. The deadline watches. */
	reads = !(remote->state == STATE_AUTH && remote->sign_asked &&
		  !remote->sign_ready);
	loop_watch_change(remote->watch,
	    (reads ? LOOP_READ : 0) | (wire->out.len > 0 ? LOOP_WRITE : 0));
}

static void
remote_turn(struct remote *remote)
{
	void (*leave)(void *entered) = remote->events.leave;
	void *entered = remote->events.enter != NULL
			    ? remote->events.enter(remote->arg)
			    : NULL;

	remote_advance(remote); /* it may be gone after this */
	if (leave != NULL)
		leave(entered);
}

/* --- the first answer ---------------------------------------------------- */

static void
opened(struct remote *remote, const struct shell_boot *boot)
{
	const char *gaps = boot->gaps;
	bool plain = remote->options.shell == REMOTE_PLAIN;
	struct remote_opened event = {
	    .life = remote->life,
	    .uid = boot->uid,
	    .readonly = plain		  ? "plain"
			: gaps[0] == '\0' ? "enforced"
					  : "gaps",
	    .gaps = gaps,
	    .clock_ms = boot->clock_ms,
	    .uptime = boot->uptime,
	};
	int64_t now = now_us();

	event.timings = arena_printf(remote->arena,
	    "kex=%lld auth=%lld shell=%lld trips=%d",
	    (long long)(remote->kex_us - remote->began_us),
	    (long long)(remote->auth_us - remote->kex_us),
	    (long long)(now - remote->auth_us), remote->wire.flights);
	loop_timer_stop(remote->deadline);
	remote->deadline = NULL;
	remote->state = STATE_READY;
	remote->events.opened(remote->arg, &event);
}

static void
boot_done(void *arg, const struct remote_answer *answer)
{
	struct shell_boot boot;
	struct remote *remote = arg;

	if (answer->end != REMOTE_ANSWERED)
		return;
	if (!shell_read_boot(remote, answer, &boot))
		return;
	if (boot.moving) {
		remote->moved = true;
		shell_boot(remote, "moved", boot_done);
	} else {
		opened(remote, &boot);
	}
}

/* --- what others call ---------------------------------------------------- */

/* The options' strings are the caller's; ours live as long as we. */
static void
options_copy(struct remote *remote, const struct remote_options *options)
{
	struct remote_options *own = &remote->options;
	struct arena *arena = remote->arena;

	*own = *options;
	own->name = arena_strdup(arena, options->name);
	own->user = arena_strdup(arena, options->user);
	own->auth_key = arena_strdup(arena, options->auth_key);
	own->host_key_types = arena_strdup(arena,
	    options->host_key_types != NULL ? options->host_key_types : "");
	own->host_keys = arena_strdup(
	    arena, options->host_keys != NULL ? options->host_keys : "");
	own->root_spool = arena_strdup(
	    arena, options->root_spool != NULL ? options->root_spool : "");
}

int
remote_open(struct loop *loop, const struct remote_options *options,
    const struct remote_events *events, void *arg, struct remote **out,
    struct err *err)
{
	struct remote *remote = xcalloc(1, sizeof(*remote));
	int rc;

	remote->loop = loop;
	remote->events = *events;
	remote->arg = arg;
	remote->arena = arena_new();
	remote->requests_end = &remote->requests;
	remote->err = (struct err)ERR_INIT;
	options_copy(remote, options);
	wire_start(&remote->wire, options->fd);
	remote->began_us = now_us();
	remote->session = libssh2_session_init_ex(
	    memory_alloc, memory_free, memory_realloc, remote);
	if (remote->session == NULL) {
		rc = err_set(err, ERR_INTERNAL, _("%s: libssh2 cannot start"),
		    options->name);
		goto out;
	}
	libssh2_session_set_blocking(remote->session, 0);
	libssh2_session_callback_set2(remote->session, LIBSSH2_CALLBACK_RECV,
	    (libssh2_cb_generic *)wire_recv);
	libssh2_session_callback_set2(remote->session, LIBSSH2_CALLBACK_SEND,
	    (libssh2_cb_generic *)wire_send);
	libssh2_session_callback_set2(remote->session,
	    LIBSSH2_CALLBACK_DISCONNECT, (libssh2_cb_generic *)note_disconnect);
	if ((rc = login_set_methods(remote, err)) < 0 ||
	    (rc = login_set_key(remote, err)) < 0)
		goto out;
	remote->watch = loop_watch_start(
	    loop, options->fd, LOOP_READ, socket_ready, remote);
	if (remote->watch == NULL) {
		rc = err_errno(err, _("%s: its connection cannot be watched"),
		    options->name);
		goto out;
	}
	remote->deadline = loop_timer_start(
	    loop, options->deadline_ms, deadline_passed, remote);
	shell_start(remote, boot_done);
	remote_wake(remote);
	*out = remote;
	remote = NULL;
	rc = 0;
out:
	if (remote != NULL)
		remote_free(remote);
	return rc;
}

void
remote_signature(
    struct remote *remote, struct bytes signature, const char *refused)
{
	if (refused != NULL && refused[0] != '\0') {
		remote->refused = arena_strdup(remote->arena, refused);
	} else {
		buf_reset(&remote->signature);
		buf_put(&remote->signature, signature.data, signature.len);
	}
	remote->sign_ready = true;
	remote_wake(remote);
}

void
remote_close(struct remote *remote)
{
	remote_fail(remote, "asked", _("the connection to %s was closed"),
	    remote->options.name);
	remote_wake(remote);
}
