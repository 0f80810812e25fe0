/*
 * Grouping: "412 hosts, the same impact". Pure.
 */
#include "digest/digest.h"
#include "preview/preview.h"

#include <string.h>

/* All that a person is shown of a host's impact. Scripts differ between hosts
 * only where what is shown of them differs, or by the old state. */
static void
group_key(const struct change *change, size_t index, struct digest *key)
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
	digest_of(buf_bytes(&text), key);
	buf_free(&text);
}

void
preview_group(struct arena *arena, const struct change *change,
    struct preview_group **groups, size_t *count)
{
	struct preview_group *list = NULL;
	struct digest *keys =
	    arena_array(arena, struct digest, change->host_count + 1);
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < change->host_count; i++) {
		struct digest key;
		size_t g;

		group_key(change, i, &key);
		for (g = 0; g < n; g++)
			if (strcmp(keys[g].hex, key.hex) == 0)
				break;
		if (g == n) {
			struct preview_group *group =
			    arena_push(arena, list, n, cap);

			group->hosts =
			    arena_array(arena, int, change->host_count);
			group->count = 0;
			keys[g] = key;
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
