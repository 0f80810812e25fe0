/*
 * Quarantine; see quarantine.h. Pure: no I/O, no clock.
 */
#include "journal/quarantine.h"

#include <string.h>

#include "base/i18n.h"

void
quarantine_init(struct quarantine *quarantine, struct arena *arena)
{
	memset(quarantine, 0, sizeof(*quarantine));
	quarantine->arena = arena;
}

static bool
quarantine_is(const struct quarantined *quarantined,
    const struct record *record, bool any_part)
{
	return quarantined->change == record->change &&
	       (any_part || quarantined->wave == record->step) &&
	       strcmp(quarantined->host, record->host) == 0;
}

static void
quarantine_drop(
    struct quarantine *quarantine, const struct record *record, bool any_part)
{
	size_t kept = 0;

	for (size_t i = 0; i < quarantine->count; i++)
		if (!quarantine_is(&quarantine->list[i], record, any_part))
			quarantine->list[kept++] = quarantine->list[i];
	quarantine->count = kept;
}

void
quarantine_record(struct quarantine *quarantine, const struct record *record)
{
	struct quarantined *made;

	quarantine->next = record->number + 1;
	switch ((int)record->kind) {
	case RECORD_HOST_FAILED:
	case RECORD_HOST_LOST:
	case RECORD_HOST_STUCK:
		quarantine_drop(quarantine, record, false);
		made = arena_push(quarantine->arena, quarantine->list,
		    quarantine->count, quarantine->cap);
		made->host = arena_strdup(quarantine->arena, record->host);
		made->change = record->change;
		made->wave = record->step;
		made->kind = record->kind;
		made->wall_ms = record->wall_ms;
		made->number = record->number;
		made->refused = 0;
		return;
	case RECORD_HOST_DONE:
	case RECORD_HOST_REVERTED:
		quarantine_drop(quarantine, record, false);
		return;
	case RECORD_RELEASED:
		quarantine_drop(quarantine, record, true);
		return;
	}
}

void
quarantine_refuse(struct quarantine *quarantine, const struct record *record)
{
	quarantine->next = record->number + 1;
	for (size_t i = 0; i < quarantine->count; i++)
		if (quarantine_is(&quarantine->list[i], record, true))
			quarantine->list[i].refused = record->number;
}

bool
quarantine_holds(const struct quarantine *quarantine, int change,
    const char *host, int64_t number)
{
	for (size_t i = 0; i < quarantine->count; i++)
		if (quarantine->list[i].number == number &&
		    quarantine->list[i].change == change &&
		    strcmp(quarantine->list[i].host, host) == 0)
			return true;
	return false;
}

const struct quarantined *
quarantine_of(
    const struct quarantine *quarantine, const char *host, int but_change)
{
	for (size_t i = 0; i < quarantine->count; i++)
		if (quarantine->list[i].change != but_change &&
		    strcmp(quarantine->list[i].host, host) == 0)
			return &quarantine->list[i];
	return NULL;
}

const char *
quarantined_word(const struct quarantined *quarantined)
{
	switch ((int)quarantined->kind) {
	case RECORD_HOST_FAILED:
		return N_("failed");
	case RECORD_HOST_LOST:
		return N_("lost");
	default:
		return N_("not proved back");
	}
}
