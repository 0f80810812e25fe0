/*
 * Grouping: "412 hosts, the same impact", but for each one's own name.
 */
#include "digest/digest.h"
#include "preview/named.h"
#include "preview/preview.h"

#include <string.h>

/* What one host is shown by. */
struct group_key {
	struct digest raw;  /* as it is */
	struct digest kind; /* with ${{ host.name }} for its own name */
	bool named;	    /* which then is in it */
};

/* Whether the name is in it tells "${{ host.name }}" that was made here from
 * one that a person wrote. */
static void
group_put_named(
    struct buf *out, struct bytes text, const char *name, struct group_key *key)
{
	size_t from = out->len;
	bool named;

	buf_putc(out, '-');
	named = named_put(out, text, name);
	if (named)
		out->data[from] = '+';
	buf_putc(out, '\n');
	key->named = key->named || named;
}

/* A text that can not be had stays its digest, which only says less. */
static struct bytes
group_text(const struct change *change, const char *sha256)
{
	struct err unread = ERR_INIT;
	struct bytes text;

	return blobs_get(change->blobs, sha256, &text, &unread) == 0
		   ? text
		   : bytes_of(sha256);
}

static void
group_kind(const struct change *change, size_t index, struct group_key *key)
{
	const struct change_host *host = &change->hosts[index];
	struct buf text = BUF_INIT;

	group_put_named(&text, bytes_of(host->trouble), host->name, key);
	buf_printf(&text, "%s\n", host->gaps);
	for (int id = 1; id <= change->plan->last_id; id++) {
		const struct change_step *step = &host->steps[id];

		if (!change_has_step(host, change->plan->by_id[id]))
			continue;
		buf_printf(&text, "%d %d %s\n", id, step->place,
		    change_verdict_word(step->verdict));
		group_put_named(
		    &text, bytes_of(step->summary), host->name, key);
		group_put_named(&text, bytes_of(step->reason), host->name, key);
		group_put_named(
		    &text, group_text(change, step->effects), host->name, key);
		group_put_named(
		    &text, group_text(change, step->diff), host->name, key);
	}
	digest_of(buf_bytes(&text), &key->kind);
	buf_free(&text);
}

/* All that a person is shown of a host's impact. Scripts differ between hosts
 * only where what is shown of them differs, or by the old state. */
static void
group_raw(const struct change *change, size_t index, struct digest *raw)
{
	const struct change_host *host = &change->hosts[index];
	struct buf text = BUF_INIT;

	buf_printf(&text, "%s\n%s\n%d\n", host->trouble, host->gaps,
	    change_is_away(host));
	for (int id = 1; id <= change->plan->last_id; id++) {
		const struct change_step *step = &host->steps[id];

		if (!change_has_step(host, change->plan->by_id[id]))
			continue;
		buf_printf(&text, "%d %d %s %s %s %s %s\n", id, step->place,
		    change_verdict_word(step->verdict), step->summary,
		    step->reason, step->effects, step->diff);
	}
	digest_of(buf_bytes(&text), raw);
	buf_free(&text);
}

/* The group that the host belongs to; count when there is none yet. Most
 * hosts are shown by the very same texts; what they are need not be read. */
static size_t
group_find(const struct change *change, size_t index,
    const struct group_key *keys, size_t count, struct group_key *key)
{
	size_t g;

	key->named = false;
	group_raw(change, index, &key->raw);
	for (g = 0; g < count; g++)
		if (!keys[g].named &&
		    strcmp(keys[g].raw.hex, key->raw.hex) == 0)
			return g;
	group_kind(change, index, key);
	for (g = 0; g < count; g++)
		if (strcmp(keys[g].kind.hex, key->kind.hex) == 0)
			return g;
	return g;
}

void
preview_group(struct arena *arena, const struct change *change,
    struct preview_group **groups, size_t *count)
{
	struct preview_group *list = NULL;
	struct group_key *keys =
	    arena_array(arena, struct group_key, change->host_count + 1);
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < change->host_count; i++) {
		size_t g = group_find(change, i, keys, n, &keys[n]);

		if (g == n) {
			bool named = keys[n].named;
			struct preview_group *group =
			    arena_push(arena, list, n, cap);

			group->hosts =
			    arena_array(arena, int, change->host_count);
			group->count = 0;
			group->named = named;
		}
		list[g].hosts[list[g].count++] = (int)i;
	}
	*groups = list;
	*count = n;
}

void
preview_count(const struct change *change, struct preview_counts *counts)
{
	const struct plan *plan = change->plan;

	memset(counts, 0, sizeof(*counts));
	counts->hosts = (int)change->host_count;
	for (size_t i = 0; i < change->host_count; i++) {
		const struct change_host *host = &change->hosts[i];
		bool changing = false;

		if (host->trouble[0] != '\0') {
			counts->troubled++;
			continue;
		}
		if (change_is_away(host)) {
			counts->away++;
			continue;
		}
		counts->enforced += strcmp(host->readonly, "enforced") == 0;
		for (int id = 1; id <= plan->last_id; id++) {
			enum change_verdict verdict = host->steps[id].verdict;

			if (plan->by_id[id]->of_rollback ||
			    !change_has_step(host, plan->by_id[id]) ||
			    verdict == CHANGE_SAME || verdict == CHANGE_SKIP)
				continue;
			changing = true;
			counts->steps_change += verdict == CHANGE_CHANGES;
			counts->steps_depend += verdict == CHANGE_DEPENDS;
			counts->steps_cannot_tell +=
			    verdict == CHANGE_CANNOT_TELL;
		}
		if (changing)
			counts->changing++;
		else
			counts->unchanged++;
	}
}
