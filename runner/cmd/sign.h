/* A person signs: which key, and does it count as that person's? */
#ifndef HOSHU_CMD_SIGN_H
#define HOSHU_CMD_SIGN_H

#include "approval/word.h"
#include "cmd/context.h"

/* Sign text as person, with --key or the first of the usual keys, and verify
 * it as anybody would later, at wall time at_ms. Appends the signature;
 * fingerprint lives in the call's arena. */
int cmd_sign(struct context *context, const char *name_space,
    const char *person, struct bytes text, int64_t at_ms, struct buf *signature,
    const char **fingerprint, struct err *err) MUST_USE;

/*
 * A person's word with that body: shown, signed in name_space, recorded.
 * last: nothing may have come behind that record meanwhile; -1 = anything may.
 * record has its columns; its wall time and body are made here.
 */
int cmd_say_word(struct context *context, const char *name_space,
    const struct word *by, struct json *body, struct record *record,
    int64_t last, struct err *err) MUST_USE;
/* The other way: is that record's word signed, by that person? */
int cmd_word_is_signed(const struct context *context, const char *name_space,
    const struct record *record, const struct json *body, const struct word *by,
    struct err *err) MUST_USE;

#endif
