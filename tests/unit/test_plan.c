/*
 * Plans: a table of wrong ones, each wrong in one thing, and what the right
 * ones become. tests/tables/plan/NAME.yml must give exactly NAME.err (BLESS=1
 * writes it: read it then).
 * covers: P11 (a clear error with file:line:column)
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "plan/plan.h"

#define TABLE "tests/tables/plan"

struct blobs {
	int count;
	char last[65];
	size_t size;
};

static int
blob_seen(void *arg, const char *sha256, struct bytes content, struct err *err)
{
	struct blobs *blobs = arg;

	blobs->count++;
	blobs->size = content.len;
	snprintf(blobs->last, sizeof(blobs->last), "%s", sha256);
	return 0;
}

static size_t
load_modules(struct arena *arena, struct plan_module **out)
{
	struct buf text = BUF_INIT;
	struct json *list = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    file_read(TABLE "/modules.json", 1 << 20, &text, &err), 0);
	if (json_parse(arena, text.data, text.len, "modules", &list, &err) < 0)
		fail_msg("%s", err.text);
	buf_free(&text);
	*out = arena_array(arena, struct plan_module, list->count);
	for (size_t i = 0; i < list->count; i++) {
		(*out)[i].name = json_get_text(list->items[i], "name", "");
		(*out)[i].descriptor = list->items[i];
	}
	return list->count;
}

static int
read_and_bind(struct arena *arena, const char *name, const char *text,
    size_t len, struct blobs *blobs, struct plan **plan, struct err *err)
{
	struct plan_module *modules = NULL;
	size_t count = load_modules(arena, &modules);
	int r;

	r = plan_read(arena, name, text, len, plan, err);
	if (r < 0)
		return r;
	return plan_bind(arena, *plan, modules, count, TABLE "/files",
	    blob_seen, blobs, err);
}

/* A plan that must be right. */
static struct plan *
read_good(struct arena *arena, const char *text, struct blobs *blobs)
{
	struct plan *plan = NULL;
	struct err err = ERR_INIT;

	if (read_and_bind(
		arena, "p.yml", text, strlen(text), blobs, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

#define HEAD                                                                   \
	"change: Greeting\n"                                                   \
	"reason: OPS-1\n"                                                      \
	"targets: web\n"

static int
try_case(const char *file)
{
	struct arena *arena = arena_new();
	struct buf text = BUF_INIT, wanted = BUF_INIT;
	struct blobs blobs = {0};
	struct plan *plan = NULL;
	struct err err = ERR_INIT, other = ERR_INIT;
	char *path = file_join(arena, TABLE, file);
	char *answer =
	    arena_printf(arena, "%.*s.err", (int)strlen(path) - 4, path);
	int wrong = 0;

	assert_int_equal(file_read(path, 1 << 20, &text, &other), 0);
	if (read_and_bind(
		arena, file, text.data, text.len, &blobs, &plan, &err) == 0)
		snprintf(err.text, sizeof(err.text), "no error");
	else if (err.code != ERR_PLAN)
		snprintf(err.text, sizeof(err.text), "not ERR_PLAN");
	if (getenv("BLESS") != NULL) {
		buf_printf(&wanted, "%s\n", err.text);
		assert_int_equal(
		    file_write(answer, buf_bytes(&wanted), 0644, &other), 0);
	} else if (file_read(answer, 1 << 16, &wanted, &other) < 0) {
		print_error("%s\n", other.text);
		wrong = 1;
	} else if (wanted.len != strlen(err.text) + 1 ||
		   strncmp(buf_str(&wanted), err.text, wanted.len - 1) != 0) {
		print_error("%s\n  wanted: %s  is:     %s\n", file,
		    buf_str(&wanted), err.text);
		wrong = 1;
	}
	buf_free(&text);
	buf_free(&wanted);
	arena_free(arena);
	return wrong;
}

static int
is_case(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".yml") == 0;
}

static void
a_wrong_plan_is_refused_with_its_place(void **state)
{
	struct dirent **cases = NULL;
	int count = scandir(TABLE, &cases, is_case, alphasort), wrong = 0;

	assert_true(count > 100);
	for (int i = 0; i < count; i++) {
		wrong += try_case(cases[i]->d_name);
		free(cases[i]);
	}
	free(cases);
	assert_int_equal(wrong, 0);
}

static const char full[] =
    "change: Shop ${{ inputs.version }}\n"
    "reason: SHOP-412\n"
    "risk: emergency\n"
    "targets: web & !maintenance\n"
    "inputs: { version: { match: \"^[0-9.]+$\", default: \"2.4\" } }\n"
    "vars: { unit: \"${{ facts.os }}\" }\n"
    "waves:\n"
    "  - { name: canary, hosts: 1, soak: 10m }\n"
    "  - { of: tokyo, hosts: rest }\n"
    "  - { hosts: 25%, at_once: 5 }\n"
    "  - { hosts: rest, at_once: 20 }\n"
    "limits: { failed: 2, unreachable: 5%, excluded: 100%, "
    "unreverted: 10% }\n"
    "rollback: { host_failed: wave, limit: hold }\n"
    "spread: { rack: 1, cluster: 2 }\n"
    "checks:\n"
    "  - { command: [test, '!', -e, /etc/incident], at: before }\n"
    "  - { http: { url: \"https://${{ host.address }}/\", status: 200,\n"
    "      body: /ok/, ca: sub/ca.pem, verify: no },\n"
    "      at: [after, soak], within: 2m, every: 15s, for: 30s,\n"
    "      timeout: 1s, name: Ready }\n"
    "  - { tcp: 443 }\n"
    "  - { service: nginx }\n"
    "steps:\n"
    "  - package: { name: [openssl, libssl3], version: newest }\n"
    "    notify: [reload nginx, restart shop]\n"
    "    timeout: 5m\n"
    "  - name: Migrate\n"
    "    run: [/opt/migrate, --to, \"${{ inputs.version }}\"]\n"
    "    unless: [/opt/migrate, --at, \"${{ inputs.version }}\"]\n"
    "    as: shop\n"
    "    retry: { times: 3, every: 20s }\n"
    "    rollback:\n"
    "      - run: [/opt/migrate, --back]\n"
    "      - file: { mode: 0600, path: /etc/back }\n"
    "  - shell: |\n"
    "      echo \"$V\"\n"
    "      exit 0\n"
    "    env: { V: \"${{ vars.unit }}\" }\n"
    "    when: changed(\"Migrate\") or not changed('package openssl libssl3')\n"
    "    rollback: keep\n"
    "    because: a read\n"
    "  - file: { path: /etc/back, template: sub/app.conf }\n"
    "  - file: { path: /etc/motd, source: motd }\n"
    "  - file: { path: /etc/issue, source: inside }\n"
    "handlers:\n"
    "  restart shop: { service: { name: \"${{ vars.unit }}\",\n"
    "    state: restarted, enabled: yes } }\n"
    "  reload nginx: { service: { name: nginx, state: reloaded },\n"
    "    timeout: 30s }\n";

static void
a_plan_becomes_what_it_says(void **state)
{
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	const struct plan *plan = read_good(arena, full, &blobs);
	const struct phase *phase = &plan->phases[0];
	const struct step *step;

	assert_string_equal(plan->change, "Shop ${{ inputs.version }}");
	assert_string_equal(plan->reason, "SHOP-412");
	assert_int_equal(plan->risk, RISK_EMERGENCY);
	assert_string_equal(plan_risk_name(plan->risk), "emergency");
	assert_string_equal(phase->targets, "web & !maintenance");
	assert_int_equal(phase->targets_place.line, 4);
	assert_int_equal(phase->targets_place.col, 10);
	assert_int_equal(plan->input_count, 1);
	assert_string_equal(plan->inputs[0].text, "2.4");
	assert_string_equal(plan->inputs[0].match, "^[0-9.]+$");
	assert_string_equal(plan->vars[0].name, "unit");
	assert_string_equal(plan->vars[0].text, "${{ facts.os }}");

	assert_int_equal(plan->failed.amount, 2);
	assert_false(plan->failed.percent);
	assert_true(plan->unreachable.percent);
	assert_true(plan->unreverted.set && plan->unreverted.percent);
	assert_int_equal(plan->host_failed, BACK_WAVE);
	assert_int_equal(plan->limit, BACK_HOLD);
	assert_string_equal(plan_back_name(plan->limit), "hold");
	assert_int_equal(plan->spread_count, 2);
	assert_string_equal(plan->spreads[1].key, "cluster");
	assert_int_equal(plan->spreads[1].most, 2);

	/* ids in the text's order, rollback steps behind theirs, handlers
	 * last */
	assert_int_equal(plan->last_id, 10);
	assert_int_equal(phase->step_count, 6);
	assert_int_equal(phase->steps[1].id, 2);
	assert_int_equal(phase->steps[1].back_steps[1].id, 4);
	assert_int_equal(phase->steps[2].id, 5);
	assert_int_equal(plan->handlers[0].id, 9);
	assert_null(plan->by_id[0]);
	for (int id = 1; id <= plan->last_id; id++)
		assert_int_equal(plan->by_id[id]->id, id);
	assert_true(plan->by_id[4]->of_rollback);
	assert_true(plan->by_id[10]->handler);
	assert_false(plan->by_id[5]->of_rollback);

	step = &phase->steps[0];
	assert_int_equal(step->notify_count, 2);
	assert_int_equal(step->notify[0], 10);
	assert_int_equal(step->notify[1], 9);
	assert_int_equal(step->timeout_ms, 300000);
	assert_int_equal(step->back, STEP_BACK_DERIVED);
	step = &phase->steps[1];
	assert_int_equal(step->timeout_ms, 600000);
	assert_int_equal(step->retry_times, 3);
	assert_int_equal(step->retry_every_ms, 20000);
	assert_int_equal(step->back, STEP_BACK_STEPS);
	assert_int_equal(step->back_count, 2);
	step = &phase->steps[2];
	assert_int_equal(step->back, STEP_BACK_KEEP);
	assert_string_equal(step->because, "a read");
	assert_int_equal(step->when_place.line, 39);

	assert_int_equal(plan->module_count, 5);
	assert_string_equal(plan->modules[0], "file");
	assert_string_equal(plan->modules[1], "package");
	assert_string_equal(plan->modules[4], "shell");
	assert_int_equal(plan->module_places[0].line, 34);
	assert_int_equal(plan->module_places[0].col, 9);
	arena_free(arena);
}

static void
waves_are_counts_percentages_and_the_rest(void **state)
{
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	const struct plan *plan = read_good(arena, full, &blobs);
	const struct wave *waves = plan->phases[0].waves;

	assert_int_equal(plan->phases[0].wave_count, 4);
	assert_string_equal(waves[0].name, "canary");
	assert_int_equal(waves[0].size, WAVE_COUNT);
	assert_int_equal(waves[0].amount, 1);
	assert_int_equal(waves[0].soak_ms, 600000);
	assert_int_equal(waves[0].at_once, 0);
	assert_string_equal(waves[1].name, "wave 2");
	assert_int_equal(waves[1].size, WAVE_REST);
	assert_string_equal(waves[1].of, "tokyo");
	assert_int_equal(waves[2].size, WAVE_PERCENT);
	assert_int_equal(waves[2].amount, 25);
	assert_int_equal(waves[2].at_once, 5);
	assert_null(waves[3].of);
	arena_free(arena);
}

static void
assert_json(const struct json *value, const char *wanted)
{
	struct buf text = BUF_INIT;

	assert_non_null(value);
	json_write(&text, value);
	assert_string_equal(buf_str(&text), wanted);
	buf_free(&text);
}

static void
a_check_becomes_its_spec(void **state)
{
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	const struct plan *plan = read_good(arena, full, &blobs);
	const struct check *checks = plan->checks;

	assert_int_equal(plan->check_count, 4);
	assert_int_equal(checks[0].kind, CHECK_COMMAND);
	assert_int_equal(checks[0].at, CHECK_BEFORE);
	assert_json(checks[0].spec,
	    "{\"command\":[\"test\",\"!\",\"-e\",\"/etc/incident\"]}");
	assert_string_equal(checks[0].name, "command test ! -e /etc/incident");
	assert_int_equal(checks[0].within_ms, 0);
	assert_int_equal(checks[0].every_ms, 5000);
	assert_int_equal(checks[0].timeout_ms, 10000);
	assert_string_equal(checks[1].name, "Ready");
	assert_int_equal(checks[1].at, CHECK_AFTER | CHECK_SOAK);
	assert_int_equal(checks[1].within_ms, 120000);
	assert_int_equal(checks[1].every_ms, 15000);
	assert_int_equal(checks[1].for_ms, 30000);
	assert_int_equal(checks[1].timeout_ms, 1000);
	assert_json(checks[1].spec,
	    "{\"body\":\"/ok/\",\"ca\":\"not a real one\\n\",\"status\":200,"
	    "\"url\":\"https://${{ host.address }}/\",\"verify\":false}");
	assert_int_equal(checks[2].at, CHECK_BEFORE | CHECK_AFTER | CHECK_SOAK);
	assert_json(checks[2].spec,
	    "{\"address\":\"${{ host.address }}\",\"port\":443}");
	assert_string_equal(checks[2].name, "tcp 443");
	assert_json(checks[3].spec, "{\"name\":\"nginx\"}");
	assert_string_equal(plan_check_kind_name(checks[3].kind), "service");
	assert_int_equal(checks[3].id, 4);
	arena_free(arena);
}

static void
params_are_typed_by_the_descriptor(void **state)
{
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	const struct plan *plan = read_good(arena, full, &blobs);

	assert_json(plan->by_id[1]->params,
	    "{\"name\":[\"openssl\",\"libssl3\"],\"version\":\"newest\"}");
	/* what stands beside the module's key */
	assert_json(plan->by_id[2]->params,
	    "{\"argv\":[\"/opt/migrate\",\"--to\",\"${{ inputs.version }}\"],"
	    "\"as\":\"shop\",\"unless\":[\"/opt/migrate\",\"--at\","
	    "\"${{ inputs.version }}\"]}");
	/* 0600 is what it looks like */
	assert_json(plan->by_id[4]->params,
	    "{\"mode\":\"0600\",\"path\":\"/etc/back\"}");
	assert_json(plan->by_id[5]->params,
	    "{\"env\":{\"V\":\"${{ vars.unit }}\"},"
	    "\"text\":\"echo \\\"$V\\\"\\nexit 0\\n\"}");
	assert_json(plan->by_id[9]->params,
	    "{\"enabled\":true,\"name\":\"${{ vars.unit }}\","
	    "\"state\":\"restarted\"}");
	/* a default, and a template's text */
	assert_json(plan->by_id[6]->params,
	    "{\"mode\":\"0644\",\"path\":\"/etc/back\",\"template\":"
	    "\"listen = 8080\\nworkers = ${{ host.vars.cores }}\\n\\n"
	    "name = ${{ host.name }}\\n\"}");
	arena_free(arena);
}

static void
a_source_file_is_a_digest_and_is_handed_out_once(void **state)
{
	/* sha256sum of files/motd */
	static const char sha256[] = "59d6413948a585db9a15042888fcd7ca"
				     "4c85416ac2f71f1a80c9c83df78b3a56";
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	const struct plan *plan = read_good(arena, full, &blobs);
	const struct json *source = json_get(plan->by_id[7]->params, "source");

	/* by_id[8] names the same bytes through a link that stays inside */
	assert_int_equal(blobs.count, 1);
	assert_int_equal(blobs.size, 9);
	assert_string_equal(blobs.last, sha256);
	assert_string_equal(json_get_text(source, "sha256", ""), sha256);
	assert_int_equal(json_get_int(source, "size", 0), 9);
	assert_true(
	    json_equal(source, json_get(plan->by_id[8]->params, "source")));
	arena_free(arena);
}

static void
a_value_with_an_expression_is_judged_later(void **state)
{
	static const char text[] = HEAD
	    "waves: [{ hosts: rest }]\n"
	    "steps:\n"
	    "  - probe_all: { count: \"${{ vars.n }}\", flags: { a: b },\n"
	    "      extra: { deep: [1, no, ~] } }\n"
	    "  - probe_all: { count: -7 }\n"
	    "  - file: { path: \"${{ vars.p }}\", state: \"${{ vars.s }}\",\n"
	    "      mode: \"${{ vars.m }}\" }\n"
	    "  - run: \"${{ vars.one two }}\"\n"
	    "    rollback: stop\n"
	    "    because: x\n";
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	const struct plan *plan = read_good(arena, text, &blobs);

	/* `any` keeps what was written: no guess at no, 1 or ~ */
	assert_json(plan->by_id[1]->params,
	    "{\"count\":\"${{ vars.n }}\",\"extra\":{\"deep\":[\"1\",\"no\","
	    "\"~\"]},\"flags\":{\"a\":\"b\"}}");
	assert_json(plan->by_id[2]->params, "{\"count\":-7}");
	assert_json(plan->by_id[3]->params,
	    "{\"mode\":\"${{ vars.m }}\",\"path\":\"${{ vars.p }}\","
	    "\"state\":\"${{ vars.s }}\"}");
	assert_json(
	    plan->by_id[4]->params, "{\"argv\":[\"${{ vars.one two }}\"]}");
	assert_int_equal(plan->by_id[4]->back, STEP_BACK_STOP);
	arena_free(arena);
}

static void
a_step_without_a_name_is_called_after_its_subject(void **state)
{
	static const char text[] =
	    HEAD "waves: [{ hosts: rest }]\n"
		 "steps:\n"
		 "  - file: { content: hi, path: /etc/motd }\n"
		 "  - file: { content: hi, path: /etc/motd }\n"
		 "  - name: file /etc/motd (3)\n"
		 "    file: { path: /etc/motd }\n"
		 "  - file: { content: hi, path: /etc/motd }\n"
		 "  - package: { version: newest, name: [a, b] }\n"
		 "  - shell: \"\\n  printf 'a\\tb'   \\nmore\"\n"
		 "    rollback: keep\n"
		 "    because: x\n"
		 "  - run: [/bin/\xe4\xbf\x9d\xe5\xae\x88, "
		 "\"0123456789012345678901234567890123456789\"]\n"
		 "    rollback: keep\n"
		 "    because: x\n"
		 "  - probe_all: { count: 3 }\n";
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	const struct plan *plan = read_good(arena, text, &blobs);
	static const char *const names[] = {"", "file /etc/motd",
	    "file /etc/motd (2)", "file /etc/motd (3)", "file /etc/motd (4)",
	    "package a b", "shell printf 'a b'",
	    "run /bin/\xe4\xbf\x9d\xe5\xae\x88 01234567890123456789"
	    "012345678901",
	    "probe_all 3"};

	for (int id = 1; id <= plan->last_id; id++)
		assert_string_equal(plan->by_id[id]->name, names[id]);
	assert_false(plan->by_id[1]->named);
	assert_true(plan->by_id[3]->named);
	arena_free(arena);
}

static int
expression_seen(
    void *arg, const char *text, bool bare, struct place place, struct err *err)
{
	buf_printf(arg, "%s:%d:%d %s%s\n", place.file, place.line, place.col,
	    bare ? "lua " : "", text);
	return 0;
}

static void
every_expression_is_listed_with_its_place(void **state)
{
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	struct buf list = BUF_INIT;
	struct err err = ERR_INIT;
	const struct plan *plan = read_good(arena, full, &blobs);

	assert_int_equal(
	    plan_expressions(plan, expression_seen, &list, &err), 0);
	assert_string_equal(buf_str(&list),
	    "p.yml:1:9 Shop ${{ inputs.version }}\n"
	    "p.yml:6:15 ${{ facts.os }}\n"
	    "p.yml:17:20 https://${{ host.address }}/\n"
	    "p.yml:28:31 ${{ inputs.version }}\n"
	    "p.yml:29:34 ${{ inputs.version }}\n"
	    "p.yml:39:11 lua changed(\"Migrate\") or not "
	    "changed('package openssl libssl3')\n"
	    "p.yml:38:15 ${{ vars.unit }}\n"
	    "sub/app.conf:2:11 workers = ${{ host.vars.cores }}\n"
	    "sub/app.conf:4:8 name = ${{ host.name }}\n"
	    "p.yml:46:36 ${{ vars.unit }}\n");
	buf_free(&list);
	arena_free(arena);
}

static int
expression_refused(
    void *arg, const char *text, bool bare, struct place place, struct err *err)
{
	return err_at(err, ERR_PLAN, place, "no");
}

static void
the_first_refused_expression_ends_the_list(void **state)
{
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	struct err err = ERR_INIT;
	const struct plan *plan = read_good(arena, full, &blobs);

	assert_int_equal(
	    plan_expressions(plan, expression_refused, NULL, &err), -ERR_PLAN);
	assert_string_equal(err.text, "p.yml:1:9: no");
	arena_free(arena);
}

static void
a_percentage_is_rounded_to_the_smaller_number_but_never_below_one(void **state)
{
	struct limit limit = {.set = true, .percent = true, .amount = 5};

	assert_int_equal(plan_limit_hosts(&limit, 100), 5);
	assert_int_equal(plan_limit_hosts(&limit, 119), 5);
	assert_int_equal(plan_limit_hosts(&limit, 39), 1);
	assert_int_equal(plan_limit_hosts(&limit, 3), 1);
	limit.percent = false;
	assert_int_equal(plan_limit_hosts(&limit, 3), 5);
	limit.set = false;
	assert_int_equal(plan_limit_hosts(&limit, 3), INT_MAX);
}

static void
an_emergency_may_leave_nothing_to_go_back_to(void **state)
{
	static const char text[] = HEAD "risk: emergency\n"
					"rollback: none\n"
					"waves: [{ hosts: rest }]\n"
					"steps: [{ run: [rm, /etc/key] }]\n";
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	const struct plan *plan = read_good(arena, text, &blobs);

	assert_int_equal(plan->host_failed, BACK_NONE);
	assert_int_equal(plan->limit, BACK_NONE);
	arena_free(arena);
}

static void
the_same_bytes_give_the_same_plan(void **state)
{
	struct arena *arena = arena_new();
	struct blobs blobs = {0};
	struct buf one = BUF_INIT, two = BUF_INIT;
	const struct plan *plan;

	for (int i = 0; i < 2; i++) {
		struct buf *out = i == 0 ? &one : &two;

		plan = read_good(arena, full, &blobs);
		for (int id = 1; id <= plan->last_id; id++) {
			buf_puts(out, plan->by_id[id]->name);
			json_write(out, plan->by_id[id]->params);
		}
	}
	assert_string_equal(buf_str(&one), buf_str(&two));
	buf_free(&one);
	buf_free(&two);
	arena_free(arena);
}

/* A plan with one file of so many bytes; the error, or "". */
static void
try_size(const char *param, off_t size, const char *wanted)
{
	struct arena *arena = arena_new();
	struct plan_module *modules = NULL;
	size_t count = load_modules(arena, &modules);
	struct blobs blobs = {0};
	struct plan *plan = NULL;
	struct err err = ERR_INIT;
	char *folder = NULL;
	const char *text = arena_printf(arena,
	    HEAD "waves: [{ hosts: rest }]\n"
		 "steps: [{ file: { path: /a, %s: big } }]\n",
	    param);

	assert_int_equal(file_make_temporary(arena, &folder, &err), 0);
	assert_int_equal(file_write(file_join(arena, folder, "big"),
			     bytes_of(""), 0600, &err),
	    0);
	assert_int_equal(truncate(file_join(arena, folder, "big"), size), 0);
	assert_int_equal(
	    plan_read(arena, "p", text, strlen(text), &plan, &err), 0);
	assert_int_equal(plan_bind(arena, plan, modules, count, folder,
			     blob_seen, &blobs, &err),
	    *wanted != '\0' ? -ERR_PLAN : 0);
	assert_string_equal(err.text, wanted);
	file_remove_tree(folder);
	arena_free(arena);
}

static void
a_file_has_a_limit(void **state)
{
	try_size("source", 16 << 20, "");
	try_size("source", (16 << 20) + 1,
	    "p:5:37: file: source: 'big' is larger than the 16 MiB allowed "
	    "here");
	try_size("template", (1 << 20) + 1,
	    "p:5:39: file: template: 'big' is larger than the 1 MiB allowed "
	    "here");
}

static void
the_plans_to_copy_from_are_right(void **state)
{
	struct dirent **files = NULL;
	int count = scandir("playbooks", &files, is_case, alphasort);

	assert_true(count >= 3);
	for (int i = 0; i < count; i++) {
		struct arena *arena = arena_new();
		struct buf text = BUF_INIT, list = BUF_INIT;
		struct plan_module *modules = NULL;
		size_t module_count = load_modules(arena, &modules);
		struct blobs blobs = {0};
		struct plan *plan = NULL;
		struct err err = ERR_INIT;
		char *path = file_join(arena, "playbooks", files[i]->d_name);

		if (file_read(path, 1 << 20, &text, &err) < 0 ||
		    plan_read(arena, path, text.data, text.len, &plan, &err) <
			0 ||
		    plan_bind(arena, plan, modules, module_count, "files",
			blob_seen, &blobs, &err) < 0 ||
		    plan_expressions(plan, expression_seen, &list, &err) < 0)
			fail_msg("%s", err.text);
		buf_free(&text);
		buf_free(&list);
		arena_free(arena);
		free(files[i]);
	}
	free(files);
}

static void
too_many_steps_are_refused(void **state)
{
	struct arena *arena = arena_new();
	struct buf text = BUF_INIT;
	struct plan *plan = NULL;
	struct err err = ERR_INIT;

	buf_puts(&text, HEAD "waves: [{ hosts: rest }]\nsteps:\n");
	for (int i = 0; i < 1000; i++)
		buf_puts(&text, "  - file: { path: /a }\n");
	assert_int_equal(
	    plan_read(arena, "p", text.data, text.len, &plan, &err), 0);
	assert_string_equal(plan->by_id[1000]->name, "file /a (1000)");
	buf_puts(&text, "  - file: { path: /a }\n");
	assert_int_equal(
	    plan_read(arena, "p", text.data, text.len, &plan, &err), -ERR_PLAN);
	assert_string_equal(
	    err.text, "p:6:3: steps: 1001 are too many; at most 1000");
	/* a list is short enough, all of them together are not */
	buf_reset(&text);
	buf_puts(&text, HEAD "waves: [{ hosts: rest }]\nsteps:\n");
	for (int i = 0; i < 501; i++)
		buf_puts(&text,
		    "  - { file: { path: /a }, rollback: [{ run: [a] }] }\n");
	assert_int_equal(
	    plan_read(arena, "p", text.data, text.len, &plan, &err), -ERR_PLAN);
	assert_non_null(strstr(err.text, "more than 1000 steps"));
	buf_free(&text);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_wrong_plan_is_refused_with_its_place),
	    cmocka_unit_test(a_plan_becomes_what_it_says),
	    cmocka_unit_test(waves_are_counts_percentages_and_the_rest),
	    cmocka_unit_test(a_check_becomes_its_spec),
	    cmocka_unit_test(params_are_typed_by_the_descriptor),
	    cmocka_unit_test(a_source_file_is_a_digest_and_is_handed_out_once),
	    cmocka_unit_test(a_value_with_an_expression_is_judged_later),
	    cmocka_unit_test(a_step_without_a_name_is_called_after_its_subject),
	    cmocka_unit_test(every_expression_is_listed_with_its_place),
	    cmocka_unit_test(the_first_refused_expression_ends_the_list),
	    cmocka_unit_test(
		a_percentage_is_rounded_to_the_smaller_number_but_never_below_one),
	    cmocka_unit_test(an_emergency_may_leave_nothing_to_go_back_to),
	    cmocka_unit_test(the_same_bytes_give_the_same_plan),
	    cmocka_unit_test(a_file_has_a_limit),
	    cmocka_unit_test(the_plans_to_copy_from_are_right),
	    cmocka_unit_test(too_many_steps_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
