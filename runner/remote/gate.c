/*
 * The password of sudo. `sudo -k -S -p NONCE` prints a prompt that nobody
 * could know before hoshu sent that very command, and only that prompt gets
 * an answer: what asks nothing, or in other words, gets none. The answer goes
 * once; a second prompt is the end of the connection, so that no account is
 * locked by us. Nothing else is sent before the shell has said that it is
 * there: sudo would take it for a password, or a shell a password for a
 * command.
 * Whoever is root on the host, or the user that logs in, can have the password
 * of that user there: they own what reads it. No other host's is sent to it.
 */
#include "remote/inside.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "base/world.h"

void
gate_start(struct remote *remote, struct gate *gate)
{
	memset(gate, 0, sizeof(*gate));
	gate->state = remote->options.password ? GATE_SHUT : GATE_OPEN;
	gate->prompt = ++remote->prompts;
	gate->said[0].max = gate->said[1].max = GATE_SAID_MAX;
	world_random_hex(&world_real, gate->nonce, (FRAME_NONCE - 1) / 2);
}

void
gate_free(struct gate *gate)
{
	buf_free(&gate->said[0]);
	buf_free(&gate->said[1]);
	buf_wipe(&gate->answer);
}

void
gate_put_mark(const struct gate *gate, struct buf *text)
{
	if (gate->state != GATE_OPEN)
		buf_printf(text, "printf '\\n%%s here\\n' %s\n", gate->nonce);
}

/* At the beginning of a line, with nothing behind it: a shell that prints the
 * commands that it runs shows the nonce too. */
static bool
gate_is_prompt(const struct gate *gate)
{
	const struct buf *said = &gate->said[1];
	size_t len = strlen(gate->nonce), at = said->len - len;

	return said->len >= len &&
	       memcmp(said->data + at, gate->nonce, len) == 0 &&
	       (at == 0 || said->data[at - 1] == '\n');
}

static void
gate_refused(struct remote *remote, const struct gate *gate)
{
	char said[512];

	text_cleanse(
	    said, sizeof(said), buf_str(&gate->said[1]), gate->said[1].len);
	said[strcspn(said, "\n")] = '\0';
	remote_fail(remote, "password",
	    _("sudo on %s does not take the password of %s%s%s; it was tried "
	      "once"),
	    remote->options.name, remote->options.user,
	    said[0] != '\0' ? ": " : "", said);
}

static void
gate_prompted(struct remote *remote, struct gate *gate)
{
	gate->said[1].len -= strlen(gate->nonce);
	switch (gate->state) {
	case GATE_SHUT:
		buf_reset(&gate->said[1]);
		gate->state = GATE_ASKED;
		remote->events.need(remote->arg, gate->prompt);
		return;
	case GATE_ASKED:
	case GATE_ANSWERED:
		gate_refused(remote, gate);
		return;
	case GATE_OPEN:
		return;
	}
}

/* The shell's word, on its standard output; what was fed before is dropped. */
static size_t
gate_opens(struct gate *gate, size_t before, size_t len)
{
	struct buf *said = &gate->said[0];
	char mark[FRAME_NONCE + 8];
	size_t mark_len =
	    (size_t)snprintf(mark, sizeof(mark), "\n%s here\n", gate->nonce);
	char *at = memmem(said->data, said->len, mark, mark_len);

	if (at == NULL)
		return len;
	gate->state = GATE_OPEN;
	len = (size_t)(at - said->data) + mark_len - before;
	gate_free(gate);
	return len;
}

size_t
gate_feed(struct remote *remote, struct gate *gate, bool is_err,
    const char *data, size_t len)
{
	struct buf *said = &gate->said[is_err];
	size_t before = said->len;

	if (gate->state == GATE_OPEN)
		return 0;
	buf_put(said, data, len);
	if (said->full) {
		remote_fail(remote, "protocol",
		    _("%s says more than hoshu listens to before sudo starts "
		      "a shell there"),
		    remote->options.name);
		return len;
	}
	if (!is_err) {
		len = gate_opens(gate, before, len);
		if (gate->state == GATE_OPEN) /* what waits may be written */
			remote_wake(remote);
		return len;
	}
	if (gate_is_prompt(gate))
		gate_prompted(remote, gate);
	return len;
}

bool
gate_pass(struct remote *remote, struct gate *gate, LIBSSH2_CHANNEL *channel)
{
	if (gate->answer.len > 0) {
		ssize_t n = libssh2_channel_write(
		    channel, gate->answer.data, gate->answer.len);

		if (n > 0)
			buf_eat(&gate->answer, (size_t)n);
		if (gate->answer.len == 0)
			buf_wipe(&gate->answer);
	}
	return gate->state == GATE_OPEN;
}

void
gate_ended(struct remote *remote, const struct gate *gate)
{
	if (gate->state == GATE_ANSWERED)
		gate_refused(remote, gate);
}

static struct gate *
gate_find(struct remote *remote, uint32_t prompt)
{
	struct gate *gate = &remote->gate;
	struct side *side = remote->sides;

	while (gate->prompt != prompt && side != NULL) {
		gate = &side->gate;
		side = side->next;
	}
	return gate->prompt == prompt ? gate : NULL;
}

void
remote_password(struct remote *remote, uint32_t prompt, struct bytes password,
    const char *refused)
{
	struct gate *gate = gate_find(remote, prompt);

	if (gate == NULL || gate->state != GATE_ASKED)
		return;
	if (refused != NULL) {
		remote_fail(remote, "password", "%s", refused);
	} else {
		gate->answer.max = password.len + 1; /* one piece of memory */
		buf_put(&gate->answer, password.data, password.len);
		buf_putc(&gate->answer, '\n');
		gate->state = GATE_ANSWERED;
	}
	remote_wake(remote);
}
