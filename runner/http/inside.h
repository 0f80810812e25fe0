/* What the files of http/ share. */
#ifndef HOSHU_HTTP_INSIDE_H
#define HOSHU_HTTP_INSIDE_H

#include <stdbool.h>

#include "base/arena.h"
#include "http/http.h"
#include "match/match.h"

/* What a check asks for; lives in an arena, but for the pattern. */
struct http_spec {
	const char *url;
	const char *resolve; /* "host:port:127.0.0.1", or NULL for an address */
	int status;	     /* 0 = any 2xx */
	const char *body;    /* text that must occur, or NULL */
	struct match *pattern; /* /regex/, or NULL */
	const char *ca;	       /* PEM, or NULL */
	bool verify;
	const char **headers; /* "Name: value" */
	size_t header_count;
};

/* ERR_PLAN with what is wrong. On success, match_free(out->pattern). */
int http_spec_read(struct arena *arena, struct bytes json,
    struct http_spec *out, struct err *err) MUST_USE;

/* Judge an answer. status_line: "503 Service Unavailable". Gives the result's
 * word and appends the line for people. */
const char *http_judge(const struct http_spec *spec, int status,
    const char *status_line, struct bytes body, struct buf *text);

#endif
