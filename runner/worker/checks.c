/*
 * Checks: `command` and `service` are asked on the host, `http` goes over the
 * descriptor that came with the message (a tcp check never comes here: to be
 * dialled is all it asks).
 */
#include "worker/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/text.h"

enum {
	LINE_MAX_BYTES = 300,
	/* what timeout(1) may take longer than the check's own time */
	HOST_EXTRA_MS = 2000,
};

static void
send_checked(struct job *job, const char *result, const char *text)
{
	struct bytes fields[] = {
	    bytes_of(result), bytes_of(text), bytes_of("")};

	work_answer(job, SEAM_CHECKED, fields, 3);
}

/* The first line that says something, cleansed. */
static void
first_line(struct bytes out, struct buf *text)
{
	const char *at = out.data, *end = at + out.len;
	size_t len;

	while (at < end && (*at == '\n' || *at == ' ' || *at == '\r'))
		at++;
	for (len = 0; at + len < end && at[len] != '\n' && at[len] != '\r';
	     len++)
		;
	if (len > LINE_MAX_BYTES)
		len = LINE_MAX_BYTES;
	text_cleanse_to(text, at, len, true);
}

static void
service_answered(void *arg, const struct remote_answer *answer)
{
	struct job *job = arg;
	struct buf state = BUF_LIMIT(2048), text = BUF_LIMIT(4096);
	const char *result = answer->status == 0 ? "pass" : "fail";

	if (work_lost(job, answer))
		return;
	first_line(answer->out, &state);
	switch (answer->status) {
	case 0:
		buf_printf(&text, _("%s is %s"), job->subject, buf_str(&state));
		break;
	case 3: /* known, and in that state */
	case 4: /* unknown */
		buf_printf(&text, _("%s is %s, wanted active"), job->subject,
		    buf_str(&state));
		break;
	case 124:
		buf_printf(&text, _("%s: systemctl did not answer in time"),
		    job->subject);
		break;
	default: /* no systemctl, or no systemd behind it */
		buf_printf(&text, _("%s: cannot ask systemctl: %s"),
		    job->subject, buf_str(&state));
		result = "inconclusive";
	}
	send_checked(job, result, buf_str(&text));
	buf_free(&state);
	buf_free(&text);
}

static void
command_answered(void *arg, const struct remote_answer *answer)
{
	struct job *job = arg;
	struct buf text = BUF_LIMIT(4096), line = BUF_LIMIT(2048);
	const char *result = answer->status == 0 ? "pass" : "fail";

	if (work_lost(job, answer))
		return;
	if (answer->status == 126 || answer->status == 127) {
		buf_printf(&text, _("cannot run %s"), job->subject);
		result = "inconclusive";
	} else if (answer->status == 124) {
		buf_printf(&text, _("%s did not end in time"), job->subject);
	} else if (answer->status != 0) {
		buf_printf(
		    &text, _("%s ended with %d"), job->subject, answer->status);
	}
	first_line(answer->out, &line);
	if (text.len > 0 && line.len > 0)
		buf_puts(&text, ": ");
	buf_puts(&text, buf_str(&line));
	send_checked(job, result, buf_str(&text));
	buf_free(&line);
	buf_free(&text);
}

/* The words to ask, under timeout(1) where the host has it: a check that hangs
 * must not take the host's only shell with it. */
static void
put_ask(struct buf *text, int64_t timeout_ms)
{
	buf_printf(text,
	    "command -v timeout >/dev/null 2>&1 && set -- timeout -k 1 %lld\n"
	    "\"$@\"",
	    (long long)(timeout_ms < 1000 ? 1 : timeout_ms / 1000));
}

/* Of the spec's words; 0, or -1 when it has none. */
static int
put_command(const struct json *spec, struct buf *text, struct buf *subject)
{
	const struct json *words = json_get(spec, "command");

	if (words == NULL || words->type != JSON_LIST || words->count == 0)
		return -1;
	for (size_t i = 0; i < words->count; i++) {
		const struct json *word = words->items[i];

		if (word->type != JSON_TEXT ||
		    memchr(word->text, '\0', word->len) != NULL)
			return -1;
		buf_putc(text, ' ');
		quote_put(text, word->text, word->len);
	}
	text_cleanse_to(
	    subject, words->items[0]->text, words->items[0]->len, true);
	return 0;
}

static int
put_service(const struct json *spec, struct buf *text, struct buf *subject)
{
	const char *name = json_get_text(spec, "name", NULL);

	if (name == NULL)
		return -1;
	buf_puts(text, " systemctl is-active -- ");
	quote_put(text, name, strlen(name));
	text_cleanse_to(subject, name, strlen(name), true);
	return 0;
}

void
checks_host(struct worker *worker, const struct seam_message *message)
{
	int64_t timeout_ms = seam_field_int(message, "deadline_ms", 0);
	struct job *job =
	    work_new(worker, message, true, timeout_ms + HOST_EXTRA_MS);
	const char *kind = seam_field_text(message, "kind");
	struct bytes bytes = seam_field(message, "spec");
	struct buf text = BUF_INIT, subject = BUF_LIMIT(1024);
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	bool service = strcmp(kind, "service") == 0;
	struct json *spec;

	if (job == NULL)
		goto out;
	put_ask(&text, timeout_ms);
	if (json_parse(arena, bytes.data, bytes.len, "check", &spec, &err) <
		0 ||
	    (service ? put_service(spec, &text, &subject)
		     : put_command(spec, &text, &subject)) < 0) {
		work_fail(job, "refused",
		    _("check: names no command and no service"));
		goto out;
	}
	buf_puts(&text, " 2>&1");
	job->subject = xstrdup(buf_str(&subject));
	job->asking = true;
	remote_ask(job->conn->remote, text.data, text.len,
	    service ? service_answered : command_answered, job);
out:
	buf_free(&text);
	buf_free(&subject);
	arena_free(arena);
}

static void
net_done(void *arg, const char *result, const char *text)
{
	struct job *job = arg;

	job->http = NULL;
	send_checked(job, result, text);
}

void
checks_net(struct worker *worker, const struct seam_message *message)
{
	struct job *job = work_new(worker, message, false, 0);

	job->http = http_check_start(worker->loop, message->fd,
	    seam_field(message, "spec"), buf_bytes(&worker->roots),
	    seam_field_int(message, "deadline_ms", 1000), net_done, job);
}
