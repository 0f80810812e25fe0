/*
 * What was recorded in English, in the language of who reads it. Takes the
 * Japanese catalogue that was built with this program.
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

#include "base/i18n.h"
#include "base/said.h"

static void
assert_said(const char *english, const char *want)
{
	struct buf out = BUF_INIT;

	said_put(&out, english);
	assert_string_equal(buf_str(&out), want);
	buf_free(&out);
}

static void
a_recorded_text_is_put_into_japanese(void **state)
{
	(void)state;
	assert_said("its script failed", "スクリプトが失敗しました");
	assert_said("step \"Page\": failed", "手順 \"Page\": 失敗");
	assert_said("failed: 2, limit 1", "失敗: 2、上限 1");
	assert_said("check \"the shop\": fail: 502 Bad Gateway, wanted 200",
	    "確認 \"the shop\": 不合格: 502 Bad Gateway (期待値は 200)");
	assert_said("web1 did not get through the login within 3000 ms",
	    "web1 のログインが 3000 ms 以内に終わりませんでした");
	assert_said("restart nginx", "再起動: nginx");
}

static void
names_and_what_a_host_said_stay(void **state)
{
	(void)state;
	assert_said("step \"done\": failed", "手順 \"done\": 失敗");
	assert_said("step \"a: check\": unknown", "手順 \"a: check\": 不明");
	assert_said("/bin/done ended with 3: failed",
	    "/bin/done がステータス 3 で終わりました: failed");
	assert_said("run done", "実行: done");
}

static void
what_nobody_says_is_shown_as_it_stands(void **state)
{
	(void)state;
	assert_said("", "");
	assert_said("100% %s %n", "100% %s %n");
	assert_said("failed: many, limit 1", "failed: many, limit 1");
	assert_said("its script failed.", "its script failed.");
	assert_said("step \"Page", "step \"Page");
	/* a form within a form within a form ... ends */
	assert_said("host a: host b: host c: host d: host e: host f: failed",
	    "ホスト a: ホスト b: ホスト c: ホスト d: host e: host f: failed");
}

static void
a_list_is_put_item_by_item(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	said_put_list(&out, "it reaches the network, /srv is writable, x");
	assert_string_equal(
	    buf_str(&out), "ネットワークに届く, /srv に書き込める, x");
	buf_free(&out);
}

static void
what_is_recorded_is_english(void **state)
{
	bool first, second;

	(void)state;
	assert_string_equal(_("failed"), "失敗");
	first = i18n_plain(true);
	assert_string_equal(_("failed"), "failed");
	assert_said("step \"Page\": failed", "step \"Page\": failed");
	second = i18n_plain(false); /* a word to the person in between */
	assert_string_equal(_("failed"), "失敗");
	i18n_plain(second);
	assert_string_equal(_("failed"), "failed");
	i18n_plain(first);
	assert_string_equal(_("failed"), "失敗");
}

static void
an_empty_text_is_not_the_catalogues_header(void **state)
{
	(void)state;
	assert_string_equal(_(""), "");
}

/* This program stands in unit/, beside locale/. */
static int
japanese_start(void **state)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 32);

	(void)state;
	if (len < 0)
		return -1;
	path[len] = '\0';
	strcpy(strrchr(path, '/'), "/../locale");
	setenv("LC_ALL", "ja_JP.UTF-8", 1);
	unsetenv("LANGUAGE");
	i18n_start();
	bindtextdomain("hoshu", path);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_recorded_text_is_put_into_japanese),
	    cmocka_unit_test(names_and_what_a_host_said_stay),
	    cmocka_unit_test(what_nobody_says_is_shown_as_it_stands),
	    cmocka_unit_test(a_list_is_put_item_by_item),
	    cmocka_unit_test(what_is_recorded_is_english),
	    cmocka_unit_test(an_empty_text_is_not_the_catalogues_header),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, japanese_start, NULL);
}
