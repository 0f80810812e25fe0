/*
 * A worker's message as an answer. The worker has read hostile bytes: every
 * text is cleansed once more, every word must be one of its table, JSON must
 * be UTF-8 so that it can be stored; what is not is the worker's fault.
 */
#include "fleet/inside.h"

#include <string.h>

#include "base/text.h"

struct word {
	const char *text;
	int value;
};

static const struct word seen_words[] = {
    {"same", SEEN_SAME},
    {"change", SEEN_CHANGE},
    {"skip", SEEN_SKIP},
    {"depends", SEEN_DEPENDS},
    {"cannot_tell", SEEN_CANNOT_TELL},
    {NULL, 0},
};

static const struct word launch_words[] = {
    {"notrun", VERDICT_NOTRUN},
    {"sealed", VERDICT_SEALED},
    {"claimed", VERDICT_CLAIMED},
    {"running", VERDICT_RUNNING},
    {"done", VERDICT_DONE},
    {"lost", VERDICT_LOST},
    {"otherlife", VERDICT_OTHERLIFE},
    {NULL, 0},
};

static const struct word check_words[] = {
    {"pass", CHECK_PASS},
    {"fail", CHECK_FAIL},
    {"inconclusive", CHECK_INCONCLUSIVE},
    {NULL, 0},
};

static const struct word closed_words[] = {
    {"hostkey", 0},
    {"auth", 0},
    {"password", 0},
    {"network", 0},
    {"protocol", 0},
    {"shell", 0},
    {"deadline", 0},
    {"asked", 0},
    {NULL, 0},
};

static const struct word failed_words[] = {
    {"module", 0},
    {"budget", 0},
    {"memory", 0},
    {"deadline", 0},
    {"connection", 0},
    {"protocol", 0},
    {"refused", 0},
    {NULL, 0},
};

static const struct word *
word_find(const struct word *words, const char *text)
{
	for (; words->text != NULL; words++) {
		if (strcmp(words->text, text) == 0)
			return words;
	}
	return NULL;
}

const char *
answer_closed_why(const char *text)
{
	const struct word *word = word_find(closed_words, text);

	return word != NULL ? word->text : "protocol";
}

static struct bytes
cleansed(struct arena *arena, struct bytes text, bool one_line)
{
	struct buf buf = BUF_INIT;
	struct bytes out;

	text_cleanse_to(&buf, text.data, text.len, one_line);
	out.len = buf.len;
	out.data = arena_copy(arena, buf_str(&buf), buf.len);
	buf_free(&buf);
	return out;
}

const char *
answer_text(struct arena *arena, struct bytes text)
{
	return cleansed(arena, text, true).data;
}

bool
answer_life_ok(const char *life)
{
	size_t len = strlen(life);

	if (len == 0 || len > 128)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (life[i] < ' ' || life[i] > '~')
			return false;
	}
	return true;
}

static int
malformed(
    struct err *err, const struct seam_message *message, const char *field)
{
	return err_set(err, ERR_INTERNAL,
	    "seam: message %s with a field %s that is not what it should be",
	    seam_name(message->type), field);
}

static int
json_of(const struct seam_message *message, const char *name, struct bytes *out,
    struct err *err)
{
	struct bytes field = seam_field(message, name);

	if (memchr(field.data, '\0', field.len) != NULL ||
	    !text_is_utf8(field.data, field.len))
		return malformed(err, message, name);
	*out = field;
	return 0;
}

static int
seen_read(struct arena *arena, const struct seam_message *message,
    struct answer *answer, struct err *err)
{
	const struct word *word =
	    word_find(seen_words, seam_field_text(message, "verdict"));
	struct {
		const char *name;
		struct bytes *out;
	} json[] = {
	    {"params", &answer->params},
	    {"seen", &answer->seen},
	    {"want", &answer->want},
	    {"info", &answer->info},
	};

	if (word == NULL)
		return malformed(err, message, "verdict");
	for (size_t i = 0; i < sizeof(json) / sizeof(*json); i++) {
		int r = json_of(message, json[i].name, json[i].out, err);

		if (r < 0)
			return r;
	}
	answer->kind = ANSWER_SEEN;
	answer->seen_verdict = (enum seen_verdict)word->value;
	answer->effects =
	    cleansed(arena, seam_field(message, "effects"), false);
	answer->diff = cleansed(arena, seam_field(message, "diff"), false);
	answer->summary = cleansed(arena, seam_field(message, "summary"), true);
	answer->reason = cleansed(arena, seam_field(message, "reason"), true);
	answer->apply = seam_field(message, "apply");
	answer->undo = seam_field(message, "undo");
	return 0;
}

static int
verdict_read(struct arena *arena, const struct job *job,
    const struct seam_message *message, struct answer *answer, struct err *err)
{
	const struct word *word =
	    word_find(launch_words, seam_field_text(message, "verdict"));
	const char *uptime = seam_field_text(message, "uptime");
	int64_t rc = seam_field_int(message, "rc", -1);
	int64_t out_size = seam_field_int(message, "out_size", -1);
	int64_t errors_size = seam_field_int(message, "err_size", -1);

	if (word == NULL)
		return malformed(err, message, "verdict");
	if (word->value == VERDICT_DONE && (rc < 0 || rc > 255))
		return malformed(err, message, "rc");
	if (out_size < 0 || errors_size < 0)
		return malformed(err, message, "size");
	if (strcmp(seam_field_text(message, "xid"),
		job->xid != NULL ? job->xid : "") != 0)
		return malformed(err, message, "xid");
	if (strlen(uptime) > 32 ||
	    strspn(uptime, "0123456789.") != strlen(uptime))
		return malformed(err, message, "uptime");
	answer->kind = ANSWER_VERDICT;
	answer->verdict = (enum launch_verdict)word->value;
	answer->rc = word->value == VERDICT_DONE ? (int)rc : 0;
	answer->uptime = uptime;
	answer->out = seam_field(message, "out");
	answer->out_size = (uint64_t)out_size;
	answer->errors = seam_field(message, "err");
	answer->errors_size = (uint64_t)errors_size;
	answer->wall_ms = seam_field_int(message, "wall_ms", 0);
	return 0;
}

static int
checked_read(struct arena *arena, const struct seam_message *message,
    struct answer *answer, struct err *err)
{
	const struct word *word =
	    word_find(check_words, seam_field_text(message, "result"));

	if (word == NULL)
		return malformed(err, message, "result");
	answer->kind = ANSWER_CHECKED;
	answer->check = (enum check_result)word->value;
	answer->text = answer_text(arena, seam_field(message, "text"));
	answer->value = answer_text(arena, seam_field(message, "value"));
	return 0;
}

static int
failed_read(struct arena *arena, const struct seam_message *message,
    struct answer *answer, struct err *err)
{
	const struct word *word =
	    word_find(failed_words, seam_field_text(message, "why"));

	if (word == NULL)
		return malformed(err, message, "why");
	answer->kind = ANSWER_FAILED;
	answer->why = word->text;
	answer->text = answer_text(arena, seam_field(message, "text"));
	answer->file = answer_text(arena, seam_field(message, "file"));
	answer->fingerprint = "";
	answer->line = (int)seam_field_int(message, "line", 0);
	if (answer->line < 0)
		answer->line = 0;
	return 0;
}

static enum seam_type
answer_type(enum seam_type job)
{
	switch ((int)job) {
	case SEAM_DESCRIBE:
		return SEAM_DESCRIBED;
	case SEAM_PROBE:
		return SEAM_SEEN;
	case SEAM_EVAL:
		return SEAM_VALUE;
	case SEAM_OUTPUT:
		return SEAM_MORE;
	case SEAM_CHECK:
	case SEAM_CHECK_NET:
		return SEAM_CHECKED;
	}
	return SEAM_VERDICT; /* LAUNCH, SETTLE, SYNC */
}

int
answer_read(struct arena *arena, const struct job *job,
    const struct seam_message *message, struct answer *answer, struct err *err)
{
	if (message->type == SEAM_FAILED)
		return failed_read(arena, message, answer, err);
	if (message->type != answer_type(job->type))
		return err_set(err, ERR_INTERNAL,
		    "seam: a job %s was answered by %s", seam_name(job->type),
		    seam_name(message->type));
	switch ((int)message->type) {
	case SEAM_DESCRIBED:
		answer->kind = ANSWER_DESCRIBED;
		return json_of(message, "descriptor", &answer->json, err);
	case SEAM_VALUE:
		answer->kind = ANSWER_VALUE;
		return json_of(message, "values", &answer->json, err);
	case SEAM_MORE:
		answer->kind = ANSWER_MORE;
		answer->out = seam_field(message, "content");
		return answer->out.len > SEAM_MORE_MAX
			   ? malformed(err, message, "content")
			   : 0;
	case SEAM_SEEN:
		return seen_read(arena, message, answer, err);
	case SEAM_CHECKED:
		return checked_read(arena, message, answer, err);
	}
	return verdict_read(arena, job, message, answer, err);
}

void
answer_opened(struct arena *arena, const struct seam_message *message,
    struct answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->kind = ANSWER_OPENED;
	answer->life = seam_field_text(message, "life");
	answer->uid = answer_text(arena, seam_field(message, "uid"));
	answer->readonly = answer_text(arena, seam_field(message, "readonly"));
	answer->gaps = answer_text(arena, seam_field(message, "gaps"));
	answer->timings = answer_text(arena, seam_field(message, "timings"));
	answer->clock_ms = seam_field_int(message, "clock_ms", 0);
	answer->uptime = seam_field_text(message, "uptime");
	if (strlen(answer->uptime) > 23 ||
	    answer->uptime[strspn(answer->uptime, "0123456789.")] != '\0')
		answer->uptime = "";
}
