/*
 * What a simulated host says when it is asked: probes, checks, and what
 * became of a script.
 */
#include "fleet/sim_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"

static void
say_texts(struct answer *answer)
{
	struct bytes none = bytes_of("");

	answer->params = answer->seen = answer->want = answer->info = none;
	answer->effects = answer->diff = answer->summary = none;
	answer->reason = answer->apply = answer->undo = none;
	answer->out = answer->errors = none;
	answer->why = answer->text = answer->file = answer->fingerprint = "";
	answer->life = answer->uid = answer->readonly = answer->gaps = "";
	answer->timings = answer->uptime = answer->value = "";
}

/* The number behind the key, or 0. Only our own texts are looked into. */
static int
say_number(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at != NULL ? atoi(at + strlen(key)) : 0;
}

/* "VERB STEP HOST [STATE]" */
static struct bytes
say_script(struct arena *arena, const char *verb, int id,
    const struct sim_host *of, char to)
{
	return bytes_of(
	    to == '\0'
		? arena_printf(arena, "%s %d %d", verb, id, of->index)
		: arena_printf(arena, "%s %d %d %c", verb, id, of->index, to));
}

static void
say_handler(struct sim_host *host, int id, const char *data,
    struct arena *arena, struct answer *answer)
{
	static const char key[] = "\"before\":\"";
	const char *before = strstr(data, key);
	int64_t at_ms = host->handled_at[host->sim->slots[id]];

	answer->seen = bytes_of("\"active\"");
	answer->want = bytes_of("\"restarted\"");
	if (before != NULL &&
	    sim_uptime(host, at_ms) > strtod(before + sizeof(key) - 1, NULL)) {
		answer->seen_verdict = SEEN_SAME;
		return;
	}
	answer->seen_verdict = SEEN_CHANGE;
	answer->apply = say_script(arena, "handle", id, host, 0);
	answer->undo = bytes_of("");
}

static void
say_step(
    struct sim_host *host, int id, struct arena *arena, struct answer *answer)
{
	const struct sim_step *step = &host->sim->o.steps[id];
	char world = host->steps[id].world;

	answer->apply = say_script(arena, "apply", id, host, 0);
	if (!step->without_undo)
		answer->undo = say_script(arena, "undo", id, host, world);
	if (step->unprobed) {
		answer->seen_verdict = SEEN_CANNOT_TELL;
		answer->seen = answer->want = bytes_of("{}");
		return;
	}
	answer->seen = bytes_of(arena_printf(arena, "\"%d%c\"", id, world));
	answer->want = bytes_of(arena_printf(arena, "\"%da\"", id));
	answer->seen_verdict = world == 'a' ? SEEN_SAME : SEEN_CHANGE;
	if (world == 'a')
		answer->apply = answer->undo = bytes_of("");
}

void
sim_say_probe(struct sim_host *host, const char *params, const char *data,
    struct arena *arena, struct answer *answer)
{
	int id = say_number(params, "\"step\":"), of;

	say_texts(answer);
	answer->kind = ANSWER_SEEN;
	if (id == 0) { /* facts */
		answer->seen_verdict = SEEN_SAME;
		answer->seen = bytes_of("{}");
		return;
	}
	if (id > host->sim->o.last_step)
		bug("a simulated host was asked for step %d", id);
	answer->summary = bytes_of(arena_printf(arena, "step %d", id));
	/* a place is asked for another host */
	of = say_number(data, "\"address\":\"sim-");
	host = &host->sim->hosts[of];
	if (host->steps[id].skip && strstr(data, "\"when\":") != NULL)
		answer->seen_verdict = SEEN_SKIP;
	else if (host->sim->o.steps[id].handler)
		say_handler(host, id, data, arena, answer);
	else
		say_step(host, id, arena, answer);
}

void
sim_say_check(struct sim_host *host, struct answer *answer)
{
	say_texts(answer);
	answer->kind = ANSWER_CHECKED;
	if (host->sim->begun && host->odd_probes && sim_chance(host, 20)) {
		answer->check = CHECK_INCONCLUSIVE;
		answer->text = N_("simulated: nobody can tell");
	} else if (sim_healthy(host->sim, host->index)) {
		answer->check = CHECK_PASS;
	} else {
		answer->check = CHECK_FAIL;
		answer->text = N_("simulated: the host is broken");
	}
}

/* A quarter of the scripts print 150,000 bytes, some say that it was more. */
static void
say_output(const struct sim_claim *claim, struct answer *answer)
{
	if (!claim->host->sim->o.prints || claim->xid[0] > '3')
		return;
	answer->out = bytes_of("the end");
	answer->out_size = claim->xid[1] > '7' ? 150000 : UINT64_C(1) << 50;
}

void
sim_say_more(struct answer *answer, const char *xid, int64_t offset)
{
	static const char bytes[FLEET_MORE_MAX];
	size_t len = sizeof(bytes);

	answer->kind = ANSWER_MORE;
	if (offset + (int64_t)len > 150000)
		len = offset < 150000 ? 150000 - (size_t)offset : 0;
	if (xid[2] == '0') /* it was taken away */
		len = 0;
	answer->out = (struct bytes){bytes, len};
}

void
sim_say_claim(
    const struct sim_claim *claim, struct arena *arena, struct answer *answer)
{
	const struct sim_host *host = claim->host;

	say_texts(answer);
	answer->kind = ANSWER_VERDICT;
	switch (claim->state) {
	case CLAIM_SEALED:
		answer->verdict = VERDICT_SEALED;
		break;
	case CLAIM_RUNNING:
		answer->verdict = VERDICT_RUNNING;
		break;
	case CLAIM_DONE:
		answer->verdict = VERDICT_DONE;
		break;
	case CLAIM_LOST:
		answer->verdict = VERDICT_LOST;
		break;
	}
	if (claim->state == CLAIM_DONE || claim->state == CLAIM_LOST)
		say_output(claim, answer);
	answer->rc = claim->rc;
	answer->wall_ms = claim->ended - claim->began;
	if (claim->state == CLAIM_DONE)
		answer->uptime =
		    arena_printf(arena, "%.3f", sim_uptime(host, claim->ended));
}
