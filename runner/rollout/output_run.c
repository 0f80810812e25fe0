/*
 * What a step printed, into the journal: a blob a stream, named by the record
 * of its outcome. Most outputs are whole with the verdict (64 KiB); of longer
 * ones the rest is fetched by offset, before the outcome is recorded, up to
 * OUTPUT_MAX: the first part and the last 64 KiB.
 * The outcome is known by then. Nothing that a host says, or does not say,
 * about its output changes it, and what a host claims costs no more than
 * OUTPUT_MAX a stream and OUTPUT_WITHIN_MS.
 */
#include "base/secret.h"
#include "rollout/inside.h"

#include <stdio.h>
#include <string.h>

enum {
	OUTPUT_MAX = 1 << 20,
	OUTPUT_AT_ONCE = 8, /* asked for in one flight */
	OUTPUT_WITHIN_MS = 60 * 1000,
};

/* One piece that was asked for; in the step's arena. */
struct piece {
	struct host_run *host;
	struct output *output;
	size_t offset, len;
};

static void output_ask(struct host_run *host);

void
output_mask(const struct host_run *host, char *data, size_t len)
{
	const struct secret *password =
	    host->run->o.hosts[place_index(host)].password;

	if (password != NULL)
		secret_mask(password, data, len);
}

/* What is left out lay behind so many bytes. */
static void
output_mask_cut(const struct host_run *host, struct buf *kept, size_t head)
{
	const struct secret *password =
	    host->run->o.hosts[place_index(host)].password;

	if (password != NULL)
		secret_mask_cut(password, kept->data, head, kept->data + head,
		    kept->len - head);
}

void
output_free(struct host_run *host)
{
	for (int i = 0; i < 2; i++)
		buf_free(&host->output[i].head);
}

static void
output_note(struct host_run *host, struct output *output, uint64_t size,
    struct bytes tail)
{
	if (tail.len > FLEET_MORE_MAX) {
		tail.data = (const char *)tail.data + tail.len - FLEET_MORE_MAX;
		tail.len = FLEET_MORE_MAX;
	}
	if (size < tail.len)
		size = tail.len;
	output->size = size;
	output->tail.data = arena_copy(host->arena, tail.data, tail.len);
	output->tail.len = tail.len;
	output->wanted =
	    (size < OUTPUT_MAX ? (size_t)size : OUTPUT_MAX) - tail.len;
}

void
output_take(struct host_run *host, const struct answer *verdict)
{
	output_free(host);
	memset(host->output, 0, sizeof(host->output));
	if (verdict == NULL || verdict->verdict == VERDICT_RUNNING)
		return;
	output_note(host, &host->output[0], verdict->out_size, verdict->out);
	output_note(
	    host, &host->output[1], verdict->errors_size, verdict->errors);
}

/* ---- into the journal ---- */

/* NAME_blob: the bytes that are kept. NAME_head: how many of them are from
 * the beginning, where what is kept is not all; the others are from the end. */
static void
output_store(struct host_run *host, struct output *output, const char *name)
{
	struct arena *arena = host->arena;
	struct buf kept = BUF_INIT;
	struct err err = ERR_INIT;
	size_t head = output->head.len;
	char sha256[65];

	buf_put(&kept, output->head.data, head);
	buf_put(&kept, output->tail.data, output->tail.len);
	if (kept.len == 0)
		goto out;
	output_mask(host, kept.data, kept.len);
	if (output->size > kept.len)
		output_mask_cut(host, &kept, head);
	if (journal_put_blob(
		host->run->o.journal, buf_bytes(&kept), sha256, &err) < 0) {
		run_fail(host->run, &err);
		goto out;
	}
	json_put_text(
	    arena, host->told, arena_printf(arena, "%s_blob", name), sha256);
	if (output->size > kept.len)
		json_put_int(arena, host->told,
		    arena_printf(arena, "%s_head", name), (int64_t)head);
out:
	buf_free(&kept);
}

static void
output_end(struct host_run *host)
{
	static const char *const names[] = {"out", "err"};

	for (int i = 0; i < 2; i++)
		output_store(host, &host->output[i], names[i]);
	output_take(host, NULL);
	host->output_then(host);
}

/* ---- what did not come with the verdict ---- */

static void
output_came(void *arg, const struct answer *answer)
{
	const struct piece *piece = arg;
	struct host_run *host = piece->host;
	struct output *output = piece->output;

	if (answer->kind != ANSWER_MORE) {
		(void)step_gone(host, answer);
		output->short_of = true;
	} else if (output->head.len == piece->offset) {
		size_t len =
		    answer->out.len < piece->len ? answer->out.len : piece->len;

		buf_put(&output->head, answer->out.data, len);
		output->short_of = len < piece->len;
	}
	host->answers--;
	output_ask(host);
}

static bool
output_lacks(const struct output *output)
{
	return !output->short_of && output->asked < output->wanted;
}

static void
output_ask(struct host_run *host)
{
	struct run *run = host->run;
	bool late = loop_now_ms(run->o.loop) >= host->output_ends_ms;
	const char *xid = host->fold->steps[host->step->id].xid;

	for (int i = 0; i < 2; i++) {
		struct output *output = &host->output[i];

		while (output_lacks(output) && !late && place_connected(host) &&
		       host->answers < OUTPUT_AT_ONCE) {
			size_t left = output->wanted - output->asked;
			struct piece *piece =
			    arena_alloc(host->arena, sizeof(*piece));

			*piece = (struct piece){host, output, output->asked,
			    left < FLEET_MORE_MAX ? left : FLEET_MORE_MAX};
			output->asked += piece->len;
			host->answers++;
			fleet_output(run->o.fleet, place_index(host), xid,
			    i + 1, (int64_t)piece->offset, output_came, piece);
		}
	}
	if (host->answers == 0)
		output_end(host);
}

void
output_keep(struct host_run *host, void (*then)(struct host_run *host))
{
	host->output_then = then;
	host->output_ends_ms =
	    loop_now_ms(host->run->o.loop) + OUTPUT_WITHIN_MS;
	output_ask(host);
}
