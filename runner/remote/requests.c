/*
 * What is asked of the shell: queued, written one behind the other without
 * waiting, answered in order. Of two streams each runs at its own pace; an
 * answer is whole when both have reached its end.
 */
#include "remote/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/world.h"
#include "digest/digest.h"

bool
requests_is_xid(const char *xid)
{
	return strlen(xid) == FRAME_NONCE - 1 &&
	       strspn(xid, "0123456789abcdef") == FRAME_NONCE - 1;
}

static struct request *
request_add(
    struct remote *remote, enum request_kind kind, remote_done *done, void *arg)
{
	struct request *request = xcalloc(1, sizeof(*request));

	request->kind = kind;
	request->done = done;
	request->arg = arg;
	world_random_hex(&world_real, request->nonce, (FRAME_NONCE - 1) / 2);
	frame_start(&request->out, request->nonce, true);
	frame_start(&request->err, request->nonce, false);
	*remote->requests_end = request;
	remote->requests_end = &request->next;
	remote_wake(remote);
	return request;
}

static void
request_free(struct request *request)
{
	buf_wipe(&request->text);
	buf_wipe(&request->script_copy);
	buf_free(&request->said);
	frame_free(&request->out);
	frame_free(&request->err);
	free(request->blobs);
	free(request);
}

/* It is answered by us, in its turn. */
static void
request_is_here(struct request *request, enum remote_end end,
    const char *verdict, const char *said)
{
	request->here = true;
	request->end = end;
	request->verdict = verdict;
	buf_puts(&request->said, said);
}

void
requests_boot(
    struct remote *remote, const char *text, remote_done *done, void *arg)
{
	struct request *request = request_add(remote, REQUEST_BOOT, done, arg);

	buf_printf(&request->text, "boot %s%s .\n", request->nonce, text);
}

void
remote_ask(struct remote *remote, const char *text, size_t len,
    remote_done *done, void *arg)
{
	struct request *request = request_add(remote, REQUEST_ASK, done, arg);

	if (memchr(text, '\0', len) != NULL) {
		request_is_here(request, REMOTE_PROTOCOL, NULL,
		    _("a command for a shell cannot hold a NUL byte"));
		return;
	}
	buf_printf(&request->text, "ask %s ", request->nonce);
	quote_put(&request->text, text, len);
	buf_puts(&request->text, " .\n");
}

void
remote_launch(struct remote *remote, const char *xid, struct bytes script,
    remote_done *done, void *arg)
{
	struct request *request =
	    request_add(remote, REQUEST_LAUNCH, done, arg);
	struct digest digest;
	char text[128];

	if (!requests_is_xid(xid)) {
		request_is_here(request, REMOTE_PROTOCOL, NULL,
		    _("a key has to be 32 hex digits"));
		return;
	}
	blobs_find(request, script);
	buf_printf(&request->text, "launch %s '%s' ", request->nonce, xid);
	if (script.len <= REMOTE_INLINE_MAX &&
	    memchr(script.data, '\0', script.len) == NULL) {
		quote_put(&request->text, script.data, script.len);
	} else {
		digest_of(script, &digest);
		buf_put(&request->script_copy, script.data, script.len);
		request->blobs = xrealloc(request->blobs,
		    (request->blob_count + 1) * sizeof(*request->blobs));
		memcpy(request->blobs[request->blob_count++], digest.hex,
		    sizeof(digest.hex));
		snprintf(text, sizeof(text), ". \"$S/blob/%s\"", digest.hex);
		quote_put(&request->text, text, strlen(text));
	}
	buf_puts(&request->text, " .\n");
}

void
remote_settle(struct remote *remote, const char *xid, const char *life,
    remote_done *done, void *arg)
{
	struct request *request =
	    request_add(remote, REQUEST_SETTLE, done, arg);

	if (!requests_is_xid(xid))
		request_is_here(request, REMOTE_PROTOCOL, NULL,
		    _("a key has to be 32 hex digits"));
	else if (remote->life == NULL || strcmp(life, remote->life) != 0)
		request_is_here(request, REMOTE_ANSWERED, "otherlife", "");
	else
		buf_printf(
		    &request->text, "settle %s '%s' .\n", request->nonce, xid);
}

void
remote_output(struct remote *remote, const char *xid, int stream, int64_t block,
    remote_done *done, void *arg)
{
	char text[160];

	if (!requests_is_xid(xid))
		xid = "none";
	snprintf(text, sizeof(text),
	    "dd bs=%d skip=%" PRId64 " count=1 <\"$S/out/%s.%d\" 2>/dev/null",
	    FRAME_TAIL, block, xid, stream);
	remote_ask(remote, text, strlen(text), done, arg);
}

void
remote_forget(struct remote *remote, void *arg)
{
	for (struct request *r = remote->requests; r != NULL; r = r->next)
		if (r->arg == arg)
			r->done = NULL;
}

void
requests_refuse(struct remote *remote, const char *sha256, const char *text)
{
	for (struct request *r = remote->requests; r != NULL; r = r->next)
		for (size_t i = 0; i < r->blob_count; i++)
			if (!r->sent && !r->here &&
			    strcmp(r->blobs[i], sha256) == 0)
				request_is_here(
				    r, REMOTE_ANSWERED, "notrun", text);
}

void
requests_send(struct remote *remote)
{
	for (struct request *r = remote->requests; r != NULL; r = r->next) {
		if (r->sent || r->here)
			continue;
		if (remote->state != STATE_READY && r->kind != REQUEST_BOOT)
			return;
		/* What waits for a blob holds up what is behind it: the
		 * order of steps is the order of requests. */
		if (!blobs_ready(remote, r)) {
			if (r->here)
				continue;
			return;
		}
		buf_put(&remote->shell_in, r->text.data, r->text.len);
		buf_wipe(&r->text);
		r->sent = true;
		r->sent_ms = loop_now_ms(remote->loop);
	}
}

void
requests_feed(struct remote *remote, bool is_err, const char *data, size_t len)
{
	struct request *r = remote->requests;
	struct frame *frame;
	size_t used;

	for (; r != NULL && len > 0; r = r->next) {
		frame = is_err ? &r->err : &r->out;
		if (r->here || frame->state == FRAME_ENDED)
			continue;
		if (!r->sent)
			return; /* nobody asked for that */
		used = frame_feed(frame, data, len);
		data += used;
		len -= used;
		if (frame->state == FRAME_BAD) {
			remote_fail(remote, "protocol",
			    _("%s answered what no shell of hoshu's answers"),
			    remote->options.name);
			return;
		}
		if (frame->state != FRAME_ENDED)
			return;
	}
}

/* "WORD ... OUT_SIZE ERR_SIZE" as settle of host.sh writes it. */
static bool
answer_verdict(const struct request *r, struct remote_answer *answer,
    char *uptime, size_t uptime_size)
{
	static const char *const words[] = {
	    "sealed", "claimed", "running", "lost", "done"};
	char status[FRAME_STATUS_MAX], *part[6] = {NULL};
	char *save = NULL, *p;
	size_t parts = 0, i;
	int64_t rc = 0, out, err;
	bool done;

	memcpy(status, r->out.status, sizeof(status));
	for (p = strtok_r(status, " ", &save); p != NULL && parts < 6;
	     p = strtok_r(NULL, " ", &save))
		part[parts++] = p;
	for (i = 0; parts > 0 && i < 5; i++)
		if (strcmp(words[i], part[0]) == 0)
			break;
	if (parts == 0 || i == 5)
		return false;
	done = i == 4;
	if (parts != (done ? 5u : 3u) ||
	    !text_int(part[parts - 2], 0, INT64_MAX / 2, &out) ||
	    !text_int(part[parts - 1], 0, INT64_MAX / 2, &err) ||
	    (done && !text_int(part[1], 0, 255, &rc)))
		return false;
	if (done && strlen(part[2]) < uptime_size &&
	    part[2][strspn(part[2], "0123456789.")] == '\0')
		strcpy(uptime, part[2]);
	answer->verdict = words[i];
	answer->rc = (int)rc;
	answer->out_size = (uint64_t)out;
	answer->err_size = (uint64_t)err;
	return true;
}

/* false: what the shell said is no answer. */
static bool
answer_fill(const struct remote *remote, const struct request *r,
    struct remote_answer *answer, char *uptime, size_t uptime_size)
{
	int64_t status;

	if (r->here) {
		answer->end = r->end;
		answer->verdict = r->verdict;
		answer->err = buf_bytes(&r->said);
		answer->err_size = answer->err.len;
		return true;
	}
	answer->end = REMOTE_ANSWERED;
	answer->out = frame_tail(&r->out);
	answer->err = frame_tail(&r->err);
	answer->out_size = r->out.size;
	answer->err_size = r->err.size;
	answer->wall_ms = loop_now_ms(remote->loop) - r->sent_ms;
	switch (r->kind) {
	case REQUEST_BOOT:
	case REQUEST_ASK:
		if (!text_int(r->out.status, 0, 255, &status))
			return false;
		answer->status = (int)status;
		return true;
	case REQUEST_LAUNCH:
	case REQUEST_SETTLE:
		return answer_verdict(r, answer, uptime, uptime_size);
	}
	bug("request of kind %d", (int)r->kind);
}

static bool
request_is_whole(const struct request *r)
{
	return r->here ||
	       (r->out.state == FRAME_ENDED && r->err.state == FRAME_ENDED);
}

static struct request *
request_take(struct remote *remote)
{
	struct request *r = remote->requests;

	remote->requests = r->next;
	if (r->next == NULL)
		remote->requests_end = &remote->requests;
	return r;
}

void
requests_answer(struct remote *remote)
{
	while (remote->why == NULL && remote->requests != NULL &&
	       request_is_whole(remote->requests)) {
		struct request *r = remote->requests;
		struct remote_answer answer = {.verdict = "", .uptime = ""};
		char uptime[32] = "";

		answer.uptime = uptime;
		if (!answer_fill(remote, r, &answer, uptime, sizeof(uptime))) {
			remote_fail(remote, "protocol",
			    _("%s answered what no shell of hoshu's answers"),
			    remote->options.name);
			return;
		}
		if (answer.verdict == NULL)
			answer.verdict = "";
		remote->wire.got_answered = remote->wire.got;
		/* out of the queue first: done may ask anew */
		request_take(remote);
		if (r->done != NULL)
			r->done(r->arg, &answer);
		request_free(r);
	}
}

void
requests_end_all(struct remote *remote, enum remote_end head)
{
	while (remote->requests != NULL) {
		struct request *r = request_take(remote);
		struct remote_answer answer = {
		    .end = head, .verdict = "", .uptime = ""};

		head = REMOTE_GONE;
		if (r->done != NULL)
			r->done(r->arg, &answer);
		request_free(r);
	}
}
