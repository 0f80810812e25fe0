/*
 * The one shell of a connection: how it is started, what it reads first and
 * what it answers to that; bytes to and from its channel. The exec request,
 * host.sh and the first request leave in one flight.
 */
#include "remote/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/quote.h"
#include "base/text.h"

static const char host_sh[] =
#include "host.sh.h"
    ;
static const char place_sh[] =
#include "place.sh.h"
    ;
static const char boot_sh[] =
#include "boot.sh.h"
    ;
static const char logout_sh[] =
#include "logout.sh.h"
    ;
static const char judge_sh[] =
#include "judge.sh.h"
    ;
static const char reader_sh[] =
#include "reader.sh.h"
    ;
static const char shut_in_sh[] =
#include "shut_in.sh.h"
    ;

void
shell_put_script(struct buf *out, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		size_t blank = strspn(text, "\t");

		len += text[len] == '\n';
		if (text[blank] != '#' && blank < len && text[blank] != '\n')
			buf_put(out, text + blank, len - blank);
		text += len;
	}
}

void
shell_put_sh(
    const struct remote *remote, const struct gate *gate, struct buf *out)
{
	buf_puts(out, "exec ");
	if (gate->state != GATE_OPEN)
		buf_printf(out, "sudo -k -S -p %s -- ", gate->nonce);
	else if (remote->options.sudo)
		buf_puts(out, "sudo -n -- ");
	buf_puts(out, "/bin/sh");
}

void
shell_put_word(struct buf *out, const char *word)
{
	buf_putc(out, ' ');
	quote_put(out, word, strlen(word));
}

void
shell_boot(struct remote *remote, const char *how, remote_done *done)
{
	struct buf *in = &remote->shell_in, text = BUF_INIT;

	shell_put_script(in, host_sh);
	shell_put_script(in, place_sh);
	if (remote->options.shell == REMOTE_PLAIN)
		shell_put_script(in, logout_sh);
	else
		shell_put_script(in, judge_sh);
	shell_put_script(in, boot_sh);
	shell_put_word(&text, remote->options.root_spool);
	buf_printf(&text, " %s", how);
	requests_boot(remote, buf_str(&text), done, remote);
	buf_free(&text);
}

void
shell_start(struct remote *remote, remote_done *done)
{
	struct buf text = BUF_INIT;
	bool plain = remote->options.shell == REMOTE_PLAIN;

	gate_start(remote, &remote->gate);
	shell_put_sh(remote, &remote->gate, &remote->command);
	gate_put_mark(&remote->gate, &text);
	if (!plain)
		shell_put_script(&text, reader_sh);
	else if (text.len > 0)
		buf_puts(&text, "exec /bin/sh");
	if (text.len > 0) {
		buf_puts(&remote->command, " -c");
		shell_put_word(&remote->command, buf_str(&text));
		buf_puts(&remote->command, " hoshu");
	}
	if (!plain) {
		buf_reset(&text);
		shell_put_script(&text, shut_in_sh);
		shell_put_word(&remote->command, buf_str(&text));
	}
	shell_boot(remote, plain ? "plain" : "readonly", done);
	buf_free(&text);
}

bool
shell_open(struct remote *remote)
{
	remote->channel = libssh2_channel_open_session(remote->session);
	if (remote->channel != NULL) {
		remote->state = STATE_BOOT;
		return true;
	}
	if (libssh2_session_last_errno(remote->session) == LIBSSH2_ERROR_EAGAIN)
		return false;
	remote_fail_ssh(remote, libssh2_session_last_errno(remote->session),
	    _("the start of the shell"));
	return true;
}

/* The exec request; its answer is not waited for. */
static void
shell_exec(struct remote *remote)
{
	uint64_t before = remote->wire.queued;
	int rc;

	if (remote->exec_taken)
		return;
	rc = libssh2_channel_process_startup(remote->channel, "exec", 4,
	    remote->command.data, (unsigned int)remote->command.len);
	if (remote->wire.queued != before)
		remote->exec_sent = true;
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return;
	if (rc == 0)
		remote->exec_taken = remote->exec_sent = true;
	else if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
		remote_fail(remote, "shell",
		    _("%s lets %s run no command: give the account a shell "
		      "and its key no forced command"),
		    remote->options.name, remote->options.user);
	else
		remote_fail_ssh(remote, rc, _("the start of the shell"));
}

static void
shell_write(struct remote *remote)
{
	struct buf *in = &remote->shell_in;

	if (!gate_pass(remote, &remote->gate, remote->channel))
		return;
	while (in->len > 0 && wire_has_room(&remote->wire)) {
		ssize_t n =
		    libssh2_channel_write(remote->channel, in->data, in->len);

		if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
			return;
		if (n < 0) {
			/* A shell that has ended takes nothing more; what it
			 * said last is read first, and then tells why. */
			if (n == LIBSSH2_ERROR_CHANNEL_CLOSED ||
			    n == LIBSSH2_ERROR_CHANNEL_EOF_SENT)
				return;
			remote_fail_ssh(remote, (int)n, _("its work"));
			return;
		}
		buf_eat(in, (size_t)n);
	}
}

static void
shell_take(struct remote *remote, bool is_err, const char *data, size_t len)
{
	size_t used = gate_feed(remote, &remote->gate, is_err, data, len);

	if (used < len && remote->why == NULL)
		requests_feed(remote, is_err, data + used, len - used);
}

static bool
shell_read(struct remote *remote, int stream)
{
	char data[16 << 10];
	bool any = false;

	while (remote->why == NULL) {
		ssize_t n = libssh2_channel_read_ex(
		    remote->channel, stream, data, sizeof(data));

		if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
			break;
		if (n < 0) {
			if (!remote->wire.told)
				remote_fail_ssh(remote, (int)n, _("its work"));
			break;
		}
		any = true;
		shell_take(remote, stream == SSH_EXTENDED_DATA_STDERR, data,
		    (size_t)n);
	}
	return any;
}

/* The shell is gone although the host is there. */
static void
shell_end(struct remote *remote)
{
	const struct request *boot = remote->requests;
	char said[512];
	struct bytes err;

	if (remote->state == STATE_READY) {
		remote_fail(remote, "shell",
		    _("the shell on %s was ended by somebody else"),
		    remote->options.name);
		return;
	}
	gate_ended(remote, &remote->gate);
	err = remote->gate.state != GATE_OPEN ? buf_bytes(&remote->gate.said[1])
					      : frame_tail(&boot->err);
	if (err.len == 0)
		err = frame_tail(&boot->out);
	text_cleanse(said, sizeof(said), err.data, err.len);
	said[strcspn(said, "\n")] = '\0';
	if (remote->options.password)
		remote_fail(remote, "shell",
		    _("%s gives %s no root shell by sudo: %s"),
		    remote->options.name, remote->options.user, said);
	else if (remote->options.sudo)
		remote_fail(remote, "shell",
		    _("%s gives %s no root shell by `sudo -n`: %s: put the "
		      "line \"%s ALL=(root) NOPASSWD: /bin/sh\" into "
		      "/etc/sudoers.d/hoshu there"),
		    remote->options.name, remote->options.user, said,
		    remote->options.user);
	else
		remote_fail(remote, "shell", _("%s starts no shell for %s: %s"),
		    remote->options.name, remote->options.user, said);
}

void
shell_work(struct remote *remote)
{
	bool moved = true;

	while (moved && remote->why == NULL) {
		if (!remote->wire.told) {
			shell_exec(remote);
			requests_send(remote);
			if (remote->exec_sent && remote->why == NULL)
				shell_write(remote);
			sides_work(remote);
		}
		if (remote->why != NULL || !remote->exec_sent)
			return;
		moved = shell_read(remote, 0);
		moved |= shell_read(remote, SSH_EXTENDED_DATA_STDERR);
		requests_answer(remote);
	}
	if (remote->why == NULL && remote->exec_taken &&
	    libssh2_channel_eof(remote->channel) == 1)
		shell_end(remote);
}

/* --- the first answer ---------------------------------------------------- */

static void
put_gap(struct buf *out, const char *word)
{
	static const struct {
		const char *word, *text;
	} gaps[] = {
	    {"signals", N_("it can signal other processes")},
	    {"capabilities", N_("it keeps rights beyond reading")},
	    {"privileges", N_("it could gain rights by setuid programs")},
	    {"network", N_("it reaches the network")},
	    {"sockets", N_("it reaches sockets of other programs")},
	    {"logout",
		N_("logind ends a step whose connection is lost "
		   "(KillUserProcesses=yes, and the user does not linger)")},
	};

	buf_puts(out, out->len > 0 ? ", " : "");
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
		if (strcmp(word, gaps[i].word) == 0) {
			buf_puts(out, gaps[i].text);
			return;
		}
	if (strncmp(word, "mount:", 6) == 0) {
		char path[256];

		text_cleanse(path, sizeof(path), word + 6, strlen(word + 6));
		buf_printf(out, N_("%s is writable"), path);
		return;
	}
	buf_puts(out, N_("something that this hoshu has no name for"));
}

static void
read_gaps(struct remote *remote, struct shell_boot *boot, char *words)
{
	struct buf text = BUF_LIMIT(4096);
	char *save, *word;

	for (word = strtok_r(words, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		put_gap(&text, word);
	boot->gaps = arena_strdup(remote->arena, buf_str(&text));
	buf_free(&text);
}

/* "1763835600.123456789" -> ms; busybox writes "1763835600.%N". */
static bool
read_clock(char *text, int64_t *ms)
{
	char *dot = strchr(text, '.');
	int64_t fraction = 0;

	if (dot != NULL) {
		*dot++ = '\0';
		dot[strlen(dot) < 3 ? strlen(dot) : 3] = '\0';
		if (!text_int(dot, 0, 999, &fraction))
			fraction = 0;
	}
	if (!text_int(text, 0, INT64_C(1) << 40, ms))
		return false;
	*ms = *ms * 1000 + fraction;
	return true;
}

static bool
is_word(const char *text, const char *more)
{
	return text[0] != '\0' &&
	       text[strspn(text, "0123456789abcdef-")] == '\0' &&
	       strpbrk(text, more) == NULL;
}

static void
read_line(struct remote *remote, struct shell_boot *boot, char *line)
{
	char *rest = strchr(line, ' ');

	if (rest != NULL)
		*rest++ = '\0';
	else
		rest = line + strlen(line);
	if (strcmp(line, "life") == 0) {
		char *token = strchr(rest, ' ');

		if (token == NULL || strlen(rest) > 100)
			return;
		*token = '\0';
		if (is_word(rest, "") && is_word(token + 1, ""))
			remote->life = arena_printf(
			    remote->arena, "%s %s", rest, token + 1);
	} else if (strcmp(line, "uid") == 0 && strlen(rest) < 12 &&
		   is_word(rest, "abcdef-")) {
		strcpy(boot->uid, rest);
	} else if (strcmp(line, "clock") == 0) {
		if (!read_clock(rest, &boot->clock_ms))
			boot->clock_ms = 0;
	} else if (strcmp(line, "uptime") == 0) {
		if (strlen(rest) < sizeof(boot->uptime) &&
		    rest[strspn(rest, "0123456789.")] == '\0')
			strcpy(boot->uptime, rest);
	} else if (strcmp(line, "moving") == 0) {
		boot->moving = true;
	} else if (strcmp(line, "gaps") == 0) {
		read_gaps(remote, boot, rest);
	} else if (strncmp(line, "refused", 7) == 0) {
		remote_fail(remote, "shell",
		    _("%s: hoshu cannot keep its records there (%s): the "
		      "folder has to be writable, no symbolic link, and owned "
		      "by the user that runs steps"),
		    remote->options.name, rest);
	}
}

bool
shell_read_boot(struct remote *remote, const struct remote_answer *answer,
    struct shell_boot *boot)
{
	char *text =
	    arena_copy(remote->arena, answer->out.data, answer->out.len);
	char *save, *line;

	memset(boot, 0, sizeof(*boot));
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		read_line(remote, boot, line);
	if (remote->why != NULL)
		return false;
	if (boot->moving && !remote->moved &&
	    remote->options.shell == REMOTE_PLAIN)
		return true;
	/* A reader's shell that was not judged is no reader's shell. */
	if (remote->life == NULL || boot->uid[0] == '\0' ||
	    (boot->gaps == NULL && remote->options.shell != REMOTE_PLAIN)) {
		remote_fail(remote, "shell",
		    _("the shell on %s does not answer as /bin/sh does: hoshu "
		      "needs dash, bash or busybox ash there, and /proc"),
		    remote->options.name);
		return false;
	}
	if (boot->gaps == NULL)
		boot->gaps = "";
	return true;
}
