/* Speaking to a change that runs, or may: see running.h. */
#include "cmd/running.h"
#include "base/i18n.h"

#include <string.h>

enum { BECAUSE_MAX = 1000 };

bool
cmd_is_run(const struct context *context, struct lease_seen *seen)
{
	return lease_look(context->journal, context->change->number, seen) &&
	       !seen->still;
}

int
cmd_because(const struct cmd_call *call, bool wanted, const char **because,
    struct err *err)
{
	const char *text = cmd_given(call, "because");

	if (text == NULL && !wanted) {
		*because = "";
		return 0;
	}
	if (text == NULL || text[strspn(text, " \t\n")] == '\0')
		return err_set(err, ERR_USAGE,
		    _("%s: say why with --because TEXT; it stands in the "
		      "journal"),
		    call->cmd->name);
	if (strlen(text) > BECAUSE_MAX)
		return err_set(err, ERR_USAGE,
		    _("%s: --because is longer than %d bytes"), call->cmd->name,
		    BECAUSE_MAX);
	*because = text;
	return 0;
}

int
cmd_say_beside(struct context *context, enum record_kind kind,
    const char *because, struct err *err)
{
	struct json *body = json_map(context->arena);
	struct buf text = BUF_INIT;
	struct record record = {
	    .change = context->change->number,
	    .epoch = context->fold.epoch,
	    .kind = kind,
	    .actor = cmd_person(context->call),
	};
	int r;

	json_put_text(context->arena, body, "because", because);
	json_write(&text, body);
	record.body = buf_str(&text);
	r = journal_append_now(context->journal, &record, 1, NULL, err);
	buf_free(&text);
	/* now it stands behind whatever came meanwhile */
	return r < 0 ? r : context_load(context, context->call->words[0], err);
}
