/*
 * The laws of modules, held by every case of modules/NAME/test.lua on a real
 * shell: probe twice is equal; apply then probe is met; twice is unchanged;
 * undo then probe equals seen; seen is small; the same job gives the same
 * bytes.
 *
 *	build/h5/unit/test_modules [NAME...]
 *
 * HOSHU_TEST_DOOR="ssh ... sh" points it at a host (as root: package and
 * service change it). Without it dash, bash and busybox ash are the hosts.
 * covers: P1 P2 P5
 */
#include "script_door.h"

#include "base/json.h"
#include "script/inside.h"

static const char *const modules[] = {
    "facts", "file", "package", "run", "service", "shell"};
static const char *const shells[] = {"dash", "bash", "busybox sh"};

struct run {
	struct arena *arena;
	struct test_door door;
	struct script *script;
	const char *module;
	char folder[256]; /* on the host */
	char learned[128];
	int number, failed, skipped;
};

/* text with each @T@ made the folder and each @L@ what the host said */
static const char *
fill(struct run *run, const char *text)
{
	struct buf buf = BUF_INIT;
	const char *at, *out;

	while ((at = strchr(text, '@')) != NULL) {
		bool folder = strncmp(at, "@T@", 3) == 0;

		buf_put(&buf, text, (size_t)(at - text));
		if (folder || strncmp(at, "@L@", 3) == 0)
			buf_puts(&buf, folder ? run->folder : run->learned);
		else
			buf_put(&buf, at, 1);
		text = folder || strncmp(at, "@L@", 3) == 0 ? at + 3 : at + 1;
	}
	buf_puts(&buf, text);
	out = arena_strdup(run->arena, buf_str(&buf));
	buf_free(&buf);
	return out;
}

static bool
check(bool good, struct buf *why, const char *what, const char *more)
{
	if (!good)
		buf_printf(why, "#   %s: %s\n", what, more);
	return good;
}

/* Shell text of the case that must succeed; none is fine. */
static bool
host_says(
    struct run *run, const struct json *test, const char *key, struct buf *why)
{
	const char *text = json_get_text(test, key, NULL);
	struct buf out = BUF_INIT;
	bool good = true;

	if (text != NULL)
		good = check(
		    door_run(&run->door, fill(run, text), &out, &out) == 0, why,
		    key, buf_str(&out));
	buf_free(&out);
	return good;
}

/* The first line that the case's `learn` says, for @L@. */
static bool
learn(struct run *run, const struct json *test, struct buf *why)
{
	const char *text = json_get_text(test, "learn", NULL);
	struct buf out = BUF_INIT;
	bool good = true;

	run->learned[0] = '\0';
	if (text != NULL) {
		good = check(
		    door_run(&run->door, fill(run, text), &out, NULL) == 0, why,
		    "learn", buf_str(&out));
		snprintf(run->learned, sizeof(run->learned), "%.*s",
		    (int)strcspn(buf_str(&out), "\n"), buf_str(&out));
		good = good && check(run->learned[0] != '\0', why, "learn",
				   "the host says nothing");
	}
	buf_free(&out);
	return good;
}

static bool
holds(struct buf *why, const struct json *test, const char *key,
    struct run *run, const char *text)
{
	const char *part = json_get_text(test, key, NULL);

	return part == NULL ||
	       check(strstr(text, fill(run, part)) != NULL, why, key, text);
}

/* data of PROBE: the case's own, with pin and before. */
static const char *
data_of(struct run *run, const struct json *test, const char *pin,
    const char *before)
{
	struct json *data = json_map(run->arena), *value = NULL;
	const struct json *own = json_get(test, "data");
	struct buf buf = BUF_INIT;
	const char *text;

	json_put(run->arena, data, "changed", json_map(run->arena));
	for (size_t i = 0; own != NULL && i < own->count; i++)
		json_put(run->arena, data, own->keys[i], own->items[i]);
	if (pin != NULL &&
	    json_parse(run->arena, pin, strlen(pin), "pin", &value, NULL) == 0)
		json_put(run->arena, data, "pin", value);
	if (before != NULL)
		json_put_text(run->arena, data, "before", before);
	json_write(&buf, data);
	text = arena_strdup(run->arena, fill(run, buf_str(&buf)));
	buf_free(&buf);
	return text;
}

static const char *
uptime(struct run *run)
{
	struct buf out = BUF_INIT;
	const char *text;

	door_run(&run->door, "read -r a b </proc/uptime; echo $a", &out, NULL);
	text = arena_copy(
	    run->arena, buf_str(&out), strcspn(buf_str(&out), " \n"));
	buf_free(&out);
	return text;
}

static bool
launch(struct run *run, const char *script, int want, struct buf *why,
    const char *what)
{
	struct buf out = BUF_INIT;
	int rc = door_launch(&run->door, run->folder, script, &out, &out);
	bool good = check(want < 0 ? rc != 0 : rc == want, why, what,
	    arena_printf(run->arena, "rc %d: %s", rc, buf_str(&out)));

	buf_free(&out);
	return good;
}

/* The way back: it is on the host as a file, it works, and works again. */
static bool
undo_law(struct run *run, const struct json *test, const char *params,
    const struct test_answer *first, struct buf *why)
{
	struct test_answer again = {0};
	const char *data = data_of(run, test, first->want, NULL);
	bool good;

	good = launch(run, first->undo, 0, why, "undo");
	door_probe(&run->door, run->script, run->module, params, data, &again);
	good =
	    good && check(!again.failed && strcmp(again.seen, first->seen) == 0,
			why, "after undo the state is not what it was",
			again.failed ? again.failure.text : again.seen);
	good = good && host_says(run, test, "undone", why);
	good = good && launch(run, first->undo, 0, why, "undo again");
	door_probe(&run->door, run->script, run->module, params, data, &again);
	good =
	    good && check(!again.failed && strcmp(again.seen, first->seen) == 0,
			why, "undo twice is not undo once", "");
	answer_drop(&again);
	return good;
}

/* Apply, probe again, undo. */
static bool
change_laws(struct run *run, const struct json *test, const char *params,
    const struct test_answer *first, struct buf *why)
{
	struct test_answer again = {0};
	const char *before = uptime(run);
	bool fails = json_get_bool(test, "breaks", false), good;

	good = launch(run, first->apply, fails ? -1 : 0, why, "apply");
	if (good && !fails && strcmp(first->verdict, "change") == 0) {
		door_probe(&run->door, run->script, run->module, params,
		    data_of(run, test, first->want, before), &again);
		good =
		    check(!again.failed && strcmp(again.verdict, "same") == 0,
			why, "after apply it is not met",
			again.failed ? again.failure.text : again.seen);
	}
	good = good && host_says(run, test, "after", why);
	if (good && *first->undo != '\0')
		good = undo_law(run, test, params, first, why);
	answer_drop(&again);
	return good;
}

static bool
run_laws(struct run *run, const struct json *test, struct buf *why)
{
	const char *verdict = json_get_text(test, "verdict", "change");
	const char *fails = json_get_text(test, "fails", NULL), *params;
	const char *data = data_of(run, test, NULL, NULL);
	struct test_answer first = {0}, second = {0};
	struct buf buf = BUF_INIT;
	bool good;

	json_write(&buf, json_get(test, "params"));
	params = fill(run, buf_str(&buf));
	buf_free(&buf);
	door_probe(&run->door, run->script, run->module, params, data, &first);
	if (first.failed) {
		good = check(
		    fails != NULL && strstr(first.failure.text, fails) != NULL,
		    why, "it failed", first.failure.text);
		goto out;
	}
	door_probe(&run->door, run->script, run->module, params, data, &second);
	good = check(fails == NULL, why, "it should fail", first.verdict) &&
	       check(strcmp(first.verdict, verdict) == 0, why, "verdict",
		   first.verdict) &&
	       check(!second.failed && strcmp(first.seen, second.seen) == 0 &&
			 strcmp(first.apply, second.apply) == 0 &&
			 strcmp(first.undo, second.undo) == 0,
		   why, "two probes differ", second.seen) &&
	       check(strlen(first.seen) <= STATE_MAX, why, "seen is too long",
		   "") &&
	       holds(why, test, "diff", run, first.diff) &&
	       holds(why, test, "effects", run, first.effects) &&
	       holds(why, test, "summary", run, first.summary) &&
	       holds(why, test, "reason", run, first.reason) &&
	       holds(why, test, "seen", run, first.seen) &&
	       holds(why, test, "script", run, first.apply);
	if (good && *first.apply != '\0' && !json_get_bool(test, "look", false))
		good = change_laws(run, test, params, &first, why);
out:
	answer_drop(&first);
	answer_drop(&second);
	return good;
}

static void
run_case(struct run *run, const char *shell, const struct json *test)
{
	const char *needs = json_get_text(test, "needs", NULL);
	struct buf out = BUF_INIT, why = BUF_INIT;
	bool good;

	run->number++;
	if (needs != NULL && door_run(&run->door, needs, NULL, NULL) != 0) {
		printf("ok %d - %s: %s: %s # SKIP host lacks: %.60s\n",
		    run->number, shell, run->module,
		    json_get_text(test, "name", "?"), needs);
		run->skipped++;
		return;
	}
	if (door_run(&run->door,
		"d=$(mktemp -d) && chmod 755 \"$d\" && "
		"mkdir -m 700 \"$d/spool\" && echo \"$d\"",
		&out, &out) != 0) {
		printf(
		    "Bail out! the door gives no folder: %s\n", buf_str(&out));
		exit(1);
	}
	snprintf(run->folder, sizeof(run->folder), "%.*s",
	    (int)strcspn(buf_str(&out), "\n"), buf_str(&out));
	good = learn(run, test, &why) && host_says(run, test, "before", &why) &&
	       run_laws(run, test, &why);
	host_says(run, test, "finally", &why);
	printf("%sok %d - %s: %s: %s\n%s", good ? "" : "not ", run->number,
	    shell, run->module, json_get_text(test, "name", "?"),
	    buf_str(&why));
	fflush(stdout);
	run->failed += !good;
	door_run(
	    &run->door, fill(run, "chmod -R u+w @T@; rm -rf @T@"), NULL, NULL);
	buf_free(&out);
	buf_free(&why);
}

/* A module and its cases, from their texts. */
static void
run_module(struct run *run, const char *shell, const char *name,
    const char *source, const char *cases)
{
	struct script_failure failure;
	struct json *tests = NULL;

	run->module = name;
	if (script_module(run->script, name, bytes_of(source), &failure) < 0 ||
	    values_of_chunk(run->arena, "test.lua", bytes_of(cases), &tests,
		&failure) < 0) {
		printf("Bail out! %s: %s:%d: %s\n", name, failure.file,
		    failure.line, failure.text);
		exit(1);
	}
	for (size_t i = 0; i < tests->count; i++)
		run_case(run, shell, tests->items[i]);
}

/* word: a module of this checkout, or any module's folder. */
static void
run_files(struct run *run, const char *shell, const char *word)
{
	const char *slash = strrchr(word, '/');
	const char *name = slash != NULL ? slash + 1 : word;
	const char *parent = slash != NULL ? "" : "modules/";
	char path[300];
	char *source, *cases;

	snprintf(path, sizeof(path), "%s%s/%s.lua", parent, word, name);
	source = test_read(path);
	snprintf(path, sizeof(path), "%s%s/test.lua", parent, word);
	cases = test_read(path);
	run_module(run, shell, name, source, cases);
	free(source);
	free(cases);
}

/* The two examples of the module writers' manual. */
static void
run_manual(struct run *run, const char *shell)
{
	char *text = test_read("modules/README.md");
	char *part[2] = {NULL, NULL}, *at = text, *end;

	for (int i = 0; i < 2; i++) {
		if ((at = strstr(at, "```lua\n")) == NULL ||
		    (end = strstr(at, "\n```\n")) == NULL) {
			printf("Bail out! the manual has no examples\n");
			exit(1);
		}
		part[i] = at + strlen("```lua\n");
		*end = '\0';
		at = end + 1;
	}
	run_module(run, shell, "folder", part[0], part[1]);
	free(text);
}

int
main(int argc, char **argv)
{
	const char *door = getenv("HOSHU_TEST_DOOR");
	struct run run = {.arena = arena_new(), .script = script_new()};

	for (size_t s = 0; s < (door != NULL ? 1 : 3); s++) {
		const char *shell = door != NULL ? door : shells[s];

		door_init(&run.door, shell);
		if (door_run(&run.door, ":", NULL, NULL) != 0) {
			printf("ok %d - %s # SKIP it does not run here\n",
			    ++run.number, shell);
			continue;
		}
		for (size_t m = 0; argc < 2 && m < 6; m++)
			run_files(&run, shell, modules[m]);
		for (int i = 1; i < argc; i++)
			run_files(&run, shell, argv[i]);
		if (argc < 2)
			run_manual(&run, shell);
		door_drop(&run.door);
	}
	printf("1..%d\n", run.number);
	script_free(run.script);
	arena_free(run.arena);
	return run.failed == 0 ? 0 : 1;
}
