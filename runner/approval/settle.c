/*
 * A person's word on an unknown step; see settle.h.
 * Pure: no clock, no file, no process.
 */
#include "approval/settle.h"
#include "base/text.h"

#include <string.h>

/* A line's end is the end of its value. */
static void
settle_put(struct buf *out, const char *key, const char *words)
{
	buf_printf(out, "%s: ", key);
	text_cleanse_to(out, words, strlen(words), true);
	buf_putc(out, '\n');
}

void
settle_write(struct buf *out, const struct settle *settle)
{
	buf_puts(out, "hoshu-settle/1\n");
	buf_printf(out, "change: CHG-%04d\n", settle->change);
	settle_put(out, "title", settle->title);
	buf_printf(out, "digest: sha256 %s\n", settle->digest);
	settle_put(out, "host", settle->host);
	buf_printf(out, "step: %d ", settle->step);
	text_cleanse_to(
	    out, settle->step_name, strlen(settle->step_name), true);
	buf_printf(out, "\ndirection: %s\n", settle->undo ? "undo" : "apply");
	settle_put(out, "launch", settle->xid);
	settle_put(out, "outcome", settle->outcome);
	settle_put(out, "because", settle->because);
	settle_put(out, "person", settle->person);
	buf_puts(out, "at: ");
	text_put_time(out, settle->at_ms);
	buf_putc(out, '\n');
	settle_put(out, "nonce", settle->nonce);
}

struct json *
settle_body(struct arena *arena, const struct settle *settle,
    struct bytes signature, const char *fingerprint)
{
	struct json *body = json_map(arena);
	struct buf text = BUF_INIT;

	settle_write(&text, settle);
	json_put_int(arena, body, "at_ms", settle->at_ms);
	json_put_text(arena, body, "because", settle->because);
	json_put_text(arena, body, "fingerprint", fingerprint);
	json_put_text(arena, body, "nonce", settle->nonce);
	json_put_text(arena, body, "outcome", settle->outcome);
	json_put_text(arena, body, "person", settle->person);
	json_put(arena, body, "signature",
	    json_text_len(arena, signature.data, signature.len));
	json_put_text(arena, body, "statement", buf_str(&text));
	json_put_bool(arena, body, "undo", settle->undo);
	buf_free(&text);
	return body;
}

bool
settle_take(struct settle *settle, const struct json *body)
{
	struct buf text = BUF_INIT;
	bool same;

	settle->undo = json_get_bool(body, "undo", false);
	settle->outcome = json_get_text(body, "outcome", "");
	settle->because = json_get_text(body, "because", "");
	settle->person = json_get_text(body, "person", "");
	settle->nonce = json_get_text(body, "nonce", "");
	settle->at_ms = json_get_int(body, "at_ms", 0);
	settle_write(&text, settle);
	same =
	    strcmp(buf_str(&text), json_get_text(body, "statement", "")) == 0 &&
	    (strcmp(settle->outcome, "done") == 0 ||
		strcmp(settle->outcome, "not-done") == 0);
	buf_free(&text);
	return same;
}
