/*
 * Hosts in quarantine, as the journal has them: whom a release lets go is
 * weighed here, and what commands say of the others.
 */
#include "cmd/quarantine.h"
#include "approval/release.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "cmd/sign.h"

#include <string.h>

/* Does the word count: signed by that person, and for what holds the host now?
 * It stands there unsigned where it is older than any that is signed. */
static int
quarantine_weigh(const struct context *context,
    const struct quarantine *quarantine, const struct record *record,
    bool *counts, bool *is_signed, struct err *err)
{
	struct release_said said = {
	    .change = record->change, .host = record->host};
	struct json *body = NULL;
	struct err why = ERR_INIT;
	int r;

	r = json_parse(context->arena, record->body, strlen(record->body),
	    "the body of a record", &body, err);
	if (r < 0)
		return r;
	*is_signed = release_is_signed(body);
	*counts = !*is_signed && !quarantine->has_signed;
	if (!*is_signed || !release_take(&said, body) ||
	    !quarantine_holds(quarantine, said.change, said.host, said.record))
		return 0;
	r = cmd_word_is_signed(
	    context, "release@hoshu", record, body, &said.by, &why);
	if (r < 0 && r != -ERR_APPROVAL)
		return err_set(err, why.code, "%s", why.text);
	*counts = r == 0;
	return 0;
}

int
cmd_quarantine_record(const struct context *context,
    struct quarantine *quarantine, const struct record *record, struct err *err)
{
	bool counts = true, is_signed = false;
	int r;

	if (record->kind == RECORD_RELEASED &&
	    (r = quarantine_weigh(
		 context, quarantine, record, &counts, &is_signed, err)) < 0)
		return r;
	if (!counts) {
		quarantine_refuse(quarantine, record);
		return 0;
	}
	quarantine->has_signed = quarantine->has_signed || is_signed;
	quarantine_record(quarantine, record);
	return 0;
}

struct quarantine_reader {
	const struct context *context;
	struct quarantine *quarantine;
};

static int
quarantine_take(void *arg, const struct record *record, struct err *err)
{
	struct quarantine_reader *reader = arg;

	return cmd_quarantine_record(
	    reader->context, reader->quarantine, record, err);
}

int
cmd_quarantine(const struct context *context, struct journal *journal,
    struct quarantine *quarantine, struct err *err)
{
	struct quarantine_reader reader = {context, quarantine};

	return journal_read(
	    journal, 0, quarantine->next, quarantine_take, &reader, err);
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
	if (held->refused > 0)
		printf(_("               record %lld would release it, but is "
			 "not signed by who may\n"),
		    (long long)held->refused);
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

struct json *
cmd_quarantined_json(struct arena *arena, const struct quarantined *held)
{
	struct json *map = json_map(arena);
	char name[16];

	json_put_text(arena, map, "host", held->host);
	json_put_text(arena, map, "state", "quarantined");
	json_put_text(arena, map, "change", change_name(held->change, name));
	json_put_text(arena, map, "why", quarantined_word(held));
	json_put_int(arena, map, "since_ms", held->wall_ms);
	return map;
}

/* A place that is a target, too, was there as that. */
static bool
held_is_again(const struct change *change, size_t index)
{
	const char *name = change_reached(change, index)->name;

	for (size_t h = 0; h < change->host_count && h < index; h++)
		if (strcmp(change->hosts[h].name, name) == 0)
			return true;
	return false;
}

/* Those among the targets and places: into list, or printed where that is
 * NULL. */
static int
held_targets(const struct context *context, struct json *list, struct err *err)
{
	const struct change *change = context->change;
	const char *store = context->project->store;
	struct quarantine quarantine;
	struct journal *journal = NULL;
	struct err none = ERR_INIT;
	bool any = false;
	int r = 0;

	if (!file_exists(store))
		return 0;
	quarantine_init(&quarantine, context->arena);
	/* nothing in it yet, as where a first submit was cut short; whatever
	 * else is wrong with it is told by who writes to it */
	if (journal_open(
		store, JOURNAL_READ, &world_real, NULL, &journal, &none) < 0)
		return 0;
	if ((r = cmd_quarantine(context, journal, &quarantine, err)) < 0)
		goto out;
	for (size_t h = 0; h < change->host_count + change->place_count; h++) {
		const struct quarantined *held = quarantine_of(
		    &quarantine, change_reached(change, h)->name, 0);

		if (held == NULL ||
		    (h >= change->host_count && held_is_again(change, h)))
			continue;
		if (list != NULL) {
			json_add(context->arena, list,
			    cmd_quarantined_json(context->arena, held));
			continue;
		}
		if (!any)
			printf(_("\nin quarantine; the run excludes them, and "
				 "the hosts that have a step there, and counts "
				 "them, unless they are released:\n"));
		any = true;
		quarantine_print_one(held);
	}
out:
	journal_close(journal);
	return r;
}

int
cmd_print_held_targets(const struct context *context, struct err *err)
{
	return context->call->json ? 0 : held_targets(context, NULL, err);
}

int
cmd_held_targets_json(
    const struct context *context, struct json *list, struct err *err)
{
	return held_targets(context, list, err);
}
