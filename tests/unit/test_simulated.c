/*
 * Simulated rollouts, thousands of them: the real driver and the real deciders
 * on hosts that fail, hang, restart, answer late and lose their replies, with
 * coordinators that die at any record; each held to the rules of
 * simulated_rules.h.
 *
 *	SEED=N    replays one, record by record
 *	SEEDS=N   how many (default 3000); FIRST=N from which on
 */
#include "simulated_rules.h"

#include <glob.h>
#include <signal.h>
#include <unistd.h>

/* For the one who reads a bug(): which rollout it was. */
static volatile uint64_t seed_now;

static void
say_seed(int number)
{
	char line[80];
	int len = snprintf(line, sizeof(line),
	    "\n# replay: SEED=%llu build/MODE/unit/test_simulated\n",
	    (unsigned long long)seed_now);

	(void)!write(STDERR_FILENO, line, (size_t)len);
	signal(number, SIG_DFL);
}

struct show {
	struct rules rules;
	int64_t deaths; /* left to die */
	int64_t next;	/* records until then */
	bool says;
	int64_t printed, cut; /* outputs that are kept, whole or not */
};

static bool
show_durable(void *arg, const struct record *record)
{
	struct show *show = arg;

	if (show->says)
		print_message("# %10lld %s %s %d %s\n",
		    (long long)(record->wall_ms - stage_epoch_ms),
		    record_kind_word(record->kind), record->host, record->step,
		    record->body[2] != '\0' ? record->body : "");
	show->printed += strstr(record->body, "\"out_blob\"") != NULL;
	show->cut += strstr(record->body, "\"out_head\":65536,") != NULL ||
		     strstr(record->body, "\"out_head\":0,") != NULL;
	rules_record(&show->rules, record);
	if (show->deaths == 0 || --show->next > 0 || show->rules.ended)
		return true;
	show->deaths--;
	show->next = 1 + made_pick(show->rules.made, 40);
	return false;
}

static void
show_watch(void *arg, const struct sim_event *event)
{
	static const char *const words[] = {"runs", "ran", "was killed",
	    "is sealed", "is armed", "is called off", "goes back by itself",
	    "went back by itself", "does not answer"};
	struct show *show = arg;

	if (show->says)
		print_message("#   h%d: %d %s (rc %d)\n", event->host,
		    event->step, words[event->kind], event->rc);
	rules_event(&show->rules, event);
}

static bool
show_answer(void *arg, int phase, int times, bool *yes, int64_t *after_ms)
{
	const struct show *show = arg;

	return made_answer(show->rules.made, phase, times, yes, after_ms);
}

/* Hosts whose preview is missing: as preview_ask leaves them. */
static void
show_away(const struct made *made)
{
	for (size_t h = 0; h < made->change->host_count; h++) {
		struct change_host *host = &made->change->hosts[h];

		if (!made->away[h])
			continue;
		host->away = "away";
		host->facts = host->plan_vars = "";
		change_away_steps(made->change, host);
	}
}

/* Some days in which some of those that were away come back, at night. */
static int
show_later(struct show *show, struct made *made, struct stage *stage,
    struct gate_result *result, struct err *err)
{
	int r = 0;

	for (int day = 1; day <= 3 && r == 0; day++) {
		bool back[MADE_HOSTS] = {false};

		for (size_t h = 0; h < made->change->host_count; h++)
			for (size_t p = 0; p < made->plan->phase_count; p++)
				back[h] =
				    back[h] || (show->rules.hosts[h].parts[p] ==
						       PART_UNREACHABLE &&
						   made_chance(made, 50));
		if (show->says)
			print_message("# --- day %d ---\n", day);
		if (made_chance(made, 40)) {
			show->deaths = 1;
			show->next = 1 + made_pick(made, 30);
		}
		r = stage_later(stage, back, result, err);
		if (r == STAGE_NOBODY) {
			r = 0;
			continue;
		}
		while (r > 0)
			r = stage_run(stage, result, err);
		if (r == 0)
			rules_end(&show->rules, result);
	}
	return r;
}

/* A whole rollout with its rules; its exit status. */
static int
show_run(struct show *show, struct made *made)
{
	struct rules *rules = &show->rules;
	struct stage *stage = NULL;
	struct gate_result result;
	struct err err = ERR_INIT;
	int r;

	seed_now = made->seed;
	rules->made = made;
	rules->plan = made->plan;
	rules->change = made->change;
	made->options.durable = show_durable;
	made->options.watch = show_watch;
	made->options.answer = show_answer;
	made->options.arg = show;
	if (show->says)
		print_message("# the plan:\n%s", made->text);
	if (stage_open(&made->options, &stage, &err) < 0)
		rules_fail(rules, "no stage: %s", err.text);
	rules->sim = stage_sim(stage);
	show_away(made);
	while ((r = stage_run(stage, &result, &err)) > 0) {
		if (show->says)
			print_message("# --- the coordinator %s ---\n",
			    r == STAGE_DIED ? "dies" : "pauses, and goes on");
		if (r == STAGE_DIED && made_chance(made, 30))
			stage_wait(stage, made_pick(made, 300000));
	}
	if (r < 0)
		rules_fail(rules, "it cannot go on: %s", err.text);
	rules_end(rules, &result);
	if (made->plan->later_ms > 0 &&
	    show_later(show, made, stage, &result, &err) < 0)
		rules_fail(rules, "it cannot go on later: %s", err.text);
	stage_close(stage);
	buf_free(&rules->log);
	return result.status;
}

static int
seed_run(struct show *show, uint64_t seed, bool says)
{
	struct made made;
	int status;

	memset(show, 0, sizeof(*show));
	show->says = says;
	made_make(&made, seed);
	if (made.trouble > 0 && made_chance(&made, 40)) {
		show->deaths = 1 + made_pick(&made, 4);
		show->next = 1 + made_pick(&made, 60);
	}
	status = show_run(show, &made);
	arena_free(made.arena);
	return status;
}

/* The plans that faults were found with, each with many seeds. */
static void
what_was_mended_stays_so(void **state)
{
	struct show *show = xcalloc(1, sizeof(*show));
	glob_t files;

	assert_int_equal(glob("tests/bugs/*.yml", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		int seeds = 1;

		for (int seed = 1; seed <= seeds; seed++) {
			struct made made;

			memset(show, 0, sizeof(*show));
			made_read(&made, (uint64_t)seed, files.gl_pathv[i]);
			seeds = (int)made_said(&made, "seeds");
			(void)show_run(show, &made);
			arena_free(made.arena);
		}
		print_message("# %s: %d rollouts\n", files.gl_pathv[i], seeds);
		assert_true(seeds > 1);
	}
	globfree(&files);
	free(show);
}

static uint64_t
env_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void
every_promise_holds_on_a_simulated_fleet(void **state)
{
	struct show *show = xcalloc(1, sizeof(*show));
	int64_t kinds[RECORD_KIND_COUNT] = {0}, records = 0, deaths = 0;
	int64_t printed = 0, cut = 0, laters = 0, asked = 0;
	uint64_t called_off = 0, went_back = 0;
	uint64_t first = env_number("FIRST", 1), count;
	const char *preload = getenv("LD_PRELOAD");
	int status[16] = {0};

	count = env_number("SEEDS", 3000);
#ifdef __SANITIZE_ADDRESS__
	count = env_number("SEEDS", 500);
#endif
	if (preload != NULL && strstr(preload, "vgpreload") != NULL)
		count = 30;
	if (getenv("SEED") != NULL) {
		first = env_number("SEED", 1);
		count = 1;
	}
	for (uint64_t seed = first; seed < first + count; seed++) {
		status[seed_run(show, seed, getenv("SEED") != NULL)]++;
		deaths += show->rules.epoch - 1 - show->rules.laters;
		laters += show->rules.laters;
		asked += show->rules.kinds[RECORD_HOST_ASKED];
		called_off += (uint64_t)show->rules.called_off;
		went_back += (uint64_t)show->rules.went_back;
		printed += show->printed;
		cut += show->cut;
		for (int kind = 0; kind < RECORD_KIND_COUNT; kind++) {
			kinds[kind] += show->rules.kinds[kind];
			records += show->rules.kinds[kind];
		}
	}
	free(show);
	print_message("# %llu rollouts, %lld records, %lld coordinators died: "
		      "%d done, %d failed, %d reverted, %d unknown, %d left "
		      "over; %lld runs later, %lld hosts without a preview; "
		      "%lld outputs, %lld cut; 0 rules broken\n",
	    (unsigned long long)count, (long long)records, (long long)deaths,
	    status[0], status[6], status[7], status[8], status[9],
	    (long long)laters, (long long)asked, (long long)printed,
	    (long long)cut);
	print_message("# dead-men: %llu called off, %llu went back\n",
	    (unsigned long long)called_off, (unsigned long long)went_back);
	if (count < 3000)
		return;
	assert_true(called_off > count / 10 && went_back > count / 10);
	/* it went everywhere */
	for (int i = 6; i <= 9; i++)
		assert_true(status[i] > (int)count / 100);
	assert_true(status[0] > (int)count / 10);
	assert_true(printed > 100 && cut > 10);
	assert_true(laters > (int64_t)count / 300);
	assert_true(asked > (int64_t)count / 30);
	for (int kind = RECORD_WAVE_STARTED; kind <= RECORD_BACK_ENDED; kind++)
		if (kinds[kind] < 5)
			fail_msg("hardly any %s",
			    record_kind_word((enum record_kind)kind));
	for (int kind = RECORD_ASKED; kind <= RECORD_ANSWERED; kind++)
		assert_true(kinds[kind] > (int)count / 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_mended_stays_so),
	    cmocka_unit_test(every_promise_holds_on_a_simulated_fleet),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	signal(SIGABRT, say_seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
