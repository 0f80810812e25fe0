/*
 * A person's word on a host in quarantine; see release.h.
 * Pure: no clock, no file, no process.
 */
#include "approval/release.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

void
release_write(struct buf *out, const struct release_said *said)
{
	buf_puts(out, "hoshu-release/1\n");
	buf_printf(out, "change: CHG-%04d\n", said->change);
	word_put(out, "host", said->host);
	buf_puts(out, "was: ");
	text_cleanse_to(out, said->was, strlen(said->was), true);
	buf_printf(out, ", record %" PRId64 "\n", said->record);
	word_put_end(out, &said->by);
}

struct json *
release_body(struct arena *arena, const struct release_said *said)
{
	struct buf text = BUF_INIT;
	struct json *body;

	release_write(&text, said);
	body = word_body(arena, &said->by, &text);
	json_put_int(arena, body, "record", said->record);
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

	word_take(&said->by, body);
	said->was = json_get_text(body, "was", "");
	said->record = json_get_int(body, "record", -1);
	release_write(&text, said);
	same = word_is(body, &text);
	buf_free(&text);
	return same;
}
