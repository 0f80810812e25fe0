/*
 * The inventory and its selectors.
 * covers: P8, P11
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
#include "hosts/hosts.h"
#include "table.h"

struct test {
	struct arena *arena;
	char *folder;
	char *path;
};

static int
setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct err err = ERR_INIT;

	t->arena = arena_new();
	if (file_make_temporary(t->arena, &t->folder, &err) < 0)
		fail_msg("%s", err.text);
	t->path = file_join(t->arena, t->folder, "hosts.yml");
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

static int
load(struct test *t, struct bytes text, struct inventory **out, struct err *err)
{
	int r = file_write(t->path, text, 0600, err);

	return r < 0 ? r : inventory_load(t->arena, t->path, out, err);
}

static struct inventory *
must_load(struct test *t, const char *text)
{
	struct inventory *inventory = NULL;
	struct err err = ERR_INIT;

	if (load(t, bytes_of(text), &inventory, &err) < 0)
		fail_msg("%s", err.text);
	return inventory;
}

/* Every `from` in text becomes `to`. */
static char *
replace(struct test *t, const char *text, const char *from, const char *to)
{
	struct buf out = BUF_INIT;
	const char *found;
	char *made;

	while ((found = strstr(text, from)) != NULL) {
		buf_put(&out, text, (size_t)(found - text));
		buf_puts(&out, to);
		text = found + strlen(from);
	}
	buf_puts(&out, text);
	made = arena_strdup(t->arena, buf_str(&out));
	buf_free(&out);
	return made;
}

static void
assert_vars(
    const struct inventory *inventory, const char *host, const char *want)
{
	struct buf out = BUF_INIT;

	json_write(&out, inventory_host(inventory, host)->vars);
	assert_string_equal(buf_str(&out), want);
	buf_free(&out);
}

static const char lab[] = "hosts:\n"
			  "  web1:\n"
			  "  web2: {}\n"
			  "  web3:\n"
			  "  db1:\n"
			  "groups:\n"
			  "  web: { hosts: [web1, web2, web3] }\n"
			  "  db: { hosts: [db1, db2] }\n"
			  "  shop: { groups: [web, db] }\n"
			  "  maintenance: { hosts: [web2] }\n"
			  "  edge: { hosts: [lb, web1] }\n"
			  "  misc: { hosts: [cache.x-1] }\n"
			  "  empty: {}\n";

static void
a_host_is_read_with_all_it_says(void **state)
{
	static const char text[] =
	    "vars: { zone: tokyo, n: 3 }\n"
	    "groups:\n"
	    "  web: { hosts: [web1, web2], vars: { tier: front } }\n"
	    "hosts:\n"
	    "  web1: { address: 10.0.0.1, port: 2222, user: ops, become: "
	    "sudo,\n"
	    "          vars: { rack: a, on: true, list: [x, 1] } }\n"
	    "  v6: { address: 'fe80::1%eth0' }\n";
	struct inventory *inventory = must_load(*state, text);
	const struct host *host = inventory_host(inventory, "web1");

	assert_int_equal(inventory->count, 3);
	assert_int_equal(host->id, 0);
	assert_string_equal(host->address, "10.0.0.1");
	assert_int_equal(host->port, 2222);
	assert_string_equal(host->user, "ops");
	assert_string_equal(host->become, "sudo");
	assert_int_equal(host->place.line, 5);
	assert_vars(inventory, "web1",
	    "{\"list\":[\"x\",1],\"n\":3,\"on\":true,\"rack\":\"a\","
	    "\"tier\":\"front\",\"zone\":\"tokyo\"}");
	host = inventory_host(inventory, "web2");
	assert_null(host->address);
	assert_int_equal(host->port, 0);
	assert_null(host->user);
	assert_string_equal(host->become, "none");
	assert_string_equal(
	    inventory_host(inventory, "v6")->address, "fe80::1%eth0");
	assert_null(inventory_host(inventory, "web"));
	assert_null(inventory->ssh_config);
}

static void
a_password_is_the_hosts_or_that_of_all(void **state)
{
	static const char text[] =
	    "become: { method: sudo, password: { command: [pass, show, ops] } "
	    "}\n"
	    "hosts:\n"
	    "  web1:\n"
	    "  web2: { become: none }\n"
	    "  web3: { become: sudo }\n"
	    "  web4: { become: { method: sudo, password: { command: own } } }\n"
	    "  web5: { become: { method: sudo } }\n";
	struct inventory *inventory = must_load(*state, text);
	const struct host *host = inventory_host(inventory, "web1");

	assert_string_equal(host->become, "sudo");
	assert_string_equal(host->password[0], "pass");
	assert_string_equal(host->password[1], "show");
	assert_string_equal(host->password[2], "ops");
	assert_null(host->password[3]);
	host = inventory_host(inventory, "web2");
	assert_string_equal(host->become, "none");
	assert_null(host->password);
	host = inventory_host(inventory, "web3");
	assert_string_equal(host->become, "sudo");
	assert_null(host->password);
	host = inventory_host(inventory, "web4");
	assert_string_equal(host->password[0], "own");
	assert_null(host->password[1]);
	host = inventory_host(inventory, "web5");
	assert_string_equal(host->become, "sudo");
	assert_null(host->password);
}

/* hosts: first, then by first mention in groups, as the text has them. */
static void
the_order_is_that_of_the_text(void **state)
{
	static const char *const order[] = {
	    "web1", "web2", "web3", "db1", "db2", "lb", "cache.x-1"};
	static const char *const groups[] = {
	    "db", "edge", "empty", "maintenance", "misc", "shop", "web"};
	struct inventory *inventory = must_load(*state, lab);

	assert_int_equal(inventory->count, 7);
	for (int i = 0; i < 7; i++) {
		assert_string_equal(inventory->hosts[i].name, order[i]);
		assert_int_equal(inventory->hosts[i].id, i);
		assert_ptr_equal(
		    inventory_host(inventory, order[i]), &inventory->hosts[i]);
	}
	assert_int_equal(inventory->group_count, 7);
	for (int i = 0; i < 7; i++)
		assert_string_equal(inventory->groups[i], groups[i]);
}

static void
a_host_knows_its_groups_and_theirs(void **state)
{
	struct inventory *inventory = must_load(*state, lab);
	const struct host *host = inventory_host(inventory, "web1");

	assert_int_equal(host->group_count, 3);
	assert_string_equal(host->groups[0], "edge");
	assert_string_equal(host->groups[1], "shop");
	assert_string_equal(host->groups[2], "web");
	host = inventory_host(inventory, "lb");
	assert_int_equal(host->group_count, 1);
}

static void
the_nearest_group_wins(void **state)
{
	static const char text[] =
	    "vars: { a: all, b: all, c: all, d: all }\n"
	    "groups:\n"
	    "  near: { hosts: [h, i], vars: { a: near, b: near } }\n"
	    "  far: { groups: [near], vars: { a: far, b: far, c: far } }\n"
	    "  farther: { groups: [far], vars: { c: no, e: farther } }\n"
	    "hosts:\n"
	    "  h: { vars: { a: host } }\n";
	struct inventory *inventory = must_load(*state, text);

	assert_vars(inventory, "h",
	    "{\"a\":\"host\",\"b\":\"near\",\"c\":\"far\",\"d\":\"all\","
	    "\"e\":\"farther\"}");
	assert_vars(inventory, "i",
	    "{\"a\":\"near\",\"b\":\"near\",\"c\":\"far\",\"d\":\"all\","
	    "\"e\":\"farther\"}");
}

/* Reached on two ways, a group counts by the shorter one. */
static void
a_group_is_as_near_as_its_shortest_way(void **state)
{
	static const char text[] =
	    "groups:\n"
	    "  a: { hosts: [h] }\n"
	    "  b: { groups: [a], vars: { x: b } }\n"
	    "  c: { groups: [b], hosts: [h], vars: { x: c } }\n";

	assert_vars(must_load(*state, text), "h", "{\"x\":\"c\"}");
}

static void
equally_near_groups_may_agree_or_be_overruled(void **state)
{
	static const char agree[] =
	    "groups:\n"
	    "  a: { hosts: [h], vars: { t: [1, {k: v}] } }\n"
	    "  b: { hosts: [h], vars: { t: [1, {k: v}] } }\n";
	static const char overruled[] = "groups:\n"
					"  a: { hosts: [h], vars: { t: 1 } }\n"
					"  b: { hosts: [h], vars: { t: 2 } }\n"
					"hosts: { h: { vars: { t: 3 } } }\n";

	assert_vars(must_load(*state, agree), "h", "{\"t\":[1,{\"k\":\"v\"}]}");
	assert_vars(must_load(*state, overruled), "h", "{\"t\":3}");
}

static void
a_wrong_inventory_is_refused_at_its_place(void **state)
{
	struct test *t = *state;
	struct inventory *inventory;
	struct table table;
	struct bytes text;
	struct err err;
	char *got;

	table_open(&table, "inventory_refused.txt", " | ");
	while (table_next(&table)) {
		err = (struct err)ERR_INIT;
		inventory = NULL;
		text.data = table.column[0];
		text.len = table_unescape(table.column[0]);
		if (load(t, text, &inventory, &err) != -ERR_PLAN)
			fail_msg("inventory_refused.txt:%d: not refused",
			    table.line);
		assert_null(inventory);
		got = replace(t, err.text, t->path, "INV");
		got = replace(t, got, t->folder, "FOLDER");
		if (strcmp(got, table.column[1]) != 0)
			fail_msg("inventory_refused.txt:%d: got: %s",
			    table.line, got);
	}
	assert_true(table.cases > 30);
}

static void
ssh_config_lies_beside_the_inventory(void **state)
{
	struct test *t = *state;
	struct inventory *inventory = NULL;
	struct err err = ERR_INIT;
	char *was = realpath(".", NULL), *real;
	char *config = file_join(t->arena, t->folder, "lab");

	assert_int_equal(file_make_folder(config, 0700, &err), 0);
	config = file_join(t->arena, config, "ssh_config");
	/* it need not be there before a host is reached */
	inventory = must_load(t, "ssh_config: lab/ssh_config\nhosts: { h: }\n");
	assert_string_equal(inventory->ssh_config, config);
	assert_int_equal(inventory->ssh_config_place.line, 1);
	assert_int_equal(inventory->ssh_config_place.col, 13);
	assert_int_equal(file_write(config, bytes_of(""), 0600, &err), 0);
	/* absolute also when the inventory was named from here */
	assert_int_equal(chdir(t->folder), 0);
	assert_int_equal(
	    inventory_load(t->arena, "hosts.yml", &inventory, &err), 0);
	assert_int_equal(chdir(was), 0);
	assert_int_equal(inventory->ssh_config[0], '/');
	real = realpath(inventory->ssh_config, NULL);
	assert_string_equal(real, config);
	free(real);
	free(was);
}

static void
selectors_choose_or_say_what_is_wrong(void **state)
{
	struct test *t = *state;
	struct inventory *inventory = must_load(t, lab);
	struct place place = {"t.yml", 3, 10};
	struct buf got = BUF_INIT;
	struct table table;
	struct err err;
	size_t count = 0;
	int *ids;
	int r;

	table_open(&table, "selectors.txt", " -> ");
	while (table_next(&table)) {
		table_unescape(table.column[0]);
		err = (struct err)ERR_INIT;
		ids = NULL;
		buf_reset(&got);
		r = hosts_select(t->arena, inventory, table.column[0], place,
		    &ids, &count, &err);
		if (r < 0) {
			assert_int_equal(r, -ERR_PLAN);
			assert_null(ids);
			buf_puts(
			    &got, replace(t, err.text, t->path, "INVENTORY"));
		} else
			assert_true(count > 0);
		for (size_t i = 0; r == 0 && i < count; i++)
			buf_printf(&got, "%s%s", i > 0 ? " " : "",
			    inventory->hosts[ids[i]].name);
		if (strcmp(buf_str(&got), table.column[1]) != 0)
			fail_msg("selectors.txt:%d: got: %s", table.line,
			    buf_str(&got));
	}
	assert_true(table.cases > 50);
	buf_free(&got);
}

static void
hostile_selectors_end_soon(void **state)
{
	static const char *const units[] = {"(", "!", "first(", "~", "|", "&",
	    "web|", "web&", "~a ", "web1,", ")", "~(", "~[", "\\", "~\\", "!(",
	    "~(a*)*|"};
	struct test *t = *state;
	struct inventory *inventory = must_load(t, lab);
	struct place place = {"t.yml", 1, 1};
	struct err err = ERR_INIT;
	size_t count = 0, len;
	char text[5001];
	int *ids = NULL;
	int r;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		for (size_t size = 1; size < sizeof(text);
		     size = size * 3 + 1) {
			len = 0;
			while (len + strlen(units[i]) < size) {
				strcpy(text + len, units[i]);
				len += strlen(units[i]);
			}
			text[len] = '\0';
			r = hosts_select(t->arena, inventory, text, place, &ids,
			    &count, &err);
			assert_true(r == 0 || r == -ERR_PLAN);
		}
	}
	memset(text, '!', 4000);
	strcpy(text + 4000, "web");
	assert_int_equal(
	    hosts_select(t->arena, inventory, text, place, &ids, &count, &err),
	    0);
	assert_int_equal(count, 3);
}

/* A pattern that would run for ever is cut off, and is no answer. */
static void
a_pattern_that_takes_too_long_is_refused(void **state)
{
	struct test *t = *state;
	struct place place = {"t.yml", 1, 1};
	struct inventory *inventory;
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;
	size_t count = 0;
	int *ids = NULL;

	buf_puts(&text, "hosts: { ");
	for (int i = 0; i < 100; i++)
		buf_putc(&text, 'a');
	buf_puts(&text, ": }\n");
	inventory = must_load(t, buf_str(&text));
	assert_int_equal(hosts_select(t->arena, inventory, "~^(a+a*)+[.-]",
			     place, &ids, &count, &err),
	    -ERR_PLAN);
	assert_null(ids);
	assert_string_equal(err.text,
	    "t.yml:1:1: '~^(a+a*)+[.-]' takes too long to match; make it "
	    "simpler");
	buf_free(&text);
}

/* As large as a YAML file may be: groups times hosts is the square. */
static void
large_inventories_are_read_or_refused_soon(void **state)
{
	struct test *t = *state;
	struct inventory *inventory = NULL;
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	buf_puts(&text, "groups:\n  w:\n    hosts:\n");
	for (int i = 0; i < 20000; i++)
		buf_printf(&text, "      - h%d\n", i);
	buf_puts(&text, "hosts:\n");
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "  h%d:\n", i);
	assert_int_equal(load(t, buf_bytes(&text), &inventory, &err), 0);
	assert_int_equal(inventory->count, 20000);
	assert_int_equal(inventory_host(inventory, "h19999")->group_count, 1);

	buf_reset(&text);
	buf_puts(&text, "groups:\n  w:\n    hosts:\n");
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "      - h%d\n", i);
	for (int i = 0; i < 7000; i++)
		buf_printf(&text, "  p%d: { groups: [w] }\n", i);
	assert_int_equal(
	    load(t, buf_bytes(&text), &inventory, &err), -ERR_PLAN);
	assert_non_null(strstr(err.text, "in more than 1000000 groups"));

	buf_reset(&text);
	buf_puts(&text, "groups:\n  g0: { hosts: [h] }\n");
	for (int i = 1; i < 9000; i++)
		buf_printf(&text, "  g%d: { groups: [g%d] }\n", i, i - 1);
	assert_int_equal(
	    load(t, buf_bytes(&text), &inventory, &err), -ERR_PLAN);
	assert_non_null(strstr(err.text, "groups deep; make it flatter"));

	buf_reset(&text);
	buf_puts(&text, "vars:\n");
	for (int i = 0; i < 1001; i++)
		buf_printf(&text, "  v%d: 1\n", i);
	buf_puts(&text, "hosts: { h: }\n");
	assert_int_equal(
	    load(t, buf_bytes(&text), &inventory, &err), -ERR_PLAN);
	assert_non_null(strstr(err.text, "more than 1000 variables"));
	buf_free(&text);
}

static void
a_missing_inventory_is_named(void **state)
{
	struct test *t = *state;
	struct inventory *inventory = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
	    inventory_load(t->arena, t->path, &inventory, &err), -ERR_PLAN);
	assert_non_null(strstr(err.text, t->path));
	assert_non_null(strstr(err.text, "No such file"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_host_is_read_with_all_it_says),
	    TEST(a_password_is_the_hosts_or_that_of_all),
	    TEST(the_order_is_that_of_the_text),
	    TEST(a_host_knows_its_groups_and_theirs),
	    TEST(the_nearest_group_wins),
	    TEST(a_group_is_as_near_as_its_shortest_way),
	    TEST(equally_near_groups_may_agree_or_be_overruled),
	    TEST(a_wrong_inventory_is_refused_at_its_place),
	    TEST(ssh_config_lies_beside_the_inventory),
	    TEST(selectors_choose_or_say_what_is_wrong),
	    TEST(hostile_selectors_end_soon),
	    TEST(a_pattern_that_takes_too_long_is_refused),
	    TEST(large_inventories_are_read_or_refused_soon),
	    TEST(a_missing_inventory_is_named),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
