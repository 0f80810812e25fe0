/*
 * Steps written once: each: and use:, with the places of the files where they
 * were written; and waves that take so many hosts of each group (per:).
 */
#include "rollout_place.h"

/* Files that a plan may use, by name. */
static const struct {
	const char *name, *text;
} files[] = {
    {"steps/rotate.yml", "- { name: \"Keep ${{ with.keep }}\", file: { path: "
			 "/etc/logrotate.d/shop, content: \"${{with.keep}} "
			 "${{ vars.x }}\" } }\n"
			 "- { run: [reload] }\n"},
    {"again.yml", "- { use: again.yml }\n"},
    {"outer.yml", "- { use: steps/rotate.yml, with: { keep: \"${{ with.n }}\" "
		  "} }\n"},
    {"wrong.yml", "- { run: [a] }\n- { run: [a], retry: often }\n"},
    {"map.yml", "run: [a]\n"},
};

static int
use_file(void *arg, const char *name, const char *path, struct bytes *out,
    struct err *err)
{
	int *asked = arg;

	(*asked)++;
	assert_true(strncmp(path, "plans/", 6) == 0);
	assert_string_equal(path + 6, name);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(files[i].name, name) == 0) {
			*out = bytes_of(files[i].text);
			return 0;
		}
	return err_set(err, ERR_PLAN, "%s: there is no such file", path);
}

static int
read_steps(struct arena *arena, const char *steps, struct plan **plan,
    int *asked, struct err *err)
{
	const char *text = arena_printf(arena,
	    "change: t\nreason: t\ntargets: all\nwaves: [{ hosts: rest "
	    "}]\nsteps:\n%s",
	    steps);

	return plan_read_using(arena, "plans/p.yml", text, strlen(text),
	    use_file, asked, plan, err);
}

static void
a_step_stands_once_for_each_word(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = NULL;
	struct err err = ERR_INIT;
	int asked = 0;

	assert_int_equal(
	    read_steps(arena,
		"  - { run: [first] }\n"
		"  - each: [worker, mailer]\n"
		"    name: \"Start ${{each}}\"\n"
		"    service: { name: \"shop-${{ each }}\", args: "
		"[\"${{ each }}\", \"${{ each.x }}\"] }\n"
		"    rollback: [{ run: [stop, \"${{ each }}\"] }]\n"
		"    because: t\n",
		&plan, &asked, &err),
	    0);
	assert_int_equal(plan->phases[0].step_count, 3);
	assert_string_equal(plan->phases[0].steps[1].name, "Start worker");
	assert_string_equal(plan->phases[0].steps[2].name, "Start mailer");
	assert_string_equal(
	    yaml_get(plan->phases[0].steps[2].module_yaml, "name")->text,
	    "shop-mailer");
	/* a longer name is an expression, which knows no `each` */
	assert_string_equal(
	    yaml_get(plan->phases[0].steps[2].module_yaml, "args")
		->items[1]
		->text,
	    "${{ each.x }}");
	assert_string_equal(
	    plan->phases[0].steps[1].back_steps[0].module_yaml->items[1]->text,
	    "worker");
	assert_int_equal(plan->phases[0].steps[2].place.line, 7);
	assert_int_equal(asked, 0);
	arena_free(arena);
}

static void
a_file_of_steps_stands_in_its_place(void **state)
{
	struct arena *arena = arena_new();
	struct plan *plan = NULL;
	struct err err = ERR_INIT;
	const struct step *steps;
	int asked = 0;

	assert_int_equal(
	    read_steps(arena,
		"  - { run: [first] }\n"
		"  - { use: steps/rotate.yml, with: { keep: 14 } }\n"
		"  - { use: outer.yml, with: { n: 7 } }\n"
		"  - { run: [last] }\n",
		&plan, &asked, &err),
	    0);
	steps = plan->phases[0].steps;
	assert_int_equal(plan->phases[0].step_count, 6);
	assert_string_equal(steps[1].name, "Keep 14");
	assert_string_equal(yaml_get(steps[1].module_yaml, "content")->text,
	    "14 ${{ vars.x }}");
	assert_string_equal(steps[1].place.file, "plans/steps/rotate.yml");
	assert_int_equal(steps[2].place.line, 2);
	assert_string_equal(steps[3].name, "Keep 7");
	assert_int_equal(steps[5].place.line, 9);
	/* kept, to be frozen with the plan; each is read once */
	assert_int_equal(plan->used_count, 2);
	assert_int_equal(asked, 2);
	arena_free(arena);
}

static void
what_cannot_be_used_is_refused_with_its_place(void **state)
{
	static const char *const cases[][2] = {
	    {"  - { use: none.yml }\n",
		"plans/p.yml:6:12: use: plans/none.yml: there is no such file"},
	    {"  - { use: steps/rotate.yml }\n",
		"plans/steps/rotate.yml:1:11: ${{ with.keep }}: the step that "
		"uses this file gives no such value under with:"},
	    {"  - { use: steps/rotate.yml, with: { keep: 1, kep: 2 } }\n",
		"plans/p.yml:6:47: with: steps/rotate.yml does not speak of "
		"${{ with.kep }}"},
	    {"  - { use: steps/rotate.yml, with: { keep: [1] } }\n",
		"plans/p.yml:6:44: keep: a text belongs here"},
	    {"  - { use: again.yml }\n",
		"plans/again.yml:1:3: use: files that use files, more than 5 "
		"deep; does one use itself?"},
	    {"  - { use: wrong.yml }\n", "plans/wrong.yml:2:22: "},
	    {"  - { use: map.yml }\n",
		"plans/map.yml:1:1: a file of steps is a list"},
	};
	int wrong = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new();
		struct plan *plan = NULL;
		struct err err = ERR_INIT;
		int asked = 0;

		assert_int_equal(
		    read_steps(arena, cases[i][0], &plan, &asked, &err),
		    -ERR_PLAN);
		if (strncmp(err.text, cases[i][1], strlen(cases[i][1])) != 0) {
			print_error(
			    "wanted %s\nis     %s\n", cases[i][1], err.text);
			wrong++;
		}
		arena_free(arena);
	}
	assert_int_equal(wrong, 0);
}

/* A canary of each kind of host, the rest behind them. */
static void
a_wave_takes_so_many_of_each_group(void **state)
{
	static const bool in[] = {true, true, true, true, true, true};
	static const int impact[] = {0, 0, 1, 1, 1, 2};
	static const struct {
		const char *per;
		const int *impact;
		const char *canary;
	} cases[] = {
	    {"{ hosts: 1, per: rack }", NULL, "ab"},
	    {"{ hosts: 2, per: rack }", NULL, "abcd"},
	    {"{ hosts: 1, per: impact }", NULL, "a"},
	    {"{ hosts: 1, per: impact }", impact, "acf"},
	    {"{ hosts: 2, per: impact }", impact, "abcdf"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new();
		struct plan *plan = place_plan(arena,
		    arena_printf(arena,
			"change: t\nreason: t\ntargets: all\nwaves: [%s, { "
			"hosts: rest }]\nsteps: [{ run: [a] }]\n",
			cases[i].per));
		struct change *change =
		    place_change(arena, plan, "abcdef", "xyxyyx");
		const bool *of[2] = {NULL};
		const struct waves_choice choice = {in, of, cases[i].impact};
		struct err err = ERR_INIT;
		char got[8] = "";

		/* again, as after the preview */
		assert_int_equal(waves_assign(arena, change, &choice, &err), 0);
		for (size_t p = 0; p < change->waves[0].count; p++)
			strcat(got,
			    change_part_host(change, change->waves[0].parts[p])
				->name);
		assert_string_equal(got, cases[i].canary);
		assert_int_equal(
		    change->waves[0].count + change->waves[1].count, 6);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_step_stands_once_for_each_word),
	    cmocka_unit_test(a_file_of_steps_stands_in_its_place),
	    cmocka_unit_test(what_cannot_be_used_is_refused_with_its_place),
	    cmocka_unit_test(a_wave_takes_so_many_of_each_group),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
