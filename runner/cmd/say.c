/*
 * A record as a line for people. The time, the host, what happened, why.
 */
#include "cmd/say.h"
#include "base/i18n.h"
#include "base/said.h"
#include "base/text.h"

#include <string.h>
#include <time.h>

/* What each kind says; NULL = shown only with `all`. %s is the step or the
 * wave's name. */
static const char *
say_words(enum record_kind kind)
{
	switch (kind) {
	case RECORD_NONE:
		return NULL;
	case RECORD_SUBMITTED:
		return N_("submitted");
	case RECORD_APPROVED:
		return N_("approved");
	case RECORD_REJECTED:
		return N_("rejected");
	case RECORD_REFUSED:
		return N_("refused");
	case RECORD_RUN_STARTED:
		return N_("run started");
	case RECORD_RUN_ENDED:
		return N_("run ended");
	case RECORD_WAVE_STARTED:
		return N_("started");
	case RECORD_WAVE_SOAKING:
		return N_("through, soaking");
	case RECORD_WAVE_ENDED:
		return N_("ended");
	case RECORD_HOST_STARTED:
	case RECORD_HOST_OPENED:
	case RECORD_STEP_INTENT:
	case RECORD_UNDO_INTENT:
		return NULL;
	case RECORD_HOST_UNREACHABLE:
		return N_("UNREACHABLE, not touched");
	case RECORD_HOST_EXCLUDED:
		return N_("EXCLUDED, not touched");
	case RECORD_HOST_LOST:
		return N_("LOST after its first step");
	case RECORD_HOST_FAILED:
		return N_("FAILED");
	case RECORD_HOST_DONE:
		return N_("done");
	case RECORD_HOST_BACK:
		return N_("going back");
	case RECORD_HOST_REVERTED:
		return N_("reverted, proved back");
	case RECORD_HOST_STUCK:
		return N_("NOT PROVED BACK, a person must look");
	case RECORD_STEP_SAME:
		return N_("unchanged");
	case RECORD_STEP_SKIPPED:
		return N_("skipped");
	case RECORD_STEP_DONE:
		return N_("changed");
	case RECORD_STEP_FAILED:
		return N_("FAILED");
	case RECORD_STEP_UNKNOWN:
		return N_("UNKNOWN");
	case RECORD_STEP_SEALED:
		return N_("never ran, sealed");
	case RECORD_UNDO_DONE:
		return N_("undone, proved");
	case RECORD_UNDO_FAILED:
		return N_("UNDO FAILED");
	case RECORD_UNDO_UNKNOWN:
		return N_("UNDO UNKNOWN");
	case RECORD_UNDO_SEALED:
		return N_("undo never ran, sealed");
	case RECORD_UNDO_KEPT:
		return N_("kept");
	case RECORD_UNDO_STOPPED:
		return N_("STOPS the way back");
	case RECORD_UNDO_CONFLICT:
		return N_("CONFLICT on the way back");
	case RECORD_CHECK:
		return N_("check");
	case RECORD_LIMIT:
		return N_("STOP RULE: a limit is reached");
	case RECORD_BACK_STARTED:
		return N_("the change goes back");
	case RECORD_BACK_ENDED:
		return N_("the way back ended");
	case RECORD_PAUSED:
		return N_("PAUSED");
	case RECORD_RESUMED:
		return N_("resumed");
	case RECORD_ABORTED:
		return N_("ABORTED, what is in flight ends");
	case RECORD_SETTLED:
		return N_("settled by a person");
	case RECORD_RELEASED:
		return N_("released from quarantine");
	case RECORD_LATER_OVER:
		return N_("the time for hosts that were away is over, NOT "
			  "changed");
	case RECORD_PLACE_OPENED:
	case RECORD_HOST_ASKED:
		return NULL;
	case RECORD_ASKED:
		return N_("ASKS");
	case RECORD_UNANSWERED:
		return N_("NOBODY ANSWERED in time, it holds");
	case RECORD_ANSWERED:
		return N_("answered");
	case RECORD_BACK_ASKED:
		return N_("a person takes it back");
	case RECORD_BACK_LIMIT:
		return N_("THE WAY BACK PAUSES: a limit is reached");
	}
	return NULL;
}

/* The clock on the wall for a live view; for evidence the whole date, UTC. */
static void
say_time(FILE *out, int64_t wall_ms, bool all)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct buf text = BUF_INIT;
	struct tm tm;

	if (all) {
		text_put_time(&text, wall_ms);
		fprintf(out, "%s ", buf_str(&text));
		buf_free(&text);
		return;
	}
	localtime_r(&seconds, &tm);
	fprintf(out, "%02d:%02d:%02d ", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static bool
say_is_of_phase(enum record_kind kind)
{
	return kind == RECORD_ASKED || kind == RECORD_UNANSWERED ||
	       kind == RECORD_ANSWERED;
}

/* "phase 2", or "Web, wave 1": waves are counted anew in each phase. */
static void
say_place(FILE *out, const struct record *record, const struct json *body)
{
	const char *phase = json_get_text(body, "phase", "");

	if (say_is_of_phase(record->kind)) {
		fprintf(out, _("phase %d"), record->step);
		return;
	}
	fprintf(out, "%s%s", phase, phase[0] != '\0' ? ", " : "");
	fprintf(
	    out, _("wave %d"), (int)json_get_int(body, "number", record->step));
}

/* The step's name, or the number of the wave or phase. */
static void
say_what(FILE *out, const struct record *record, const struct plan *plan,
    const struct json *body)
{
	const char *name = json_get_text(body, "name", "");

	if (record->kind == RECORD_CHECK || record_kind_is_host(record->kind))
		return;
	if (record->kind == RECORD_WAVE_STARTED ||
	    record->kind == RECORD_WAVE_SOAKING ||
	    record->kind == RECORD_WAVE_ENDED ||
	    say_is_of_phase(record->kind)) {
		say_place(out, record, body);
		if (name[0] != '\0' && strncmp(name, "wave ", 5) != 0)
			fprintf(out, " \"%s\"", name);
		fputs(": ", out);
		return;
	}
	/* what is about a host has its wave there */
	if (record->step <= 0 || (record->kind >= RECORD_HOST_STARTED &&
				     record->kind <= RECORD_HOST_STUCK))
		return;
	if (name[0] == '\0' && plan != NULL && record->step <= plan->last_act)
		name = plan->by_id[record->step]->name;
	fprintf(out, name[0] != '\0' ? "%d %s" : "%d%s", record->step, name);
	if (json_get_text(body, "place", "")[0] != '\0')
		fprintf(
		    out, "%s%s", _(", on "), json_get_text(body, "place", ""));
	fputs(": ", out);
}

static void
say_why(FILE *out, const char *before, const char *text)
{
	struct buf line = BUF_INIT;

	if (text[0] == '\0')
		return;
	text_cleanse_to(&line, text, strlen(text), true);
	fprintf(out, "%s%s", before, buf_str(&line));
	buf_free(&line);
}

/* What hoshu itself recorded, in English. */
static void
say_said(FILE *out, const char *text)
{
	struct buf line = BUF_INIT;

	said_put(&line, text);
	say_why(out, ": ", buf_str(&line));
	buf_free(&line);
}

/* What persons say of a running change: who, and why. */
static bool
say_is_of_person(enum record_kind kind)
{
	return kind == RECORD_PAUSED || kind == RECORD_RESUMED ||
	       kind == RECORD_ABORTED || kind == RECORD_SETTLED ||
	       kind == RECORD_ANSWERED;
}

/* Whom, what, and how to answer. */
static void
say_asked(FILE *out, const struct record *record, const struct json *body)
{
	struct buf until = BUF_INIT;

	say_why(out, " ", _(json_get_text(body, "of", "")));
	say_why(out, ": ", json_get_text(body, "say", ""));
	text_put_time(
	    &until, record->wall_ms + json_get_int(body, "within_ms", 0));
	fprintf(out,
	    _("\n             until %s: hoshu answer CHG-%04d --yes, or --no "
	      "--because TEXT"),
	    buf_str(&until), record->change);
	buf_free(&until);
}

static void
say_body(FILE *out, const struct record *record, const struct json *body)
{
	if (record->kind == RECORD_CHECK) {
		fprintf(out, " \"%s\": %s", json_get_text(body, "name", ""),
		    _(json_get_text(body, "result", "")));
		if (strcmp(json_get_text(body, "result", ""), "pass") != 0)
			say_said(out, json_get_text(body, "text", ""));
		return;
	}
	if (record->kind == RECORD_RUN_ENDED) {
		fprintf(out, ": %s", _(json_get_text(body, "result", "")));
		return;
	}
	if (record->kind == RECORD_ASKED)
		say_asked(out, record, body);
	if (record->kind == RECORD_ANSWERED)
		say_why(out, " ", _(json_get_text(body, "answer", "")));
	say_said(out, json_get_text(body, "text", ""));
	say_said(out, json_get_text(body, "why", ""));
	if (say_is_of_person(record->kind)) {
		fprintf(out, _(" (by %s)"), record->actor);
		say_said(out, json_get_text(body, "because", ""));
	}
	if (record->kind == RECORD_BACK_ASKED ||
	    record->kind == RECORD_RELEASED)
		say_why(out, ": ", json_get_text(body, "because", ""));
	if (record->kind == RECORD_STEP_FAILED ||
	    record->kind == RECORD_UNDO_FAILED) {
		say_why(out,
		    "\n             stderr: ", json_get_text(body, "err", ""));
		if (json_get_text(body, "err", "")[0] == '\0')
			say_why(out, "\n             stdout: ",
			    json_get_text(body, "out", ""));
	}
}

/* What was kept, or was not changed, is not called proved back. */
static const char *
say_reverted(
    const struct record *record, const struct json *body, const char *words)
{
	int64_t undone = json_get_int(body, "undone", -1);
	bool kept = json_get_int(body, "kept", 0) > 0;

	if (record->kind != RECORD_HOST_REVERTED || undone < 0)
		return words;
	if (undone == 0)
		return kept ? N_("kept as it is")
			    : N_("not changed, nothing to take back");
	if (json_get_bool(body, "unproved", false))
		return N_("reverted, proved back but for what no probe can "
			  "tell");
	return kept ? N_("reverted, proved back but for what is kept") : words;
}

void
say_record(
    FILE *out, const struct record *record, const struct plan *plan, bool all)
{
	const char *words = say_words(record->kind);
	struct arena *arena = arena_new();
	struct json *body = NULL;

	if (words == NULL && all)
		words = record_kind_word(record->kind);
	if (words == NULL)
		goto out;
	if (json_parse(arena, record->body, strlen(record->body), "body", &body,
		NULL) < 0)
		body = json_map(arena);
	if (record->kind == RECORD_WAVE_SOAKING && !all &&
	    json_get_int(body, "soak_ms", 0) == 0)
		goto out; /* there is nothing to wait for */
	if (record->kind == RECORD_UNDO_DONE &&
	    json_get_bool(body, "unproved", false))
		words = N_("undone");
	/* a handler is not undone: what it restarts runs again */
	if (record->kind == RECORD_UNDO_DONE &&
	    json_get_bool(body, "handler", false))
		words = N_("ran again after the undo");
	if (record->kind == RECORD_UNDO_DONE &&
	    json_get_bool(body, "around", false))
		words = N_("done for the way back");
	/* what a host is told about its dead-man changes nothing by itself */
	if (record->kind == RECORD_STEP_DONE &&
	    json_get_text(body, "guard", "")[0] != '\0')
		words = N_("done");
	words = say_reverted(record, body, words);
	say_time(out, record->wall_ms, all);
	fprintf(out, "%-10s ", record->host);
	say_what(out, record, plan, body);
	fputs(_(words), out);
	say_body(out, record, body);
	if (all && record->actor[0] != '\0' &&
	    !say_is_of_person(record->kind) &&
	    strcmp(record->actor, "hoshu") != 0)
		fprintf(out, _(" (by %s)"), record->actor);
	/* as it was, before it was signed */
	if (record->kind == RECORD_RELEASED &&
	    json_get(body, "statement") == NULL)
		fputs(_(", not signed"), out);
	if (all)
		say_why(
		    out, _(", key "), json_get_text(body, "fingerprint", ""));
	fputc('\n', out);
	fflush(out);
out:
	arena_free(arena);
}
