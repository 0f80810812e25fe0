/* A record as a line for people: the live view of a run and `audit show`. */
#ifndef HOSHU_CMD_SAY_H
#define HOSHU_CMD_SAY_H

#include <stdio.h>

#include "journal/record.h"
#include "plan/plan.h"

/* plan may be NULL (then steps have numbers only). all: also what a run does
 * not show (hosts opened, settled details). */
void say_record(
    FILE *out, const struct record *record, const struct plan *plan, bool all);

#endif
