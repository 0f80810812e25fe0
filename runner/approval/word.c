/* What every signed word of a person has; see word.h. */
#include "approval/word.h"
#include "base/text.h"

#include <string.h>

void
word_put(struct buf *out, const char *key, const char *words)
{
	buf_printf(out, "%s: ", key);
	text_cleanse_to(out, words, strlen(words), true);
	buf_putc(out, '\n');
}

void
word_put_number(struct buf *out, const char *key, int number, const char *name)
{
	buf_printf(out, "%s: %d ", key, number);
	text_cleanse_to(out, name, strlen(name), true);
	buf_putc(out, '\n');
}

void
word_put_time(struct buf *out, const char *key, int64_t wall_ms)
{
	buf_printf(out, "%s: ", key);
	text_put_time(out, wall_ms);
	buf_putc(out, '\n');
}

void
word_put_end(struct buf *out, const struct word *word)
{
	word_put(out, "because", word->because);
	word_put(out, "person", word->person);
	word_put_time(out, "at", word->at_ms);
	word_put(out, "nonce", word->nonce);
}

struct json *
word_body(struct arena *arena, const struct word *word, const struct buf *text)
{
	struct json *body = json_map(arena);

	json_put_int(arena, body, "at_ms", word->at_ms);
	json_put_text(arena, body, "because", word->because);
	json_put_text(arena, body, "nonce", word->nonce);
	json_put_text(arena, body, "person", word->person);
	json_put_text(arena, body, "statement", buf_str(text));
	return body;
}

struct json *
word_sign(struct arena *arena, struct json *body, struct bytes signature,
    const char *fingerprint)
{
	json_put_text(arena, body, "fingerprint", fingerprint);
	json_put(arena, body, "signature",
	    json_text_len(arena, signature.data, signature.len));
	return body;
}

void
word_take(struct word *word, const struct json *body)
{
	word->because = json_get_text(body, "because", "");
	word->person = json_get_text(body, "person", "");
	word->nonce = json_get_text(body, "nonce", "");
	word->at_ms = json_get_int(body, "at_ms", 0);
}

bool
word_is(const struct json *body, const struct buf *text)
{
	return strcmp(json_get_text(body, "statement", ""), buf_str(text)) == 0;
}
