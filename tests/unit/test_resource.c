/*
 * What a step is about, by the title of its script.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "change/resource.h"

static void
a_script_has_a_title(void **state)
{
	struct arena *arena = arena_new();

	assert_string_equal(
	    resource_title(arena,
		bytes_of("# needs blob 12\n# hoshu: file /etc/motd\nPATH=x\n")),
	    "file /etc/motd");
	assert_string_equal(
	    resource_title(arena, bytes_of("# hoshu: shell")), "shell");
	/* not below the head */
	assert_string_equal(
	    resource_title(arena, bytes_of("PATH=x\n# hoshu: file /a\n")), "");
	assert_string_equal(resource_title(arena, bytes_of("")), "");
	assert_string_equal(resource_title(arena, bytes_of("#")), "");
	arena_free(arena);
}

static void
titles_name_the_same_thing_or_not(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
	    {"file /etc/motd", "file /etc/motd", true},
	    {"file /etc/motd", "file /etc/motd2", false},
	    {"file /etc/motd", "line /etc/motd", true},
	    {"package openssl libssl3", "package libssl3 curl", true},
	    {"package openssl", "package libssl3", false},
	    {"package nginx", "service nginx", false},
	    {"service nginx", "service nginx", true},
	    /* of commands nobody knows what they touch */
	    {"run /bin/migrate --to 3", "run /bin/migrate --to 4", false},
	    {"run /bin/migrate --to 3", "run /bin/migrate --to 3", true},
	    {"file /etc/motd", "run sed -i s/a/b/ /etc/motd", true},
	    {"file /etc/motd", "run touch /etc/issue", false},
	    {"", "file /etc/motd", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (resource_same(cases[i].a, cases[i].b) != cases[i].same ||
		    resource_same(cases[i].b, cases[i].a) != cases[i].same)
			fail_msg("'%s' and '%s'", cases[i].a, cases[i].b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_script_has_a_title),
	    cmocka_unit_test(titles_name_the_same_thing_or_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
