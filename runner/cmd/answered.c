/* Is a person's answer signed, to that question, by one who may give it? */
#include "cmd/answered.h"
#include "base/i18n.h"
#include "cmd/sign.h"

#include <string.h>

bool
cmd_answer_about(
    const struct context *context, int phase, struct answer_said *said)
{
	const struct change *change = context->change;
	const struct change_ask *ask;
	struct buf of = BUF_INIT;

	memset(said, 0, sizeof(*said));
	if (phase < 1 || (size_t)phase > change->plan->phase_count)
		return false;
	ask = change_ask(change, phase - 1);
	if (ask == NULL)
		return false;
	change_put_asked(&of, ask);
	said->change = change->number;
	said->title = change->title;
	said->digest = change->digest;
	said->phase = phase;
	said->name = change->plan->phases[phase - 1].name;
	said->of = arena_strdup(context->arena, buf_str(&of));
	said->say = ask->say;
	buf_free(&of);
	return true;
}

int
cmd_answer_allowed(const struct context *context, int phase, const char *person,
    struct err *err)
{
	const struct change *change = context->change;
	const struct change_ask *ask = change_ask(change, phase - 1);
	const char *submitter = context->fold.submitter;
	struct answer_said about;

	if (change_may_answer(change, ask, submitter, person))
		return 0;
	if (!change->solo && strcmp(person, submitter) == 0)
		return err_set(err, ERR_APPROVAL,
		    _("%s submitted this change and cannot answer what it "
		      "asks; somebody else has to (or say --as who you are)"),
		    person);
	(void)cmd_answer_about(context, phase, &about);
	return err_set(err, ERR_APPROVAL,
	    _("phase %d asks %s, and %s was none of them when the change was "
	      "submitted; one of them has to answer"),
	    phase, about.of, person);
}

int
cmd_answered_holds(
    struct context *context, const struct record *record, struct err *err)
{
	struct json *body = NULL;
	struct answer_said said;
	int r;

	if (record->kind != RECORD_ANSWERED)
		return 0;
	r = json_parse(context->arena, record->body, strlen(record->body),
	    "the body of a record", &body, err);
	if (r < 0)
		return r;
	if (!cmd_answer_about(context, record->step, &said) ||
	    !answer_take(&said, body))
		return err_set(err, ERR_EVIDENCE,
		    _("record %lld: the statement in it is not what its "
		      "columns say; nobody goes by it"),
		    (long long)record->number);
	r = cmd_word_is_signed(
	    context, "answer@hoshu", record, body, &said.by, err);
	if (r == 0)
		r = cmd_answer_allowed(
		    context, record->step, said.by.person, err);
	return r < 0 ? err_wrap(err, _("record %lld, an answer to phase %d"),
			   (long long)record->number, record->step)
		     : 0;
}
