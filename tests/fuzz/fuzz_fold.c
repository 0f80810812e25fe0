/* Records in any order, as a journal might hold them: those that the fold
 * takes leave it in a state that the deciders know what to do with, and its
 * counts are those of its hosts. Input: a record each {kind, host, step or
 * wave, xid, body, time}. */
#include "change/change.h"
#include "fuzz.h"
#include "rollout/gate.h"
#include "rollout/machine.h"
#include "rollout/waves.h"

static const char plan_text[] =
    "change: A\nreason: B\n"
    "limits: { failed: 2, unreachable: 2, excluded: 2 }\n"
    "spread: { rack: 1 }\n"
    "handlers:\n"
    "  again: { service: { name: web } }\n"
    "checks: [ { tcp: 80 } ]\n"
    "phases:\n"
    "  - name: one\n"
    "    targets: all\n"
    "    waves: [ { hosts: 1, soak: 10s }, { hosts: rest } ]\n"
    "    steps:\n"
    "      - { name: a, file: { path: /a }, notify: again }\n"
    "      - { name: b, run: [b], rollback: [ { run: [c] } ], because: x }\n"
    "  - name: two\n"
    "    targets: all\n"
    "    ask: { say: B, within: 1m }\n"
    "    waves: [ { hosts: rest, at_once: 1 } ]\n"
    "    steps:\n"
    "      - { guard: 1m, steps: [ { name: d, file: { path: /d } } ] }\n"
    "      - { name: e, run: [e], rollback: keep, because: x }\n"
    "      - { name: f, run: [f], rollback: stop, because: x }\n";

enum { HOSTS = 3 };

/* Seeds name kinds by their place here, so that these mean the same for ever;
 * behind them come all there are. */
static const enum record_kind kinds[] = {
    RECORD_SUBMITTED,
    RECORD_APPROVED,
    RECORD_REJECTED,
    RECORD_REFUSED,
    RECORD_RUN_STARTED,
    RECORD_RUN_ENDED,
    RECORD_WAVE_STARTED,
    RECORD_WAVE_SOAKING,
    RECORD_WAVE_ENDED,
    RECORD_HOST_STARTED,
    RECORD_HOST_OPENED,
    RECORD_HOST_UNREACHABLE,
    RECORD_HOST_EXCLUDED,
    RECORD_HOST_LOST,
    RECORD_HOST_FAILED,
    RECORD_HOST_DONE,
    RECORD_HOST_BACK,
    RECORD_HOST_REVERTED,
    RECORD_HOST_STUCK,
    RECORD_STEP_SAME,
    RECORD_STEP_SKIPPED,
    RECORD_STEP_INTENT,
    RECORD_STEP_DONE,
    RECORD_STEP_FAILED,
    RECORD_STEP_UNKNOWN,
    RECORD_STEP_SEALED,
    RECORD_UNDO_INTENT,
    RECORD_UNDO_DONE,
    RECORD_UNDO_FAILED,
    RECORD_UNDO_UNKNOWN,
    RECORD_UNDO_SEALED,
    RECORD_UNDO_KEPT,
    RECORD_UNDO_STOPPED,
    RECORD_UNDO_CONFLICT,
    RECORD_CHECK,
    RECORD_LIMIT,
    RECORD_BACK_STARTED,
    RECORD_BACK_ENDED,
    RECORD_PAUSED,
    RECORD_RESUMED,
    RECORD_ABORTED,
    RECORD_SETTLED,
};
#define X(name, word) +1
enum { KINDS = sizeof(kinds) / sizeof(*kinds), KINDS_ALL = RECORD_KINDS(X) };
#undef X

static enum record_kind
kind_of(uint32_t number)
{
	number %= KINDS + KINDS_ALL;
	return number < KINDS ? kinds[number]
			      : (enum record_kind)(number - KINDS + 1);
}

static const char *const names[] = {"a", "b", "c", "no-such-host"};
static const char *const xids[] = {"", "x1", "x2", "x3"};
static const char *const bodies[] = {"{}",
    "{\"result\":\"done\",\"status\":0,\"why\":\"x\"}",
    "{\"seen\":\"s\",\"want\":\"w\",\"undo\":\"u\",\"script\":\"p\"}",
    "{\"result\":\"fail\",\"soak_ms\":10000,\"uptime\":\"12.5\"}",
    "{\"frozen\":\"f\",\"title\":\"t\",\"preview_ms\":1,\"seen\":\"s\"}"};

/* Made once. */
static struct change *
the_change(void)
{
	static struct arena *arena;
	static struct change *change;
	const bool *of[8] = {NULL};
	struct waves_choice choices[2];
	struct err err = ERR_INIT;
	bool *in;

	if (change != NULL)
		return change;
	arena = arena_new();
	change = arena_new_of(arena, struct change);
	in = arena_array(arena, bool, HOSTS);
	fuzz_check(plan_read(arena, "p.yml", plan_text, sizeof(plan_text) - 1,
		       &change->plan, &err) == 0);
	for (int id = 1; id <= change->plan->last_id; id++)
		change->plan->by_id[id]->params = json_map(arena);
	change->number = 1;
	change->host_count = HOSTS;
	change->hosts = arena_array(arena, struct change_host, HOSTS);
	for (int i = 0; i < HOSTS; i++) {
		in[i] = true;
		change->hosts[i].name = names[i];
		change->hosts[i].vars = json_map(arena);
		json_put_text(
		    arena, change->hosts[i].vars, "rack", i < 2 ? "r" : "s");
	}
	for (int p = 0; p < 2; p++)
		choices[p] = (struct waves_choice){.in = in, .of = of};
	fuzz_check(waves_assign(arena, change, choices, &err) == 0);
	return change;
}

static void
check_counts(const struct change_fold *fold)
{
	int failed = 0, unreachable = 0, excluded = 0;

	for (size_t i = 0; i < fold->host_count; i++) {
		failed += fold->hosts[i].failed;
		unreachable += fold->hosts[i].unreachable;
		excluded += fold->hosts[i].excluded;
	}
	fuzz_check(failed == fold->failed);
	fuzz_check(unreachable == fold->unreachable);
	fuzz_check(excluded == fold->excluded);
}

static void
ask_deciders(const struct change *change, const struct change_fold *fold,
    int64_t now_ms, uint32_t flags)
{
	struct host_now now = {flags & 1, flags & 2, flags & 4, flags & 8,
	    flags & 16, .fresh = flags & 32, .guard_asked = flags & 64,
	    .guard_ok = flags & 128};
	struct gate gate;
	struct gate_result result;
	struct act act;

	gate_decide(change, fold, (struct gate_now){now_ms, now_ms}, &gate);
	fuzz_check(gate.kind != GATE_START_HOST ||
		   (size_t)gate.part < fold->part_count);
	/* phase two asks, and no body here is a yes */
	fuzz_check(
	    gate.kind != GATE_START_HOST || fold->parts[gate.part].phase == 0);
	gate_result(fold, &result);
	fuzz_check(result.word != NULL && result.status >= 0);
	for (size_t i = 0; i < fold->part_count; i++) {
		const struct part_fold *part = &fold->parts[i];

		(void)gate_part_final(part);
		(void)machine_has_way_back(change->plan, part);
		/* the driver asks only of parts under way */
		if (part->state == HOST_STARTED || part->state == HOST_DONE)
			machine_next(change->plan, part, &now, false, &act);
		else if (part->state == HOST_BACK)
			machine_next(change->plan, part, &now, true, &act);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct arena *arena = arena_new();
	struct change *change = the_change();
	struct change_fold fold;
	struct fold_shape shape;
	struct err err = ERR_INIT;
	int64_t wall_ms = 1000;
	int count = 0;

	fold_init(&fold, arena, 1);
	change_shape(arena, change, &shape);
	fold_shape(&fold, &shape);
	while (in.size > 0 && count++ < 500) {
		uint32_t kind = fuzz_take(&in, 1), who = fuzz_take(&in, 1);
		uint32_t step = fuzz_take(&in, 1), how = fuzz_take(&in, 1);
		struct record record = {.number = fold.last_number + 1,
		    .change = 1,
		    .epoch = fold.epoch + (who >> 7),
		    .host = who % 5 == 4 ? "" : names[who % 5],
		    .step = (int)(step & 0x1f) - (step >> 7),
		    .attempt = 1 + (int)(step >> 5 & 3),
		    .xid = xids[how & 3],
		    .life = how & 4 ? "l1" : "l2",
		    .kind = kind_of(kind),
		    .actor = "hoshu",
		    .wall_ms = wall_ms,
		    .mono_ms = wall_ms,
		    .body = bodies[(how >> 3) % 5]};

		wall_ms += (int64_t)(how >> 6) * 6000;
		if (fold_record(&fold, &record, &err) < 0) {
			fuzz_check(err.text[0] != '\0');
			continue;
		}
		check_counts(&fold);
		ask_deciders(change, &fold, wall_ms, how);
	}
	arena_free(arena);
	return 0;
}
