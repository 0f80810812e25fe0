/*
 * The bytes of a record: canonical JSON, written and read back. Knows nothing
 * of the store or of what a record means for a change.
 */
#include "journal/record.h"

#include <limits.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

/* 2^53: beyond it RFC 8785 numbers are not exact */
#define NUMBER_MAX ((int64_t)1 << 53)

enum { FIELDS = 13 };

static const char *const kind_words[] = {[RECORD_NONE] = "",
#define X(name, word) [name] = word,
    RECORD_KINDS(X)
#undef X
};
enum { KINDS = sizeof(kind_words) / sizeof(kind_words[0]) };

const char *
record_kind_word(enum record_kind kind)
{
	if ((size_t)kind >= KINDS)
		bug("no such record kind: %d", (int)kind);
	return kind_words[kind];
}

enum record_kind
record_kind_of(const char *word)
{
	size_t i;

	for (i = 1; i < KINDS; i++)
		if (strcmp(kind_words[i], word) == 0)
			return (enum record_kind)i;
	return RECORD_NONE;
}

bool
record_kind_is_host(enum record_kind kind)
{
	return (kind >= RECORD_HOST_STARTED && kind <= RECORD_HOST_STUCK) ||
	       kind == RECORD_HOST_ASKED;
}

bool
record_kind_is_intent(enum record_kind kind)
{
	return kind == RECORD_STEP_INTENT || kind == RECORD_UNDO_INTENT;
}

bool
record_kind_is_outcome(enum record_kind kind)
{
	return kind == RECORD_STEP_DONE || kind == RECORD_STEP_FAILED ||
	       kind == RECORD_STEP_UNKNOWN || kind == RECORD_STEP_SEALED ||
	       kind == RECORD_UNDO_DONE || kind == RECORD_UNDO_FAILED ||
	       kind == RECORD_UNDO_UNKNOWN || kind == RECORD_UNDO_SEALED;
}

bool
record_kind_needs_xid(enum record_kind kind)
{
	return record_kind_is_intent(kind) || kind == RECORD_STEP_DONE ||
	       kind == RECORD_STEP_UNKNOWN || kind == RECORD_STEP_SEALED ||
	       kind == RECORD_UNDO_UNKNOWN || kind == RECORD_UNDO_SEALED;
}

bool
record_kind_is_outside(enum record_kind kind)
{
	return kind == RECORD_SUBMITTED || kind == RECORD_APPROVED ||
	       kind == RECORD_REJECTED || kind == RECORD_REFUSED ||
	       kind == RECORD_PAUSED || kind == RECORD_RESUMED ||
	       kind == RECORD_ABORTED || kind == RECORD_SETTLED ||
	       kind == RECORD_RELEASED || kind == RECORD_LATER_OVER ||
	       kind == RECORD_ANSWERED;
}

static void
put_text(struct buf *out, const char *key, const char *text)
{
	struct json value = {.type = JSON_TEXT, .text = text};

	value.len = strlen(text);
	buf_puts(out, key);
	json_write(out, &value);
}

/* What stands before the body, and what stands behind it. */
static void
put_front(struct buf *out, const struct record *r)
{
	put_text(out, "{\"actor\":", r->actor);
	buf_printf(out, ",\"attempt\":%d,\"body\":", r->attempt);
}

static void
put_back(struct buf *out, const struct record *r)
{
	buf_printf(out, ",\"change\":%d,\"epoch\":%lld", r->change,
	    (long long)r->epoch);
	put_text(out, ",\"host\":", r->host);
	put_text(out, ",\"kind\":", record_kind_word(r->kind));
	put_text(out, ",\"life\":", r->life);
	buf_printf(out, ",\"mono_ms\":%lld,\"number\":%lld,\"step\":%d",
	    (long long)r->mono_ms, (long long)r->number, r->step);
	buf_printf(out, ",\"wall_ms\":%lld", (long long)r->wall_ms);
	put_text(out, ",\"xid\":", r->xid);
	buf_putc(out, '}');
}

void
record_write(struct buf *out, const struct record *record)
{
	put_front(out, record);
	buf_puts(out, record->body);
	put_back(out, record);
}

bool
record_take_body(struct buf *text, struct bytes bytes, struct record *record)
{
	const char *data = bytes.data;
	size_t front, back;

	buf_reset(text);
	put_front(text, record);
	front = text->len;
	put_back(text, record);
	back = text->len - front;
	if (text->full || bytes.len < front + back + 2 ||
	    memcmp(data, text->data, front) != 0 ||
	    memcmp(data + bytes.len - back, text->data + front, back) != 0)
		return false;
	buf_reset(text);
	buf_put(text, data + front, bytes.len - front - back);
	record->body = buf_str(text);
	return true;
}

static bool
is_number(int64_t value)
{
	return value >= 0 && value <= NUMBER_MAX;
}

static bool
fields_in_range(const struct record *r)
{
	return is_number(r->number) && r->change >= 0 && is_number(r->epoch) &&
	       r->step >= 0 && r->attempt >= 0 && is_number(r->wall_ms) &&
	       is_number(r->mono_ms) && r->kind != RECORD_NONE &&
	       text_is_utf8(r->host, strlen(r->host)) &&
	       text_is_utf8(r->xid, strlen(r->xid)) &&
	       text_is_utf8(r->life, strlen(r->life)) &&
	       text_is_utf8(r->actor, strlen(r->actor));
}

/* Parse the body and write it again: nothing else shows that it is canonical.
 */
static bool
body_is_canonical(struct arena *arena, const char *body)
{
	struct err dropped = ERR_INIT;
	struct buf again = BUF_INIT;
	struct json *value;
	bool same = false;

	if (json_parse(arena, body, strlen(body), "body", &value, &dropped) ==
		0 &&
	    value->type == JSON_MAP) {
		json_write(&again, value);
		same = bytes_equal(buf_bytes(&again), bytes_of(body));
	}
	buf_free(&again);
	return same;
}

int
record_encode(struct buf *out, const struct record *record, struct err *err)
{
	struct arena *arena = arena_new();
	size_t before = out->len;
	int rc = 0;

	if (!fields_in_range(record)) {
		rc = err_set(err, ERR_INTERNAL,
		    _("a %s record has a field that cannot be stored"),
		    record_kind_word(record->kind));
		goto out;
	}
	if (!body_is_canonical(arena, record->body)) {
		rc = err_set(err, ERR_INTERNAL,
		    _("the body of a %s record is not canonical JSON"),
		    record_kind_word(record->kind));
		goto out;
	}
	record_write(out, record);
	if (out->full || out->len - before > RECORD_MAX)
		rc = err_set(err, ERR_INTERNAL,
		    _("a %s record of %zu bytes is too large (%d at most): "
		      "its parts belong into blobs"),
		    record_kind_word(record->kind), out->len - before,
		    RECORD_MAX);
out:
	arena_free(arena);
	return rc;
}

/* A text without NUL inside, or NULL. */
static const char *
text_at(const struct json *map, const char *key)
{
	const struct json *value = json_get(map, key);

	if (value == NULL || value->type != JSON_TEXT ||
	    strlen(value->text) != value->len)
		return NULL;
	return value->text;
}

static bool
number_at(const struct json *map, const char *key, int64_t max, int64_t *number)
{
	const struct json *value = json_get(map, key);

	if (value == NULL || value->type != JSON_INT || value->num < 0 ||
	    value->num > max)
		return false;
	*number = value->num;
	return true;
}

static bool
take_fields(struct arena *arena, const struct json *map, struct record *r)
{
	const struct json *body = json_get(map, "body");
	const char *kind = text_at(map, "kind");
	struct buf text = BUF_INIT;
	int64_t change, step, attempt;

	if (map->type != JSON_MAP || map->count != FIELDS || body == NULL ||
	    body->type != JSON_MAP || kind == NULL ||
	    !number_at(map, "number", NUMBER_MAX, &r->number) ||
	    !number_at(map, "change", INT_MAX, &change) ||
	    !number_at(map, "epoch", NUMBER_MAX, &r->epoch) ||
	    !number_at(map, "step", INT_MAX, &step) ||
	    !number_at(map, "attempt", INT_MAX, &attempt) ||
	    !number_at(map, "wall_ms", NUMBER_MAX, &r->wall_ms) ||
	    !number_at(map, "mono_ms", NUMBER_MAX, &r->mono_ms) ||
	    (r->host = text_at(map, "host")) == NULL ||
	    (r->xid = text_at(map, "xid")) == NULL ||
	    (r->life = text_at(map, "life")) == NULL ||
	    (r->actor = text_at(map, "actor")) == NULL ||
	    (r->kind = record_kind_of(kind)) == RECORD_NONE)
		return false;
	r->change = (int)change;
	r->step = (int)step;
	r->attempt = (int)attempt;
	json_write(&text, body);
	r->body = arena_copy(arena, text.data, text.len);
	buf_free(&text);
	return true;
}

int
record_parse(struct arena *arena, struct bytes bytes, struct record *record,
    struct err *err)
{
	struct record parsed = {0};
	struct buf again = BUF_INIT;
	struct json *map;
	int rc;

	if (bytes.len > RECORD_MAX) {
		rc = err_set(err, ERR_EVIDENCE,
		    _("the record is larger than %d bytes"), RECORD_MAX);
		goto out;
	}
	rc = json_parse(arena, bytes.data, bytes.len, "record", &map, err);
	if (rc < 0)
		goto out;
	if (!take_fields(arena, map, &parsed)) {
		rc = err_set(err, ERR_EVIDENCE,
		    _("the record lacks a field or has a wrong one"));
		goto out;
	}
	record_write(&again, &parsed);
	if (!bytes_equal(buf_bytes(&again), bytes)) {
		rc = err_set(
		    err, ERR_EVIDENCE, _("the record is not canonical JSON"));
		goto out;
	}
	*record = parsed;
out:
	buf_free(&again);
	return rc;
}
