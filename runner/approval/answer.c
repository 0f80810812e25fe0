/*
 * A person's answer to a phase's question; see answer.h.
 * Pure: no clock, no file, no process.
 */
#include "approval/answer.h"

#include <string.h>

void
answer_write(struct buf *out, const struct answer_said *said)
{
	buf_puts(out, "hoshu-answer/1\n");
	buf_printf(out, "change: CHG-%04d\n", said->change);
	word_put(out, "title", said->title);
	buf_printf(out, "digest: sha256 %s\n", said->digest);
	word_put_number(out, "phase", said->phase, said->name);
	word_put(out, "asked of", said->of);
	word_put(out, "question", said->say);
	word_put(out, "answer", said->yes ? "yes" : "no");
	word_put_end(out, &said->by);
}

struct json *
answer_body(struct arena *arena, const struct answer_said *said)
{
	struct buf text = BUF_INIT;
	struct json *body;

	answer_write(&text, said);
	body = word_body(arena, &said->by, &text);
	json_put_text(arena, body, "answer", said->yes ? "yes" : "no");
	json_put_text(arena, body, "name", said->name);
	buf_free(&text);
	return body;
}

bool
answer_take(struct answer_said *said, const struct json *body)
{
	const char *answer = json_get_text(body, "answer", "");
	struct buf text = BUF_INIT;
	bool same;

	word_take(&said->by, body);
	said->yes = strcmp(answer, "yes") == 0;
	answer_write(&text, said);
	/* what the fold goes by is the body's word */
	same = word_is(body, &text) &&
	       (said->yes || strcmp(answer, "no") == 0) &&
	       strcmp(json_get_text(body, "name", ""), said->name) == 0;
	buf_free(&text);
	return same;
}
