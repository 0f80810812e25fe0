/* A rehearsal for people, and for programs. */
#include "rehearse/rehearse.h"
#include "base/i18n.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* 0:10:21 since it began. */
static void
put_clock(struct buf *out, int64_t ms)
{
	int64_t seconds = ms / 1000;

	buf_printf(out, "%" PRId64 ":%02d:%02d", seconds / 3600,
	    (int)(seconds / 60 % 60), (int)(seconds % 60));
}

static void
put_count(struct buf *out, int count, const char *what)
{
	if (count > 0)
		buf_printf(
		    out, "%s%d %s", out->len > 0 ? ", " : "", count, what);
}

/* "12 done, 1 failed" */
static void
put_counts(struct buf *out, const struct rehearse_counts *counts)
{
	put_count(out, counts->done, _("done"));
	put_count(out, counts->reverted, _("reverted"));
	put_count(out, counts->failed, _("failed"));
	put_count(out, counts->stuck, _("not proved back"));
	put_count(out, counts->unreachable, _("unreachable"));
	put_count(out, counts->excluded, _("excluded"));
	if (out->len == 0)
		buf_puts(out, _("none came well through"));
}

/* " (canary)"; one without a name of its own is only counted. */
static const char *
wave_called(char name[256], const struct change_wave *wave)
{
	name[0] = '\0';
	if (strncmp(wave->name, "wave ", 5) != 0)
		snprintf(name, 256, " (%s)", wave->name);
	return name;
}

static void
print_wave(
    FILE *out, const struct change *change, const struct rehearse_event *event)
{
	const struct change_wave *wave = &change->waves[event->wave - 1];
	struct buf text = BUF_INIT, soak = BUF_INIT;
	char name[256];

	switch ((int)event->kind) {
	case RECORD_WAVE_STARTED:
		fprintf(out,
		    ngettext("wave %d of %zu%s starts: %zu host, %d at once",
			"wave %d of %zu%s starts: %zu hosts, %d at once",
			wave->count),
		    event->wave, change->wave_count, wave_called(name, wave),
		    wave->count, wave->at_once);
		break;
	case RECORD_WAVE_SOAKING:
		put_counts(&text, &event->counts);
		fprintf(out, _("wave %d is through: %s"), event->wave,
		    buf_str(&text));
		if (wave->soak_ms > 0) {
			text_put_duration(&soak, wave->soak_ms);
			fprintf(out, _("; it soaks for %s"), buf_str(&soak));
		}
		break;
	default:
		put_counts(&text, &event->counts);
		fprintf(
		    out, _("wave %d ends: %s"), event->wave, buf_str(&text));
		break;
	}
	buf_free(&text);
	buf_free(&soak);
}

static void
print_event(FILE *out, const struct change *change,
    const struct rehearse_event *event, const struct rehearsal *rehearsal)
{
	struct buf text = BUF_INIT;

	switch ((int)event->kind) {
	case RECORD_LIMIT:
		fprintf(out,
		    _("STOP: %s; %d of %zu hosts touched, %d in flight"),
		    event->text, event->counts.touched, change->host_count,
		    event->counts.in_flight);
		break;
	case RECORD_BACK_STARTED:
		fprintf(out, _("the change goes back"));
		break;
	case RECORD_RUN_ENDED:
		put_counts(&text, &event->counts);
		fprintf(out, _("end: %s; %s"), _(rehearsal->result.word),
		    buf_str(&text));
		break;
	default:
		print_wave(out, change, event);
		break;
	}
	buf_free(&text);
}

/* A wave that ends as it was when it was through needs no line. */
static bool
says_nothing(const struct change *change, const struct rehearse_event *event)
{
	return event->kind == RECORD_WAVE_ENDED &&
	       change->waves[event->wave - 1].soak_ms == 0;
}

void
rehearse_print_timeline(
    FILE *out, const struct change *change, const struct rehearsal *rehearsal)
{
	for (size_t i = 0; i < rehearsal->event_count; i++) {
		const struct rehearse_event *event = &rehearsal->events[i];
		struct buf clock = BUF_INIT;

		if (says_nothing(change, event))
			continue;
		put_clock(&clock, event->at_ms);
		fprintf(out, "%12s  ", buf_str(&clock));
		print_event(out, change, event, rehearsal);
		putc('\n', out);
		buf_free(&clock);
	}
}

static void
print_measure(FILE *out, const char *what,
    const struct rehearse_measure *measure, bool is_time)
{
	struct buf usual = BUF_INIT, worst = BUF_INIT;

	if (is_time) {
		put_clock(&usual, measure->usual);
		put_clock(&worst, measure->worst);
	} else {
		buf_printf(&usual, "%" PRId64, measure->usual);
		buf_printf(&worst, "%" PRId64, measure->worst);
	}
	fprintf(out, "  %-*s %10s %10s", text_pad(what, 34), what,
	    buf_str(&usual), buf_str(&worst));
	if (measure->worst > measure->usual)
		fprintf(out, "  --seed %" PRIu64, measure->seed);
	putc('\n', out);
	buf_free(&usual);
	buf_free(&worst);
}

void
rehearse_print_sum(
    FILE *out, const struct change *change, const struct rehearse_sum *sum)
{
	const struct {
		int status;
		const char *word;
	} words[] = {{0, _("done")}, {7, _("reverted")}, {6, _("failed")},
	    {8, _("unknown")}, {9, _("left over")}};
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		put_count(&text, sum->status[words[i].status], words[i].word);
	fprintf(out, _("%d rollouts (seeds %" PRIu64 " to %" PRIu64 "): %s\n"),
	    sum->count, sum->first, sum->first + (uint64_t)sum->count - 1,
	    buf_str(&text));
	buf_free(&text);
	fprintf(out, "  %-*s %10s %10s\n", text_pad("", 34), "", _("usually"),
	    _("at worst"));
	print_measure(out, _("takes"), &sum->takes_ms, true);
	print_measure(
	    out, _("hosts in flight, at most"), &sum->in_flight, false);
	print_measure(
	    out, _("hosts broken at once, at most"), &sum->broken, false);
	print_measure(
	    out, _("hosts not proved back at the end"), &sum->not_back, false);
	if (sum->stopped > 0)
		print_measure(out, _("hosts touched before the stop"),
		    &sum->touched_at_stop, false);
	fprintf(out,
	    _("The stop rule stopped %d of %d. Hosts started after a stop: "
	      "%d. In flight at most %" PRId64 ", the bound is %d.\n"),
	    sum->stopped, sum->count, sum->late_starts, sum->in_flight.worst,
	    change->in_flight);
}

/* ---- for programs ---- */

static struct json *
counts_json(struct arena *arena, const struct rehearse_counts *counts)
{
	struct json *map = json_map(arena);

	json_put_int(arena, map, "done", counts->done);
	json_put_int(arena, map, "excluded", counts->excluded);
	json_put_int(arena, map, "failed", counts->failed);
	json_put_int(arena, map, "in_flight", counts->in_flight);
	json_put_int(arena, map, "not_back", counts->stuck);
	json_put_int(arena, map, "reverted", counts->reverted);
	json_put_int(arena, map, "touched", counts->touched);
	json_put_int(arena, map, "unreachable", counts->unreachable);
	return map;
}

struct json *
rehearse_json(struct arena *arena, const struct change *change,
    const struct rehearsal *rehearsal)
{
	struct json *map = json_map(arena), *events = json_list(arena);

	for (size_t i = 0; i < rehearsal->event_count; i++) {
		const struct rehearse_event *event = &rehearsal->events[i];
		struct json *line = json_add(arena, events, json_map(arena));

		json_put_int(arena, line, "at_ms", event->at_ms);
		json_put(
		    arena, line, "counts", counts_json(arena, &event->counts));
		json_put_text(
		    arena, line, "kind", record_kind_word(event->kind));
		json_put_text(arena, line, "text", event->text);
		if (event->wave > 0)
			json_put_text(arena, line, "name",
			    change->waves[event->wave - 1].name);
		json_put_int(arena, line, "wave", event->wave);
	}
	json_put_int(arena, map, "seed", (int64_t)rehearsal->seed);
	json_put_text(arena, map, "result", rehearsal->result.word);
	json_put_int(arena, map, "status", rehearsal->result.status);
	json_put_int(arena, map, "takes_ms", rehearsal->takes_ms);
	json_put_int(arena, map, "stop_ms", rehearsal->stop_ms);
	json_put_int(arena, map, "touched", rehearsal->touched);
	json_put_int(arena, map, "touched_at_stop", rehearsal->touched_at_stop);
	json_put_int(arena, map, "broken_most", rehearsal->broken_most);
	json_put_int(arena, map, "in_flight_most", rehearsal->in_flight_most);
	json_put_int(arena, map, "late_starts", rehearsal->late_starts);
	json_put(arena, map, "events", events);
	return map;
}

static void
put_measure(struct arena *arena, struct json *map, const char *name,
    const struct rehearse_measure *measure)
{
	struct json *value = json_put(arena, map, name, json_map(arena));

	json_put_int(arena, value, "seed", (int64_t)measure->seed);
	json_put_int(arena, value, "usual", measure->usual);
	json_put_int(arena, value, "worst", measure->worst);
}

struct json *
rehearse_sum_json(struct arena *arena, const struct rehearse_sum *sum)
{
	struct json *map = json_map(arena);
	static const struct {
		int status;
		const char *word;
	} words[] = {{0, "done"}, {6, "failed"}, {7, "reverted"},
	    {8, "unknown"}, {9, "left_over"}};

	json_put_int(arena, map, "first_seed", (int64_t)sum->first);
	json_put_int(arena, map, "rollouts", sum->count);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		json_put_int(
		    arena, map, words[i].word, sum->status[words[i].status]);
	json_put_int(arena, map, "stopped", sum->stopped);
	json_put_int(arena, map, "late_starts", sum->late_starts);
	put_measure(arena, map, "takes_ms", &sum->takes_ms);
	put_measure(arena, map, "in_flight", &sum->in_flight);
	put_measure(arena, map, "broken", &sum->broken);
	put_measure(arena, map, "not_back", &sum->not_back);
	put_measure(arena, map, "touched_at_stop", &sum->touched_at_stop);
	return map;
}
