/*
 * Texts with ${{ }} inside a JSON value: out as the list that EVAL takes, and
 * back in with the values that it gave.
 */
#ifndef HOSHU_CHANGE_EXPAND_H
#define HOSHU_CHANGE_EXPAND_H

#include "base/json.h"

/* Append the JSON list of every text that holds ${{, in order. */
void expand_texts(
    struct arena *arena, const struct json *value, struct buf *out);
/* A copy of value with them replaced by values (JSON list, as many). */
int expand_values(struct arena *arena, const struct json *value,
    struct bytes values, struct json **out, struct err *err) MUST_USE;

#endif
