/*
 * Of base/json*.c alone: the canonical order of a map's keys.
 */
#ifndef HOSHU_BASE_JSON_ORDER_H
#define HOSHU_BASE_JSON_ORDER_H

#include "base/json.h"

/* The indices of map's elements in canonical order; free() it. */
size_t *json_order(const struct json *map);

#endif
