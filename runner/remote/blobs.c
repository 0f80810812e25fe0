/*
 * What is too large for the shell's own stream, or binary: sent on a channel
 * of its own into the spool, where its digest is its name. A launch that
 * needs it is written only once the host said that it has it whole.
 */
#include "remote/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

static const char place_sh[] =
#include "place.sh.h"
    ;
static const char blob_sh[] =
#include "blob.sh.h"
    ;

bool
blobs_stored(const struct remote *remote, const char *sha256)
{
	for (size_t i = 0; i < remote->stored_count; i++)
		if (strcmp(remote->stored[i], sha256) == 0)
			return true;
	return false;
}

void
blobs_find(struct request *request, struct bytes script)
{
	static const char needs[] = "# needs blob ";
	const char *at = script.data, *end = at + script.len;

	while (at < end && *at == '#') {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);

		if (len == strlen(needs) + 64 &&
		    memcmp(at, needs, strlen(needs)) == 0) {
			request->blobs = xrealloc(
			    request->blobs, (request->blob_count + 1) *
						sizeof(*request->blobs));
			memcpy(request->blobs[request->blob_count],
			    at + strlen(needs), 64);
			request->blobs[request->blob_count++][64] = '\0';
		}
		if (stop == NULL)
			break;
		at = stop + 1;
	}
}

/* The host has it, or the launch that needs it will never run. */
static void
blob_done(struct remote *remote, struct side *side)
{
	char word[64], said[300], text[600];

	snprintf(word, sizeof(word), "\n%s stored\n", side->nonce);
	if (!side->failed && strstr(buf_str(&side->out), word) != NULL) {
		arena_push(remote->arena, remote->stored, remote->stored_count,
		    remote->stored_cap);
		memcpy(remote->stored[remote->stored_count - 1], side->key,
		    sizeof(side->key));
		return;
	}
	text_cleanse(said, sizeof(said), buf_str(&side->err), side->err.len);
	snprintf(text, sizeof(text),
	    _("%s did not take the %zu bytes that the step needs: %s"),
	    remote->options.name, side->input.len,
	    side->err.len > 0 ? said
			      : _("no channel, no sha256sum, or no space; "
				  "see its MaxSessions and `df`"));
	requests_refuse(remote, side->key, text);
}

static void
blob_start(struct remote *remote, const char *sha256, struct bytes data)
{
	struct side *side = side_start(remote, blob_done);
	struct buf text = BUF_INIT;
	char size[32];

	strcpy(side->key, sha256);
	buf_put(&side->input, data.data, data.len);
	gate_put_mark(&side->gate, &text);
	shell_put_script(&text, place_sh);
	shell_put_script(&text, blob_sh);
	snprintf(size, sizeof(size), "%zu", data.len);
	shell_put_sh(remote, &side->gate, &side->command);
	buf_puts(&side->command, " -c");
	shell_put_word(&side->command, buf_str(&text));
	buf_puts(&side->command, " hoshu");
	shell_put_word(&side->command, remote->options.root_spool);
	shell_put_word(&side->command, sha256);
	shell_put_word(&side->command, size);
	shell_put_word(&side->command, side->nonce);
	buf_free(&text);
}

bool
blobs_ready(struct remote *remote, struct request *request)
{
	bool ready = true;
	char text[300];

	for (size_t i = 0; i < request->blob_count; i++) {
		const char *sha256 = request->blobs[i];
		struct bytes data = {NULL, 0};

		if (blobs_stored(remote, sha256))
			continue;
		ready = false;
		if (side_busy(remote, sha256))
			continue;
		if (request->script_copy.len > 0 &&
		    i == request->blob_count - 1)
			data = buf_bytes(&request->script_copy);
		else if (remote->events.blob != NULL)
			data = remote->events.blob(remote->arg, sha256);
		if (data.data == NULL) {
			snprintf(text, sizeof(text),
			    _("the blob %.16s... that the step needs is not "
			      "here; nothing was run"),
			    sha256);
			requests_refuse(remote, sha256, text);
			return false;
		}
		blob_start(remote, sha256, data);
	}
	return ready;
}
