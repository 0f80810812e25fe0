/*
 * A person's word on a host in quarantine; see release.h.
 * Pure: no clock, no file, no process.
 */
#include "approval/release.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* A line's end is the end of its value. */
static void
release_put(struct buf *out, const char *key, const char *words)
{
	buf_printf(out, "%s: ", key);
	text_cleanse_to(out, words, strlen(words), true);
	buf_putc(out, '\n');
}

void
release_write(struct buf *out, const struct release_said *said)
{
	buf_puts(out, "hoshu-release/1\n");
	buf_printf(out, "change: CHG-%04d\n", said->change);
	release_put(out, "host", said->host);
	buf_puts(out, "was: ");
	text_cleanse_to(out, said->was, strlen(said->was), true);
	buf_printf(out, ", record %" PRId64 "\n", said->record);
	release_put(out, "because", said->because);
	release_put(out, "person", said->person);
	buf_puts(out, "at: ");
	text_put_time(out, said->at_ms);
	buf_putc(out, '\n');
	release_put(out, "nonce", said->nonce);
}

struct json *
release_body(struct arena *arena, const struct release_said *said,
    struct bytes signature, const char *fingerprint)
{
	struct json *body = json_map(arena);
	struct buf text = BUF_INIT;

	release_write(&text, said);
	json_put_int(arena, body, "at_ms", said->at_ms);
	json_put_text(arena, body, "because", said->because);
	json_put_text(arena, body, "fingerprint", fingerprint);
	json_put_text(arena, body, "nonce", said->nonce);
	json_put_text(arena, body, "person", said->person);
	json_put_int(arena, body, "record", said->record);
	json_put(arena, body, "signature",
	    json_text_len(arena, signature.data, signature.len));
	json_put_text(arena, body, "statement", buf_str(&text));
	json_put_text(arena, body, "was", said->was);
	buf_free(&text);
	return body;
}

bool
release_is_signed(const struct json *body)
{
	return json_get(body, "statement") != NULL;
}

bool
release_take(struct release_said *said, const struct json *body)
{
	struct buf text = BUF_INIT;
	bool same;

	said->was = json_get_text(body, "was", "");
	said->record = json_get_int(body, "record", -1);
	said->because = json_get_text(body, "because", "");
	said->person = json_get_text(body, "person", "");
	said->nonce = json_get_text(body, "nonce", "");
	said->at_ms = json_get_int(body, "at_ms", 0);
	release_write(&text, said);
	same =
	    strcmp(buf_str(&text), json_get_text(body, "statement", "")) == 0;
	buf_free(&text);
	return same;
}
