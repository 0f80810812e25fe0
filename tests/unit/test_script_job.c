/*
 * script/: jobs, from params to the two scripts, and the scribe's scripts on
 * dash, bash and busybox ash.
 * covers: P1 (probes ask, scripts are only written) P2 (same bytes) P11
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <cmocka.h>

#include "script_door.h"

#include "digest/digest.h"
#include "script/inside.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const shells[] = {"dash", "bash", "busybox sh"};

static int64_t
cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char data[] =
    "{\"host\":{\"name\":\"web1\",\"vars\":{\"port\":80}},"
    "\"facts\":{\"os\":{\"family\":\"debian\"}},"
    "\"vars\":{\"evil\":\"${{ host.name }}\",\"list\":[\"a\",\"b\"],"
    "\"none\":[],\"null\":null},"
    "\"inputs\":{\"version\":\"1.2\"},"
    "\"changed\":{\"Fetch\":true,\"Idle\":false,\"Later\":null}}";

/* A module that tells what it was given. */
static const char echo[] =
    "return { name = 't', summary = 's', params = { a = { 'string' },"
    " n = { 'int' }, yes = { 'bool' }, l = { 'list' },"
    " raw = { 'string', literal = true } },\n"
    "probe = function(host, p) return { state = { met = p.a == 'met' },"
    " info = { name = host.name }, depends = p.a == 'wait' and 'a thing' or"
    " nil } end,\n"
    "want = function(p) return { met = true } end,\n"
    "apply = function(sh, want, seen, p) sh:run { 'true', p.a or '' } end,\n"
    "undo = function(sh, seen, want, p) sh:person('undo ' .. (p.a or ''))"
    " end,\n"
    "effects = function() return { 'write x\\27y' } end }";

static void
test_verdicts(void **state)
{
	struct test_answer answer;

	(void)state;
	probe_source(echo,
	    "{\"a\":\"${{ host.name }}\",\"n\":\"${{ host.vars.port }}\","
	    "\"yes\":\"true\",\"l\":\"one\",\"raw\":\"${{ x }}\"}",
	    data, &answer);
	assert_false(answer.failed);
	assert_string_equal(answer.verdict, "change");
	assert_string_equal(answer.params,
	    "{\"a\":\"web1\",\"l\":[\"one\"],\"n\":80,\"raw\":\"${{ x "
	    "}}\",\"yes\":true}");
	assert_string_equal(answer.seen, "{\"met\":false}");
	assert_string_equal(answer.want, "{\"met\":true}");
	assert_string_equal(answer.info, "{\"name\":\"web1\"}");
	assert_string_equal(answer.effects, "write x\\x1by");
	assert_string_equal(answer.diff, "met: false -> true\n");
	assert_non_null(strstr(answer.apply, "exec true web1"));
	assert_non_null(strstr(answer.undo, "undo web1"));
	answer_drop(&answer);

	probe_source(echo, "{\"a\":\"met\"}", data, &answer);
	assert_string_equal(answer.verdict, "same");
	assert_string_equal(answer.apply, "");
	answer_drop(&answer);

	probe_source(echo, "{}",
	    "{\"step\":{\"when\":\"1 > 2\"},\"changed\":{}}", &answer);
	assert_string_equal(answer.verdict, "skip");
	assert_string_equal(answer.params, "null");
	answer_drop(&answer);

	probe_source(echo, "{}",
	    "{\"step\":{\"when\":\"changed('L')\"},\"changed\":{\"L\":null}}",
	    &answer);
	assert_string_equal(answer.verdict, "depends");
	assert_non_null(strstr(answer.reason, "'L'"));
	answer_drop(&answer);

	probe_source(echo, "{\"a\":\"${{ changed('L') }}\"}",
	    "{\"changed\":{\"L\":null}}", &answer);
	assert_string_equal(answer.verdict, "depends");
	answer_drop(&answer);

	probe_source(echo, "{\"a\":\"wait\"}",
	    "{\"changed\":{\"L\":null,\"M\":false}}", &answer);
	assert_string_equal(answer.verdict, "depends");
	assert_non_null(strstr(answer.reason, "a thing"));
	answer_drop(&answer);

	probe_source(
	    echo, "{\"a\":\"wait\"}", "{\"changed\":{\"M\":false}}", &answer);
	assert_string_equal(answer.verdict, "cannot_tell");
	assert_string_equal(answer.reason, "a thing");
	assert_true(*answer.apply != '\0');
	answer_drop(&answer);

	/* rollback: none leaves nothing behind that could bring it back */
	probe_source(echo, "{\"a\":\"x\"}", "{\"undo\":false}", &answer);
	assert_string_equal(answer.verdict, "change");
	assert_string_equal(answer.undo, "");
	assert_non_null(strstr(answer.apply, "exec true x"));
	assert_null(strstr(answer.apply, "undo_ready"));
	answer_drop(&answer);

	/* what was pinned is wanted, whatever `want` would say */
	probe_source(echo, "{}", "{\"pin\":{\"met\":false}}", &answer);
	assert_string_equal(answer.verdict, "same");
	assert_string_equal(answer.want, "{\"met\":false}");
	answer_drop(&answer);
}

static void
test_params_are_held_to_the_descriptor(void **state)
{
	static const char *const bad[][2] = {
	    {"{\"n\":\"x\"}", "'n' is not of its type"},
	    {"{\"n\":\"${{ host.name }}\"}", "'n' is not of its type"},
	    {"{\"yes\":\"yes\"}", "'yes' is not of its type"},
	    {"{\"l\":{\"a\":\"b\"}}", "'l' is not of its type"},
	    {"{\"z\":\"1\"}", "'z' is not known"},
	    {"[]", "must be a map"},
	    {"{", "params"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct test_answer answer;

		probe_source(echo, bad[i][0], data, &answer);
		if (!answer.failed ||
		    strstr(answer.failure.text, bad[i][1]) == NULL)
			fail_msg("%s: %s", bad[i][0], answer.failure.text);
		answer_drop(&answer);
	}
}

static void
test_only_a_probe_may_ask(void **state)
{
	struct test_answer answer;

	(void)state;
	probe_source("local kept return { name = 't', summary = 's',\n"
		     "probe = function(host) kept = host\n"
		     "return { state = {} } end,\n"
		     "want = function() return { x = kept:run { 'id' }.rc }"
		     " end,\n apply = function() end }",
	    "{}", "{}", &answer);
	assert_true(answer.failed);
	assert_non_null(strstr(answer.failure.text, "only probe may ask"));
	answer_drop(&answer);
}

static void
test_asks_work_inside_pcall(void **state)
{
	struct test_answer answer;

	(void)state;
	probe_source("return { name = 't', summary = 's',\n"
		     "probe = function(host)\n"
		     "local ok, a = pcall(host.run, host, { 'printf',"
		     " '%s', '-n $HOME' })\n"
		     "local b = host:ask { script = 'echo \"$2\"; exit 4',"
		     " args = { 'x', 'y z' } }\n"
		     "local s = host:stat('/etc/passwd')\n"
		     "return { state = { ok = ok, out = a.out, b = b.out,"
		     " rc = b.rc, kind = s.kind, mode = s.mode,"
		     " no = host:stat('/no/such').kind,"
		     " text = host:read('/proc/sys/kernel/ostype', 4),"
		     " missing = host:read('/no/such') == nil,"
		     " sum = host:sha256('/dev/null') } } end }",
	    "{}", "{}", &answer);
	if (answer.failed)
		fail_msg("%s", answer.failure.text);
	assert_string_equal(answer.seen,
	    "{\"b\":\"y z\\n\",\"kind\":\"file\",\"missing\":true,\"mode\":"
	    "\"644\",\"no\":\"absent\",\"ok\":true,\"out\":\"-n $HOME\","
	    "\"rc\":4,\"sum\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b"
	    "934ca495991b7852b855\",\"text\":\"Linu\"}");
	answer_drop(&answer);
}

static void
test_jobs_wait_side_by_side_and_are_dropped(void **state)
{
	struct script *script = script_new();
	struct script_failure failure;
	struct test_answer a = {0}, b = {0}, c = {0};
	struct test_door one, two, three;
	struct script_job *job;
	static const char source[] =
	    "local seen = 0 return { name = 't', summary = 's',\n"
	    "probe = function(host) seen = seen + 1\n"
	    "local r = host:run { 'true' } host:run { 'true' }\n"
	    "return { state = { n = seen, name = host.name } } end }";

	(void)state;
	door_init(&one, "sh");
	door_init(&two, "sh");
	door_init(&three, "sh");
	assert_int_equal(
	    script_module(script, "t", bytes_of(source), &failure), 0);
	assert_non_null(script_probe(script, "t", bytes_of("{}"),
	    bytes_of("{\"host\":{\"name\":\"a\"}}"), &one.door, answer_take,
	    &a));
	assert_non_null(script_probe(script, "t", bytes_of("{}"),
	    bytes_of("{\"host\":{\"name\":\"b\"}}"), &two.door, answer_take,
	    &b));
	job = script_probe(script, "t", bytes_of("{}"), bytes_of("{}"),
	    &three.door, answer_take, &c);
	assert_true(door_pump(&two));
	assert_true(door_pump(&one));
	script_cancel(job); /* while it waits: nothing leaks, no answer */
	assert_true(door_pump(&one));
	assert_true(door_pump(&two));
	/* a fresh state for each: no count goes on */
	assert_string_equal(a.seen, "{\"n\":1,\"name\":\"a\"}");
	assert_string_equal(b.seen, "{\"n\":1,\"name\":\"b\"}");
	assert_false(c.came);
	answer_drop(&a);
	answer_drop(&b);
	door_drop(&one);
	door_drop(&two);
	door_drop(&three);
	script_free(script);
}

/* Words that would do harm if a shell ever read them. */
static const char *const hostile[] = {"", " ", "a b", "'", "''", "'\\''", "\"",
    "$HOME", "$(touch /tmp/pwned)", "`id`", "\\", "\\n", "a\nb", "\n", "a\n",
    "*", "?", "[a-z]", "~", "#", "!", "&", ";", "|", "<", ">", "-n", "-e", "--",
    "%s%n", "=", "A=b", "\t", "\r", "\x7f", "\x01", "\xc3\xa9",
    "\xe4\xbf\x9d\xe5\xae\x88", "${x}", "$'x'", "{a,b}", "\xe2\x80\xae", "EOF",
    "exit 1"};

/* The scribe's output, run on each shell, says the words back unharmed. */
static void
test_the_scribe_keeps_hostile_words(void **state)
{
	struct json *words, *params;
	struct arena *arena = arena_new();
	struct test_answer answer;
	struct buf text = BUF_INIT, want = BUF_INIT;

	(void)state;
	words = json_list(arena);
	for (size_t i = 0; i < COUNT(hostile); i++) {
		json_add(arena, words, json_text(arena, hostile[i]));
		/* run, script and text each say all of them */
		buf_printf(&want, "<%s>", hostile[i]);
	}
	params = json_map(arena);
	json_put(arena, params, "words", words);
	json_write(&text, params);
	probe_source(
	    "return { name = 't', summary = 's', params = { words = "
	    "{ 'list', required = true } },\n"
	    "apply = function(sh, want, seen, p)\n"
	    "sh:run { 'printf', '<%s>', table.unpack(p.words) }\n"
	    "sh:script('for w; do printf \"<%s>\" \"$w\"; done', p.words)\n"
	    "local env = {}\n"
	    "for i, w in ipairs(p.words) do env['W' .. i] = w end\n"
	    "sh:text([[i=1; while [ $i -le ]] .. #p.words .. [[ ]; do "
	    "eval \"printf '<%s>' \\\"\\$W$i\\\"\"; i=$((i + 1)); "
	    "done; cat]], env, table.concat(p.words, '|'))\n"
	    "end }",
	    buf_str(&text), "{}", &answer);
	if (answer.failed)
		fail_msg("%s", answer.failure.text);
	assert_string_equal(answer.verdict, "cannot_tell");
	for (size_t s = 0; s < COUNT(shells); s++) {
		struct test_door door;
		struct buf out = BUF_INIT, err = BUF_INIT, all = BUF_INIT;
		char folder[] = "/tmp/hoshu-test-XXXXXX";
		char spool[64];

		assert_non_null(mkdtemp(folder));
		snprintf(spool, sizeof(spool), "%s/spool", folder);
		assert_int_equal(mkdir(spool, 0700), 0);
		door_init(&door, shells[s]);
		assert_int_equal(
		    door_launch(&door, folder, answer.apply, &out, &err), 0);
		buf_printf(&all, "%s%s%s", buf_str(&want), buf_str(&want),
		    buf_str(&want));
		for (size_t i = 0; i < COUNT(hostile); i++)
			buf_printf(&all, "%s%s", i == 0 ? "" : "|", hostile[i]);
		assert_string_equal(buf_str(&out), buf_str(&all));
		assert_string_equal(buf_str(&err), "");
		file_remove_tree(folder);
		door_drop(&door);
		buf_free(&out);
		buf_free(&err);
		buf_free(&all);
	}
	answer_drop(&answer);
	buf_free(&text);
	buf_free(&want);
	arena_free(arena);
}

static void
test_the_scribe_refuses_what_is_no_word(void **state)
{
	static const char *const bad[][2] = {
	    {"sh:run { 'a\\0b' }", "NUL"},
	    {"sh:run {}", "without words"},
	    {"sh:run { '' }", "no name of a command"},
	    {"sh:run { '-x' }", "no name of a command"},
	    {"sh:run { 'A=b', 'x' }", "no name of a command"},
	    {"sh:run_as('-u', { 'x' })", "no name of a user"},
	    {"sh:run({ 'x' }, { ['A;B'] = 'x' })", "environment"},
	    {"sh:script('cat <<E\\nx\\nE')", "here-documents"},
	    {"sh:put('x', 'y', '0644')", "no absolute path"},
	    {"sh:put('/x/', 'y', '0644')", "no absolute path"},
	    {"sh:put('/x', 'y', '0999')", "no mode"},
	    {"sh:put('/x', 'y', '644', 'a:b')", "no owner"},
	    {"sh:put('/x', 'y', '644', nil, nil, { 'true' })", "no \"%\""},
	    {"sh:put('/x', { sha256 = 'x', size = 1 }, '644')", "no SHA-256"},
	    {"sh:put('/x', { sha256 = digest '', size = 1 }, '644')",
		"was not sent"},
	    {"sh:keep('/x', 'y')", "no SHA-256"},
	    {"sh:put_back('/x', { kind = 'dir' })", "cannot be put back"},
	    {"sh:put('/x', ('y'):rep(1e6) .. ('z'):rep(1e5), '644')",
		"the script has more"},
	    {"sh.run { 'x' }", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct test_answer answer;
		struct buf source = BUF_INIT;

		buf_printf(&source,
		    "return { name = 't', summary = 's',\n"
		    "apply = function(sh) %s end }",
		    bad[i][0]);
		probe_source(buf_str(&source), "{}", "{}", &answer);
		if (!answer.failed ||
		    strstr(answer.failure.text, bad[i][1]) == NULL)
			fail_msg("%s: %s", bad[i][0], answer.failure.text);
		answer_drop(&answer);
		buf_free(&source);
	}
}

/* A source file: small and plain inside the script, else by its digest. */
static void
test_sources_go_by_size_and_content(void **state)
{
	static const char source[] =
	    "return { name = 't', summary = 's', params = { f = { 'source', "
	    "required = true } }, apply = function(sh, want, seen, p) "
	    "sh:put('/tmp/x', p.f, '0600') end }";
	struct script *script = script_new();
	struct script_failure failure;
	struct test_door door;
	struct test_answer answer = {0};
	char big[9000], params[200], line[100];
	struct digest digest;
	struct {
		struct bytes content;
		bool inlined;
	} cases[3];

	(void)state;
	memset(big, 'x', sizeof(big));
	cases[0].content = (struct bytes){"small\n", 6};
	cases[0].inlined = true;
	cases[1].content = (struct bytes){big, sizeof(big)};
	cases[1].inlined = false;
	cases[2].content = (struct bytes){"a\0b", 3};
	cases[2].inlined = false;
	door_init(&door, "sh");
	assert_int_equal(
	    script_module(script, "t", bytes_of(source), &failure), 0);
	for (size_t i = 0; i < 3; i++) {
		digest_of(cases[i].content, &digest);
		script_blob(script, digest.hex, cases[i].content);
		snprintf(params, sizeof(params),
		    "{\"f\":{\"sha256\":\"%s\",\"size\":%zu}}", digest.hex,
		    cases[i].content.len);
		snprintf(line, sizeof(line), "# needs blob %s\n", digest.hex);
		door_probe(&door, script, "t", params, "{}", &answer);
		assert_false(answer.failed);
		if (cases[i].inlined)
			assert_null(strstr(answer.apply, "needs blob"));
		else
			assert_ptr_equal(
			    strstr(answer.apply, line), answer.apply);
	}
	answer_drop(&answer);
	door_drop(&door);
	script_free(script);
}

/* undo.sh is on the host before the change acts, and works by hand. */
static void
test_undo_stands_alone_on_the_host(void **state)
{
	static const char source[] =
	    "return { name = 't', summary = 's', apply = function(sh) "
	    "sh:run { 'false' } sh:run { 'touch', '/nonexistent/x' } end,\n"
	    "undo = function(sh) sh:text('echo \"by hand: $A\"', { A = 'ok' "
	    "}) end }";

	(void)state;
	for (size_t s = 0; s < COUNT(shells); s++) {
		struct test_answer answer;
		struct test_door door;
		struct buf out = BUF_INIT, command = BUF_INIT;
		struct digest digest;
		char folder[] = "/tmp/hoshu-test-XXXXXX";

		probe_source(source, "{}", "{}", &answer);
		assert_false(answer.failed);
		digest_of(bytes_of(answer.undo), &digest);
		assert_non_null(mkdtemp(folder));
		door_init(&door, shells[s]);
		/* the first command fails: so does the script, with its rc */
		assert_int_equal(
		    door_launch(&door, folder, answer.apply, &out, &out), 1);
		assert_null(strstr(buf_str(&out), "nonexistent"));
		buf_printf(&command,
		    "f=%s/home/undo/%.16s.sh; stat -c %%a \"$f\"; "
		    "sha256sum <\"$f\"; H=%s/home sh \"$f\"",
		    folder, digest.hex, folder);
		buf_reset(&out);
		assert_int_equal(
		    door_run(&door, buf_str(&command), &out, &out), 0);
		assert_int_equal(strncmp(buf_str(&out), "700\n", 4), 0);
		assert_int_equal(strncmp(buf_str(&out) + 4, digest.hex, 64), 0);
		assert_non_null(strstr(buf_str(&out), "by hand: ok\n"));
		file_remove_tree(folder);
		door_drop(&door);
		buf_free(&out);
		buf_free(&command);
		answer_drop(&answer);
	}
}

static void
test_diffs(void **state)
{
	struct arena *arena = arena_new();
	static const char *const cases[][3] = {
	    {"a\nb\nc\n", "a\nx\nc\n", "  a\n- b\n+ x\n  c\n"},
	    {"", "a\n", "+ a\n"},
	    {"a\n", "a", "- a\n+ a (no newline at the end)\n"},
	    {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\nx\n7\n8\n9\n",
		"@ line 3\n  3\n  4\n  5\n- 6\n+ x\n  7\n  8\n  9\n"},
	    {"a\nb\nc\nd\n", "b\nc\nd\ne\n", "- a\n  b\n  c\n  d\n+ e\n"},
	    {"x\n", "\033[31m\n", "- x\n+ \\x1b[31m\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(textdiff_lines(arena, bytes_of(cases[i][0]),
					bytes_of(cases[i][1])),
		    cases[i][2]);
	assert_null(textdiff_lines(arena, bytes_of("a"), bytes_of("a")));
	assert_non_null(strstr(
	    textdiff_lines(arena, (struct bytes){"a\0", 2}, bytes_of("b")),
	    "no text"));
	arena_free(arena);
}

/* What a job costs, printed for people who tune; no limit is held here. */
static void
test_cost_of_a_job(void **state)
{
	struct script *script = script_new();
	struct script_failure failure;
	struct test_door door;
	struct test_answer answer = {0};
	int64_t started;
	char *source = test_read("modules/run/run.lua");

	(void)state;
	door_init(&door, "sh");
	assert_int_equal(
	    script_module(script, "run", bytes_of(source), &failure), 0);
	started = cpu_ms();
	for (int i = 0; i < 2000; i++)
		door_probe(&door, script, "run", "{\"argv\":[\"true\"]}", "{}",
		    &answer);
	print_message(
	    "# a job costs %d us\n", (int)((cpu_ms() - started) * 1000 / 2000));
	assert_string_equal(answer.verdict, "cannot_tell");
	answer_drop(&answer);
	door_drop(&door);
	script_free(script);
	free(source);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_verdicts),
	    cmocka_unit_test(test_params_are_held_to_the_descriptor),
	    cmocka_unit_test(test_only_a_probe_may_ask),
	    cmocka_unit_test(test_asks_work_inside_pcall),
	    cmocka_unit_test(test_jobs_wait_side_by_side_and_are_dropped),
	    cmocka_unit_test(test_the_scribe_keeps_hostile_words),
	    cmocka_unit_test(test_the_scribe_refuses_what_is_no_word),
	    cmocka_unit_test(test_sources_go_by_size_and_content),
	    cmocka_unit_test(test_undo_stands_alone_on_the_host),
	    cmocka_unit_test(test_diffs),
	    cmocka_unit_test(test_cost_of_a_job),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
