/*
 * What a check asks, by kind: the spec that the seam carries. A text that
 * holds ${{ }} is judged after evaluation. Runs nothing.
 */
#include "plan/parts.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "match/match.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* An int within [min, max], or a text with ${{ }}. */
static int
put_int(struct arena *arena, struct json *spec, const char *key,
    const struct yaml *node, int64_t min, int64_t max, struct err *err)
{
	int64_t value;

	if (node == NULL)
		return 0;
	if (node->type == YAML_TEXT && text_has_expression(node->text)) {
		json_put_text(arena, spec, key, node->text);
		return 0;
	}
	if (node->type != YAML_TEXT || !text_int(node->text, min, max, &value))
		return err_at(err, ERR_PLAN, node->place,
		    _("%s: a number from %lld to %lld belongs here"), key,
		    (long long)min, (long long)max);
	json_put_int(arena, spec, key, value);
	return 0;
}

static int
check_url(const struct yaml *node, struct err *err)
{
	const char *url = node->text;
	int r;

	if ((r = word_line(node, "url", PLAN_REASON_MAX, err)) < 0)
		return r;
	if (strncmp(url, "http://", 7) != 0 &&
	    strncmp(url, "https://", 8) != 0 && strncmp(url, "${{", 3) != 0)
		return err_at(err, ERR_PLAN, node->place,
		    _("url: starts with http:// or https://"));
	if (!text_has_expression(url) && strpbrk(url, " \t\\\"<>") != NULL)
		return err_at(err, ERR_PLAN, node->place,
		    _("url: holds a character that a URL cannot; write it "
		      "as %%XX"));
	return 0;
}

/* /regex/, /regex/i, or a text that must occur; as http/ reads it. */
static int
check_body(const struct yaml *node, struct err *err)
{
	const char *end = strrchr(node->text, '/');
	struct match *match = NULL;
	struct err why = ERR_INIT;
	struct arena *arena;
	int r;

	if (node->len == 0)
		return err_at(err, ERR_PLAN, node->place,
		    _("body: is empty, so it always passes; write a text or "
		      "/regex/"));
	if (node->text[0] != '/' || end == node->text ||
	    strspn(end + 1, "imsx") != strlen(end + 1) ||
	    text_has_expression(node->text))
		return 0;
	arena = arena_new();
	r = match_compile(
	    arena_copy(arena, node->text + 1, (size_t)(end - node->text) - 1),
	    end + 1, &match, &why);
	if (r < 0)
		r = err_at(err, ERR_PLAN, node->place, _("body: %s"), why.text);
	match_free(match);
	arena_free(arena);
	return r;
}

static int
put_headers(struct arena *arena, struct json *spec, const struct yaml *map,
    struct err *err)
{
	struct json *headers = json_map(arena);
	int r;

	if (map == NULL)
		return 0;
	for (size_t i = 0; i < map->count; i++) {
		if (strspn(map->keys[i]->text,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789-_") != map->keys[i]->len ||
		    map->keys[i]->len == 0)
			return err_at(err, ERR_PLAN, map->keys[i]->place,
			    _("header: '%s' cannot be the name of one"),
			    map->keys[i]->text);
		if ((r = word_line(map->items[i], map->keys[i]->text,
			 PLAN_REASON_MAX, err)) < 0)
			return r;
		json_put_text(
		    arena, headers, map->keys[i]->text, map->items[i]->text);
	}
	json_put(arena, spec, "header", headers);
	return 0;
}

static int
read_http(struct arena *arena, struct json *spec, const struct yaml *node,
    struct err *err)
{
	const struct yaml *url = NULL, *status = NULL, *body = NULL, *ca = NULL,
			  *header = NULL;
	const char *text;
	bool verify = true;
	const struct yaml_field fields[] = {
	    {"url", YAML_NEED_TEXT, .text = &text, .node = &url},
	    {"status", YAML_WANT_ANY, .node = &status},
	    {"body", YAML_WANT_TEXT, .text = &text, .node = &body},
	    {"ca", YAML_WANT_TEXT, .text = &text, .node = &ca},
	    {"verify", YAML_WANT_BOOL, .flag = &verify},
	    {"header", YAML_WANT_MAP, .node = &header},
	};
	int r;

	if (node->type == YAML_TEXT)
		url = node;
	else if ((r = yaml_read(node, "http", fields, COUNT(fields), err)) < 0)
		return r;
	/* a text would count as no status at all, and any 2xx would pass */
	if (status != NULL && (r = word_plain(status, "status", err)) < 0)
		return r;
	if ((r = check_url(url, err)) < 0 ||
	    (r = put_int(arena, spec, "status", status, 100, 599, err)) < 0 ||
	    (r = put_headers(arena, spec, header, err)) < 0)
		return r;
	json_put_text(arena, spec, "url", url->text);
	if (body != NULL) {
		if ((r = check_body(body, err)) < 0)
			return r;
		json_put_text(arena, spec, "body", body->text);
	}
	if (ca != NULL) {
		if ((r = word_line(ca, "ca", PLAN_REASON_MAX, err)) < 0 ||
		    (r = word_plain(ca, "ca", err)) < 0)
			return r;
		json_put_text(arena, spec, "ca", ca->text);
	}
	if (node->type == YAML_MAP && yaml_get(node, "verify") != NULL)
		json_put_bool(arena, spec, "verify", verify);
	return 0;
}

static int
read_tcp(struct arena *arena, struct json *spec, const struct yaml *node,
    struct err *err)
{
	const struct yaml *port = NULL;
	const char *address = "${{ host.address }}";
	const struct yaml_field fields[] = {
	    {"port", YAML_NEED_ANY, .node = &port},
	    {"address", YAML_WANT_TEXT, .text = &address},
	};
	int r;

	if (node->type == YAML_TEXT)
		port = node;
	else if ((r = yaml_read(node, "tcp", fields, COUNT(fields), err)) < 0)
		return r;
	if (*address == '\0')
		return err_at(err, ERR_PLAN, word_place(node, "address"),
		    _("address: is empty; leave it out for the host's own"));
	json_put_text(arena, spec, "address", address);
	return put_int(arena, spec, "port", port, 1, 65535, err);
}

static int
read_command(struct arena *arena, struct json *spec, const struct yaml *node,
    struct err *err)
{
	struct json *argv = json_list(arena);
	int r;

	if (node->type != YAML_LIST)
		return err_at(err, ERR_PLAN, node->place,
		    _("command: a list belongs here, such as [test, -e, "
		      "/etc/ok]; it never meets a shell"));
	if ((r = word_list(node, "command", 1000, err)) < 0)
		return r;
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->type != YAML_TEXT)
			return err_at(err, ERR_PLAN, node->items[i]->place,
			    _("command: each word is a text"));
		json_add(arena, argv, json_text(arena, node->items[i]->text));
	}
	if (node->items[0]->len == 0)
		return err_at(err, ERR_PLAN, node->items[0]->place,
		    _("command: the program's name is empty"));
	json_put(arena, spec, "command", argv);
	return 0;
}

static int
read_service(struct arena *arena, struct json *spec, const struct yaml *node,
    struct err *err)
{
	const char *name = NULL;
	const struct yaml *at = node;
	const struct yaml_field fields[] = {
	    {"name", YAML_NEED_TEXT, .text = &name, .node = &at},
	};
	int r;

	if (node->type != YAML_TEXT &&
	    (r = yaml_read(node, "service", fields, COUNT(fields), err)) < 0)
		return r;
	if ((r = word_line(at, "service", PLAN_NAME_MAX, err)) < 0)
		return r;
	json_put_text(arena, spec, "name", at->text);
	return 0;
}

int
plan_read_spec(struct arena *arena, struct check *check,
    const struct yaml *node, struct err *err)
{
	check->spec = json_map(arena);
	check->yaml = node;
	switch (check->kind) {
	case CHECK_HTTP:
		return read_http(arena, check->spec, node, err);
	case CHECK_TCP:
		return read_tcp(arena, check->spec, node, err);
	case CHECK_COMMAND:
		return read_command(arena, check->spec, node, err);
	case CHECK_SERVICE:
		return read_service(arena, check->spec, node, err);
	}
	bug("check kind %d", (int)check->kind);
}
