/*
 * What an HTTP check asks for, read from its JSON, and the judgement of an
 * answer. Knows nothing of curl or sockets.
 */
#include "http/inside.h"

#include <string.h>

#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"

/* /regex/ or /regex/i; anything else is a text that must occur. */
static int
body_read(struct arena *arena, const char *text, struct http_spec *spec,
    struct err *err)
{
	const char *end = strrchr(text, '/');
	char *pattern;

	if (text[0] != '/' || end == text ||
	    strspn(end + 1, "imsx") != strlen(end + 1)) {
		spec->body = text;
		return 0;
	}
	pattern = arena_copy(arena, text + 1, (size_t)(end - text - 1));
	return match_compile(pattern, end + 1, &spec->pattern, err);
}

static int
headers_read(struct arena *arena, const struct json *map,
    struct http_spec *spec, struct err *err)
{
	if (map == NULL)
		return 0;
	if (map->type != JSON_MAP)
		return err_set(err, ERR_PLAN, _("check: header: is no map"));
	spec->headers = arena_array(arena, const char *, map->count + 1);
	for (size_t i = 0; i < map->count; i++) {
		const struct json *value = map->items[i];

		if (value->type != JSON_TEXT ||
		    strpbrk(value->text, "\r\n") != NULL ||
		    strpbrk(map->keys[i], "\r\n: ") != NULL)
			return err_set(err, ERR_PLAN,
			    _("check: header %s: wants one line of text"),
			    map->keys[i]);
		spec->headers[spec->header_count++] =
		    arena_printf(arena, "%s: %s", map->keys[i], value->text);
	}
	return 0;
}

/* A name in the URL must not be looked up here (the coordinator has dialled
 * it): curl is told an address that it will never use. */
static int
resolve_read(struct arena *arena, struct http_spec *spec, struct err *err)
{
	const char *url = spec->url, *host, *port = "80";
	size_t len;

	if (strncmp(url, "http://", 7) == 0) {
		host = url + 7;
	} else if (strncmp(url, "https://", 8) == 0) {
		host = url + 8;
		port = "443";
	} else {
		return err_set(err, ERR_PLAN,
		    _("check: url %s: wants http:// or https://"), url);
	}
	len = strcspn(host, "/?#");
	if (memchr(host, '@', len) != NULL)
		return err_set(err, ERR_PLAN,
		    _("check: url %s: a user in a URL is not taken; use "
		      "header:"),
		    url);
	if (host[0] == '[') /* an IPv6 address */
		return 0;
	if (memchr(host, ':', len) != NULL) {
		port = strchr(host, ':') + 1;
		len = (size_t)(port - 1 - host);
	}
	if (len == 0)
		return err_set(
		    err, ERR_PLAN, _("check: url %s: names no host"), url);
	spec->resolve = arena_printf(arena, "%.*s:%.*s:127.0.0.1", (int)len,
	    host, (int)strcspn(port, "/?#"), port);
	return 0;
}

/* A number, or the text that an expression gave. */
static int
status_read(const struct json *value, int *status, struct err *err)
{
	int64_t number = 0;

	if (value == NULL)
		return 0;
	if (value->type == JSON_INT)
		number = value->num;
	else if (value->type == JSON_TEXT &&
		 !text_int(value->text, 100, 599, &number))
		number = 0;
	if (number < 100 || number > 599)
		return err_set(err, ERR_PLAN,
		    _("check: status: wants a number from 100 to 599"));
	*status = (int)number;
	return 0;
}

int
http_spec_read(struct arena *arena, struct bytes json, struct http_spec *out,
    struct err *err)
{
	struct http_spec spec = {.verify = true};
	struct json *map;
	const char *body;
	int r;

	r = json_parse(arena, json.data, json.len, "check", &map, err);
	if (r < 0)
		return r;
	spec.url = json_get_text(map, "url", NULL);
	if (spec.url == NULL)
		return err_set(err, ERR_PLAN, _("check: no url"));
	r = status_read(json_get(map, "status"), &spec.status, err);
	if (r < 0)
		return r;
	spec.ca = json_get_text(map, "ca", NULL);
	spec.verify = json_get_bool(map, "verify", true);
	r = resolve_read(arena, &spec, err);
	if (r < 0)
		return r;
	r = headers_read(arena, json_get(map, "header"), &spec, err);
	if (r < 0)
		return r;
	body = json_get_text(map, "body", NULL);
	if (body != NULL) {
		r = body_read(arena, body, &spec, err);
		if (r < 0)
			return r;
	}
	*out = spec;
	return 0;
}

/* What is wrong with the answer's body; NULL = nothing. */
static const char *
body_judge(const struct http_spec *spec, struct bytes body, const char **result)
{
	*result = "fail";
	if (spec->body != NULL &&
	    memmem(body.data, body.len, spec->body, strlen(spec->body)) == NULL)
		return _("%s, but the body does not hold the text wanted");
	*result = "pass";
	if (spec->pattern == NULL)
		return NULL;
	switch (match_run(spec->pattern, body.data, body.len, NULL, NULL)) {
	case MATCH_YES:
		return NULL;
	case MATCH_NO:
		*result = "fail";
		return _("%s, but the body does not match");
	case MATCH_LIMIT:
		break;
	}
	*result = "inconclusive";
	return _("%s, and the pattern is too costly for this body");
}

const char *
http_judge(const struct http_spec *spec, int status, const char *status_line,
    struct bytes body, struct buf *text)
{
	struct buf line = BUF_LIMIT(1024);
	const char *result = "fail", *wrong;

	text_cleanse_to(&line, status_line, strlen(status_line), true);
	if (spec->status != 0 && status != spec->status)
		buf_printf(
		    text, _("%s, wanted %d"), buf_str(&line), spec->status);
	else if (spec->status == 0 && status >= 300 && status <= 399)
		buf_printf(text,
		    _("%s, wanted 2xx (redirects are not followed)"),
		    buf_str(&line));
	else if (spec->status == 0 && (status < 200 || status > 299))
		buf_printf(text, _("%s, wanted 2xx"), buf_str(&line));
	else if ((wrong = body_judge(spec, body, &result)) != NULL)
		buf_printf(text, wrong, buf_str(&line));
	else
		buf_puts(text, buf_str(&line));
	buf_free(&line);
	return result;
}
