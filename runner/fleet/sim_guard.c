/*
 * Dead-men of simulated hosts: armed and called off by the very texts that
 * real hosts are given, they go back by themselves when their time is over, a
 * reboot or not. As remote/guard.sh does it; knows nothing of who asks.
 */
#include "fleet/sim_inside.h"

#include <stdio.h>
#include <string.h>

enum {
	LINES_MAX = 64,
	NAME_SIZE = 17,
	LOOK_MS = 1000,	     /* until it is looked at again */
	PATIENCE_MS = 20000, /* that a script has with a way back */
	BOOT_MS = 1000,
};

/* As remote/guard.sh ends. */
enum {
	SAYS_ARMED = 90,
	SAYS_REVERTED,
	SAYS_REVERTED_BADLY,
	SAYS_REVERTING,
	SAYS_NONE,
	SAYS_CONFIRMED,
};

enum guard_is {
	GUARD_IS_NOT,
	GUARD_IS_HALF, /* what armed it was ended on its way */
	GUARD_IS_READY,
	GUARD_IS_OFF,
	GUARD_GOES_BACK,
	GUARD_IS_BACK,
	GUARD_IS_BACK_BADLY,
};

/* A step that it takes back, or a handler behind that. */
struct guard_line {
	bool handler;
	int id;
	char to;
	char name[NAME_SIZE]; /* of the step's way back */
	const char *of;	      /* a handler's: the names it runs for */
	bool launched;
};

struct sim_guard {
	struct sim_guard *next; /* of the host */
	struct sim_host *host;
	char id[XID_SIZE];
	enum guard_is is;
	int64_t time_ms;
	struct guard_line lines[LINES_MAX];
	size_t line_count;
	const char *xids; /* "KEY KEY ...", of what may be launched under it */
	struct loop_timer *timer;
};

static void
guard_event(
    const struct sim_guard *guard, enum sim_event_kind kind, const char *xid)
{
	const struct sim *sim = guard->host->sim;
	struct sim_event event = {.kind = kind,
	    .host = guard->host->index,
	    .of = guard->host->index,
	    .xid = xid,
	    .guard = guard->id};

	if (sim->o.watch != NULL)
		sim->o.watch(sim->o.arg, &event);
}

/* ---- the way back ---- */

static bool
guard_owes(const struct sim_guard *guard, const struct guard_line *handler)
{
	for (size_t i = 0; i < guard->line_count; i++) {
		const struct guard_line *line = &guard->lines[i];

		if (!line->handler && line->launched &&
		    strstr(handler->of, line->name) != NULL)
			return true;
	}
	return false;
}

static void
guard_is_back(void *arg)
{
	struct sim_guard *guard = arg;
	struct sim_host *host = guard->host;

	guard->timer = NULL;
	guard->is = GUARD_IS_BACK;
	for (size_t i = 0; i < guard->line_count; i++) {
		const struct guard_line *line = &guard->lines[i];

		if (line->handler) {
			if (guard_owes(guard, line))
				sim_handler_ran(host, line->id);
		} else if (line->launched && host->stuck) {
			host->steps[line->id].world = 'x';
			guard->is = GUARD_IS_BACK_BADLY;
		} else if (line->launched) {
			host->steps[line->id].world = line->to;
		}
	}
	host->quiet_from = loop_now_ms(host->sim->o.loop);
	guard_event(guard, SIM_WENT_BACK, "");
}

static void
guard_start(struct sim_guard *guard, int64_t after_ms, void (*fn)(void *arg))
{
	guard->timer =
	    loop_timer_start(guard->host->sim->o.loop, after_ms, fn, guard);
}

/* No guarded script runs, nor will one from now on. */
static void
guard_seal(struct sim_guard *guard)
{
	const char *at = guard->xids;
	char xid[XID_SIZE];
	int read = 0;

	for (; sscanf(at, " %32s%n", xid, &read) == 1; at += read) {
		struct sim_claim *claim = sim_claim_of(guard->host, xid);

		if (claim == NULL)
			(void)sim_claim_start(guard->host, xid, bytes_of(""));
		else
			sim_claim_stop(claim);
	}
}

static void
guard_goes_back(struct sim_guard *guard)
{
	struct sim_host *host = guard->host;
	int64_t takes_ms = SIM_KILL_MS;

	loop_timer_stop(guard->timer);
	guard->timer = NULL;
	guard->is = GUARD_GOES_BACK;
	guard_event(guard, SIM_GOES_BACK, "");
	guard_seal(guard);
	for (size_t i = 0; i < guard->line_count; i++)
		if (guard->lines[i].launched)
			takes_ms += sim_about(host, host->sim->o.times.step_ms);
	guard_start(guard, takes_ms, guard_is_back);
}

static void
guard_fires(void *arg)
{
	struct sim_guard *guard = arg;

	guard->timer = NULL;
	guard_goes_back(guard);
}

void
sim_guard_crash(struct sim_host *host, int64_t up_ms)
{
	int64_t now_ms = loop_now_ms(host->sim->o.loop);

	for (struct sim_guard *g = host->guards; g != NULL; g = g->next) {
		if (g->timer == NULL)
			continue;
		loop_timer_stop(g->timer);
		g->timer = NULL;
		if (up_ms == INT64_MAX)
			continue;
		if (g->is == GUARD_IS_READY)
			guard_start(
			    g, up_ms - now_ms + g->time_ms, guard_fires);
		else
			guard_start(g, up_ms - now_ms + BOOT_MS, guard_is_back);
	}
}

bool
sim_guard_cut(const struct sim_host *host)
{
	for (int id = 1; host->cuts && id <= host->sim->o.last_step; id++) {
		const struct sim_is *is = &host->steps[id];

		if (host->sim->o.steps[id].guarded && is->world != 'x' &&
		    is->world != is->first)
			return true;
	}
	return false;
}

void
sim_guard_launched(struct sim_host *host, int step)
{
	for (struct sim_guard *g = host->guards; g != NULL; g = g->next)
		for (size_t i = 0; i < g->line_count; i++)
			if (!g->lines[i].handler && g->lines[i].id == step &&
			    g->is == GUARD_IS_READY)
				g->lines[i].launched = true;
}

void
sim_guard_free(struct sim_host *host)
{
	for (struct sim_guard *g = host->guards; g != NULL; g = g->next)
		loop_timer_stop(g->timer);
}

/* ---- what it is told ---- */

static void
guard_arm(struct sim_claim *claim)
{
	struct sim_guard *guard = claim->guard;

	guard->is = GUARD_IS_READY;
	guard_event(guard, SIM_ARMED, claim->xid);
	guard_start(guard, guard->time_ms, guard_fires);
}

static void
guard_confirm(struct sim_guard *guard)
{
	if (guard->is != GUARD_IS_READY)
		return;
	loop_timer_stop(guard->timer);
	guard->timer = NULL;
	guard->is = GUARD_IS_OFF;
	guard_event(guard, SIM_CONFIRMED, "");
}

static int
guard_says(const struct sim_guard *guard)
{
	switch (guard->is) {
	case GUARD_IS_NOT:
	case GUARD_IS_HALF:
		break;
	case GUARD_IS_READY:
		return SAYS_ARMED;
	case GUARD_IS_OFF:
		return SAYS_CONFIRMED;
	case GUARD_GOES_BACK:
		return SAYS_REVERTING;
	case GUARD_IS_BACK:
		return SAYS_REVERTED;
	case GUARD_IS_BACK_BADLY:
		return SAYS_REVERTED_BADLY;
	}
	return SAYS_NONE;
}

static void
guard_now(struct sim_guard *guard)
{
	if (guard->is == GUARD_IS_HALF)
		guard->is = GUARD_IS_NOT;
	else if (guard->is == GUARD_IS_READY)
		guard_goes_back(guard);
}

int64_t
sim_guard_waits(const struct sim_claim *claim)
{
	struct sim_guard *guard = claim->guard;
	int64_t took_ms = loop_now_ms(claim->host->sim->o.loop) - claim->began;

	if (claim->word == SIM_GUARD_NOW)
		guard_now(guard);
	return guard->is == GUARD_GOES_BACK && took_ms < PATIENCE_MS ? LOOK_MS
								     : 0;
}

int
sim_guard_tell(struct sim_claim *claim)
{
	struct sim_guard *guard = claim->guard;
	int wanted = SAYS_ARMED, said;

	switch (claim->word) {
	case SIM_GUARD_ARM:
		guard_arm(claim);
		break;
	case SIM_GUARD_CONFIRM:
		guard_confirm(guard);
		wanted = SAYS_CONFIRMED;
		break;
	case SIM_GUARD_NOW:
		wanted = SAYS_REVERTED;
		break;
	case SIM_GUARD_ASK:
	case SIM_NO_GUARD:
		break;
	}
	said = guard_says(guard);
	return said == wanted ? 0 : said;
}

void
sim_guard_half(struct sim_claim *claim)
{
	struct sim_guard *guard = claim->guard;
	uint64_t far = sim_random(claim->host) % 3;

	if (claim->word == SIM_GUARD_ARM && !claim->half && far == 1)
		guard->is = GUARD_IS_HALF;
	else if (claim->word == SIM_GUARD_ARM && !claim->half && far == 2)
		guard_arm(claim);
	else if (claim->word == SIM_GUARD_CONFIRM && far == 1)
		guard_confirm(guard);
	else if (claim->word == SIM_GUARD_NOW && far == 1)
		guard_now(guard);
}

/* ---- the texts ---- */

static void
read_line(
    struct sim_guard *guard, struct arena *arena, const char *text, size_t len)
{
	const char *line = arena_copy(arena, text, len), *script;
	struct guard_line *out = &guard->lines[guard->line_count];
	int of;

	if (guard->line_count == LINES_MAX)
		bug("a simulated dead-man of more than %d lines", LINES_MAX);
	if ((script = strstr(line, "undo ")) != NULL &&
	    sscanf(line, "guard_step %16[0-9a-f]", out->name) == 1 &&
	    sscanf(script, "undo %d %d %c", &out->id, &of, &out->to) == 3) {
		guard->line_count++;
	} else if ((script = strstr(line, "handle ")) != NULL &&
		   sscanf(script, "handle %d %d", &out->id, &of) == 2) {
		out->handler = true;
		out->of = line;
		guard->line_count++;
	} else {
		bug("a simulated dead-man was given '%s'", line);
	}
}

static struct sim_guard *
guard_of(struct sim_host *host, const char *id)
{
	struct sim_guard *guard = host->guards;

	while (guard != NULL && strcmp(guard->id, id) != 0)
		guard = guard->next;
	if (guard != NULL)
		return guard;
	guard = arena_new_of(host->sim->arena, struct sim_guard);
	guard->host = host;
	snprintf(guard->id, sizeof(guard->id), "%s", id);
	guard->next = host->guards;
	host->guards = guard;
	return guard;
}

/* "SECONDS 'LINES' KEYS", the lines quoted as one word. */
static void
read_arm(struct sim_guard *guard, const char *text)
{
	struct arena *arena = guard->host->sim->arena;
	const char *keys = strrchr(text, '\''), *at = text, *end;
	long long seconds = 0;

	if (sscanf(text, "%lld", &seconds) != 1 || keys == NULL)
		bug("a simulated dead-man was given '%s'", text);
	guard->time_ms = seconds * 1000;
	guard->xids = arena_strdup(arena, keys + 1);
	guard->line_count = 0;
	while ((at = strstr(at, "guard_")) != NULL) {
		end = strchr(at, '\n');
		read_line(guard, arena, at, (size_t)(end - at));
		at = end;
	}
}

bool
sim_guard_read(struct sim_claim *claim, struct bytes script)
{
	static const char begin[] = "F='", call[] = "\neval \"$F\"\nguard_";
	static const char *const words[] = {"", "arm", "ask", "confirm", "now"};
	char word[16], id[XID_SIZE];
	const char *text, *at;
	int read = 0;

	if (script.len < sizeof(begin) ||
	    memcmp(script.data, begin, sizeof(begin) - 1) != 0)
		return false;
	text = arena_copy(claim->host->sim->arena, script.data, script.len);
	at = strstr(text, call);
	if (at == NULL ||
	    sscanf(at + sizeof(call) - 1, "%15s %32s %n", word, id, &read) != 2)
		bug("a simulated host was told '%s'", text);
	for (int i = SIM_GUARD_ARM; i <= SIM_GUARD_NOW; i++)
		if (strcmp(word, words[i]) == 0)
			claim->word = (enum sim_guard_word)i;
	claim->guard = guard_of(claim->host, id);
	claim->of = claim->host;
	if (claim->word == SIM_GUARD_ARM)
		read_arm(claim->guard, at + sizeof(call) - 1 + read);
	return true;
}
