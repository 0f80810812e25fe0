/*
 * script/: the sandbox, descriptors, expressions, patterns, values.
 * covers: P11
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

#include <lualib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A module `t` whose probe is this body. */
static char *
module_with_probe(const char *body)
{
	struct buf buf = BUF_INIT;

	buf_puts(&buf,
	    "return { name = 't', summary = 's', apply = function() end,\n"
	    "probe = function(host, p) ");
	buf_puts(&buf, body);
	buf_puts(&buf, "\nend }\n");
	return buf.data;
}

static int64_t
cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct bad_probe {
	const char *body;
	enum script_fault fault;
	const char *text;
};

static const struct bad_probe bad_probes[] = {
    /* loops that a pcall, C code or the collector would hide */
    {"while true do end", SCRIPT_BUDGET, "budget"},
    {"while true do pcall(function() while true do end end) end", SCRIPT_BUDGET,
	"budget"},
    {"local function f() pcall(f) while true do end end "
     "while true do pcall(f) end",
	SCRIPT_BUDGET, "budget"},
    {"local function f() while true do pcall(f) end end f()", SCRIPT_BUDGET,
	"budget"},
    {"local function f() return pcall(f) or f() end "
     "while true do pcall(table.sort, { 3, 2, 1 }, f) end",
	SCRIPT_BUDGET, "budget"},
    {"local t = {} for i = 1, 2e5 do t[i] = 'xxxxxxxx' end "
     "while true do pcall(table.concat, t, ('y'):rep(1000)) end",
	SCRIPT_BUDGET, "budget"},
    {"return table.concat({ ('x'):rep(1e6), 1, 2 }, ('y'):rep(1e6)) .. "
     "table.concat({ '', '', '', '' }, ('y'):rep(1e6)) .. "
     "table.concat({ 'a', 'b', nil, 'c' }, '', 1, 4)",
	SCRIPT_MODULE, "invalid value"},
    {"local t = {} for i = 1, 100 do t[i] = ('x'):rep(1e6) end "
     "return table.concat(t)",
	SCRIPT_MEMORY, "memory"},
    {"return ('a'):rep(30000):find(('a-'):rep(8) .. 'b')", SCRIPT_BUDGET,
	"budget"},
    {"return ('a'):rep(30000):match(('.-'):rep(8) .. 'b')", SCRIPT_BUDGET,
	"budget"},
    {"while true do ('x'):gsub('x', function() pcall(error) end) end",
	SCRIPT_BUDGET, "budget"},
    {"local t = {} for i = 1, 1e9 do table.insert(t, 1, i) end", SCRIPT_BUDGET,
	"budget"},
    {"local s = ('x'):rep(1000000) while true do s:upper() end", SCRIPT_BUDGET,
	"budget"},
    {"local t = {} for i = 1, 1e5 do t[i] = i end "
     "while true do pairs(t) end",
	SCRIPT_BUDGET, "budget"},
    {"table.sort({ 3, 2, 1 }, function() while true do end end)", SCRIPT_BUDGET,
	"budget"},
    /* memory */
    {"local t = {} for i = 1, 1e9 do t[i] = i .. ('x'):rep(100000) end",
	SCRIPT_MEMORY, "memory"},
    {"local s = 'x' while true do s = s .. s end", SCRIPT_MEMORY, "memory"},
    {"return ('x'):rep(1e12)", SCRIPT_MODULE, "string.rep"},
    {"return ('x'):rep(1e5, ('y'):rep(1e5))", SCRIPT_MODULE, "string.rep"},
    {"return table.concat({ 'x' }, ('y'):rep(1e6), 1, 2^53 | 0)", SCRIPT_MODULE,
	"invalid value"},
    {"return table.unpack({}, 1, 1e8)", SCRIPT_MODULE, "too many"},
    /* what C keeps for it is paid for as well */
    {"local s = ('x'):rep(1e6) while true do quote(s) end", SCRIPT_BUDGET,
	"budget"},
    {"local s = ('x'):rep(1e6) while true do pcall(host.run, host, { s }) end",
	SCRIPT_BUDGET, "budget"},
    {"local s = ('x\\n'):rep(1e5) while true do lines_diff(s, s .. 'y') end",
	SCRIPT_BUDGET, "budget"},
    {"while true do host:run { 'true' } end", SCRIPT_MODULE,
	"more than 256 questions"},
    /* what is not in the allow list cannot be reached */
    {"return load('x')", SCRIPT_MODULE, "there is no 'load'"},
    {"return require('os')", SCRIPT_MODULE, "there is no 'require'"},
    {"return os.execute('id')", SCRIPT_MODULE, "there is no 'os'"},
    {"return io", SCRIPT_MODULE, "there is no 'io'"},
    {"return debug", SCRIPT_MODULE, "there is no 'debug'"},
    {"return coroutine", SCRIPT_MODULE, "there is no 'coroutine'"},
    {"return package", SCRIPT_MODULE, "there is no 'package'"},
    {"return dofile", SCRIPT_MODULE, "there is no 'dofile'"},
    {"return _G", SCRIPT_MODULE, "there is no '_G'"},
    {"return next", SCRIPT_MODULE, "there is no 'next'"},
    {"return rawget", SCRIPT_MODULE, "there is no 'rawget'"},
    {"return rawset", SCRIPT_MODULE, "there is no 'rawset'"},
    {"return rawequal", SCRIPT_MODULE, "there is no 'rawequal'"},
    {"return setmetatable({}, { __gc = error })", SCRIPT_MODULE,
	"there is no 'setmetatable'"},
    {"return getmetatable('')", SCRIPT_MODULE, "there is no 'getmetatable'"},
    {"return collectgarbage()", SCRIPT_MODULE, "there is no 'collectgarbage'"},
    {"return xpcall", SCRIPT_MODULE, "there is no 'xpcall'"},
    {"return print", SCRIPT_MODULE, "there is no 'print'"},
    {"return string.dump(error)", SCRIPT_MODULE, "there is no 'string.dump'"},
    {"return ('').dump", SCRIPT_MODULE, "there is no 'string.dump'"},
    {"return math.random()", SCRIPT_MODULE, "there is no 'math.random'"},
    {"return table.move({}, 1, 2^62 | 0, 2)", SCRIPT_MODULE,
	"there is no 'table.move'"},
    {"x = 1", SCRIPT_MODULE, "'x' cannot be set"},
    {"string.len = nil", SCRIPT_MODULE, "'string.len' cannot be set"},
    {"_ENV.pcall = nil", SCRIPT_MODULE, "'pcall' cannot be set"},
    /* what would make two runs differ */
    {"return tostring({})", SCRIPT_MODULE, "table has no text form"},
    {"return ('%s'):format(error)", SCRIPT_MODULE, "function has no text form"},
    {"return ('%5p'):format('x')", SCRIPT_MODULE, "%p is not allowed"},
    /* recursion */
    {"local function f() return 1 + f() end return f()", SCRIPT_MEMORY,
	"memory"},
    {"local s = ('('):rep(300) return ('a'):find(s)", SCRIPT_MODULE, "too"},
    /* waiting where nothing can wait */
    {"table.sort({ 2, 1 }, function() host:run { 'true' } end)", SCRIPT_MODULE,
	"ask first"},
    {"('x'):gsub('x', function() host:run { 'true' } end)", SCRIPT_MODULE,
	"ask first"},
    /* questions and states that are none */
    {"return host:run { 'a\\0b' }", SCRIPT_MODULE, "NUL"},
    {"return host:run { ('x'):rep(20000) }", SCRIPT_MODULE, "ask in pieces"},
    {"return host:nonsense()", SCRIPT_MODULE, "has no 'nonsense'"},
    {"return 1", SCRIPT_MODULE, "probe must return"},
    {"return {}", SCRIPT_MODULE, "probe must return"},
    {"return { state = {}, stat = 1 }", SCRIPT_MODULE, "probe returned 'stat'"},
    {"return { state = { x = 0.5 } }", SCRIPT_MODULE, "fraction"},
    {"return { state = { x = 2^60 | 0 } }", SCRIPT_MODULE, "2^53"},
    {"return { state = { x = '\\xff' } }", SCRIPT_MODULE, "UTF-8"},
    {"return { state = { ['\\xc3\\xa9'] = 1 } }", SCRIPT_MODULE, "ASCII"},
    {"return { state = { x = error } }", SCRIPT_MODULE, "function"},
    {"return { state = { 1, nil, 3, x = 1 } }", SCRIPT_MODULE, "gaps"},
    {"local t = {} t.t = t return { state = t }", SCRIPT_MODULE, "deeper than"},
    {"return { state = { x = ('y'):rep(70000) } }", SCRIPT_MODULE,
	"65536 bytes"},
    {"error({})", SCRIPT_MODULE, "no text"},
    {"error('a\\27[31mred')", SCRIPT_MODULE, "a\\x1b[31mred"},
    {"return re('x', '(')", SCRIPT_MODULE, ""},
};

#ifdef __SANITIZE_ADDRESS__ /* some five times slower */
enum { CPU_MOST_MS = 10000 };
#else
enum { CPU_MOST_MS = 2000 };
#endif

static void
test_bad_probes_end_with_their_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_probes); i++) {
		char *source = module_with_probe(bad_probes[i].body);
		struct test_answer answer;
		int64_t started = cpu_ms();

		probe_source(source, "{}", "{}", &answer);
		if (!answer.failed ||
		    answer.failure.fault != bad_probes[i].fault ||
		    strstr(answer.failure.text, bad_probes[i].text) == NULL)
			fail_msg("%s: %s, fault %d: %s", bad_probes[i].body,
			    answer.failed ? "failed" : "did not fail",
			    answer.failure.fault, answer.failure.text);
		if (cpu_ms() - started > CPU_MOST_MS)
			fail_msg("%s: took %d ms", bad_probes[i].body,
			    (int)(cpu_ms() - started));
		answer_drop(&answer);
		free(source);
	}
}

static void
test_a_failure_names_file_and_line(void **state)
{
	struct test_answer answer;

	(void)state;
	probe_source("return { name = 't', summary = 's',\n"
		     "probe = function()\n\n local x = nil\n return x.y end }",
	    "{}", "{}", &answer);
	assert_true(answer.failed);
	assert_string_equal(answer.failure.file, "t.lua");
	assert_int_equal(answer.failure.line, 5);
	answer_drop(&answer);
	probe_source("return {\n name = = }", "{}", "{}", &answer);
	assert_true(answer.failed);
	assert_string_equal(answer.failure.file, "t.lua");
	assert_int_equal(answer.failure.line, 2);
	/* raised by C on behalf of a line */
	probe_source("return { name = 't', summary = 's', probe =\n"
		     "function() return\n ('x'):rep(1e12) end }",
	    "{}", "{}", &answer);
	assert_int_equal(answer.failure.line, 3);
}

struct bad_module {
	const char *source;
	const char *text;
};

static const struct bad_module bad_modules[] = {
    {"\033Lua", "binary chunk"},
    {"return 1", "must return its descriptor"},
    {"while true do end", "budget"},
    {"return { name = 't', summary = 's', prob = error }",
	"'prob' is not known (did you mean 'probe'?)"},
    {"return { name = 'u', summary = 's', probe = error }",
	"'name' must be \"t\""},
    {"return { name = 't', probe = error }", "'summary' must be"},
    {"return { name = 't', summary = 's' }", "neither probe nor apply"},
    {"return { name = 't', summary = 's', probe = 1 }",
	"'probe' must be a function"},
    {"return { name = 't', summary = 's', probe = error, undo = error }",
	"undo but no apply"},
    {"return { name = 't', summary = 's', probe = error,"
     " params = { a = 'string' } }",
	"param 'a' must be"},
    {"return { name = 't', summary = 's', probe = error,"
     " params = { a = { 'strng' } } }",
	"(did you mean 'string'?)"},
    {"return { name = 't', summary = 's', probe = error,"
     " params = { a = { 'string', 'x' } } }",
	"words belong to type enum"},
    {"return { name = 't', summary = 's', probe = error,"
     " params = { a = { 'enum' } } }",
	"words belong to type enum"},
    {"return { name = 't', summary = 's', probe = error,"
     " params = { a = { 'string', requird = true } } }",
	"(did you mean 'required'?)"},
    {"return { name = 't', summary = 's', probe = error,"
     " params = { a = { 'string', match = '(' } } }",
	"param 'a'"},
    {"return { name = 't', summary = 's', probe = error,"
     " params = { ['A b'] = { 'string' } } }",
	"no name for a param"},
    {"return { name = 't', summary = 's', probe = error, short = 'x' }",
	"'short' names 'x', which is no param"},
    {"return { name = 't', summary = 's', probe = error,"
     " beside = { 'x' } }",
	"'beside' names 'x'"},
    {"return { name = 't', summary = 's\\xff', probe = error }", "UTF-8"},
};

static void
test_bad_descriptors_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_modules); i++) {
		struct script *script = script_new();
		struct script_failure failure = {0}, again = {0};
		struct buf json = BUF_INIT;

		assert_int_equal(script_module(script, "t",
				     bytes_of(bad_modules[i].source), &failure),
		    -1);
		if (strstr(failure.text, bad_modules[i].text) == NULL)
			fail_msg("%s: %s", bad_modules[i].source, failure.text);
		assert_int_equal(
		    script_describe(script, "t", &json, &again), -1);
		assert_string_equal(again.text, failure.text);
		assert_string_equal(again.file, "t.lua");
		script_free(script);
		buf_free(&json);
	}
}

static void
test_a_descriptor_as_json(void **state)
{
	struct script *script = script_new();
	struct script_failure failure;
	struct buf json = BUF_INIT;

	(void)state;
	assert_int_equal(
	    script_module(script, "t",
		bytes_of("return { name = 't', summary = 's', short = 'a',"
			 " beside = { 'b' }, apply = function() end,"
			 " params = { a = { 'enum', 'x', 'y', default = 'x',"
			 " summary = 'A' }, b = { 'int', match = '^1',"
			 " required = true } } }"),
		&failure),
	    0);
	assert_int_equal(script_describe(script, "t", &json, &failure), 0);
	assert_string_equal(buf_str(&json),
	    "{\"beside\":[\"b\"],\"can\":{\"apply\":true,\"diff\":false,"
	    "\"effects\":false,\"met\":false,\"probe\":false,\"undo\":false,"
	    "\"want\":false},\"name\":\"t\",\"params\":{\"a\":{\"default\":"
	    "\"x\",\"literal\":false,\"required\":false,\"summary\":\"A\","
	    "\"type\":\"enum\",\"words\":[\"x\",\"y\"]},\"b\":{\"literal\":"
	    "false,\"match\":\"^1\",\"required\":true,\"summary\":\"\","
	    "\"type\":\"int\",\"words\":[]}},\"short\":\"a\",\"summary\":"
	    "\"s\"}");
	assert_int_equal(script_describe(script, "u", &json, &failure), -1);
	buf_free(&json);
	script_free(script);
}

static const char data[] =
    "{\"host\":{\"name\":\"web1\",\"vars\":{\"port\":80}},"
    "\"facts\":{\"os\":{\"family\":\"debian\"}},"
    "\"vars\":{\"evil\":\"${{ host.name }}\",\"list\":[\"a\",\"b\"],"
    "\"none\":[],\"null\":null},"
    "\"inputs\":{\"version\":\"1.2\"},"
    "\"changed\":{\"Fetch\":true,\"Idle\":false,\"Later\":null}}";

struct expression {
	const char *text;
	const char *value; /* NULL: fails */
	const char *why;
};

static const struct expression expressions[] = {
    {"\"plain\"", "\"plain\"", NULL},
    {"\"${{ host.name }}\"", "\"web1\"", NULL},
    {"\"${{ host.vars.port }}\"", "80", NULL},
    {"\"port ${{ host.vars.port + 1 }}!\"", "\"port 81!\"", NULL},
    {"\"${{ vars.list }}\"", "[\"a\",\"b\"]", NULL},
    {"\"${{ vars.none }}\"", "[]", NULL},
    {"\"${{ facts.os }}\"", "{\"family\":\"debian\"}", NULL},
    {"\"${{ facts.os.family == 'debian' and 'shop' or 'shopd' }}\"", "\"shop\"",
	NULL},
    {"\"${{ '}}' .. \\\"}}\\\" }}${{ #({{1},{2}}) }}\"", "\"}}}}2\"", NULL},
    {"\"${{ ('%05d'):format(7) }}\"", "\"00007\"", NULL},
    /* what came from a host or a variable is never evaluated */
    {"\"${{ vars.evil }}\"", "\"${{ host.name }}\"", NULL},
    {"\"x${{ vars.evil }}\"", "\"x${{ host.name }}\"", NULL},
    {"[\"${{ inputs.version }}\",{\"a\":\"${{ true }}-\"},1]",
	"[\"1.2\",{\"a\":\"true-\"},1]", NULL},
    {"{\"lua\":\"changed('Fetch') and not changed('Idle')\"}", "true", NULL},
    {"{\"lua\":\"nil\"}", "null", NULL},
    {"{\"lua\":\"vars.list[1] -- a comment\"}", "\"a\"", NULL},
    {"\"${{ vars.nothing }}\"", NULL, "vars has no 'nothing'"},
    {"\"${{ vars.null }}\"", NULL, "vars has no 'null'"},
    {"\"${{ facts.os.version }}\"", NULL, "facts.os has no 'version'"},
    {"\"${{ hots.name }}\"", NULL, "there is no 'hots'"},
    {"\"${{ vars.list }} x\"", NULL, "cannot stand inside a text"},
    {"\"${{ nil }}\"", NULL, "nothing (nil)"},
    {"\"${{ 1.5 }}\"", NULL, "fraction"},
    {"\"${{ 1, 2 }}\"", NULL, "gives 2 values"},
    {"\"${{ }}\"", NULL, "gives 0 values"},
    {"\"${{ host.name \"", NULL, "has no }}"},
    {"\"${{ host name }}\"", NULL, "host name"},
    {"\"${{ result('Fetch') }}\"", NULL, "not built yet"},
    {"\"${{ changed('Nix') }}\"", NULL, "no earlier step 'Nix'"},
    {"\"${{ changed('Later') }}\"", NULL, "not known yet"},
    {"{\"lua\":\"(function() while true do end end)()\"}", NULL, "budget"},
    {"{\"lua\":\"os.exit()\"}", NULL, "there is no 'os'"},
    {"{\"lua\":\"(function() x = 1 end)()\"}", NULL, "cannot set"},
};

static void
test_expressions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(expressions); i++) {
		const struct expression *e = &expressions[i];
		struct script_failure failure = {0};
		struct buf in = BUF_INIT, out = BUF_INIT, want = BUF_INIT;
		int r;

		buf_printf(&in, "[%s]", e->text);
		buf_printf(&want, "[%s]", e->value != NULL ? e->value : "");
		r = script_eval(
		    NULL, buf_bytes(&in), bytes_of(data), &out, &failure);
		if (e->value == NULL) {
			if (r == 0 || strstr(failure.text, e->why) == NULL)
				fail_msg("%s: %s %s", e->text, buf_str(&out),
				    failure.text);
		} else if (r != 0) {
			fail_msg("%s: %s", e->text, failure.text);
		} else {
			assert_string_equal(buf_str(&out), buf_str(&want));
		}
		buf_free(&in);
		buf_free(&out);
		buf_free(&want);
	}
}

static void
test_compile_only_runs_nothing(void **state)
{
	struct script_failure failure = {0};
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(script_eval(NULL,
			     bytes_of("[\"${{ vars.unknown }}\",\"x ${{ 1 "
				      "}} y\",{\"lua\":\"facts.x\"}]"),
			     bytes_of(""), &out, &failure),
	    0);
	buf_reset(&out);
	assert_int_equal(script_eval(NULL, bytes_of("[\"${{ 1 + }}\"]"),
			     bytes_of(""), &out, &failure),
	    -1);
	assert_non_null(strstr(failure.text, "1 +"));
	buf_free(&out);
}

/* Our patterns against those of the Lua that we link. */
static const char *const patterns[] = {
    "('hello world'):find('o w')",
    "('hello'):find('l+')",
    "('hello'):find('xyz')",
    "('hello'):find('l', -2)",
    "('hello'):find('', 10)",
    "('hello'):find('', 6)",
    "('a.b'):find('.', 2, true)",
    "('a.b'):find('', 1, true)",
    "('key = value'):match('^(%w+)%s*=%s*(%w+)$')",
    "('  trim  '):match('^%s*(.-)%s*$')",
    "('abc'):match('()b()')",
    "('f(a(b)c)d'):match('%b()')",
    "('THE (quick) fox'):find('%((%a+)%)')",
    "('hello.world'):match('[^.]+$')",
    "('a]b'):match('[]]')",
    "('a-b'):match('[a%-]+')",
    "('x^y'):match('[%^x]+')",
    "('2026-11-22'):match('(%d+)-(%d+)-(%d+)')",
    "('THE (quick) fox'):gsub('%f[%a]%a+', string.lower)",
    "('hello world'):gsub('o', '0', 1)",
    "('abc'):gsub('', '-')",
    "('abc'):gsub('%w', '%0%0')",
    "('abc def'):gsub('(%w+) (%w+)', '%2 %1')",
    "('$name is $age'):gsub('%$(%w+)', { name = 'x' })",
    "('abc'):gsub('b', function() return false end)",
    "('abc'):gsub('^a', 'x')",
    "('aaa'):gsub('^a', 'x')",
    "('abab'):match('^(ab)%1$')",
    "('aXb'):match('%u')",
    "('a\\0b'):find('%z')",
    "('a\\0b'):match('[%w\\0]+')",
    "('ab12'):match('%a*%d?')",
    "('ab'):match('(a)(x?)(b)')",
    "('x'):rep(20):match('x-x')",
    "('[[x]]'):match('%[%[(.*)%]%]')",
    "('100%'):gsub('%%', ' percent')",
    "('a,b,,c'):gsub(',', ';', 2)",
    "('\\xe4b'):match('[\\x80-\\xff]')",
    "('b'):match('[a-]')",
    "('-'):match('[a-]')",
    "('%'):match('[%%]')",
    "('abc'):find('b', 1e9 | 0)",
    "('abc'):match('.-$')",
};

static const char loop[] =
    "local out = {} for k, v in ('k=1, l=2,m=3'):gmatch('(%w)=(%d)') do "
    "out[#out + 1] = k .. v end for w in ('a b  c'):gmatch('%S*') do "
    "out[#out + 1] = '<' .. w .. '>' end return table.concat(out, ' ')";

struct pattern_job {
	const char *source;
	char text[512];
	bool own;
};

static int
run_pattern(lua_State *L)
{
	struct pattern_job *job = lua_touserdata(L, 1);
	size_t used = 0;

	if (job->own)
		world_push(L);
	lua_settop(L, 0);
	if (luaL_loadbufferx(L, job->source, strlen(job->source), "=p", "t") !=
	    LUA_OK)
		lua_error(L);
	lua_call(L, 0, LUA_MULTRET);
	for (int i = 1; i <= lua_gettop(L); i++) {
		luaL_tolstring(L, i, NULL);
		used += (size_t)snprintf(job->text + used,
		    sizeof(job->text) - used, "%s|", lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	return 0;
}

static void
compare_pattern(const char *source)
{
	struct pattern_job own = {source, "", true};
	struct pattern_job stock = {source, "", false};
	struct script_failure failure;
	struct box box;
	lua_State *L = luaL_newstate();

	luaL_openlibs(L);
	lua_pushcfunction(L, run_pattern);
	lua_pushlightuserdata(L, &stock);
	assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_OK);
	lua_close(L);
	box_open(&box, NULL);
	if (box_run(&box, run_pattern, &own, &failure) < 0)
		fail_msg("%s: %s", source, failure.text);
	box_close(&box);
	if (strcmp(own.text, stock.text) != 0)
		fail_msg("%s: ours %s, Lua's %s", source, own.text, stock.text);
}

static void
test_patterns_are_those_of_lua(void **state)
{
	char source[300];

	(void)state;
	for (size_t i = 0; i < COUNT(patterns); i++) {
		snprintf(source, sizeof(source), "return %s", patterns[i]);
		compare_pattern(source);
	}
	compare_pattern(loop);
}

static void
test_values_have_one_form(void **state)
{
	struct arena *arena = arena_new();
	struct script_failure failure;
	struct json *value = NULL;
	struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(
	    values_of_chunk(arena, "v",
		bytes_of("return { s = set { 'b', 'a', 'b' }, l = list {}, "
			 "m = map {}, e = {}, p = { 2, 1 }, n = 3.0, "
			 "d = digest 'abc', es = set {} }"),
		&value, &failure),
	    0);
	json_write(&out, value);
	assert_string_equal(buf_str(&out),
	    "{\"d\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff6"
	    "1f20015ad\",\"e\":{},\"es\":[],\"l\":[],\"m\":{},\"n\":3,\"p\":"
	    "[2,1],\"s\":[\"a\",\"b\"]}");
	buf_reset(&out);
	/* pairs goes by the keys, not by the hash */
	assert_int_equal(
	    values_of_chunk(arena, "v",
		bytes_of("local o = {} for k in pairs { z = 1, b = 1, "
			 "[10] = 1, a = 1, [2] = 1, k = 1 } do o[#o + 1] = k "
			 "end return o"),
		&value, &failure),
	    0);
	json_write(&out, value);
	assert_string_equal(buf_str(&out), "[2,10,\"a\",\"b\",\"k\",\"z\"]");
	buf_free(&out);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bad_probes_end_with_their_fault),
	    cmocka_unit_test(test_a_failure_names_file_and_line),
	    cmocka_unit_test(test_bad_descriptors_are_refused),
	    cmocka_unit_test(test_a_descriptor_as_json),
	    cmocka_unit_test(test_expressions),
	    cmocka_unit_test(test_compile_only_runs_nothing),
	    cmocka_unit_test(test_patterns_are_those_of_lua),
	    cmocka_unit_test(test_values_have_one_form),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
