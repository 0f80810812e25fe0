/* hoshu release, and what the other commands say of hosts in quarantine. */
#include "cmd/quarantine.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cmd/running.h"
#include "cmd/table.h"

#include <string.h>

static int
quarantine_take(void *arg, const struct record *record, struct err *err)
{
	(void)err;
	quarantine_record(arg, record);
	return 0;
}

int
cmd_quarantine(
    struct journal *journal, struct quarantine *quarantine, struct err *err)
{
	return journal_read(
	    journal, 0, quarantine->next, quarantine_take, quarantine, err);
}

static void
quarantine_print_one(const struct quarantined *held)
{
	struct buf when = BUF_INIT;
	char name[16];

	text_put_time(&when, held->wall_ms);
	printf(_("  %-12s %s by %s, %.16s\n"), held->host,
	    _(quarantined_word(held)), change_name(held->change, name),
	    buf_str(&when));
	buf_free(&when);
}

void
cmd_print_quarantine(const struct quarantine *quarantine, bool ended)
{
	char name[16];

	if (quarantine->count == 0)
		return;
	printf(_("\nin quarantine, left alone by other changes:\n"));
	for (size_t i = 0; i < quarantine->count; i++)
		quarantine_print_one(&quarantine->list[i]);
	change_name(quarantine->list[0].change, name);
	if (ended)
		printf(_("next: hoshu rollback %s --hosts %s, or hoshu release "
			 "%s --because TEXT\n"),
		    name, quarantine->list[0].host, quarantine->list[0].host);
	else
		printf(_("next: hoshu show %s says why; that change has not "
			 "ended: hoshu run %s goes on\n"),
		    name, name);
}

int
cmd_print_held_targets(const struct context *context, struct err *err)
{
	const struct change *change = context->change;
	const char *store = context->project->store;
	struct quarantine quarantine;
	struct journal *journal = NULL;
	struct err none = ERR_INIT;
	bool any = false;
	int r = 0;

	if (context->call->json || !file_exists(store))
		return 0;
	quarantine_init(&quarantine, context->arena);
	/* nothing in it yet, as where a first submit was cut short; whatever
	 * else is wrong with it is told by who writes to it */
	if (journal_open(
		store, JOURNAL_READ, &world_real, NULL, &journal, &none) < 0)
		return 0;
	if ((r = cmd_quarantine(journal, &quarantine, err)) < 0)
		goto out;
	for (size_t h = 0; h < change->host_count; h++) {
		const struct quarantined *held =
		    quarantine_of(&quarantine, change->hosts[h].name, 0);

		if (held == NULL)
			continue;
		if (!any)
			printf(_("\nin quarantine; the run excludes them, and "
				 "counts them, unless they are released:\n"));
		any = true;
		quarantine_print_one(held);
	}
out:
	journal_close(journal);
	return r;
}

static int
release_record(struct context *context, const struct quarantined *held,
    const char *because, struct err *err)
{
	struct json *body = json_map(context->arena);
	struct buf text = BUF_INIT;
	struct record record = {
	    .change = held->change,
	    .host = held->host,
	    .kind = RECORD_RELEASED,
	    .actor = cmd_person(context->call),
	};
	int r;

	json_put_text(context->arena, body, "because", because);
	json_put_text(
	    context->arena, body, "was", record_kind_word(held->kind));
	json_write(&text, body);
	record.body = buf_str(&text);
	r = journal_append_now(context->journal, &record, 1, NULL, err);
	buf_free(&text);
	return r;
}

static int
release_host(struct context *context, const char *host, const char *because,
    struct err *err)
{
	struct quarantine quarantine;
	const struct quarantined *held;
	char name[16];
	int released = 0, r;

	quarantine_init(&quarantine, context->arena);
	if ((r = cmd_quarantine(context->journal, &quarantine, err)) < 0)
		return r;
	/* one word for each change that holds it */
	while ((held = quarantine_of(&quarantine, host, 0)) != NULL) {
		if ((r = release_record(context, held, because, err)) < 0)
			return r;
		if (!context->call->json)
			printf(_("%s is released: %s by %s\n"), host,
			    _(quarantined_word(held)),
			    change_name(held->change, name));
		released++;
		if ((r = cmd_quarantine(context->journal, &quarantine, err)) <
		    0)
			return r;
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
	       "Taking it back ends that, and so does this word of a\nperson "
	       "who has looked. What became of its own change does not "
	       "change."),
    .examples = "  hoshu release web1 --because 'reinstalled'\n",
    .options = {{"because", "TEXT", N_("why; must be given"), false},
	{"as", "PERSON", N_("who says so (default: $HOSHU_PERSON, login name)"),
	    false}},
    .min_words = 1,
    .max_words = 1,
    .run = release_run,
};
