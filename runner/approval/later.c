/*
 * Until when hosts that were away may be changed: each person has signed a
 * time of his own, and as many as are needed must still stand by it.
 */
#include "approval/approval.h"

#include <string.h>

int
approval_later_until(struct arena *arena, const struct approval_rule *rule,
    const struct approval *approvals, size_t count, int64_t *until_ms,
    struct err *err)
{
	int64_t *untils = arena_array(arena, int64_t, count + 1);
	struct approval_verdict *verdicts = NULL;
	struct approval_rule then = *rule;
	struct statement said;
	int persons = 0, found = 0, r;

	/* as it was when the last of them had signed */
	then.later = false;
	then.now_ms = rule->preview_wall_ms;
	for (size_t i = 0; i < count; i++)
		if (approvals[i].wall_ms > then.now_ms)
			then.now_ms = approvals[i].wall_ms;
	r = approval_judge(
	    arena, &then, approvals, count, &verdicts, &persons, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		int at = found;

		if (!verdicts[i].counts)
			continue;
		r = statement_parse(arena, approvals[i].statement, &said, err);
		if (r < 0)
			return r;
		/* the latest first */
		while (at > 0 &&
		       untils[at - 1] < said.not_before_ms + said.later_ms) {
			untils[at] = untils[at - 1];
			at--;
		}
		untils[at] = said.not_before_ms + said.later_ms;
		found++;
	}
	*until_ms = untils[rule->needed - 1];
	return 0;
}
