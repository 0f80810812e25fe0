/*
 * A person's answer to a phase's question; see answer.h.
 * Pure: no clock, no file, no process.
 */
#include "approval/answer.h"
#include "base/text.h"

#include <string.h>

/* A line's end is the end of its value. */
static void
answer_put(struct buf *out, const char *key, const char *words)
{
	buf_printf(out, "%s: ", key);
	text_cleanse_to(out, words, strlen(words), true);
	buf_putc(out, '\n');
}

void
answer_write(struct buf *out, const struct answer_said *said)
{
	buf_puts(out, "hoshu-answer/1\n");
	buf_printf(out, "change: CHG-%04d\n", said->change);
	answer_put(out, "title", said->title);
	buf_printf(out, "digest: sha256 %s\n", said->digest);
	buf_printf(out, "phase: %d ", said->phase);
	text_cleanse_to(out, said->name, strlen(said->name), true);
	buf_putc(out, '\n');
	answer_put(out, "asked of", said->of);
	answer_put(out, "question", said->say);
	answer_put(out, "answer", said->yes ? "yes" : "no");
	answer_put(out, "because", said->because);
	answer_put(out, "person", said->person);
	buf_puts(out, "at: ");
	text_put_time(out, said->at_ms);
	buf_putc(out, '\n');
	answer_put(out, "nonce", said->nonce);
}

struct json *
answer_body(struct arena *arena, const struct answer_said *said,
    struct bytes signature, const char *fingerprint)
{
	struct json *body = json_map(arena);
	struct buf text = BUF_INIT;

	answer_write(&text, said);
	json_put_text(arena, body, "answer", said->yes ? "yes" : "no");
	json_put_int(arena, body, "at_ms", said->at_ms);
	json_put_text(arena, body, "because", said->because);
	json_put_text(arena, body, "fingerprint", fingerprint);
	json_put_text(arena, body, "name", said->name);
	json_put_text(arena, body, "nonce", said->nonce);
	json_put_text(arena, body, "person", said->person);
	json_put(arena, body, "signature",
	    json_text_len(arena, signature.data, signature.len));
	json_put_text(arena, body, "statement", buf_str(&text));
	buf_free(&text);
	return body;
}

bool
answer_take(struct answer_said *said, const struct json *body)
{
	const char *answer = json_get_text(body, "answer", "");
	struct buf text = BUF_INIT;
	bool same;

	said->yes = strcmp(answer, "yes") == 0;
	said->because = json_get_text(body, "because", "");
	said->person = json_get_text(body, "person", "");
	said->nonce = json_get_text(body, "nonce", "");
	said->at_ms = json_get_int(body, "at_ms", 0);
	answer_write(&text, said);
	/* what the fold goes by is the body's word */
	same =
	    strcmp(buf_str(&text), json_get_text(body, "statement", "")) == 0 &&
	    (said->yes || strcmp(answer, "no") == 0) &&
	    strcmp(json_get_text(body, "name", ""), said->name) == 0;
	buf_free(&text);
	return same;
}
