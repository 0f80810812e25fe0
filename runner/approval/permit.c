/*
 * The permit: proof, in the type system, that approvals were judged right
 * now. Nobody else can make one; it is good for one wave, so that whoever
 * runs the next one judges the stored bytes again.
 */
#include "approval/approval.h"

struct permit {
	int persons;
};

int
approval_permit(struct arena *arena, const struct approval_rule *rule,
    const struct approval *approvals, size_t count, struct permit **out,
    struct err *err)
{
	struct approval_verdict *verdicts = NULL;
	struct permit *permit;
	int persons = 0, r;

	r = approval_judge(
	    arena, rule, approvals, count, &verdicts, &persons, err);
	if (r < 0)
		return r;
	permit = arena_new_of(arena, struct permit);
	permit->persons = persons;
	*out = permit;
	return 0;
}

int
permit_persons(const struct permit *permit)
{
	return permit->persons;
}
