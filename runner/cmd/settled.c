/* Is a person's word on a step in the journal signed, and for that step? */
#include "cmd/settled.h"
#include "approval/settle.h"
#include "cmd/answered.h"
#include "cmd/sign.h"
#include "base/i18n.h"

#include <string.h>

/* What the change, the plan and the record's columns say of it. */
static void
settled_known(const struct context *context, const struct record *record,
    struct settle *said)
{
	const struct plan *plan = context->change->plan;

	memset(said, 0, sizeof(*said));
	said->change = context->change->number;
	said->title = context->change->title;
	said->digest = context->change->digest;
	said->host = record->host;
	said->step = record->step;
	said->step_name = record->step >= 1 && record->step <= plan->last_id
			      ? plan->by_id[record->step]->name
			      : "";
	said->xid = record->xid;
}

int
cmd_settled_holds(
    struct context *context, const struct record *record, struct err *err)
{
	struct json *body = NULL;
	struct settle said;
	int r;

	if (record->kind != RECORD_SETTLED)
		return 0;
	r = json_parse(context->arena, record->body, strlen(record->body),
	    "the body of a record", &body, err);
	if (r < 0)
		return r;
	settled_known(context, record, &said);
	if (!settle_take(&said, body))
		return err_set(err, ERR_EVIDENCE,
		    _("record %lld: the statement in it is not what its "
		      "columns say; nobody goes by it"),
		    (long long)record->number);
	r = cmd_word_is_signed(
	    context, "settle@hoshu", record, body, &said.by, err);
	return r < 0
		   ? err_wrap(err, _("record %lld, a word on step %d on %s"),
			 (long long)record->number, record->step, record->host)
		   : 0;
}

static int
settled_look(void *arg, const struct record *record, struct err *err)
{
	int r = cmd_settled_holds(arg, record, err);

	return r < 0 ? r : cmd_answered_holds(arg, record, err);
}

int
cmd_settled_all(struct context *context, struct err *err)
{
	return journal_read(context->journal, context->change->number, 0,
	    settled_look, context, err);
}

bool
cmd_settled_now(const struct context *context, struct gate_result *result)
{
	const struct change_fold *fold = &context->fold;

	if (fold->state != CHANGE_ENDED || !fold->settled)
		return false;
	gate_result_of(context->change, fold, result);
	return strcmp(result->word, fold->result) != 0;
}

int
cmd_settled_list(struct context *context, const struct change_fold *fold,
    bool *other, struct gate_result *result, struct err *err)
{
	char name[16];
	int r;

	*other = false;
	if (fold->state != CHANGE_ENDED || !fold->settled)
		return 0;
	r = context_load(context, change_name(fold->number, name), err);
	if (r == 0)
		*other = cmd_settled_now(context, result);
	return r;
}
