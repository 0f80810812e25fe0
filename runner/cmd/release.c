/* hoshu release: a person's signed word lets a host out of quarantine. */
#include "approval/release.h"
#include "base/i18n.h"
#include "cmd/quarantine.h"
#include "cmd/running.h"
#include "cmd/sign.h"
#include "cmd/table.h"

/* Sign, and record unless something came from the host meanwhile. */
static int
release_say(struct context *context, const struct quarantine *quarantine,
    const struct release_said *said, struct err *err)
{
	struct record record = {
	    .change = said->change,
	    .host = said->host,
	    .kind = RECORD_RELEASED,
	};

	return cmd_say_word(context, "release@hoshu", &said->by,
	    release_body(context->arena, said), &record, quarantine->next - 1,
	    err);
}

/* The word on what holds the host by one change. */
static int
release_one(struct context *context, struct quarantine *quarantine,
    const struct quarantined *held, const char *because, struct err *err)
{
	const char *word = quarantined_word(held);
	char nonce[33], name[16];
	struct release_said said = {
	    .change = held->change,
	    .host = held->host,
	    .was = record_kind_word(held->kind),
	    .record = held->number,
	    .by = {.because = because,
		.person = cmd_person(context->call),
		.nonce = nonce,
		.at_ms = world_wall_ms(&world_real)},
	};
	int r;

	world_random_hex(&world_real, nonce, 16);
	if ((r = release_say(context, quarantine, &said, err)) < 0 ||
	    (r = cmd_quarantine(context, context->journal, quarantine, err)) <
		0)
		return r;
	if (quarantine_holds(quarantine, said.change, said.host, said.record))
		return err_set(err, ERR_APPROVAL,
		    _("the word on %s is recorded, and does not count: its "
		      "signature does not hold"),
		    said.host);
	if (!context->call->json)
		printf(_("%s is released: %s by %s\n"), said.host, _(word),
		    change_name(said.change, name));
	return 0;
}

static int
release_host(struct context *context, const char *host, const char *because,
    struct err *err)
{
	struct quarantine quarantine;
	const struct quarantined *held;
	int released = 0, r;

	quarantine_init(&quarantine, context->arena);
	r = cmd_quarantine(context, context->journal, &quarantine, err);
	if (r < 0)
		return r;
	/* one word for each change that holds it */
	while ((held = quarantine_of(&quarantine, host, 0)) != NULL) {
		r = release_one(context, &quarantine, held, because, err);
		if (r < 0)
			return r;
		released++;
	}
	if (released == 0)
		return err_set(err, ERR_REFUSED,
		    _("%s is not in quarantine; `hoshu status` shows which "
		      "hosts are"),
		    host);
	if (context->call->json)
		printf("{\"host\":\"%s\",\"released\":%d}\n", host, released);
	return 0;
}

static int
release_run(struct cmd_call *call, struct err *err)
{
	struct context context;
	const char *because;
	int r;

	if ((r = context_open(&context, call, err)) == 0 &&
	    (r = cmd_because(call, true, &because, err)) == 0 &&
	    (r = context_journal(&context, JOURNAL_WRITE, err)) == 0)
		r = release_host(&context, call->words[0], because, err);
	context_close(&context);
	return r;
}

const struct cmd cmd_release = {
    .name = "release",
    .args = "HOST",
    .summary = N_("let other changes touch a host in quarantine again"),
    .text = N_("A host that a change left failed, lost or not proved back is "
	       "in quarantine: other\nchanges exclude it, and count it. "
	       "Taking it back ends that, and so does this signed\nword of a "
	       "person who has looked. What became of its own change does not "
	       "change."),
    .examples = "  hoshu release web1 --because 'reinstalled'\n",
    .options = {{"because", "TEXT", N_("why; must be given"), false},
	{"as", "PERSON", N_("who signs (default: $HOSHU_PERSON, login name)"),
	    false},
	{"key", "FILE", N_("the ssh key to sign with"), false}},
    .min_words = 1,
    .max_words = 1,
    .run = release_run,
};
