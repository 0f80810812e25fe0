/* A person signs: which key, and does it count as that person's? */
#ifndef HOSHU_CMD_SIGN_H
#define HOSHU_CMD_SIGN_H

#include "cmd/context.h"

/* Sign text as person, with --key or the first of the usual keys, and verify
 * it as anybody would later, at wall time at_ms. Appends the signature;
 * fingerprint lives in the call's arena. */
int cmd_sign(struct context *context, const char *name_space,
    const char *person, struct bytes text, int64_t at_ms, struct buf *signature,
    const char **fingerprint, struct err *err) MUST_USE;

#endif
