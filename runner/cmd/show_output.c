/*
 * hoshu show CHG --output: what steps printed, as the journal keeps it. It
 * came from hosts: nothing of it reaches a terminal as it is.
 */
#include "cmd/show_output.h"
#include "base/i18n.h"
#include "base/text.h"

#include <string.h>

struct wanted {
	struct context *context;
	const char *host; /* NULL = all */
	int step;	  /* 0 = all */
	struct json *list;
	size_t found;
};

/* "HOST", or "HOST:STEP", the step by number or name. */
static int
wanted_read(struct wanted *wanted, const char *word, struct err *err)
{
	struct context *context = wanted->context;
	const struct plan *plan = context->change->plan;
	const char *step = word != NULL ? strchr(word, ':') : NULL;
	char name[16];
	int64_t id = 0;

	if (word == NULL)
		return 0;
	wanted->host = arena_copy(context->arena, word,
	    step != NULL ? (size_t)(step - word) : strlen(word));
	if (fold_host(&context->fold, wanted->host) == NULL)
		return err_set(err, ERR_USAGE,
		    _("%s has no host '%s'; `hoshu show` lists them"),
		    change_name(context->change->number, name), wanted->host);
	if (step == NULL)
		return 0;
	step++;
	if (text_int(step, 1, plan->last_act, &id))
		wanted->step = (int)id;
	for (int i = 1; i <= plan->last_act && wanted->step == 0; i++)
		if (strcmp(plan->by_id[i]->name, step) == 0)
			wanted->step = i;
	if (wanted->step == 0)
		return err_set(err, ERR_USAGE,
		    _("the change has no step '%s'; name it, or give its "
		      "number (`hoshu show` lists them)"),
		    step);
	return 0;
}

static bool
output_is_of_undo(enum record_kind kind)
{
	return kind >= RECORD_UNDO_DONE && kind <= RECORD_UNDO_SEALED;
}

/* What is kept of one stream: the first `head` bytes and the last; between
 * them `left` bytes are not there. */
struct kept {
	struct buf bytes;
	size_t head;
	int64_t left;
};

static int
kept_read(struct context *context, const struct json *body, const char *stream,
    struct kept *kept, struct err *err)
{
	struct arena *arena = context->arena;
	const char *sha256 =
	    json_get_text(body, arena_printf(arena, "%s_blob", stream), "");
	int64_t size =
	    json_get_int(body, arena_printf(arena, "%s_size", stream), 0);
	int64_t head;
	int r;

	memset(kept, 0, sizeof(*kept));
	if (sha256[0] == '\0')
		return 0;
	r = journal_get_blob(context->journal, sha256, &kept->bytes, err);
	if (r < 0)
		return r;
	head = json_get_int(body, arena_printf(arena, "%s_head", stream),
	    (int64_t)kept->bytes.len);
	kept->head = head >= 0 && (size_t)head < kept->bytes.len
			 ? (size_t)head
			 : kept->bytes.len;
	if ((uint64_t)size > kept->bytes.len)
		kept->left = size - (int64_t)kept->bytes.len;
	return 0;
}

static void
kept_text(const struct kept *kept, struct buf *text)
{
	const char *data = kept->bytes.data;

	text_cleanse_to(text, data, kept->head, false);
	if (kept->left > 0)
		buf_printf(text,
		    ngettext("\n[%lld byte is left out here]\n",
			"\n[%lld bytes are left out here]\n",
			(unsigned long)kept->left),
		    (long long)kept->left);
	text_cleanse_to(
	    text, data + kept->head, kept->bytes.len - kept->head, false);
	if (text->len > 0 && text->data[text->len - 1] != '\n')
		buf_putc(text, '\n');
}

static void
output_print(const struct kept kept[2])
{
	const char *const names[] = {N_("stdout"), N_("stderr")};

	for (int i = 0; i < 2; i++) {
		struct buf text = BUF_INIT;

		if (kept[i].bytes.len == 0)
			continue;
		kept_text(&kept[i], &text);
		printf("--- %s\n%s", _(names[i]), buf_str(&text));
		buf_free(&text);
	}
}

static void
output_put(struct wanted *wanted, const struct record *record,
    const struct json *body, const struct kept kept[2])
{
	static const char *const names[] = {"out", "err"};
	struct arena *arena = wanted->context->arena;
	struct json *map = json_add(arena, wanted->list, json_map(arena));

	json_put_text(arena, map, "host", record->host);
	json_put_int(arena, map, "step", record->step);
	json_put_text(arena, map, "place", json_get_text(body, "place", ""));
	json_put_int(arena, map, "attempt", record->attempt);
	json_put_bool(arena, map, "undo", output_is_of_undo(record->kind));
	for (int i = 0; i < 2; i++) {
		struct json *stream =
		    json_put(arena, map, names[i], json_map(arena));
		struct buf text = BUF_INIT;

		kept_text(&kept[i], &text);
		json_put_text(arena, stream, "text", buf_str(&text));
		json_put_int(arena, stream, "left_out", kept[i].left);
		json_put_text(arena, stream, "blob",
		    json_get_text(
			body, arena_printf(arena, "%s_blob", names[i]), ""));
		buf_free(&text);
	}
}

static void
output_head(
    const struct wanted *wanted, const struct record *record, const char *place)
{
	const struct plan *plan = wanted->context->change->plan;
	struct buf when = BUF_INIT;

	text_put_time(&when, record->wall_ms);
	printf("=== %s  %d %s%s%s%s  %s\n", record->host, record->step,
	    record->step <= plan->last_act ? plan->by_id[record->step]->name
					   : "",
	    place[0] != '\0' ? _(", on ") : "", place,
	    output_is_of_undo(record->kind) ? _(", taken back") : "",
	    buf_str(&when));
	buf_free(&when);
}

static int
output_record(void *arg, const struct record *record, struct err *err)
{
	struct wanted *wanted = arg;
	struct kept kept[2] = {{.left = 0}, {.left = 0}};
	struct json *body;
	int r;

	if (!record_kind_is_outcome(record->kind) ||
	    (wanted->host != NULL && strcmp(wanted->host, record->host) != 0) ||
	    (wanted->step != 0 && wanted->step != record->step))
		return 0;
	r = json_parse(wanted->context->arena, record->body,
	    strlen(record->body), "body", &body, err);
	if (r < 0 ||
	    (r = kept_read(wanted->context, body, "out", &kept[0], err)) < 0 ||
	    (r = kept_read(wanted->context, body, "err", &kept[1], err)) < 0)
		goto out;
	if (kept[0].bytes.len + kept[1].bytes.len == 0)
		goto out;
	wanted->found++;
	if (wanted->list != NULL) {
		output_put(wanted, record, body, kept);
		goto out;
	}
	output_head(wanted, record, json_get_text(body, "place", ""));
	output_print(kept);
out:
	buf_free(&kept[0].bytes);
	buf_free(&kept[1].bytes);
	return r;
}

int
show_output(struct context *context, const char *word, struct err *err)
{
	struct wanted wanted = {.context = context};
	struct buf text = BUF_INIT;
	int r;

	if ((r = wanted_read(&wanted, word, err)) < 0)
		return r;
	if (context->call->json)
		wanted.list = json_list(context->arena);
	r = journal_read(context->journal, context->change->number, 0,
	    output_record, &wanted, err);
	if (r < 0)
		return r;
	if (wanted.list != NULL) {
		json_write(&text, wanted.list);
		puts(buf_str(&text));
		buf_free(&text);
	} else if (wanted.found == 0) {
		printf(_("nothing was printed by its steps there\n"));
	}
	return 0;
}
