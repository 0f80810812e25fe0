/*
 * hoshu.yml and where modules are.
 * covers: P11
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "project/project.h"
#include "table.h"

struct test {
	struct arena *arena;
	char *folder; /* as realpath has it */
};

static void
put(struct test *t, const char *name, struct bytes text)
{
	char *path = file_join(t->arena, t->folder, name);
	struct err err = ERR_INIT;

	if (file_make_folder(file_folder(t->arena, path), 0700, &err) < 0 ||
	    file_write(path, text, 0600, &err) < 0)
		fail_msg("%s", err.text);
}

static int
setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct err err = ERR_INIT;
	char *made = NULL, *real;

	t->arena = arena_new();
	if (file_make_temporary(t->arena, &made, &err) < 0)
		fail_msg("%s", err.text);
	real = realpath(made, NULL);
	t->folder = arena_strdup(t->arena, real);
	free(real);
	put(t, "modules/service/service.lua", bytes_of("return {}"));
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct test *t = *state;

	file_remove_tree(t->folder);
	arena_free(t->arena);
	free(t);
	return 0;
}

static struct project *
must_load(struct test *t, const char *text)
{
	struct project *project = NULL;
	struct err err = ERR_INIT;

	put(t, "hoshu.yml", bytes_of(text));
	if (project_load(t->arena, t->folder, &project, &err) < 0)
		fail_msg("%s", err.text);
	return project;
}

static const char *
in_folder(struct test *t, const char *name)
{
	return file_join(t->arena, t->folder, name);
}

static void
assert_is_default(struct test *t, const struct project *project)
{
	assert_string_equal(project->folder, t->folder);
	assert_string_equal(
	    project->inventory, in_folder(t, "inventory/hosts.yml"));
	assert_string_equal(project->store, in_folder(t, ".hoshu"));
	assert_string_equal(
	    project->approvers, in_folder(t, ".hoshu/allowed_signers"));
	assert_string_equal(project->files, in_folder(t, "files"));
	assert_int_equal(project->module_folder_count, 2);
	assert_string_equal(
	    project->module_folders[0], in_folder(t, "modules"));
	assert_string_equal(project->module_folders[1], HOSHU_DATA "/modules");
	assert_int_equal(project->approvals, 2);
	assert_false(project->solo);
	assert_int_equal(project->workers, 2);
	assert_int_equal(project->lease_ms, 15000);
}

static void
an_empty_file_is_a_project(void **state)
{
	assert_is_default(*state, must_load(*state, ""));
	assert_is_default(*state, must_load(*state, "# later\n"));
	assert_is_default(*state, must_load(*state, "{}\n"));
}

static void
paths_are_made_absolute(void **state)
{
	struct test *t = *state;
	struct project *project = must_load(t,
	    "inventory: inventory/lab.yml\nstore: /var/lib/x\nfiles: f\n"
	    "modules: [modules, /usr]\nworkers: 7\napprovals: 3\nlease: 40s\n");

	assert_string_equal(
	    project->inventory, in_folder(t, "inventory/lab.yml"));
	assert_string_equal(project->store, "/var/lib/x");
	/* the signers' default goes with the store */
	assert_string_equal(project->approvers, "/var/lib/x/allowed_signers");
	assert_string_equal(project->files, in_folder(t, "f"));
	assert_int_equal(project->module_folder_count, 3);
	assert_string_equal(project->module_folders[1], "/usr");
	assert_int_equal(project->workers, 7);
	assert_int_equal(project->lease_ms, 40000);
	assert_int_equal(project->approvals, 3);
}

static void
solo_is_one_person_who_signs(void **state)
{
	struct project *project =
	    must_load(*state, "approvals: solo\napprovers: keys/signers\n");

	assert_true(project->solo);
	assert_int_equal(project->approvals, 1);
	assert_string_equal(
	    project->approvers, in_folder(*state, "keys/signers"));
}

static void
it_is_found_from_below(void **state)
{
	struct test *t = *state;
	struct project *project = NULL;
	struct err err = ERR_INIT;
	char *was = realpath(".", NULL);

	must_load(t, "");
	put(t, "a/b/c/file", bytes_of("x"));
	assert_int_equal(
	    project_load(t->arena, in_folder(t, "a/b/c"), &project, &err), 0);
	assert_is_default(t, project);
	assert_int_equal(chdir(in_folder(t, "a")), 0);
	project = NULL;
	assert_int_equal(project_load(t->arena, NULL, &project, &err), 0);
	assert_int_equal(chdir(was), 0);
	assert_is_default(t, project);
	free(was);
}

static void
none_is_an_error_that_says_what_to_do(void **state)
{
	struct test *t = *state;
	struct project *project = NULL;
	struct err err = ERR_INIT;
	char *want;

	assert_int_equal(
	    project_load(t->arena, t->folder, &project, &err), -ERR_PLAN);
	want = arena_printf(t->arena,
	    "no hoshu.yml in %s or above; go to a project's folder, or "
	    "start one with `hoshu init`",
	    t->folder);
	assert_string_equal(err.text, want);
	assert_null(project);
	assert_true(project_load(
			t->arena, in_folder(t, "nowhere"), &project, &err) < 0);
}

static void
wrong_settings_are_refused_at_their_place(void **state)
{
	struct test *t = *state;
	struct project *project;
	struct table table;
	struct bytes text;
	struct err err;
	size_t len = strlen(t->folder);
	char *got, *at;

	table_open(&table, "project_refused.txt", " | ");
	while (table_next(&table)) {
		err = (struct err)ERR_INIT;
		project = NULL;
		text.data = table.column[0];
		text.len = table_unescape(table.column[0]);
		put(t, "hoshu.yml", text);
		assert_int_equal(
		    project_load(t->arena, t->folder, &project, &err),
		    -ERR_PLAN);
		got = arena_strdup(t->arena, err.text);
		while ((at = strstr(got, t->folder)) != NULL) {
			*at = 'P';
			memmove(at + 1, at + len, strlen(at + len) + 1);
		}
		if (strcmp(got, table.column[1]) != 0)
			fail_msg(
			    "project_refused.txt:%d: got: %s", table.line, got);
		assert_null(project);
	}
	assert_true(table.cases > 12);
}

static void
a_project_s_module_comes_before_the_next_folder_s(void **state)
{
	struct test *t = *state;
	struct place place = {"web.yaml", 14, 9};
	struct project *project;
	struct err err = ERR_INIT;
	const char *path = NULL, **names = NULL;
	size_t count = 0;

	put(t, "more/service/service.lua", bytes_of("return {}"));
	put(t, "more/package/package.lua", bytes_of("return {}"));
	put(t, "more/broken/other.lua", bytes_of("return {}"));
	put(t, "more/file", bytes_of("no folder"));
	project = must_load(t, "modules: [modules, more]\n");
	assert_int_equal(project_module_path(
			     t->arena, project, "service", place, &path, &err),
	    0);
	assert_string_equal(path, in_folder(t, "modules/service/service.lua"));
	assert_int_equal(project_module_path(
			     t->arena, project, "package", place, &path, &err),
	    0);
	assert_string_equal(path, in_folder(t, "more/package/package.lua"));
	/* tests run with or without an installed hoshu */
	project->module_folder_count--;
	assert_int_equal(
	    project_modules(t->arena, project, &names, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "package");
	assert_string_equal(names[1], "service");
}

static void
an_unknown_module_is_refused_with_the_near_word(void **state)
{
	static const char *const outside[] = {
	    "../service", "service/../x", "", ".", "..", "/etc", "service\x1b"};
	struct test *t = *state;
	struct place place = {"web.yaml", 14, 9};
	struct project *project = must_load(t, "");
	struct err err = ERR_INIT;
	const char *path = NULL;

	project->module_folder_count--;
	assert_int_equal(project_module_path(
			     t->arena, project, "servise", place, &path, &err),
	    -ERR_PLAN);
	assert_string_equal(err.text,
	    "web.yaml:14:9: there is no module 'servise' (did you mean "
	    "'service'?)");
	assert_int_equal(
	    project_module_path(t->arena, project, "xyzzy", place, &path, &err),
	    -ERR_PLAN);
	assert_string_equal(err.text,
	    "web.yaml:14:9: there is no module 'xyzzy'; there are service");
	put(t, "outside.lua", bytes_of(""));
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		assert_int_equal(project_module_path(t->arena, project,
				     outside[i], place, &path, &err),
		    -ERR_PLAN);
	assert_null(path);
}

static void
a_role_is_held_by_persons(void **state)
{
	struct test *t = *state;
	struct place place = {"web.yaml", 14, 9};
	struct project *project =
	    must_load(t, "roles: { dba: [carol, dave], oncall: erin }\n");
	const struct project_role *role = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    project_role(t->arena, project, "dba", place, &role, &err), 0);
	assert_int_equal(role->count, 2);
	assert_string_equal(role->persons[1], "dave");
	assert_int_equal(
	    project_role(t->arena, project, "oncall", place, &role, &err), 0);
	assert_int_equal(role->count, 1);
	assert_int_equal(
	    project_role(t->arena, project, "dna", place, &role, &err),
	    -ERR_PLAN);
	assert_string_equal(err.text,
	    "web.yaml:14:9: role: hoshu.yml has no role 'dna' (did you mean "
	    "'dba'?)");
	project = must_load(t, "");
	assert_int_equal(
	    project_role(t->arena, project, "dba", place, &role, &err),
	    -ERR_PLAN);
	assert_string_equal(err.text,
	    "web.yaml:14:9: role: hoshu.yml has no role 'dba'; say who holds "
	    "it there: roles: { dba: [alice, bob] }");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(an_empty_file_is_a_project),
	    TEST(paths_are_made_absolute),
	    TEST(solo_is_one_person_who_signs),
	    TEST(it_is_found_from_below),
	    TEST(none_is_an_error_that_says_what_to_do),
	    TEST(wrong_settings_are_refused_at_their_place),
	    TEST(a_project_s_module_comes_before_the_next_folder_s),
	    TEST(a_role_is_held_by_persons),
	    TEST(an_unknown_module_is_refused_with_the_near_word),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
