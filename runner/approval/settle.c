/*
 * A person's word on an unknown step; see settle.h.
 * Pure: no clock, no file, no process.
 */
#include "approval/settle.h"

#include <string.h>

void
settle_write(struct buf *out, const struct settle *settle)
{
	buf_puts(out, "hoshu-settle/1\n");
	buf_printf(out, "change: CHG-%04d\n", settle->change);
	word_put(out, "title", settle->title);
	buf_printf(out, "digest: sha256 %s\n", settle->digest);
	word_put(out, "host", settle->host);
	word_put_number(out, "step", settle->step, settle->step_name);
	word_put(out, "direction", settle->undo ? "undo" : "apply");
	word_put(out, "launch", settle->xid);
	word_put(out, "outcome", settle->outcome);
	word_put_end(out, &settle->by);
}

struct json *
settle_body(struct arena *arena, const struct settle *settle)
{
	struct buf text = BUF_INIT;
	struct json *body;

	settle_write(&text, settle);
	body = word_body(arena, &settle->by, &text);
	json_put_text(arena, body, "outcome", settle->outcome);
	json_put_bool(arena, body, "undo", settle->undo);
	buf_free(&text);
	return body;
}

bool
settle_take(struct settle *settle, const struct json *body)
{
	struct buf text = BUF_INIT;
	bool same;

	word_take(&settle->by, body);
	settle->undo = json_get_bool(body, "undo", false);
	settle->outcome = json_get_text(body, "outcome", "");
	settle_write(&text, settle);
	same = word_is(body, &text) &&
	       (strcmp(settle->outcome, "done") == 0 ||
		   strcmp(settle->outcome, "not-done") == 0);
	buf_free(&text);
	return same;
}
