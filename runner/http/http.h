/*
 * HTTP and TLS checks over a descriptor that the coordinator dialled. The
 * only user of curl.h. Worker side: opens no connection and no file of its
 * own (certificates come as text), asks no name server.
 *
 * spec: {"url":"https://10.0.0.1/healthz","status":200?,"body":"/ok/"|"text"?,
 *        "ca":"PEM"?,"verify":false?,"header":{NAME:VALUE}?}
 * status left out: any 2xx. body: /regex/ or a text that must occur, within
 * the first 64 KiB. Redirects are not followed.
 */
#ifndef HOSHU_HTTP_HTTP_H
#define HOSHU_HTTP_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"

struct http_check;

/* Let curl and libssl read what they read at first use. */
void http_warm(void);

/* result: pass | fail | inconclusive; text: one cleansed line ("503 Service
 * Unavailable, wanted 200"). */
typedef void http_done(void *arg, const char *result, const char *text);

/* Takes fd, a connected socket of loop_dial's. roots: PEM that counts where the
 * spec has no "ca" (borrowed until done). done is called exactly once, never
 * from within this call, unless the check is cancelled before. */
struct http_check *http_check_start(struct loop *loop, int fd,
    struct bytes spec, struct bytes roots, int64_t timeout_ms, http_done *done,
    void *arg);
void http_check_cancel(struct http_check *check); /* NULL is allowed */

#endif
