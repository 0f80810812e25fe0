/* What the files of the fold share with each other and nobody else. */
#ifndef HOSHU_JOURNAL_FOLD_INSIDE_H
#define HOSHU_JOURNAL_FOLD_INSIDE_H

#include "base/json.h"
#include "journal/fold.h"

/* fold_step.c: a record about a step of this part. */
int fold_step(struct change_fold *fold, struct part_fold *part,
    const struct record *record, const struct json *body,
    struct err *err) MUST_USE;
/* text (NULL = "") into out, cut to size. */
void fold_copy(char *out, size_t size, const char *text);

#endif
